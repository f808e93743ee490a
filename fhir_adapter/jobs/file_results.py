"""What a file of results says of whom: subject by subject, in memory no more than one of them at a time.

What can be read is laid aside by whose it is. A result that cannot be read may be anything: where every result counts,
it holds its analyte open instead of being left out, for the others would look like all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.intake.deletions import Deletions, Position, about_deletion
from fhir_adapter.intake.panels import without_panel_code
from fhir_adapter.intake.resources import Contents, items_of, newest_of
from fhir_adapter.intake.whose import Whose, whose
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers.r4.read_observation import codings_of, parts_of
from fhir_adapter.mappers.r4.read_result import may_hold_results, members_of, read_result
from fhir_adapter.store.spill import Spill
from fhir_adapter.terminology import match_codes
from fhir_adapter.trial import Interval, Result

_Resource = Mapping[str, object]
_UNREAD = "it cannot be read: anything is possible"
_PERHAPS_DELETED = "it may have been deleted: anything is possible"


class FileResults:
    """The results of a file, to be read once, by `by_subject`, in the order in which it names the subjects first.

    What is said of all of them (`in_part`, `issues`, `kinds`) is whole when the last one is through.
    """

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        self._servers = _Servers()
        self._deletions = Deletions()
        self.in_part = False

    def by_subject(self) -> Iterator[tuple[str, list[Result]]]:
        """Each subject, as it is to be called, with everything that counts for it."""
        for key, laid_aside in self._spill.by_owner():
            subject = self._servers.shown(key)
            yield subject, self._results(subject, laid_aside)

    def issues(self, shown: int | None = None) -> Iterator[Issue]:
        """Why results, or parts of the file, could not be used: all, or the first of them."""
        return map(_issue_of, islice(self._spill.notes(), shown))

    def notes(self) -> Iterator[bytes]:
        """The issues as they are written."""
        return self._spill.notes()

    def kinds(self) -> Mapping[str, int]:
        """How many issues there are of each code, the most frequent first."""
        return self._spill.kinds()

    def read(self, path: Path) -> None:
        """Lay aside what a file says."""
        contents = _LaidAside(path.name, self)
        self._deletions = contents.deletions
        found = False
        for item in items_of(path, contents):
            if not may_hold_results(item.resource):
                continue
            found = True
            patient = whose(item.resource, item.address)
            if patient is None:
                self.say(item.position.place, nobodys(item.resource), _once(item.resource))
            else:
                self._servers.meet(patient)
                body = item.body or fhirjson.dumps(item.resource)
                self._spill.add(patient.key, item.position.place, _head(item.position) + body)
        if not found:
            self.say(0, _nothing_in(path.name))

    def say(self, place: int, issue: Issue, once: bytes | None = None) -> None:
        """Lay an issue aside under the place of the result that it is about; 0 is the file itself."""
        self._spill.note(place, issue.code, fhirjson.dumps(issue.to_dict()), once)
        self.in_part = self.in_part or issue.is_error

    def _results(self, subject: str, laid_aside: Iterable[tuple[int, bytes]]) -> list[Result]:
        read = [_body_of(place, text) for place, text in laid_aside]
        positions = {id(resource): at for at, resource in read}
        names = {name_of(resource) for _, resource in read}
        results: list[Result] = []
        for number, resource in newest_of(resource for _, resource in read):
            fate = self._deletions.fate_of(resource, positions[id(resource)])
            gone = about_deletion(fate, name_of(resource))
            if gone is None:
                found, issues = read_or_held_open(resource, subject, names)
            else:
                held = held_open(resource, subject, _PERHAPS_DELETED) if fate == "unsure" else []
                found, issues = held, [gone]
            results += found
            for issue in issues:
                self.say(read[number][0].place, issue)
        return results


@contextmanager
def results_of_file(path: Path) -> Iterator[FileResults]:
    """Read a file of whatever length.

    Needs room for a copy of the results in TMPDIR. In memory there is one subject at a time; a file that is one JSON
    value, such as a Bundle, is read whole. Raises `Misconfigured` for a file that cannot be opened, `Rejected` for one
    that is no JSON at all, `Retriable` when there is no room.
    """
    with Spill() as spill:
        results = FileResults(spill)
        results.read(path)
        yield results


def read_or_held_open(
    resource: _Resource, subject: str, names: Collection[str] = ()
) -> tuple[list[Result], list[Issue]]:
    """What a resource says, and of what it says of an analyte and cannot be read, that anything is possible.

    `names` are the resources of the subject that are read beside it, as `Observation/1`.
    """
    answer = read_result(resource, subject)
    results = list(answer.results)
    if any(issue.is_error for issue in answer.issues):
        read = {one.name for one in results}
        results += [one for one in held_open(resource, subject) if one.name not in read]
    return results, without_panel_code(answer.issues, resource, names)


def held_open(resource: _Resource, subject: str, why: str = _UNREAD) -> list[Result]:
    """That anything is possible of every analyte of which a resource says something, on top, in parts or in members."""
    observed = resource.get("resourceType") == "Observation"
    parts = [part for one in (resource, *members_of(resource)) for part in parts_of(one)] if observed else []
    matches = [match_codes(codings_of(part.get("code"))) for part in parts if not _says_nothing(part)]
    names = dict.fromkeys(match.name for match in matches if match.kind == "analyte")
    said_by = name_of(resource)
    return [
        Result(subject=subject, name=name, source="hospital", interval=Interval(), reference=said_by, flags=(why,))
        for name in names
    ]


def nobodys(resource: _Resource) -> Issue:
    """That it is left out because nobody knows whose it is."""
    message = (
        "it names no Patient for certain (right would be Patient/[id], or an identifier with its system): left out"
    )
    return Issue("error", "no-subject", message, Where(resource=name_of(resource)))


def name_of(resource: _Resource) -> str:
    """How an issue calls it."""
    return f"{resource['resourceType']}/{resource.get('id', '')}"


class _LaidAside(Contents):
    """What is noted while a file is read, kept where it takes no memory."""

    def __init__(self, name: str, results: FileResults) -> None:
        super().__init__(name)
        self._results = results

    def say(self, issue: Issue) -> None:
        self._results.say(0, issue)

    def made(self, timestamp: object) -> None:
        """When a Bundle was made does not matter here."""


class _Servers:
    """Whether the Patients of a file are of one server: then their names alone tell them apart, and are shown."""

    def __init__(self) -> None:
        self._base: str | None = None
        self._several = False

    def meet(self, patient: Whose) -> None:
        """Note where a Patient is."""
        if not patient.system and patient.name.startswith("Patient/"):
            self._several = self._several or self._base not in (None, patient.base)
            self._base = patient.base

    def shown(self, key: str) -> str:
        """How the Patient with this key is called."""
        return key if self._several or not self._base else key.removeprefix(f"{self._base}/")


def _says_nothing(part: _Resource) -> bool:
    """True where the source says why there is no value, and for the top of a panel, whose values are in its parts."""
    valued = any(name.startswith("value") for name in part)
    return bool(part.get("dataAbsentReason")) or (not valued and bool(part.get("component") or part.get("hasMember")))


def _head(at: Position) -> bytes:
    """A first line that says where a body stood, except for its place, which is told beside it."""
    base = "".join(at.base.split())
    return f"{at.history} {base}\n".encode("utf-8", "backslashreplace")


def _body_of(place: int, text: bytes) -> tuple[Position, _Resource]:
    head, _, body = text.partition(b"\n")
    history, _, base = head.decode().partition(" ")
    resource: _Resource = fhirjson.loads(body)
    return Position(base, int(history), place), resource


def _once(resource: _Resource) -> bytes | None:
    """What makes bodies the same resource, as `newest_of` sees it: it is told once that it is nobody's."""
    if not isinstance(resource.get("id"), str):
        return None
    return sha256(fhirjson.dumps([resource["id"], resource.get("subject")])).digest()


def _nothing_in(name: str) -> Issue:
    message = "nothing in it can be scored: there is no Observation, and no Condition that the score asks for"
    return Issue("warning", "no-results", message, Where(name))


def _issue_of(text: bytes) -> Issue:
    told = fhirjson.loads(text)
    return Issue(**{**told, "where": Where(**told["where"])})

"""score --input, and the operation $hscore of Observations: the HScore from Observations alone, without any store.

No visits are told apart: every result of a subject counts, the worst of each item decides. A file may hold more than
memory does: what it says is laid aside by subject, and one subject is scored after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.intake.resources import Contents, items_of, newest_of
from fhir_adapter.intake.whose import Whose, whose
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers.r4.read_observation import codings_of
from fhir_adapter.mappers.r4.read_result import may_hold_results, read_result
from fhir_adapter.scores import DEFAULT_CUTOFF, SubjectScores, score_everything, written
from fhir_adapter.store.spill import Spill
from fhir_adapter.terminology import match_codes
from fhir_adapter.trial import Interval, Result

_Resource = Mapping[str, object]
_UNREAD = "it cannot be read: anything is possible"


@dataclass(frozen=True, slots=True)
class ObservationScores:
    """One score per subject, of every Observation that could be used, and why others could not."""

    subjects: tuple[SubjectScores, ...]
    cutoff: int
    issues: tuple[Issue, ...]

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {**written(self.subjects, self.cutoff), "issues": [issue.to_dict() for issue in self.issues]}


class FileScoring:
    """The scores of a file, one subject after the other; to be read once, by `subjects`, `first` or `chunks`.

    The order is that in which the file names the subjects first. What is said of all of them (`scored`, `in_part`,
    `issues`, `kinds`) is whole when the last one is through.
    """

    def __init__(self, spill: Spill, cutoff: int | None) -> None:
        self._spill = spill
        self.cutoff = DEFAULT_CUTOFF if cutoff is None else cutoff
        self.subjects = self._scored()
        self.scored = 0
        self.in_part = False
        self._servers = _Servers()

    def chunks(self) -> Iterator[bytes]:
        """The JSON form promised by the command, in pieces: joined, what `ObservationScores.to_dict` says."""
        before = b"{"
        for name, value in written((), self.cutoff).items():
            yield before + fhirjson.dumps(name) + b":"
            if name == "scores":
                yield from _array(fhirjson.dumps(window) for one in self.subjects for window in self._windows(one))
            elif name == "issues":
                yield from _array(self._spill.notes())
            else:
                yield fhirjson.dumps(value)
            before = b","
        yield b"}"

    def first(self, shown: int) -> tuple[SubjectScores, ...]:
        """The first scores, for a screen; the others are computed too, so that `issues` and `scored` are of all."""
        first = tuple(islice(self.subjects, shown))
        for _ in self.subjects:
            pass
        return first

    def issues(self, shown: int | None = None) -> Iterator[Issue]:
        """Why Observations, or parts of the file, could not be used: all, or the first of them."""
        return map(_issue_of, islice(self._spill.notes(), shown))

    def kinds(self) -> Mapping[str, int]:
        """How many issues there are of each code, the most frequent first."""
        return self._spill.kinds()

    def read(self, path: Path) -> None:
        """Lay aside what a file says."""
        contents = _LaidAside(path.name, self)
        observations = (item for item in items_of(path, contents) if _may_count(item.resource))
        for place, item in enumerate(observations, 1):
            patient = whose(item.resource, item.address)
            if patient is None:
                self.say(place, _nobody(item.resource), _once(item.resource))
            else:
                self._servers.meet(patient)
                self._spill.add(patient.key, place, item.body or fhirjson.dumps(item.resource))

    def say(self, place: int, issue: Issue, once: bytes | None = None) -> None:
        """Lay an issue aside under the place of the Observation that it is about; 0 is the file itself."""
        self._spill.note(place, issue.code, fhirjson.dumps(issue.to_dict()), once)
        self.in_part = self.in_part or issue.is_error

    def _scored(self) -> Iterator[SubjectScores]:
        for key, bodies in self._spill.by_owner():
            subject = self._servers.shown(key)
            results: list[Result] = []
            for number, resource in newest_of(fhirjson.loads(text) for _, text in bodies):
                found, issues = _read(resource, subject)
                results += found
                for issue in issues:
                    self.say(bodies[number][0], issue)
            self.scored += 1
            yield _score(subject, results, self.cutoff)

    def _windows(self, subject: SubjectScores) -> Iterable[object]:
        windows = written((subject,), self.cutoff)["scores"]
        assert isinstance(windows, list)
        return windows


class _LaidAside(Contents):
    """What is noted while a file is read, kept where it takes no memory."""

    def __init__(self, name: str, scoring: FileScoring) -> None:
        super().__init__(name)
        self._scoring = scoring

    def say(self, issue: Issue) -> None:
        self._scoring.say(0, issue)

    def made(self, timestamp: object) -> None:
        """When a Bundle was made does not matter here."""


@contextmanager
def scoring_of(path: Path, cutoff: int | None = None) -> Iterator[FileScoring]:
    """Read a file of whatever length, to be scored by the `subject` reference of its results, subject by subject.

    Needs room for a copy of the Observations in TMPDIR. In memory there is one subject at a time; a file that is one
    JSON value, such as a Bundle, is read whole. Raises `Misconfigured` for a file that cannot be opened, `Rejected` for
    one that is no JSON at all, `Retriable` when there is no room.
    """
    with Spill() as spill:
        scoring = FileScoring(spill, cutoff)
        scoring.read(path)
        yield scoring


def score_file(path: Path, cutoff: int | None = None) -> ObservationScores:
    """All scores of a file at once; raises as `scoring_of` does."""
    with scoring_of(path, cutoff) as scoring:
        return ObservationScores(tuple(scoring.subjects), scoring.cutoff, tuple(scoring.issues()))


def score_observations(
    resources: Iterable[_Resource], cutoff: int | None = None, issues: Iterable[Issue] = ()
) -> ObservationScores:
    """Score every subject among these resources; what is no Observation is passed over.

    `issues` are those of reading them, which are told with the others.
    """
    by_subject: dict[str, list[Result]] = {}
    found = list(issues)
    for resource in filter(_may_count, resources):
        patient = whose(resource)
        if patient is None:
            found.append(_nobody(resource))
            continue
        results, issues_of_it = _read(resource, patient.key)
        found += issues_of_it
        by_subject.setdefault(patient.key, []).extend(results)
    points = DEFAULT_CUTOFF if cutoff is None else cutoff
    scored = tuple(_score(subject, results, points) for subject, results in by_subject.items())
    return ObservationScores(scored, points, tuple(found))


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


def _read(resource: _Resource, subject: str) -> tuple[list[Result], tuple[Issue, ...]]:
    """What an Observation says; one of a known analyte whose value cannot be read may be anything, and is not nothing.

    The worst of all results decides here: without the one that cannot be read, the others would look like all.
    """
    answer = read_result(resource, subject)
    results = list(answer.results)
    if not results and any(issue.is_error for issue in answer.issues):
        match = match_codes(list(codings_of(resource.get("code"))))
        if match.kind == "analyte":
            name = _name(resource)
            results.append(
                Result(
                    subject=subject,
                    name=match.name,
                    source="hospital",
                    interval=Interval(),
                    reference=name,
                    flags=(_UNREAD,),
                )
            )
    return results, tuple(answer.issues)


def _score(subject: str, results: Iterable[Result], cutoff: int) -> SubjectScores:
    patient = subject if subject.startswith("Patient/") else None
    return SubjectScores(subject, (score_everything(subject, results, cutoff, patient),))


def _may_count(resource: _Resource) -> bool:
    return may_hold_results(resource)


def _nobody(resource: _Resource) -> Issue:
    message = (
        "it names no Patient for certain (right would be Patient/[id], or an identifier with its system): left out"
    )
    return Issue("error", "no-subject", message, Where(resource=_name(resource)))


def _name(resource: _Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def _once(resource: _Resource) -> bytes | None:
    """What makes bodies the same resource, as `newest_of` sees it: it is told once that it is nobody's."""
    if not isinstance(resource.get("id"), str):
        return None
    return sha256(fhirjson.dumps([resource["id"], resource.get("subject")])).digest()


def _array(elements: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for element in elements:
        yield before + element
        before = b","
    yield b"]" if before == b"," else b"[]"


def _issue_of(text: bytes) -> Issue:
    told = fhirjson.loads(text)
    return Issue(**{**told, "where": Where(**told["where"])})

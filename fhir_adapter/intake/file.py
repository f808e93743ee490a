"""The door for a laboratory without a FHIR server: a file of NDJSON, a Bundle, or a single resource.

A file says what is there, never what is not: it withdraws nothing that it does not mention. It is read twice, Patients
first, so a file of any length is never held whole unless it is one JSON value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.intake.deletions import Deletion
from fhir_adapter.intake.order import Order, oldest_first, order_of
from fhir_adapter.intake.resources import Contents, Item, items_of
from fhir_adapter.intake.subjects import PullSubject
from fhir_adapter.intake.window_search import (
    Resource,
    check_patient,
    has_identifier,
    is_condition,
    may_last_into,
    received_of,
)
from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.mappers.r4.read_observation import codings_of
from fhir_adapter.mappers.r4.read_result import RESULT_TYPES
from fhir_adapter.store import Received
from fhir_adapter.terminology import TABLES_ONLY, SiteCodes, finding_codes
from fhir_adapter.trial import read_moment


@dataclass(frozen=True, slots=True)
class Moved:
    """What a file says of a result that is not kept: of somebody else, or collected on another day.

    `whose` are the subjects whose it is or may be, `stated` is what the body says of that; `unsure` when the file and
    earlier pulls do not know whom that means. `trace` holds nothing but the body's age.
    """

    order: Order
    trace: Received
    whose: frozenset[str]
    stated: object
    unsure: bool
    outside: bool

    def takes_from(self, holder: PullSubject, held: Resource) -> bool:
        """True when the body that a subject holds is not the subject's any more, or not of its window."""
        if self.order < order_of(held):
            return False
        if holder.subject in self.whose:
            # What another window does not ask for any more did not move.
            return self.outside and _may_be_in_window(holder, held)
        return not (self.unsure and self.stated == held.get("subject"))


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What a file holds of this trial: per subject, and what kept it from being read whole (`why`).

    `moved` are results, by `Type/id`, whose newest body in the file is nobody's here; `stopped` are subjects of whom
    nothing may change until a person has decided, and why; `why` has those too.
    """

    found: Mapping[str, tuple[Received, ...]]
    patients: Mapping[str, tuple[str, ...]]
    made: str
    moved: Mapping[str, Moved]
    stopped: Mapping[str, Issue]
    why: tuple[Issue, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass
class _File:
    """A file being read."""

    contents: Contents
    subjects: Mapping[str, PullSubject]
    system: str
    diagnoses: frozenset[tuple[str, str]] = frozenset()
    owners: dict[str, set[str]] = field(default_factory=dict)
    in_file: set[str] = field(default_factory=set)
    stopped: dict[str, Issue] = field(default_factory=dict)
    patients: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    found: dict[str, list[tuple[Order, Received]]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[str, Moved] = field(default_factory=dict)
    foreign: int = 0
    outside: int = 0
    made: str = ""

    @property
    def name(self) -> str:
        """The file's name, for issues."""
        return self.contents.name

    @property
    def why(self) -> list[Issue]:
        """What kept the file from being read whole."""
        return self.contents.issues


def read_file(
    path: Path,
    subjects: Sequence[PullSubject],
    system: str,
    known: Mapping[str, set[str]] | None = None,
    site: SiteCodes = TABLES_ONLY,
) -> FileAnswer:
    """Read what a file holds of the trial's subjects.

    A result belongs to a subject through a Patient of the file with exactly the subject's identifier, through that
    identifier in its own `subject`, or through a Patient that earlier pulls found (`known`, by reference).
    Conditions are kept that the score or the trial's folder (`site`) asks for: a list of diagnoses says much else.
    Raises `Misconfigured` for a file that cannot be opened, `Rejected` for one that is no JSON at all.
    """
    file = _File(Contents(path.name), {one.subject: one for one in subjects}, system, frozenset(finding_codes(site)))
    file.owners.update(known or {})
    for item in items_of(path, file.contents):
        _read_patient(file, item)
    _refuse_ambiguous(file)
    for item in items_of(path, Contents(path.name)):
        _read_result(file, item)
    for timestamp in file.contents.timestamps:
        _note_made(file, timestamp)
    for deletion in file.contents.deletions:
        _note_deleted(file, deletion)
    return _answer(file)


def _answer(file: _File) -> FileAnswer:
    _leave_out_stopped(file)
    newest = _newest(file)
    found = {subject: _standing(file, file.subjects[subject], newest) for subject in file.found}
    # Of one id twice without an age, one kept: nothing says that it moved.
    moved = {name: one for name, one in file.moved.items() if name not in newest or newest[name] < one.order}
    patients = {subject: tuple(names) for subject, names in file.patients.items() if subject in found}
    why, issues = (*file.why, *file.stopped.values()), tuple(_counted(file))
    return FileAnswer(found, patients, file.made, moved, dict(file.stopped), why, issues)


def _leave_out_stopped(file: _File) -> None:
    for subject in file.stopped:
        for _, received in file.found.pop(subject, ()):
            _note_moved(file, fhirjson.loads(received.body), {subject})


def _newest(file: _File) -> dict[str, Order]:
    """The newest order under which the file tells of each result that is one of a subject."""
    found: dict[str, Order] = {}
    for order, received in (one for many in file.found.values() for one in many):
        if found.setdefault(received.name, order) < order:
            found[received.name] = order
    return found


def _standing(file: _File, subject: PullSubject, newest: Mapping[str, Order]) -> tuple[Received, ...]:
    """What the file leaves to a subject, the oldest first: the store takes the last for the one that stands."""
    bodies: dict[str, list[tuple[Order, Received]]] = defaultdict(list)
    for order, received in file.found[subject.subject]:
        bodies[received.name].append((order, received))
    kept = {name: many for name, many in bodies.items() if not all(order < newest[name] for order, _ in many)}
    standing = {name: oldest_first(many) for name, many in kept.items() if not _has_moved(file, subject, many)}
    return tuple(one for many in standing.values() for one in many)


def _has_moved(file: _File, subject: PullSubject, bodies: Sequence[tuple[Order, Received]]) -> bool:
    moved = file.moved.get(bodies[0][1].name)
    return moved is not None and all(
        order < moved.order and moved.takes_from(subject, fhirjson.loads(one.body)) for order, one in bodies
    )


def _counted(file: _File) -> Iterator[Issue]:
    where = Where(file.name)
    if file.foreign:
        message = f"{file.foreign} results are of patients who are not in this trial; none of them is kept"
        yield Issue("information", "foreign-result", message, where)
    if file.outside:
        message = f"{file.outside} results were collected outside the days that this trial reads; none of them is kept"
        yield Issue("information", "outside-window", message, where)


def _read_patient(file: _File, item: Item) -> None:
    resource = item.resource
    meta = resource.get("meta")
    _note_made(file, meta.get("lastUpdated") if isinstance(meta, dict) else None)
    if resource.get("resourceType") != "Patient" or not resource.get("id"):
        return
    name = f"Patient/{resource['id']}"
    mine = [one for one in file.subjects.values() if one.patient and has_identifier(resource, file.system, one.patient)]
    for address in (name, item.address):
        if address:
            # What the file itself says of a Patient outweighs what earlier pulls knew under the same id.
            earlier = file.owners.get(address, set()) if address in file.in_file else set()
            file.owners[address] = {*earlier, *(one.subject for one in mine)}
            file.in_file.add(address)
    for one in mine:
        file.patients[one.subject].append(name)
        try:
            check_patient(resource, one.subject)
        except Rejected as error:
            file.stopped[one.subject] = error.issues[0]


def _refuse_ambiguous(file: _File) -> None:
    for subject, names in file.patients.items():
        names[:] = dict.fromkeys(names)
        if len(names) > 1:
            message = f"{subject}: {len(names)} Patients in the file have this identifier; a person must decide"
            where = Where(file.name, resource=names[0])
            file.stopped[subject] = Issue("error", "patient-ambiguous", message, where)


def _read_result(file: _File, item: Item) -> None:
    resource = item.resource
    if resource.get("resourceType") not in RESULT_TYPES:
        return
    subjects = _subjects_of(file, resource)
    unasked = is_condition(resource) and file.diagnoses.isdisjoint(codings_of(resource.get("code")))
    if len(subjects) != 1:
        file.foreign += not unasked
        _note_moved(file, resource, subjects)
        return
    subject = file.subjects[subjects.pop()]
    if unasked or subject.first_day is None or not _may_be_in_window(subject, resource):
        file.outside += not unasked
        _note_moved(file, resource, {subject.subject}, outside=subject.first_day is not None)
        return
    if not isinstance(resource.get("id"), str):
        message = "a result without an id cannot be told from another one; it was left out"
        file.why.append(Issue("error", "no-id", message, Where(file.name, item.line or None)))
        return
    _note_made(file, resource.get("issued"))
    file.found[subject.subject].append((order_of(resource), received_of(resource, subject.subject, item.body)))


def _may_be_in_window(subject: PullSubject, resource: Resource) -> bool:
    return may_last_into(subject, resource) if is_condition(resource) else subject.may_be_in_window(resource)


def _note_moved(file: _File, resource: Resource, subjects: set[str], *, outside: bool = False) -> None:
    """Remember what could take an earlier body from the subject that holds it."""
    if not isinstance(resource.get("id"), str):
        return
    stated = resource.get("subject")
    maybe = _perhaps(file, stated) if not subjects else None
    whose = frozenset(subjects if maybe is None else maybe)
    moved = Moved(order_of(resource), _trace_of(resource), whose, stated, maybe is not None, outside)
    known = file.moved.get(moved.trace.name)
    if known is None or moved.order >= known.order:
        file.moved[moved.trace.name] = moved


def _note_deleted(file: _File, deletion: Deletion) -> None:
    """A result that the file says was deleted is nobody's any more; without an age nobody knows since when."""
    if deletion.trace["resourceType"] not in RESULT_TYPES:
        return
    if not deletion.has_age:
        message = "the file says that it was deleted, with neither a version nor a time: nothing of it was changed"
        file.why.append(Issue("error", "deletion-unclear", message, Where(file.name, resource=deletion.name)))
        return
    moved = Moved(deletion.order, received_of(deletion.trace, ""), frozenset(), None, unsure=False, outside=False)
    known = file.moved.get(deletion.name)
    if known is None or moved.order >= known.order:
        file.moved[deletion.name] = moved


def _trace_of(resource: Resource) -> Received:
    """The age of a body and nothing else of it: a stranger's result is not kept."""
    meta = resource.get("meta")
    ages = {key: meta[key] for key in ("versionId", "lastUpdated") if key in meta} if isinstance(meta, dict) else {}
    kept = {key: resource[key] for key in ("resourceType", "id", "status", "issued") if key in resource}
    return received_of({**kept, "meta": ages} if ages else kept, "")


def _perhaps(file: _File, stated: object) -> set[str] | None:
    """Whose a result may be of which nobody is known; None when it is known to be nobody's here."""
    if not isinstance(stated, dict):
        return set()
    identifier = stated.get("identifier")
    reference = str(stated.get("reference") or "").partition("/_history/")[0]
    if reference in file.owners or (isinstance(identifier, dict) and identifier.get("system") == file.system):
        return None
    # The same Patient under another address, such as a proxy's, may be the same one.
    return file.owners.get("/".join(reference.split("/")[-2:]), set())


def _subjects_of(file: _File, resource: Resource) -> set[str]:
    """Whose result it is; empty or several when nobody, or nobody alone, is meant."""
    stated = resource.get("subject")
    if not isinstance(stated, dict):
        return set()
    owners = file.owners.get(str(stated.get("reference") or "").partition("/_history/")[0])
    identifier = stated.get("identifier")
    named: set[str] | None = None
    if isinstance(identifier, dict) and identifier.get("system") == file.system:
        named = {
            one.subject for one in file.subjects.values() if one.patient and one.patient == identifier.get("value")
        }
    if owners is None or named is None:
        return {one for one in owners or named or set() if one in file.subjects}
    return {one for one in owners & named if one in file.subjects}


def _note_made(file: _File, stated: object) -> None:
    """Remember the latest moment that the file tells of: the mark of its data."""
    if not isinstance(stated, str):
        return
    try:
        made = datetime.fromtimestamp(int(read_moment(stated).bounds()[0]), UTC).isoformat()
    except (ValueError, OverflowError):  # no moment, or one of the year 1 that UTC cannot hold
        return
    file.made = max(file.made, made)

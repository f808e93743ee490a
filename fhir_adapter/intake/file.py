"""The door for a laboratory without a FHIR server: a file of NDJSON, a Bundle, or a single resource.

A file says what is there, never what is not: it withdraws nothing that it does not mention. It is read twice, Patients
first, so a file of any length is never held whole unless it is one JSON value.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeGuard

from fhir_adapter import fhirjson
from fhir_adapter.intake.order import Order, oldest_first, order_of
from fhir_adapter.intake.subjects import PullSubject
from fhir_adapter.intake.window_search import Resource, check_patient, has_identifier, received_of
from fhir_adapter.issues import Issue, Misconfigured, Rejected, Where
from fhir_adapter.store import Received
from fhir_adapter.trial import read_moment
from fhir_adapter.validation import resource_types

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
LINE_SUFFIXES = frozenset({".ndjson", ".jsonl"})


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
            return self.outside and holder.may_be_in_window(held)
        return not (self.unsure and self.stated == held.get("subject"))


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What a file holds of this trial: per subject, and what kept it from being read whole (`why`).

    `moved` are results, by `Type/id`, whose newest body in the file is nobody's here; `stopped` are subjects of whom
    nothing may change until a person has decided.
    """

    found: Mapping[str, tuple[Received, ...]]
    patients: Mapping[str, tuple[str, ...]]
    made: str
    moved: Mapping[str, Moved]
    stopped: frozenset[str]
    why: tuple[Issue, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class FileResources:
    """All resources of a file, and the lines that could not be read."""

    resources: tuple[Resource, ...]
    issues: tuple[Issue, ...]


@dataclass
class _File:
    """A file being read."""

    path: Path
    subjects: Mapping[str, PullSubject]
    system: str
    owners: dict[str, set[str]] = field(default_factory=dict)
    in_file: set[str] = field(default_factory=set)
    stopped: dict[str, Issue] = field(default_factory=dict)
    patients: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    found: dict[str, list[tuple[Order, Received]]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[str, Moved] = field(default_factory=dict)
    why: list[Issue] = field(default_factory=list)
    foreign: int = 0
    outside: int = 0
    made: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    """One resource of a file: its line or 0, its text where it came alone, the address its Bundle gives it."""

    line: int
    resource: Resource
    body: bytes | None
    address: str = ""


def read_file(
    path: Path, subjects: Sequence[PullSubject], system: str, known: Mapping[str, set[str]] | None = None
) -> FileAnswer:
    """Read what a file holds of the trial's subjects.

    A result belongs to a subject through a Patient of the file with exactly the subject's identifier, through that
    identifier in its own `subject`, or through a Patient that earlier pulls found (`known`, by reference). Raises
    `Misconfigured` for a file that cannot be opened, `Rejected` for one that is no JSON at all.
    """
    file = _File(path, {one.subject: one for one in subjects}, system)
    file.owners.update(known or {})
    for item in _items(file, first_time=True):
        _read_patient(file, item)
    _refuse_ambiguous(file)
    for item in _items(file, first_time=False):
        _read_result(file, item)
    return _answer(file)


def resources_in(path: Path) -> FileResources:
    """Every resource of a file of NDJSON, a Bundle or one resource, of whomever; of several with one id the newest.

    Raises as `read_file` does.
    """
    file = _File(path, {}, "")
    found: dict[object, list[tuple[Order, Resource]]] = defaultdict(list)
    for item in _items(file, first_time=True):
        resource = item.resource
        # An id names one resource on one server; the same id of somebody else is another result.
        named = isinstance(resource.get("id"), str)
        whose = fhirjson.dumps(resource.get("subject"))
        key: object = (resource["resourceType"], resource["id"], whose) if named else len(found)
        found[key].append((order_of(resource), resource))
    return FileResources(tuple(oldest_first(bodies)[-1] for bodies in found.values()), tuple(file.why))


def _answer(file: _File) -> FileAnswer:
    _leave_out_stopped(file)
    newest = _newest(file)
    found = {subject: _standing(file, file.subjects[subject], newest) for subject in file.found}
    # Of one id twice without an age, one kept: nothing says that it moved.
    moved = {name: one for name, one in file.moved.items() if name not in newest or newest[name] < one.order}
    patients = {subject: tuple(names) for subject, names in file.patients.items() if subject in found}
    why, issues = (*file.why, *file.stopped.values()), tuple(_counted(file))
    return FileAnswer(found, patients, file.made, moved, frozenset(file.stopped), why, issues)


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
    where = Where(file.path.name)
    if file.foreign:
        message = f"{file.foreign} results are of patients who are not in this trial; none of them is kept"
        yield Issue("information", "foreign-result", message, where)
    if file.outside:
        message = f"{file.outside} results were collected outside the days that this trial reads; none of them is kept"
        yield Issue("information", "outside-window", message, where)


def _items(file: _File, *, first_time: bool) -> Iterator[_Item]:
    try:
        if file.path.suffix.lower() in LINE_SUFFIXES:
            yield from _lines(file, first_time=first_time)
            return
        raw = file.path.read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise Misconfigured(message, Issue("error", "file-unreadable", message, Where(file.path.name))) from error
    try:
        value = fhirjson.loads(raw)
    except fhirjson.JsonError as error:
        if not _starts_with_object(raw):
            raise Rejected(str(error), Issue("error", "not-json", str(error), Where(file.path.name))) from error
        yield from _lines(file, first_time=first_time)
        return
    yield from _of_value(file, 0, value, raw.strip(), first_time=first_time)


def _starts_with_object(raw: bytes) -> bool:
    """True when the first line is a whole resource: NDJSON under another name."""
    try:
        return isinstance(fhirjson.loads(raw.lstrip().partition(b"\n")[0]), dict)
    except fhirjson.JsonError:
        return False


def _lines(file: _File, *, first_time: bool) -> Iterator[_Item]:
    with file.path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text:
                continue
            try:
                value = fhirjson.loads(text)
            except fhirjson.JsonError as error:
                if first_time:
                    message = f"the line is not JSON and was left out: {error}"
                    file.why.append(Issue("error", "not-json", message, Where(file.path.name, number)))
                continue
            yield from _of_value(file, number, value, text, first_time=first_time)


def _of_value(file: _File, line: int, value: object, body: bytes, *, first_time: bool) -> Iterator[_Item]:
    """The resources of one JSON value; what is no FHIR resource, or has an impossible id, is said and left out."""
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        _note_made(file, value.get("timestamp"))
        entries = value.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            inside: object = entry.get("resource") if isinstance(entry, dict) else None
            if _usable(inside, file, line, first_time=first_time):
                yield _Item(line, inside, None, str(entry.get("fullUrl") or ""))
    elif _usable(value, file, line, first_time=first_time):
        yield _Item(line, value, body)


def _usable(value: object, file: _File, line: int, *, first_time: bool) -> TypeGuard[dict[str, object]]:
    where = Where(file.path.name, line or None)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in resource_types():
        if first_time:
            message = "no FHIR R4 resource (a JSON object with a known resourceType); it was left out"
            file.why.append(Issue("error", "unknown-resource", message, where))
        return False
    named = value.get("id")
    if isinstance(named, str) and not _ID.fullmatch(named):
        if first_time:
            message = "an id that FHIR does not allow (letters, digits, - and . only, 64 at most); it was left out"
            file.why.append(Issue("error", "invalid-id", message, where))
        return False
    return True


def _read_patient(file: _File, item: _Item) -> None:
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
            where = Where(file.path.name, resource=names[0])
            file.stopped[subject] = Issue("error", "patient-ambiguous", message, where)


def _read_result(file: _File, item: _Item) -> None:
    resource = item.resource
    if resource.get("resourceType") != "Observation":
        return
    subjects = _subjects_of(file, resource)
    if len(subjects) != 1:
        file.foreign += 1
        _note_moved(file, resource, subjects)
        return
    subject = file.subjects[subjects.pop()]
    if subject.first_day is None or not subject.may_be_in_window(resource):
        file.outside += 1
        _note_moved(file, resource, {subject.subject}, outside=subject.first_day is not None)
        return
    if not isinstance(resource.get("id"), str):
        message = "a result without an id cannot be told from another one; it was left out"
        file.why.append(Issue("error", "no-id", message, Where(file.path.name, item.line or None)))
        return
    _note_made(file, resource.get("issued"))
    file.found[subject.subject].append((order_of(resource), received_of(resource, subject.subject, item.body)))


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

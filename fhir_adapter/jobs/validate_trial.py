"""What the rules of a trial say of all resources of one run together, beside what is wrong with each.

Of a resource only what the rules ask of it is kept, and of what is said of a subject who is known to be in the study
only doses and visits: a million results of known subjects leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.issues import Issue, Where
from fhir_adapter.validation.outcomes import label_of
from fhir_adapter.validation.primitives import is_id
from fhir_adapter.validation.trial_rules import check_trial_rules

if TYPE_CHECKING:
    from fhir_adapter.trial_folder import TrialFolder
    from fhir_adapter.validation.positions import Positions

Json = Mapping[str, Any]

_KEPT: Final = ("resourceType", "subject", "individual", "status", "effectiveDateTime", "effectivePeriod", "period")
_BLAMED: Final = {
    "Encounter": ("Encounter.subject", "Encounter.period.start"),
    "MedicationAdministration": ("MedicationAdministration.subject", "MedicationAdministration.effective"),
}
"""Where a rule can find fault with these types; with any other it is with the subject."""
_MOST_OF_ONE_SUBJECT: Final = 100
"""How many resources of a subject are kept while nobody has said that the subject is in the study."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the rules ask of one resource, and the places at which they could find fault with it."""

    resource: Json
    places: Mapping[str, Where]


class Page:
    """One document that the rules are asked of: its name, and where in its file something stands."""

    def __init__(self, document: Json, file: str, line: int, positions: Positions) -> None:
        self._document = document
        self._file, self._line = file, line
        self._positions = positions
        self._label = label_of(document)

    def resources(self) -> Iterator[tuple[str, str, Json]]:
        """Type, path and content of each resource, of those in Bundles too."""
        yield from _resources(self._document)

    def place(self, path: str, expression: str) -> Where:
        """Where that leads to which an expression leads from the resource at the path."""
        inside = path + "." + expression.partition(".")[2]
        line, column = self._positions.of(inside)
        return Where(self._file, self._line + line - 1, self._label, inside, column)


def read_results(page: Page, folder: TrialFolder) -> Iterator[Issue]:
    """What the rules say of single results, which need nothing beside them to be judged."""
    for kind, path, resource in page.resources():
        if kind == "Observation":
            for issue in check_trial_rules([{**resource, "subject": None}], folder):
                yield replace(issue, where=page.place(path, issue.where.expression or kind))


def read_notes(page: Page) -> Iterator[Note]:
    """What is to be remembered of a document for the rules that look at all resources together."""
    for kind, path, resource in page.resources():
        if kind == "ResearchSubject":
            yield Note(_slim(resource), {})
        elif kind in _BLAMED or reference_in(resource, "subject").startswith("Patient/"):
            blamed = _BLAMED.get(kind, (f"{kind}.subject",))
            yield Note(_slim(resource), {each: page.place(path, each) for each in blamed})


@dataclass(slots=True)
class TrialRules:
    """The rules that look at all resources of a run together, and what is remembered for them."""

    folder: TrialFolder
    _notes: list[Note] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)
    _waiting: dict[str, list[Note]] = field(default_factory=dict)

    def add(self, notes: Iterable[Note]) -> None:
        """Remember what the rules ask of some resources."""
        for note in notes:
            kind, subject = note.resource["resourceType"], reference_in(note.resource, "subject")
            if kind == "ResearchSubject":
                self._meet(reference_in(note.resource, "individual"))
            if kind == "ResearchSubject" or kind in _BLAMED:
                self._notes.append(note)
            elif subject not in self._known:
                waiting = self._waiting.setdefault(subject, [])
                if len(waiting) < _MOST_OF_ONE_SUBJECT:
                    waiting.append(note)

    def _meet(self, subject: str) -> None:
        self._known.add(subject)
        self._waiting.pop(subject, None)

    def issues(self) -> list[Issue]:
        """What the rules find, with the place of each."""
        notes = [*self._notes, *(note for waiting in self._waiting.values() for note in waiting)]
        numbered = [{**note.resource, "id": str(number)} for number, note in enumerate(notes)]
        return [_with_place(issue, notes) for issue in check_trial_rules(numbered, self.folder)]


def _with_place(issue: Issue, notes: list[Note]) -> Issue:
    """The rules know the resources by their numbers, because an id may be missing or be there twice."""
    note = notes[int((issue.where.resource or "").rpartition("/")[2])]
    return replace(issue, where=note.places[issue.where.expression or ""])


def _slim(resource: Json) -> Json:
    found = {key: resource[key] for key in _KEPT if key in resource}
    types = resource.get("type")
    if isinstance(types, list) and types and isinstance(types[0], dict):
        found["type"] = [{"text": types[0].get("text")}]
    return found


def _resources(value: Any, path: str = "") -> Iterator[tuple[str, str, Json]]:  # noqa: ANN401 - JSON
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not is_id(kind):
        return
    path = path or kind
    if kind != "Bundle":
        yield kind, path, value
        return
    entries = value.get("entry")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield from _resources(entry.get("resource"), f"{path}.entry[{number}].resource")


def reference_in(resource: Json, key: str) -> str:
    """The reference that an element holds; empty where it holds none."""
    holder = resource.get(key)
    found = holder.get("reference") if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""

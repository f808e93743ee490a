"""Whether the entries of a document or a message hang together.

What the first entry names must be in the Bundle, and every entry must be linked with the first one. Sources:
https://hl7.org/fhir/R4/documents.html#content and https://hl7.org/fhir/R4/messaging.html; severities are those of HL7's
own engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fhir_adapter.issues import Severity
from fhir_adapter.validation.surroundings import Entries, Target, is_absolute, is_transient, text_of

if TYPE_CHECKING:
    from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]

FIRST: Final[Mapping[str, str]] = {"document": "Composition", "message": "MessageHeader"}
"""The type of the first entry, by the type of the Bundle."""

_POINTS_BACK = "Provenance"
_ADDRESSES = frozenset({"url", "uri", "valueUri", "valueUrl", "instantiatesUri", "sourceUri", "sourceUrl"})
"""Under which keys a text that is an absolute address links to another entry."""

_NAMED: Mapping[str, Mapping[str, Any]] = {
    "Composition": {
        "subject": {},
        "author": {},
        "encounter": {},
        "custodian": {},
        "attester": {"party": {}},
        "event": {"detail": {}},
        "section": "section",
    },
    "MessageHeader": {"focus": {}},
    "section": {"author": {}, "focus": {}, "entry": {}, "section": "section"},
}
"""The elements of the first entry whose references must be answered in the Bundle; a section holds sections."""


class Entry(NamedTuple):
    """One entry of a Bundle, with its place; what it does not have is empty."""

    path: str
    content: Json
    full_url: str | None
    resource: Json

    @property
    def kind(self) -> str | None:
        """The type of its resource."""
        return text_of(self.resource, "resourceType")

    @property
    def key(self) -> str | None:
        """The id of its resource."""
        return text_of(self.resource, "id")


def check_linked(entries: list[Entry], kind: str, run: Run) -> None:
    """Check a document or a message, whose first entry is of the right type."""
    held = Entries()
    for entry in entries:
        if entry.resource:
            held.add(entry.resource, entry.full_url, entry.path)
    first = entries[0]
    for reference, place in _named(first.resource, _NAMED[FIRST[kind]], f"{first.path}.resource"):
        if not reference.startswith("#") and not _answers(held, reference, first.full_url):
            message = f"no entry of the Bundle is what the {FIRST[kind]} names here"
            run.error("reference-not-in-bundle", message, place, "Bundle.entry")
    _check_reachable([entry for entry in entries if entry.resource], held, kind, run)


def _named(holder: Json, elements: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """The references below these elements, each with the path of its Reference."""
    ahead: list[tuple[Json, Mapping[str, Any], str]] = [(holder, elements, path)]
    for each, names, place in ahead:
        for name, within in names.items():
            below = each.get(name)
            for number, item in enumerate(below if isinstance(below, list) else [below]):
                inner = f"{place}.{name}[{number}]" if isinstance(below, list) else f"{place}.{name}"
                if not isinstance(item, dict):
                    continue
                if within:
                    ahead.append((item, _NAMED[within] if isinstance(within, str) else within, inner))
                elif reference := text_of(item, "reference"):
                    yield reference, inner


def _answers(held: Entries, reference: str, source: str | None) -> list[Target]:
    """The entries that a reference may mean; between entries with urns also by type and id."""
    found = held.matches(reference.partition("#")[0], source)
    if not found and is_transient(source):
        namesakes = held.namesakes(reference)
        return namesakes if len(namesakes) == 1 and is_transient(namesakes[0].full_url) else []
    return found


def _check_reachable(entries: list[Entry], held: Entries, kind: str, run: Run) -> None:
    """Every entry must be linked with the first one; in a document only a Provenance by pointing back."""
    numbers = {entry.path: number for number, entry in enumerate(entries)}
    links = [
        {numbers[each.path] for text in _links(entry.resource) for each in _answers(held, text, entry.full_url)}
        for entry in entries
    ]
    forward = _reached(links)
    either = [set(ahead) for ahead in links]
    for number, ahead in enumerate(links):
        for each in ahead:
            either[each].add(number)
    reached = _reached(either)
    for number, entry in enumerate(entries):
        if number not in reached:
            severity: Severity = "error" if kind == "document" else "warning"
            message = f"nothing links this entry with the {FIRST[kind]}"
            run.report(severity, "unreachable", message, entry.path, "Bundle.entry")
        elif number not in forward and entry.kind != _POINTS_BACK:
            severity = "warning" if kind == "document" else "information"
            message = f"no link leads from the {FIRST[kind]} to this entry, only back"
            run.report(severity, "unreachable", message, entry.path, "Bundle.entry")


def _links(resource: Json) -> Iterator[str]:
    """What in a resource may lead to another: its references, and texts that are absolute addresses."""
    ahead: list[Any] = [resource]
    for item in ahead:
        if isinstance(item, list):
            ahead.extend(item)
        elif isinstance(item, dict):
            for key, value in item.items():
                if isinstance(value, dict | list):
                    ahead.append(value)
                elif isinstance(value, str) and (key == "reference" or (is_absolute(value) and key in _ADDRESSES)):
                    yield value


def _reached(links: list[set[int]]) -> set[int]:
    found, ahead = {0}, [0]
    while ahead:
        fresh = links[ahead.pop()] - found
        found |= fresh
        ahead += fresh
    return found

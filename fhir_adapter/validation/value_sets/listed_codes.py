"""The codes that a value set carries written out (ValueSet.expansion), as far as they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_adapter.validation.value_sets.local_systems import objects, text

Coding = tuple[str, str]

_PARTIAL: Final = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/valueset-toocostly",
        "http://hl7.org/fhir/StructureDefinition/valueset-unclosed",
    }
)


class ListedCodes:
    """What an expansion lists; a page of it, or one that was too costly, lists only some."""

    def __init__(self, expansion: object) -> None:
        shape: Mapping[str, Any] = expansion if isinstance(expansion, dict) else {}
        entries = list(_entries(shape.get("contains")))
        self.codings = frozenset(_codings(entries))
        self.is_complete = bool(entries) and not _is_partial(shape, len(entries))

    def systems(self) -> list[str]:
        """The code systems of what is listed."""
        return list(dict.fromkeys(system for system, _ in sorted(self.codings)))


def _entries(listed: object) -> Iterator[Mapping[str, Any]]:
    open_lists = [listed]
    while open_lists:
        for entry in objects(open_lists.pop()):
            yield entry
            open_lists.append(entry.get("contains"))


def _codings(entries: list[Mapping[str, Any]]) -> Iterator[Coding]:
    """The codings that may be used: an abstract entry only groups others."""
    for entry in entries:
        if entry.get("abstract") is not True and text(entry.get("code")):
            yield text(entry.get("system")), text(entry.get("code"))


def _is_partial(expansion: Mapping[str, Any], count: int) -> bool:
    total = expansion.get("total")
    is_page = isinstance(total, int) and total > count
    return is_page or any(text(each.get("url")) in _PARTIAL for each in objects(expansion.get("extension")))

"""The codes of one CodeSystem resource: which there are, what they are called, what lies below what.

Source: https://hl7.org/fhir/R4/codesystem.html. Only what was asked for is worked out, and a definition is read without
trusting its shape: what is none is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from fhir_adapter.validation.value_sets.answers import NO, YES, Answer, unknown
from fhir_adapter.validation.value_sets.memory import Memory

Json = Mapping[str, Any]

_PARENT: Final = "http://hl7.org/fhir/concept-properties#parent"
_CHILD: Final = "http://hl7.org/fhir/concept-properties#child"
_INACTIVE: Final = frozenset({"inactive", "retired"})
_MOST_TOPS: Final = 200
"""Of how many codes what lies below or above them is remembered; filters name few."""


class LocalSystem:
    """A code system that is at hand, entirely or in part."""

    def __init__(self, definition: Json) -> None:
        self._definition = definition
        self.url = text(definition.get("url"))
        self.version = text(definition.get("version"))
        self.content = text(definition.get("content"))
        self.is_complete = self.content == "complete" and definition.get("compositional") is not True
        # An absent flag leaves it open whether case matters, and HL7's engine then reads it as no.
        self.is_case_sensitive = definition.get("caseSensitive") is True
        self._reach = Memory[frozenset[str]](_MOST_TOPS)

    def find(self, code: str) -> str | None:
        """The code as the system writes it; None when it has no such code."""
        if code in self.displays:
            return code
        return None if self.is_case_sensitive else self._folded.get(code.casefold())

    def has(self, code: str) -> Answer:
        """Whether the system has a code."""
        if self.find(code) is not None:
            return YES
        if self.is_complete:
            return NO
        return unknown(f"the package holds the code system {self.url} only as {self.content or 'a part'}")

    @cached_property
    def displays(self) -> dict[str, tuple[str, ...]]:
        """Every code with what it may be called, the display first."""
        return {code: tuple(_names(concept)) for code, concept, _ in self._concepts()}

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {code.casefold(): code for code in self.displays}

    def _concepts(self) -> Iterator[tuple[str, Json, str | None]]:
        """Every concept with its code and the code that it is nested below."""
        open_lists: list[tuple[Any, str | None]] = [(self._definition.get("concept"), None)]
        while open_lists:
            listed, above = open_lists.pop()
            for concept in objects(listed):
                code = text(concept.get("code"))
                if code:
                    yield code, concept, above
                    open_lists.append((concept.get("concept"), code))

    # What lies below what

    @cached_property
    def parents(self) -> dict[str, tuple[str, ...]]:
        """The codes directly above each code: by nesting, and by properties where there are several."""
        above = {name for name, uri in self._kinds.items() if uri == _PARENT} | {"parent", "subsumedBy"}
        below = {name for name, uri in self._kinds.items() if uri == _CHILD} | {"child"}
        found: dict[str, dict[str, None]] = {}
        for code, concept, outer in self._concepts():
            mine = found.setdefault(code, {})
            if outer is not None:
                mine[outer] = None
            for name, value in _properties(concept):
                if name in above:
                    mine[value] = None
                elif name in below:
                    found.setdefault(value, {})[code] = None
        return {code: tuple(each) for code, each in found.items()}

    @cached_property
    def _kinds(self) -> dict[str, str]:
        listed = objects(self._definition.get("property"))
        return {text(each.get("code")): text(each.get("uri")) for each in listed}

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The codes directly below each code that has any."""
        found: dict[str, list[str]] = {}
        for code, parents in self.parents.items():
            for parent in parents:
                found.setdefault(parent, []).append(code)
        return {code: tuple(each) for code, each in found.items()}

    def below(self, top: str) -> frozenset[str]:
        """A code and all that lie below it, however far."""
        return self._reached("below", top, self.children)

    def above(self, code: str) -> frozenset[str]:
        """A code and all that it lies below, however far."""
        return self._reached("above", code, self.parents)

    def _reached(self, way: str, start: str, steps: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        found = self._reach.get((way, start))
        if found is None:
            found = self._reach.keep((way, start), _closure(start, steps))
        return found

    # Properties

    @cached_property
    def properties(self) -> dict[str, dict[str, list[str]]]:
        """The values of the properties of each code, as text."""
        found: dict[str, dict[str, list[str]]] = {}
        for code, concept, _ in self._concepts():
            mine = found.setdefault(code, {})
            for name, value in _properties(concept):
                mine.setdefault(name, []).append(value)
        return found

    def values(self, code: str, name: str) -> list[str]:
        """The values of one property of a code; `display`, `definition` and `parent` are properties too."""
        if name in ("concept", "code"):
            return [code]
        if name == "display":
            return list(self.displays.get(code, ())[:1])
        if name == "parent":
            return list(self.parents.get(code, ()))
        if name == "child":
            return list(self.children.get(code, ()))
        return self.properties.get(code, {}).get(name, [])

    def is_inactive(self, code: str) -> bool:
        """Whether a code is no longer to be used."""
        mine = self.properties.get(code, {})
        return "true" in mine.get("inactive", ()) or not _INACTIVE.isdisjoint(mine.get("status", ()))


def text(value: object) -> str:
    """A text of a definition; empty for anything else."""
    return value if isinstance(value, str) else ""


def objects(value: object) -> Iterator[Json]:
    """The objects of a list of a definition."""
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _closure(start: str, steps: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    seen, open_codes = {start}, [start]
    while open_codes:
        fresh = [each for each in steps.get(open_codes.pop(), ()) if each not in seen]
        seen.update(fresh)
        open_codes += fresh
    return frozenset(seen)


def _names(concept: Json) -> Iterator[str]:
    for name in (concept.get("display"), *(each.get("value") for each in objects(concept.get("designation")))):
        if isinstance(name, str) and name:
            yield name


def _properties(concept: Json) -> Iterator[tuple[str, str]]:
    for each in objects(concept.get("property")):
        for key, value in each.items():
            if key.startswith("value"):
                yield text(each.get("code")), _as_text(value)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return text(value.get("code"))
    return str(value)

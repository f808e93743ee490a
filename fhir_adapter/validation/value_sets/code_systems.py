"""Whether a code system has a code, and what it is called: from the packages, else as far as its form tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from fhir_adapter.validation.value_sets.answers import YES, Answer, unknown
from fhir_adapter.validation.value_sets.external_systems import external_code
from fhir_adapter.validation.value_sets.local_systems import LocalSystem, objects, text
from fhir_adapter.validation.value_sets.memory import Memory

_CORE: Final = "http://hl7.org/fhir/ValueSet/"
_LISTED_IN: Mapping[str, str] = {
    "http://loinc.org": _CORE + "observation-vitalsignresult",
    "http://unitsofmeasure.org": _CORE + "ucum-common",
    "urn:ietf:bcp:47": _CORE + "languages",
    "urn:iso:std:iso:3166": _CORE + "iso3166-1-2",
}
"""Value sets of R4 that list codes of a terminology which no package holds."""

_NOT_HELD: Final = frozenset({"not-present", "supplement"})
_NONE: Final = "none"
_MOST_SYSTEMS: Final = 5_000


class Found(Protocol):
    """What finds definitions by their canonical address."""

    def value_set(self, address: str) -> Mapping[str, Any] | None:
        """A ValueSet."""

    def code_system(self, address: str) -> Mapping[str, Any] | None:
        """A CodeSystem."""


class CodeSystems:
    """All code systems that the definitions at hand hold, each read when it is first asked for."""

    def __init__(self, definitions: Found) -> None:
        self._definitions = definitions
        self._local = Memory[LocalSystem | str](_MOST_SYSTEMS)
        self._listed: dict[str, frozenset[str]] = {}

    def local(self, address: str) -> LocalSystem | None:
        """A code system of which at least some codes are at hand; `address` may end in `|version`."""
        found = self._local.get((address,))
        if found is None:
            found = self._local.keep((address,), self._read(address) or _NONE)
        return found if isinstance(found, LocalSystem) else None

    def _read(self, address: str) -> LocalSystem | None:
        definition = self._definitions.code_system(address)
        if not isinstance(definition, Mapping) or text(definition.get("content")) in _NOT_HELD:
            return None
        return LocalSystem(definition)

    def has(self, system: str, code: str, version: str | None = None) -> Answer:
        """Whether a code system has a code."""
        local = self.local(f"{system}|{version}" if version else system)
        if local is not None:
            return local.has(code)
        if version and self.local(system) is not None:
            return unknown(f"version {version} of the code system {system} is not at hand")
        return self._external(system, code)

    def _external(self, system: str, code: str) -> Answer:
        answer = external_code(system, code)
        if answer.is_no or answer.is_yes:
            return answer
        return YES if code in self._listed_codes(system) else answer

    def _listed_codes(self, system: str) -> frozenset[str]:
        found = self._listed.get(system)
        if found is None:
            address = _LISTED_IN.get(system)
            if address is None:
                return frozenset()
            definition = self._definitions.value_set(address)
            found = self._listed[system] = frozenset(_listed(definition, system))
        return found


def _listed(definition: object, system: str) -> list[str]:
    compose = definition.get("compose") if isinstance(definition, Mapping) else None
    includes = objects(compose.get("include")) if isinstance(compose, Mapping) else ()
    ours = (each for each in includes if each.get("system") == system)
    return [text(concept.get("code")) for each in ours for concept in objects(each.get("concept"))]

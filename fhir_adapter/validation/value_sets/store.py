"""The value sets and code systems at hand, and what is remembered of them."""

from __future__ import annotations

from typing import Final

from fhir_adapter.validation.value_sets.answers import Answer, unknown
from fhir_adapter.validation.value_sets.code_systems import CodeSystems, Found
from fhir_adapter.validation.value_sets.expansions import Expansion
from fhir_adapter.validation.value_sets.local_systems import LocalSystem
from fhir_adapter.validation.value_sets.memory import Memory

_MOST_VALUE_SETS: Final = 5_000


class ValueSets:
    """Answers whether codes are in value sets and code systems; never raises, and is safe to share."""

    def __init__(self, definitions: Found) -> None:
        self._definitions = definitions
        self._systems = CodeSystems(definitions)
        self._expansions = Memory[Expansion](_MOST_VALUE_SETS)
        self._answers = Memory[Answer]()

    def expansion(self, address: str) -> Expansion:
        """The codes of a value set by its canonical address, with or without `|version`."""
        found = self._expansions.get((address,))
        if found is None:
            definition = self._definitions.value_set(address)
            made = Expansion(address, definition, self._systems, self.expansion, self._answers)
            found = self._expansions.keep((address,), made)
        return found

    def code_exists(self, system: str, code: str) -> Answer:
        """Whether a code system has a code."""
        if "|" in system:
            return unknown("an address with a version is not that of a code system")
        return self._systems.has(system, code)

    def code_system(self, system: str) -> LocalSystem | None:
        """A code system of which at least some codes are at hand."""
        return None if "|" in system else self._systems.local(system)

    def is_value_set(self, address: str) -> bool:
        """Whether an address is that of a value set at hand."""
        return self._definitions.value_set(address) is not None

    def display(self, system: str, code: str) -> str | None:
        """What a code is called by its code system, when that is at hand."""
        return next(iter(self.displays(system, code)), None)

    def displays(self, system: str, code: str) -> tuple[str, ...]:
        """All that a code may be called by its code system, the display first; empty when it is not at hand."""
        local = self.code_system(system)
        found = local.find(code) if local else None
        return local.displays[found] if local and found is not None else ()

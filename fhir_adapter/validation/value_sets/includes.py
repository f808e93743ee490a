"""Which codes one include (or exclude) of a value set takes: what it lists or filters, within what it imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.validation.value_sets.answers import NO, Answer, all_of, unknown, yes_if
from fhir_adapter.validation.value_sets.filters import Filter
from fhir_adapter.validation.value_sets.local_systems import LocalSystem, objects, text

if TYPE_CHECKING:
    from fhir_adapter.validation.value_sets.code_systems import CodeSystems
    from fhir_adapter.validation.value_sets.expansions import FindExpansion, Question

_WITHOUT_CASE: Final = frozenset({"urn:ietf:bcp:13", "urn:ietf:bcp:47"})


class Include:
    """One part of the composition of a value set."""

    def __init__(
        self, definition: Mapping[str, Any], systems: CodeSystems, find: FindExpansion, *, only_active: bool = False
    ) -> None:
        self.system = text(definition.get("system")).partition("|")[0] or None
        imported = definition.get("valueSet")
        self.imported = [each for each in imported if isinstance(each, str)] if isinstance(imported, list) else []
        self._version = text(definition.get("version")) or text(definition.get("system")).partition("|")[2] or None
        self._systems = systems
        self._find = find
        self._only_active = only_active
        self._filters = [Filter(each) for each in objects(definition.get("filter"))]
        listed = definition.get("concept")
        self._listed = frozenset(text(each.get("code")) for each in objects(listed)) if listed else None

    def takes(self, question: Question) -> Answer:
        """Whether a coding is taken."""
        return all_of(self._answers(question))

    def _answers(self, question: Question) -> Iterator[Answer]:
        if self.system is not None:
            yield self._own(question.system, question.code)
        elif not self.imported:
            yield NO
        for address in self.imported:
            yield self._find(address).ask(question)

    def _own(self, system: str, code: str) -> Answer:
        if system != self.system:
            return NO
        answer = self._chosen(system, code)
        if self._only_active and answer.is_yes and self._is_inactive(system, code):
            return NO
        return answer

    def _chosen(self, system: str, code: str) -> Answer:
        if self._listed is not None:
            return yes_if(code in self._listed or self._is_listed_otherwise(system, code))
        if self._filters:
            return self._filtered(system, code)
        return self._systems.has(system, code, self._version)

    def _is_listed_otherwise(self, system: str, code: str) -> bool:
        """Whether the code is listed in other letters, where case does not matter."""
        local = self._systems.local(system)
        is_caseless = not local.is_case_sensitive if local else system in _WITHOUT_CASE
        return is_caseless and code.casefold() in self._listed_folded

    @cached_property
    def _listed_folded(self) -> frozenset[str]:
        return frozenset(each.casefold() for each in self._listed or ())

    def _filtered(self, system: str, code: str) -> Answer:
        has = self._systems.has(system, code, self._version)
        if has.is_no:
            return NO
        local = self._local(system)
        found = local.find(code) if local else None
        if local is None or found is None:
            return all_of([*(each.may_take(code) for each in self._filters), has])
        answer = all_of(each.takes(local, found) for each in self._filters)
        if answer.is_no and not local.is_complete:
            return unknown(f"the package holds the code system {system} only in part")
        return answer

    def _local(self, system: str) -> LocalSystem | None:
        return self._systems.local(f"{system}|{self._version}" if self._version else system)

    def _is_inactive(self, system: str, code: str) -> bool:
        local = self._local(system)
        found = local.find(code) if local else None
        return local is not None and found is not None and local.is_inactive(found)

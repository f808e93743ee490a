"""Whether a coding is in a value set: its definition, asked code by code and never written out.

Source: https://hl7.org/fhir/R4/valueset.html#compositions. An include takes what it lists or filters and, where it
names value sets, what all of them hold; a value set holds what one include takes and no exclude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.validation.value_sets.answers import NO, YES, Answer, all_of, any_of, negated, unknown
from fhir_adapter.validation.value_sets.includes import Include
from fhir_adapter.validation.value_sets.listed_codes import ListedCodes
from fhir_adapter.validation.value_sets.local_systems import objects

if TYPE_CHECKING:
    from fhir_adapter.validation.value_sets.code_systems import CodeSystems
    from fhir_adapter.validation.value_sets.memory import Memory

_DEEPEST: Final = 40
"""How many value sets may lie between one and another that it imports."""


@dataclass(slots=True)
class Question:
    """One question on its way through value sets that import one another."""

    system: str
    code: str
    depth: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the address of the value set; one that is being asked cannot tell, so that circles end."""


class Expansion:
    """The codes of one value set."""

    def __init__(
        self,
        address: str,
        definition: Mapping[str, Any] | None,
        systems: CodeSystems,
        find: FindExpansion,
        memory: Memory[Answer],
    ) -> None:
        self._address = address
        self._definition = definition
        self._code_systems = systems
        self._find = find
        self._memory = memory

    def holds(self, system: str | None, code: str) -> Answer:
        """Whether a coding is in the value set; one without a system means nothing and is in none."""
        key = (self._address, system, code)
        found = self._memory.get(key)
        if found is None:
            found = self._memory.keep(key, self._holds(system, code))
        return found

    def holds_code(self, code: str) -> Answer:
        """Whether a bare code is in the value set, in any of its systems."""
        key = (self._address, code)
        found = self._memory.get(key)
        if found is None:
            found = self._memory.keep(key, self._holds_code(code))
        return found

    def _holds(self, system: str | None, code: str) -> Answer:
        if self._definition is None:
            return self._not_at_hand
        return NO if system is None else self.ask(Question(system, code))

    def _holds_code(self, code: str) -> Answer:
        if self._definition is None:
            return self._not_at_hand
        systems, missing = self._reach
        return any_of([*(self._holds(system, code) for system in systems), *missing])

    def ask(self, question: Question) -> Answer:
        """The answer to a question that may have come through other value sets."""
        if self._definition is None:
            return self._not_at_hand
        found = question.answers.get(self._address)
        if found is None:
            if question.depth >= _DEEPEST:
                return unknown("value sets import one another too deep")
            question.answers[self._address] = unknown(f"the value set {self._address} imports itself")
            question.depth += 1
            found = question.answers[self._address] = self._composed(question)
            question.depth -= 1
        return found

    def _composed(self, question: Question) -> Answer:
        answer = any_of(each.takes(question) for each in self._includes)
        if not answer.is_no:
            answer = all_of([answer, *(negated(each.takes(question)) for each in self._excludes)])
        if answer.is_yes or (answer.is_no and self._includes):
            return answer
        return self._as_listed(question, answer)

    def _as_listed(self, question: Question, answer: Answer) -> Answer:
        """What the list that the value set carries says, where its composition does not tell."""
        if (question.system, question.code) in self._listed.codings:
            return YES
        if self._includes or self._listed.is_complete:
            return answer
        return unknown(f"the value set {self._address} lists only some of its codes")

    # What the definition says, read when it is first needed

    @property
    def _not_at_hand(self) -> Answer:
        return unknown(f"the value set {self._address} is not at hand")

    @cached_property
    def _compose(self) -> Mapping[str, Any]:
        found = self._definition.get("compose") if self._definition else None
        return found if isinstance(found, dict) else {}

    @cached_property
    def _includes(self) -> list[Include]:
        return list(self._parts("include"))

    @cached_property
    def _excludes(self) -> list[Include]:
        return list(self._parts("exclude"))

    def _parts(self, name: str) -> Iterator[Include]:
        only_active = name == "include" and self._compose.get("inactive") is False
        for each in objects(self._compose.get(name)):
            yield Include(each, self._code_systems, self._find, only_active=only_active)

    @cached_property
    def _listed(self) -> ListedCodes:
        return ListedCodes(self._definition.get("expansion") if self._definition else None)

    @cached_property
    def _reach(self) -> tuple[list[str], list[Answer]]:
        """The code systems that a bare code may be of, and what is said of imports that are not at hand."""
        systems: dict[str, None] = {}
        missing: list[Answer] = []
        found: dict[str, Expansion] = {self._address: self}
        waiting = [self._address]
        while waiting:
            each = found[waiting.pop(0)]
            own, imported, lacking = each.own_reach()
            systems |= dict.fromkeys(own)
            missing += lacking
            fresh = [address for address in dict.fromkeys(imported) if address not in found]
            found |= {address: self._find(address) for address in fresh}
            waiting += fresh
        return list(systems), missing

    def own_reach(self) -> tuple[list[str], list[str], list[Answer]]:
        """The code systems named here, the value sets imported as a whole, and what is said if this is not at hand.

        An include that names a system takes only codes of that system, whatever it imports.
        """
        systems = [each.system for each in self._includes if each.system]
        imported = [address for each in self._includes if each.system is None for address in each.imported]
        return systems + self._listed.systems(), imported, [] if self._definition else [self._not_at_hand]


FindExpansion = Callable[[str], Expansion]
"""Finds a value set by its canonical address."""

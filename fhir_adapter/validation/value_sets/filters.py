"""Which codes of a code system a filter of a value set takes (https://hl7.org/fhir/R4/valueset-filter-operator.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_adapter.validation.value_sets.answers import NO, YES, Answer, negated, unknown, yes_if
from fhir_adapter.validation.value_sets.local_systems import LocalSystem, text
from fhir_adapter.validation.value_sets.patterns import Pattern

_ITSELF: Final = frozenset({"concept", "code"})
"""The names by which a filter means the code and not one of its properties."""


class Filter:
    """One filter of an include."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.property = text(definition.get("property"))
        self.operator = text(definition.get("op"))
        self.value = text(definition.get("value"))
        is_list = self.operator in ("in", "not-in")
        self.values = [each.strip() for each in self.value.split(",")] if is_list else [self.value]
        self.pattern = Pattern(self.value)

    def takes(self, system: LocalSystem, code: str) -> Answer:
        """Whether a code that the system has, written as it writes it, is taken."""
        test = _TESTS.get(self.operator)
        if test is None:
            return unknown("a filter of the value set is of a kind that is not known here")
        return test(self, system, code)

    def may_take(self, code: str) -> Answer:
        """Whether a code of a system that is not at hand is taken: only filters on the code's own text tell."""
        if self.property in _ITSELF:
            if self.operator == "regex":
                return self.pattern.matches(code)
            if self.operator in ("=", "in"):
                return yes_if(code in self.values)
            if self.operator in ("is-a", "generalizes") and code == self.value:
                return YES
        return unknown("it is filtered by what only the code system tells, which is not at hand")


Test = Callable[[Filter, LocalSystem, str], Answer]


def _is_a(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return yes_if(code in system.below(_top(rule, system)))


def _descendent(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return NO if code == _top(rule, system) else _is_a(rule, system, code)


def _is_not_a(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return negated(_is_a(rule, system, code))


def _leaf(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return NO if code in system.children else _descendent(rule, system, code)


def _generalizes(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return yes_if(code in system.above(_top(rule, system)))


def _child(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return yes_if(_top(rule, system) in system.parents.get(code, ()))


def _top(rule: Filter, system: LocalSystem) -> str:
    return system.find(rule.value) or rule.value


def _equal(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return yes_if(any(each in rule.values for each in system.values(code, rule.property)))


def _not_in(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return negated(_equal(rule, system, code))


def _exists(rule: Filter, system: LocalSystem, code: str) -> Answer:
    return yes_if(bool(system.values(code, rule.property)) == (rule.value != "false"))


def _regex(rule: Filter, system: LocalSystem, code: str) -> Answer:
    answers = (rule.pattern.matches(each) for each in system.values(code, rule.property))
    return next((each for each in answers if not each.is_no), NO)


_TESTS: Mapping[str, Test] = {
    "is-a": _is_a,
    "descendent-of": _descendent,
    "is-not-a": _is_not_a,
    "descendent-leaf": _leaf,
    "generalizes": _generalizes,
    "child-of": _child,
    "=": _equal,
    "in": _equal,
    "not-in": _not_in,
    "exists": _exists,
    "regex": _regex,
}

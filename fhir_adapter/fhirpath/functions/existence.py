"""Which functions ask whether something is there, how much, and whether it holds for all of it."""

from __future__ import annotations

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import Run, function, lazy
from fhir_adapter.fhirpath.items import Collection, Distinct, Element, boolean, described, distinct, system
from fhir_adapter.fhirpath.scope import Scope


@function("empty")
def empty(items: Collection) -> Collection:
    """True when there is nothing."""
    return [not items]


@lazy("exists", 0, 1)
def exists(scope: Scope, items: Collection, criteria: Run | None = None) -> Collection:
    """True when there is something (for which the criteria hold)."""
    if criteria is None:
        return [bool(items)]
    return [any(boolean(criteria([item], scope), "exists()") for item in scope.each(items))]


@lazy("all", 1)
def all_(scope: Scope, items: Collection, criteria: Run) -> Collection:
    """True when the criteria hold for every item."""
    return [all(boolean(criteria([item], scope), "all()") for item in scope.each(items))]


def _booleans(items: Collection, name: str) -> list[bool]:
    """Every item as a boolean, which it must be: here a single item of another kind is not simply true."""
    values = [system(item) for item in items]
    wrong = [value for value in values if not isinstance(value, bool)]
    if wrong:
        raise EvaluationError(f"{name}: expected booleans, found {described(wrong[0])}")
    return values


@function("allTrue")
def all_true(items: Collection) -> Collection:
    """True when no item is false."""
    return [all(_booleans(items, "allTrue()"))]


@function("anyTrue")
def any_true(items: Collection) -> Collection:
    """True when an item is true."""
    return [any(_booleans(items, "anyTrue()"))]


@function("allFalse")
def all_false(items: Collection) -> Collection:
    """True when no item is true."""
    return [not any(_booleans(items, "allFalse()"))]


@function("anyFalse")
def any_false(items: Collection) -> Collection:
    """True when an item is false."""
    return [not all(_booleans(items, "anyFalse()"))]


@function("subsetOf", 1)
def subset_of(items: Collection, other: Collection) -> Collection:
    """True when every item is in the other collection."""
    known = Distinct(other)
    return [all(item in known for item in items)]


@function("supersetOf", 1)
def superset_of(items: Collection, other: Collection) -> Collection:
    """True when every item of the other collection is here."""
    known = Distinct(items)
    return [all(item in known for item in other)]


@function("count")
def count(items: Collection) -> Collection:
    """How many items there are."""
    return [len(items)]


@function("distinct")
def distinct_(items: Collection) -> Collection:
    """The items without repetition."""
    return distinct(items)


@function("isDistinct")
def is_distinct(items: Collection) -> Collection:
    """True when no item is there twice."""
    return [len(distinct(items)) == len(items)]


@function("not")
def not_(items: Collection) -> Collection:
    """The other truth; nothing of nothing."""
    value = boolean(items, "not()")
    return [] if value is None else [not value]


@function("hasValue")
def has_value(items: Collection) -> Collection:
    """True when there is one primitive, with a value and not only with extensions."""
    return [len(items) == 1 and _has_value(items[0])]


def _has_value(item: object) -> bool:
    value = item.value if isinstance(item, Element) else item
    return value is not None and not isinstance(value, dict | list)


@function("getValue")
def get_value(items: Collection) -> Collection:
    """The value of the one primitive, as a System value."""
    return [system(items[0])] if len(items) == 1 and _has_value(items[0]) else []

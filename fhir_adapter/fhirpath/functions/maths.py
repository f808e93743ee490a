"""Which functions calculate with numbers and quantities."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_adapter.fhirpath import numbers, quantities, temporal
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import function
from fhir_adapter.fhirpath.items import Collection, Temporal, described, is_number, single, whole_number
from fhir_adapter.fhirpath.numbers import Number
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.scope import one


def _number(items: Collection, name: str) -> Number | None:
    value = single(items, name)
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]  # `is_number` has just looked
    raise EvaluationError(f"{name}: expected a number, found {described(value)}")


def _plain(name: str, run: Callable[[Number], Number | None]) -> None:
    """A function of one number, or of the number of a quantity where that has a meaning."""
    of_quantity: Callable[[Quantity], Quantity | None] | None = getattr(quantities, name, None)

    @function(name)
    def calculate(items: Collection) -> Collection:
        value = single(items, f"{name}()")
        if isinstance(value, Quantity) and of_quantity is not None:
            return one(of_quantity(value))
        number = _number(items, f"{name}()")
        return [] if number is None else one(run(number))


for _name, _run in {
    "ceiling": numbers.ceiling,
    "floor": numbers.floor,
    "truncate": numbers.truncate,
    "sqrt": numbers.sqrt,
    "exp": numbers.exp,
    "ln": numbers.ln,
}.items():
    _plain(_name, _run)


@function("abs")
def absolute(items: Collection) -> Collection:
    """The number or quantity without its sign."""
    value = single(items, "abs()")
    if isinstance(value, Quantity):
        return [quantities.absolute(value)]
    number = _number(items, "abs()")
    return [] if number is None else [numbers.absolute(number)]


@function("round", 0, 1)
def rounded(items: Collection, digits: Collection | None = None) -> Collection:
    """The number with so many digits behind its point; halves go away from zero."""
    value = single(items, "round()")
    places = 0 if digits is None else whole_number(digits, "round()")
    if value is None or places is None:
        return []
    if isinstance(value, Quantity):
        return [quantities.round_to(value, places)]
    number = _number(items, "round()")
    return [] if number is None else one(numbers.round_to(number, places))


@function("log", 1)
def log(items: Collection, base: Collection) -> Collection:
    """The logarithm to a base."""
    value, of = _number(items, "log()"), _number(base, "log()")
    return [] if value is None or of is None else one(numbers.log(value, of))


@function("power", 1)
def power(items: Collection, exponent: Collection) -> Collection:
    """The number raised to a power."""
    value, by = _number(items, "power()"), _number(exponent, "power()")
    return [] if value is None or by is None else one(numbers.power(value, by))


def _boundary(items: Collection, digits: Collection | None, name: str) -> Collection:
    value = single(items, f"{name}()")
    places = None if digits is None else whole_number(digits, f"{name}()")
    if value is None or (digits is not None and places is None):
        return []
    module: Any = numbers if is_number(value) else quantities if isinstance(value, Quantity) else temporal
    if module is temporal and not isinstance(value, Temporal):
        raise EvaluationError(f"{name}(): expected a number, a quantity, a date or a time, found {described(value)}")
    return one((module.low_boundary if name == "lowBoundary" else module.high_boundary)(value, places))


@function("lowBoundary", 0, 1)
def low_boundary(items: Collection, digits: Collection | None = None) -> Collection:
    """The least value that would be written as this one, with so many digits."""
    return _boundary(items, digits, "lowBoundary")


@function("highBoundary", 0, 1)
def high_boundary(items: Collection, digits: Collection | None = None) -> Collection:
    """The greatest value that would be written as this one, with so many digits."""
    return _boundary(items, digits, "highBoundary")


@function("precision")
def precision(items: Collection) -> Collection:
    """With how many digits a number, date or time is written."""
    value = single(items, "precision()")
    if value is None:
        return []
    if is_number(value):
        return [numbers.precision(Decimal(value))]
    if isinstance(value, Temporal):
        return [temporal.precision(value)]
    raise EvaluationError(f"precision(): expected a number, a date or a time, found {described(value)}")


@function("comparable", 1)
def comparable(items: Collection, other: Collection) -> Collection:
    """True when two quantities measure the same thing."""
    left, right = single(items, "comparable()"), single(other, "comparable()")
    if left is None or right is None:
        return []
    if not isinstance(left, Quantity) or not isinstance(right, Quantity):
        raise EvaluationError(f"comparable(): expected quantities, found {described(left)} and {described(right)}")
    return [quantities.comparable(left, right)]

"""Which functions make a value of one type from a value of another (http://hl7.org/fhirpath/#conversion).

A value that cannot be converted gives nothing; `convertsTo...` tells whether it can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from fhir_adapter.fhirpath import numbers, quantities, temporal
from fhir_adapter.fhirpath.functions.registry import function
from fhir_adapter.fhirpath.items import Collection, Element, Item, is_number, single, text
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.temporal import Date, DateTime, Time

_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
_INTEGER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,64}(?:\.\d{1,64})?", re.ASCII)


def to_boolean(value: Item) -> bool | None:
    """True or false, of a boolean, of 1 and 0, and of words for them."""
    if isinstance(value, bool):
        return value
    if is_number(value):
        return {0: False, 1: True}.get(value)
    if isinstance(value, str):
        lower = value.lower()
        return True if lower in _TRUE else False if lower in _FALSE else None
    return None


def to_integer(value: Item) -> int | None:
    """A whole number, of a number that is one already, of a boolean or of its text."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return None


def to_decimal(value: Item) -> Decimal | None:
    """A decimal number, of a number, of a boolean or of its text."""
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_string(value: Item) -> str | None:
    """The text of a value of any simple type."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return numbers.to_text(value)
    if isinstance(value, Quantity):
        return quantities.to_text(value)
    return None if value is None or isinstance(value, Element) else str(value)


def to_date(value: Item) -> Date | None:
    """A date, of a date and time or of its text."""
    if isinstance(value, Date):
        return value
    if isinstance(value, DateTime):
        return Date(value.year, value.month, value.day)
    return temporal.parse_date(value) if isinstance(value, str) else None


def to_datetime(value: Item) -> DateTime | None:
    """A date and time, of a date or of its text."""
    if isinstance(value, DateTime):
        return value
    if isinstance(value, Date):
        return temporal.parse_datetime(str(value))
    return temporal.parse_datetime(value) if isinstance(value, str) else None


def to_time(value: Item) -> Time | None:
    """A time of day, of its text."""
    if isinstance(value, Time):
        return value
    return temporal.parse_time(value.removeprefix("T")) if isinstance(value, str) else None


def to_quantity(value: Item) -> Quantity | None:
    """A quantity, of a number (in the unit `1`), of a boolean or of its text."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal):
        return Quantity(Decimal(value), "1")
    return quantities.parse_quantity(value) if isinstance(value, str) else None


def _conversion(kind: str, convert: Callable[[Item], Item | None]) -> None:
    """`toKind()` and `convertsToKind()`."""

    @function(f"to{kind}")
    def to(items: Collection) -> Collection:
        value = single(items, f"to{kind}()")
        found = None if value is None else convert(value)
        return [] if found is None else [found]

    @function(f"convertsTo{kind}")
    def converts_to(items: Collection) -> Collection:
        value = single(items, f"convertsTo{kind}()")
        return [] if value is None else [convert(value) is not None]


for _kind, _convert in {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Long": to_integer,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_datetime,
    "Time": to_time,
}.items():
    _conversion(_kind, _convert)


def _in_unit(items: Collection, unit: Collection | None, name: str) -> Quantity | None:
    value = single(items, name)
    found = None if value is None else to_quantity(value)
    asked = None if unit is None else text(unit, name)
    return found if found is None or asked is None else quantities.convert(found, asked)


@function("toQuantity", 0, 1)
def to_quantity_(items: Collection, unit: Collection | None = None) -> Collection:
    """A quantity, in another unit when one is named."""
    found = _in_unit(items, unit, "toQuantity()")
    return [] if found is None else [found]


@function("convertsToQuantity", 0, 1)
def converts_to_quantity(items: Collection, unit: Collection | None = None) -> Collection:
    """Whether it can be a quantity, in that unit when one is named."""
    value = single(items, "convertsToQuantity()")
    return [] if value is None else [_in_unit(items, unit, "convertsToQuantity()") is not None]

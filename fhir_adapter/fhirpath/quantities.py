"""How FHIRPath compares amounts with units and reckons with them (https://hl7.org/fhirpath/#quantity).

Units are UCUM codes, or words of the
calendar (`year`, `days`), which are no UCUM: a year is as long as a UCUM `a` only roughly, so the two are equivalent
and never equal, whereas weeks and everything shorter are one in both. What cannot be compared is None, which FHIRPath
calls empty. Conversions are exact fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from fhir_adapter.fhirpath import numbers
from fhir_adapter.fhirpath.numbers import Number
from fhir_adapter.units import UnitError
from fhir_adapter.units.scales import Scale, combine, read_scale

UCUM = "http://unitsofmeasure.org"
CALENDAR_UNITS = "http://hl7.org/fhirpath/CodeSystem/calendar-units"
UNITLESS = "1"

_UCUM_OF = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
_WORD_OF = {code: word for word, code in _UCUM_OF.items()}
_SINGULAR = {**{word: word for word in _UCUM_OF}, **{f"{word}s": word for word in _UCUM_OF}}
_OF_FHIR = {code: _WORD_OF[code] for code in ("a", "mo", "d", "h", "min", "s")}
"""As FHIR maps them (https://hl7.org/fhir/fhirpath.html#quantity); weeks and milliseconds are not among them."""

_MONTHS = {"year": 12, "month": 1}
_DAYS = {"year": 365, "month": 30}
_VARYING = frozenset({"year", "month", "a", "mo", "a_j", "mo_j"})
"""Units of which the calendar's and UCUM's are not of one length."""

_WRITTEN = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-zA-Z]+))?", re.ASCII)
_MOST_CHARACTERS = 1000
_MOST_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of a unit: a UCUM code, or a word of the calendar in singular or plural as it was written."""

    value: Decimal
    unit: str

    @property
    def calendar(self) -> str | None:
        """The word of the calendar in the singular, for one of its durations."""
        return _SINGULAR.get(self.unit)


def parse_quantity(text: str) -> Quantity | None:
    """Read `1.5`, `4 days` or `10 'mg'`; None for anything else."""
    written = _WRITTEN.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if written is None or (written[3] and written[3] not in _SINGULAR):
        return None
    return Quantity(Decimal(written[1]), written[2] or written[3] or UNITLESS)


def from_number(value: Number) -> Quantity:
    """A number as the amount without a unit that it is."""
    return Quantity(Decimal(value), UNITLESS)


def from_fhir(value: Mapping[str, Any]) -> Quantity | None:
    """A FHIR Quantity (or Age, Duration, ...) with a UCUM code; None for any other, and for one with a comparator."""
    number, code = value.get("value"), value.get("code")
    if isinstance(number, float):
        number = Decimal(repr(number))
    if not isinstance(number, int | Decimal) or isinstance(number, bool) or value.get("comparator") is not None:
        return None
    if not isinstance(code, str) or not code:
        return None
    if value.get("system") == UCUM:
        return Quantity(Decimal(number), _OF_FHIR.get(code, code))
    known = value.get("system") == CALENDAR_UNITS and code in _SINGULAR
    return Quantity(Decimal(number), code) if known else None


def to_fhir(quantity: Quantity) -> dict[str, Any]:
    """The amount as a FHIR Quantity; a word of the calendar goes with the UCUM code from which FHIR maps it."""
    code = _UCUM_OF.get(quantity.calendar or "", quantity.unit)
    return {"value": quantity.value, "unit": quantity.unit, "system": UCUM, "code": code}


def to_text(quantity: Quantity) -> str:
    """As it would be written in an expression: `1.50 'mg'`, `4 days`."""
    unit = quantity.unit if quantity.calendar else f"'{quantity.unit}'"
    return f"{numbers.to_text(quantity.value)} {unit}"


def equal(left: Quantity, right: Quantity) -> bool | None:
    """Whether both are the same amount; None when they cannot be compared."""
    compared = compare(left, right)
    return None if compared is None else compared == 0


def key(quantity: Quantity) -> tuple[object, ...] | None:
    """What stands for an amount in a set: two have the same where they are equal.

    None where equality is no matter of one amount: a year is 12 months, and 365 days, and a month is 30 days. What has
    no unit stands for the number that it is.
    """
    if (quantity.calendar or quantity.unit) in _VARYING:
        return None
    scale, value = _scale(_UCUM_OF.get(quantity.calendar or "", quantity.unit)), _fraction(quantity.value)
    if scale is None or value is None:
        return "unit", quantity.unit, quantity.value
    return ("amount", scale.powers, scale.base(value)) if scale.powers else ("number", scale.base(value))


def equivalent(left: Quantity, right: Quantity) -> bool:
    """Whether both are the same to the precision of the less precise one, in the larger of their units."""
    values = _in_larger_unit(left, right)
    return values is not None and numbers.equivalent(*values)


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1 when the left is smaller, the same or larger; None when they cannot be compared."""
    if _same_unit(left, right):
        return (left.value > right.value) - (left.value < right.value)
    if _only_roughly(left, right):
        return None
    values = _in_common(left, right)
    return None if values is None else (values[0] > values[1]) - (values[0] < values[1])


def comparable(left: Quantity, right: Quantity) -> bool:
    """Whether `compare` would have an answer."""
    return compare(left, right) is not None


def add(left: Quantity, right: Quantity) -> Quantity | None:
    """The sum in the smaller of the two units; None when they cannot be added."""
    return _together(numbers.add, left, right)


def subtract(left: Quantity, right: Quantity) -> Quantity | None:
    """The difference in the smaller of the two units; None when one cannot be taken from the other."""
    return _together(numbers.subtract, left, right)


def multiply(left: Quantity | Number, right: Quantity | Number) -> Quantity | None:
    """The product in a unit that fits (`cm2` for `cm` by `cm`); None for degrees and durations of the calendar."""
    return _combined(numbers.multiply, _quantity(left), _quantity(right), 1)


def divide(left: Quantity | Number, right: Quantity | Number) -> Quantity | None:
    """The quotient in a unit that fits (`g/m`); None by 0, and for what cannot be multiplied."""
    return _combined(numbers.divide, _quantity(left), _quantity(right), -1)


def negate(quantity: Quantity) -> Quantity:
    """The amount with the other sign."""
    return replace(quantity, value=quantity.value.copy_negate())


def absolute(quantity: Quantity) -> Quantity:
    """The amount without its sign."""
    return replace(quantity, value=quantity.value.copy_abs())


def ceiling(quantity: Quantity) -> Quantity | None:
    """The smallest whole amount that is not below this one."""
    return _with(quantity, numbers.ceiling(quantity.value))


def floor(quantity: Quantity) -> Quantity | None:
    """The largest whole amount that is not above this one."""
    return _with(quantity, numbers.floor(quantity.value))


def truncate(quantity: Quantity) -> Quantity | None:
    """The whole part of the amount."""
    return _with(quantity, numbers.truncate(quantity.value))


def round_to(quantity: Quantity, digits: int = 0) -> Quantity:
    """The amount rounded as a number is; raises `EvaluationError` for digits below 0."""
    return replace(quantity, value=numbers.round_to(quantity.value, digits))


def low_boundary(quantity: Quantity, digits: int | None = None) -> Quantity | None:
    """The least amount that would be written as this one."""
    return _with(quantity, numbers.low_boundary(quantity.value, digits))


def high_boundary(quantity: Quantity, digits: int | None = None) -> Quantity | None:
    """The greatest amount that would be written as this one."""
    return _with(quantity, numbers.high_boundary(quantity.value, digits))


def convert(quantity: Quantity, unit: str) -> Quantity | None:
    """The amount in another unit; None where the two measure different things.

    Between the calendar and UCUM the amount is first converted among the units that it comes from: 182.5 days are half
    a year, hence 0.5 'a'.
    """
    asked = Quantity(Decimal(0), unit)
    if _same_unit(quantity, asked):
        return replace(quantity, unit=unit)
    if quantity.calendar and unit in _WORD_OF:
        asked = replace(asked, unit=_WORD_OF[unit])
    scales, value = _scales(quantity, asked), _fraction(quantity.value)
    if scales is None or value is None:
        return None
    return _with(quantity, _decimal(scales[1].of_base(scales[0].base(value))), unit)


def _quantity(value: Quantity | Number) -> Quantity:
    return value if isinstance(value, Quantity) else from_number(value)


def _with(quantity: Quantity, value: Number | None, unit: str | None = None) -> Quantity | None:
    return None if value is None else Quantity(Decimal(value), unit or quantity.unit)


def _same_unit(left: Quantity, right: Quantity) -> bool:
    """One text is one unit, even where this program does not know it."""
    return (left.calendar or left.unit) == (right.calendar or right.unit)


def _mixed(left: Quantity, right: Quantity) -> bool:
    return (left.calendar is None) != (right.calendar is None)


def _only_roughly(left: Quantity, right: Quantity) -> bool:
    """A year or month of the calendar beside UCUM, or of UCUM beside the calendar."""
    units = {left.calendar or left.unit, right.calendar or right.unit}
    return _mixed(left, right) and not _VARYING.isdisjoint(units)


def _scales(left: Quantity, right: Quantity) -> tuple[Scale, Scale] | None:
    """What both units are in one measure; None when they measure different things or are none."""
    if left.calendar and right.calendar:
        return _calendar_scales(left.calendar, right.calendar)
    return _ucum_scales(left, right)


def _ucum_scales(left: Quantity, right: Quantity) -> tuple[Scale, Scale] | None:
    """A word of the calendar counts as the UCUM unit of its name."""
    one, other = (_scale(_UCUM_OF.get(quantity.calendar or "", quantity.unit)) for quantity in (left, right))
    return (one, other) if one and other and one.powers == other.powers else None


def _scale(code: str) -> Scale | None:
    try:
        return read_scale(code)
    except UnitError:
        return None


@cache
def _calendar_scales(left: str, right: str) -> tuple[Scale, Scale]:
    """A year is 12 months, and 365 days where it meets days; a month is 30 days."""
    if {left, right} == {"year", "month"}:
        return Scale(Fraction(_MONTHS[left])), Scale(Fraction(_MONTHS[right]))
    return _calendar_scale(left), _calendar_scale(right)


def _calendar_scale(word: str) -> Scale:
    day = read_scale("d")
    return replace(day, factor=_DAYS[word] * day.factor) if word in _DAYS else read_scale(_UCUM_OF[word])


def _in_common(left: Quantity, right: Quantity) -> tuple[Fraction, Fraction] | None:
    scales, one, other = _scales(left, right), _fraction(left.value), _fraction(right.value)
    if scales is None or one is None or other is None:
        return None
    return scales[0].base(one), scales[1].base(other)


def _in_larger_unit(left: Quantity, right: Quantity) -> tuple[Number, Number] | None:
    """Both values in the unit of the less granular one."""
    if _same_unit(left, right):
        return left.value, right.value
    scales, one, other = _scales(left, right), _fraction(left.value), _fraction(right.value)
    if scales is None or one is None or other is None:
        return None
    mine, theirs = scales
    if mine.factor < theirs.factor:
        return _both(_decimal(theirs.of_base(mine.base(one))), right.value)
    return _both(left.value, _decimal(mine.of_base(theirs.base(other))))


def _both(left: Decimal | None, right: Decimal | None) -> tuple[Decimal, Decimal] | None:
    return None if left is None or right is None else (left, right)


def _together(operation: Callable[[Number, Number], Number | None], left: Quantity, right: Quantity) -> Quantity | None:
    """Sum or difference in the more granular unit; degrees have none, years and months must be converted before."""
    if _is_degree(left) or _is_degree(right):
        return None
    if _same_unit(left, right):
        return _with(left, operation(left.value, right.value))
    scales = _scales(left, right)
    if scales is None or _only_roughly(left, right) or not _DAYS.keys().isdisjoint({left.calendar, right.calendar}):
        return None
    unit = _calendar_unit(left if scales[0].factor <= scales[1].factor else right, mixed=_mixed(left, right))
    one, other = convert(left, unit), convert(right, unit)
    return None if one is None or other is None else _with(one, operation(one.value, other.value))


def _calendar_unit(quantity: Quantity, *, mixed: bool) -> str:
    """The unit; beside a duration of the calendar, its word for it."""
    word = _WORD_OF.get(quantity.unit) if mixed else None
    return f"{word}s" if word else quantity.unit


def _is_degree(quantity: Quantity) -> bool:
    scale = None if quantity.calendar else _scale(quantity.unit)
    return scale is not None and scale.zero != 0


def _combined(
    operation: Callable[[Number, Number], Number | None], left: Quantity, right: Quantity, sign: int
) -> Quantity | None:
    value = operation(left.value, right.value)
    if value is None or _is_degree(left) or _is_degree(right):
        return None
    if right.unit == UNITLESS:
        return _with(left, value)
    if left.unit == UNITLESS and sign > 0:
        return _with(right, value)
    if left.calendar or right.calendar:
        return None
    return _scaled(value, left.unit, right.unit, sign)


def _scaled(value: Number, left: str, right: str, sign: int) -> Quantity | None:
    try:
        factor, unit = combine(left, right, sign)
    except UnitError:
        return None
    if factor != 1:
        exact = _fraction(Decimal(value))
        scaled = None if exact is None else _decimal(exact * factor)
        return None if scaled is None else Quantity(scaled, unit)
    return Quantity(Decimal(value), unit)


def _fraction(value: Decimal) -> Fraction | None:
    """The exact value; None beyond what can be reckoned with in no time."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and max(abs(exponent), abs(value.adjusted())) <= _MOST_DIGITS:
        return Fraction(value)
    return None


def _decimal(value: Fraction) -> Decimal | None:
    return numbers.divide(value.numerator, value.denominator)

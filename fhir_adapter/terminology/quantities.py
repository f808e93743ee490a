"""How a number with a unit reads in the analyte's canonical unit, exactly; what is uncertain is refused.

The analyte decides what a unit means: `G/L` is giga per litre for platelets and gram per litre for fibrinogen, and in
UCUM it would be gauss. No message repeats the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.terminology.tables import Analyte, analytes
from fhir_adapter.trial import Interval

# A FHIR decimal; the limits keep a hostile exponent from filling the memory.
_DECIMAL = re.compile(r"-?\d{1,64}(?:\.\d{1,64})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
# Only what looks like a unit is repeated in a message: a text field may hold anything.
_LOOKS_LIKE_A_UNIT = re.compile(r"(?:[x\u00d7]?10[*^E]-?\d{1,2})?[A-Za-zµμ°%/*^\[\]{}._-]{1,16}")

UNIT_DOUBT_FLAG = "is the unit right? "
"""How a flag begins of a value that is more likely meant in another unit; a person looks at those."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """A result in its canonical unit, with what a person should know about how it got there."""

    interval: Interval
    unit: str
    flags: tuple[str, ...] = ()


def normalise(
    name: str, value: str, unit_code: str = "", unit_text: str = "", *, comparator: str | None = None
) -> Normalised:
    """Read a number as the interval it stands for, in the analyte's canonical unit.

    `unit_code` is the UCUM code where there is one, `unit_text` the unit as written. Raises `Rejected` for a unit that
    is missing or not of this analyte, for what is no number, and for what no person can have.
    """
    analyte = analytes().get(name)
    if analyte is None:
        known = ", ".join(analytes())
        raise _rejected("unknown-analyte", f"it is none of the analytes that this program knows: {known}")
    ucum, flags = _unit(analyte, unit_code.strip(), unit_text.strip())
    number = _number(analyte, value)
    canonical = analyte.units[ucum].apply(number)
    interval = _interval(analyte, canonical, comparator)
    if not analyte.limits.overlaps(interval):
        raise _rejected(
            "implausible-value",
            f"{name}: outside {_limits(analyte)}, which no person has; refused, not converted: is the unit right?",
        )
    warnings = (*_near(analyte, ucum, canonical), *_other(analyte, ucum, number), *_doubts(analyte, ucum, canonical))
    return Normalised(interval, analyte.unit, (*flags, *warnings))


def _unit(analyte: Analyte, code: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The UCUM unit that is meant, and a flag when that took more than a UCUM code."""
    if not code and not text:
        raise _rejected("missing-unit", f"{analyte.name}: no unit; {_right(analyte)}")
    ucum = analyte.ucum(code or text)
    if ucum is None:
        raise _rejected("unknown-unit", f"{analyte.name}: {_shown(code or text)} is not read; {_right(analyte)}")
    said = analyte.ucum(text)
    if said is not None and analyte.units[said] != analyte.units[ucum]:
        message = f"{analyte.name}: its unit code means {ucum} and its unit text {said}; {_right(analyte)}"
        raise _rejected("unknown-unit", message)
    if (code or text) in analyte.aliases:
        return ucum, (f"unit {code or text!r} read as {ucum}",)
    return ucum, () if code else (f"unit {ucum} read from its text",)


def _shown(unit: str) -> str:
    return f"unit {unit!r}" if _LOOKS_LIKE_A_UNIT.fullmatch(unit) else "its unit"


def _right(analyte: Analyte) -> str:
    return f"right would be a UCUM code of {', '.join(analyte.units)}"


def _number(analyte: Analyte, value: str) -> Fraction:
    if not _DECIMAL.fullmatch(value):
        raise _rejected("no-number", f"{analyte.name}: its value is no number such as 1.50")
    return Fraction(value)


def _interval(analyte: Analyte, value: Fraction, comparator: str | None) -> Interval:
    try:
        return Interval.of(value, comparator)
    except ValueError:
        raise _rejected("comparator", f"{analyte.name}: its comparator is none of < <= > >=") from None


def _limits(analyte: Analyte) -> str:
    low, high = analyte.limits.low, analyte.limits.high
    if high is None:
        return f"{_decimal(low)} and more {analyte.unit}"
    return f"{_decimal(low)} to {_decimal(high)} {analyte.unit}"


def _decimal(value: Fraction | None) -> str:
    """A number of the table as people write it."""
    return "" if value is None else f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def _near(analyte: Analyte, ucum: str, value: Fraction) -> Iterator[str]:
    """Flags of a value beside an edge, where rounding in the unit it came in may have moved it across."""
    for one in analyte.near:
        if ucum in one.units and abs(value - one.edge) <= one.within:
            yield one.flag


def _doubts(analyte: Analyte, ucum: str, value: Fraction) -> Iterator[str]:
    """Flags of a value that is possible, and more often that of another unit."""
    for one in analyte.doubts:
        if ucum in one.units and one.low <= value <= one.high:
            yield f"{UNIT_DOUBT_FLAG}{one.flag}"


def _other(analyte: Analyte, ucum: str, number: Fraction) -> Iterator[str]:
    """A flag when the usual divisor leads to the other side of an edge than our factor."""
    divisor = analyte.divisors.get(ucum)
    if divisor is None:
        return
    ours, theirs = analyte.units[ucum].apply(number), number / divisor
    for edge in analyte.edges:
        if edge.holds(ours) != edge.holds(theirs):
            yield (
                f"{ucum}: beside {edge.value} {analyte.unit}, where our factor {_decimal(analyte.units[ucum].factor)} "
                f"and the usual divisor {_decimal(divisor)} fall on different sides"
            )


def _rejected(code: str, message: str) -> Rejected:
    return Rejected(message, Issue("error", code, message))

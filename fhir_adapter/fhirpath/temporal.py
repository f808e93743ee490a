"""How two dates or times compare, how precise one is and which parts it has; every question about them is asked here.

http://hl7.org/fhirpath, sections Date/Time Equality, Comparison and Extract components. What is not written is not
known: `2018-03` is some day of March, so nobody can tell whether it comes before `2018-03-01`, and the answer is None.
A DateTime without an offset may be anywhere on earth, from -12:00 to +14:00.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.temporal_arithmetic import add, difference, duration
from fhir_adapter.fhirpath.temporal_boundaries import high_boundary, low_boundary
from fhir_adapter.fhirpath.temporal_values import (
    EASTERNMOST,
    WESTERNMOST,
    Date,
    DateTime,
    Part,
    Temporal,
    Time,
    date_of,
    days_in_month,
    fraction,
    parse_date,
    parse_datetime,
    parse_time,
    time_of,
    together,
)

__all__ = [
    "Date",
    "DateTime",
    "Temporal",
    "Time",
    "add",
    "compare",
    "component",
    "date_of",
    "difference",
    "duration",
    "equal",
    "equivalent",
    "high_boundary",
    "key",
    "low_boundary",
    "now",
    "parse_date",
    "parse_datetime",
    "parse_time",
    "precision",
    "time_of",
    "time_of_day",
    "today",
    "together",
]

_AFTER_ANY_SECOND = Decimal(61)
"""Stands for the end of a minute whose second is not known: a leap second has the number 60."""

_ZERO = Decimal(0)

# Equality and order


def equal(left: Temporal, right: Temporal) -> bool | None:
    """Whether both are the same; None when what is written does not tell."""
    if isinstance(left, Time) is not isinstance(right, Time):
        return False
    order = compare(left, right)
    return None if order is None else order == 0


def key(value: Temporal) -> tuple[object, ...]:
    """What stands for a value in a set: two have the same exactly where they are equal."""
    if isinstance(value, DateTime) and value.offset is not None:
        return "instant", *_earliest(value), _known(value)
    known = tuple(part for part in value.parts if part is not None)
    return "time" if isinstance(value, Time) else "date", *known


def equivalent(left: Temporal, right: Temporal) -> bool:
    """Whether both are the same and equally precise; always decided."""
    return equal(left, right) is True


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None when what is written does not tell; raises `EvaluationError` for a time beside a date.

    A Date is taken as a DateTime without an offset when it stands beside a DateTime. A DateTime with an offset and one
    without are in order only when they are at any offset that the other may have.
    """
    if isinstance(left, Time) or isinstance(right, Time):
        if not (isinstance(left, Time) and isinstance(right, Time)):
            raise EvaluationError("a time of the day and a date have no order together; compare two of the same kind")
        return _in_order(left.parts, right.parts)
    one = left.offset if isinstance(left, DateTime) else None
    other = right.offset if isinstance(right, DateTime) else None
    if one == other:
        return _in_order(left.parts, right.parts)
    return _instants_in_order(left, right, known=one is not None and other is not None)


def _in_order(left: tuple[Part, ...], right: tuple[Part, ...]) -> int | None:
    for one, other in zip_longest(left, right):
        if one is None or other is None:
            return 0 if one is other else None
        if one != other:
            return -1 if one < other else 1
    return 0


def _instants_in_order(left: Date | DateTime, right: Date | DateTime, *, known: bool) -> int | None:
    """Order by what each leaves open: the whole of one before the whole of the other, or undecided."""
    first, other_first = _earliest(left), _earliest(right)
    if known and first == other_first and _known(left) == _known(right):
        return 0
    if _latest(left) < other_first:
        return -1
    return 1 if _latest(right) < first else None


def _earliest(value: Date | DateTime) -> tuple[int, Decimal]:
    """The first minute of the common era (at offset 0) and second that the value may mean."""
    moment = value if isinstance(value, DateTime) else together(value)
    days = date(moment.year, moment.month or 1, moment.day or 1).toordinal()
    minutes = days * 1440 + (moment.hour or 0) * 60 + (moment.minute or 0)
    return minutes - (EASTERNMOST if moment.offset is None else moment.offset), moment.second or _ZERO


def _latest(value: Date | DateTime) -> tuple[int, Decimal]:
    """The last minute of the common era (at offset 0) and second that the value may mean."""
    moment = value if isinstance(value, DateTime) else together(value)
    month = moment.month or 12
    days = date(moment.year, month, moment.day or days_in_month(moment.year, month)).toordinal()
    hour = 23 if moment.hour is None else moment.hour
    minutes = days * 1440 + hour * 60 + (59 if moment.minute is None else moment.minute)
    minutes -= WESTERNMOST if moment.offset is None else moment.offset
    return minutes, _AFTER_ANY_SECOND if moment.second is None else moment.second


def _known(value: Temporal) -> int:
    return sum(part is not None for part in value.parts)


# Precision and parts


def precision(value: Temporal) -> int:
    """How many digits the value has: 4 for a year, 17 for a moment to the millisecond, 4 for `10:30`."""
    digits = 2 * _known(value) + (0 if isinstance(value, Time) else 2)
    return digits if isinstance(value, Date) or value.second is None else digits + len(fraction(value.second))


def component(value: Temporal, name: str) -> int | Decimal | Date | Time | None:
    """What `yearOf()`, `millisecondOf()`, `dateOf()` and their like answer; None where it is not written."""
    return _COMPONENTS[name](value)


def _part(name: str) -> Callable[[Temporal], int | None]:
    def part(value: Temporal) -> int | None:
        found = getattr(value, name, None)
        return None if found is None else int(found)

    return part


def _millisecond(value: Temporal) -> int | None:
    digits = "" if isinstance(value, Date) or value.second is None else fraction(value.second)
    return int(digits[:3].ljust(3, "0")) if digits else None


def _offset_in_hours(value: Temporal) -> Decimal | None:
    if not isinstance(value, DateTime) or value.offset is None:
        return None
    return Decimal(value.offset) / 60


_COMPONENTS: dict[str, Callable[[Temporal], int | Decimal | Date | Time | None]] = {
    "yearOf": _part("year"),
    "monthOf": _part("month"),
    "dayOf": _part("day"),
    "hourOf": _part("hour"),
    "minuteOf": _part("minute"),
    "secondOf": _part("second"),
    "millisecondOf": _millisecond,
    "timezoneOffsetOf": _offset_in_hours,
    "dateOf": date_of,
    "timeOf": time_of,
}

# The clock


def now(moment: datetime) -> DateTime:
    """The moment to the millisecond, at its own offset."""
    offset = moment.utcoffset()
    minutes = None if offset is None else offset // timedelta(minutes=1)
    return together(today(moment), time_of_day(moment), minutes)


def today(moment: datetime) -> Date:
    """The day of a moment, at its own offset."""
    return Date(moment.year, moment.month, moment.day)


def time_of_day(moment: datetime) -> Time:
    """The time of a moment to the millisecond, at its own offset."""
    return Time(moment.hour, moment.minute, Decimal(f"{moment.second}.{moment.microsecond // 1000:03d}"))

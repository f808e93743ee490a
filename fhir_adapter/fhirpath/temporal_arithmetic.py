"""Which date or time is an amount of time away from another, and how much time lies between two.

http://hl7.org/fhirpath, sections Date/Time Arithmetic and Date and Time Interval Functions.
Calendar words and their UCUM codes count alike, but for `a` and `mo`: a mean year is no calendar year.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, ROUND_FLOOR, Context, Decimal

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.temporal_values import (
    Date,
    DateTime,
    Temporal,
    Time,
    date_of,
    days_in_month,
    time_of,
    together,
)

_MONTHS = {"year": 12, "month": 1}
_SECONDS = {
    "week": Decimal(604800),
    "day": Decimal(86400),
    "hour": Decimal(3600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}
_OF_A_DAY = ("hour", "minute", "second", "millisecond")
_OF_A_DATE = ("year", "month", "week", "day")
_PERIODS = {word + ending: word for word in (*_OF_A_DATE, *_OF_A_DAY) for ending in ("", "s")} | {
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}
_MEAN = {"a": "year", "mo": "month"}
_WITH_FRACTION = frozenset({"second", "seconds", "millisecond", "milliseconds"})
"""Units whose decimals count. The official suite drops those of `0.1 's'`, the specification keeps `42.53 seconds`."""

_YEAR, _MONTH = 365 * _SECONDS["day"], 30 * _SECONDS["day"]
"""What a year and a month count when days are added to a date that has none (specification, Unit Conversions)."""

_EXACT = Context(prec=200)
"""More digits than any second (64 characters) and any amount within the limits need: nothing is rounded."""

_LARGEST = Decimal(10) ** 18
_SMALLEST = Decimal("1E-9")
_LAST_YEAR = 9999

# Adding


def add(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """The date or time that is the amount of time later; None outside of the years 1 to 9999.

    A time of the day goes round midnight. Raises `EvaluationError` for a unit that cannot be added to this kind.
    """
    period = _period(unit)
    _check_kind(value, period, "add to")
    if not amount.is_finite() or amount.copy_abs() > _LARGEST:
        return None
    counted = _counted(amount, unit)
    if period in _MONTHS:
        return _add_months(value, int(counted) * _MONTHS[period])
    return _add_seconds(value, _EXACT.multiply(counted, _SECONDS[period]))


def _period(unit: str) -> str:
    found = _PERIODS.get(unit)
    if found is None:
        mean = _MEAN.get(unit)
        hint = f"the calendar has {mean!r}" if mean else f"expected one of {', '.join(sorted(_PERIODS))}"
        raise EvaluationError(f"{unit!r} is no unit of the calendar: {hint}")
    return found


def _check_kind(value: Temporal, period: str, what: str) -> None:
    if isinstance(value, Date) and period in _OF_A_DAY:
        raise EvaluationError(f"{period!r} is too fine to {what} a date: expected one of {', '.join(_OF_A_DATE)}")
    if isinstance(value, Time) and period in _OF_A_DATE:
        raise EvaluationError(f"{period!r} is too coarse to {what} a time: expected one of {', '.join(_OF_A_DAY)}")


def _counted(amount: Decimal, unit: str) -> Decimal:
    """The part of an amount that counts: whole units, or down to a billionth."""
    if unit not in _WITH_FRACTION:
        return Decimal(int(amount))
    return _EXACT.normalize(amount.quantize(_SMALLEST, ROUND_DOWN, _EXACT))


def _add_months(value: Temporal, months: int) -> Temporal | None:
    day = date_of(value)
    assert day is not None, "a time of the day was refused before"
    return _on(value, _months_later(day, months))


def _months_later(day: Date, months: int) -> Date | None:
    if day.month is None:
        years = abs(months) // 12
        return _within(Date(day.year + (years if months > 0 else -years)))
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if day.day is None or not 1 <= year <= _LAST_YEAR:
        return _within(Date(year, month + 1))
    return Date(year, month + 1, min(day.day, days_in_month(year, month + 1)))


def _within(day: Date) -> Date | None:
    return day if 1 <= day.year <= _LAST_YEAR else None


def _on(value: Temporal, day: Date | None) -> Temporal | None:
    """The value on another day, at the same time of the day."""
    if day is None or isinstance(value, Date):
        return day
    return together(day, time_of(value), value.offset if isinstance(value, DateTime) else None)


def _add_seconds(value: Temporal, seconds: Decimal) -> Temporal | None:
    clock, day = time_of(value), date_of(value)
    if clock is None:
        return None if day is None else _on(value, _days_later(day, seconds))
    days, clock = _clock_later(clock, seconds)
    if day is None:
        return clock
    later = _days_later(day, days * _SECONDS["day"])
    return None if later is None else together(later, clock, value.offset if isinstance(value, DateTime) else None)


def _days_later(day: Date, seconds: Decimal) -> Date | None:
    if day.month is None:
        return _months_later(day, 12 * _whole(seconds, _YEAR))
    if day.day is None:
        return _months_later(day, _whole(seconds, _MONTH))
    ordinal = date(day.year, day.month, day.day).toordinal() + _whole(seconds, _SECONDS["day"])
    if not 1 <= ordinal <= date.max.toordinal():
        return None
    later = date.fromordinal(ordinal)
    return Date(later.year, later.month, later.day)


def _clock_later(clock: Time, seconds: Decimal) -> tuple[int, Time]:
    """How many days later it is, and the time of that day, as precise as before."""
    if clock.second is None:
        step = _SECONDS["hour"] if clock.minute is None else _SECONDS["minute"]
        seconds = _whole(seconds, step) * step
    total = _EXACT.add(_of_clock(clock), seconds)
    whole = total.to_integral_value(ROUND_FLOOR)
    days, rest = divmod(int(whole), 86400)
    minute = None if clock.minute is None else rest % 3600 // 60
    second = None if clock.second is None else _EXACT.add(Decimal(rest % 60), _EXACT.subtract(total, whole))
    return days, Time(rest // 3600, minute, second)


def _of_clock(clock: Time) -> Decimal:
    """The seconds since midnight, with the digits of the second: `00.000` is not `00`."""
    minutes = clock.hour * 60 + (clock.minute or 0)
    return _EXACT.add(Decimal(minutes * 60), Decimal(0) if clock.second is None else clock.second)


def _whole(amount: Decimal, size: Decimal) -> int:
    """How many whole sizes an amount has, towards zero."""
    return int(_EXACT.divide_int(amount, size))


# Between two


def duration(left: Temporal, right: Temporal, unit: str) -> int | None:
    """How many whole periods pass from left to right, negative backwards; None when one is less precise."""
    pair = _comparable(left, right, unit)
    if pair is None:
        return None
    first, second = pair
    if unit in _MONTHS:
        return _towards_zero(_whole_months(first, second), _MONTHS[unit])
    return _whole(_EXACT.subtract(_total(second, unit), _total(first, unit)), _SECONDS[unit])


def difference(left: Temporal, right: Temporal, unit: str) -> int | None:
    """How many boundaries of the period lie between left and right, negative backwards; weeks begin on Sunday."""
    pair = _comparable(left, right, unit)
    if pair is None:
        return None
    first, second = pair
    return _boundaries(second, unit) - _boundaries(first, unit)


def _comparable(left: Temporal, right: Temporal, unit: str) -> tuple[DateTime, DateTime] | None:
    """Both as moments, at one offset where the hour counts; None when what is written does not suffice."""
    if unit not in _SECONDS and unit not in _MONTHS:
        raise EvaluationError(f"{unit!r} is no period: expected one of {', '.join((*_OF_A_DATE, *_OF_A_DAY))}")
    if isinstance(left, Time) is not isinstance(right, Time):
        raise EvaluationError(f"there is no {unit} between a time of the day and a date; give two of the same kind")
    for value in (left, right):
        _check_kind(value, unit, "count for")
    first, second = _moment(left), _moment(right)
    if first.parts[_NEEDED[unit]] is None or second.parts[_NEEDED[unit]] is None:
        return None
    return None if unit in _OF_A_DAY and (first.offset is None) is not (second.offset is None) else (first, second)


_NEEDED = {"year": 0, "month": 1, "week": 2, "day": 2, "hour": 3, "minute": 4, "second": 5, "millisecond": 5}


def _moment(value: Temporal) -> DateTime:
    if isinstance(value, DateTime):
        return value
    return together(Date(1, 1, 1), value) if isinstance(value, Time) else together(value)


def _whole_months(first: DateTime, second: DateTime) -> int:
    months = (second.year - first.year) * 12 + (second.month or 1) - (first.month or 1)
    rest, other = _after_month(first), _after_month(second)
    if months > 0 and other < rest:
        return months - 1
    return months + 1 if months < 0 and other > rest else months


def _after_month(moment: DateTime) -> tuple[int | Decimal, ...]:
    return moment.day or 1, moment.hour or 0, moment.minute or 0, moment.second or 0


def _boundaries(moment: DateTime, unit: str) -> int:
    """How many boundaries of the period lie before the moment."""
    if unit in _MONTHS:
        return (moment.year * 12 + (moment.month or 1) - 1) // _MONTHS[unit]
    if unit == "week":
        return date(moment.year, moment.month or 1, moment.day or 1).toordinal() // 7  # day 7 of year 1 was a Sunday
    passed = _EXACT.divide(_total(moment, unit), _SECONDS[unit])
    return int(passed.to_integral_value(ROUND_FLOOR))


def _total(moment: DateTime, unit: str) -> Decimal:
    """The seconds of the common era; at offset 0 when the unit is a part of the day."""
    days = date(moment.year, moment.month or 1, moment.day or 1).toordinal()
    clock = time_of(moment)
    total = _EXACT.add(Decimal(days * 86400), Decimal(0) if clock is None else _of_clock(clock))
    return _EXACT.subtract(total, Decimal((moment.offset or 0) * 60)) if unit in _OF_A_DAY else total


def _towards_zero(amount: int, size: int) -> int:
    return amount // size if amount >= 0 else -(-amount // size)

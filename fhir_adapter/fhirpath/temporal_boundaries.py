"""What a partial date or time may mean at the earliest and at the latest.

http://hl7.org/fhirpath, lowBoundary and highBoundary: the precision is a number of digits, 4 for a year, 17 for a
moment to the millisecond, 4 for `10:30`.
"""

from __future__ import annotations

from decimal import Decimal

from fhir_adapter.fhirpath.temporal_values import (
    EASTERNMOST,
    WESTERNMOST,
    Date,
    DateTime,
    Part,
    Temporal,
    Time,
    days_in_month,
    fraction,
    time_of,
    together,
)

_DATE_DIGITS = (4, 6, 8)
_TIME_DIGITS = (2, 4, 6, 7, 8, 9)
_DIGITS: dict[type, tuple[int, ...]] = {
    Date: _DATE_DIGITS,
    DateTime: (*_DATE_DIGITS, *(8 + digits for digits in _TIME_DIGITS)),
    Time: _TIME_DIGITS,
}


def low_boundary(value: Temporal, digits: int | None = None) -> Temporal | None:
    """The first moment that the value may mean, with so many digits; None for a number of digits that no part has."""
    return _boundary(value, digits, high=False)


def high_boundary(value: Temporal, digits: int | None = None) -> Temporal | None:
    """The last moment that the value may mean, with so many digits; None for a number of digits that no part has."""
    return _boundary(value, digits, high=True)


def _boundary(value: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    allowed = _DIGITS[type(value)]
    wanted = allowed[-1] if digits is None else digits
    if wanted not in allowed:
        return None
    if isinstance(value, Time):
        return _clock_boundary(value, wanted, high=high)
    day = _day_boundary(value, wanted, high=high)
    if isinstance(value, Date):
        return day
    if wanted <= _DATE_DIGITS[-1]:
        return together(day)
    offset = value.offset
    if offset is None:
        offset = WESTERNMOST if high else EASTERNMOST
    return together(day, _clock_boundary(_clock_to_fill(value), wanted - 8, high=high), offset)


def _day_boundary(value: Date | DateTime, digits: int, *, high: bool) -> Date:
    month = value.month or (12 if high else 1)
    day = value.day or (days_in_month(value.year, month) if high else 1)
    _, month_digits, day_digits = _DATE_DIGITS
    return Date(value.year, month if digits >= month_digits else None, day if digits >= day_digits else None)


def _clock_to_fill(value: DateTime) -> Time | None:
    """The clock of a moment. FHIR has no hours without minutes: the official suite reads `T08` as `T08:00` here."""
    clock = time_of(value)
    return Time(clock.hour, clock.minute or 0, clock.second) if clock else None


def _clock_boundary(clock: Time | None, digits: int, *, high: bool) -> Time:
    known: tuple[Part, ...] = clock.parts if clock else (None, None, None)
    hour, minute, second = (end if part is None else part for part, end in zip(known, _ENDS[high], strict=True))
    _, minute_digits, second_digits, *_ = _TIME_DIGITS
    return Time(
        int(hour),
        int(minute) if digits >= minute_digits else None,
        _to_digits(Decimal(second), digits - second_digits, high=high) if digits >= second_digits else None,
    )


_ENDS = {False: (0, 0, 0), True: (23, 59, 59)}


def _to_digits(second: Decimal, digits: int, *, high: bool) -> Decimal:
    """A second with so many digits of fraction: what is too fine is cut, what is open is filled."""
    filled = fraction(second)[:digits].ljust(digits, "9" if high else "0")
    return Decimal(f"{int(second)}.{filled}" if filled else int(second))

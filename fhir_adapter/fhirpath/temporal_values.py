"""What FHIRPath's dates and times are, each as precise as it was written, and how their text is read and written.

http://hl7.org/fhirpath, sections Date, Time and DateTime. What was not written is None, never zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

Part = int | Decimal | None

MAX_LENGTH = 64
"""No date or time worth reading is longer, and what is read stays in memory."""

EASTERNMOST, WESTERNMOST = 14 * 60, -12 * 60
"""The offsets, in minutes, between which a DateTime without one must lie."""

_FEBRUARY = 2
_DAY = r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d\d))?)?"
_CLOCK = r"([01]\d|2[0-3])(?::([0-5]\d)(?::((?:[0-5]\d|60)(?:\.\d+)?))?)?"
_ZONE = r"(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_DATE_TEXT = re.compile(_DAY, re.ASCII)
_TIME_TEXT = re.compile(_CLOCK, re.ASCII)
_DATETIME_TEXT = re.compile(rf"{_DAY}(?:T(?:{_CLOCK}{_ZONE}?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Date:
    """A year, a month of a year, or a day."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """From the year to the finest part; None where nothing was written."""
        return self.year, self.month, self.day

    def __str__(self) -> str:
        return _day_text(self.year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class DateTime:
    """A moment or a part of one; the second has its digits as written, the offset is in minutes, 0 for `Z`."""

    year: int
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: Decimal | None = None
    offset: int | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """From the year to the finest part, as written at its own offset; None where nothing was written."""
        return self.year, self.month, self.day, self.hour, self.minute, self.second

    def __str__(self) -> str:
        day = _day_text(self.year, self.month, self.day)
        if self.hour is None:
            return day
        return f"{day}T{_clock_text(self.hour, self.minute, self.second)}{_zone_text(self.offset)}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of the day, without a zone."""

    hour: int
    minute: int | None = None
    second: Decimal | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """From the hour to the finest part; None where nothing was written."""
        return self.hour, self.minute, self.second

    def __str__(self) -> str:
        return _clock_text(self.hour, self.minute, self.second)


Temporal = Date | DateTime | Time


# Text


def parse_date(text: str) -> Date | None:
    """The date of a text such as `2015-02-04`; None when it is none."""
    return _read_date(text) if len(text) <= MAX_LENGTH else None


def parse_datetime(text: str) -> DateTime | None:
    """The date and time of a text such as `2015-02-04T14:34:28Z`, as far as it goes; None when it is none."""
    return _read_datetime(text) if len(text) <= MAX_LENGTH else None


def parse_time(text: str) -> Time | None:
    """The time of a text such as `14:34:28.123`; None when it is none."""
    return _read_time(text) if len(text) <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _read_date(text: str) -> Date | None:
    found = _DATE_TEXT.fullmatch(text)
    return _day(*found.groups()) if found else None


@lru_cache(maxsize=4096)
def _read_datetime(text: str) -> DateTime | None:
    found = _DATETIME_TEXT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    read = _day(year, month, day)
    if read is None or (hour and read.day is None):
        return None
    return together(read, Time(int(hour), _number(minute), _decimal(second)) if hour else None, _offset(zone))


@lru_cache(maxsize=1024)
def _read_time(text: str) -> Time | None:
    found = _TIME_TEXT.fullmatch(text)
    return Time(int(found[1]), _number(found[2]), _decimal(found[3])) if found else None


def _day(year: str, month: str | None, day: str | None) -> Date | None:
    """The date of its written parts; None for a day that no calendar has."""
    read = Date(int(year), _number(month), _number(day))
    if read.year == 0 or (
        read.month and read.day is not None and not 1 <= read.day <= days_in_month(read.year, read.month)
    ):
        return None
    return read


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _offset(zone: str | None) -> int | None:
    if zone is None or zone == "Z":
        return None if zone is None else 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    return -minutes if zone[0] == "-" else minutes


def _day_text(year: int, month: int | None, day: int | None) -> str:
    if month is None:
        return f"{year:04d}"
    return f"{year:04d}-{month:02d}" if day is None else f"{year:04d}-{month:02d}-{day:02d}"


def _clock_text(hour: int, minute: int | None, second: Decimal | None) -> str:
    if minute is None:
        return f"{hour:02d}"
    if second is None:
        return f"{hour:02d}:{minute:02d}"
    whole, point, digits = f"{second:f}".partition(".")
    return f"{hour:02d}:{minute:02d}:{whole:0>2}{point}{digits}"


def _zone_text(offset: int | None) -> str:
    if not offset:
        return "" if offset is None else "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


# The day and the clock of a value


def date_of(value: Temporal) -> Date | None:
    """The day of a date or moment, as written at its own offset; a time has none."""
    return None if isinstance(value, Time) else Date(value.year, value.month, value.day)


def time_of(value: Temporal) -> Time | None:
    """The time of the day of a moment, as written at its own offset; None when it has none."""
    if isinstance(value, Date) or value.hour is None:
        return None
    return Time(value.hour, value.minute, value.second)


def together(day: Date, clock: Time | None = None, offset: int | None = None) -> DateTime:
    """A day and a time of the day as one moment; without a time it is as precise as the day."""
    if clock is None:
        return DateTime(day.year, day.month, day.day)
    return DateTime(day.year, day.month, day.day, clock.hour, clock.minute, clock.second, offset)


def days_in_month(year: int, month: int) -> int:
    """How many days the month has in that year."""
    if month == _FEBRUARY:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def fraction(second: Decimal) -> str:
    """The written digits after the point of a second; empty when there are none."""
    return f"{second:f}".partition(".")[2]

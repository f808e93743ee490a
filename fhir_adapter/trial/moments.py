"""When something happened: partial dates and times as recorded, never padded with an invented part.

FHIR R4 `dateTime` (https://hl7.org/fhir/R4/datatypes.html#dateTime) carries years, months and days alone, and demands
seconds and an offset as soon as there are hours. Sites write hours and minutes without a zone: `:00` is filled, the
zone is the site's, and the text as recorded is kept beside it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import lru_cache
from typing import Literal

Precision = Literal["year", "month", "day", "time"]

_PATTERN = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d{1,30})?)?)?"
    r"(?P<zone>Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86400
_KEPT = 4096
"""How many texts are remembered with what they mean: results of one sample share their times."""
_LAST_HOUR, _LAST_MINUTE, _LEAP_SECOND = 23, 59, 60


class MomentError(ValueError):
    """The text is no date or time; the message says what would be right."""


class AmbiguousMomentError(MomentError):
    """The clock showed this local time twice, or never, on the day it was changed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time: `iso` as FHIR writes it, `recorded` as the source wrote it."""

    iso: str
    recorded: str
    precision: Precision

    @property
    def day(self) -> date | None:
        """The calendar day at the place of recording; None when only year or month are known."""
        return date.fromisoformat(self.iso[:10]) if self.precision in ("day", "time") else None

    def bounds(self, zone: tzinfo = UTC) -> tuple[Fraction, Fraction]:
        """Earliest and first-excluded instant, in seconds since 1970-01-01 UTC; dates are days in `zone`."""
        if self.precision == "time":
            instant = _instant(self.iso)
            return instant, instant
        first, last = _calendar_span(self.iso)
        return _local_midnight(first, zone), _end_of_day(last, zone)


@lru_cache(_KEPT)
def read_moment(recorded: str, zone: tzinfo | None = None) -> Moment:
    """Read an ISO 8601 date or time of any precision; a time without offset is local time in `zone`.

    Raises `AmbiguousMomentError` for a local time that the clock change makes ambiguous or impossible, and
    `MomentError` for everything else that is no date, or a time with neither offset nor zone.
    """
    match = _PATTERN.fullmatch(recorded)
    if match is None:
        raise MomentError("not an ISO 8601 date or time such as 2016-03-01 or 2016-03-01T08:10")
    part = match.groupdict()
    if part["day"] is None:
        _check_calendar(part)
        return Moment(recorded, recorded, "month" if part["month"] else "year")
    _check_calendar(part)
    if part["hour"] is None or part["minute"] is None:
        _check_clock(part)
        # An hour alone has no FHIR form: the day is true, and `recorded` keeps the whole.
        return Moment(recorded[:10], recorded, "day")
    _check_clock(part)
    return Moment(_with_offset(part, zone), recorded, "time")


def _check_calendar(part: dict[str, str | None]) -> None:
    try:
        date(int(part["year"] or 0), int(part["month"] or 1), int(part["day"] or 1))
    except ValueError as error:
        raise MomentError("a day that the calendar does not have") from error


def _check_clock(part: dict[str, str | None]) -> None:
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or second > _LEAP_SECOND:
        raise MomentError("a time that the clock does not have (00:00 to 23:59, seconds to 60)")


def _with_offset(part: dict[str, str | None], zone: tzinfo | None) -> str:
    day = f"{part['year']}-{part['month']}-{part['day']}"
    seconds = (part["second"] or "00") + (part["fraction"] or "")
    clock = f"{part['hour']}:{part['minute']}"
    offset = part["zone"] or _site_offset(datetime.fromisoformat(f"{day}T{clock}"), zone)
    return f"{day}T{clock}:{seconds}{offset}"


def _site_offset(local: datetime, zone: tzinfo | None) -> str:
    if zone is None:
        raise MomentError("a time without offset, and the site has no time zone in the trial folder")
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise AmbiguousMomentError(
            "a local time that the change of the clock makes ambiguous or impossible; write it with its offset"
        )
    offset = first.utcoffset() or timedelta()
    sign, minutes = ("-", -offset) if offset < timedelta() else ("+", offset)
    whole = int(minutes.total_seconds()) // 60
    return f"{sign}{whole // 60:02}:{whole % 60:02}"


@lru_cache(_KEPT)
def _instant(iso: str) -> Fraction:
    match = _PATTERN.fullmatch(iso)
    assert match is not None
    minute = datetime.fromisoformat(iso[:16] + (match["zone"] or "Z").replace("Z", "+00:00"))
    whole = (minute - _EPOCH) // timedelta(seconds=1) + int(match["second"])
    return whole + Fraction(match["fraction"] or 0)


def _calendar_span(iso: str) -> tuple[date, date]:
    """The first and the last day of a year, a month or a day."""
    year, month, day = (*(int(text) for text in iso.split("-")), 0, 0)[:3]
    first, last = month or 1, month or 12
    return date(year, first, day or 1), date(year, last, day or monthrange(year, last)[1])


def _end_of_day(day: date, zone: tzinfo) -> Fraction:
    if day == date.max:
        return _local_midnight(day, zone) + _DAY_SECONDS
    return _local_midnight(day + timedelta(days=1), zone)


def _local_midnight(day: date, zone: tzinfo) -> Fraction:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return Fraction((midnight - _EPOCH) // timedelta(seconds=1))

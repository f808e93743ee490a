"""Which stretch of time a FHIR date means: nanoseconds since 1970, lower end included, upper end not.

The database holds 64 bits of them, from 1678 to 2262; earlier is always, later is forever.

A date without zone is read in UTC, for resources and for searches alike, so both mean the same day.
Source: https://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

ALWAYS = -(2**63)
FOREVER = 2**63 - 1
"""Ends of a period that has none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NANOSECONDS = 1000
_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_LAST_YEAR = 9999
_DECEMBER = 12
_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=4096)
def interval(text: str) -> tuple[int, int] | None:
    """The stretch that a full or partial date, dateTime or instant means; None when it is no date."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        low, high = _span(match)
    except ValueError:  # a month 13, a 30th of February, an hour 25
        return None
    return min(max(low, ALWAYS), FOREVER - 1), min(max(high, ALWAYS + 1), FOREVER)


def _span(match: re.Match[str]) -> tuple[int, int]:
    year, month, day = int(match["year"]), match["month"], match["day"]
    if month is None:
        return _start(year), _start(year + 1)
    if day is None:
        following = (year + 1, 1) if int(month) == _DECEMBER else (year, int(month) + 1)
        return _start(year, int(month)), _start(*following)
    low = _start(year, int(month), int(day))
    if match["hour"] is None:
        return low, low + 24 * 60 * _MINUTE
    return _time_span(match, low)


def _start(year: int, month: int = 1, day: int = 1) -> int:
    if year > _LAST_YEAR:
        return FOREVER
    return (datetime(year, month, day, tzinfo=UTC) - _EPOCH) // _MICROSECOND * _NANOSECONDS


def _time_span(match: re.Match[str], day: int) -> tuple[int, int]:
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:  # noqa: PLR2004 - second 60 is the leap second FHIR allows
        raise ValueError("no time of day")
    low = day + (hour * 60 + minute) * _MINUTE + second * _SECOND - _offset(match["zone"])
    if match["second"] is None:
        return low, low + _MINUTE
    fraction = match["fraction"] or ""
    low += int(fraction.ljust(9, "0"))
    return low, low + max(_SECOND // 10 ** len(fraction), 1)


def _offset(zone: str | None) -> int:
    if zone in (None, "Z"):
        return 0
    assert zone is not None
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    if minutes > 14 * 60:
        raise ValueError("no time zone")
    return (minutes if zone[0] == "+" else -minutes) * _MINUTE


def instant(milliseconds: int) -> str:
    """The FHIR instant of a moment that the sandbox stored."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"

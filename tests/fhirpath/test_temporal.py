"""Dates and times are as precise as they were written, and what that leaves open stays undecided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.temporal import (
    Date,
    DateTime,
    Temporal,
    Time,
    add,
    compare,
    component,
    date_of,
    difference,
    duration,
    equal,
    equivalent,
    high_boundary,
    low_boundary,
    now,
    parse_date,
    parse_datetime,
    parse_time,
    precision,
    time_of,
    time_of_day,
    today,
)


def read(literal: str) -> Temporal:
    """A date or time as FHIRPath writes it, without the `@`: `T10:30` is a time, `2014T` a DateTime."""
    value = parse_time(literal[1:]) if literal[0] == "T" else _dated(literal)
    assert value is not None, literal
    return value


def _dated(literal: str) -> Temporal | None:
    return parse_datetime(literal) if "T" in literal else parse_date(literal)


# Reading and writing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015", Date(2015)),
        ("2015-02", Date(2015, 2)),
        ("2015-02-04", Date(2015, 2, 4)),
        ("2000-02-29", Date(2000, 2, 29)),
        ("9999-12-31", Date(9999, 12, 31)),
    ],
)
def test_a_date_is_a_year_a_month_or_a_day(text: str, expected: Date) -> None:
    """A date is read as far as it is written."""
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000",
        "20150204",
        "2015-13",
        "2015-00",
        "2015-02-00",
        "2015-02-30",
        "2015-04-31",
        "1900-02-29",
        "2015-2-4",
        "2015-02-04T",
        "2015-02-04\n",
        " 2015",
        "٢٠١٥",
        "12015",
        "2015-W06",
    ],
)
def test_what_no_calendar_has_is_no_date(text: str) -> None:
    """A text that names no day, month or year of the calendar is refused."""
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015", DateTime(2015)),
        ("2015T", DateTime(2015)),
        ("2015-02T", DateTime(2015, 2)),
        ("2015-02-04", DateTime(2015, 2, 4)),
        ("2015-02-04T", DateTime(2015, 2, 4)),
        ("2015-02-04T14", DateTime(2015, 2, 4, 14)),
        ("2015-02-04T14+10:00", DateTime(2015, 2, 4, 14, offset=600)),
        ("2015-02-04T14:34", DateTime(2015, 2, 4, 14, 34)),
        ("2015-02-04T14:34:28", DateTime(2015, 2, 4, 14, 34, Decimal(28))),
        ("2015-02-04T14:34:28Z", DateTime(2015, 2, 4, 14, 34, Decimal(28), 0)),
        ("2015-02-04T14:34:28.123+10:00", DateTime(2015, 2, 4, 14, 34, Decimal("28.123"), 600)),
        ("2015-02-04T14:34:28-03:30", DateTime(2015, 2, 4, 14, 34, Decimal(28), -210)),
        ("2016-12-31T23:59:60Z", DateTime(2016, 12, 31, 23, 59, Decimal(60), 0)),
    ],
)
def test_a_moment_is_read_as_far_as_it_is_written(text: str, expected: DateTime) -> None:
    """A DateTime ends at any part, and a leap second is one."""
    assert parse_datetime(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2015T14:34",
        "2015-02T14",
        "2015-02-04T24:00:00",
        "2015-02-04T14:60",
        "2015-02-04T14:34:61",
        "2015-02-04T14:34:28.",
        "2015-02-04T14:34:28+14:30",
        "2015-02-04T14:34:28+1000",
        "2015-02-04T14:34:28z",
        "2015-02-04 14:34:28",
        "2015-02-04Z",
        "2015-02-30T10:00:00Z",
        "2015-02-04T14:34:28." + "1" * 100,
    ],
)
def test_what_no_clock_shows_is_no_moment(text: str) -> None:
    """An hour 24, an hour of a whole month, an offset that no place on earth has: refused."""
    assert parse_datetime(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14", Time(14)),
        ("14:34", Time(14, 34)),
        ("14:34:28", Time(14, 34, Decimal(28))),
        ("14:34:28.123", Time(14, 34, Decimal("28.123"))),
    ],
)
def test_a_time_is_read_as_far_as_it_is_written(text: str, expected: Time) -> None:
    """A time ends at the hour, the minute or the second."""
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["", "24:00", "14:34:28Z", "14:34:28+10:00", "T14:34", "1434", "14:34:28." + "0" * 90])
def test_a_time_has_no_zone(text: str) -> None:
    """A time of the day belongs to no zone; one that is written makes it no time."""
    assert parse_time(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2015",
        "0987-02",
        "2015-02-04T14",
        "2015-02-04T14:34",
        "2015-02-04T04:04:08.120Z",
        "2015-02-04T14:34:28.123+10:00",
        "2015-02-04T14:34:28-03:30",
    ],
)
def test_a_moment_is_written_as_it_was_read(text: str) -> None:
    """The text has the digits that were read, and `Z` stays `Z`."""
    assert str(parse_datetime(text)) == text


def test_the_t_of_a_partial_literal_is_no_part_of_the_value() -> None:
    """FHIR writes `2015` for what a literal calls `2015T`."""
    assert str(parse_datetime("2015T")) == "2015"


# Equality and equivalence


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2012", "2012", True),
        ("2012", "2013", False),
        ("2012-01", "2012", None),
        ("2012-04-15", "2012-04-15", True),
        ("2012-04-15", "2012-04-16", False),
        ("2012-04-15", "2012-04-15T", True),
        ("2012-04-15", "2012-04-15T10:00:00", None),
        ("2012-04-15", "2012-04-16T10:00:00", False),
        ("2012-01-01T10:30", "2012-01-01T10:31", False),
        ("2012-01-01T10:30:31", "2012-01-01T10:30", None),
        ("2012-04-15T15:30:31", "2012-04-15T15:30:31.0", True),
        ("2012-04-15T15:30:31", "2012-04-15T15:30:31.1", False),
        ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", None),
        ("2012-04-15T15:00:00Z", "2012-04-17T10:00:00", False),
        ("2012-04-15T15:00:00+02:00", "2012-04-15T16:00:00+03:00", True),
        ("2012-04-15T15:00+02:00", "2012-04-15T16:00+03:00", True),
        ("2012-04-15T15:00+02:00", "2012-04-15T16:00:00+03:00", None),
        ("2017-11-05T01:30:00.0-04:00", "2017-11-05T01:15:00.0-05:00", False),
        ("1974-12-25", "1974-12-25T12:34:00-10:00", None),
        ("1974-12-25", "1974-12-25T12:34:00+10:00", None),
        ("1974-12-25", "1974-12-25T12:34:00Z", None),
        ("1974-12-25", "T12:14:15", False),
        ("T12:14", "T12:14", True),
        ("T12:14", "T12:14:00", None),
    ],
)
def test_values_are_equal_when_every_part_is(left: str, right: str, expected: bool | None) -> None:
    """Parts are compared from the year on; where only one side goes on, equality is undecided."""
    assert equal(read(left), read(right)) is expected
    assert equal(read(right), read(left)) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2012-04-15", "2012-04-15", True),
        ("2012-04-15", "2012-04-16", False),
        ("2012-04-15", "2012-04-15T10:00:00", False),
        ("2012-01", "2012", False),
        ("2012-04-15T15:30:31", "2012-04-15T15:30:31.0", True),
        ("2012-04-15T15:30:31", "2012-04-15T15:30:31.1", False),
        ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", False),
        ("T10", "2012", False),
    ],
)
def test_equivalence_is_always_decided(left: str, right: str, expected: bool) -> None:
    """What differs in precision is not equivalent; seconds and their fraction are one precision."""
    assert equivalent(read(left), read(right)) is expected


# Order


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2014-12-12", "2014-12-13", -1),
        ("2014-12-13T12:00:01", "2014-12-13T12:00:00", 1),
        ("2014-12-13T12:00:00", "2014-12-13T12:00:00", 0),
        ("T12:00:00", "T14:00:00", -1),
        ("2018-03", "2018-03-01", None),
        ("2018-03", "2018-04-01", -1),
        ("2018-03-01T10:30", "2018-03-01T10:30:00", None),
        ("T10:30", "T10:30:00", None),
        ("2018-03-01T10:30:00", "2018-03-01T10:30:00.0", 0),
        ("T10:30:00", "T10:30:00.0", 0),
        ("2017-11-05T01:30:00.0-04:00", "2017-11-05T01:15:00.0-05:00", -1),
        ("2018-01-01T16:00:00+11:00", "2018-01-01T15:00:00.0+10:00", 0),
        ("2018-01-01T16:00:00+12:00", "2018-01-01T15:00:00.0+10:00", -1),
        ("2016-12-31T23:59:60Z", "2017-01-01T01:00:00+01:00", -1),
        ("2018-01-01T14+09:30", "2018-01-01T05:00:00Z", None),
        ("2018-01-01T14+10:00", "2018-01-01T05:00:00Z", -1),
        ("2018-01-01T14+10:00", "2018-01-01T04Z", 0),
    ],
)
def test_order_is_decided_where_the_written_parts_decide_it(left: str, right: str, expected: int | None) -> None:
    """The first different part decides; moments with offsets are compared as instants."""
    assert compare(read(left), read(right)) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2026-11-25T12:00:00.005+08:00", "1974-12-25", 1),
        ("2026-11-25T12:00:00.005+08:00", "2026-11-25", None),
        ("2026-11-25T11:59:59Z", "2026-11-24", None),
        ("2026-11-25T12:00:00Z", "2026-11-24", 1),
        ("2026-11-25T12:00:00Z", "2026-11-26T01:59:59", None),
        ("2026-11-25T12:00:00Z", "2026-11-26T02:00:01", -1),
        ("2026-01-31T23:00:00-05:00", "2026-02", None),
        ("2026-11-25T12:00:00Z", "2027", -1),
        ("2026-11-25T12:00:00Z", "2026", None),
    ],
)
def test_a_moment_without_an_offset_may_be_anywhere_on_earth(left: str, right: str, expected: int | None) -> None:
    """Beside a moment with an offset, order is decided only when it holds from -12:00 to +14:00."""
    assert compare(read(left), read(right)) == expected


def test_a_time_and_a_date_have_no_order() -> None:
    """A time of the day is neither before nor after a date."""
    with pytest.raises(EvaluationError, match="no order together"):
        compare(Time(12), Date(2012))


# Adding


@pytest.mark.parametrize(
    ("value", "amount", "unit", "expected"),
    [
        ("1973-12-25", "7", "days", "1974-01-01"),
        ("1973-12-25", "7.7", "days", "1974-01-01"),
        ("1973-12-25T00:00:00.000+10:00", "7.7", "days", "1974-01-01T00:00:00.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "1", "second", "1973-12-25T00:00:01.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "42.53", "seconds", "1973-12-25T00:00:42.530+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "10", "millisecond", "1973-12-25T00:00:00.010+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "1", "minute", "1973-12-25T00:01:00.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "1", "hour", "1973-12-25T01:00:00.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "-1", "ms", "1973-12-24T23:59:59.999+10:00"),
        ("1973-12-25", "1", "month", "1974-01-25"),
        ("1973-12-25", "1", "week", "1974-01-01"),
        ("1973-12-25", "1", "year", "1974-12-25"),
        ("1973-12-25", "1", "d", "1973-12-26"),
        ("1973-12-25", "1", "wk", "1974-01-01"),
        ("1973-12-25T00:00:00.000+10:00", "1", "s", "1973-12-25T00:00:01.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "0.1", "s", "1973-12-25T00:00:00.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "10", "ms", "1973-12-25T00:00:00.010+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "1", "min", "1973-12-25T00:01:00.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "1", "h", "1973-12-25T01:00:00.000+10:00"),
        ("1974-12-25", "-1", "month", "1974-11-25"),
        ("2019-03-01", "24", "months", "2021-03-01"),
        ("2019-03-01", "-24", "months", "2017-03-01"),
        ("2026-01-01T13:00:00", "30", "minutes", "2026-01-01T13:30:00"),
        ("2016-10-01T10:20:30", "-15", "hours", "2016-09-30T19:20:30"),
    ],
)
def test_an_amount_of_time_is_added_by_the_calendar(value: str, amount: str, unit: str, expected: str) -> None:
    """Whole units are added at the value's own offset; only seconds and finer have decimals."""
    assert str(add(read(value), Decimal(amount), unit)) == expected


@pytest.mark.parametrize(
    ("value", "amount", "unit", "expected"),
    [
        ("2026-01-31", "1", "month", "2026-02-28"),
        ("2024-02-29", "1", "year", "2025-02-28"),
        ("2024-02-29", "4", "years", "2028-02-29"),
        ("2024-03-31T10:00", "-1", "month", "2024-02-29T10:00"),
    ],
)
def test_a_day_that_the_month_lacks_becomes_its_last(value: str, amount: str, unit: str, expected: str) -> None:
    """The 31st of January plus a month is the last of February."""
    assert str(add(read(value), Decimal(amount), unit)) == expected


@pytest.mark.parametrize(
    ("value", "amount", "unit", "expected"),
    [
        ("2014", "24", "months", "2016"),
        ("2014", "23", "months", "2015"),
        ("2014", "11", "months", "2014"),
        ("2014", "-1", "month", "2014"),
        ("2014", "-25", "months", "2012"),
        ("2016", "365", "days", "2017"),
        ("2026-02", "5", "weeks", "2026-03"),
        ("2026-02", "4", "weeks", "2026-02"),
        ("2026-02", "-1", "day", "2026-02"),
        ("2014-06", "33", "days", "2014-07"),
        ("2005-05-10T", "25", "hours", "2005-05-11"),
        ("2005-05-10T", "5", "hours", "2005-05-10"),
        ("2016-05T", "-31535999", "seconds", "2015-05"),
        ("2005-05-10T23", "90", "minutes", "2005-05-11T00"),
        ("2005-05-10T23:59", "119.9", "seconds", "2005-05-11T00:00"),
    ],
)
def test_a_partial_value_counts_whole_steps_of_its_finest_part(
    value: str, amount: str, unit: str, expected: str
) -> None:
    """A year is 12 months or 365 days, a month 30 days; what is left over is dropped."""
    assert str(add(read(value), Decimal(amount), unit)) == expected


@pytest.mark.parametrize(
    ("value", "amount", "unit", "expected"),
    [
        ("T23:30:00", "1", "hour", "00:30:00"),
        ("T01:00:00", "48", "hours", "01:00:00"),
        ("T00:30:00", "-1", "hour", "23:30:00"),
        ("T12:00:00.000", "0.5", "seconds", "12:00:00.500"),
        ("T10", "90", "minutes", "11"),
    ],
)
def test_a_time_goes_round_midnight(value: str, amount: str, unit: str, expected: str) -> None:
    """Past midnight a time begins again."""
    assert str(add(read(value), Decimal(amount), unit)) == expected


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("1973-12-25", "mo"),
        ("1975-12-25", "a"),
        ("1974-12-25", "cm"),
        ("1974-12-25", "1"),
        ("1974-12-25", "hours"),
        ("T10:30", "day"),
        ("T10:30", "month"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(value: str, unit: str) -> None:
    """Mean years and months, units of other things, hours for a date and days for a time have no answer."""
    with pytest.raises(EvaluationError):
        add(read(value), Decimal(1), unit)


@pytest.mark.parametrize(
    ("value", "amount", "unit"),
    [
        ("9999", "1", "year"),
        ("9999-12", "1", "month"),
        ("9999-12-31", "1", "day"),
        ("0001-01-01", "-1", "day"),
        ("0001-01-01", "-1", "month"),
        ("9999-12-31T23:59:59Z", "1", "second"),
        ("2015", "1E+9999999", "years"),
        ("2015-01-01", "1E+17", "weeks"),
        ("2015", "NaN", "years"),
    ],
)
def test_outside_of_the_calendar_there_is_nothing(value: str, amount: str, unit: str) -> None:
    """Before the year 1 and after 9999 there is no date, however large the amount."""
    assert add(read(value), Decimal(amount), unit) is None


def test_an_amount_with_a_million_decimals_costs_nothing() -> None:
    """Decimals beyond a billionth of a second do not count."""
    assert str(add(read("T12:00:00"), Decimal("1E-9999999"), "seconds")) == "12:00:00"


# Between two


@pytest.mark.parametrize(
    ("left", "right", "unit", "expected"),
    [
        ("2025-01-02", "2025-01-07", "week", 0),
        ("2025-01-01", "2025-09-01", "year", 0),
        ("2024-12-01", "2025-09-01", "year", 0),
        ("2024-02-29", "2025-02-28", "month", 11),
        ("2024-03-15", "2024-01-20", "month", -1),
        ("2024-03-15", "2022-03-16", "year", -1),
        ("2025-01-20", "2025-01-06", "week", -2),
        ("2025-01-01T12:00:00", "2025-01-02T11:59:59", "day", 0),
        ("2025-01-01T12:00:00+01:00", "2025-01-01T12:00:00Z", "hour", 1),
        ("T10:30:00.000", "T10:30:01.500", "second", 1),
        ("T10:30:00.000", "T10:30:01.500", "millisecond", 1500),
        ("2025", "2025-01-07", "month", None),
        ("2025-01-01T12:00:00", "2025-01-01T12:00:00Z", "hour", None),
    ],
)
def test_duration_counts_whole_periods(left: str, right: str, unit: str, expected: int | None) -> None:
    """A period counts when all of it has passed; what is too imprecise has no answer."""
    assert duration(read(left), read(right), unit) == expected


@pytest.mark.parametrize(
    ("left", "right", "unit", "expected"),
    [
        ("2025-01-02", "2025-01-07", "week", 1),
        ("2025-01-01", "2025-09-01", "year", 0),
        ("2024-12-01", "2025-09-01", "year", 1),
        ("2025-09-01", "2024-12-01", "month", -9),
        ("2025-01-01T23:59:00", "2025-01-02T00:01:00", "day", 1),
        ("2025-01-01T10:59:00Z", "2025-01-01T12:01:00+01:00", "hour", 1),
        ("T10:59", "T11:00", "hour", 1),
        ("T10", "T11:00", "minute", None),
    ],
)
def test_difference_counts_boundaries(left: str, right: str, unit: str, expected: int | None) -> None:
    """New Year's Eve and New Year's Day differ by a year; weeks begin on Sunday."""
    assert difference(read(left), read(right), unit) == expected


@pytest.mark.parametrize(
    ("left", "right", "unit"),
    [
        ("2025-01-01", "2025-01-02", "hour"),
        ("T10:00", "T11:00", "day"),
        ("T10:00", "2025-01-01", "hour"),
        ("2025", "2026", "years"),
        ("2025", "2026", "a"),
    ],
)
def test_a_period_that_does_not_fit_is_refused(left: str, right: str, unit: str) -> None:
    """Dates have no hours between them, and a period is named by its one word."""
    with pytest.raises(EvaluationError):
        duration(read(left), read(right), unit)


# Boundaries, precision and parts


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        ("2014", 6, "2014-01"),
        ("2014", None, "2014-01-01"),
        ("2014-01-01T08", 17, "2014-01-01T08:00:00.000+14:00"),
        ("2014-01-01T08:05+08:00", 17, "2014-01-01T08:05:00.000+08:00"),
        ("2014-01-01T08", 8, "2014-01-01"),
        ("2001-05-06T", None, "2001-05-06T00:00:00.000+14:00"),
        ("2001-05-06T10:10:10.5Z", 14, "2001-05-06T10:10:10Z"),
        ("T10:30", 9, "10:30:00.000"),
        ("T10:30", 2, "10"),
    ],
)
def test_the_low_boundary_is_the_first_moment_it_may_mean(value: str, digits: int | None, expected: str) -> None:
    """What is open is filled with the lowest, an unknown offset with the easternmost."""
    assert str(low_boundary(read(value), digits)) == expected


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        ("2014", 6, "2014-12"),
        ("2016-02", None, "2016-02-29"),
        ("2014-01-01T08", 17, "2014-01-01T08:00:59.999-12:00"),
        ("2014-01-01T08:05-05:00", 17, "2014-01-01T08:05:59.999-05:00"),
        ("2014T", 12, "2014-12-31T23:59-12:00"),
        ("2001-05-06T10:10:10Z", None, "2001-05-06T10:10:10.999Z"),
        ("T10:30", 9, "10:30:59.999"),
        ("T10", 9, "10:59:59.999"),
    ],
)
def test_the_high_boundary_is_the_last_moment_it_may_mean(value: str, digits: int | None, expected: str) -> None:
    """What is open is filled with the highest, an unknown offset with the westernmost."""
    assert str(high_boundary(read(value), digits)) == expected


@pytest.mark.parametrize(("value", "digits"), [("2014", 17), ("2014T", 18), ("T10", 10), ("2014", 5), ("2014", -1)])
def test_a_number_of_digits_that_no_part_has_gives_nothing(value: str, digits: int) -> None:
    """A date ends at 8 digits, a moment at 17, a time at 9; a month and a half is no precision."""
    assert low_boundary(read(value), digits) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2014", 4),
        ("2014-01-05T10:30", 12),
        ("2014-01-05T10:30:00.000", 17),
        ("T10:30", 4),
        ("T10:30:00", 6),
        ("T10:30:00.000", 9),
    ],
)
def test_precision_counts_the_written_digits(value: str, expected: int) -> None:
    """Every written digit counts, those of the offset do not."""
    assert precision(read(value)) == expected


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ("2012-01-05T03:30:40.002-07:00", "yearOf", 2012),
        ("2012-01-05T03:30:40.002-07:00", "monthOf", 1),
        ("2012-01-05T03:30:40.002-07:00", "dayOf", 5),
        ("2012-01-05T03:30:40.002-07:00", "hourOf", 3),
        ("2012-01-05T03:30:40.002-07:00", "minuteOf", 30),
        ("2012-01-05T03:30:40.002-07:00", "secondOf", 40),
        ("2012-01-05T03:30:40.002-07:00", "millisecondOf", 2),
        ("2012-01-05T03:30:40.002-07:00", "timezoneOffsetOf", Decimal(-7)),
        ("2012-01-05T03:30:40+08:45", "timezoneOffsetOf", Decimal("8.75")),
        ("2012-01-05T03:30:40.002-07:00", "dateOf", Date(2012, 1, 5)),
        ("2012-01-05T03:30:40.002-07:00", "timeOf", Time(3, 30, Decimal("40.002"))),
        ("2012-01T", "dateOf", Date(2012, 1)),
        ("T10:30:40.5", "millisecondOf", 500),
        ("T10:30:40", "millisecondOf", None),
        ("2012", "monthOf", None),
        ("2012", "hourOf", None),
        ("2012", "millisecondOf", None),
        ("2012", "timezoneOffsetOf", None),
        ("2012-01-05T03:30:40", "timezoneOffsetOf", None),
        ("T10:30", "yearOf", None),
    ],
)
def test_a_part_is_there_when_it_is_written(
    value: str, name: str, expected: int | Decimal | Date | Time | None
) -> None:
    """Parts are read at the value's own offset; one that is not written is empty."""
    assert component(read(value), name) == expected


def test_a_moment_has_a_day_and_a_time() -> None:
    """The day and the time of the day are taken at the moment's own offset."""
    moment = read("2012-01-01T12:30:00.000-07:00")
    assert (str(date_of(moment)), str(time_of(moment))) == ("2012-01-01", "12:30:00.000")


@pytest.mark.parametrize("value", ["2012-01-01", "2012-01-01T"])
def test_a_day_has_no_time(value: str) -> None:
    """A value that ends at the day has no time of the day."""
    assert time_of(read(value)) is None


def test_a_time_has_no_day() -> None:
    """A time of the day belongs to no day."""
    assert date_of(Time(10)) is None


# The clock


def test_now_is_the_moment_at_its_own_offset() -> None:
    """The clock's moment keeps its offset and is cut to the millisecond."""
    moment = datetime(2026, 11, 25, 9, 5, 7, 89_999, timezone(timedelta(hours=8)))
    assert (str(now(moment)), str(today(moment)), str(time_of_day(moment))) == (
        "2026-11-25T09:05:07.089+08:00",
        "2026-11-25",
        "09:05:07.089",
    )


def test_now_in_utc_ends_in_z() -> None:
    """The offset 0 is written `Z`."""
    assert str(now(datetime(2026, 11, 25, tzinfo=UTC))) == "2026-11-25T00:00:00.000Z"


# Properties

_DAYS = st.dates().map(lambda day: Date(day.year, day.month, day.day))
_DATES = st.one_of(
    _DAYS,
    _DAYS.map(lambda day: Date(day.year, day.month)),
    _DAYS.map(lambda day: Date(day.year)),
)
_SECONDS = st.decimals(min_value=0, max_value=60, places=3).filter(lambda second: second < 60)
_HOURS, _MINUTES = st.integers(0, 23), st.integers(0, 59)
_TIMES = st.one_of(
    st.builds(Time, _HOURS), st.builds(Time, _HOURS, _MINUTES), st.builds(Time, _HOURS, _MINUTES, _SECONDS)
)
_MOMENTS = st.one_of(
    _DATES.map(lambda day: DateTime(day.year, day.month, day.day)),
    st.builds(
        lambda day, clock, offset: DateTime(
            day.year, day.month, day.day, clock.hour, clock.minute, clock.second, offset
        ),
        _DAYS,
        _TIMES,
        st.none() | st.integers(-720, 840),
    ),
)


@settings(derandomize=True, max_examples=100)
@given(_MOMENTS)
def test_a_moment_is_read_back_from_its_text(moment: DateTime) -> None:
    """What is written is read as the same value."""
    assert parse_datetime(str(moment)) == moment


@settings(derandomize=True, max_examples=50)
@given(_DATES, _TIMES)
def test_dates_and_times_are_read_back_from_their_texts(day: Date, clock: Time) -> None:
    """What is written is read as the same value."""
    assert (parse_date(str(day)), parse_time(str(clock))) == (day, clock)


@settings(derandomize=True, max_examples=200)
@given(_MOMENTS | _DATES, _MOMENTS | _DATES)
def test_the_order_turns_round_with_its_sides(left: Temporal, right: Temporal) -> None:
    """What comes before the other comes after it when they change places."""
    there, back = compare(left, right), compare(right, left)
    assert there == (None if back is None else -back)


@settings(derandomize=True, max_examples=200)
@given(
    st.sampled_from([Date, DateTime, Time]).flatmap(lambda kind: {Date: _DATES, DateTime: _MOMENTS, Time: _TIMES}[kind])
)
def test_a_value_lies_within_its_boundaries(value: Temporal) -> None:
    """The low boundary is never after the value, nor the value after the high one."""
    low, high = low_boundary(value), high_boundary(value)
    assert low is not None
    assert high is not None
    assert compare(low, value) in {-1, 0, None}
    assert compare(value, high) in {-1, 0, None}
    assert compare(low, high) in {-1, 0}


@settings(derandomize=True, max_examples=100)
@given(_DAYS, st.integers(-400_000, 400_000))
def test_days_added_are_the_difference(day: Date, days: int) -> None:
    """Where the sum is a date, the number of days between is what was added."""
    later = add(day, Decimal(days), "days")
    assert later is None or difference(day, later, "day") == days

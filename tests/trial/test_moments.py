"""Dates and times of any precision: never padded, never guessed (bad input C 50, 51, 53, 54)."""

from __future__ import annotations

from datetime import UTC, date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.trial import AmbiguousMomentError, Moment, MomentError, read_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(("text", "precision"), [("2024", "year"), ("2024-02", "month"), ("2024-02-29", "day")])
def test_c50_a_partial_date_stays_partial(text: str, precision: str) -> None:
    """Years, months and days are kept as they are."""
    moment = read_moment(text)
    assert (moment.iso, moment.recorded, moment.precision) == (text, text, precision)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("1970", date(1970, 1, 1), date(1971, 1, 1)),
        ("1970-02", date(1970, 2, 1), date(1970, 3, 1)),
        ("1970-12", date(1970, 12, 1), date(1971, 1, 1)),
        ("1972-02-29", date(1972, 2, 29), date(1972, 3, 1)),
    ],
)
def test_c50_a_partial_date_spans_all_it_may_mean(text: str, first: date, after: date) -> None:
    """The bounds of a partial date are its earliest instant and the first one after it."""
    seconds = [Fraction((day - date(1970, 1, 1)).days * 86400) for day in (first, after)]
    assert list(read_moment(text).bounds()) == seconds


def test_c50_the_days_of_a_place_begin_there() -> None:
    """A day at the site begins when it begins in the site's zone."""
    assert read_moment("1970-01-01").bounds(SHANGHAI)[0] == -8 * 3600


@pytest.mark.parametrize("text", ["9999", "9999-12", "9999-12-31", "0001-01-01"])
def test_c50_the_first_and_last_days_of_the_calendar_have_bounds(text: str) -> None:
    """The placeholder of many systems for `never` is a date like any other."""
    first, after = read_moment(text).bounds(SHANGHAI)
    assert first < after


@pytest.mark.parametrize(
    "text", ["2023-02-29", "2024-13", "2024-00-10", "2024-04-31", "0000", "2024-01-01T24:00:00", "2024-01-01T23:60"]
)
def test_c51_what_no_calendar_or_clock_has_is_refused(text: str) -> None:
    """Days and times that do not exist are refused with what would be right."""
    with pytest.raises(MomentError, match=r"calendar does not have|clock does not have"):
        read_moment(text, SHANGHAI)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-1-1",
        "01/02/2024",
        "2024-01-01 10:00",
        "2024-01-01T",
        "2024-01-01T10:00:00.",
        "\uff12\uff10\uff12\uff14",
    ],
)
def test_c51_what_is_no_iso_8601_is_refused(text: str) -> None:
    """Other ways to write a date are refused with an example of the right one."""
    with pytest.raises(MomentError, match="not an ISO 8601 date or time such as 2016-03-01"):
        read_moment(text, SHANGHAI)


@pytest.mark.parametrize("offset", ["+99:99", "-15:00", "+14:30", "+08:60"])
def test_c51_an_offset_that_no_place_has_is_refused(offset: str) -> None:
    """FHIR knows offsets up to 14 hours, with minutes up to 59."""
    with pytest.raises(MomentError):
        read_moment(f"2024-01-01T10:00:00{offset}")


@pytest.mark.parametrize("offset", ["+14:00", "-12:00", "+05:45", "Z"])
def test_an_offset_that_a_place_has_is_kept(offset: str) -> None:
    """A time that brings its offset keeps it, whatever the site's zone is."""
    assert read_moment(f"2024-01-01T10:00:00{offset}", SHANGHAI).iso == f"2024-01-01T10:00:00{offset}"


def test_c51_a_leap_second_is_accepted_and_ordered() -> None:
    """Second 60 comes after second 59.9 and before nothing else of that minute."""
    last, leap = (read_moment(f"2016-12-31T23:59:{second}Z").bounds()[0] for second in ("59.9", "60"))
    assert leap - last == Fraction(1, 10)


def test_c51_a_second_beyond_the_leap_second_is_refused() -> None:
    """There is no second 61."""
    with pytest.raises(MomentError, match="seconds to 60"):
        read_moment("2016-12-31T23:59:61Z")


def test_c53_fractions_of_any_length_keep_text_and_order() -> None:
    """Fractions below a microsecond stay in the text and still decide the order."""
    early, late = (read_moment(f"2024-01-01T00:00:00.000000000{digit}Z") for digit in "12")
    assert early.iso == "2024-01-01T00:00:00.0000000001Z"
    assert late.bounds()[0] - early.bounds()[0] == Fraction(1, 10**10)


def test_c54_a_local_time_takes_seconds_and_the_offset_of_the_site() -> None:
    """`:00` is filled, the zone is the site's, and the text as recorded is kept."""
    moment = read_moment("2016-03-01T08:10", SHANGHAI)
    assert moment == Moment("2016-03-01T08:10:00+08:00", "2016-03-01T08:10", "time")


@pytest.mark.parametrize(("text", "offset"), [("2024-01-15T08:00", "-05:00"), ("2024-07-15T08:00", "-04:00")])
def test_c54_summer_time_has_its_own_offset(text: str, offset: str) -> None:
    """The offset is the one of that day."""
    assert read_moment(text, NEW_YORK).iso.endswith(offset)


def test_c54_a_zone_with_quarters_of_an_hour_is_written_with_minutes() -> None:
    """Kathmandu is 5:45 ahead."""
    assert read_moment("2024-01-15T08:00", ZoneInfo("Asia/Kathmandu")).iso == "2024-01-15T08:00:00+05:45"


def test_c54_a_local_time_without_a_zone_is_refused() -> None:
    """Nobody knows when 8:10 was when nobody knows where."""
    with pytest.raises(MomentError, match="no time zone in the trial folder"):
        read_moment("2016-03-01T08:10")


@pytest.mark.parametrize("text", ["2024-11-03T01:30", "2024-03-10T02:30"])
def test_c54_an_hour_that_came_twice_or_never_is_ambiguous(text: str) -> None:
    """The hour of the clock change is refused, with the remedy."""
    with pytest.raises(AmbiguousMomentError, match="write it with its offset"):
        read_moment(text, NEW_YORK)


def test_c54_an_ambiguous_hour_with_its_offset_is_clear() -> None:
    """The offset says which of the two hours it was."""
    assert read_moment("2024-11-03T01:30-04:00", NEW_YORK).iso == "2024-11-03T01:30:00-04:00"


@pytest.mark.parametrize("text", ["2024-01-15T08", "2024-01-15T08+08:00"])
def test_an_hour_alone_counts_as_its_day(text: str) -> None:
    """FHIR has no hour without minutes: the day is true, and the text keeps the hour."""
    assert read_moment(text, SHANGHAI) == Moment("2024-01-15", text, "day")


def test_an_hour_alone_is_still_checked() -> None:
    """An hour that the clock does not have is refused too."""
    with pytest.raises(MomentError, match="clock does not have"):
        read_moment("2024-01-15T25", SHANGHAI)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024", None), ("2024-02", None), ("2024-02-03", date(2024, 2, 3)), ("2024-02-03T23:00Z", date(2024, 2, 3))],
)
def test_the_day_is_the_one_at_the_place(text: str, day: date | None) -> None:
    """The calendar day is known from the day on, and is the day where it was recorded."""
    assert read_moment(text).day == day


@given(st.datetimes(), st.sampled_from(["UTC", "Asia/Shanghai", "Asia/Kathmandu"]))
def test_bounds_of_a_time_are_the_instant_itself(local: object, zone: str) -> None:
    """A time with seconds is one instant, the same in every zone."""
    moment = Moment(f"{local.isoformat()}+08:00", "", "time")  # type: ignore[attr-defined]
    first, last = moment.bounds(ZoneInfo(zone))
    assert first == last == moment.bounds(UTC)[0]

"""Study days without a day 0, and the windows of planned visits."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.trial import Window, study_day

_DAYS = st.dates(date(1990, 1, 1), date(2050, 1, 1))


@pytest.mark.parametrize(
    ("day", "number"), [(date(2024, 1, 10), 1), (date(2024, 1, 9), -1), (date(2024, 1, 11), 2), (date(2024, 1, 1), -9)]
)
def test_day_one_is_the_reference_start(day: date, number: int) -> None:
    """The reference start is day 1, and the day before it is day -1."""
    assert study_day(day, date(2024, 1, 10)) == number


@given(_DAYS, _DAYS)
def test_there_is_no_day_zero(day: date, reference: date) -> None:
    """No calendar day is study day 0."""
    assert study_day(day, reference) != 0


@pytest.mark.parametrize(("day", "inside"), [(11, False), (12, True), (14, True), (17, True), (18, False)])
def test_both_ends_belong_to_a_window(day: int, inside: bool) -> None:
    """A window may reach further after the planned day than before it."""
    assert Window("WEEK 2", 14, before=2, after=3).contains(day) is inside


@pytest.mark.parametrize(("day", "inside"), [(-2, False), (-1, True), (1, True), (2, True), (3, False)])
def test_a_window_over_the_start_counts_without_a_day_zero(day: int, inside: bool) -> None:
    """The day before day 1 is day -1, one day away."""
    assert Window("BASELINE", 1, before=1, after=1).contains(day) is inside


def test_a_window_without_width_is_its_day() -> None:
    """Where no tolerance is stated only the planned day is in time."""
    assert [Window("SCREENING", -7).contains(day) for day in (-8, -7, -6)] == [False, True, False]

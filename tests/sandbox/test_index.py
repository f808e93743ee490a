"""Which values of a resource searches can find."""

from __future__ import annotations

import pytest

from fhir_adapter.sandbox.index import index_rows, normalized
from fhir_adapter.sandbox.moments import FOREVER, instant, interval

DAY = 24 * 60 * 60 * 1_000_000_000


def test_contact_points_have_no_code_system() -> None:
    """`phone` is a kind of contact, not the system of a token."""
    (row,) = index_rows({"resourceType": "Patient", "telecom": [{"system": "phone", "value": "1"}]})
    assert (row.param, row.system, row.value) == ("Patient.telecom", None, "1")


def test_booleans_and_numbers_are_tokens() -> None:
    """As JSON writes them."""
    rows = index_rows({"resourceType": "Patient", "active": True})
    assert [(row.param, row.value) for row in rows] == [("Patient.active", "true")]


def test_contained_references_are_not_indexed() -> None:
    """They point nowhere outside the resource."""
    assert index_rows({"resourceType": "ResearchSubject", "individual": {"reference": "#p"}}) == []


def test_a_parameter_for_patients_reads_no_other_targets() -> None:
    """`patient` and `subject` read one element, but not the same targets."""
    rows = index_rows({"resourceType": "Observation", "subject": {"reference": "Device/d"}})
    assert [row.param for row in rows] == ["Observation.subject"]


def test_equal_values_are_indexed_once() -> None:
    """Two codings of one code are one row."""
    coding = {"system": "s", "code": "c"}
    rows = index_rows({"resourceType": "Medication", "code": {"coding": [coding, coding]}})
    assert len(rows) == 1


def test_text_is_compared_without_case_and_accents() -> None:
    """And without surplus blanks."""
    assert normalized("  José \n ÉLAN ") == "jose elan"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2016", 366 * DAY),
        ("2016-12", 31 * DAY),
        ("2016-02-29", DAY),
        ("2016-02-29T10:00Z", 60_000_000_000),
        ("2016-02-29T10:00:00Z", 1_000_000_000),
        ("2016-02-29T10:00:60Z", 1_000_000_000),
        ("2016-02-29T10:00:00.123+08:00", 1_000_000),
        ("2016-02-29T10:00:00.123456789Z", 1),
    ],
)
def test_dates_last_as_long_as_their_last_digit_says(text: str, length: int) -> None:
    """A year is a year, a second a second."""
    low, high = interval(text) or (0, 0)
    assert high - low == length


def test_the_last_year_has_no_end() -> None:
    """9999 is often written for "never"."""
    assert (interval("9999") or (0, 0))[1] == FOREVER


@pytest.mark.parametrize("text", ["", "2016-13", "2016-02-30", "2016-1-1", "0000", "10:00", "2016-01-01T24:00:00Z"])
def test_what_is_no_date_has_no_stretch(text: str) -> None:
    """Impossible dates are not mended."""
    assert interval(text) is None


def test_instants_have_milliseconds() -> None:
    """As FHIR servers write them."""
    assert instant(1_456_826_400_005) == "2016-03-01T10:00:00.005Z"

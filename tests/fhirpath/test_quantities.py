"""Quantities of FHIRPath: the official suite's answers, the calendar beside UCUM, and what is empty."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter.fhirjson import NumberText
from fhir_adapter.fhirpath import quantities
from fhir_adapter.fhirpath.quantities import Quantity, parse_quantity, to_text

SOME = settings(derandomize=True, max_examples=60, deadline=None)
VALUES = st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), allow_nan=False, places=6)


def q(text: str) -> Quantity:
    """A quantity as an expression would write it."""
    found = parse_quantity(text)
    assert found is not None
    return found


def text(found: Quantity | None) -> str | None:
    """How it would be written, or None for empty."""
    return to_text(found) if found else None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1", "1 '1'"),
        ("1.0", "1.0 '1'"),
        ("1 day", "1 day"),
        ("4 days", "4 days"),
        ("4days", "4 days"),
        ("1 'wk'", "1 'wk'"),
        ("+1.50 'mm[Hg]'", "1.50 'mm[Hg]'"),
        ("-1 'day'", "-1 day"),
        ("1 wk", None),
        ("1.a", None),
        ("1. 'mg'", None),
        ("", None),
        (" 1", None),
        ("1 ''", None),
        ("1 'mg' x", None),
        ("\u0661 day", None),
        ("9" * 1001, None),
    ],
)
def test_a_text_is_read_as_a_quantity(written: str, expected: str | None) -> None:
    """A number with a quoted unit, a word of the calendar, or none."""
    assert text(parse_quantity(written)) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("4.0000 'g'", "4000.0 'mg'", True),
        ("4 'g'", "4040 'mg'", False),
        ("185 '[lb_av]'", "185 'kg'", False),
        ("7 days", "1 week", True),
        ("7 days", "1 'wk'", True),
        ("1 day", "1 'd'", True),
        ("1 'wk'", "1 week", True),
        ("1 hour", "3600 's'", True),
        ("1 second", "1000 milliseconds", True),
        ("1 'mo'", "1 month", None),
        ("1 'a'", "1 year", None),
        ("12 'mo'", "1 year", None),
        ("1 week", "1 'mo'", None),
        ("1 'a'", "12 'mo'", True),
        ("1 year", "12 months", True),
        ("1 year", "365 days", True),
        ("1 month", "30 days", True),
        ("1 year", "1 years", True),
        ("1 'cm'", "1 'm'", False),
        ("1 'cm'", "1 's'", None),
        ("1 'cm'", "1 '[s]'", None),
        ("23 'Cel'", "73.4 '[degF]'", True),
        ("23", "23.0 '1'", True),
        ("3 'tablets'", "3.0 'tablets'", True),
        ("3 'tablets'", "3 'capsules'", None),
        ("1 'mmol/L'", "18 'mg/dL'", None),
        ("1 '[IU]/L'", "1 'U/L'", None),
        ("60 'U/L'", "1 'ukat/L'", True),
        ("120 'mm[Hg]'", "15.99864 'kPa'", True),
        ("5 '{score}'", "5", True),
    ],
)
def test_equality(left: str, right: str, expected: bool | None) -> None:
    """Exact in any unit of the same kind; empty for different kinds, and for years and months of two systems."""
    assert quantities.equal(q(left), q(right)) is expected
    assert quantities.equal(q(right), q(left)) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("4 'g'", "4000 'mg'", True),
        ("4 'g'", "4040 'mg'", True),
        ("4 'g'", "4540 'mg'", False),
        ("2.1 'cm'", "21 'mm'", True),
        ("21 'mm'", "2 'cm'", True),
        ("1 '[in_i]'", "2.5 'cm'", True),
        ("1.0 '1'", "1 '1'", True),
        ("1 year", "1 'a'", True),
        ("1 year", "12 'mo'", True),
        ("1 year", "11 months", True),
        ("1 month", "1 'mo'", True),
        ("1 second", "1 's'", True),
        ("23 'Cel'", "73.4 '[degF]'", True),
        ("1 'cm'", "1 's'", False),
        ("1 'cm'", "1 '[s]'", False),
        ("185 '[lb_av]'", "185 'kg'", False),
    ],
)
def test_equivalence(left: str, right: str, expected: bool) -> None:
    """In the larger unit, rounded to the less precise value; never empty."""
    assert quantities.equivalent(q(left), q(right)) is expected
    assert quantities.equivalent(q(right), q(left)) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("6 days", "1 week", -1),
        ("8 days", "1 week", 1),
        ("185 '[lb_av]'", "200 '[lb_av]'", -1),
        ("185 '[lb_av]'", "83.91458 'kg'", 1),
        ("10 seconds", "1 's'", 1),
        ("6 months", "1 year", -1),
        ("1 year", "1 'a'", None),
        ("37 'Cel'", "99 '[degF]'", -1),
        ("0 'Cel'", "273.15 'K'", 0),
        ("1 'cm'", "1 's'", None),
    ],
)
def test_comparison(left: str, right: str, expected: int | None) -> None:
    """Smaller, the same, larger, or not to be compared."""
    assert quantities.compare(q(left), q(right)) == expected


@pytest.mark.parametrize(
    ("right", "expected"), [("1 '[in_i]'", True), ("1 '[s]'", False), ("1 's'", False), ("9 'cm'", True)]
)
def test_comparable(right: str, expected: bool) -> None:
    """True where a comparison has an answer."""
    assert quantities.comparable(q("1 'cm'"), q(right)) is expected


@pytest.mark.parametrize(
    ("left", "right", "total", "difference"),
    [
        ("3 'm'", "3 'cm'", "303 'cm'", "297 'cm'"),
        ("3 'cm'", "3 'm'", "303 'cm'", "-297 'cm'"),
        ("1.50 'mg'", "1 'mg'", "2.50 'mg'", "0.50 'mg'"),
        ("2 minutes", "60 seconds", "180 seconds", "60 seconds"),
        ("60 's'", "2 minutes", "180 seconds", "-60 seconds"),
        ("1 'wk'", "2 days", "9 days", "5 days"),
        ("3 'd'", "1 'wk'", "10 'd'", "-4 'd'"),
        ("1 week", "14 days", "21 days", "-7 days"),
        ("1 year", "2 years", "3 year", "-1 year"),
        ("1 year", "12 months", None, None),
        ("1 year", "12 'mo'", None, None),
        ("1 day", "1 'mo'", None, None),
        ("2", "2 'cm'", None, None),
        ("2", "2 '1'", "4 '1'", "0 '1'"),
        ("1 'kg'", "1 'cm'", None, None),
        ("20 'Cel'", "1 'Cel'", None, None),
        ("2 'tablets'", "1 'tablets'", "3 'tablets'", "1 'tablets'"),
    ],
)
def test_addition_and_subtraction(left: str, right: str, total: str | None, difference: str | None) -> None:
    """In the smaller unit, in the calendar's words where one is the calendar's; degrees have no sum."""
    found = quantities.add(q(left), q(right)), quantities.subtract(q(left), q(right))
    assert tuple(text(one) for one in found) == (total, difference)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2.0 'cm'", "2.0 'm'", "0.040 'm2'"),
        ("12 'cm'", "3 'cm'", "36 'cm2'"),
        ("3 'cm'", "12 'cm2'", "36 'cm3'"),
        ("10 'm/s'", "10 's'", "100 'm'"),
        ("5 'mL'", "10.8 'g/L'", "54 'mg'"),
        ("2", "3 days", "6 days"),
        ("3 days", "2", "6 days"),
        ("1 'kg.m/s2'", "1 'm'", "1 'J'"),
    ],
)
def test_multiplication(left: str, right: str, expected: str) -> None:
    """The product has the unit that its factors give."""
    found = quantities.multiply(q(left), q(right))
    assert found is not None
    assert quantities.equal(found, q(expected))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("4.0 'g'", "2.0 'm'", "2 'g/m'"),
        ("1.0 'm'", "1.0 'm'", "1 '1'"),
        ("12 'cm2'", "3 'cm'", "4 'cm'"),
        ("120 'm'", "60 's'", "2 'm/s'"),
        ("60", "1 's'", "60 '/s'"),
        ("60 's'", "2", "30 's'"),
        ("4 days", "2", "2 days"),
        ("1 'm'", "1 'cm'", "100 '1'"),
        ("70 'kg'", "4 'm2'", "17.5 'kg/m2'"),
        ("4 'g'", "0 'm'", None),
        ("4 days", "2 days", None),
        ("4 'Cel'", "2", None),
        ("4 'tablets'", "2 'd'", None),
    ],
)
def test_division(left: str, right: str, expected: str | None) -> None:
    """The quotient has the unit that its parts give; nothing is divided by 0, by degrees or by days of the calendar."""
    found = quantities.divide(q(left), q(right))
    assert text(found) == expected


def test_a_number_multiplies_a_quantity() -> None:
    """It counts as an amount without a unit."""
    assert text(quantities.multiply(3, q("2 'cm'"))) == "6 'cm'"


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (quantities.absolute, "-5.5 'mg'", "5.5 'mg'"),
        (quantities.negate, "5.5 'mg'", "-5.5 'mg'"),
        (quantities.ceiling, "1.1 'mg'", "2 'mg'"),
        (quantities.floor, "1.9 'mg'", "1 'mg'"),
        (quantities.truncate, "-1.9 days", "-1 days"),
        (quantities.round_to, "2.5 'mg'", "3 'mg'"),
        (quantities.low_boundary, "1.587 'cm'", "1.58650000 'cm'"),
        (quantities.high_boundary, "1.587 'm'", "1.58750000 'm'"),
    ],
)
def test_functions_keep_the_unit(function: Any, value: str, expected: str) -> None:
    """What a function makes of the number, it makes of the amount."""
    assert text(function(q(value))) == expected


@pytest.mark.parametrize("function", [quantities.low_boundary, quantities.high_boundary])
def test_a_boundary_with_too_many_digits_is_empty(function: Any) -> None:
    """As for numbers."""
    assert function(q("1.5 'cm'"), 32) is None


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("52 'cm'", "m", "0.52 'm'"),
        ("45", "m", None),
        ("24 'm'", "kg", None),
        ("1 'a'", "d", "365.25 'd'"),
        ("1 'wk'", "d", "7 'd'"),
        ("10 'Cel'", "[degF]", "50 '[degF]'"),
        ("7 days", "wk", "1 'wk'"),
        ("182.5 days", "a", "0.5 'a'"),
        ("1 year", "a", "1 'a'"),
        ("1 year", "months", "12 months"),
        ("1 'mo'", "days", "30.4375 days"),
        ("2 seconds", "us", "2000000 'us'"),
        ("1.50 'mg'", "mg", "1.50 'mg'"),
        ("1.50 'mg'", "[s]", None),
        ("1 'h'", "a" * 200, None),
    ],
)
def test_conversion(value: str, unit: str, expected: str | None) -> None:
    """Exact where the result has an end; empty between different things."""
    assert text(quantities.convert(q(value), unit)) == expected


@SOME
@given(VALUES, st.sampled_from([("g", "kg"), ("[lb_av]", "g"), ("mm[Hg]", "Pa"), ("h", "s"), ("10*9/L", "/uL")]))
def test_a_converted_amount_is_the_same_amount(value: Decimal, units: tuple[str, str]) -> None:
    """Conversions with a finite result lose nothing, there and back."""
    one = Quantity(value, units[0])
    there = quantities.convert(one, units[1])
    assert there is not None
    assert quantities.equal(there, one)


@SOME
@given(VALUES, VALUES, st.sampled_from([("g", "mg"), ("days", "hours"), ("Cel", "[degF]"), ("d", "weeks")]))
def test_a_comparison_turned_round_is_turned_round(left: Decimal, right: Decimal, units: tuple[str, str]) -> None:
    """And knows no order of units."""
    one, other = Quantity(left, units[0]), Quantity(right, units[1])
    forth, back = quantities.compare(one, other), quantities.compare(other, one)
    assert forth is not None
    assert back == -forth


@SOME
@given(VALUES, VALUES, st.sampled_from([("cm", "m"), ("minutes", "seconds"), ("d", "days")]))
def test_what_was_added_can_be_taken_away(left: Decimal, right: Decimal, units: tuple[str, str]) -> None:
    """(x + y) - y = x."""
    one, other = Quantity(left, units[0]), Quantity(right, units[1])
    total = quantities.add(one, other)
    assert total is not None
    rest = quantities.subtract(total, other)
    assert rest is not None
    assert quantities.equal(rest, one)


NAMES = "iU arb'U USP'U GPL'U MPL'U APL'U beth'U anti'Xa'U tb'U todd'U CFU PFU FFU BAU AU FEU ELU EU PNU Lf IR CCID_50"
LONG = [f"[{name}]" for name in NAMES.split()]
BODY_WEIGHT = {"value": 185, "unit": "lbs", "system": "http://unitsofmeasure.org", "code": "[lb_av]"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "185 '[lb_av]'"),
        ({"value": NumberText("1.5e1")}, "15 '[lb_av]'"),
        ({"code": "a"}, "185 year"),
        ({"code": "min"}, "185 minute"),
        ({"code": "wk"}, "185 'wk'"),
        ({"code": "ms"}, "185 'ms'"),
        ({"comparator": "<"}, None),
        ({"system": "http://snomed.info/sct", "code": "258693003"}, None),
        ({"system": None}, None),
        ({"code": None}, None),
        ({"code": 5}, None),
        ({"value": None}, None),
        ({"value": True}, None),
        ({"value": "185"}, None),
        ({"system": quantities.CALENDAR_UNITS, "code": "year"}, "185 year"),
        ({"system": quantities.CALENDAR_UNITS, "code": "a"}, None),
    ],
)
def test_a_fhir_quantity_is_read(changes: dict[str, Any], expected: str | None) -> None:
    """With a UCUM code, whose durations become the calendar's as FHIR maps them; a comparator is no amount."""
    assert text(quantities.from_fhir(BODY_WEIGHT | changes)) == expected


def test_a_value_beyond_sense_is_compared_in_its_own_unit_only() -> None:
    """A conversion would take gigabytes."""
    huge = Quantity(Decimal("1E+999999999"), "g")
    assert quantities.compare(huge, q("1 'g'")) == 1
    assert quantities.compare(huge, q("1 'mg'")) is None
    assert not quantities.equivalent(huge, q("1 'mg'"))
    assert quantities.add(huge, q("1 'mg'")) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [("m99", "m"), (".".join(LONG[:14]), ".".join(LONG[14:]))],
)
def test_a_product_whose_unit_could_not_be_read_is_empty(left: str, right: str) -> None:
    """A unit has a power of two digits at most, and 128 characters."""
    assert quantities.multiply(Quantity(Decimal(1), left), Quantity(Decimal(1), right)) is None


@pytest.mark.parametrize(
    ("value", "code", "unit"),
    [("1.50 'mg'", "mg", "mg"), ("3 years", "a", "years"), ("2", "1", "1"), ("1 'wk'", "wk", "wk")],
)
def test_a_quantity_is_written_as_fhir_s(value: str, code: str, unit: str) -> None:
    """With a UCUM code, also for words of the calendar."""
    expected = {"value": q(value).value, "unit": unit, "system": "http://unitsofmeasure.org", "code": code}
    assert quantities.to_fhir(q(value)) == expected


def test_a_conversion_is_as_exact_as_a_fraction() -> None:
    """A third of a foot is 4 inches, whatever a decimal makes of it."""
    feet = quantities.convert(q("4 '[in_i]'"), "[ft_i]")
    assert feet is not None
    assert abs(Fraction(feet.value) - Fraction(1, 3)) < Fraction(1, 10**37)

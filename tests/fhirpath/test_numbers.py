"""Numbers of FHIRPath: the official suite's answers, exactness, and quick answers to hostile sums."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter.fhirjson import NumberText
from fhir_adapter.fhirpath import numbers
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.numbers import Number

D = Decimal
SOME = settings(derandomize=True, max_examples=60, deadline=None)
DECIMALS = st.decimals(min_value=D("-1e12"), max_value=D("1e12"), allow_nan=False, allow_infinity=False, places=8)
WHOLE = st.integers(min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(
    ("operation", "left", "right", "expected"),
    [
        (numbers.add, 1, 1, 2),
        (numbers.add, D("1.2"), D("1.8"), D("3.0")),
        (numbers.add, 1, D("0.5"), D("1.5")),
        (numbers.subtract, 1, 1, 0),
        (numbers.subtract, D("1.8"), D("1.2"), D("0.6")),
        (numbers.multiply, 1, 0, 0),
        (numbers.multiply, D("1.2"), D("1.8"), D("2.16")),
        (numbers.divide, 1, 1, D(1)),
        (numbers.divide, 4, 2, D(2)),
        (numbers.divide, D("4.0"), D("2.0"), D("2.0")),
        (numbers.divide, 1, 2, D("0.5")),
        (numbers.divide, 1, 0, None),
        (numbers.divide, 0, 0, None),
        (numbers.integer_divide, 5, 2, 2),
        (numbers.integer_divide, -5, 2, -2),
        (numbers.integer_divide, D("2.2"), D("1.8"), 1),
        (numbers.integer_divide, D("5.5"), D("0.7"), 7),
        (numbers.integer_divide, 5, 0, None),
        (numbers.modulo, 5, 2, 1),
        (numbers.modulo, -5, 2, -1),
        (numbers.modulo, 5, -2, 1),
        (numbers.modulo, D("2.2"), D("1.8"), D("0.4")),
        (numbers.modulo, D("5.5"), D("0.7"), D("0.6")),
        (numbers.modulo, 5, 0, None),
        (numbers.log, 16, 2, D(4)),
        (numbers.log, D("100.0"), D("10.0"), D(2)),
        (numbers.log, 16, 1, None),
        (numbers.power, 2, 3, 8),
        (numbers.power, D("2.5"), 2, D("6.25")),
        (numbers.power, 2, -1, D("0.5")),
        (numbers.power, 4, D("0.5"), D(2)),
        (numbers.power, -1, D("0.5"), None),
        (numbers.power, 0, -1, None),
        (numbers.power, 0, 0, 1),
        (numbers.power, D("0.0"), 0, D(1)),
        (numbers.power, -1, 10**30 + 1, -1),
        (numbers.round_to, 1, 0, D(1)),
        (numbers.round_to, D("3.14159"), 3, D("3.142")),
        (numbers.round_to, D("-0.5"), 0, D(-1)),
        (numbers.round_to, D("2.5"), 0, D(3)),
        (numbers.round_to, D("1.5"), 10**12, D("1.5")),
    ],
)
def test_operators(
    operation: Callable[[Any, Any], Number | None], left: Number, right: Number, expected: Number | None
) -> None:
    """The suite's and the specification's answers; empty where there is none."""
    assert operation(left, right) == expected


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (numbers.absolute, -5, 5),
        (numbers.absolute, D("-5.5"), D("5.5")),
        (numbers.negate, 5, -5),
        (numbers.negate, D("5.50"), D("-5.50")),
        (numbers.ceiling, 1, 1),
        (numbers.ceiling, D("-1.1"), -1),
        (numbers.ceiling, D("1.1"), 2),
        (numbers.floor, D("2.1"), 2),
        (numbers.floor, D("-2.1"), -3),
        (numbers.truncate, 101, 101),
        (numbers.truncate, D("1.00000001"), 1),
        (numbers.truncate, D("-1.56"), -1),
        (numbers.truncate, D("0E+999999"), 0),
        (numbers.truncate, D("1E+999999"), None),
        (numbers.sqrt, 81, D(9)),
        (numbers.sqrt, -1, None),
        (numbers.exp, 0, D(1)),
        (numbers.exp, D("-0.0"), D(1)),
        (numbers.ln, 1, D(0)),
        (numbers.ln, D("1.0"), D(0)),
        (numbers.precision, D("1.58700"), 5),
        (numbers.precision, 100, 0),
        (numbers.precision, NumberText("1.0e-3"), 4),
        (numbers.precision, D("1E+3"), 0),
    ],
)
def test_functions(function: Callable[[Any], Number | None], value: Number, expected: Number | None) -> None:
    """The suite's and the specification's answers; empty where there is none."""
    assert function(value) == expected


def test_two_whole_numbers_stay_whole() -> None:
    """Sum, product, remainder and power of integers are integers."""
    found = [numbers.add(2, 3), numbers.multiply(2, 3), numbers.modulo(2, 3), numbers.power(2, 3)]
    assert [type(one) for one in found] == [int] * 4


def test_a_quotient_is_a_decimal() -> None:
    """Even of whole numbers that divide without rest."""
    assert isinstance(numbers.divide(4, 2), Decimal)


def test_a_third_has_thirty_eight_digits() -> None:
    """What has no end is cut at a fixed place, whatever the caller's own decimal context says."""
    assert numbers.divide(1, 3) == D("0." + "3" * 38)


@SOME
@given(DECIMALS | WHOLE, DECIMALS | WHOLE)
def test_sums_and_products_are_exact(left: Number, right: Number) -> None:
    """As fractions reckon them."""
    found = numbers.add(left, right), numbers.subtract(left, right), numbers.multiply(left, right)
    one, other = Fraction(left), Fraction(right)
    assert [Fraction(each or 0) for each in found] == [one + other, one - other, one * other]


@SOME
@given(DECIMALS | WHOLE, DECIMALS.filter(bool))
def test_quotient_and_remainder_give_the_dividend(left: Number, right: Decimal) -> None:
    """The quotient times the divisor, and the remainder."""
    quotient, remainder = numbers.integer_divide(left, right), numbers.modulo(left, right)
    assert quotient is not None
    assert remainder is not None
    assert quotient * Fraction(right) + Fraction(remainder) == Fraction(left)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (D("1.10"), D("1.1"), True),
        (D("1.1"), D("1.2"), False),
        (D("0.0"), 0, True),
        (1, D("1.000"), True),
        (D("0.67"), D("0.6666666666"), False),
        (NumberText("1E3"), 1000, True),
    ],
)
def test_equality_ignores_zeros_at_the_end(left: Number, right: Number, expected: bool) -> None:
    """1 is 1.0 is 1.00."""
    assert numbers.equal(left, right) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (D("1.1"), D("1.1"), True),
        (D("1.1"), D("1.2"), False),
        (D("1.10"), D("1.1"), True),
        (D("0.66666667"), D("0.67"), True),
        (D("0.66666667"), D("0.6"), False),
        (D("0.66666667"), D("0.670"), True),
        (D("0.0"), 0, True),
        (D("1.4"), 1, True),
        (D("1.5"), 1, False),
        (1, 2, False),
        (D("1E+400"), D("1.5"), False),
    ],
)
def test_equivalence_rounds_to_the_less_precise(left: Number, right: Number, expected: bool) -> None:
    """Zeros at the end do not make a number more precise."""
    assert numbers.equivalent(left, right) is expected
    assert numbers.equivalent(right, left) is expected


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (D("1.587"), None, "1.58650000"),
        (D("1.587"), 6, "1.586500"),
        (D("1.587"), 2, "1.58"),
        (D("1.587"), -1, None),
        (D("1.587"), 0, "1"),
        (D("1.587"), 32, None),
        (D("-1.587"), None, "-1.58750000"),
        (D("-1.587"), 6, "-1.587500"),
        (D("-1.587"), 2, "-1.59"),
        (D("-1.587"), 0, "-2"),
        (1, None, "0.50000000"),
        (1, 0, "0"),
        (1, 5, "0.50000"),
        (D("12.587"), 2, "12.58"),
        (D("12.500"), 4, "12.4995"),
        (120, 2, "119.50"),
        (-120, 2, "-120.50"),
        (D("0.0034"), 1, "0.0"),
        (D("-0.0034"), 1, "-0.0"),
        (0, 1, "-0.5"),
    ],
)
def test_low_boundary(value: Number, digits: int | None, expected: str | None) -> None:
    """The suite's answers, digit for digit."""
    found = numbers.low_boundary(value, digits)
    assert (found if found is None else numbers.to_text(found)) == expected


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (D("1.587"), None, "1.58750000"),
        (D("1.587"), 2, "1.59"),
        (D("1.587"), 6, "1.587500"),
        (D("1.587"), 0, "2"),
        (D("1.587"), -1, None),
        (D("-1.587"), None, "-1.58650000"),
        (D("-1.587"), 2, "-1.58"),
        (D("-1.587"), 6, "-1.586500"),
        (D("-1.587"), 0, "-1"),
        (D("1.587"), 39, None),
        (1, None, "1.50000000"),
        (1, 0, "2"),
        (1, 5, "1.50000"),
        (D("12.587"), 2, "12.59"),
        (D("12.500"), 4, "12.5005"),
        (120, 2, "120.50"),
        (D("0.0034"), 1, "0.0"),
        (D("1.587"), 31, "1.5875" + "0" * 27),
        (0, 1, "0.5"),
    ],
)
def test_high_boundary(value: Number, digits: int | None, expected: str | None) -> None:
    """The suite's answers, digit for digit."""
    found = numbers.high_boundary(value, digits)
    assert (found if found is None else numbers.to_text(found)) == expected


@pytest.mark.parametrize("value", [D("0E-5000"), D("1E-5000"), D("0E+5000")])
def test_a_boundary_beyond_all_digits_is_empty(value: Decimal) -> None:
    """As is that of a number that could not be written out."""
    assert numbers.low_boundary(value) in {None, D("-0.5")}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (D("1.0"), "1.0"),
        (D("0.0"), "0.0"),
        (D("1E+3"), "1000"),
        (NumberText("1.0e-3"), "0.0010"),
        (D("1E-8"), "0.00000001"),
        (-42, "-42"),
    ],
)
def test_the_text_has_all_digits_and_no_exponent(value: Number, expected: str) -> None:
    """What was written with an exponent is written out."""
    assert numbers.to_text(value) == expected


@pytest.mark.parametrize("value", [D("0E-999999999"), D("1E+999999999"), 10**4000])
def test_no_endless_text_is_written(value: Number) -> None:
    """A number of a few characters can stand for a gigabyte of zeros."""
    with pytest.raises(EvaluationError, match="a number of more than 1000 digits is not written out"):
        numbers.to_text(value)


@pytest.mark.parametrize(
    "number",
    [
        numbers.negate(NumberText("1.0e-3")),
        numbers.absolute(NumberText("1.0e-3")),
        numbers.add(NumberText("1.0e-3"), 0),
        numbers.round_to(NumberText("1.0e-3"), 9),
        numbers.low_boundary(NumberText("1.0e-3")),
    ],
)
def test_a_result_does_not_remember_how_its_input_was_written(number: Number) -> None:
    """Results are plain decimals."""
    assert type(number) is Decimal


def test_there_is_no_negative_zero_after_rounding_or_negation() -> None:
    """Which would be written -0."""
    assert numbers.to_text(numbers.round_to(D("-0.4"))) == "0"
    assert numbers.to_text(numbers.negate(D("0.0"))) == "0.0"


@pytest.mark.parametrize(
    "number",
    [
        numbers.power(10, 10**9),
        numbers.power(99999999, 99999999),
        numbers.power(D(99999999), D(99999999)),
        numbers.power(D("1E+900"), D("1.5")),
        numbers.exp(10**9),
        numbers.exp(-(10**9)),
        numbers.add(10**1000, 10**1000),
        numbers.multiply(10**600, 10**600),
        numbers.subtract(D("1E+999999999"), 1),
        numbers.integer_divide(D("1E+990"), D("1E-990")),
    ],
)
def test_what_has_no_sensible_size_is_empty(number: Number | None) -> None:
    """And is known to be so at once."""
    assert number is None


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (numbers.ln, (0,), "a number above 0"),
        (numbers.ln, (D("-1.5"),), "a number above 0"),
        (numbers.log, (0, 2), "a number above 0"),
        (numbers.log, (2, -2), "a base above 0"),
        (numbers.round_to, (D("1.5"), -1), "0 or more digits after the point, not -1"),
    ],
)
def test_what_the_specification_calls_an_error(
    function: Callable[..., Number | None], arguments: tuple[Number, ...], message: str
) -> None:
    """The message says what would be right."""
    with pytest.raises(EvaluationError, match=message):
        function(*arguments)

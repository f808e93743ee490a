"""Exact arithmetic on units: conversions lose nothing, and what is no unit is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.units import Unit, UnitError, convert, parse_unit, product

_VALUES = st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), allow_nan=False, places=6)
_MASSES = ["g", "kg", "mg", "ug", "ng", "pg", "fg", "dg", "cg", "[lb_av]"]
_LENGTHS = ["m", "km", "cm", "mm", "[in_i]"]
_TIMES = ["s", "ms", "min", "h", "d"]
_VOLUMES = ["L", "dL", "mL", "uL", "fL"]
_CONCENTRATIONS = ["g/L", "g/dL", "mg/dL", "ng/mL", "ug/L", "kg/L"]
_COUNTS = ["10*9/L", "10^9/L", "10*12/L", "10*3/uL", "/nL", "1/mL"]
_PARTS = ["%", "1", "g/g", "10*-3"]
_ALIKE = [_MASSES, _LENGTHS, _TIMES, _VOLUMES, _CONCENTRATIONS, _COUNTS, _PARTS]
_PAIRS = st.sampled_from([(one, other) for units in _ALIKE for one in units for other in units])


@given(_VALUES, _PAIRS)
def test_there_and_back_is_the_same_value(value: Decimal, units: tuple[str, str]) -> None:
    """A value converted to another unit and back is exactly itself."""
    one, other = units
    ratio = convert(Decimal(1), other, one)
    assert convert(value, one, other) * ratio == Fraction(value)


@given(_VALUES, _VALUES, st.sampled_from(_VOLUMES), st.sampled_from(_CONCENTRATIONS), st.sampled_from(_MASSES))
def test_a_product_is_exact_and_knows_no_order(
    volume: Decimal, strength: Decimal, volume_unit: str, strength_unit: str, mass_unit: str
) -> None:
    """Volume by strength is strength by volume, and dividing by one gives the other back."""
    found = product(volume, volume_unit, strength, strength_unit, mass_unit)
    assert found == product(strength, strength_unit, volume, volume_unit, mass_unit)
    unit = product(Decimal(1), volume_unit, Decimal(1), strength_unit, mass_unit)
    assert found == Fraction(volume) * Fraction(strength) * unit


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        ("92", "g/L", "g/dL", "9.2"),
        ("173.5", "[lb_av]", "kg", "78.698276195"),
        ("71.5", "[in_i]", "cm", "181.61"),
        ("24560.50", "ug/L", "ng/mL", "24560.5"),
        ("250", "10*9/L", "10*3/uL", "250"),
        ("1.5", "h", "min", "90"),
        ("5", "%", "1", "0.05"),
        ("60", "/min", "/h", "3600"),
        ("1", "mol/L", "mmol/mL", "1"),
        ("2", "g.m/s", "kg.cm/s", "0.2"),
    ],
)
def test_known_conversions(value: str, unit: str, to: str, expected: str) -> None:
    """Conversions that everybody can check by hand are right to the last digit."""
    assert convert(Decimal(value), unit, to) == Fraction(expected)


def test_the_dose_of_the_public_study() -> None:
    """5 mL of 10.8 g/L are 54 mg."""
    assert product(Decimal(5), "mL", Decimal("10.8"), "g/L", "mg") == 54


def test_a_strength_of_nothing_gives_nothing() -> None:
    """5 mL of a placebo are 0 mg."""
    assert product(Decimal(5), "mL", Decimal(0), "g/L", "mg") == 0


def test_a_unit_is_a_factor_over_its_dimensions() -> None:
    """A decilitre is a ten-thousandth of a cubic metre."""
    assert parse_unit("dL") == Unit(Fraction(1, 10_000), (0, 3, 0, 0))


@pytest.mark.parametrize("pair", [("g", "L"), ("g/L", "mmol/L"), ("10*9/L", "g/L"), ("s", "1")])
def test_different_things_are_not_converted(pair: tuple[str, str]) -> None:
    """Mass is no volume, and a mass concentration no amount concentration."""
    with pytest.raises(UnitError, match=f"{pair[0]!r} and {pair[1]!r} measure different things".replace("*", r"\*")):
        convert(Decimal(1), *pair)


def test_a_product_of_the_wrong_kind_is_refused() -> None:
    """Volume by volume is no mass."""
    with pytest.raises(UnitError, match="'mL' times 'mL' is not a 'mg'"):
        product(Decimal(1), "mL", Decimal(1), "mL", "mg")


@pytest.mark.parametrize(
    "code", ["K/uL", "G/L", "Cel", "[degF]", "m[IU]/L", "U/L", "kmin", "µg", "m2", "10*", "(g)", "g /L", "{score}", "G"]
)
def test_units_outside_the_subset_are_refused(code: str) -> None:
    """Degrees, arbitrary units and words are not converted, and no letter is taken for another."""
    with pytest.raises(UnitError, match="is no unit that this program converts"):
        parse_unit(code)


@pytest.mark.parametrize("code", ["", "g" * 65])
def test_a_code_has_a_sensible_length(code: str) -> None:
    """An empty code and an endless one are no units."""
    with pytest.raises(UnitError, match="1 to 64 characters"):
        parse_unit(code)


@pytest.mark.parametrize("code", ["/", ".", "g/", "g.", "g//L", "g..m", ".g", "g/.L"])
def test_a_code_with_a_missing_term_is_refused(code: str) -> None:
    """An operator without a unit after it is a slip of the pen, not a unit."""
    with pytest.raises(UnitError):
        parse_unit(code)


@pytest.mark.parametrize("code", ["g/", "g//L", "g.", ".g", "g./L"])
def test_a_term_that_is_missing_is_named(code: str) -> None:
    """Beside every solidus and every point stands something."""
    with pytest.raises(UnitError) as refused:
        parse_unit(code)
    assert str(refused.value) == f"{code!r} lacks a term beside a solidus or a point"


def test_a_code_of_64_characters_is_read_and_no_longer_one() -> None:
    """The bound is the last that may be."""
    longest = "kg" + 31 * ".1"
    assert parse_unit(longest) == parse_unit("kg")
    with pytest.raises(UnitError, match="1 to 64 characters"):
        parse_unit(f"{longest}.")

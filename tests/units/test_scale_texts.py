"""How units are written when they are combined, how large one may be, and what a reader of a bad one is told."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fhir_adapter.units import UnitError
from fhir_adapter.units.scales import combine, read_scale


@pytest.mark.parametrize(
    ("left", "right", "sign", "factor", "unit"),
    [
        ("g", "s", 1, "1", "g.s"),
        ("g", "s.m", -1, "1", "g/s/m"),
        ("1", "s.m", -1, "1", "/s/m"),
        ("m", "10*", 1, "1", "m.10*1"),
        ("m", "10*", -1, "1", "m/10*1"),
        ("m", "10^", 1, "1", "m.10^1"),
        ("m", "10^", -1, "1", "m/10^1"),
        ("20.m", "30.s", 1, "600", "m.s"),
        ("20.cm", "30.m", 1, "60000", "cm2"),
        ("20.m", "30.s", -1, "2/3", "m/s"),
        ("m", "10.m", -1, "1/10", "1"),
    ],
)
def test_combined_units_are_written_in_the_order_of_their_terms(
    left: str, right: str, sign: int, factor: str, unit: str
) -> None:
    """Those above the line first; plain numbers go into the factor, all of them."""
    assert combine(left, right, sign) == (Fraction(factor), unit)


def test_ten_to_a_power_is_read_with_either_sign() -> None:
    """The star of UCUM and its older caret."""
    assert read_scale("10^7/uL") == read_scale("10*7/uL")


def test_an_international_unit_takes_a_prefix() -> None:
    """In either of its spellings."""
    assert read_scale("n[iU]/dL") == read_scale("n[IU]/dL")


@pytest.mark.parametrize(("code", "place"), [("m§", 2), ("§", 1), ("mg/§L", 4)])
def test_what_is_no_unit_is_told_from_its_first_character_on(code: str, place: int) -> None:
    """Characters count from 1."""
    with pytest.raises(UnitError) as error:
        read_scale(code)
    assert str(error.value) == f"{code!r} is no UCUM unit from character {place} on"


@pytest.mark.parametrize("code", ["Ym99.10*90", "ym99.10*-90"])
def test_a_unit_of_8192_bits_is_read(code: str) -> None:
    """10 to the power of 2466 is the last power of ten that is not too large."""
    read_scale(code)


@pytest.mark.parametrize("code", ["Ym99.10*91", "ym99.10*-91"])
def test_a_larger_or_smaller_unit_is_refused_by_its_code(code: str) -> None:
    """A number that would be reckoned with for minutes."""
    with pytest.raises(UnitError) as error:
        read_scale(code)
    assert str(error.value) == f"{code!r} is too large or too small a unit"


def test_units_whose_quotient_is_too_small_are_refused_by_the_first() -> None:
    """Each of them can be read alone."""
    with pytest.raises(UnitError) as error:
        combine("ym99", "Ym99", -1)
    assert str(error.value) == "'ym99' is too large or too small a unit"

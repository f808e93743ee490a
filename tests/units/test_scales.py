"""The UCUM codes of resources: read as UCUM means them, converted exactly, and refused when they are none."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ucumvert import PintUcumRegistry

from fhir_adapter.units import UnitError, parse_unit
from fhir_adapter.units.scales import Scale, combine, read_scale

SOME = settings(derandomize=True, max_examples=60, deadline=None)
VALUES = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6)
ALIKE = [
    ["Cel", "[degF]", "K", "[degRe]"],
    ["mm[Hg]", "cm[H2O]", "kPa", "bar", "N/m2", "atm"],
    ["a", "mo", "wk", "d", "h", "min", "s", "ms"],
    ["cal", "kJ", "[Cal]", "N.m", "kg.m2/s2"],
    ["m[IU]/mL", "[IU]/L", "k[iU]/m3"],
    ["U/L", "nkat/mL", "mol/(L.min)"],
    ["10*3/uL", "10*9/L", "{cells}/nL", "/fL"],
]
PAIRS = st.sampled_from([(one, other) for codes in ALIKE for one in codes for other in codes])


def converted(value: str, code: str, to: str) -> Fraction:
    """A value in another unit of the same kind."""
    one, other = read_scale(code), read_scale(to)
    assert one.powers == other.powers
    return other.of_base(one.base(Fraction(value)))


@SOME
@given(VALUES, PAIRS)
def test_there_and_back_is_the_same_value(value: Fraction, codes: tuple[str, str]) -> None:
    """Also over scales with their own zero."""
    one, other = (read_scale(code) for code in codes)
    assert one.powers == other.powers
    assert one.of_base(other.base(other.of_base(one.base(value)))) == value


@pytest.mark.parametrize(
    ("value", "code", "to", "expected"),
    [
        ("37", "Cel", "[degF]", "98.6"),
        ("80", "[degRe]", "Cel", "100"),
        ("-32", "[degRe]", "[degF]", "-40"),
        ("100", "[degF]", "K", "310.92777777777777777777777777777777778"),
        ("1", "a", "d", "365.25"),
        ("1", "mo", "d", "30.4375"),
        ("1", "wk", "h", "168"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("1", "cm[H2O]", "Pa", "98.0665"),
        ("60", "U/L", "ukat/L", "1"),
        ("1", "[mi_i]", "m", "1609.344"),
        ("1", "[oz_av]", "g", "28.349523125"),
        ("1", "m2", "cm2", "10000"),
        ("9.81", "m.s-2", "cm/s2", "981"),
        ("1", "mL/min/{1.73_m2}", "L/h", "0.06"),
        ("1", "10*3/uL", "10*9/L", "1"),
        ("1", "ng/(mL.h)", "ug/L/h", "1"),
        ("5", "{score}", "1", "5"),
        ("1", "meq/L", "mmol/L", "1"),
        ("1", "kcal", "kJ", "4.184"),
        ("1", "[Cal]", "kcal", "1"),
        ("1", "mm[Hg]", "Pa", "133.322"),
        ("1", "100/[HPF]", "1", "100"),
        ("3", "[ppm]", "%", "0.0003"),
        ("1", "Gy", "J/kg", "1"),
        ("1", "V", "J/C", "1"),
        ("1", "dag", "g", "10"),
        ("1", "g%", "g/dL", "1"),
        ("1", "/(/min)", "min", "1"),
    ],
)
def test_known_conversions(value: str, code: str, to: str, expected: str) -> None:
    """Conversions that everybody can check by hand."""
    assert round(converted(value, code, to), 30) == round(Fraction(expected), 30)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("[IU]/L", "U/L"),
        ("[IU]", "[CFU]"),
        ("mmol/L", "mg/dL"),
        ("mol", "1"),
        ("rad", "1"),
        ("Cel", "g"),
        ("cm2", "cm"),
        ("K/uL", "10*3/uL"),
    ],
)
def test_different_things_have_different_powers(code: str, other: str) -> None:
    """An arbitrary unit measures only what it measures itself, and thousands are no kelvins."""
    assert read_scale(code).powers != read_scale(other).powers


def test_a_degree_has_its_own_zero() -> None:
    """A degree of Fahrenheit is five ninths of a kelvin, from -459.67 on."""
    assert read_scale("[degF]") == Scale(Fraction(5, 9), (("K", 1),), Fraction("459.67") * 5 / 9)


@pytest.mark.parametrize(
    "code", ["[s]", "G/L", "kmin", "gg", "lbs", "Cel/min", "mCel", "[degF]2", "k", "day", "mm Hg", "0"]
)
def test_what_is_no_unit_here_is_refused(code: str) -> None:
    """Degrees are converted alone only, and words are no codes."""
    with pytest.raises(UnitError):
        read_scale(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "/",
        ".",
        "g/",
        "g.",
        "g//L",
        "g..m",
        ".g",
        "g/.L",
        "(g",
        "g)",
        "()",
        "g(m)",
        "(g)(m)",
        "(g)2",
        "{",
        "a{b}{c}",
    ],
)
def test_a_slip_of_the_pen_is_refused(code: str) -> None:
    """Operators and parentheses have units beside and within them."""
    with pytest.raises(UnitError):
        read_scale(code)


@pytest.mark.parametrize("code", ["µg", "g /L", "m²", "{ä}", "m\n", "m\u0661"])
def test_a_code_has_only_the_characters_of_ucum(code: str) -> None:
    """Which are those of ASCII, without blanks."""
    with pytest.raises(UnitError, match="is no UCUM unit from character"):
        read_scale(code)


@pytest.mark.parametrize("code", ["", "g" * 129, "{" + 127 * "a" + "}", "(" * 129, "m." * 100 + "m"])
def test_a_code_has_a_sensible_length(code: str) -> None:
    """So that nothing nests or grows beyond measure."""
    with pytest.raises(UnitError, match="1 to 128 characters"):
        read_scale(code)


def test_a_code_of_128_characters_is_read() -> None:
    """An annotation says nothing, however long."""
    assert read_scale("{" + 126 * "a" + "}") == read_scale("1")


@pytest.mark.parametrize("code", [".".join(["Ym99"] * 20), "/".join(["Ym99"] * 20)])
def test_a_unit_beyond_measure_is_refused(code: str) -> None:
    """Short codes can stand for numbers of thousands of digits."""
    with pytest.raises(UnitError, match="too large or too small a unit"):
        read_scale(code)


@pytest.mark.parametrize("code", ["(" * 60 + "m" + ")" * 60])
def test_parentheses_may_be_deep(code: str) -> None:
    """As deep as a code is long."""
    assert read_scale(code) == read_scale("m")


@pytest.mark.parametrize(
    ("left", "right", "sign", "factor", "unit"),
    [
        ("cm", "cm", 1, 1, "cm2"),
        ("cm", "m", 1, 100, "cm2"),
        ("cm2", "cm", -1, 1, "cm"),
        ("m/s", "s", 1, 1, "m"),
        ("g", "m", -1, 1, "g/m"),
        ("m", "m", -1, 1, "1"),
        ("1", "s", -1, 1, "/s"),
        ("10*3/uL", "uL", 1, 1, "10*3"),
        ("10*3/uL", "10*2", -1, 1, "10*1/uL"),
        ("100.m", "m2", -1, 100, "/m"),
        ("mg/kg", "g", 1, 1, "mg"),
    ],
)
def test_two_units_give_a_third(left: str, right: str, sign: int, factor: int, unit: str) -> None:
    """What measures the same is put together."""
    found, code = combine(left, right, sign)
    assert code == unit
    assert read_scale(left).factor * read_scale(right).factor ** sign == found * read_scale(code).factor
    assert found == factor or left == "mg/kg"


@pytest.mark.parametrize("code", ["Cel", "tablets", ""])
def test_a_unit_without_a_scale_has_no_product(code: str) -> None:
    """Nor has one that this program does not know."""
    with pytest.raises(UnitError):
        combine("g", code, 1)


@pytest.mark.parametrize("code", ["g/dL", "10*9/L", "[lb_av]", "[in_i]", "mmol/L", "%", "/min", "ug/kg/min"])
def test_it_agrees_with_the_units_of_trials(code: str) -> None:
    """Both readers of units know one size."""
    assert read_scale(code).factor == parse_unit(code).factor


@cache
def registry() -> Any:
    """An independent library's units, read once."""
    return PintUcumRegistry()


@pytest.mark.parametrize(
    ("code", "to"),
    [
        *(
            ("cm[H2O]", "Pa"),
            ("bar", "kPa"),
            ("atm", "kPa"),
            ("N", "dyn"),
            ("J", "cal"),
            ("W", "kJ/h"),
        ),
        *(("V", "W/A"), ("Ohm", "V/A"), ("S", "A/V"), ("Hz", "/min"), ("Bq", "/s"), ("Ci", "MBq"), ("Gy", "mSv")),
        *(("a", "d"), ("mo", "d"), ("wk", "d"), ("deg", "rad"), ("t", "kg"), ("ar", "m2"), ("L", "cm3"), ("kat", "U")),
        *(("[ft_i]", "m"), ("[yd_i]", "m"), ("[mi_i]", "km"), ("[nmi_i]", "km"), ("[gr]", "mg"), ("[oz_av]", "g")),
        *(("[stone_av]", "kg"), ("[gal_us]", "L"), ("[qt_us]", "L"), ("[pt_us]", "L"), ("[cup_us]", "mL")),
        *(
            ("[foz_us]", "mL"),
            ("[tbs_us]", "mL"),
            ("[tsp_us]", "mL"),
            ("[drp]", "uL"),
            ("[MET]", "mL/min/kg"),
        ),
        *(("[ppth]", "%"), ("[ppm]", "%"), ("[ppb]", "[ppm]"), ("[pptr]", "[ppb]"), ("[diop]", "/cm"), ("cal_IT", "J")),
        *(("Mg", "kg"), ("hPa", "Pa"), ("dam", "m"), ("am", "fm"), ("zm", "am"), ("ym", "zm"), ("Tm", "Gm")),
        *(("Pm", "Tm"), ("Em", "Pm"), ("Zm", "Em"), ("Ym", "Zm"), ("sr", "rad2"), ("m.s-2", "km/h2")),
    ],
)
def test_every_size_is_the_library_s(code: str, to: str) -> None:
    """It computes in binary floats, so a ratio is compared to nine digits.

    It gives millimetres of mercury more digits than UCUM does, and the Calorie a thousandth; those stand above.
    """
    one, other = (registry().from_ucum(unit).to_base_units() for unit in (code, to))
    assert one.dimensionality == other.dimensionality
    assert float(one.magnitude / other.magnitude) == pytest.approx(float(converted("1", code, to)), rel=1e-9)


@pytest.mark.parametrize("value", ["-40", "0", "36.6", "451"])
def test_temperatures_are_the_library_s(value: str) -> None:
    """Scales with their own zero."""
    fahrenheit, celsius = (registry().from_ucum(code).units for code in ("[degF]", "Cel"))
    found = registry().Quantity(float(Decimal(value)), fahrenheit).to(celsius).magnitude
    assert found == pytest.approx(float(converted(value, "[degF]", "Cel")), rel=1e-9, abs=1e-9)

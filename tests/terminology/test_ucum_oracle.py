"""Our units beside an independent UCUM library (ucumvert over pint): they agree wherever it can express the unit.

It computes in binary floats, so a ratio is compared to twelve digits; that ours are exact, other tests say.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from ucumvert import PintUcumRegistry
from ucumvert.parser import InvalidUcumError

from fhir_adapter.scores.hscore_table import BANDS, LINEAGES
from fhir_adapter.terminology import Analyte, analytes
from fhir_adapter.units import convert, parse_unit

ALL = list(analytes().values())
UNITS = [(one, ucum) for one in ALL for ucum in one.units]
ALIASES = [(one, text) for one in ALL for text in one.aliases]
TWELVE_DIGITS = 1e-12

MOLAR = {
    ("ferritin", "pmol/L"): "445000",
    ("ferritin", "fmol/mL"): "445000",
    ("ferritin", "nmol/L"): "445000",
    ("ferritin", "pmol/mL"): "445000",
    ("fibrinogen", "umol/L"): "340000",
    ("hemoglobin", "mmol/L"): "16114.5",
    ("triglycerides", "mg/dL"): "885.7",
    ("triglycerides", "g/L"): "885.7",
    ("triglycerides", "mg/mL"): "885.7",
    ("triglycerides", "mg/L"): "885.7",
}
"""Between moles and mass no library of units converts: with the molar mass as ruled (g/mol), it does."""

MISREAD = {
    "g%": "UCUM's gram percent is one gram in a decilitre; the library reads gram times percent",
    "mg%": "as g%: a milligram in a decilitre",
    "[IU]/L": "an arbitrary unit: UCUM converts it to nothing; that IU and U mean the same is true of AST, LDH and ALT",
    "[iU]/L": "as [IU]/L, in the other spelling of UCUM",
}
"""Valid codes whose size it cannot tell, and why."""

SOMETHING_ELSE = {
    "K/uL": "kelvin per microlitre; laboratories write it for thousand",
    "K/ul": "kelvin per microlitre",
    "K/mm3": "kelvin per cubic millimetre",
    "G/L": "gauss per litre; laboratories write it for gram or giga",
    "G/l": "gauss per litre",
    "MG/L": "megagauss per litre; laboratories that write only capitals mean milligram",
    "mm/H": "millimetre per henry; laboratories write it for mm/h",
    "u/L": "unified atomic mass units per litre; laboratories write it for U/L",
    "u/l": "unified atomic mass units per litre",
    "C": "coulomb; wards write it for degrees Celsius",
    "F": "farad; wards write it for degrees Fahrenheit",
}
"""Our aliases that are valid UCUM and mean something else in it: the reason why aliases are tried before UCUM."""


@cache
def registry() -> Any:
    """The library's units, read once."""
    return PintUcumRegistry()


def quantity(ucum: str) -> Any:
    """One of a unit, in its base units; raises `InvalidUcumError` for what is no UCUM code."""
    return registry().from_ucum(ucum).to_base_units()


def size(ucum: str, canonical: str) -> float | None:
    """How many of the canonical unit one of a unit is, in the library's eyes; None where they measure two things."""
    one, other = quantity(ucum), quantity(canonical)
    return float(one.magnitude / other.magnitude) if one.dimensionality == other.dimensionality else None


def through_moles(ucum: str, canonical: str, grams: str) -> float:
    """The same between moles and mass: a mole weighs so many grams."""
    one, other = quantity(ucum), quantity(canonical)
    mass = registry().from_ucum("g/mol") * float(grams)
    moles, weighed = (one, other) if "[substance]" in one.dimensionality else (other, one)
    ratio = (moles * mass / weighed).to_base_units()
    assert ratio.dimensionless
    return float(ratio.magnitude) if moles is one else 1 / float(ratio.magnitude)


def valid(ucum: str) -> bool:
    """True when the library reads it as UCUM."""
    try:
        registry().from_ucum(ucum)
    except InvalidUcumError:
        return False
    return True


def close(ratio: object) -> Any:
    """A ratio to the digits that binary floats have."""
    return pytest.approx(ratio, rel=TWELVE_DIGITS)


SIZED = [
    (one, ucum)
    for one, ucum in UNITS
    if ucum not in MISREAD and (one.name, ucum) not in MOLAR and one.name != "temperature"
]
SAME = [(one, text) for one, text in ALIASES if valid(text) and text not in {*SOMETHING_ELSE, *MISREAD}]


@pytest.mark.parametrize(("analyte", "ucum"), UNITS, ids=lambda one: getattr(one, "name", one))
def test_every_unit_of_the_tables_is_valid_ucum(analyte: Analyte, ucum: str) -> None:
    """What is not, stands among the aliases."""
    assert valid(ucum), analyte.name


@pytest.mark.parametrize(("analyte", "ucum"), SIZED, ids=lambda one: getattr(one, "name", one))
def test_every_factor_is_the_library_s(analyte: Analyte, ucum: str) -> None:
    """Units of one dimension have one ratio."""
    assert size(ucum, analyte.unit) == close(float(analyte.units[ucum].factor))


@pytest.mark.parametrize(("name", "ucum"), list(MOLAR))
def test_every_molar_factor_is_the_library_s_with_the_ruled_mass(name: str, ucum: str) -> None:
    """From moles to mass and back with the molar mass as ruled."""
    analyte = analytes()[name]
    assert size(ucum, analyte.unit) is None
    found = through_moles(ucum, analyte.unit, MOLAR[name, ucum])
    assert found == close(float(analyte.units[ucum].factor))


@pytest.mark.parametrize("ucum", list(analytes()["temperature"].units))
@pytest.mark.parametrize("degrees", ["30", "38.4", "39.4", "100", "311.55"])
def test_temperatures_are_the_library_s(ucum: str, degrees: str) -> None:
    """Scales with their own zero, which are no matter of a factor alone."""
    unit, celsius = (registry().from_ucum(code).units for code in (ucum, "Cel"))
    found = registry().Quantity(float(degrees), unit).to(celsius).magnitude
    ours = analytes()["temperature"].units[ucum].apply(Fraction(degrees))
    assert found == pytest.approx(float(ours), rel=TWELVE_DIGITS, abs=1e-9)


@pytest.mark.parametrize(("analyte", "text"), SAME, ids=lambda one: getattr(one, "name", one))
def test_an_alias_that_is_ucum_too_means_the_same_in_it(analyte: Analyte, text: str) -> None:
    """An alias is no second opinion on a unit that UCUM has."""
    ucum = analyte.aliases[text]
    assert size(text, ucum) == close(1.0)


@pytest.mark.parametrize("text", list(SOMETHING_ELSE))
def test_an_alias_that_means_something_else_in_ucum_would_be_refused_by_it(text: str) -> None:
    """It is told by its dimensions alone, and never by its spelling."""
    (ucum, *_) = {one.aliases[text] for one in ALL if text in one.aliases}
    assert valid(text)
    assert size(text, ucum) is None


@pytest.mark.parametrize("ucum", list(MISREAD))
def test_what_it_cannot_tell_is_still_so(ucum: str) -> None:
    """When the library learns these, this list gets shorter."""
    ours = "U/L" if ucum.startswith("[") else "g/dL"
    assert size(ucum, ours) is None


def test_every_alias_has_been_looked_at() -> None:
    """The lists above hold only what the tables have."""
    assert {*SOMETHING_ELSE, *MISREAD} <= {text for _, text in (*ALIASES, *UNITS)}
    assert set(MOLAR) <= {(one.name, ucum) for one, ucum in UNITS}
    assert {one.name for one, _ in SIZED} | {"temperature"} == {one.name for one in ALL}
    assert set(BANDS) | set(LINEAGES) <= set(analytes())


CONVERTED = [
    *(("kg", "g"), ("dg", "g"), ("cg", "g"), ("mg", "g"), ("ug", "g"), ("ng", "g"), ("pg", "g"), ("fg", "g")),
    *(("[lb_av]", "kg"), ("[in_i]", "cm"), ("km", "m"), ("mm", "m"), ("min", "s"), ("h", "s"), ("d", "h"), ("ms", "s")),
    *(("dL", "L"), ("mL", "L"), ("uL", "L"), ("fL", "L"), ("L", "dm.dm.dm"), ("mol", "kmol"), ("pmol/L", "mol/mL")),
    *(("10*9/L", "10*3/uL"), ("10^9/L", "/nL"), ("10*-3", "1"), ("%", "1"), ("mg/h", "g/min"), ("/min", "/h")),
    *(("g.m/s", "kg.cm/h"), ("mg/kg/d", "g/kg/h"), ("ug/kg/min", "mg/g/h"), ("mmol/L/h", "mol/L/s")),
]


@pytest.mark.parametrize(("code", "to"), CONVERTED)
def test_the_arithmetic_of_units_is_the_library_s(code: str, to: str) -> None:
    """Every prefix and every unit that the units room reads has the library's size."""
    assert size(code, to) == close(float(convert(Decimal(1), code, to)))


@pytest.mark.parametrize("code", ["kg", "[lb_av]", "g/dL", "10*9/L", "mmol/L/h", "ug/kg/min", "%", "/min"])
def test_the_dimensions_are_the_library_s(code: str) -> None:
    """Mass, length, time and substance, each with its power."""
    found = quantity(code).dimensionality
    assert (
        tuple(found.get(f"[{name}]", 0) for name in ("mass", "length", "time", "substance"))
        == parse_unit(code).dimensions
    )

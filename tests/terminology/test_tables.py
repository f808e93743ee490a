"""The tables hold what was ruled, and nothing that contradicts the rest of the program."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from fhir_adapter.scores.hscore_table import BANDS, LINEAGES
from fhir_adapter.terminology import Analyte, analytes
from fhir_adapter.terminology.tables import UnitFactor, _analyte, _edge, _exact, _once, findings
from fhir_adapter.trial import Interval
from fhir_adapter.units import UnitError, convert

ALL = list(analytes().values())
SCORED = [one for one in ALL if one.scored]


def comparable(ucum: str, canonical: str) -> bool:
    """False from moles to mass, which takes a molar mass, and for units that the units room does not read."""
    try:
        convert(Decimal(1), ucum, canonical)
    except UnitError:
        return False
    return True


COMPARABLE = [(one, ucum) for one in ALL for ucum in one.units if comparable(ucum, one.unit)]

CANONICAL = {
    "ferritin": "ng/mL",
    "triglycerides": "mmol/L",
    "fibrinogen": "g/L",
    "ast": "U/L",
    "hemoglobin": "g/dL",
    "leukocytes": "10*9/L",
    "platelets": "10*9/L",
    "temperature": "Cel",
}


def test_the_scored_analytes_and_their_canonical_units() -> None:
    """Eight analytes count in the score, each in the unit in which its table is written."""
    assert {one.name: one.unit for one in SCORED} == CANONICAL


def test_the_analytes_that_score_nothing() -> None:
    """Weight and the companions of the blood count are read too."""
    assert {one.name for one in ALL if not one.scored} == {
        *("body_weight", "neutrophils", "eosinophils", "ldh", "alt", "crp", "esr")
    }


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("temperature", "25", "45"),
        ("hemoglobin", "1", "25"),
        ("leukocytes", "0", "1000"),
        ("platelets", "0", "5000"),
        ("ferritin", "0", "2000000"),
        ("triglycerides", "0.05", "150"),
        ("fibrinogen", "0", "20"),
        ("ast", "0", "50000"),
    ],
)
def test_the_hard_limits(name: str, low: str, high: str) -> None:
    """What no person has, in canonical units."""
    assert analytes()[name].limits == Interval(Fraction(low), Fraction(high))


@pytest.mark.parametrize("analyte", SCORED, ids=lambda one: one.name)
def test_edges_are_those_of_the_score(analyte: Analyte) -> None:
    """The edges that warnings speak of are where the published table changes."""
    intervals = [band.values for band in BANDS.get(analyte.name, ())] or [LINEAGES[analyte.name]]
    ends = {end for one in intervals for end in (one.low, one.high) if end is not None}
    assert {edge.value for edge in analyte.edges} == ends


def test_an_edge_belongs_to_the_side_that_the_score_says() -> None:
    """2000 ng/mL is in the middle band, and so is 6000."""
    lower, upper = analytes()["ferritin"].edges
    assert lower.holds(Fraction(2000))
    assert not upper.holds(Fraction(6000))


@pytest.mark.parametrize(("analyte", "ucum"), COMPARABLE, ids=lambda one: getattr(one, "name", one))
def test_factors_agree_with_the_arithmetic_of_units(analyte: Analyte, ucum: str) -> None:
    """A factor between units of one dimension is what exact arithmetic on the units gives."""
    assert analyte.units[ucum] == UnitFactor(convert(Decimal(1), ucum, analyte.unit))


@pytest.mark.parametrize(
    ("name", "ucum", "factor"),
    [
        ("ferritin", "pmol/L", "0.445"),
        ("ferritin", "nmol/L", "445"),
        ("triglycerides", "mg/dL", "100/8857"),
        ("fibrinogen", "umol/L", "0.34"),
        ("hemoglobin", "mmol/L", "1.61145"),
        ("ast", "ukat/L", "60"),
        ("ast", "[IU]/L", "1"),
    ],
)
def test_factors_that_need_more_than_units(name: str, ucum: str, factor: str) -> None:
    """Molar masses and enzyme units as ruled, exactly."""
    assert analytes()[name].units[ucum] == UnitFactor(Fraction(factor))


@pytest.mark.parametrize("analyte", ALL, ids=lambda one: one.name)
def test_everything_is_exact(analyte: Analyte) -> None:
    """No binary float is anywhere in a table."""
    numbers = [number for unit in analyte.units.values() for number in (unit.factor, unit.zero)]
    assert {type(number) for number in (*numbers, analyte.limits.low, *analyte.divisors.values())} == {Fraction}


def test_a_float_in_a_table_is_refused() -> None:
    """Whoever forgets the quotes hears it at once."""
    with pytest.raises(TypeError, match="text"):
        _exact(0.445)


def test_a_code_that_stands_twice_is_refused() -> None:
    """One code cannot mean two things."""
    with pytest.raises(ValueError, match=r"code twice: 2276-4, 718-7$"):
        _once(["718-7", "2276-4", "718-7", "2276-4", "1-8"], "code")


def test_an_alias_that_stands_twice_is_refused() -> None:
    """One text cannot mean two units, and cannot be said twice either."""
    table = {"unit": "kg", "scored": False, "units": {"kg": "1"}, "aliases": {"kg": ["kilo", "kilo"]}}
    with pytest.raises(ValueError, match="alias of weight twice: kilo"):
        _analyte("weight", table, {})


@pytest.mark.parametrize("text", ["X5", "5X", "<=", ""])
def test_an_edge_that_is_none_is_refused(text: str) -> None:
    """A relation and a number, nothing else."""
    with pytest.raises(ValueError, match="Fraction"):
        _edge(text)


def test_a_finding_is_told_by_a_code_of_a_system() -> None:
    """That a code needs marrow is said beside the codes, and is no code itself."""
    assert [code for system, code in findings().codes if not system] == []


def test_an_alias_without_its_unit_is_refused() -> None:
    """An alias must lead to a unit that the analyte has."""
    table = {"unit": "kg", "scored": False, "limits": ["0"], "units": {"kg": "1"}, "aliases": {"g": ["gram"]}}
    with pytest.raises(ValueError, match="weight needs its own unit with factor 1, and the unit of every alias"):
        _analyte("weight", table, {})

"""What the tables say of edges and divisors, for warnings alone, agrees with the score and with itself."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fhir_adapter.terminology import Analyte, analytes, normalise
from fhir_adapter.terminology.tables import Edge
from tests.scores import oracle

EDGES = [(one, edge) for one in analytes().values() for edge in one.edges]
TRACE = Fraction(1, 1000)
USUAL = Fraction("2.247")
"""By which others divide pmol/L of ferritin."""


@pytest.mark.parametrize(("analyte", "edge"), EDGES, ids=lambda one: getattr(one, "name", ""))
def test_an_edge_changes_sides_where_the_points_change(analyte: Analyte, edge: Edge) -> None:
    """Just below, at and just above: the relation holds on one side of the very step that the points take."""
    values = [edge.value - TRACE, edge.value, edge.value + TRACE]
    holds = [edge.holds(value) for value in values]
    points = [oracle.outcome(analyte.name, str(value), analyte.unit) for value in values]
    assert [one == holds[0] for one in holds] == [one == points[0] for one in points]


@pytest.mark.parametrize(
    ("name", "ucum", "flagged", "plain"),
    [
        ("hemoglobin", "mmol/L", ("5.703", "5.715"), ("5.702", "5.716")),
        ("temperature", "[degF]", ("101.03", "101.21"), ("101.02", "101.22")),
        ("temperature", "[degF]", ("102.83", "103.01"), ("102.82", "103.02")),
    ],
)
def test_a_warning_beside_an_edge_reaches_as_far_as_it_says(
    name: str, ucum: str, flagged: tuple[str, str], plain: tuple[str, str]
) -> None:
    """0.01 g/dL or 0.05 Cel to either side, the end included, and no further."""
    assert [len(normalise(name, value, ucum).flags) for value in flagged] == [1, 1]
    assert [len(normalise(name, value, ucum).flags) for value in plain] == [0, 0]


def test_every_unit_of_moles_has_the_divisor_of_its_scale() -> None:
    """Factor by divisor is one number: the two conversions differ alike in every unit."""
    ferritin = analytes()["ferritin"]
    products = {ucum: unit.factor * ferritin.divisors[ucum] for ucum, unit in ferritin.units.items() if "mol" in ucum}
    assert products == dict.fromkeys(ferritin.divisors, Fraction("0.445") * USUAL)


def test_no_other_analyte_has_a_divisor() -> None:
    """Only of ferritin two conversions are in use that fall on different sides of an edge."""
    assert [name for name, one in analytes().items() if one.divisors] == ["ferritin"]

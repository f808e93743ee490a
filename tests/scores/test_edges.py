"""Every edge of the table, plus and minus one unit in the last place, in every accepted unit: ours and the oracle's.

The units and their other spellings are those of the terminology tables, the edges those of the score's table; what a
value gives, the oracle beside this file says, which shares nothing with either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

import pytest

from fhir_adapter.scores import Finding, Measurement, hscore, result_range
from fhir_adapter.scores.hscore_table import BANDS, LINEAGES
from fhir_adapter.terminology import Analyte, analytes, normalise
from fhir_adapter.trial import Result
from tests.scores import oracle

SCORED = [one for one in analytes().values() if one.scored]
SPELLINGS = {one.name: [*one.units, *one.aliases] for one in SCORED}
DIGITS = (0, 1, 2, 3, 4, 9, 30)
"""How many decimals a laboratory may write; the last is far beyond any of them."""
COMPARATORS = ("<", "<=", ">", ">=")


def edges(analyte: Analyte) -> set[Fraction]:
    """Where the points of the table change, in the canonical unit."""
    intervals = [band.values for band in BANDS.get(analyte.name, ())] or [LINEAGES[analyte.name]]
    return {end for one in intervals for end in (one.low, one.high) if end is not None}


def written_at(analyte: Analyte, unit: str, edge: Fraction) -> Iterator[str]:
    """An edge in a unit, as a number of so many decimals, and its two neighbours; around it where it is no decimal."""
    ucum = analyte.ucum(unit)
    assert ucum is not None
    factor = analyte.units[ucum]
    exact = edge / factor.factor + factor.zero
    for digits in DIGITS:
        nearest = exact * 10**digits // 1
        yield from (decimal(nearest + step, digits) for step in (-1, 0, 1, 2))


def decimal(count: int, digits: int) -> str:
    """So many units in the last place, as a decimal with that many decimals."""
    return f"{Decimal(count).scaleb(-digits):f}"


def ours(name: str, value: str, unit: str, comparator: str | None = None) -> set[int]:
    """The least and the most points of a value; for a lineage whether (1) or not (0) it is low."""
    read = normalise(name, value, "", unit, comparator=comparator)
    return set(result_range(name, Result(subject="", name=name, source="typed", interval=read.interval)))


def possible(analyte: Analyte, value: str, unit: str) -> bool:
    """False for what no person has: counting in whole grams leads to such numbers."""
    ucum = analyte.ucum(unit)
    assert ucum is not None
    low, high = analyte.limits.low, analyte.limits.high
    assert low is not None
    assert high is not None
    return low < analyte.units[ucum].apply(Fraction(value)) < high


def values(analyte: Analyte) -> Iterator[tuple[str, str]]:
    """Every value beside an edge, in every spelling of every unit."""
    for unit in SPELLINGS[analyte.name]:
        for edge in edges(analyte):
            texts = dict.fromkeys(written_at(analyte, unit, edge))
            yield from ((text, unit) for text in texts if possible(analyte, text, unit))


def differing(analyte: Analyte) -> Mapping[tuple[str, str], object]:
    """Values whose points are not the oracle's."""
    compared = {
        (value, unit): (ours(analyte.name, value, unit), {oracle.outcome(analyte.name, value, unit)})
        for value, unit in values(analyte)
    }
    return {value: both for value, both in compared.items() if both[0] != both[1]}


def differing_when_capped(analyte: Analyte) -> Mapping[tuple[str, str, str], object]:
    """Capped values whose least and most points are not the oracle's, in the units themselves."""
    compared = {
        (sign, value, unit): (ours(analyte.name, value, unit, sign), oracle.outcomes(analyte.name, sign, value, unit))
        for value, unit in values(analyte)
        if unit in analyte.units
        for sign in COMPARATORS
    }
    return {
        value: (one, other)
        for value, (one, other) in compared.items()
        if (min(one), max(one)) != (min(other), max(other))
    }


@pytest.mark.parametrize("analyte", SCORED, ids=lambda one: one.name)
def test_the_edges_are_those_that_the_paper_prints(analyte: Analyte) -> None:
    """The oracle reads them in the printed unit; they are ours."""
    printed = {analyte.units[read(analyte)].apply(Fraction(edge)) for edge in oracle.edges(analyte.name)}
    assert edges(analyte) == printed


def read(analyte: Analyte) -> str:
    """The unit of the paper as our tables read it."""
    unit = (oracle.PRINTED.get(analyte.name) or oracle.LOW[analyte.name])[0]
    ucum = analyte.ucum(unit)
    assert ucum is not None
    return ucum


@pytest.mark.parametrize("analyte", SCORED, ids=lambda one: one.name)
def test_one_unit_in_the_last_place_decides_as_the_oracle_says(analyte: Analyte) -> None:
    """At, just below and just above every edge, with few and with many decimals, in every unit and spelling."""
    assert differing(analyte) == {}


@pytest.mark.parametrize("analyte", SCORED, ids=lambda one: one.name)
def test_capped_at_an_edge_gives_the_bounds_that_the_oracle_finds(analyte: Analyte) -> None:
    """With < <= > and >= before them the same numbers allow what the oracle finds by trying."""
    assert differing_when_capped(analyte) == {}


@pytest.mark.parametrize("analyte", SCORED, ids=lambda one: one.name)
def test_both_sides_of_every_edge_are_reached_in_every_unit(analyte: Analyte) -> None:
    """The values above are no empty list: each unit has its own on either side."""
    outcomes = {unit: set[int]() for unit in SPELLINGS[analyte.name]}
    for value, unit in values(analyte):
        outcomes[unit].add(oracle.outcome(analyte.name, value, unit))
    every = {band.points for band in BANDS.get(analyte.name, ())} or {0, 1}
    assert outcomes == dict.fromkeys(SPELLINGS[analyte.name], every)


@pytest.mark.parametrize("analyte", [one for one in SCORED if one.name in BANDS], ids=lambda one: one.name)
def test_the_whole_score_says_the_same_as_its_points(analyte: Analyte) -> None:
    """From the text of a value to the item of a score nothing is lost on the way."""
    at_edges = [(value, unit) for value, unit in values(analyte) if unit in analyte.units]
    scored = {one: hscore([Measurement(analyte.name, *one)]).item(analyte.name) for one in at_edges}
    expected = {one: oracle.points(analyte.name, *one) for one in at_edges}
    assert {one: (item.low, item.high) for one, item in scored.items()} == {
        one: (points, points) for one, points in expected.items()
    }


@pytest.mark.parametrize("analyte", [one for one in SCORED if one.name in LINEAGES], ids=lambda one: one.name)
def test_a_lineage_beside_two_low_ones_makes_24_or_34(analyte: Analyte) -> None:
    """The whole score turns at the very same digit."""
    others = [Measurement(name, "3", "g/dL" if name == "hemoglobin" else "10*9/L") for name in LINEAGES]
    two = [one for one in others if one.test != analyte.name]
    at_edges = [(value, unit) for value, unit in values(analyte) if unit in analyte.units]
    scored = {
        one: hscore([*two, Measurement(analyte.name, *one)], [Finding("hepatomegaly", False)]) for one in at_edges
    }
    points = {one: score.item("cytopenias").low for one, score in scored.items()}
    assert points == {one: 34 if oracle.is_low(analyte.name, *one) else 24 for one in at_edges}


@pytest.mark.parametrize("analyte", SCORED, ids=lambda one: one.name)
def test_an_exponent_is_another_way_to_write_the_same_value(analyte: Analyte) -> None:
    """FHIR allows 5.00e9 for 5000000000, and interface engines write it."""
    written = [(value, f"{Decimal(value):e}", unit) for value, unit in values(analyte) if unit in analyte.units]
    found = {one: ours(analyte.name, one, unit) for _, one, unit in written}
    assert found == {one: {oracle.outcome(analyte.name, value, unit)} for value, one, unit in written}

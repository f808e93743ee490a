"""All 3,888 combinations of the table's bands, each scored twice: by the program and by the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import product

from fhir_adapter.scores import PARTS, Finding, Measurement, hscore
from fhir_adapter.scores.hscore_table import BANDS, COUNTED, ITEMS, LINEAGES, PRESENT
from fhir_adapter.terminology import analytes
from fhir_adapter.trial import Interval
from tests.scores import oracle

Values = tuple[dict[str, str], dict[str, bool]]
"""Analytes with a value in their canonical unit, and findings."""

NORMAL, LOW = {"hemoglobin": "12", "leukocytes": "8", "platelets": "200"}, "3"


def inside(band: Interval) -> str:
    """A number of a band, away from its ends."""
    low, high = band.low, band.high
    if low is None:
        assert high is not None
        return decimal(high * 95 / 100)
    return decimal((low + (high if high is not None else low * 105 / 100)) / 2)


def decimal(value: Fraction) -> str:
    """A number as laboratories write it."""
    return str(Decimal(value.numerator) / value.denominator)


def of_a_part(part: str) -> list[Values]:
    """Every answer to a part: a lineage low or not, an organ enlarged or not."""
    if part in LINEAGES:
        assert LINEAGES[part].contains(Interval.of(Fraction(LOW)))
        return [({part: NORMAL[part]}, {}), ({part: LOW}, {})]
    return [({}, {part: False}), ({}, {part: True})]


def together(some: tuple[Values, ...]) -> Values:
    """Several answers as one."""
    values = {name: value for values, _ in some for name, value in values.items()}
    return values, {name: said for _, present in some for name, said in present.items()}


def of_an_item(item: str) -> list[Values]:
    """One answer per band of an item, from the table; of a counted item one per number of points."""
    if item in BANDS:
        return [({item: inside(band.values)}, {}) for band in BANDS[item]]
    if item in PRESENT:
        return of_a_part(item)
    ways = [together(one) for one in product(*(of_a_part(part) for part in COUNTED[item].parts))]
    by_points = {COUNTED[item].points[positive(way)]: way for way in ways}
    return list(by_points.values())


def positive(way: Values) -> int:
    """How many parts of an item are positive."""
    values, present = way
    return [*present.values(), *(value == LOW for value in values.values())].count(True)


def ours(way: Values) -> tuple[int, int]:
    """The score by the program, of the text of each value in its canonical unit."""
    values, present = way
    measured = [Measurement(name, value, analytes()[name].unit) for name, value in values.items()]
    score = hscore(measured, [Finding(name, said) for name, said in present.items()])
    assert not score.issues
    return score.low, score.high


def theirs(way: Values) -> tuple[int, int]:
    """The score by the oracle."""
    values, present = way
    total = oracle.score({name: (value, analytes()[name].unit) for name, value in values.items()}, present)
    return total, total


def combinations() -> Iterator[Values]:
    """One subject per combination of bands."""
    yield from (together(one) for one in product(*(of_an_item(item) for item in ITEMS)))


def differing(ways: Iterator[Values]) -> Mapping[str, object]:
    """Those whose two scores are not the same."""
    scored = [(way, ours(way), theirs(way)) for way in ways]
    return {str(way): (one, other) for way, one, other in scored if one != other}


def test_there_are_3888_combinations() -> None:
    """Two, three, three, three, three, three, two, two and two bands."""
    assert len(list(combinations())) == len(oracle.all_totals()) == 3888


def test_every_combination_scores_as_the_oracle_says() -> None:
    """All items known: the score is one number, and it is the oracle's."""
    assert differing(combinations()) == {}


def test_every_choice_of_organs_and_lineages_scores_as_the_oracle_says() -> None:
    """Which of the organs and which of the lineages does not matter, only how many."""
    first = together(tuple(of_an_item(item)[0] for item in ITEMS))
    parts = [of_a_part(part) for item in COUNTED for part in PARTS[item]]
    assert differing(together((first, *one)) for one in product(*parts)) == {}

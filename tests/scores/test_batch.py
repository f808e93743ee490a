"""Bounds of many rows at once: the same as the score itself gives, and nothing that it would not take."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter.issues import Rejected
from fhir_adapter.scores import MAXIMUM, Evidence
from fhir_adapter.scores.batch import Value, hscore_bounds
from fhir_adapter.scores.hscore import Choice, total
from fhir_adapter.scores.hscore_table import BANDS, BOTH_ORGANS, LINEAGES, PARTS, PRESENT
from fhir_adapter.trial import Interval, Result

EDGES = {
    part: sorted({edge for band in bands for edge in (band.values.low, band.values.high) if edge is not None})
    for part, bands in BANDS.items()
} | {part: [limit.high] for part, limit in LINEAGES.items() if limit.high is not None}
STEPS = [Fraction(0), Fraction(1, 10**9), Fraction(-1, 10**9), Fraction(1), Fraction(-1), Fraction(10**6)]
COMPLETE: Mapping[str, Value] = {
    "known_immunosuppression": True,
    "temperature": Interval.of(Fraction("39.5")),
    "hepatomegaly": True,
    "splenomegaly": True,
    "hemoglobin": Interval.of(Fraction("9.2")),
    "leukocytes": Interval.of(Fraction(5)),
    "platelets": Interval.of(Fraction(110)),
    "ferritin": Interval.of(Fraction(40000), ">"),
    "triglycerides": Interval.of(Fraction("4.1")),
    "fibrinogen": Interval.of(Fraction("2.5")),
    "ast": Interval.of(Fraction(30)),
    "marrow_hemophagocytosis": True,
}


def beside_edges(part: str) -> st.SearchStrategy[Fraction]:
    """Values on an edge of the part, beside it, and far from it."""
    return st.builds(Fraction.__add__, st.sampled_from(EDGES[part]), st.sampled_from(STEPS))


def between(first: Fraction, second: Fraction, low_open: bool, high_open: bool) -> Interval:
    """An interval with these ends, in whatever order they are given; one value alone belongs to it."""
    low, high = sorted((first, second))
    return Interval(low, high, low_open and low < high, high_open and low < high)


def intervals(part: str) -> st.SearchStrategy[Interval | None]:
    """Every kind: a number, a half-line, from one value to another, everything, not known."""
    value = beside_edges(part)
    return st.one_of(
        st.builds(Interval.of, value, st.sampled_from([None, "<", "<=", ">", ">="])),
        st.builds(between, value, value, st.booleans(), st.booleans()),
        st.just(Interval()),
        st.none(),
    )


FINDINGS = (*PRESENT, *PARTS["organomegaly"], BOTH_ORGANS)
ROWS: st.SearchStrategy[Mapping[str, Value]] = st.fixed_dictionaries(
    {},
    optional={part: intervals(part) for part in EDGES} | dict.fromkeys(FINDINGS, st.sampled_from([None, False, True])),
)


def choices_of(row: Mapping[str, Value]) -> dict[str, Choice]:
    """The row as the score takes it: evidence of each part; that both organs are enlarged tells of each."""
    found: dict[str, list[Evidence]] = {}
    for name, value in row.items():
        if value is not None:
            stated = {"present": value} if isinstance(value, bool) else {"interval": value}
            result = Result(subject="", name=name, source="typed", **stated)
            for part in PARTS["organomegaly"] if name == BOTH_ORGANS and value else (name,):
                found.setdefault(part, []).append(Evidence(result, used=True, why=""))
    return {part: Choice(tuple(many)) for part, many in found.items()}


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(ROWS, max_size=4))
def test_rows_have_the_bounds_of_their_scores(rows: list[Mapping[str, Value]]) -> None:
    """Whatever is known, half known or not known of each part."""
    assert hscore_bounds(rows) == [(score.low, score.high) for score in map(total, map(choices_of, rows))]


def test_a_complete_row_is_one_number() -> None:
    """Everything on the side of an edge that counts: the maximum."""
    assert hscore_bounds([COMPLETE]) == [(MAXIMUM, MAXIMUM)]


def test_nothing_known_is_everything_possible() -> None:
    """Missing is never 0."""
    assert hscore_bounds([{}, dict.fromkeys(COMPLETE)]) == [(0, MAXIMUM), (0, MAXIMUM)]


@pytest.mark.parametrize(
    "row",
    [
        {"ferritine": Interval.of(Fraction(3000))},
        {"ferritin": True},
        {"ferritin": 3000},
        {"ferritin": Interval(Fraction(3), Fraction(2))},
        {"ferritin": Interval(Fraction(3), Fraction(3), low_open=True)},
        {"hepatomegaly": Interval.of(Fraction(1))},
        {"hepatomegaly": "present"},
        {"hepatomegaly": []},
    ],
)
def test_a_row_that_cannot_be_read_is_refused_by_its_number(row: Mapping[str, Value]) -> None:
    """A name with a mistake in it would otherwise be an unknown value in silence."""
    with pytest.raises(Rejected, match=r"^row 2: ") as error:
        hscore_bounds([COMPLETE, row])
    assert [issue.code for issue in error.value.issues] == ["batch-row"]

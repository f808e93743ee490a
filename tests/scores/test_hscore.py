"""The points of the HScore at every edge of its table, and its bounds when something is not known."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.scores import Finding, Measurement, hscore
from tests.scores.made_up import at_its_worst

EDGES = [
    ("temperature", "Cel", [("38.3999", 0), ("38.4", 33), ("39.4", 33), ("39.4001", 49), ("39.45", 49)]),
    ("ferritin", "ng/mL", [("1999.999", 0), ("2000", 35), ("6000", 35), ("6000.001", 50)]),
    ("ferritin", "ug/L", [("1999.999", 0), ("2000", 35), ("6000", 35), ("6000.001", 50)]),
    ("triglycerides", "mmol/L", [("1.4999", 0), ("1.5", 44), ("4", 44), ("4.0", 44), ("4.0001", 64), ("4.03", 64)]),
    ("triglycerides", "mg/dL", [("132", 0), ("132.854", 0), ("132.855", 44), ("354.28", 44), ("355", 64)]),
    ("fibrinogen", "g/L", [("2.4999", 30), ("2.5", 30), ("2.50", 30), ("2.5001", 0)]),
    ("fibrinogen", "mg/dL", [("250", 30), ("250.1", 0)]),
    ("ast", "U/L", [("29.999", 0), ("30", 19), ("30.0", 19)]),
    ("ast", "ukat/L", [("0.4999", 0), ("0.5", 19)]),
]


@pytest.mark.parametrize(
    ("test", "unit", "value", "points"),
    [(test, unit, value, points) for test, unit, many in EDGES for value, points in many],
)
def test_the_table_is_exact_at_every_edge(test: str, unit: str, value: str, points: int) -> None:
    """A value on a printed edge belongs to the band that the paper prints it in; one digit further it does not."""
    item = hscore([Measurement(test, value, unit)]).item(test)
    assert (item.low, item.high, item.state) == (points, points, "measured")


LINEAGE_EDGES = [
    ("hemoglobin", "g/dL", "9.2", "9.2001"),
    ("hemoglobin", "g/L", "92", "92.01"),
    ("leukocytes", "10*9/L", "5", "5.001"),
    ("leukocytes", "/uL", "5000", "5001"),
    ("platelets", "10*9/L", "110", "110.1"),
    ("platelets", "10*3/uL", "110", "111"),
]


@pytest.mark.parametrize(("test", "unit", "low", "normal"), LINEAGE_EDGES)
def test_a_lineage_is_low_up_to_its_limit(test: str, unit: str, low: str, normal: str) -> None:
    """Haemoglobin 9.2 g/dL, leukocytes 5000/mm3 and platelets 110 000/mm3 are low; a trace more is not."""
    others = {"hemoglobin": ("8", "g/dL"), "leukocytes": ("1", "10*9/L"), "platelets": ("20", "10*9/L")}
    del others[test]
    rest = [Measurement(name, *value) for name, value in others.items()]
    assert hscore([*rest, Measurement(test, low, unit)]).item("cytopenias").low == 34
    assert hscore([*rest, Measurement(test, normal, unit)]).item("cytopenias").high == 24


@pytest.mark.parametrize(("lows", "points"), [(0, 0), (1, 0), (2, 24), (3, 34)])
def test_cytopenias_count_lineages(lows: int, points: int) -> None:
    """One low lineage gives nothing, two give 24, three 34 points."""
    values = [
        ("hemoglobin", "80", "120", "g/L"),
        ("leukocytes", "1", "8", "10*9/L"),
        ("platelets", "20", "200", "10*9/L"),
    ]
    count = [
        Measurement(test, low if place < lows else high, unit) for place, (test, low, high, unit) in enumerate(values)
    ]
    item = hscore(count).item("cytopenias")
    assert (item.low, item.high) == (points, points)


@pytest.mark.parametrize(
    ("liver", "spleen", "points"),
    [
        *((False, False, (0, 0)), (True, False, (23, 23)), (False, True, (23, 23)), (True, True, (38, 38))),
        *((True, None, (23, 38)), (False, None, (0, 23)), (None, None, (0, 38))),
    ],
)
def test_organomegaly_counts_organs(liver: bool | None, spleen: bool | None, points: tuple[int, int]) -> None:
    """One organ 23, both 38; an organ that was not examined leaves a range."""
    item = hscore([], [Finding("hepatomegaly", liver), Finding("splenomegaly", spleen)]).item("organomegaly")
    assert (item.low, item.high) == points


def test_a_combined_finding_that_is_absent_excludes_only_both() -> None:
    """'No hepatosplenomegaly' may still be one enlarged organ: 0 to 23."""
    item = hscore([], [Finding("hepatosplenomegaly", False)]).item("organomegaly")
    assert (item.low, item.high, item.state) == (0, 23, "partial")


def test_a_combined_finding_that_is_present_means_both() -> None:
    """'Hepatosplenomegaly' is both organs: 38."""
    item = hscore([], [Finding("hepatosplenomegaly", True)]).item("organomegaly")
    assert (item.low, item.high, item.state) == (38, 38, "measured")


def test_not_both_beside_each_of_them_is_contradictory() -> None:
    """'No hepatosplenomegaly', liver enlarged, spleen enlarged: 0 to 38, conflicting."""
    findings = [Finding(name, True) for name in ("hepatomegaly", "splenomegaly")]
    item = hscore([], [*findings, Finding("hepatosplenomegaly", False)]).item("organomegaly")
    assert (item.low, item.high, item.state) == (0, 38, "conflicting")


def test_the_maximum_is_337() -> None:
    """Everything at its worst gives 337, and nothing known 0 to 337."""
    score = at_its_worst()
    assert (score.low, score.high, score.status, score.complete) == (337, 337, "met", True)
    empty = hscore([], [])
    assert (empty.low, empty.high, empty.status) == (0, 337, "undetermined")


@pytest.mark.parametrize(
    ("test", "comparator", "value", "unit", "points"),
    [
        ("ferritin", ">", "40000", "ng/mL", (50, 50)),
        ("ferritin", ">", "1500", "ng/mL", (0, 50)),
        ("ferritin", ">", "2000", "ng/mL", (35, 50)),
        ("ferritin", "<", "2000", "ng/mL", (0, 0)),
        ("ferritin", "<=", "2000", "ng/mL", (0, 35)),
        ("fibrinogen", "<", "0.7", "g/L", (30, 30)),
        ("triglycerides", ">", "2.89", "mmol/L", (44, 64)),
        ("ast", "<", "30", "U/L", (0, 0)),
    ],
)
def test_a_capped_result_is_a_half_line(
    test: str, comparator: str, value: str, unit: str, points: tuple[int, int]
) -> None:
    """A comparator is never stripped: the points are those of every band that the half-line touches."""
    item = hscore([Measurement(test, value, unit, comparator)]).item(test)
    assert (item.low, item.high) == points


def test_platelets_up_to_110_are_low() -> None:
    """`<=110` lies wholly inside the limit."""
    item = hscore([Measurement("platelets", "110", "10*9/L", "<=")]).item("cytopenias")
    assert (item.low, item.high, item.state) == (0, 34, "partial")


def test_the_worst_of_intervals_is_the_worst_of_both_ends() -> None:
    """`>1500` beside 3000 is 35 to 50: the number gives at least 35, the capped one up to 50."""
    both = [Measurement("ferritin", "1500", "ng/mL", ">"), Measurement("ferritin", "3000", "ng/mL")]
    item = hscore(both).item("ferritin")
    assert (item.low, item.high) == (35, 50)


def test_a_measurement_that_cannot_be_used_leaves_its_item_open_and_is_named() -> None:
    """A unit that nobody knows gives no points and no guess."""
    score = hscore([Measurement("ferritin", "5000", "furlong")])
    assert (score.item("ferritin").low, score.item("ferritin").high) == (0, 50)
    assert [issue.code for issue in score.issues] == ["unknown-unit"]


def test_an_unknown_finding_is_named() -> None:
    """A finding that the score does not know is no evidence, and is said."""
    assert [issue.code for issue in hscore([], [Finding("lymphadenopathy", True)]).issues] == ["unknown-finding"]


def test_unknown_immunosuppression_is_not_absent() -> None:
    """Unknown leaves 0 to 18; only a stated no gives 0."""
    assert hscore([]).item("known_immunosuppression").high == 18
    assert hscore([], [Finding("known_immunosuppression", None)]).item("known_immunosuppression").high == 18
    assert hscore([], [Finding("known_immunosuppression", False)]).item("known_immunosuppression").high == 0


@pytest.mark.parametrize(
    ("cutoff", "status"), [(117, "met"), (118, "undetermined"), (253, "undetermined"), (254, "not met")]
)
def test_met_means_at_or_above_the_cutoff(cutoff: int, status: str) -> None:
    """A score of 117 to 253: the cut-off itself is met, and between the bounds nothing is decided."""
    measured = [
        *(Measurement("ferritin", "9000", "ng/mL"), Measurement("triglycerides", "3", "mmol/L")),
        *(Measurement("fibrinogen", "3", "g/L"), Measurement("ast", "10", "U/L")),
    ]
    known = [Finding("splenomegaly", True), Finding("hepatomegaly", False)]
    score = hscore(measured, known, cutoff=cutoff)
    assert (score.low, score.high, score.status) == (117, 253, status)


@given(st.decimals("0", "2000000", places=3), st.decimals("0", "2000000", places=3))
def test_points_never_fall_when_ferritin_rises(one: Decimal, other: Decimal) -> None:
    """More ferritin never gives fewer points."""
    low, high = (hscore([Measurement("ferritin", str(value), "ng/mL")]) for value in sorted((one, other)))
    assert low.item("ferritin").low <= high.item("ferritin").low


_POSSIBLE = {
    "temperature": ("37", "39", "40"),
    "ferritin": ("100", "3000", "9000"),
    "triglycerides": ("1", "2", "5"),
}
_UNITS = {"temperature": "Cel", "ferritin": "ng/mL", "triglycerides": "mmol/L"}


def test_bounds_contain_every_completion() -> None:
    """Whatever a missing value turns out to be, the score lies between the bounds told before."""
    for known in product([False, True], repeat=3):
        for values in product(*_POSSIBLE.values()):
            whole = [Measurement(test, value, _UNITS[test]) for test, value in zip(_POSSIBLE, values, strict=True)]
            part = [one for one, is_known in zip(whole, known, strict=True) if is_known]
            open_score, closed = hscore(part), hscore(whole)
            assert open_score.low <= closed.low
            assert closed.high <= open_score.high

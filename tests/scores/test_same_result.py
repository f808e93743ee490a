"""Which reports tell of one result: copies to the second, specimens by issue, and methods that are no copies."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fhir_adapter.scores.same_result import reconcile
from fhir_adapter.trial import Interval, Result
from tests.scores.made_up import ZONE, found, issued, measured

COPY = "typed copy: the hospital's own result of that time counts"


def told(*results: Result) -> list[tuple[str, str]]:
    """Each report by its reference, and why it was passed over: empty for one that counts."""
    return sorted((one.result.reference, one.passed_over) for one in reconcile(results, ZONE))


@pytest.mark.parametrize(
    ("typed", "hospital", "copy"),
    [
        ("2016-03-29T06:20", "2016-03-29T06:20:59+08:00", True),
        ("2016-03-29T06:20", "2016-03-29T06:20", True),
        ("2016-03-29T06:20", "2016-03-29T06:21:00+08:00", False),
        ("2016-03-29T06:20", "2016-03-29T06:19:59+08:00", False),
        ("2016-03-29T06:20:00+08:00", "2016-03-29T06:20:30+08:00", False),
        ("2016-03-29T06:20:00+08:00", "2016-03-29T06:20:00.5+08:00", False),
        ("2016-03-29T06:20:00+08:00", "2016-03-28T22:20:00Z", True),
        ("2016-03-29", "2016-03-29", True),
        ("2016-03-29", "2016-03-29T00:00", True),
        ("2016-03-29", "2016-03-29T23:59", True),
        ("2016-03-29", "2016-03-30T00:00", False),
        ("2016-03", "2016-03-29T06:20", False),
    ],
)
def test_a_typed_value_is_a_copy_at_the_precision_of_its_time(typed: str, hospital: str, copy: bool) -> None:
    """A minute is the whole minute, a second that second, a date that day of the site; a month is nothing."""
    results = measured("ferritin", "410", typed, source="typed", reference="t"), measured("ferritin", "4", hospital)
    assert dict(told(*results))["t"] == (COPY if copy else "")


def test_what_nobody_dated_is_no_copy() -> None:
    """Neither a typed value without a date, nor one beside a hospital's result without one."""
    undated = Result(subject="S01", name="ferritin", source="typed", interval=Interval(), reference="t")
    assert told(undated, measured("ferritin", "4", "2016-03-29", reference="h")) == [("h", ""), ("t", "")]


@pytest.mark.parametrize(
    ("typed", "hospital", "copy"),
    [
        ("palpation", "ultrasound", False),
        ("ultrasound", "ultrasound", True),
        ("", "ultrasound", True),
        ("palpation", "", True),
    ],
)
def test_an_examination_by_another_method_is_no_copy(typed: str, hospital: str, copy: bool) -> None:
    """Where both say how they examined."""
    results = (
        found("splenomegaly", True, "2016-03-29T10:00", method=typed, reference="t"),
        found("splenomegaly", False, "2016-03-29T10:00", method=hospital, reference="h", source="hospital"),
    )
    assert dict(told(*results))["t"] == (COPY if copy else "")


@pytest.mark.parametrize(("typed", "hospital"), [("", "calculated"), ("Clauss", "calculated")])
def test_a_number_by_another_method_is_a_copy_all_the_same(typed: str, hospital: str) -> None:
    """A site's word for the laboratory's method is the site's own."""
    results = (
        measured("fibrinogen", "2", "2016-03-29T10:00", method=typed, reference="t", source="typed"),
        measured("fibrinogen", "3", "2016-03-29T10:00", method=hospital, reference="h"),
    )
    assert dict(told(*results))["t"] == COPY


def test_two_copies_of_one_result_are_both_called_copies() -> None:
    """And not a repetition of each other."""
    copies = [measured("ast", "19", "2016-03-29T06:30", source="typed", reference=name) for name in "ab"]
    hospital = measured("ast", "20", "2016-03-29T06:30", reference="h")
    assert told(*copies, hospital) == [("a", COPY), ("b", COPY), ("h", "")]


def test_results_that_nobody_dated_are_not_the_same() -> None:
    """Two of one value: nobody knows that it is one collection."""
    undated = [
        Result(subject="S01", name="ast", source="hospital", interval=Interval.of(Fraction(19)), reference=name)
        for name in "ab"
    ]
    assert told(*undated) == [("a", ""), ("b", "")]


def test_two_statements_that_nothing_was_done_stay_two() -> None:
    """Each is shown with its own reference."""
    results = [found("marrow_hemophagocytosis", None, "2016-03-29", reference=name) for name in "ab"]
    assert told(*results) == [("a", ""), ("b", "")]


def test_without_a_specimen_only_equal_results_of_one_time_are_the_same() -> None:
    """Numbers by their value, findings by their answer."""
    numbers = [measured("ast", value, "2016-03-29T06:30", reference=name) for value, name in (("19", "a"), ("90", "b"))]
    findings = [found("splenomegaly", name == "c", "2016-03-29T06:30", reference=name) for name in "cd"]
    assert told(*numbers) == [("a", ""), ("b", "")]
    assert told(*findings) == [("c", ""), ("d", "")]
    again = found("splenomegaly", True, "2016-03-29T06:30", reference="e")
    assert told(*findings, again) == [("c", "the same result again: e counts"), ("d", ""), ("e", "")]


def test_of_one_specimen_the_latest_issued_counts_whatever_its_reference() -> None:
    """References say nothing of time; what was never issued comes before everything that was."""
    results = (
        measured("ast", "90", "2016-03-29T06:30", specimen="A1", reference="z", **issued("2016-03-29T08:00")),
        measured("ast", "19", "2016-03-29T06:30", specimen="A1", reference="a", **issued("2016-04-01T08:00")),
        measured("ast", "20", "2016-03-29T06:30", specimen="A1", reference="zz"),
    )
    why = "the same specimen: the result issued later counts (a)"
    assert told(*results) == [("a", ""), ("z", why), ("zz", why)]


def test_of_one_biopsy_the_latest_answer_counts() -> None:
    """A finding is reported again like a number."""
    results = (
        found("marrow_hemophagocytosis", True, "2016-03-29", specimen="B", reference="z", **issued("2016-04-01")),
        found("marrow_hemophagocytosis", False, "2016-03-29", specimen="B", reference="a", **issued("2016-04-03")),
    )
    assert told(*results) == [("a", ""), ("z", "the same specimen: the result issued later counts (a)")]


@pytest.mark.parametrize(
    ("capped_issued", "number_issued", "passed_over"),
    [("2016-04-03", "2016-04-01", "n"), ("2016-04-01", "2016-04-03", "c")],
)
def test_a_number_outside_the_half_line_is_no_dilution(
    capped_issued: str, number_issued: str, passed_over: str
) -> None:
    """`>1500` and 900 of one specimen: the one issued later counts, whichever it is."""
    results = (
        measured("ferritin", ">1500", "2016-03-29", specimen="A", reference="c", **issued(capped_issued)),
        measured("ferritin", "900", "2016-03-29", specimen="A", reference="n", **issued(number_issued)),
    )
    other = {"c": "n", "n": "c"}[passed_over]
    why = f"the same specimen: the result issued later counts ({other})"
    assert told(*results) == sorted([(passed_over, why), (other, "")])


def test_a_diluted_number_says_so_of_the_capped_result() -> None:
    """Even where the capped one was issued last."""
    results = (
        measured("ferritin", ">1500", "2016-03-29", specimen="A", reference="c", **issued("2016-04-03")),
        measured("ferritin", "68200", "2016-03-29", specimen="A", reference="n", **issued("2016-04-01")),
    )
    assert told(*results) == [("c", "capped: the diluted number of the same specimen counts (n)"), ("n", "")]


def test_what_is_passed_over_keeps_the_time_of_its_collection() -> None:
    """Whoever sorts reports by time finds all of them."""
    results = [measured("ast", "19", "2016-03-29T06:30", specimen="A1", reference=name) for name in "ab"]
    first, second = reconcile(results, ZONE)
    assert first.at == second.at is not None

"""The scores of a subject at the edges: who died on which day, other readings beside the score, what names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_adapter.issues import Issue
from fhir_adapter.scores import Bounds, score_everything, score_subject
from fhir_adapter.scores.change import direction_of
from fhir_adapter.trial import Pick, Result, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, RULES, WEEK_2, ZONE, count, found, measured
from tests.scores.new_onset import results


def before_treatment() -> list[Result]:
    """What is recorded of the baseline."""
    return [one for one in results() if one.effective and one.effective.iso < "2016-03-02"]


def test_scores_and_change_carry_subject_and_patient() -> None:
    """Whatever is told of them names whose they are."""
    scores = score_subject("S03", results(), RULES, COURSE, patient="Patient/p3", as_of="2016-05-02")
    assert {(one.subject, one.patient, one.as_of) for one in scores.windows} == {("S03", "Patient/p3", "2016-05-02")}
    assert scores.change is not None
    assert (scores.change.subject, scores.change.first, scores.change.second) == ("S03", "baseline", "month-1")


def test_a_subject_without_a_dose_is_named_with_the_reason() -> None:
    """For a person to read."""
    scores = score_subject("S07", results(), RULES, None)
    message = "S07: no first dose, so no visit can be placed and no score computed"
    assert (scores.subject, scores.issues) == ("S07", (Issue("information", "no-first-dose", message),))


def test_every_result_together_keeps_patient_cutoff_and_the_days_of_the_site() -> None:
    """Examined at seven and at ten: one day in Shanghai, two of Greenwich."""
    organs = [found("splenomegaly", True, "2016-03-29T07:00"), found("splenomegaly", False, "2016-03-29T10:00")]
    whole = score_everything("Patient/1", organs, 120, "Patient/1", ZONE)
    assert (whole.window, whole.patient, whole.score.cutoff) == ("all", "Patient/1", 120)
    assert whole.score.item("organomegaly").state == "conflicting"


def test_other_readings_stand_beside_the_score_with_both_bounds() -> None:
    """A marrow that is known: without it least and most are 35 points lower."""
    given = [
        *(one for one in before_treatment() if one.name not in ("marrow_hemophagocytosis", "temperature")),
        found("marrow_hemophagocytosis", True, "2016-02-26"),
    ]
    (window,) = score_subject("S03", given, RULES, COURSE).windows
    assert (window.score.low, window.score.high) == (195, 244)
    assert window.sensitivity == (("worst of the window", 195, 244), ("without marrow", 160, 209))


def test_without_marrow_its_open_points_are_taken_from_the_most() -> None:
    """A marrow that nobody examined."""
    (window,) = score_subject("S03", before_treatment(), RULES, COURSE).windows
    assert window.sensitivity[1] == ("without marrow", 209, 209)


@pytest.mark.parametrize(
    ("worse", "points"),
    [
        (measured("ferritin", "9000", "2016-03-27T06:30"), 50),
        (measured("temperature", "39.6", "2016-03-29T06:00"), 49),
        (found("splenomegaly", True, "2016-03-23"), 23),
        (found("marrow_hemophagocytosis", True, "2016-03-27"), 35),
    ],
)
def test_the_worst_of_the_window_looks_at_every_result_of_it(worse: Result, points: int) -> None:
    """Whatever the trial's own rule is: earlier temperatures, organs and marrow, blood farther away."""
    given = [
        *count("2016-03-30T06:30", "10", "6", "150"),
        measured("ferritin", "900", "2016-03-30T06:30"),
        measured("temperature", "36.5", "2016-03-30T06:00"),
        found("hepatomegaly", False, "2016-03-30"),
        found("splenomegaly", False, "2016-03-30"),
        found("marrow_hemophagocytosis", False, "2016-03-30"),
    ]
    latest = replace(MONTH_1, temperature=Pick("last", 26, 33), temperature_days=None)
    rules = replace(RULES, windows=(BASELINE, WEEK_2, latest))
    before, after = (score_subject("S01", results, rules, COURSE).windows[0] for results in (given, [*given, worse]))
    assert (before.score.low, after.score.low) == (0, 0)
    assert (before.sensitivity[0][1], after.sensitivity[0][1]) == (0, points)


def test_the_worst_of_the_window_looks_at_temperatures_of_every_day() -> None:
    """The trial's own rule takes those of three days."""
    given = [*count("2016-03-30T06:30", "10", "6", "150"), measured("temperature", "39.6", "2016-04-01T06:00")]
    (window,) = score_subject("S01", given, RULES, COURSE).windows
    assert (window.score.item("temperature").low, window.sensitivity[0][1]) == (0, 49)


@pytest.mark.parametrize(
    ("death", "direction"),
    [
        ("2016-03-28", "not improved (died)"),
        ("2016-03-28T23:59", "not improved (died)"),
        ("2016-03-29", "undetermined"),
        ("2016-04-20", "undetermined"),
        ("2016", "not improved (died)"),
    ],
)
def test_a_death_before_the_planned_day_is_one_before_the_visit(death: str, direction: str) -> None:
    """Month 1 is planned on 2016-03-29, and nothing was measured there; a year alone may be before it."""
    change = score_subject("S05", before_treatment(), RULES, COURSE, death=read_moment(death, ZONE)).change
    assert change is not None
    assert (change.subject, change.direction) == ("S05", direction)


@pytest.mark.parametrize(("death", "value"), [("2016-03", True), ("2016-03-29", True), ("2016-03-28", False)])
def test_a_death_of_an_uncertain_day_leaves_a_visit_that_was_measured(death: str, value: bool) -> None:
    """Who was measured at month 1 lived then, unless the death is certainly before its planned day."""
    change = score_subject("S03", results(), RULES, COURSE, death=read_moment(death, ZONE)).change
    assert change is not None
    assert (change.full is not None) is value


def test_without_any_score_both_visits_are_named() -> None:
    """Neither baseline nor month 1."""
    change = score_subject("S03", [], RULES, COURSE).change
    assert change is not None
    assert change.subject == "S03"
    assert (change.direction, change.notes) == (
        "undetermined",
        ("no score at baseline and month-1: no change value",),
    )


def test_a_change_of_0_or_more_is_not_certainly_worse() -> None:
    """It may be none."""
    assert direction_of(Bounds(0, 5)) == "undetermined"

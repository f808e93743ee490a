"""Which way a score went, and how that and the score itself are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_adapter.scores import Bounds, Measurement, hscore, score_everything, score_subject
from fhir_adapter.scores.change import direction_of
from fhir_adapter.scores.choose import choose
from fhir_adapter.scores.explain import CAUTION, days_words, explain, explain_subject, signed
from fhir_adapter.trial import Pick, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, RULES, WEEK_2, count, found, measured
from tests.scores.new_onset import results, scored


@pytest.mark.parametrize(
    ("low", "high", "direction"),
    [(-5, -1, "improved"), (1, 5, "worsened"), (0, 0, "unchanged"), (-5, 0, "undetermined"), (-1, 1, "undetermined")],
)
def test_the_direction_is_told_only_when_it_is_certain(low: int, high: int, direction: str) -> None:
    """Bounds that touch 0 decide nothing."""
    assert direction_of(Bounds(low, high)) == direction


def test_no_change_has_no_sign() -> None:
    """0 is neither plus nor minus."""
    assert (signed(0, 0), signed(-3, 0), signed(-1, 1)) == ("0", "-3 to 0", "-1 to +1")


def test_the_note_says_whether_the_data_are_complete() -> None:
    """Data as of a mark, complete or not; without a pull that is said."""
    scores = score_subject("S05", count("2016-03-01T06:30", "8", "2", "60"), RULES, COURSE, as_of="2016-04-02")
    window = scores.windows[0]
    assert "Data as of 2016-04-02, incomplete." in explain(window, complete=False)
    assert "Nothing was pulled for this subject: typed values only." in explain(replace(window, as_of=None))


def test_a_measurement_without_a_value_was_not_done() -> None:
    """None is no number: the item stays open, and says why."""
    item = hscore([Measurement("ast", None, None)]).item("ast")
    assert (item.low, item.high, item.state) == (0, 19, "not_done")


def test_a_temperature_may_follow_any_rule() -> None:
    """A trial that takes the last reading instead of the highest."""
    last = replace(WEEK_2, temperature=Pick("last", 12, 18), temperature_days=None)
    results = [measured("temperature", "39.0", "2016-03-14T06:00"), measured("temperature", "37.0", "2016-03-15T06:00")]
    assert [one.value for one in choose(results, last, COURSE)["temperature"].used] == ["37.0"]


def test_a_result_without_a_date_is_listed_and_not_used() -> None:
    """Nobody knows which visit it belongs to."""
    undated = replace(measured("ferritin", "900", "2016-03-29"), effective=None)
    choice = choose([undated], MONTH_1, COURSE)["ferritin"]
    assert [(one.used, one.why) for one in choice.evidence] == [(False, "no date of collection")]


def test_a_result_before_the_window_is_passed_over_with_its_day() -> None:
    """A partial date that cannot lie in the window is told apart from one that may."""
    choice = choose([measured("ferritin", "900", "2015")], BASELINE, COURSE)["ferritin"]
    assert [one.why for one in choice.evidence] == ["a partial date outside the window"]


def note(visit: str) -> list[str]:
    """The note on the subject without temperature, organs and marrow at month 1, in study days."""
    scores = scored(notes=("13 of 14 planned doses given",))
    window = scores.at(visit)
    assert window is not None
    change = scores.change if visit == "month-1" else None
    return explain(window, change, rules=RULES, course=COURSE)


def test_the_note_reads_as_a_person_would_write_it() -> None:
    """Month 1: what is known and since when, what is not and of which days, the change, what was passed over."""
    assert note("month-1")[:12] == [
        (
            "S03, month 1: HScore 54-240 of 337, undetermined at 169; "
            "direction against baseline undetermined (-190 to +31)."
        ),
        "Known underlying immunosuppression: no (0), stated by Dr. A on 2016-02-25; it holds at every visit.",
        "Known on D30: ferritin 2140 ng/mL (35), AST 44 U/L (19), no cytopenia (0), fibrinogen 3.0 g/L (0).",
        "Not measured D28-30: temperature (0-49); D22-33: organs (0-38); D26-33: triglycerides (0-64), marrow (0-35).",
        "Marrow left out at both visits (primary): -155 to -4, lower.",
        "On items known at both visits: -39 (immunosuppression, cytopenias, ferritin, fibrinogen, AST).",
        (
            "An item that is not known at a visit counts there with everything that it may be, also when it is not "
            "known at the other visit; immunosuppression, fixed at enrolment, cancels."
        ),
        "To be known: 13 of 14 planned doses given.",
        "Passed over: D36: liver outside D22-33, triglycerides outside D26-33; results of other visits (11).",
        "Values: nearest D29 within D26-33.",
        "Data as of 2016-05-02, complete.",
        CAUTION,
    ]


def test_the_note_on_the_baseline_says_what_decided_each_item() -> None:
    """The most points first; what was not done is told with its day."""
    assert note("baseline")[2:5] == [
        (
            "Known on D1: ferritin 18400 ng/mL (50), triglycerides 1.98 mmol/L (44), "
            "cytopenia of leukocytes 4.1 and platelets 104 (24), AST 143 U/L (19), fibrinogen 2.61 g/L (0)."
        ),
        "Known on D-1: temperature 39.6 Cel (49), liver enlarged and spleen not enlarged (23).",
        "Not done: marrow (0-35), recorded on D-4.",
    ]


def test_the_probability_is_told_of_the_baseline_with_its_limits() -> None:
    """The rows of the published table around both ends, and what such a number is."""
    said = [line for line in note("baseline") if "robability" in line]
    assert said == [
        (
            "Probability of haemophagocytic syndrome in the published table (Fardet L et al., Arthritis Rheumatol "
            "2014;66(9):2613-20): 209 lies between 200 (88 %) and 210 (93 %); "
            "244 lies between 240 (99 %) and 250 (>99 %)."
        ),
        (
            "It is a diagnostic probability, from a cohort of which about 60 % had the syndrome; "
            "it was never validated as a measure of activity."
        ),
    ]


def test_no_probability_after_treatment() -> None:
    """Month 1 has a score and no percentage."""
    assert "%" not in " ".join(note("month-1"))


def test_no_probability_of_every_result_together() -> None:
    """--window all mixes days before and after treatment."""
    whole = score_everything("S03", results(), 169)
    assert "%" not in " ".join(explain(whole, rules=RULES, course=COURSE))


def test_no_probability_where_a_result_after_the_first_dose_may_count() -> None:
    """A baseline that is not held to the time before the first dose is no diagnosis before treatment."""
    loose = replace(RULES, windows=(replace(BASELINE, before_first_dose=False), WEEK_2, MONTH_1))
    window = scored().windows[0]
    assert "%" not in " ".join(explain(window, rules=loose, course=COURSE))


def test_no_probability_without_the_trials_rule() -> None:
    """Nobody knows then which visit the baseline is."""
    assert "%" not in " ".join(explain(scored().windows[0]))


def test_without_study_days_the_note_speaks_in_dates() -> None:
    """Every result of a file: no visit, no window."""
    said = explain(score_everything("Patient/1", [measured("ferritin", "900", "2016-03-01T06:30", unit="ng/mL")], 169))
    assert said[0] == "Patient/1, every result, the worst of each item: HScore 0-287 of 337, undetermined at 169."
    assert said[1:4] == [
        "Nobody stated at enrolment: known underlying immunosuppression (0-18).",
        "Known on 2016-03-01: ferritin 900 ng/mL (0).",
        (
            "Not measured: temperature (0-49), organs (0-38), cytopenias (0-34), triglycerides (0-64), fibrinogen "
            "(0-30), AST (0-19), marrow (0-35)."
        ),
    ]


def about(*more: object) -> list[str]:
    """The note on a baseline with a blood count and these results."""
    scores = score_subject("S01", [*count("2016-03-01T06:30", "9.6", "8", "204"), *more], RULES, COURSE)  # type: ignore[list-item]
    return explain(scores.windows[0], rules=RULES, course=COURSE)


def test_a_capped_result_is_known_within_bounds_only() -> None:
    """>1500 may be 0, 35 or 50 points."""
    said = about(measured("ferritin", ">1500", "2016-03-01T06:30", unit="ng/mL"))
    assert "Known within bounds only: ferritin >1500 ng/mL on D1 (0-50)." in said


def test_results_that_contradict_each_other_are_both_told() -> None:
    """Ultrasound against palpation on one day, and a spleen that nobody examined."""
    said = about(
        found("hepatomegaly", True, "2016-02-29", method="ultrasound"),
        found("hepatomegaly", False, "2016-02-29", method="palpation"),
    )
    assert (
        "Known within bounds only: contradictory: liver enlarged on D-1, liver not enlarged on D-1, "
        "spleen not known (0-38)." in said
    )


def test_a_line_is_left_for_the_visit_that_a_death_prevented() -> None:
    """No score at month 1: the direction is told all the same."""
    early = [one for one in results() if one.effective and one.effective.iso < "2016-03-02"]
    scores = score_subject("S05", early, RULES, COURSE, death=read_moment("2016-03-19"), notes=("rescue: x on D16",))
    said = explain_subject(scores, rules=RULES, course=COURSE)
    assert said[-3:] == [
        "S05, month 1: no score; not improved (died); no change value.",
        "To be known: rescue: x on D16.",
        "",
    ]


def test_what_has_no_date_is_told_of_an_unknown_day() -> None:
    """A finding that nobody dated, where no visits are told apart."""
    said = explain(score_everything("S01", [found("marrow_hemophagocytosis", True, None)], 169))
    assert "Known on an unknown day: haemophagocytosis on marrow aspirate (35)." in said
    assert any(" | undated | " in line for line in said)


def test_days_of_no_visit_are_named_up_to_a_few() -> None:
    """The nearest visit names them; the rest is counted."""
    late = [measured("ast", "44", f"2016-04-{day:02}T06:30", unit="U/L") for day in range(5, 11)]
    scores = score_subject("S03", [*results(), *late], RULES, COURSE)
    said = " ".join(explain(scores.windows[-1], rules=RULES, course=COURSE))
    assert "D38: AST outside D26-33" in said
    assert "results of 2 more days outside every visit" in said


def test_a_temperature_of_another_day_of_the_visit_is_counted() -> None:
    """Only the three days that end on the day of the blood count are looked at."""
    scores = score_subject("S03", [*results(), measured("temperature", "39", "2016-04-01T06:00")], RULES, COURSE)
    said = " ".join(explain(scores.windows[-1], rules=RULES, course=COURSE))
    assert "temperatures of other days of this visit (1)" in said


def test_no_common_item_is_said() -> None:
    """A baseline of a count alone, a month 1 of ferritin alone."""
    alone = [*count("2016-03-01T06:30", "9.6", "8", "204"), measured("ferritin", "900", "2016-03-30T06:30")]
    scores = score_subject("S01", alone, RULES, COURSE)
    assert "On items known at both visits: there are none." in explain(scores.windows[-1], scores.change)


def test_study_days_before_the_first_dose_are_written_out() -> None:
    """D-3-1 would be unreadable."""
    assert [days_words(-3, 1), days_words(26, 33), days_words(15, 15)] == ["D-3 to D1", "D26-33", "D15"]


def test_the_notes_of_a_subject_tell_the_change_once() -> None:
    """At the visit that it goes to."""
    said = explain_subject(scored(), rules=RULES, course=COURSE)
    assert [line.partition(":")[0] for line in said if "direction against" in line] == ["S03, month 1"]


def test_the_evidence_of_a_result_names_its_study_day() -> None:
    """Below the note every item lists what counts, and what was passed over."""
    said = note("month-1")
    assert any(line.startswith("  + ferritin | 2140 ng/mL | 2016-03-30T06:30 (D30) | hospital") for line in said)
    assert any(
        line.startswith("  - passed over: triglycerides | 1.72 mmol/L | 2016-04-05T09:15 (D36)") for line in said
    )


def test_no_note_speaks_of_a_diagnosis_a_response_or_a_test_to_do() -> None:
    """The words that a score never says."""
    said = " ".join([*note("baseline"), *note("month-1")]).lower()
    forbidden = ("confirmed", "excluded", "remission", "responder", " met", "improved", "recommended")
    assert [word for word in forbidden if word in said] == []

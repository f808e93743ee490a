"""The note on a score word for word: one with something of everything, and the sentences that it has no room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fhir_adapter.scores import Course, SubjectScores, score_everything, score_subject
from fhir_adapter.scores.explain import (
    CAUTION,
    against_cutoff,
    blood_rule,
    days_words,
    explain,
    explain_subject,
    pick_of,
)
from fhir_adapter.scores.model import Evidence, HScore, ItemScore, WindowScore
from fhir_adapter.trial import Pick, Result, ScoreWindow, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, RULES, WEEK_2, count, found, measured
from tests.scores.new_onset import results, scored

NEAREST = "nearest to D29 within D26 to D33 (tie: earlier)"
NOT_CHOSEN = f"another result was chosen: {NEAREST}"
HIGHEST = "highest reading of the 3 calendar days ending on the day of the blood count"
STATED = "stated once at enrolment; holds at every visit"


def month_1() -> list[Result]:
    """Something of everything: contradictory, capped, in part, not done, undated, partial, too late, of other days."""
    return [
        found("known_immunosuppression", True, "2016-02-24T10:00", flags=("stated by Dr. A",), reference="1"),
        found("known_immunosuppression", False, "2016-02-25", flags=("stated by Dr. B", "corrected"), reference="2"),
        measured("temperature", "38.1", "2016-03-29T06:00", unit="Cel", body_site="axillary", reference="t1"),
        measured("temperature", "37.0", "2016-03-29T18:00", unit="Cel", reference="t2"),
        measured("temperature", "36.9", "2016-03-31T18:00", unit="Cel", reference="t3"),
        measured("temperature", "36.8", "2016-04-01T18:00", unit="Cel", reference="t4"),
        measured("temperature", "36.7", "2016-04-02T18:00", unit="Cel", reference="t5"),
        found("hepatomegaly", True, "2016-03-28T10:00", value="3 cm below the rib", reference="3"),
        found("splenomegaly", False, "2016-03-27", reference="4"),
        measured("leukocytes", "4.1", "2016-03-30T06:30", flags=("unit G/L read as 10*9/L", "no code"), reference="w1"),
        measured("ferritin", ">1500", "2016-03-30T06:30", unit="ng/mL", reference=""),
        measured("ferritin", "902", "2016-03-27T06:30", unit="ng/mL", reference="f2"),
        measured("ferritin", "903", "2016-03-31T06:30", unit="ng/mL", reference="f3"),
        measured("ferritin", "904", "2016-03-26T06:30", unit="ng/mL", reference="f4"),
        measured("ferritin", "905", "2016-04-01T06:30", unit="ng/mL", reference="f5"),
        measured("ferritin", "906", "2016-04-02T06:30", unit="ng/mL", reference="f6"),
        measured("ferritin", "907", "2016-04-02T18:30", unit="ng/mL", reference="f7"),
        measured("ast", "43", "2016-03", unit="U/L", reference="a1"),
        replace(measured("ast", "44", "2016-03-29T06:30", unit="U/L", reference="a2"), effective=None),
        measured("triglycerides", "1.72", "2016-04-05T09:15", unit="mmol/L", reference="g1"),
        measured("fibrinogen", "2.2", "2016-04-05T09:15", unit="g/L", reference="b1"),
        measured("fibrinogen", "2.1", "2016-04-05T18:15", unit="g/L", reference="b2"),
        found("hepatomegaly", False, "2016-04-05", reference="5"),
        found("marrow_hemophagocytosis", None, "2016-03-29", value="refused", reference="6"),
        found("marrow_hemophagocytosis", None, "2016-03-30", reference="7"),
    ]


def test_a_note_with_something_of_everything_reads_word_for_word() -> None:
    """What was not measured at the baseline, a month 1 of which little is known, and the evidence of every item."""
    notes = ("13 of 14 planned doses given", "rescue: x on D16")
    scores = score_subject("S01", month_1(), RULES, COURSE, as_of="2016-05-02", notes=notes)
    assert explain_subject(scores, rules=RULES, course=COURSE) == [
        (
            "S01, month 1: HScore 23-273 of 337, undetermined at 169; "
            "direction against baseline undetermined (no change value)."
        ),
        (
            "Known underlying immunosuppression: yes and no (0-18), stated by Dr. A, stated by Dr. B, corrected on "
            "2016-02-24, 2016-02-25; it holds at every visit."
        ),
        "Known on D27 and D28: liver enlarged and spleen not enlarged (23).",
        "Known on D29: temperature 38.1 Cel (0).",
        (
            "Known within bounds only: leukocytes 4.1 on D30, haemoglobin and platelets not known (0-34); "
            "ferritin >1500 ng/mL on D30 (0-50)."
        ),
        "Not measured D26-33: triglycerides (0-64), fibrinogen (0-30), AST (0-19).",
        "Not done: marrow (0-35), recorded on D29 and D30.",
        "To be known: 13 of 14 planned doses given; rescue: x on D16; no score at baseline: no change value.",
        (
            "Passed over: D36: liver outside D22-33, triglycerides, fibrinogen outside D26-33; "
            "another result was chosen (7); temperatures of other days of this visit (3); "
            "a partial date that only overlaps the window (1); no date of collection (1)."
        ),
        "Values: nearest D29 within D26-33.",
        "Data as of 2016-05-02, complete.",
        CAUTION,
        "",
        "known underlying immunosuppression: 0-18 points, contradictory",
        (
            "  + known underlying immunosuppression | present | 2016-02-24T10:00 (D-6) | typed, 1: "
            f"{STATED} [stated by Dr. A]"
        ),
        (
            "  + known underlying immunosuppression | absent | 2016-02-25 (D-5) | typed, 2: "
            f"{STATED} [stated by Dr. B; corrected]"
        ),
        "",
        "temperature: 0 points, measured",
        "    note: axillary: not corrected",
        f"  + temperature | 38.1 Cel | 2016-03-29T06:00 (D29) | hospital, t1: {HIGHEST}",
        (
            "  - passed over: temperature | 37.0 Cel | 2016-03-29T18:00 (D29) | hospital, t2: "
            f"another result was chosen: {HIGHEST}"
        ),
        ("  - passed over: temperature | 36.9 Cel | 2016-03-31T18:00 (D31) | hospital, t3: day 31, outside D28 to D30"),
        ("  - passed over: temperature | 36.8 Cel | 2016-04-01T18:00 (D32) | hospital, t4: day 32, outside D28 to D30"),
        ("  - passed over: temperature | 36.7 Cel | 2016-04-02T18:00 (D33) | hospital, t5: day 33, outside D28 to D30"),
        "",
        "organomegaly: 23 points, measured",
        (
            "  + liver | present (3 cm below the rib) | 2016-03-28T10:00 (D28) | typed, 3: "
            "last examination in the window"
        ),
        "  + spleen | absent | 2016-03-27 (D27) | typed, 4: last examination in the window",
        "  - passed over: liver | absent | 2016-04-05 (D36) | typed, 5: day 36, outside D22 to D33",
        "",
        "cytopenias: 0-34 points, known in part",
        (
            f"  + leukocytes | 4.1 | 2016-03-30T06:30 (D30) | hospital, w1: {NEAREST}; "
            "the three lineages come from one blood count [unit G/L read as 10*9/L; no code]"
        ),
        "",
        "ferritin: 0-50 points, measured",
        f"  + ferritin | >1500 ng/mL | 2016-03-30T06:30 (D30) | hospital: {NEAREST}",
        f"  - passed over: ferritin | 902 ng/mL | 2016-03-27T06:30 (D27) | hospital, f2: {NOT_CHOSEN}",
        f"  - passed over: ferritin | 903 ng/mL | 2016-03-31T06:30 (D31) | hospital, f3: {NOT_CHOSEN}",
        f"  - passed over: ferritin | 904 ng/mL | 2016-03-26T06:30 (D26) | hospital, f4: {NOT_CHOSEN}",
        f"  - passed over: ferritin | 905 ng/mL | 2016-04-01T06:30 (D32) | hospital, f5: {NOT_CHOSEN}",
        "  - and 2 more passed over; --format json lists all",
        "",
        "triglycerides: 0-64 points, not known",
        (
            "  - passed over: triglycerides | 1.72 mmol/L | 2016-04-05T09:15 (D36) | hospital, g1: "
            "day 36, outside D26 to D33"
        ),
        "",
        "fibrinogen: 0-30 points, not known",
        "  - passed over: fibrinogen | 2.2 g/L | 2016-04-05T09:15 (D36) | hospital, b1: day 36, outside D26 to D33",
        "  - passed over: fibrinogen | 2.1 g/L | 2016-04-05T18:15 (D36) | hospital, b2: day 36, outside D26 to D33",
        "",
        "AST: 0-19 points, not known",
        "  - passed over: AST | 43 U/L | 2016-03 | hospital, a1: a partial date that only overlaps the window",
        "  - passed over: AST | 44 U/L | undated | hospital, a2: no date of collection",
        "",
        "haemophagocytosis on marrow aspirate: 0-35 points, not done",
        "  + haemophagocytosis on marrow aspirate | 2016-03-29 (D29) | typed, 6: not done",
        "  + haemophagocytosis on marrow aspirate | 2016-03-30 (D30) | typed, 7: not done",
        "",
        "Items whose value could change the result (not a recommendation to test):",
        "  known underlying immunosuppression (0-18)",
        "  cytopenias (0-34)",
        "  ferritin (0-50)",
        "  triglycerides (0-64)",
        "  fibrinogen (0-30)",
        "  AST (0-19)",
        "  haemophagocytosis on marrow aspirate (0-35)",
        "",
    ]


def test_the_notes_of_a_subject_are_those_of_its_visits_one_after_the_other() -> None:
    """In study days as each of them is, the change with the visit that it goes to."""
    scores = scored()
    first, second = scores.windows
    assert explain_subject(scores, complete=False, rules=RULES, course=COURSE) == [
        *explain(first, complete=False, rules=RULES, course=COURSE),
        "",
        *explain(second, scores.change, complete=False, rules=RULES, course=COURSE),
        "",
    ]


def test_the_notes_of_a_subject_end_with_the_visit_that_a_death_prevented() -> None:
    """After the note on the baseline, which stays whole."""
    early = [one for one in results() if one.effective and one.effective.iso < "2016-03-02"]
    scores = score_subject("S05", early, RULES, COURSE, death=read_moment("2016-03-19"))
    assert explain_subject(scores, rules=RULES, course=COURSE) == [
        *explain(scores.windows[0], rules=RULES, course=COURSE),
        "",
        "S05, month 1: no score; not improved (died); no change value.",
        "",
    ]


def test_a_subject_whose_scores_are_not_compared_has_notes_all_the_same() -> None:
    """No change: nothing is said of one."""
    window = score_everything("S01", results(), 169)
    assert explain_subject(SubjectScores("S01", (window,))) == [*explain(window), ""]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(169, 200, "at or above 169"), (100, 168, "below 169"), (168, 169, "undetermined at 169")],
)
def test_a_score_stands_below_at_or_above_its_cutoff(low: int, high: int, words: str) -> None:
    """Nothing of a diagnosis."""
    assert against_cutoff(HScore((ItemScore("ferritin", low, high, "measured"),))) == words


@pytest.mark.parametrize(
    ("window", "rule"),
    [
        (BASELINE, "last before injection 1, D-3 to D1"),
        (replace(BASELINE, blood=Pick("nearest", -3, 1)), "nearest D1 within D-3 to D1"),
        (replace(BASELINE, blood=Pick("first", -3, 1)), "first of D-3 to D1"),
        (MONTH_1, "nearest D29 within D26-33"),
        (replace(MONTH_1, blood=Pick("last", 26, 33)), "latest of D26-33"),
        (replace(MONTH_1, blood=Pick("worst", 26, 33)), "worst of D26-33"),
    ],
)
def test_the_rule_of_a_visit_is_told_in_words(window: ScoreWindow, rule: str) -> None:
    """The trial's own, and before injection 1 only where a visit is held to it."""
    assert blood_rule(window) == rule


@pytest.mark.parametrize(
    ("window", "course", "pick"),
    [
        (WEEK_2, COURSE, Pick("worst", 14, 16)),
        (replace(WEEK_2, temperature_days=None), COURSE, Pick("worst", 12, 18)),
        (WEEK_2, None, Pick("worst", 12, 18)),
    ],
)
def test_temperatures_are_looked_for_in_the_days_that_end_on_the_blood_count(
    window: ScoreWindow, course: Course | None, pick: Pick
) -> None:
    """Three calendar days up to the count of D16; the whole window without that rule, and without study days."""
    scores = score_subject("S01", count("2016-03-16T06:30", "10", "6", "150"), RULES, COURSE)
    assert pick_of("temperature", scores.windows[0].score, window, course) == pick


def test_without_a_blood_count_temperatures_are_looked_for_up_to_the_planned_day() -> None:
    """Week 2 is planned on D15."""
    scores = score_subject("S01", [measured("ferritin", "900", "2016-03-16T06:30")], RULES, COURSE)
    assert pick_of("temperature", scores.windows[0].score, WEEK_2, COURSE) == Pick("worst", 13, 15)


def test_days_from_the_first_dose_on_are_written_short() -> None:
    """D1 to D14, as all after it."""
    assert days_words(1, 14) == "D1-14"


def at_week_2(*more: Result) -> list[str]:
    """The note on a week 2 with a blood count on D15 and these results."""
    scores = score_subject("S01", [*count("2016-03-15T06:30", "10", "6", "150"), *more], RULES, COURSE)
    window = scores.at("week-2")
    assert window is not None
    return explain(window, rules=RULES, course=COURSE)


def beginning(words: str, lines: Sequence[str]) -> list[str]:
    """The lines that begin so."""
    return [line for line in lines if line.startswith(words)]


def test_a_blood_count_that_is_known_without_a_lineage_names_what_it_knows() -> None:
    """Two lineages that are not low and one that nobody measured: 0 points, whatever the third is."""
    two = [one for one in count("2016-03-29T06:30", "10", "6", "150") if one.name != "leukocytes"]
    scores = score_subject("S01", two, RULES, COURSE)
    said = explain(scores.windows[0], rules=RULES, course=COURSE)
    assert beginning("Known on", said) == ["Known on D29: cytopenia of no lineage for certain (0)."]


def test_a_capped_lineage_is_not_low_for_certain() -> None:
    """Platelets below 150 may be low or not; one lineage gives no points."""
    said = explain(score_everything("S01", count("2016-03-29T06:30", "10", "6", "<150"), 169))
    assert beginning("Known on", said) == ["Known on 2016-03-29: cytopenia of no lineage for certain (0)."]


def test_the_lineages_that_are_low_are_named_with_their_values() -> None:
    """Two of three."""
    said = explain(score_everything("S01", count("2016-03-29T06:30", "9.2", "5", "111"), 169))
    assert beginning("Known on", said) == ["Known on 2016-03-29: cytopenia of haemoglobin 9.2 and leukocytes 5 (24)."]


@pytest.mark.parametrize("values", [("9000", "900"), ("900", "9000"), ("9000", "9100")])
def test_of_several_results_that_count_the_one_with_the_most_points_is_named(values: tuple[str, str]) -> None:
    """The first of those that give as many."""
    many = [measured("ferritin", value, f"2016-03-0{day}T06:30") for day, value in enumerate(values, 1)]
    (line,) = beginning("Known on", explain(score_everything("S01", many, 169)))
    assert line.endswith(": ferritin 9000 (50).")


def test_an_absent_marrow_finding_is_told_in_words() -> None:
    """No haemophagocytosis, and not: no marrow."""
    said = explain(score_everything("S01", [found("marrow_hemophagocytosis", False, "2016-02-25")], 169))
    assert beginning("Known on", said) == ["Known on 2016-02-25: no haemophagocytosis on marrow aspirate (0)."]


def test_that_not_both_organs_are_enlarged_leaves_none_of_them_to_be_named() -> None:
    """The combined finding speaks of both."""
    said = explain(score_everything("S01", [found("hepatosplenomegaly", False, "2016-02-25")], 169))
    assert beginning("Known within", said) == [
        "Known within bounds only: liver and spleen together not enlarged on 2016-02-25 (0-23)."
    ]


def test_immunosuppression_without_a_name_or_a_day_is_told_without_them() -> None:
    """Nobody is named, and nothing stands in their place."""
    said = explain(score_everything("S01", [found("known_immunosuppression", True, None)], 169))
    assert said[1] == "Known underlying immunosuppression: yes (18); it holds at every visit."


def test_the_haemoglobin_is_spelt_as_in_the_protocol() -> None:
    """In the evidence too, not in the name of the field."""
    assert beginning("  + haemoglobin | 10 | ", at_week_2())


def test_what_two_items_lack_is_told_as_not_done_side_by_side() -> None:
    """Spleen and marrow were both recorded as not examined."""
    said = at_week_2(
        found("splenomegaly", None, "2016-03-15"),
        found("marrow_hemophagocytosis", None, "2016-03-16"),
    )
    assert beginning("Not done", said) == ["Not done: organs (0-38), recorded on D15, marrow (0-35), recorded on D16."]


def test_an_examination_of_the_days_of_another_visit_belongs_to_that_one() -> None:
    """D22 is as near to D15 as to D29, and among the days in which month 1 looks for organs."""
    said = at_week_2(found("hepatomegaly", False, "2016-03-22"))
    assert beginning("Passed over", said) == ["Passed over: results of other visits (1)."]


def test_a_temperature_belongs_to_the_visit_by_the_days_of_temperatures() -> None:
    """Week 2 takes temperatures until D20 and blood until D18: the reading of D20 is one of its other days."""
    wide = replace(WEEK_2, temperature=Pick("worst", 12, 20))
    rules = replace(RULES, windows=(BASELINE, wide, MONTH_1))
    given = [*count("2016-03-15T06:30", "10", "6", "150"), measured("temperature", "37", "2016-03-20T06:00")]
    window = score_subject("S01", given, rules, COURSE).windows[0]
    said = explain(window, rules=rules, course=COURSE)
    assert beginning("Passed over", said) == ["Passed over: temperatures of other days of this visit (1)."]


def test_what_is_passed_over_for_one_reason_is_counted() -> None:
    """Two typed copies of one kind, and the reason without its details."""
    copies = [
        measured("platelets", "9", "2016-03-15T06:30", source="typed", reference="lb.csv row 1"),
        measured("leukocytes", "9", "2016-03-15T06:30", source="typed", reference="lb.csv row 2"),
    ]
    assert beginning("Passed over", at_week_2(*copies)) == ["Passed over: typed copy (2)."]


def test_an_organ_is_named_once_of_one_day() -> None:
    """Two examinations of one liver on a day of no visit."""
    said = at_week_2(found("hepatomegaly", False, "2016-03-19T08:00"), found("hepatomegaly", True, "2016-03-19T09:00"))
    assert beginning("Passed over", said) == ["Passed over: D19: liver outside D12-18."]


def test_results_on_four_days_of_no_visit_are_all_named() -> None:
    """No sentence of 0 more days."""
    late = [measured("ast", "44", f"2016-04-{day:02}T06:30") for day in range(5, 9)]
    scores = score_subject("S01", [*count("2016-03-29T06:30", "10", "6", "150"), *late], RULES, COURSE)
    said = explain(scores.windows[0], rules=RULES, course=COURSE)
    assert beginning("Passed over", said) == [
        (
            "Passed over: D36: AST outside D26-33; D37: AST outside D26-33; "
            "D38: AST outside D26-33; D39: AST outside D26-33."
        )
    ]


def test_without_a_trial_what_is_passed_over_is_counted_by_its_reason() -> None:
    """No visit is nearest to anything."""
    scores = score_subject("S01", results(), RULES, COURSE)
    said = explain(scores.windows[1], course=COURSE)
    assert beginning("Passed over", said) == [
        (
            "Passed over: day 1, outside D26 to D33 (7); day -1, outside D22 to D33 (2); "
            "day -1, outside D28 to D30 (1); day 36, outside D22 to D33 (1); day 36, outside D26 to D33 (1); "
            "day -4, outside D26 to D33 (1)."
        )
    ]


def test_the_probability_of_a_score_that_is_one_number_is_told_once() -> None:
    """A baseline of which everything is known: one bracket of the table."""
    marrow = found("marrow_hemophagocytosis", False, "2016-02-26")
    known = [one for one in results() if one.name != "marrow_hemophagocytosis"]
    (window, _) = score_subject("S03", [*known, marrow], RULES, COURSE).windows
    assert beginning("Probability", explain(window, rules=RULES, course=COURSE)) == [
        (
            "Probability of haemophagocytic syndrome in the published table (Fardet L et al., Arthritis Rheumatol "
            "2014;66(9):2613-20): 209 lies between 200 (88 %) and 210 (93 %)."
        )
    ]


def test_without_notes_nothing_is_to_be_known() -> None:
    """No empty sentence."""
    scores = scored()
    assert beginning("To be known", explain_subject(scores, rules=RULES, course=COURSE)) == []


def test_a_part_without_words_of_its_own_is_told_by_its_name() -> None:
    """Whatever an item may be made of one day: never an empty place, and once of one day."""
    counted = measured("ldh", "300", "2016-03-15T06:30", unit="U/L", reference="1")
    late = [measured("ldh", "300", f"2016-03-19T0{hour}:30", unit="U/L", reference=str(hour)) for hour in (6, 7)]
    evidence = (Evidence(counted, used=True, why="given"), *(Evidence(one, used=False, why="late") for one in late))
    found_in = [Evidence(found("node", present, "2016-03-15"), used=True, why="given") for present in (True, False)]
    known = [
        *(ItemScore(name, 0, 0, "measured") for name in ("known_immunosuppression", "cytopenias")),
        ItemScore("ast", 0, 0, "measured", evidence),
        *(ItemScore("marrow_hemophagocytosis", 0, 0, "measured", (one,)) for one in found_in),
    ]
    said = explain(WindowScore("S01", "week-2", HScore(tuple(known))), rules=RULES, course=COURSE)
    assert beginning("Known on", said) == ["Known on D15: ldh 300 U/L (0), node (0), no node (0)."]
    assert beginning("Passed over", said) == ["Passed over: D19: ldh outside D12-18."]
    assert "  + ldh | 300 U/L | 2016-03-15T06:30 (D15) | hospital, 1: given" in said


def test_a_result_without_a_date_is_named_before_those_with_one() -> None:
    """Where no visits are told apart it counts as well, and the order of the results does not matter."""
    dated = found("hepatomegaly", True, "2016-03-29")
    undated = replace(found("splenomegaly", True, "2016-03-23"), effective=None)
    notes = [explain(score_everything("S01", results, 169)) for results in ([dated, undated], [undated, dated])]
    (line,) = {line for note in notes for line in note if line.startswith("Known on") and "liver" in line}
    assert line.index("an unknown day") < line.index("2016-03-29")


def test_the_days_of_an_explanation_are_in_the_order_of_the_site() -> None:
    """Written in New York on day 29 it was day 30 in Shanghai, after what was written there late on day 29."""
    later = found("hepatomegaly", True, "2016-03-29T23:00-05:00")
    sooner = found("splenomegaly", True, "2016-03-29T23:30")
    for reports in ([later, sooner], [sooner, later]):
        month_1 = score_subject("S01", reports, RULES, COURSE).at("month-1")
        assert month_1 is not None
        (line,) = beginning("Known on D", explain(month_1, rules=RULES, course=COURSE))
        assert line.startswith("Known on D29 and D30: ")

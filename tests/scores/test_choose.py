"""Which results count at a visit, and what is said of those that do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fhir_adapter.scores.choose import choose
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.trial import Result, ScoreWindow, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, WEEK_2, count, found, issued, measured


def used(choice: Choice) -> list[str]:
    """The values that count."""
    return [one.value if one.present is None else str(one.present) for one in choice.used]


def chosen(part: str, results: Iterable[Result], window: ScoreWindow) -> Choice:
    """The choice of one part."""
    return choose(list(results), window, COURSE)[part]


def why(choice: Choice) -> dict[str, str]:
    """What is said of each value that was passed over."""
    return {one.result.value: one.why for one in choice.evidence if not one.used}


def test_baseline_is_the_last_result_before_injection_1() -> None:
    """At most three days old, and before the dose: later and older ones are passed over with the reason."""
    results = [
        measured("ferritin", "1000", "2016-02-26T06:30"),
        measured("ferritin", "2000", "2016-02-27T06:30"),
        measured("ferritin", "3000", "2016-03-01T06:30"),
        measured("ferritin", "4000", "2016-03-01T10:00"),
    ]
    choice = chosen("ferritin", results, BASELINE)
    assert used(choice) == ["3000"]
    assert [one.why for one in choice.evidence if one.used] == ["last before injection 1"]
    assert why(choice)["4000"] == "day 1, not before injection 1"
    assert why(choice)["1000"] == "day -4, outside D-3 to D1"


def test_a_date_without_time_on_day_1_counts_as_before_when_the_schedule_says_so() -> None:
    """The trial's rule says that day 1's blood is drawn before the dose."""
    assert used(chosen("ferritin", [measured("ferritin", "3000", "2016-03-01")], BASELINE)) == ["3000"]


@pytest.mark.parametrize(
    ("days", "value"), [(("2016-03-28", "2016-03-30"), "28"), (("2016-03-29", "2016-03-28"), "29")]
)
def test_month_1_is_the_result_nearest_day_29(days: tuple[str, str], value: str) -> None:
    """Day 29 is 2016-03-29; of two as near the earlier one counts."""
    results = [measured("ferritin", day[-2:], f"{day}T06:30") for day in days]
    assert used(chosen("ferritin", results, MONTH_1)) == [value]


@pytest.mark.parametrize(("day", "counts"), [("2016-03-25", False), ("2016-03-26", True), ("2016-04-02", True)])
def test_month_1_reaches_from_day_26_to_day_33(day: str, counts: bool) -> None:
    """Both ends belong to the window."""
    assert bool(used(chosen("ferritin", [measured("ferritin", "900", f"{day}T06:30")], MONTH_1))) is counts


def test_a_result_after_the_window_is_shown_and_not_used() -> None:
    """The visit of D36 is passed over with its day."""
    choice = chosen("ferritin", [measured("ferritin", "900", "2016-04-05T06:30")], MONTH_1)
    assert why(choice) == {"900": "day 36, outside D26 to D33"}


def test_the_three_lineages_come_from_one_blood_count() -> None:
    """A platelet control of the same morning does not take the place of the whole count."""
    results = [*count("2016-03-29T06:30", "100", "6", "150"), measured("platelets", "80", "2016-03-29T06:00")]
    choices = choose(results, MONTH_1, COURSE)
    assert [used(choices[part]) for part in ("hemoglobin", "leukocytes", "platelets")] == [["100"], ["6"], ["150"]]


def test_the_temperature_is_the_highest_of_three_days_ending_on_the_day_of_the_count() -> None:
    """Readings before and after those days do not count, however high."""
    results = [
        *count("2016-03-14T06:30", "100", "6", "150"),
        measured("temperature", "40.0", "2016-03-11T20:00"),
        measured("temperature", "38.1", "2016-03-12T06:00"),
        measured("temperature", "38.9", "2016-03-13T18:00"),
        measured("temperature", "39.9", "2016-03-15T06:00"),
    ]
    assert used(chosen("temperature", results, WEEK_2)) == ["38.9"]


def test_without_a_count_the_three_days_end_on_the_planned_day() -> None:
    """The temperature of a visit does not need a blood count."""
    results = [measured("temperature", "38.1", "2016-03-13T06:00"), measured("temperature", "39.9", "2016-03-16T06:00")]
    assert used(chosen("temperature", results, WEEK_2)) == ["38.1"]


def test_a_reading_soon_after_an_injection_is_flagged() -> None:
    """Interleukin-2 itself causes fever: the reading counts, and the reader is told."""
    dose = read_moment("2016-03-14T09:00+08:00")
    course = replace(COURSE, injections=(dose,), dose_note="IL-2 itself causes fever")
    results = [measured("temperature", "38.1", "2016-03-15T06:00", body_site="axillary")]
    notes = choose(results, WEEK_2, course)["temperature"].notes
    assert notes == ("axillary: not corrected", "less than 24 h after an injection (IL-2 itself causes fever)")


def test_the_hospital_counts_before_the_typed_copy() -> None:
    """The same time and analyte: the typed one is passed over, whatever it says."""
    results = [
        measured("ferritin", "2140", "2016-03-29T06:30"),
        measured("ferritin", "2410", "2016-03-29T06:30", source="typed"),
    ]
    choice = chosen("ferritin", results, MONTH_1)
    assert used(choice) == ["2140"]
    assert why(choice) == {"2410": "typed copy: the hospital's own result of that time counts"}


def test_a_typed_value_alone_counts_and_is_marked() -> None:
    """Nobody else says anything: the typed value stands, and the evidence says that it is typed."""
    choice = chosen("ferritin", [measured("ferritin", "900", "2016-03-29T06:30", source="typed")], MONTH_1)
    assert used(choice) == ["900"]
    assert "typed by the site" in choice.evidence[0].why


def test_of_one_specimen_the_latest_issued_counts() -> None:
    """A laboratory that reports a specimen again means the later report."""
    results = [
        measured("ast", "90", "2016-03-29T06:30", specimen="A1", issued=COURSE.first_dose),
        measured(
            "ast", "19", "2016-03-29T06:30", specimen="A1", reference="Observation/later", **issued("2016-04-01T08:00")
        ),
    ]
    choice = chosen("ast", results, MONTH_1)
    assert used(choice) == ["19"]
    assert why(choice) == {"90": "the same specimen: the result issued later counts (Observation/later)"}


def test_a_diluted_number_supersedes_the_capped_result_of_its_specimen() -> None:
    """`>1500` and 68200 of one specimen: the number counts, even when it was issued in the same minute."""
    results = [
        measured("ferritin", "68200", "2016-03-29T06:30", specimen="A1", reference="Observation/a"),
        measured("ferritin", ">1500", "2016-03-29T06:30", specimen="A1", reference="Observation/b"),
    ]
    choice = chosen("ferritin", results, MONTH_1)
    assert used(choice) == ["68200"]
    assert "diluted" in why(choice)["1500"]


def test_a_resend_counts_once() -> None:
    """The same specimen and value under another id is the same result."""
    results = [
        measured("ast", "19", "2016-03-29T06:30", specimen="A1", reference=f"Observation/{name}") for name in "ab"
    ]
    choice = chosen("ast", results, MONTH_1)
    assert used(choice) == ["19"]
    assert why(choice) == {"19": "the same result again: Observation/b counts"}


def test_specimens_of_one_time_that_disagree_contradict_each_other() -> None:
    """Different specimens, different bands: both are shown, the points reach from the least to the most."""
    results = [measured("ast", value, "2016-03-29T06:30", specimen=value) for value in ("19", "90")]
    assert chosen("ast", results, MONTH_1).conflicting


def test_specimens_of_one_time_in_one_band_do_not() -> None:
    """35 and 90 give the same points."""
    results = [measured("ast", value, "2016-03-29T06:30", specimen=value) for value in ("35", "90")]
    assert not chosen("ast", results, MONTH_1).conflicting


def test_ultrasound_against_palpation_is_contradictory() -> None:
    """Two methods of one day that disagree: nobody knows which is right."""
    results = [
        found("splenomegaly", True, "2016-03-29T10:00", method="ultrasound"),
        found("splenomegaly", False, "2016-03-29T08:00", method="palpation"),
    ]
    assert chosen("splenomegaly", results, MONTH_1).conflicting


def test_the_latest_examination_counts() -> None:
    """An earlier examination in the window is passed over."""
    results = [found("splenomegaly", True, "2016-03-23T08:00"), found("splenomegaly", False, "2016-03-29T08:00")]
    assert used(chosen("splenomegaly", results, MONTH_1)) == ["False"]


def test_not_done_gives_no_value() -> None:
    """The source says that nothing was examined: known as not done, not as absent."""
    choice = chosen("marrow_hemophagocytosis", [found("marrow_hemophagocytosis", None, "2016-03-29")], MONTH_1)
    assert (choice.used, choice.not_done) == ((), True)


def test_the_marrow_is_never_carried_forward() -> None:
    """Baseline's aspirate says nothing of month 1."""
    results = [found("marrow_hemophagocytosis", True, "2016-02-25")]
    assert used(chosen("marrow_hemophagocytosis", results, BASELINE)) == ["True"]
    assert used(chosen("marrow_hemophagocytosis", results, MONTH_1)) == []


def test_immunosuppression_is_stated_once_and_holds_at_every_visit() -> None:
    """The statement of enrolment counts at month 1 too."""
    results = [found("known_immunosuppression", True, "2016-02-24")]
    assert used(chosen("known_immunosuppression", results, MONTH_1)) == ["True"]


def test_a_partial_date_that_only_overlaps_is_listed_and_not_used() -> None:
    """`2016-03` may lie in the window; nobody knows."""
    choice = chosen("ferritin", [measured("ferritin", "900", "2016-03")], MONTH_1)
    assert why(choice) == {"900": "a partial date that only overlaps the window"}
    assert used(choice) == []


def test_the_study_day_is_counted_at_the_site() -> None:
    """23:30 UTC of day 25 is the morning of day 26 in Shanghai."""
    assert used(chosen("ferritin", [measured("ferritin", "900", "2016-03-25T23:30Z")], MONTH_1)) == ["900"]


def test_haemoglobin_of_a_blood_gas_counts_only_without_a_count_that_day() -> None:
    """The count of the day goes before the gas; without one the gas counts."""
    gas = measured("hemoglobin", "8", "2016-03-29T07:00", method="blood gas")
    alone = choose([gas], MONTH_1, COURSE)["hemoglobin"]
    beside = choose([gas, *count("2016-03-29T06:30", "10", "6", "150")], MONTH_1, COURSE)["hemoglobin"]
    assert (used(alone), used(beside)) == (["8"], ["10"])


def test_a_minute_typed_without_seconds_is_that_whole_minute() -> None:
    """The site writes 06:20, the analyser 06:20:23: one collection, and the hospital's value counts."""
    results = [
        measured("ferritin", "410", "2016-03-29T06:20", source="typed"),
        measured("ferritin", "4100", "2016-03-29T06:20:23+08:00"),
    ]
    assert used(chosen("ferritin", results, MONTH_1)) == ["4100"]


def test_a_day_typed_without_time_is_a_copy_of_the_laboratory_results_of_that_day() -> None:
    """Two hospital results that day: the typed one passes over, and never wins as the earlier one."""
    results = [
        measured("ferritin", "410", "2016-03-29", source="typed"),
        measured("ferritin", "4100", "2016-03-29T06:20"),
        measured("ferritin", "4200", "2016-03-29T18:20"),
    ]
    assert used(chosen("ferritin", results, MONTH_1)) == ["4100"]


def test_a_daily_maximum_is_no_copy_of_one_reading() -> None:
    """The ward's highest of the day stays beside a single reading of the hospital's system."""
    results = [
        measured("temperature", "39.8", "2016-03-15", source="typed"),
        measured("temperature", "37.0", "2016-03-15T06:20"),
    ]
    assert used(chosen("temperature", results, WEEK_2)) == ["39.8"]


def test_a_typed_palpation_is_no_copy_of_a_hospital_ultrasound() -> None:
    """Present by palpation, absent by ultrasound on one day: contradictory, whoever says which."""
    results = [
        found("splenomegaly", True, "2016-03-29", method="palpation"),
        found("splenomegaly", False, "2016-03-29T10:00", method="ultrasound", source="hospital"),
    ]
    assert chosen("splenomegaly", results, MONTH_1).conflicting


def test_a_typed_count_is_no_copy_of_a_blood_gas() -> None:
    """The gas of that day does not take the typed haemoglobin away, and then itself."""
    results = [
        measured("hemoglobin", "10", "2016-03-29", source="typed"),
        measured("hemoglobin", "8", "2016-03-29T07:00", method="blood gas"),
    ]
    assert used(choose(results, MONTH_1, COURSE)["hemoglobin"]) == ["10"]


def test_a_number_of_a_sample_used_again_another_day_is_another_sample() -> None:
    """`#s` on two days: the result nearest to day 29 counts, not the one issued last."""
    results = [
        measured("ferritin", "500", "2016-03-29T06:30", specimen="#s", **issued("2016-03-29T09:00")),
        measured("ferritin", "9000", "2016-04-02T06:30", specimen="#s", **issued("2016-04-02T09:00")),
    ]
    assert used(chosen("ferritin", results, MONTH_1)) == ["500"]


def test_a_combined_finding_gives_way_to_later_examinations_of_each_organ() -> None:
    """Both enlarged on D-5, neither on D-1: absent."""
    results = [
        found("hepatosplenomegaly", True, "2016-02-25"),
        found("hepatomegaly", False, "2016-02-29"),
        found("splenomegaly", False, "2016-02-29"),
    ]
    choices = choose(results, BASELINE, COURSE)
    assert [used(choices[part]) for part in ("hepatomegaly", "splenomegaly")] == [["False"], ["False"]]


def test_a_lineage_typed_to_the_minute_belongs_to_the_count_of_that_minute() -> None:
    """The hospital sent leukocytes and platelets of 06:20:23, the site typed haemoglobin of 06:20: one count."""
    results = [
        measured("hemoglobin", "8", "2016-03-29T06:20", source="typed"),
        *(one for one in count("2016-03-29T06:20:23+08:00", "8", "3", "60") if one.name != "hemoglobin"),
    ]
    choices = choose(results, MONTH_1, COURSE)
    assert [used(choices[part]) for part in ("hemoglobin", "leukocytes", "platelets")] == [["8"], ["3"], ["60"]]

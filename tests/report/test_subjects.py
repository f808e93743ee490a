"""What the report says of one subject, in words, numbers and pictures."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fhir_adapter.report import Discrepancy, SubjectPage
from fhir_adapter.report.course import dose_steps
from fhir_adapter.trial import Result, read_moment
from tests.report.reading import drawn, pictures, words_of
from tests.report.sample import SUBJECTS, first_with, measured, only, page, section, subject_page


@pytest.fixture(scope="module")
def text() -> str:
    """Everything that the sample page says."""
    return words_of(page())


def test_statement_of_a_score_reads_like_a_sentence() -> None:
    """Range, marrow, rule and data cut in one line."""
    said = words_of(only("S03"))
    assert (
        "HScore 209-244 of 337, baseline: at or above 169. Marrow not examined (0 or 35). "
        "Values: last before injection 1, D-3 to D1. Data as of 2016-05-02T10:00:00+08:00 (pull 2), complete."
    ) in said
    assert "HScore 54-240 of 337, month 1: undetermined at 169. Marrow not known (0 or 35)." in said


def test_missing_items_are_no_recommendation() -> None:
    """The list of open items with what each may add."""
    said = section(only("S03"), "What is not known")
    assert said.strip().startswith("The items whose value could change the result; not a recommendation to test.")
    assert "month 1 temperature (0-49) , organomegaly (0-38) , triglycerides (0-64) ," in said


def test_items_show_value_unit_time_source_and_state() -> None:
    """Each item at each visit, as received, at the site's time."""
    said = section(only("S04"), "Items by visit")
    assert "Ferritin 50 ● measured >40000 ng/mL 2016-03-01 06:30 (D1) hospital" in said
    assert "Temperature 33 ● measured 39.4 °C 2016-02-29 18:00 (D-1) typed by the site, axillary" in said
    assert "Organomegaly 38 ● measured liver enlarged spleen enlarged" in said
    assert "haemoglobin 79 g/L leukocytes 1.2 \N{MULTIPLICATION SIGN}10⁹/L platelets 33" in said
    assert "0-38 ? unknown" in said


def test_not_done_is_a_word_and_a_mark() -> None:
    """A marrow that was not examined is not an absent one."""
    assert "0-35 ○ not done 2016-02-25 (D-5) typed by the site" in section(only("S03"), "Items by visit")


def test_times_are_the_sites_whatever_offset_was_sent() -> None:
    """A hospital that writes UTC is shown at the site's clock and day."""
    subject = subject_page(SUBJECTS[0])
    moment = measured("S01", "ferritin", "1", "2016-03-08T23:30Z").effective
    shown = first_with(discrepancies=(Discrepancy("ferritin", moment, "1", "2", "ug/L"),))
    assert "Ferritin 2016-03-09 07:30 (D9) 1 2 µg/L none" in words_of(shown)
    assert subject.local(moment or subject.doses[0].start) == datetime(2016, 3, 8, 23, 30, tzinfo=UTC)


def test_discrepancies_show_both_values(text: str) -> None:
    """The hospital's value counts, the typed one stands beside it."""
    assert "Platelets 2016-03-30 06:30 (D30) 282 228 \N{MULTIPLICATION SIGN}10⁹/L month 1" in text


def test_range_chart_tells_its_numbers_to_readers_of_text() -> None:
    """The picture has a title and a description with every score."""
    overview, chart = pictures(only("S04"), "ranges")
    assert (overview.get("role"), chart.get("role")) == ("img", "img")
    assert chart.findtext("title") == "HScore of S04 at each visit"
    assert chart.findtext("desc") == (
        "HScore from 0 to 337, cut-off at 169. "
        "baseline: 321; week 1: 248-321; week 2: 248-321; week 3: no score; month 1: 203."
    )
    assert chart.get("aria-labelledby") == f"{chart[0].get('id')} {chart[1].get('id')}"


def test_a_single_score_is_a_tick_and_a_range_a_bar() -> None:
    """302 is drawn three wide, before treatment hollow; 62-97 as wide as its range."""
    baseline, month_1 = drawn(pictures(only("S01"), "ranges")[0], "rect")
    assert (baseline.get("width"), baseline.get("class")) == ("3", "bar hollow")
    assert float(month_1.get("width", "0")) > 30


def test_course_chart_tells_what_happened() -> None:
    """Readings, doses, steroids, rescue, transfusions and death in words."""
    said = pictures(only("S04"), "course")[0].findtext("desc") or ""
    assert "32 temperature readings from D-2 to D29; highest 39.4 °C on D-1; 8 doses given" in said
    assert "steroid a day: 50 mg from D-4, 37.5 mg from D9, 20 mg from D21" in said
    assert "rescue: etoposide on D16; transfusions: platelets 1 U on D5" in said


def test_a_held_dose_and_a_death_are_drawn() -> None:
    """A planned dose that was not given is a box; the day of a death a line with words."""
    held, died = pictures(only("S03", "S05"), "course")
    assert len(drawn(held, "rect", "held")) == 1
    assert [one.text for one in drawn(died, "text", "label")] == ["died D19"]


def test_days_without_readings_interrupt_the_curve() -> None:
    """A line over days without readings would invent some."""
    assert len(drawn(pictures(only("S02"), "course")[0], "polyline")) == 3


def test_course_in_numbers_has_a_row_for_each_day() -> None:
    """The highest reading, the dose, the steroid and the events of a day."""
    said = words_of(only("S04"))
    assert "D-1 2016-02-29 39.4 4 50" in said
    assert "D16 2016-03-16 37.5 rescue: etoposide" in said


def test_overlapping_steroid_courses_add_up() -> None:
    """Two drugs on one day are one daily dose."""
    subject = replace(
        subject_page(SUBJECTS[0]),
        steroids=(
            (date(2016, 3, 1), date(2016, 3, 10), Decimal(50)),
            (date(2016, 3, 5), date(2016, 3, 6), Decimal("12.5")),
        ),
    )
    assert [(step.first.day, step.last.day, str(step.amount)) for step in dose_steps(subject)] == [
        (1, 4, "50"),
        (5, 6, "62.5"),
        (7, 10, "50"),
    ]


def test_steroids_of_years_before_do_not_press_the_course_together() -> None:
    """The time axis begins with the first window; an older course begins left of it."""
    steroids = ((date(2010, 1, 1), date(2016, 2, 28), Decimal("20.00")),)
    (chart,) = pictures(first_with(steroids=steroids), "course")
    assert [one.get("x") for one in drawn(chart, "rect", "step")] == ["112"]
    assert [one.text for one in drawn(chart, "text", "tick") if (one.text or "").startswith("D-")] == ["D-3"]
    assert "20 mg from D-2251" in (chart.findtext("desc") or "")


def test_transfusions_before_the_axis_are_told_and_not_drawn() -> None:
    """Only what lies on the axis has a mark."""
    transfusions = ((date(2015, 1, 1), "red cells 2 U"), (date(2016, 3, 4), "platelets 1 U"))
    (chart,) = pictures(first_with(transfusions=transfusions), "course")
    assert len(drawn(chart, "path", "event hollow")) == 1
    assert "red cells 2 U on D-425" in (chart.findtext("desc") or "")


def test_steroids_that_ended_before_the_axis_are_not_drawn() -> None:
    """A course of last year is told in words only; days between two courses have no dose."""
    steroids = (
        (date(2015, 1, 1), date(2015, 2, 1), Decimal(30)),
        (date(2016, 3, 5), date(2016, 3, 6), Decimal(40)),
    )
    (chart,) = pictures(first_with(steroids=steroids), "course")
    assert len(drawn(chart, "rect", "step")) == 1
    assert "steroid a day: 30 mg from D-425, 40 mg from D5;" in (chart.findtext("desc") or "")


def test_a_dose_with_a_partial_date_is_counted_and_not_drawn() -> None:
    """No day is invented for it."""
    doses = subject_page(SUBJECTS[0]).doses
    partial = replace(doses[1], start=read_moment("2016-03"))
    (chart,) = pictures(first_with(doses=(doses[0], partial), steroids=()), "course")
    assert len(drawn(chart, "line", "dose")) == 1
    assert "2 doses given" in (chart.findtext("desc") or "")
    assert "none recorded" in [one.text for one in drawn(chart, "text", "said")]


def test_two_doses_on_a_day_are_both_in_the_numbers() -> None:
    """A day's row names every dose of it."""
    dose = subject_page(SUBJECTS[0]).doses[0]
    assert "D1 2016-03-01 given, given" in words_of(first_with(doses=(dose, dose)))


def test_visits_close_together_are_labelled_once() -> None:
    """On a long axis names of visits do not overlap."""
    doses = subject_page(SUBJECTS[0]).doses
    late = replace(doses[1], start=read_moment("2018-03-01"))
    (chart,) = pictures(first_with(doses=(doses[0], late)), "course")
    assert [one.text for one in drawn(chart, "text", "tick") if one.text in {"baseline", "week 1"}] == ["baseline"]


def test_a_death_at_the_end_of_the_axis_is_named_left_of_it() -> None:
    """The words stay inside the picture."""
    subject = subject_page(SUBJECTS[0])
    died = replace(subject.subject, death=read_moment("2016-05-01"))
    (chart,) = pictures(first_with(subject=died), "course")
    assert [one.get("text-anchor") for one in drawn(chart, "text", "label")] == ["end"]


def test_of_several_results_that_count_the_one_with_the_most_points_is_shown() -> None:
    """By the rule `worst` all results of a window count; the table names the deciding one."""
    subject = subject_page(SUBJECTS[0])
    window = subject.scores.windows[0]
    item = window.score.item("ferritin")
    low = replace(item.evidence[0], used=True, result=measured("S01", "ferritin", "300", "2016-02-28T06:30"))
    absent = replace(low, result=replace(low.result, interval=None, not_done=True))
    most = replace(item, evidence=(low, absent, *(replace(one, used=True) for one in item.evidence[:1])))
    items = tuple(most if one.item == "ferritin" else one for one in window.score.items)
    scores = replace(subject.scores, windows=(replace(window, score=replace(window.score, items=items)),))
    assert "24560 ng/mL (2 more in the evidence)" in words_of(first_with(scores=scores))


def test_conflicting_results_are_all_shown() -> None:
    """What contradicts each other is never reduced to one value."""
    subject = subject_page(SUBJECTS[0])
    window = subject.scores.windows[0]
    item = window.score.item("ferritin")
    other = replace(item.evidence[0], result=measured("S01", "ferritin", "300", "2016-03-01T06:30"))
    both = replace(item, state="conflicting", low=0, evidence=(replace(item.evidence[0], used=True), other))
    items = tuple(both if one.item == "ferritin" else one for one in window.score.items)
    scores = replace(subject.scores, windows=(replace(window, score=replace(window.score, items=items)),))
    said = section(first_with(scores=scores), "Items by visit")
    assert "Ferritin 0-50 \N{NOT EQUAL TO} conflicting 24560 ng/mL 300 ng/mL" in said


def test_a_score_of_a_window_without_rule_is_of_every_result() -> None:
    """What the rules do not name is said plainly."""
    subject = subject_page(SUBJECTS[0])
    scores = replace(subject.scores, windows=(replace(subject.scores.windows[0], window="all"),), change=None)
    said = words_of(first_with(scores=scores, missing=(("all", "spleen"),)))
    assert "all 302 at or above 169 every result none" in said
    assert "no change value in 1 of 1" in said


def test_sensitivity_stands_beside_the_score() -> None:
    """The trial's rule, the worst of the window, without marrow."""
    said = section(only("S04"), "Sensitivity: the same data by other rules")
    assert "Rule of the trial, with marrow worst of the window without marrow" in said
    assert "baseline 321 321 286" in said
    assert "This subject had rescue" in said


def test_evidence_names_what_was_passed_over_and_why(text: str) -> None:
    """Chosen and passed over, with the reference and the reason."""
    assert "Observation/s01-ferritin-2016-03-01, version 1" in text
    assert "passed over" in text
    assert "outside D-3 to D1" in text


def test_hundreds_of_passed_over_readings_are_counted_not_listed() -> None:
    """A ward chart does not bury the results that count."""
    subject = subject_page(SUBJECTS[0])
    window = subject.scores.windows[0]
    item = window.score.item("temperature")
    many = replace(item, evidence=item.evidence * 20)
    items = tuple(many if one.item == "temperature" else one for one in window.score.items)
    scores = replace(subject.scores, windows=(replace(window, score=replace(window.score, items=items)),))
    assert re.search(
        r"and \d{3} more; the command explain with --format json lists all", words_of(first_with(scores=scores))
    )


def test_a_subject_without_doses_or_scores_is_shown_without_charts() -> None:
    """Without day 1 there is no time axis, and nothing is invented."""
    subject = replace(subject_page(SUBJECTS[0]), doses=(), temperatures=(), rescue=(), missing=())
    scores = replace(subject.scores, windows=(), change=None)
    said = words_of(replace(page(), subjects=(replace(subject, scores=scores),)))
    assert "No dose was given: without day 1 there is no time axis." in said
    assert "No change value." in said


def test_long_names_leave_room_for_the_axis() -> None:
    """Labels never reach into the bars."""
    shown = only("S01")
    long = replace(shown.subjects[0].subject, subject="研究中心-受试者-000000000001")
    chart = pictures(replace(shown, subjects=(replace(shown.subjects[0], subject=long),)), "ranges")[0]
    assert [one.get("x") for one in drawn(chart, "text") if one.text == "0"] == ["340"]


def test_capped_temperatures_are_not_drawn_as_numbers() -> None:
    """`>41` is no point on a curve."""
    capped: Result = measured("S01", "temperature", ">41", "2016-03-02T06:00", source="typed")
    (chart,) = pictures(first_with(temperatures=(capped,)), "course")
    assert "no readings" in [one.text for one in drawn(chart, "text", "said")]


def test_subject_page_without_first_dose_has_no_study_days() -> None:
    """A study day needs day 1."""
    subject: SubjectPage = replace(subject_page(SUBJECTS[0]), doses=())
    assert subject.study_day(date(2016, 3, 1)) is None
    assert not subject.treated

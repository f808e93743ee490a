"""What the report says of one subject, in words, numbers and pictures."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fhir_adapter.report import Discrepancy, SubjectPage
from fhir_adapter.report.course import dose_steps
from fhir_adapter.trial import Result
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
    assert "32 temperature readings from D-4 to D29; highest 39.4 °C on D-1; 8 doses given" in said
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

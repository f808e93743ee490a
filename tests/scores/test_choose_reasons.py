"""Which results count at the very edges of days, doses and windows, and every sentence of why one does or does not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Literal

import pytest

from fhir_adapter.scores import Course
from fhir_adapter.scores.choose import ScoreParts, _draw, choose, choose_all, lasts_on, local_day
from fhir_adapter.scores.companions import hlh_2004, not_interpretable_under
from fhir_adapter.scores.hscore import Choice, total
from fhir_adapter.trial import Interval, Pick, Result, ScoreWindow, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, WEEK_2, ZONE, count, found, measured

NOT_BY_DATE = replace(COURSE, day_one_dates_before_dose=False)
HLH = hlh_2004.parts()
REFUSING = hlh_2004.parts(refuses=not_interpretable_under({"soluble_cd25": "rhIL-2"}, COURSE))


def used(choice: Choice) -> list[str]:
    """The values that count."""
    return [one.value if one.present is None else str(one.present) for one in choice.used]


def told(choice: Choice) -> list[tuple[str, bool, str]]:
    """Each result that was looked at: its value, whether it counts, and why."""
    return [(one.result.value or str(one.result.present), one.used, one.why) for one in choice.evidence]


def chosen(
    part: str, results: Iterable[Result], window: ScoreWindow, course: Course = COURSE, parts: ScoreParts | None = None
) -> Choice:
    """The choice of one part."""
    return choose(results, window, course, *([parts] if parts else []))[part]


def lasting(name: str, start: str, end: str, present: bool = True) -> Result:
    """A diagnosis from one moment to another."""
    return replace(found(name, present, start), until=read_moment(end, ZONE))


@pytest.fixture
def _far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose own clock is that of New York."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("moment", "course", "before"),
    [
        ("2016-02-29", NOT_BY_DATE, True),
        ("2016-03-02", COURSE, False),
        ("2016-03-01", COURSE, True),
        ("2016-03-01", NOT_BY_DATE, False),
        ("2016-03-01T08:59:59", NOT_BY_DATE, True),
        ("2016-03-01T09:00", COURSE, False),
        ("2016-03", COURSE, False),
        ("2016-02", COURSE, False),
    ],
)
def test_only_what_is_certain_was_before_the_first_dose(moment: str, course: Course, before: bool) -> None:
    """To the second where both times are known; a date of day 1 by the schedule; a month never."""
    assert course.before_first_dose(read_moment(moment, ZONE)) is before


@pytest.mark.usefixtures("_far_west")
def test_a_day_is_that_of_the_site_and_not_that_of_the_computer() -> None:
    """Midnight in Shanghai is noon of the day before in New York."""
    assert local_day(read_moment("2016-03-01T00:30", ZONE), ZONE) == date(2016, 3, 1)
    assert local_day(read_moment("2016-02-29T23:30", ZONE), ZONE) == date(2016, 2, 29)


def test_every_result_counts_where_no_visits_are_told_apart() -> None:
    """The reason speaks of no window."""
    choice = choose_all([measured("ast", "44", "2016-03-29T06:30")], ZONE)["ast"]
    assert told(choice) == [("44", True, "every result counts, the worst decides")]


@pytest.mark.parametrize(
    ("gas", "of_the_count", "counted"),
    [("2016-03-29T07:00", "2016-03-28T08:30", ["8", "10"]), ("2016-03-29T07:00", "2016-03-29T08:30", ["10"])],
)
def test_without_visits_a_blood_gas_gives_way_to_a_count_of_its_day(
    gas: str, of_the_count: str, counted: list[str]
) -> None:
    """The day of the site: seven and half past eight in Shanghai are two days of Greenwich."""
    results = [measured("hemoglobin", "8", gas, method="blood gas"), *count(of_the_count, "10", "6", "150")]
    assert used(choose_all(results, ZONE)["hemoglobin"]) == counted


def test_without_visits_examinations_of_one_day_of_the_site_contradict_each_other() -> None:
    """Seven and ten in Shanghai are two days of Greenwich."""
    results = [found("splenomegaly", True, "2016-03-29T07:00"), found("splenomegaly", False, "2016-03-29T10:00")]
    assert choose_all(results, ZONE)["splenomegaly"].conflicting


def test_without_visits_a_finding_of_a_date_is_refused_like_one_of_a_time() -> None:
    """A date is a day of the site."""
    choice = choose_all([found("soluble_cd25", True, "2016-03-29")], ZONE, REFUSING)["soluble_cd25"]
    assert told(choice) == [("True", False, "not interpretable under rhIL-2")]


def test_a_diagnosis_that_begins_with_treatment_is_no_statement_of_enrolment() -> None:
    """It may come of the treatment."""
    choice = chosen(
        "known_immunosuppression", [lasting("known_immunosuppression", "2016-03-02", "2016-12-31")], BASELINE
    )
    assert told(choice) == [("True", False, "not certainly active before injection 1")]


def test_where_the_worst_counts_every_result_says_so() -> None:
    """Two counts and two of an analyte: all of them count."""
    window = replace(MONTH_1, blood=Pick("worst", 26, 33))
    results = [*count("2016-03-28T06:30", "9", "3", "90"), *count("2016-03-30T06:30", "10", "6", "150")]
    choices = choose([*results, measured("ast", "44", "2016-03-28T06:30")], window, COURSE)
    why = "every result in the window counts, the worst decides"
    assert told(choices["hemoglobin"]) == [("9", True, why), ("10", True, why)]
    assert told(choices["ast"]) == [("44", True, why)]


def test_neutrophils_of_one_draw_that_disagree_contradict_each_other() -> None:
    """Two specimens of one minute on both sides of the limit."""
    results = [
        *count("2016-03-29T06:30", "8", "3", "90"),
        measured("neutrophils", "0.4", "2016-03-29T06:30", specimen="A"),
        measured("neutrophils", "1.4", "2016-03-29T06:30", specimen="B"),
    ]
    choice = chosen("neutrophils", results, MONTH_1, parts=HLH)
    why = "nearest to D29 within D26 to D33 (tie: earlier); from the blood count that counts"
    assert told(choice) == [("0.4", True, why), ("1.4", True, why)]
    assert choice.conflicting
    assert chosen("neutrophils", results[3:], MONTH_1, parts=HLH).conflicting


def test_neutrophils_of_a_count_of_which_only_the_day_is_known_belong_to_it() -> None:
    """A site that typed dates."""
    results = [*count("2016-03-28", "8", "3", "90"), measured("neutrophils", "0.4", "2016-03-28")]
    results += [measured("neutrophils", "0.9", "2016-03-29")]
    assert used(chosen("neutrophils", results, MONTH_1, parts=HLH)) == ["0.4"]


def test_where_the_worst_counts_neutrophils_need_no_count() -> None:
    """Of every draw of the window."""
    window = replace(MONTH_1, blood=Pick("worst", 26, 33))
    results = [*count("2016-03-29T06:30", "8", "3", "90"), measured("neutrophils", "0.4", "2016-03-28T06:30")]
    assert used(chosen("neutrophils", results, window, parts=HLH)) == ["0.4"]


@pytest.mark.parametrize(
    ("results", "days", "why"),
    [
        ([], None, "every result in the window counts, the worst decides"),
        ([], 3, "highest reading of the 3 calendar days ending on the planned day (no blood count)"),
        (
            count("2016-03-16T06:30", "8", "3", "90"),
            3,
            "highest reading of the 3 calendar days ending on the day of the blood count",
        ),
    ],
)
def test_the_reason_of_a_temperature_names_its_days(results: list[Result], days: int | None, why: str) -> None:
    """The whole window, or the days that end on the count, or on the planned day."""
    window = replace(WEEK_2, temperature_days=days)
    choice = chosen("temperature", [*results, measured("temperature", "38.5", "2016-03-14T06:00")], window)
    assert told(choice) == [("38.5", True, why)]


def test_a_typed_temperature_is_not_marked_as_a_copy() -> None:
    """Charts are typed everywhere: only values of the laboratory are marked."""
    typed = measured("temperature", "38.5", "2016-03-14T06:00", source="typed")
    why = "every result in the window counts, the worst decides"
    assert told(chosen("temperature", [typed], replace(WEEK_2, temperature_days=None))) == [("38.5", True, why)]


def test_a_reading_below_a_limit_never_hides_a_certain_one() -> None:
    """38.9 and `<39.5`: the highest was at least 38.9, so 33 points are certain."""
    readings = [measured("temperature", one, f"2016-03-15T0{hour}:00") for hour, one in enumerate(("38.9", "<39.5"), 6)]
    score = total({"temperature": chosen("temperature", readings, WEEK_2)})
    (item,) = [one for one in score.items if one.item == "temperature"]
    assert (item.low, item.high) == (33, 49)


def test_a_daily_maximum_before_the_first_injection_is_not_after_it() -> None:
    """Where the schedule takes dates of day 1 to be before it."""
    course = replace(COURSE, day_one_dates_before_dose=True, injections=(COURSE.first_dose,))
    day_one = course.day_one.isoformat()
    window = replace(WEEK_2, temperature=Pick("worst", -2, 1), temperature_days=None)
    assert chosen("temperature", [measured("temperature", "38.5", day_one)], window, course).notes == ()


def test_of_readings_that_are_as_high_the_first_counts() -> None:
    """One is enough."""
    results = [measured("temperature", "38.9", f"2016-03-15T0{hour}:00") for hour in (6, 7)]
    assert [one.reference for one in chosen("temperature", results, WEEK_2).used] == [results[0].reference]


@pytest.mark.parametrize(
    ("readings", "counted"),
    [
        (("38.5", ">39"), ["39"]),
        (("38.9", "<39.5"), ["38.9", "39.5"]),
        (("40", ">39"), ["40", "39"]),
        (("38.5", "<37"), ["38.5", "37"]),
    ],
)
def test_a_capped_reading_counts_beside_the_highest_one(readings: tuple[str, str], counted: list[str]) -> None:
    """It may have been higher; a lower number beside it cannot be."""
    results = [measured("temperature", one, f"2016-03-15T0{hour}:00") for hour, one in enumerate(readings, 6)]
    assert used(chosen("temperature", results, WEEK_2)) == counted


def test_a_reading_that_cannot_be_read_leaves_everything_possible() -> None:
    """It counts beside the highest number."""
    nothing = replace(measured("temperature", "1", "2016-03-15T06:00"), interval=Interval(), value="?")
    assert used(chosen("temperature", [nothing, measured("temperature", "36", "2016-03-15T07:00")], WEEK_2)) == [
        "?",
        "36",
    ]


def test_readings_of_one_time_that_disagree_contradict_each_other() -> None:
    """Where a trial takes the last reading."""
    window = replace(WEEK_2, temperature=Pick("last", 12, 18), temperature_days=None)
    results = [measured("temperature", value, "2016-03-15T06:00") for value in ("37", "39.8")]
    assert chosen("temperature", results, window).conflicting


@pytest.mark.parametrize(
    ("dose", "reading", "notes"),
    [
        ("2016-03-14T06:00", "2016-03-14T06:00", ("less than 24 h after an injection",)),
        ("2016-03-14T06:00", "2016-03-15T05:59:59", ("less than 24 h after an injection",)),
        ("2016-03-14T06:00", "2016-03-15T06:00", ()),
        ("2016-03-14T06:00", "2016-03-14T05:59:59", ()),
        ("2016-03-14", "2016-03-14T06:00", ("less than 24 h after an injection",)),
        ("2016-03-14T09:00", "2016-03-15", ("less than 24 h after an injection",)),
        ("2016-03-14T09:00", "2016-03-14", ("perhaps less than 24 h after an injection",)),
        ("2016-03-14T09:00", "2016-03-13", ()),
    ],
)
def test_a_reading_is_soon_after_an_injection_for_24_hours(dose: str, reading: str, notes: tuple[str, ...]) -> None:
    """From the very second of the dose on; dates begin at midnight."""
    course = replace(COURSE, injections=(read_moment(dose, ZONE),))
    assert chosen("temperature", [measured("temperature", "38.5", reading)], WEEK_2, course).notes == notes


def test_where_the_worst_examination_counts_all_of_them_do() -> None:
    """No later one takes the place of an earlier one."""
    window = replace(MONTH_1, organs=Pick("worst", 22, 33))
    results = [found("splenomegaly", True, "2016-03-23"), found("splenomegaly", False, "2016-03-29")]
    why = "every result in the window counts, the worst decides"
    assert told(chosen("splenomegaly", results, window)) == [("True", True, why), ("False", True, why)]


def test_a_diagnosis_does_not_take_the_place_of_an_examination_of_its_first_day() -> None:
    """Absent at eight, diagnosed at ten: both count, and contradict each other."""
    results = [
        found("splenomegaly", False, "2016-03-29T08:00"),
        lasting("splenomegaly", "2016-03-29T10:00", "2016-04-20"),
    ]
    choice = chosen("splenomegaly", results, MONTH_1)
    assert told(choice) == [
        ("False", True, "last examination in the window"),
        ("True", True, "a diagnosis that was active then"),
    ]
    assert choice.conflicting


def test_what_lasts_is_refused_like_what_was_measured() -> None:
    """A finding that was there all through treatment."""
    choice = chosen("soluble_cd25", [lasting("soluble_cd25", "2016-03-02", "2016-12-31")], MONTH_1, parts=REFUSING)
    assert told(choice) == [("True", False, "not interpretable under rhIL-2")]


@pytest.mark.parametrize(
    ("start", "counted"), [("2016-02", True), ("2016-02-29", True), ("2016-03-01", False), ("2016-03", False)]
)
def test_a_diagnosis_must_have_begun_before_a_dose_of_which_only_the_day_is_known(start: str, counted: bool) -> None:
    """February is over when the first of March begins."""
    course = Course(read_moment("2016-03-01"), ZONE)
    choice = chosen("splenomegaly", [lasting("splenomegaly", start, "2016-12-31")], BASELINE, course)
    assert bool(choice.used) is counted


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("2016-04-03T00:00", "2016-12-31", "not active in D22 to D33"),
        ("2016-04-02T23:59", "2016-12-31", "a diagnosis that was active then"),
        ("2016-01-01", "2016-03-21", "not active in D22 to D33"),
        ("2016-01-01", "2016-03-22T00:00", "a diagnosis that was active then"),
        ("2016-01-01", "2016-03", "a partial date that only overlaps the window"),
    ],
)
def test_a_diagnosis_counts_when_it_was_there_at_some_time_of_the_window(start: str, end: str, why: str) -> None:
    """The organs of month 1 are those of D22 to D33: 2016-03-22 to 2016-04-02, both with all their hours."""
    choice = chosen("splenomegaly", [lasting("splenomegaly", start, end)], MONTH_1)
    assert [one.why for one in choice.evidence] == [why]


def test_a_diagnosis_that_begins_at_midnight_was_not_there_the_day_before() -> None:
    """The day is over then."""
    diagnosis = lasting("splenomegaly", "2016-03-30T00:00", "2016-12-31")
    assert [lasts_on(diagnosis, date(2016, 3, day), ZONE) for day in (29, 30)] == [False, True]


@pytest.mark.parametrize(
    ("month", "first", "last", "why"),
    [
        ("2016-04", 26, 31, "a partial date outside the window"),
        ("2016-04", 26, 32, "a partial date that only overlaps the window"),
        ("2016-03", 32, 36, "a partial date outside the window"),
        ("2016-03", 31, 36, "a partial date that only overlaps the window"),
    ],
)
def test_a_month_that_ends_where_a_window_begins_lies_outside(month: str, first: int, last: int, why: str) -> None:
    """D31 is the last day of March."""
    window = replace(MONTH_1, blood=Pick("nearest", first, last))
    assert told(chosen("ferritin", [measured("ferritin", "900", month)], window)) == [("900", False, why)]


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [("first", "13", "first result in the window"), ("last", "17", "last result in the window")],
)
def test_a_trial_may_take_the_first_or_the_last_result(rule: Literal["first", "last"], value: str, why: str) -> None:
    """However near another one is to the planned day."""
    window = replace(WEEK_2, blood=Pick(rule, 12, 18))
    results = [measured("ferritin", day, f"2016-03-{day}T06:30") for day in ("15", "13", "17")]
    assert [one for one in told(chosen("ferritin", results, window)) if one[1]] == [(value, True, why)]


def test_a_date_begins_before_the_times_of_its_day() -> None:
    """The last result is that of ten o'clock."""
    results = [measured("ferritin", "1", "2016-02-29T10:00"), measured("ferritin", "2", "2016-02-29")]
    assert used(chosen("ferritin", results, BASELINE)) == ["1"]


def test_results_outside_the_window_are_told_by_their_distance() -> None:
    """From the planned day D29; last those that nobody dated."""
    undated = replace(measured("ferritin", "0", "2016-03-29"), effective=None)
    given = [
        measured("ferritin", "40", "2016-04-09T06:30"),
        measured("ferritin", "36", "2016-04-05T06:30"),
        measured("ferritin", "19", "2016-03-19T06:30"),
    ]
    assert told(chosen("ferritin", [undated, *given], MONTH_1)) == [
        ("36", False, "day 36, outside D26 to D33"),
        ("19", False, "day 19, outside D26 to D33"),
        ("40", False, "day 40, outside D26 to D33"),
        ("0", False, "no date of collection"),
    ]


def test_a_blood_gas_beside_a_count_says_why_it_does_not_count() -> None:
    """Only of its own day."""
    gas = measured("hemoglobin", "8", "2016-03-29T07:00", method="blood gas")
    beside = chosen("hemoglobin", [gas, *count("2016-03-29T06:30", "10", "6", "150")], MONTH_1)
    assert ("8", False, "haemoglobin of a blood gas: there is a blood count that day") in told(beside)


def test_what_was_not_done_says_so_where_something_else_counts() -> None:
    """Examined on D29, and recorded as not done the day before."""
    results = [
        found("marrow_hemophagocytosis", None, "2016-03-28"),
        found("marrow_hemophagocytosis", True, "2016-03-29"),
    ]
    assert told(chosen("marrow_hemophagocytosis", results, MONTH_1)) == [
        ("None", False, "not done"),
        ("True", True, "last examination in the window"),
    ]


def test_the_midnight_that_ends_a_day_is_another_draw() -> None:
    """Haemoglobin of D29 without a time, platelets of the first minute of D30: two counts."""
    results = [measured("hemoglobin", "8", "2016-03-29"), measured("platelets", "90", "2016-03-30T00:00")]
    choices = choose(results, MONTH_1, COURSE)
    assert (used(choices["hemoglobin"]), used(choices["platelets"])) == (["8"], [])


def test_what_was_not_done_outside_of_the_window_says_nothing_of_the_visit() -> None:
    """Nobody recorded that it was not done there."""
    choice = chosen("hepatomegaly", [found("hepatomegaly", None, "2016-03-05")], MONTH_1)
    assert (len(choice.evidence), choice.not_done) == (1, False)


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_passed_over_is_told_from_near_to_far_and_without_a_day_last(order: int) -> None:
    """However many days away it is."""
    results = [
        measured("ferritin", "900", "2016-03-22"),
        measured("ferritin", "910", "2016-05-22"),
        measured("ferritin", "920", "2026-03-22"),
        measured("ferritin", "930", "2016-03"),
    ]
    assert [value for value, _, _ in told(chosen("ferritin", results[::order], MONTH_1))] == [
        "900",
        "910",
        "920",
        "930",
    ]


@pytest.mark.parametrize("minute", range(60))
def test_a_draw_is_known_by_its_minute(minute: int) -> None:
    """From its first second to its last."""
    first, last, following = (Fraction(60 * minute + second) for second in (0, 59, 60))
    assert _draw((first, first)) == _draw((last, last))
    assert _draw((last, last)) != _draw((following, following))

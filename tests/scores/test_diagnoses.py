"""When a diagnosis counts at a visit: it lasts, so the visit must lie in it, and an examination may say otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter.scores.choose import choose, choose_all
from fhir_adapter.scores.hscore import Choice, total
from fhir_adapter.trial import Result, ScoreWindow, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, ZONE, found

ORGAN, STATED = "splenomegaly", "known_immunosuppression"


def diagnosis(start: str, until: str, name: str = ORGAN, **more: Any) -> Result:
    """A diagnosis of the hospital that was active from one moment to another."""
    lasting = {"source": "hospital", "method": "condition", "until": read_moment(until, ZONE)}
    return found(name, True, start, **{**lasting, "reference": f"Condition/{name}-{start}", **more})


def chosen(window: ScoreWindow, *results: Result, part: str = ORGAN) -> Choice:
    """The choice of one part."""
    return choose(results, window, COURSE)[part]


def why(choice: Choice) -> list[str]:
    """What is said of each result."""
    return [one.why for one in choice.evidence]


@pytest.mark.parametrize(
    ("start", "until", "baseline", "month_1"),
    [
        ("2016-01-10", "2016-04-20T10:00", True, True),  # active all the time
        ("2016-01-10", "2016-03-10", True, False),  # over by month 1
        ("2016-03-10", "2016-04-20T10:00", False, True),  # begun after baseline
        ("2016-01-10", "2016-02-22", False, False),  # over before D-7
        ("2016-01-10", "2016-02-23", True, False),  # D-7
        ("2016-04-03", "2016-04-20", False, False),  # after D33
        ("2016-04-02", "2016-04-20", False, True),  # D33
        ("2016-01", "2016-04", True, True),  # partial dates that leave no doubt
    ],
)
def test_a_diagnosis_counts_at_every_visit_in_which_it_was_active(
    start: str, until: str, baseline: bool, month_1: bool
) -> None:
    """From its beginning to its end, both days included."""
    counts = [bool(chosen(window, diagnosis(start, until)).used) for window in (BASELINE, MONTH_1)]
    assert counts == [baseline, month_1]


@pytest.mark.parametrize(("start", "until"), [("2016-03", "2016-03-20"), ("2016-01-10", "2016-02")])
def test_a_partial_date_that_may_reach_the_window_is_listed_and_not_used(start: str, until: str) -> None:
    """It may have been there at baseline, or not."""
    choice = chosen(BASELINE, diagnosis(start, until))
    assert (choice.used, len(choice.evidence)) == ((), 1)
    assert why(choice)[0] in ("a partial date that only overlaps the window", "not certainly active before injection 1")


def test_one_that_was_not_there_says_so() -> None:
    """With the window."""
    assert why(chosen(MONTH_1, diagnosis("2016-01-10", "2016-02-22"))) == ["not active in D22 to D33"]


@pytest.mark.parametrize(("start", "counts"), [("2016-03-01T08:59", True), ("2016-03-01T09:01", False)])
def test_before_the_first_dose_means_before_it(start: str, counts: bool) -> None:
    """What began on day 1 after the dose is no baseline."""
    assert bool(chosen(BASELINE, diagnosis(start, "2016-03-20")).used) is counts


def test_a_diagnosis_alone_says_why_it_counts() -> None:
    """It is no examination."""
    assert why(chosen(MONTH_1, diagnosis("2016-01-10", "2016-04-20"))) == ["a diagnosis that was active then"]


def test_an_examination_that_agrees_stands_beside_it() -> None:
    """Both count, and nothing contradicts itself."""
    choice = chosen(MONTH_1, diagnosis("2016-01-10", "2016-04-20"), found(ORGAN, True, "2016-03-29"))
    assert (len(choice.used), choice.conflicting) == (2, False)


def test_an_examination_of_a_day_on_which_it_was_active_contradicts_it() -> None:
    """One method says present, another absent: 0 to 23 points, for a person to look at."""
    results = [diagnosis("2016-01-10", "2016-04-20"), found(ORGAN, False, "2016-03-29")]
    results.append(found("hepatomegaly", False, "2016-03-29"))
    score = total(choose(results, MONTH_1, COURSE), 169)
    item = score.item("organomegaly")
    assert (item.low, item.high, item.state) == (0, 23, "conflicting")


def test_an_examination_before_it_began_does_not_contradict_it() -> None:
    """The newer one counts, as of two examinations."""
    choice = chosen(MONTH_1, found(ORGAN, False, "2016-03-24"), diagnosis("2016-03-28", "2016-04-20"))
    assert ([one.present for one in choice.used], choice.conflicting) == ([True], False)


def test_an_examination_after_its_end_does_not_contradict_it() -> None:
    """It was there in the window, and the later examination counts."""
    choice = chosen(MONTH_1, diagnosis("2016-01-10", "2016-03-24"), found(ORGAN, False, "2016-03-29"))
    assert ([one.present for one in choice.used], choice.conflicting) == ([False], False)


def test_a_refuted_one_beside_an_active_one_contradicts_it() -> None:
    """Two records of one hospital that cannot both be true."""
    refuted = found(ORGAN, False, "2016-03-29", source="hospital", method="condition")
    assert chosen(MONTH_1, diagnosis("2016-01-10", "2016-04-20"), refuted).conflicting


def test_an_old_diagnosis_is_not_the_first_examination() -> None:
    """Where the first counts, an examination of the window goes before what began long ago."""
    first = replace(MONTH_1, organs=replace(MONTH_1.organs, choice="first"))
    choice = chosen(first, diagnosis("2016-01-10", "2016-03-23"), found(ORGAN, False, "2016-03-24"))
    assert [one.present for one in choice.used] == [False]


def test_a_diagnosis_of_both_organs_tells_of_each() -> None:
    """As an examination of both does."""
    results = [diagnosis("2016-01-10", "2016-04-20", "hepatosplenomegaly")]
    assert total(choose(results, MONTH_1, COURSE), 169).item("organomegaly").low == 38


@pytest.mark.parametrize(
    ("start", "until", "counts"),
    [
        ("2010", "2016-04-20", True),
        ("2016-02-29", "2016-04-20", True),
        ("2016-03-01", "2016-04-20", False),  # begun on day 1: this episode's
        ("2016", "2016-04-20", False),
        ("2010", "2014-05-01", False),  # long over
    ],
)
def test_immunosuppression_must_have_been_there_before_the_treatment(start: str, until: str, counts: bool) -> None:
    """It is the status before the episode, at every visit."""
    choice = chosen(MONTH_1, diagnosis(start, until, STATED), part=STATED)
    assert bool(choice.used) is counts


def test_the_investigators_no_against_a_diagnosis_is_a_contradiction() -> None:
    """Neither of them is chosen in silence."""
    choice = chosen(BASELINE, diagnosis("2010", "2016-04-20", STATED), found(STATED, False, "2016-02-20"), part=STATED)
    assert choice.conflicting


@pytest.mark.parametrize(("day", "conflicting"), [("2016-03-05", True), ("2016-03-25", False)])
def test_without_visits_an_examination_contradicts_what_was_active_on_its_day(day: str, conflicting: bool) -> None:
    """On other days the worst counts, as of examinations."""
    choices = choose_all([diagnosis("2016-01-10", "2016-03-20"), found(ORGAN, False, day)], ZONE)
    assert (choices[ORGAN].conflicting, len(choices[ORGAN].used)) == (conflicting, 2)


def test_a_diagnosis_is_no_copy_of_an_examination() -> None:
    """Even when both tell of one day, and one of them is typed."""
    typed = found(ORGAN, True, "2016-03-29T10:00")
    choice = chosen(MONTH_1, diagnosis("2016-03-29T10:00", "2016-04-20"), typed)
    assert len(choice.used) == 2

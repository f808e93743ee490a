"""What a person must look at: each case by its rule, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_adapter.intake import ReviewItem, review, typed_otherwise
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers.r4.read_observation import NOTE_FLAG
from fhir_adapter.terminology import LOCAL_CODE_FLAG, normalise
from fhir_adapter.trial import Interval, Result, read_moment

SHANGHAI = {"S01": ZoneInfo("Asia/Shanghai")}
MORNING = "2016-03-01T06:30:00+08:00"


def one(name: str, value: str, at: str = MORNING, **more: Any) -> Result:
    """A hospital result of S01."""
    comparator = value[0] if value[0] in "<>" else None
    interval = Interval.of(Fraction(value.lstrip("<>")), comparator)
    stated: dict[str, Any] = {"source": "hospital", "reference": f"Observation/{name}-{value}", **more}
    return Result(subject="S01", name=name, interval=interval, effective=read_moment(at), **stated)


def kinds(*results: Result, **more: Any) -> list[str]:
    """The kinds of questions."""
    return [item.kind for item in review(results, zones=SHANGHAI, **more)]


def typed(value: str, at: str = MORNING) -> Result:
    """What the site typed."""
    return one("ferritin", value, at, source="typed", reference="lb.csv row 3")


def test_a_typed_value_that_differs_is_shown() -> None:
    """The hospital's counts; the same value is no question."""
    assert kinds(one("ferritin", "100"), typed("100")) == []
    assert review([one("ferritin", "100"), typed("101")]) == [
        ReviewItem(
            "S01",
            "typed-otherwise",
            "Observation/ferritin-100",
            "differs from what was typed (lb.csv row 3); the hospital's counts",
        )
    ]


def test_another_time_is_another_result() -> None:
    """Only copies are compared."""
    assert kinds(one("ferritin", "100"), typed("101", "2016-03-01T18:00:00+08:00")) == []


def test_a_day_typed_without_a_time_means_a_result_of_that_day() -> None:
    """With two of them it must equal one; days begin in Shanghai."""
    first = one("ferritin", "100", "2016-02-29T22:30:00Z")
    assert kinds(first, typed("101", "2016-03-01")) == ["typed-otherwise"]
    second = one("ferritin", "101", "2016-03-01T20:00:00+08:00")
    assert kinds(first, second, typed("101", "2016-03-01")) == []
    assert kinds(first, second, typed("102", "2016-03-01")) == ["typed-otherwise"]


def test_a_capped_result_beside_a_number_of_its_own_sample_is_no_question() -> None:
    """The diluted number inside the half-line supersedes it."""
    assert kinds(one("ferritin", ">40000", specimen="s1"), one("ferritin", "51200", specimen="s1")) == []


def test_a_capped_result_beside_a_number_of_another_sample_is() -> None:
    """Two samples, two truths."""
    found = kinds(one("ferritin", ">40000", specimen="s1"), one("ferritin", "51200", specimen="s2"))
    assert found == ["capped-other-sample"]


def test_a_number_outside_the_half_line_is() -> None:
    """Even of the same sample."""
    found = kinds(one("ferritin", ">40000", specimen="s1"), one("ferritin", "3000", specimen="s1"))
    assert found == ["capped-contradicted"]


@pytest.mark.parametrize(
    ("name", "before", "after", "later", "asked"),
    [
        ("platelets", "20", "60", "2016-03-03T06:30:00+08:00", ["platelets-jump"]),
        ("platelets", "20", "59", "2016-03-03T06:30:00+08:00", []),
        ("platelets", "20", "60", "2016-03-03T06:30:01+08:00", []),
        ("hemoglobin", "6.6", "9.1", "2016-03-02T06:30:00+08:00", ["hemoglobin-jump"]),
        ("hemoglobin", "6.6", "9.0", "2016-03-02T06:30:00+08:00", []),
        ("hemoglobin", "9.1", "6.6", "2016-03-02T06:30:00+08:00", []),
        ("ferritin", "100", "900", "2016-03-02T06:30:00+08:00", []),
    ],
)
def test_a_jump_within_two_days_is_shown(name: str, before: str, after: str, later: str, asked: list[str]) -> None:
    """Platelets three times as high, haemoglobin 25 g/L higher."""
    assert kinds(one(name, before), one(name, after, later)) == asked


def test_a_note_about_the_sample_is_shown() -> None:
    """Whatever the value."""
    assert kinds(one("ferritin", "1", flags=(f"{NOTE_FLAG}: haemolysed", "other"))) == ["sample-note"]


def test_a_value_that_is_rather_one_of_another_unit_is_shown() -> None:
    """Whatever it counts as: a haemoglobin of 10 to 25 g/L may be g/dL."""
    flag = normalise("hemoglobin", "10.1", "g/L").flags[0]
    assert kinds(one("hemoglobin", "1.01", flags=(flag,))) == ["unit-doubt"]


def test_a_code_of_the_folder_is_asked_about_at_its_first_use() -> None:
    """The folder says what a local code is; a person looks once whether it is so."""
    flag = f"{LOCAL_CODE_FLAG}https://lab.test|A as ferritin"
    later = "2016-03-02T06:30:00+08:00"
    assert kinds(one("ferritin", "1", flags=(flag,)), one("ferritin", "1", later, flags=(flag,))) == ["local-code"]


@pytest.mark.parametrize(("until", "asked"), [("2016-03-02", ["conflicting"]), ("2016-02-28", [])])
def test_a_diagnosis_against_an_examination_is_shown(until: str, asked: list[str]) -> None:
    """Only where it was active on the day of the examination."""
    examination = Result(
        subject="S01", name="splenomegaly", source="typed", present=False, effective=read_moment("2016-03-01")
    )
    began, ended = read_moment("2016-02-01"), read_moment(until)
    diagnosis = replace(examination, source="hospital", present=True, effective=began, until=ended)
    assert kinds(diagnosis, examination) == asked


@pytest.mark.parametrize(
    ("death", "asked"),
    [
        ("2016-02-29", ["after-death"]),
        ("2016-03-01", []),
        ("2016-03-01T06:29:00+08:00", ["after-death"]),
        ("2016-03-01T06:31:00+08:00", []),
    ],
)
def test_a_result_after_death_is_shown(death: str, asked: list[str]) -> None:
    """A death without a time lasts until the end of its day."""
    assert kinds(one("ferritin", "1"), deaths={"S01": read_moment(death)}) == asked


def test_a_local_code_is_asked_about_at_its_first_use() -> None:
    """Once for each code; an international code that no score needs is no question."""
    issues = [
        Issue("information", "unknown-code", "?", Where(resource=f"Observation/{place}"), rule=rule)
        for place, rule in enumerate(("https://lab.test|A", "https://lab.test|A", "http://loinc.org|2951-2", "no code"))
    ]
    assert review([], [("S01", issues[0]), *((None, issue) for issue in issues[1:])]) == [
        ReviewItem("S01", "local-code", "Observation/0", "first use of a local code: https://lab.test|A")
    ]


def test_pairs_that_differ_can_be_had_for_a_list() -> None:
    """The typed one first; not-done ones say nothing."""
    ours, theirs = typed("101"), one("ferritin", "100")
    undone = Result(subject="S01", name="ferritin", source="typed", not_done=True, effective=read_moment(MORNING))
    assert list(typed_otherwise([ours, theirs, undone], ZoneInfo("Asia/Shanghai"))) == [(ours, theirs)]

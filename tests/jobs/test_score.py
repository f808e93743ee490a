"""What a score takes from the site's records beside results: day 1, rescue, early stop, typed values as they read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from fhir_adapter.jobs.score import course_of, notes_of, rescues
from fhir_adapter.mappers.recorded_results import recorded_results
from fhir_adapter.scores import Course
from fhir_adapter.trial import (
    Dose,
    Entity,
    Finding,
    Measurement,
    Medication,
    Moment,
    Origin,
    Quantity,
    Subject,
    Transfusion,
    read_moment,
)
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path

SEED = "nct02569463"
DOSE = Quantity(Decimal(100), "万IU", "100")


@pytest.fixture(scope="module")
def folder() -> TrialFolder:
    """The seed trial's folder."""
    return read_trial_folder(trial_path(SEED))


def at(text: str) -> Moment:
    """A moment at the seed trial's site."""
    return read_moment(text if "T" not in text else f"{text}+08:00")


def dose(when: str, *, given: bool = True) -> Dose:
    """A dose of the subject S01."""
    return Dose(
        subject="S01", site="PKUPH", key=("S01", when), treatment="rhIL-2", given=given, start=at(when), amount=DOSE
    )


SUBJECT = Subject(subject="S01", site="PKUPH", key=("S01",))


def course(folder: TrialFolder, *entities: Entity) -> Course | None:
    """The course of S01 by the seed trial's rule."""
    assert folder.scores is not None
    return course_of(SUBJECT, entities, folder, folder.scores)


def test_day_1_is_the_first_dose_that_was_given(folder: TrialFolder) -> None:
    """A held dose before it and one of an uncertain day do not move it."""
    doses = [dose("2015-11-08T09:00", given=False), dose("2015-11-10T09:00"), dose("2015-11")]
    found = course(folder, *doses)
    assert found is not None
    assert found.day_one.isoformat() == "2015-11-10"
    assert len(found.injections) == 1


def test_without_a_dose_there_is_no_course(folder: TrialFolder) -> None:
    """Nothing was given, and nothing says when: no study days."""
    assert course(folder, dose("2015-11-08T09:00", given=False)) is None


def medication(treatment: str, when: str) -> Medication:
    """A medication of S01."""
    return Medication(subject="S01", site="PKUPH", key=("S01", treatment, when), treatment=treatment, start=at(when))


def test_rescue_is_what_the_rule_names_from_the_first_dose_on(folder: TrialFolder) -> None:
    """Etoposide on D16 and plasma exchange among the procedures count; a steroid and what came before do not."""
    exchange = Transfusion(
        subject="S01", site="PKUPH", key=("S01", "x"), product="血浆置换", start=at("2015-11-20T10:00")
    )
    mine: list[Entity] = [
        *(dose("2015-11-10T09:00"), medication("依托泊苷", "2015-11-25"), medication("泼尼松", "2015-11-25")),
        *(medication("依托泊苷", "2015-11-01"), exchange),
    ]
    found = course(folder, *mine)
    assert found is not None
    assert [kind for _, kind in rescues(mine, folder, found)] == ["etoposide", "plasma-exchange"]
    assert notes_of(mine, folder, found) == (
        "rescue: etoposide on D16",
        "rescue: plasma-exchange on D11",
        "1 of 14 planned doses given",
    )


def test_rescue_of_which_only_the_month_is_known_is_not_lost(folder: TrialFolder) -> None:
    """It may have begun after the first dose: marked with the date as recorded."""
    mine: list[Entity] = [dose("2015-11-10T09:00"), medication("依托泊苷", "2015-11")]
    assert notes_of(mine, folder, course(folder, *mine))[0] == "rescue: etoposide on 2015-11"


def measurement(test: str, value: str | None, unit: str | None, **more: object) -> Measurement:
    """A typed laboratory value of S01."""
    one = Measurement(test, value, unit, subject="S01", origin=Origin("lb", "lb.csv", 7))
    return replace(one, **more)  # type: ignore[arg-type]


def test_a_typed_value_is_read_by_the_trials_own_maps(folder: TrialFolder) -> None:
    """84 g/L by the site's words is 8.4 g/dL, with its place in the file."""
    (result,), issues = recorded_results([measurement("HGB", "84", "g/L")], folder)
    assert issues == []
    assert result.interval is not None
    assert (result.name, result.interval.point, result.source) == ("hemoglobin", Fraction("8.4"), "typed")
    assert result.reference == "lb.csv row 7"


def test_a_typed_value_without_a_unit_is_refused(folder: TrialFolder) -> None:
    """The hospital's habit of leaving the unit out says nothing of the site's."""
    results, issues = recorded_results([measurement("FERR", "84", None)], folder)
    assert (results, [issue.code for issue in issues]) == ([], ["missing-unit"])


def test_a_typed_word_is_no_number(folder: TrialFolder) -> None:
    """`see note` is named, not read."""
    results, issues = recorded_results([measurement("FERR", None, "ng/mL", word="see note")], folder)
    assert (results, [issue.code for issue in issues]) == ([], ["no-number"])


def test_not_done_is_known_as_not_done(folder: TrialFolder) -> None:
    """A test that the site did not do gives no value, and says so."""
    (result,), _ = recorded_results([measurement("AST", None, None, not_done=True)], folder)
    assert (result.name, result.not_done, result.interval) == ("ast", True, None)


def test_a_test_that_the_score_does_not_know_is_left_alone(folder: TrialFolder) -> None:
    """A test without a code, or of another kind, is neither result nor issue."""
    assert recorded_results([measurement("NOTHING", "1", "g/L")], folder) == ([], [])


def test_a_finding_of_the_score_says_who_stated_it(folder: TrialFolder) -> None:
    """Immunosuppression, stated by a named investigator on a day."""
    finding = Finding(
        subject="S01",
        site="PKUPH",
        key=("S01",),
        test="IMMUNSUP",
        name="",
        item="",
        result="是",
        stated_by="研究者甲",
        stated_on=at("2015-11-05"),
    )
    (result,), _ = recorded_results([finding], folder)
    assert (result.name, result.present, result.flags) == (
        "known_immunosuppression",
        True,
        ("stated by 研究者甲",),
    )
    assert result.effective == at("2015-11-05")

"""The rules of a trial's protocol over its resources together. All people here are made up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.mappers import map_trial
from fhir_adapter.sources import read_trial
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from fhir_adapter.trial_folder.rule_settings import Schedule, TrialRuleSettings
from fhir_adapter.validation.trial_rules import check_trial_rules

EVERY: Any = dict.fromkeys(
    ("dose-day", "dose-window", "subject-in-study", "visit-order", "visit-window"), "warning"
) | dict.fromkeys(("hard-limits", "unit-possible"), "error")


@pytest.fixture(scope="module")
def folder() -> TrialFolder:
    """The seed trial, with every rule turned on and a schedule of every other day."""
    rules = TrialRuleSettings(EVERY, Schedule(first=1, every=2, last=5))
    return replace(read_trial_folder(trial_path("nct02569463")), rules=rules)


def subject(name: str = "p1") -> dict[str, Any]:
    return {"resourceType": "ResearchSubject", "id": f"s-{name}", "individual": {"reference": f"Patient/{name}"}}


def dose(day: str, name: str = "d", status: str = "completed", patient: str = "p1") -> dict[str, Any]:
    return {
        "resourceType": "MedicationAdministration",
        "id": name,
        "status": status,
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"{day}T09:00:00+08:00",
    }


def visit(title: str, day: str, name: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": name,
        "type": [{"text": title}],
        "subject": {"reference": "Patient/p1"},
        "period": {"start": day},
    }


def ferritin(value: str, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
        "valueQuantity": {"value": Decimal(value), "code": unit, "system": "http://unitsofmeasure.org"},
    }


def said(folder: TrialFolder, *resources: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    found = check_trial_rules([subject(), *resources], folder)
    return [(one.severity, one.code, one.where.resource, one.where.expression) for one in found]


def test_doses_as_planned_break_no_rule(folder: TrialFolder) -> None:
    given = [dose("2020-03-01", "a"), dose("2020-03-03", "b"), dose("2020-03-05", "c")]
    assert said(folder, *given) == []


def test_a_dose_on_a_day_between_is_named(folder: TrialFolder) -> None:
    found = said(folder, dose("2020-03-01", "a"), dose("2020-03-04", "b"))
    assert found == [("warning", "dose-day", "MedicationAdministration/b", "MedicationAdministration.effective")]


def test_a_dose_after_the_course_is_named(folder: TrialFolder) -> None:
    found = said(folder, dose("2020-03-01", "a"), dose("2020-03-07", "b"))
    assert [one[1:3] for one in found] == [("dose-window", "MedicationAdministration/b")]


def test_a_dose_within_its_tolerance_is_right(folder: TrialFolder) -> None:
    rules = replace(folder.rules, schedule=Schedule(first=1, every=7, last=15, after=2))
    wider = replace(folder, rules=rules)
    assert said(wider, dose("2020-03-01", "a"), dose("2020-03-10", "b")) == []
    assert [one[1] for one in said(wider, dose("2020-03-01", "a"), dose("2020-03-11", "b"))] == ["dose-day"]


def test_a_dose_that_was_not_given_is_on_no_day(folder: TrialFolder) -> None:
    assert said(folder, dose("2020-03-01", "a"), dose("2020-03-04", "b", status="not-done")) == []


def test_a_visit_outside_its_window_is_named(folder: TrialFolder) -> None:
    found = said(folder, dose("2020-03-01"), visit("WEEK 1", "2020-03-11", "v"))
    assert found == [("warning", "visit-window", "Encounter/v", "Encounter.period.start")]
    assert said(folder, dose("2020-03-01"), visit("WEEK 1", "2020-03-10", "v")) == []


def test_visits_in_another_order_are_named(folder: TrialFolder) -> None:
    found = said(folder, visit("WEEK 2", "2020-03-08", "two"), visit("WEEK 1", "2020-03-15", "one"))
    assert found == [("warning", "visit-order", "Encounter/two", "Encounter.period.start")]


@pytest.mark.parametrize(
    ("value", "unit", "rule"),
    [("500", "ug/L", None), ("500", "Cel", "unit-possible"), ("500000000", "ug/L", "hard-limits")],
)
def test_units_and_limits_of_an_analyte(folder: TrialFolder, value: str, unit: str, rule: str | None) -> None:
    found = said(folder, ferritin(value, unit))
    place = ("Observation/o", "Observation.value.ofType(Quantity)")
    assert found == ([("error", rule, *place)] if rule else [])


def test_somebody_who_is_not_in_the_study_is_named(folder: TrialFolder) -> None:
    found = said(folder, dose("2020-03-01", "x", patient="stranger"))
    assert found == [("warning", "subject-in-study", "MedicationAdministration/x", "MedicationAdministration.subject")]


def test_nothing_is_asked_that_the_trial_did_not_turn_on(folder: TrialFolder) -> None:
    silent = replace(folder, rules=TrialRuleSettings())
    assert said(silent, dose("2020-03-01", "a"), dose("2020-03-04", "b"), ferritin("5", "Cel")) == []


def test_planned_days_leave_out_day_0() -> None:
    assert list(Schedule(first=-2, every=1, last=3).days()) == [-2, -1, 1, 2, 3]


def test_the_seed_trial_breaks_one_rule() -> None:
    folder = read_trial_folder(trial_path("nct02569463"))
    reading = read_trial(folder)
    mapped = map_trial(reading.study, reading.entities, folder)
    found = check_trial_rules([one.resource for one in mapped.resources], folder)
    assert [(one.severity, one.code) for one in found] == [("warning", "visit-window")]

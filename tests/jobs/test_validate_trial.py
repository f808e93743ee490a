"""The rules of a trial, asked by `validate` of all resources together. All people here are made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.jobs import validate_trial
from fhir_adapter.jobs.validate import validate
from fhir_adapter.jobs.validate_checking import Checked, Checking
from fhir_adapter.jobs.validate_documents import Document
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from fhir_adapter.trial_folder.rule_settings import Schedule, TrialRuleSettings

ASKED: Any = {"dose-day": "warning", "subject-in-study": "error", "hard-limits": "error", "visit-order": "warning"}
KNOWN = {"resourceType": "ResearchSubject", "id": "s1", "individual": {"reference": "Patient/p1"}}


@pytest.fixture(scope="module")
def trial() -> TrialFolder:
    """The seed trial with some rules turned on, and a dose planned every other day."""
    rules = TrialRuleSettings(ASKED, Schedule(first=1, every=2, last=5))
    return replace(read_trial_folder(trial_path("nct02569463")), rules=rules)


def dose(day: int, name: str = "d") -> dict[str, Any]:
    return {
        "resourceType": "MedicationAdministration",
        "id": name,
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": f"2020-03-{day:02}",
    }


def result(patient: str = "p1", value: int = 300, unit: str = "ng/mL") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
        "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"},
    }


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def documents(resources: Sequence[object]) -> list[Document]:
    """Each resource as a line of one file."""
    texts = [fhirjson.dumps(one) for one in resources]
    return [Document("made-up.ndjson", number, text) for number, text in enumerate(texts, 1)]


def checked(trial: TrialFolder, *resources: object, jobs: int = 1) -> list[Checked]:
    """What becomes of each line, and last of all of them together."""
    checking = Checking(options={"structure_only": True}, trial=trial)
    return list(validate(documents(resources), checking, jobs, lambda _problems: None))


def broken(trial: TrialFolder, *resources: object) -> list[tuple[str, int | None, str | None]]:
    """Code, line and expression of each rule of the trial that is broken."""
    issues = [issue for one in checked(trial, *resources) for issue in one.issues]
    return [(one.code, one.where.line, one.where.expression) for one in issues if _is_of_trial(one)]


def _is_of_trial(issue: Issue) -> bool:
    return (issue.rule or "").startswith("rules.")


def test_what_keeps_the_rules_is_not_named(trial: TrialFolder) -> None:
    """Doses on planned days, a possible value, a known subject."""
    assert broken(trial, KNOWN, dose(1), dose(3), result()) == []


def test_a_dose_on_a_wrong_day_has_its_line_and_column(trial: TrialFolder) -> None:
    """Which day is wrong is known when all are read; where it stands is remembered."""
    wrong = dose(4, "late")

    found = checked(trial, KNOWN, dose(1), wrong)[-1]

    [issue] = found.issues
    column = fhirjson.dumps(wrong).index(b'"effectiveDateTime"') + 1
    assert (issue.code, issue.severity, issue.rule) == ("dose-day", "warning", "rules.dose-day")
    assert str(issue.where) == (
        f"made-up.ndjson:3:{column} MedicationAdministration/late MedicationAdministration.effective"
    )
    assert not found.looked_at


def test_a_value_that_nobody_has_is_named_with_its_line(trial: TrialFolder) -> None:
    """A single result needs nothing beside it to be judged, and its value is not shown."""
    [found, _rest] = checked(trial, result(value=987_654_321))

    [issue] = [one for one in found.issues if _is_of_trial(one)]
    assert (issue.code, issue.where.line, issue.where.expression) == (
        "hard-limits",
        1,
        "Observation.value.ofType(Quantity)",
    )
    assert "987" not in issue.message


def test_resources_inside_bundles_are_asked_too(trial: TrialFolder) -> None:
    """In Bundles of Bundles as well; the expression leads from the outermost."""
    found = broken(trial, bundle(KNOWN, dose(1), bundle(dose(4), result("p2"))))

    assert found == [
        ("subject-in-study", 1, "Bundle.entry[2].resource.entry[1].resource.subject"),
        ("dose-day", 1, "Bundle.entry[2].resource.entry[0].resource.effective"),
    ]


def test_a_subject_may_be_introduced_after_its_results(trial: TrialFolder) -> None:
    """Files come in any order."""
    assert broken(trial, result("p1"), result("p2"), KNOWN) == [("subject-in-study", 2, "Observation.subject")]


def test_two_resources_of_one_id_are_told_apart(trial: TrialFolder) -> None:
    """An id may be there twice or be missing; each has its own line."""
    nameless = dose(4)
    del nameless["id"]

    assert [line for _code, line, _where in broken(trial, dose(1), dose(2), dose(4), nameless)] == [2, 3, 4]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"resourceType": 7},
        {"resourceType": "not one"},
        {"resourceType": "Bundle", "entry": 1},
        {"resourceType": "Bundle", "entry": [None, {"resource": None}, {"resource": []}]},
        {"resourceType": "Encounter", "type": [{}], "period": []},
        {"resourceType": "Encounter", "type": 3},
        {"resourceType": "Observation", "subject": [{"reference": "Patient/p9"}]},
        {"resourceType": "ResearchSubject", "individual": {"reference": 3}},
    ],
)
def test_what_is_no_resource_breaks_no_rule(trial: TrialFolder, odd: object) -> None:
    """Others say what is wrong with it."""
    assert broken(trial, KNOWN, odd) == []


def test_several_processes_find_the_same(trial: TrialFolder) -> None:
    """What is remembered comes back with what was found."""
    resources = [KNOWN, *(dose(day, f"d{day}") for day in range(1, 6)), result("p2")]

    one, two = (checked(trial, *resources, jobs=jobs) for jobs in (1, 2))

    assert two == one
    assert [issue.code for issue in two[-1].issues] == ["subject-in-study", "dose-day", "dose-day"]


def test_results_of_known_subjects_leave_nothing_behind(trial: TrialFolder) -> None:
    """Nor do they before their subject is known, once it is; of one who stays unknown some are enough."""
    rules = validate_trial.TrialRules(trial)
    before = [note for one in checked(trial, *[result("p1")] * 150) for note in one.notes]
    subject = [note for one in checked(trial, KNOWN) for note in one.notes]
    after = [note for one in checked(trial, result("p1")) for note in one.notes]
    strangers = [note for one in checked(trial, *[result("p2")] * 150) for note in one.notes]

    for notes in (before, subject, after, strangers):
        rules.add(notes)

    assert len(rules._notes) == 1
    assert {patient: len(notes) for patient, notes in rules._waiting.items()} == {"Patient/p2": 100}
    assert len(rules.issues()) == 100

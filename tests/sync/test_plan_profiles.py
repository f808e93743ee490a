"""Whether a push refuses what breaks its profile, and goes on with the rest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fhir_adapter.mappers import Mapping as MappedTrial
from fhir_adapter.mappers import map_trial
from fhir_adapter.sources import Reading, read_trial
from fhir_adapter.sync import make_plan
from fhir_adapter.trial_folder import read_trial_folder, trial_path

MISSED = "trial-missed-dose"
"""The profile of a dose that was not given, by which no amount may stand in it."""


def mapped() -> tuple[Reading, MappedTrial]:
    """The seed trial with its made-up subjects."""
    folder = read_trial_folder(trial_path("nct02569463"))
    reading = read_trial(folder)
    return reading, map_trial(reading.study, reading.entities, folder)


def test_what_breaks_its_profile_is_blocked_and_the_rest_is_planned() -> None:
    """An amount in a dose that was not given is right by FHIR R4, and wrong by the profile."""
    reading, trial = mapped()
    missed = next(one for one in trial.resources if MISSED in str(one.resource.get("meta")))
    spoiled = {**missed.resource, "dosage": {"dose": {"value": Decimal(1)}}}
    resources = [replace(one, resource=spoiled) if one.name == missed.name else one for one in trial.resources]

    plan = make_plan(reading, replace(trial, resources=tuple(resources)), {}, lambda _names: {})

    assert [item.name for item in plan.of("blocked")] == [missed.name]
    [issue] = plan.set_aside
    assert (issue.code, issue.rule) == (
        "too-many",
        "https://w3id.org/fhir-adapter/StructureDefinition/trial-missed-dose#MedicationAdministration.dosage",
    )


def test_all_of_the_trial_is_right_by_its_profiles() -> None:
    """Nothing is blocked when nothing is spoiled."""
    reading, trial = mapped()

    plan = make_plan(reading, trial, {}, lambda _names: {})

    assert (list(plan.of("blocked")), plan.set_aside) == ([], ())

"""Everything that the mappers write conforms to the profile that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.mappers import map_trial
from fhir_adapter.mappers.r4.stored_score import own_score
from fhir_adapter.scores import score_subject
from fhir_adapter.sources import read_trial
from fhir_adapter.terminology.tables import LOINC, analytes
from fhir_adapter.trial import Subject
from fhir_adapter.trial_folder import read_trial_folder, trial_path
from fhir_adapter.validation import Validator
from tests.golden import GOLDEN
from tests.mappers.small import context
from tests.profiles.tables import TRIALS
from tests.scores.made_up import COURSE, RULES, measured

OURS = "https://w3id.org/fhir-adapter/StructureDefinition/"
WITHOUT_PROFILE = {"Device", "Location", "Organization"}
SUBJECT = Subject(subject="001", site="01", key=("001",))


@pytest.fixture(scope="module")
def validator() -> Validator:
    """R4 and the project's own profiles."""
    return Validator()


def emitted(trial: str) -> Iterator[Any]:
    """All resources of a trial, with their numbers as they are sent."""
    folder = read_trial_folder(trial_path(trial))
    reading = read_trial(folder)
    for one in map_trial(reading.study, reading.entities, folder).resources:
        yield fhirjson.loads(fhirjson.dumps(one.resource))


def errors(validator: Validator, resource: Any, *profiles: str) -> list[tuple[str, str, str | None]]:
    found = validator.check(resource, profiles=profiles)
    return [(one.code, one.message, one.where.expression) for one in found if one.severity in ("error", "fatal")]


def analyte_profile(resource: Mapping[str, Any]) -> list[str]:
    """The profile of the analyte that a laboratory result is of."""
    codings = resource.get("code", {}).get("coding", ())
    codes = {one["code"] for one in codings if one.get("system") == LOINC}
    if f"{OURS}trial-laboratory-result" not in resource["meta"].get("profile", ()):
        return []
    return [f"{OURS}trial-{name}" for name, one in analytes().items() if one.scored and codes & one.codes.keys()]


@pytest.mark.parametrize("trial", TRIALS)
def test_a_whole_trial_conforms(validator: Validator, trial: str) -> None:
    """Each resource to what it names, and each result of the score to the profile of its analyte."""
    wrong, named = [], set()
    for resource in emitted(trial):
        named.add((resource["resourceType"], bool(resource["meta"].get("profile"))))
        wrong += errors(validator, resource, *analyte_profile(resource))
    assert wrong[:5] == []
    assert {kind for kind, has_profile in named if not has_profile} <= WITHOUT_PROFILE


def test_the_golden_resources_conform(validator: Validator) -> None:
    """What people read to see what is sent."""
    lines = GOLDEN.read_bytes().splitlines()
    assert [found for line in lines for found in errors(validator, fhirjson.loads(line))] == []


@pytest.mark.parametrize("ferritin", ["1", "2500", "24560"])
def test_a_stored_score_conforms(validator: Validator, ferritin: str) -> None:
    """Open as long as eight items are not known, with its sums and its interpretation."""
    result = measured("ferritin", ferritin, "2016-03-01T06:30", reference="Observation/f1")
    for one in score_subject("001", [result], RULES, COURSE, as_of="2016-04-02T10:00:00+08:00").windows:
        found = own_score(one, SUBJECT, context(), stands=(), refer=lambda said: {"reference": said.reference})
        assert errors(validator, fhirjson.loads(fhirjson.dumps(found))) == []

"""Can a FHIR client that knows nothing of us use the service? fhirpy calls it over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

from fhir_adapter.client import Secret
from fhir_adapter.service import create_app
from fhir_adapter.settings import ServiceSettings, Settings
from tests.service.served import SEED, bounds_of, bundle_of, in_thread, observations
from tests.stories.commands import Person

PATIENTS = ("hp-a417", "hp-b902", "hp-c335", "hp-d128", "hp-e764", "hp-f051")

Bounds = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def base(pulled: Path) -> Iterator[str]:
    """The FHIR base of a service that is used by all tests here."""
    app = create_app(Settings(defaults={"trial": "nct02569463", "state": str(pulled)}))
    with in_thread(app) as address:
        yield f"{address}/fhir"


@pytest.fixture
def fhir(base: str) -> SyncFHIRClient:
    """The foreign client."""
    return SyncFHIRClient(base)


@pytest.fixture(scope="module")
def command_line(pulled: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bounds]:
    """What `score` says of the same state: lower and upper bound by patient and visit."""
    person = Person.at(tmp_path_factory.mktemp("score") / "home")
    scores = person.runs("score", "--trial", SEED, "--state", pulled, "--format", "json").report["scores"]
    return {patient: _bounds(scores, f"Patient/{patient}") for patient in PATIENTS}


def _bounds(scores: list[dict[str, Any]], patient: str) -> Bounds:
    return {one["window"]: (one["low"], one["high"]) for one in scores if one["patient"] == patient}


def parameters(*several: dict[str, Any]) -> dict[str, Any]:
    """A Parameters resource."""
    return {"resourceType": "Parameters", "parameter": [*several]}


@pytest.mark.parametrize("patient", PATIENTS)
def test_scores_of_a_patient_by_get(fhir: SyncFHIRClient, command_line: dict[str, Bounds], patient: str) -> None:
    """The same bounds at every visit as the command line gives for the same state."""
    answer = fhir.reference("Patient", patient).execute("$hscore", method="get")
    assert answer["resourceType"] == "Bundle"
    assert bounds_of(answer) == command_line[patient] != {}


@pytest.mark.parametrize("patient", PATIENTS)
def test_scores_of_a_patient_by_post(fhir: SyncFHIRClient, command_line: dict[str, Bounds], patient: str) -> None:
    """One visit is asked for in Parameters; its bounds are those of the command line."""
    asked = parameters({"name": "window", "valueString": "week-1"})
    answer = fhir.resource("Patient", id=patient).execute("$hscore", data=asked)
    assert bounds_of(answer) == {"week-1": command_line[patient]["week-1"]}


def test_a_window_in_the_query(fhir: SyncFHIRClient, command_line: dict[str, Bounds]) -> None:
    """As the client writes it."""
    answer = fhir.reference("Patient", "hp-a417").execute("$hscore", method="get", params={"window": "baseline"})
    assert bounds_of(answer) == {"baseline": command_line["hp-a417"]["baseline"]}


def test_scores_of_observations_in_parameters(fhir: SyncFHIRClient, tmp_path: Path) -> None:
    """Results that are sent are scored as `score --input` scores a file of them."""
    sent = observations("hp-a417", 20)
    asked = parameters(*({"name": "observation", "resource": one} for one in sent))
    answer = fhir.execute("Observation/$hscore", data=asked)
    assert bounds_of(answer) == {"all": of_a_file(tmp_path, sent)}


def test_scores_of_observations_in_a_bundle(fhir: SyncFHIRClient, tmp_path: Path) -> None:
    """The same, all in one Bundle, within Parameters or bare."""
    sent = bundle_of(observations("hp-a417", 20))
    expected = {"all": of_a_file(tmp_path, observations("hp-a417", 20))}
    inside = fhir.execute("Observation/$hscore", data=parameters({"name": "bundle", "resource": sent}))
    bare = fhir.execute("Observation/$hscore", data=sent)
    assert [bounds_of(inside), bounds_of(bare)] == [expected] * 2


def of_a_file(folder: Path, sent: list[dict[str, Any]]) -> tuple[int, int]:
    """The bounds that the command line gives for a file of one subject's results."""
    (folder / "sent.ndjson").write_text("\n".join(map(json.dumps, sent)), encoding="utf-8")
    run = Person.at(folder / "elsewhere").runs("score", "--input", folder / "sent.ndjson", "--format", "json")
    (one,) = run.report["scores"]
    return one["low"], one["high"]


def test_a_resource_is_valid(fhir: SyncFHIRClient) -> None:
    """The client's own call for $validate."""
    assert fhir.resource("Patient", birthDate="1979-08-14", gender="female").is_valid()


def test_a_resource_is_not_valid(fhir: SyncFHIRClient) -> None:
    """The finding arrives with its place, and without the value."""
    wrong = fhir.resource("Patient", birthDate="14.8.1979")
    with pytest.raises(OperationOutcome) as told:
        wrong.is_valid(raise_exception=True)
    (issue,) = told.value.resource["issue"]
    assert (issue["severity"], issue["expression"]) == ("error", ["Patient.birthDate"])
    assert "14.8.1979" not in json.dumps(told.value.resource)


def test_the_capability_statement(fhir: SyncFHIRClient) -> None:
    """It names both forms of the operation, each by the address of a definition that can be read here."""
    statement = fhir.execute("metadata", method="get")
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    operations = {
        one["type"]: {each["name"]: each["definition"] for each in one["operation"]}
        for one in statement["rest"][0]["resource"]
    }
    definitions = [
        fhir.execute(f"OperationDefinition/{name}", method="get") for name in ("hscore", "observation-hscore")
    ]
    said = [operations["Patient"]["hscore"], operations["Observation"]["hscore"]]
    assert said == [definition["url"] for definition in definitions]
    assert "validate" in operations["Observation"]


@pytest.mark.parametrize("path", ["metadata", "OperationDefinition/hscore", "OperationDefinition/observation-hscore"])
def test_what_the_service_says_of_itself_is_valid(fhir: SyncFHIRClient, path: str) -> None:
    """By its own validation."""
    own = fhir.execute(path, method="get")
    found = fhir.execute(f"{own['resourceType']}/$validate", data=own)
    assert [issue for issue in found["issue"] if issue["severity"] in {"fatal", "error"}] == []


def test_the_answer_is_valid(fhir: SyncFHIRClient) -> None:
    """The Bundle of scores, too, with its evidence."""
    scores = fhir.reference("Patient", "hp-a417").execute("$hscore", method="get", params={"evidence": "true"})
    found = fhir.execute("Bundle/$validate", data=scores)
    assert [issue for issue in found["issue"] if issue["severity"] in {"fatal", "error"}] == []


@pytest.mark.parametrize("patient", ["hp-g689", "hp-k233", "nobody"])
def test_a_patient_who_is_not_scored_here(fhir: SyncFHIRClient, patient: str) -> None:
    """A screening failure without results, another patient of the hospital, and nobody: the client's own error."""
    with pytest.raises(ResourceNotFound) as told:
        fhir.reference("Patient", patient).execute("$hscore", method="get")
    assert json.loads(str(told.value))["issue"][0]["code"] == "not-found"


def test_a_window_that_does_not_exist(fhir: SyncFHIRClient) -> None:
    """The client's OperationOutcome error, with the windows that exist."""
    with pytest.raises(OperationOutcome, match="week-3"):
        fhir.reference("Patient", "hp-a417").execute("$hscore", method="get", params={"window": "week-9"})


def test_no_interaction_is_offered_that_is_not_there(fhir: SyncFHIRClient) -> None:
    """Reading, searching and creating are errors the client can tell, each an OperationOutcome."""
    with pytest.raises(ResourceNotFound, match="OperationOutcome"):
        fhir.reference("Patient", "hp-a417").to_resource()
    with pytest.raises((ResourceNotFound, OperationOutcome), match=r"OperationOutcome|issue"):
        fhir.resources("Observation").fetch()
    with pytest.raises((ResourceNotFound, OperationOutcome), match=r"OperationOutcome|issue"):
        fhir.resource("Observation", status="final").save()


def test_with_a_token(pulled: Path) -> None:
    """The client's `authorization` is the bearer token; without it, its own error."""
    settings = Settings(defaults={"trial": "nct02569463", "state": str(pulled)})
    with in_thread(create_app(settings, ServiceSettings(token=Secret("canary-1")))) as address:
        known = SyncFHIRClient(f"{address}/fhir", authorization="Bearer canary-1")
        stranger = SyncFHIRClient(f"{address}/fhir")
        assert known.execute("Patient/hp-a417/$hscore", method="get")["resourceType"] == "Bundle"
        with pytest.raises(AuthorizationError, match="OperationOutcome"):
            stranger.execute("Patient/hp-a417/$hscore", method="get")


def test_many_at_once(base: str, command_line: dict[str, Bounds]) -> None:
    """The asynchronous client asks for every patient at the same time, several times: each gets their own scores."""
    asked = PATIENTS * 3

    async def ask() -> list[Any]:
        client = AsyncFHIRClient(base)
        calls = [client.reference("Patient", one).execute("$hscore", method="get") for one in asked]
        return list(await asyncio.gather(*calls))

    answers = asyncio.run(ask())
    assert [bounds_of(answer) for answer in answers] == [command_line[one] for one in asked]

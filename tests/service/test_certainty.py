"""The service answers only for whom, and with what, is certain."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fhir_adapter.issues import Issue
from fhir_adapter.service import create_app
from fhir_adapter.settings import Settings
from fhir_adapter.store import FILE, Received, ResultStore, open_store
from fhir_adapter.trial_folder import trial_path
from fhir_adapter.validation import check_structure

TRIAL, SUBJECT, PATIENT = "nct02569463", "S03", "hp-c335"
SENT = "/fhir/Observation/$hscore"
SERVER = "https://hospital.test/r4"


def observation(
    code: str, value: object, unit: str, *, subject: object = "Patient/p", name: str = "o1"
) -> dict[str, Any]:
    """A made-up result; a text as subject is a reference."""
    stated = {"reference": subject} if isinstance(subject, str) else subject
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": stated,
        "effectiveDateTime": "2016-05-17T08:00:00+08:00",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def bundle(*resources: dict[str, Any], **more: object) -> dict[str, Any]:
    """A Bundle of made-up results."""
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **more}


def resources(answer: Any, kind: str) -> list[dict[str, Any]]:
    """The resources of one type in an answer."""
    assert answer.status_code == 200, answer.text
    every = [entry["resource"] for entry in answer.json().get("entry", [])]
    return [one for one in every if one["resourceType"] == kind]


def points(score: dict[str, Any], item: str) -> object:
    """The points of one item of a score, as its component has them."""
    (found,) = [one for one in score["component"] if one["code"]["coding"][0]["code"] == item]
    return found.get("valueQuantity", {}).get("value") or found.get("valueRange")


def codes(answer: Any) -> list[str]:
    """The codes of everything that an answer says."""
    outcomes = resources(answer, "OperationOutcome")
    return [issue["details"]["coding"][0]["code"] for outcome in outcomes for issue in outcome["issue"]]


@pytest.fixture
def anybody() -> Iterator[TestClient]:
    """The service without a trial."""
    with TestClient(create_app(Settings())) as client:
        yield client


def of_trial(state: Path, server: str | None = None) -> TestClient:
    """The service of the seed trial on this state, with a hospital server or without."""
    defaults = {"trial": TRIAL, "state": str(state), **({"server": server} if server else {})}
    return TestClient(create_app(Settings(defaults=defaults)))


def record(state: Path, place: str, patient: str, *found: Received, subject: str = SUBJECT) -> None:
    """What a pull from a place would have left behind."""
    with open_store(state, writer=True) as store:
        results = ResultStore(store, TRIAL)
        number = results.begin(place, "2016-06-20T00:00:00+00:00")
        results.record(place, number, subject, found, patients=[f"Patient/{patient}"])
        results.finish(place, number, complete=True)


def received(name: str, resource: dict[str, Any]) -> Received:
    """A result as a pull receives it."""
    return Received(f"Observation/{name}", SUBJECT, json.dumps({**resource, "id": name}).encode())


# Whose


def test_a_patient_id_that_was_corrected_is_nobodys(state: Path) -> None:
    """The old id is a stranger's now; the new one is the subject's."""
    record(state, SERVER, "wrong")
    record(state, SERVER, "right")
    client = of_trial(state, SERVER)
    answers = [client.get(f"/fhir/Patient/{one}/$hscore").status_code for one in ("wrong", "right")]
    assert answers == [404, 200]


def test_a_patient_of_a_file_is_not_the_servers(state: Path) -> None:
    """With a server named, the same id in a laboratory's file may be somebody else."""
    record(state, FILE, "17")
    record(state, SERVER, "abc")
    assert of_trial(state, SERVER).get("/fhir/Patient/17/$hscore").status_code == 404
    assert of_trial(state).get("/fhir/Patient/17/$hscore").status_code == 200


def test_an_id_that_two_places_give_to_two_subjects_is_nobodys(state: Path) -> None:
    """Until the hospital's server is named."""
    record(state, SERVER, "17")
    record(state, FILE, "17", subject="S01")
    assert of_trial(state).get("/fhir/Patient/17/$hscore").status_code == 404
    assert of_trial(state, SERVER).get("/fhir/Patient/17/$hscore").status_code == 200


def test_nothing_is_said_of_another_subject(state: Path) -> None:
    """Two places use one id: what is wrong with one subject's result is not told about the other's."""
    good = received("x", observation("2276-4", 900, "ng/mL"))
    bad = replace(received("x", observation("2276-4", 900, "furlong")), subject="S01")
    record(state, SERVER, "three", good)
    record(state, FILE, "one", bad, subject="S01")
    client = of_trial(state)
    assert "unknown-unit" not in codes(client.get("/fhir/Patient/three/$hscore"))
    assert "unknown-unit" in codes(client.get("/fhir/Patient/one/$hscore"))


def test_the_evidence_is_the_body_that_was_used(state: Path) -> None:
    """The server and a newer file tell of one result: what is shown is what counts."""
    old = observation("2276-4", 17100, "ng/mL") | {"issued": "2016-05-17T09:00:00+08:00"}
    new = observation("2276-4", 7777, "ng/mL") | {"issued": "2016-05-17T12:00:00+08:00", "status": "corrected"}
    record(state, SERVER, "three", received("twice", old))
    record(state, FILE, "three", received("twice", new))
    answer = of_trial(state).get("/fhir/Patient/three/$hscore?window=baseline&evidence=true")
    used = [one for one in resources(answer, "Observation") if one.get("id") == "twice"]
    assert [one["valueQuantity"]["value"] for one in used] == [7777]


@pytest.mark.parametrize(
    "subject",
    ["#p", "Group/a", "Patient?identifier=http://s|1", {"identifier": {"value": "001"}}, {"display": "somebody"}],
)
def test_a_result_that_names_no_patient_for_certain_is_nobodys(anybody: TestClient, subject: object) -> None:
    """It is set aside; alone it leaves nothing to score."""
    one = observation("2276-4", 24560, "ng/mL", subject=subject)
    if subject == "#p":
        one["contained"] = [{"resourceType": "Patient", "id": "p"}]
    answer = anybody.post(SENT, json=bundle(one, observation("1920-8", 900, "U/L", name="o2")))
    (score,) = resources(answer, "Observation")
    assert (points(score, "ferritin"), points(score, "ast")) == (None, 19)
    assert codes(answer) == ["no-subject"]
    assert anybody.post(SENT, json=bundle(one)).status_code == 422


def test_the_same_id_on_two_servers_is_two_people(anybody: TestClient) -> None:
    """A relative reference is of the server that the entry's address names."""
    one, other = observation("2276-4", 24560, "ng/mL"), observation("1920-8", 900, "U/L", name="o2")
    entries = [
        {"fullUrl": "https://a.test/fhir/Observation/o1", "resource": one},
        {"fullUrl": "https://b.test/fhir/Observation/o2", "resource": other},
    ]
    answer = anybody.post(SENT, json={"resourceType": "Bundle", "type": "collection", "entry": entries})
    found = {one["subject"]["reference"]: points(one, "ast") for one in resources(answer, "Observation")}
    assert found == {"https://a.test/fhir/Patient/p": None, "https://b.test/fhir/Patient/p": 19}


def test_a_logical_reference_stays_one(anybody: TestClient) -> None:
    """System and value, as they were sent."""
    identifier = {"system": "https://hospital.test/mrn", "value": "0|7"}
    answer = anybody.post(SENT, json=observation("2276-4", 1, "ng/mL", subject={"identifier": identifier}))
    (score,) = resources(answer, "Observation")
    assert score["subject"] == {"type": "Patient", "identifier": identifier}


def test_results_of_two_people_with_one_id_keep_their_places(anybody: TestClient) -> None:
    """Of two results that share an id, the one that is wrong is named."""
    good = observation("2276-4", 24560, "ng/mL", subject="Patient/a")
    bad = observation("2276-4", 24560, "furlong", subject="Patient/b")
    answer = anybody.post(f"{SENT}?evidence=true", json=bundle(bad, good))
    (outcome,) = resources(answer, "OperationOutcome")
    assert outcome["issue"][0]["expression"][0].startswith("Bundle.entry[0].resource")
    assert [one["subject"]["reference"] for one in resources(answer, "Observation")][-1] == "Patient/a"


# What is not known


def test_an_incomplete_pull_is_said_by_the_score_itself(state: Path) -> None:
    """Who keeps the Observation alone knows it too."""
    with open_store(state, writer=True) as store:
        results = ResultStore(store, TRIAL)
        number = results.begin(SERVER, "2016-06-20T00:00:00+00:00")
        results.finish(SERVER, number, complete=False)
    (score, *_) = resources(of_trial(state).get(f"/fhir/Patient/{PATIENT}/$hscore"), "Observation")
    assert any("incomplete" in note["text"] for note in score["note"])


def test_one_page_of_a_search_is_not_the_whole(anybody: TestClient) -> None:
    """What the other pages hold may change the score."""
    link = [{"relation": "next", "url": "https://hospital.test/r4?page=2"}]
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "incomplete"}]}
    answer = anybody.post(SENT, json=bundle(observation("2276-4", 1, "ng/mL"), outcome, type="searchset", link=link))
    assert codes(answer) == ["bundle-page", "entry-not-read"]


def test_another_cutoff_is_not_the_trials_own_statement(state: Path) -> None:
    """Under the trial's identifier a receiver would overwrite the trial's score with it."""
    own, other = (
        resources(of_trial(state).get(f"/fhir/Patient/{PATIENT}/$hscore?window=baseline{more}"), "Observation")[0]
        for more in ("", "&cutoff=5")
    )
    assert own["identifier"][0]["value"] == "S03/hscore/baseline"
    assert "identifier" not in other


@pytest.mark.parametrize(
    "parameters",
    [
        {"parameters": [{"name": "window", "valueString": "baseline"}]},
        {"implicitRules": "https://rules.test"},
        {"parameter": [{"name": "window", "valueString": "baseline", "part": []}]},
        {"parameter": [{"name": "window", "valueString": "baseline", "modifierExtension": [{"url": "x"}]}]},
    ],
)
def test_mistyped_parameters_are_not_passed_over(state: Path, parameters: dict[str, Any]) -> None:
    """The answer would be to another question."""
    answer = of_trial(state).post(f"/fhir/Patient/{PATIENT}/$hscore", json={"resourceType": "Parameters"} | parameters)
    assert answer.status_code == 400


# When the data cannot be read


def test_a_state_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Not ready, and no empty file that would pass for a trial without patients."""
    client = of_trial(tmp_path / "nowhere.sqlite")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["trial"]) == (503, "state-missing")
    assert client.get(f"/fhir/Patient/{PATIENT}/$hscore").status_code == 503
    assert list(tmp_path.iterdir()) == []


def test_a_state_of_an_older_version_is_left_as_it_is(state: Path) -> None:
    """The service upgrades nothing: the next pull does."""
    with closing(sqlite3.connect(state)) as database, database:
        database.execute("UPDATE about SET value = '1' WHERE name = 'schema'")
    assert of_trial(state).get("/health/ready").json()["checks"]["trial"] == "state-version"
    with closing(sqlite3.connect(state)) as database:
        assert database.execute("SELECT value FROM about").fetchall() == [("1",)]


def test_a_folder_that_went_away_is_said_and_comes_back(state: Path, tmp_path: Path) -> None:
    """503 everywhere, not 500; the next second it is found again."""
    folder = tmp_path / "trials" / "copy"
    shutil.copytree(trial_path(TRIAL), folder)
    client = TestClient(create_app(Settings(defaults={"trial": str(folder), "state": str(state)})))
    paths = ("/health/ready", f"/fhir/Patient/{PATIENT}/$hscore", "/report")
    assert [client.get(path).status_code for path in paths] == [200] * 3
    app: Any = client.app
    data = app.state.data
    folder.rename(folder.with_name("away"))
    data.look_again()
    assert [client.get(path).status_code for path in paths] == [503] * 3
    folder.with_name("away").rename(folder)
    data.look_again()
    assert [client.get(path).status_code for path in paths] == [200] * 3


# What is hostile


def test_a_million_defects_are_told_in_few_words(anybody: TestClient) -> None:
    """One small request never becomes a huge answer."""
    hostile = {"resourceType": "Observation", "component": [{}] * 100_000}
    answer = anybody.post("/fhir/Observation/$validate", json=hostile)
    assert (answer.status_code, len(answer.json()["issue"])) == (200, 101)
    many = bundle(*[{"resourceType": "Observation", "id": f"o{number}"} for number in range(1000)])
    answer = anybody.post(SENT, json=many)
    assert (answer.status_code, len(answer.json()["issue"])) == (422, 101)
    assert "missing-element" in answer.json()["issue"][-1]["diagnostics"]


def test_the_structural_check_stops_somewhere() -> None:
    """The last issue says that there is more."""
    issues: list[Issue] = check_structure({"resourceType": "Observation", "component": [{}] * 1000})
    assert [issue.code for issue in issues][-1] == "more-defects"


def test_without_a_token_nobody_else_is_answered(state: Path) -> None:
    """The application itself refuses, whoever serves it."""
    settings = Settings(defaults={"trial": TRIAL, "state": str(state)})
    client = TestClient(create_app(settings), base_url="http://10.0.0.5")
    assert [client.get(path).status_code for path in ("/report", "/health/ready", "/fhir/metadata")] == [403] * 3


@pytest.mark.parametrize(
    ("accept", "query", "status"),
    [
        ("application/fhir+json; fhirVersion=5.0", "", 406),
        ("application/fhir+json; fhirVersion=4.0", "", 200),
        ("application/fhir+json;q=0, text/html", "", 406),
        ("application/xml", "?_format=json", 200),
        ("application/fhir+json", "?_format=xml", 406),
        ("", "", 200),
    ],
)
def test_what_is_wanted_is_heard(anybody: TestClient, accept: str, query: str, status: int) -> None:
    """`_format` before Accept, and the version that they name."""
    assert anybody.get(f"/fhir/metadata{query}", headers={"Accept": accept}).status_code == status


def test_the_statement_promises_what_there_is(anybody: TestClient, state: Path) -> None:
    """Patients only where a trial is served; every definition that it names can be read."""
    with_trial, without = (one.get("/fhir/metadata").json() for one in (of_trial(state), anybody))
    scored = [
        [one["type"] for one in each["rest"][0]["resource"] if len(one["operation"]) > 1]
        for each in (with_trial, without)
    ]
    assert scored == [["Observation", "Patient"], ["Observation"]]
    assert [
        anybody.get(f"/fhir/OperationDefinition/{name}").status_code for name in ("hscore", "observation-hscore")
    ] == [
        200,
        200,
    ]
    assert anybody.head("/health/live").status_code == 200

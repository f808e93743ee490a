"""What the server says about itself, and the quirks that change it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from fhir_adapter import fhirjson
from fhir_adapter.sandbox import create_app
from fhir_adapter.validation import check_structure

Resource = dict[str, Any]


def test_it_names_itself_a_sandbox_of_r4(client: TestClient) -> None:
    """Nobody shall take it for more."""
    statement = client.get("metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["software"]["name"] == "fhir-adapter sandbox"
    assert statement["implementation"]["url"] == "http://testserver/fhir"


def test_it_states_what_runs(client: TestClient) -> None:
    """Interactions and search parameters of a type are those of the tables that the server runs on."""
    (rest,) = client.get("metadata").json()["rest"]
    subject = next(item for item in rest["resource"] if item["type"] == "ResearchSubject")
    assert {item["code"] for item in rest["interaction"]} == {"transaction", "batch", "history-system"}
    assert {item["code"] for item in subject["interaction"]} == {
        "create", "read", "vread", "update", "delete", "search-type", "history-type", "history-instance",
    }  # fmt: skip
    assert {"name": "study", "type": "reference"} in subject["searchParam"]
    assert (subject["updateCreate"], subject["conditionalCreate"]) == (True, False)


def test_every_stated_parameter_is_answered(client: TestClient) -> None:
    """What the statement names can be searched by."""
    statement = client.get("metadata").json()
    examples = {"token": "x", "reference": "x", "date": "2016", "string": "x", "uri": "urn:x"}
    answers = [
        client.get(f"{item['type']}?{row['name']}={examples[row['type']]}").status_code
        for item in statement["rest"][0]["resource"]
        if item["type"] in ("Observation", "ResearchStudy", "Provenance", "AdverseEvent")
        for row in item["searchParam"]
    ]
    assert set(answers) == {200}


def test_the_statement_is_sound(client: TestClient) -> None:
    """It passes the project's own check of structures."""
    assert check_structure(fhirjson.loads(client.get("metadata").content)) == []


def test_unknown_quirks_are_refused() -> None:
    """A quirk that is not built must not pass as imitated."""
    with pytest.raises(ValueError, match="'no-totals' is not one of"):
        create_app(quirks=["no-totals"])


def test_one_text_is_no_list_of_quirks() -> None:
    """`quirks="r5"` would be read letter by letter."""
    with pytest.raises(ValueError, match="list of names"):
        create_app(quirks="r5")


def test_r5_states_its_version() -> None:
    """A client must notice the wrong version."""
    with TestClient(create_app(quirks=["r5"]), base_url="http://testserver/fhir/") as client:
        assert client.get("metadata").json()["fhirVersion"] == "5.0.0"


def test_no_create_on_update_refuses_new_ids(patient: Resource) -> None:
    """PUT needs an id that the server made; the statement says so."""
    with TestClient(create_app(quirks=["no-create-on-update"]), base_url="http://testserver/fhir/") as client:
        made = client.post("Patient", json=patient).json()
        assert client.put("Patient/p1", json=patient).status_code == 405
        assert client.put(f"Patient/{made['id']}", json=made | {"gender": "male"}).status_code == 200
        assert client.get("metadata").json()["rest"][0]["resource"][0]["updateCreate"] is False

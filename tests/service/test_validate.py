"""`POST /fhir/{type}/$validate`: what is wrong with a resource, as an OperationOutcome. All people here are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.service.served import FHIR_JSON

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "profiles" / "examples"
BASE = "https://w3id.org/fhir-adapter/StructureDefinition"
CODES = "https://w3id.org/fhir-adapter/CodeSystem/issue-code"
CANARY = "Canary-Made-Up"
PERSON = {"resourceType": "Patient", "id": "made-up"}
WRONG = {**PERSON, "birthDate": "1980-02-30", "name": [{"family": CANARY}]}

Told = list[tuple[str, str, str | None]]


def asked(client: httpx2.Client, resource: dict[str, Any], query: str = "", kind: str = "") -> httpx2.Response:
    """The answer about a resource."""
    path = f"/fhir/{kind or resource['resourceType']}/$validate{query}"
    return client.post(path, content=json.dumps(resource).encode(), headers=FHIR_JSON)


def found(answer: httpx2.Response) -> Told:
    """Severity, our own code and expression of each issue of an outcome."""
    outcome = answer.json()
    assert (answer.status_code, outcome["resourceType"]) == (200, "OperationOutcome")
    return [(one["severity"], _code(one), one.get("expression", [None])[0]) for one in outcome["issue"]]


def _code(issue: dict[str, Any]) -> str:
    codings = issue.get("details", {}).get("coding", [])
    return next((one["code"] for one in codings if one["system"] == CODES), "")


def wrapped(resource: dict[str, Any], **values: str) -> dict[str, Any]:
    """The resource inside Parameters, with further parameters."""
    kinds = {"profile": "valueUri", "mode": "valueCode"}
    more = [{"name": name, kinds[name]: value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}, *more]}


def test_what_is_right_is_said_to_be(client: httpx2.Client) -> None:
    """An outcome has at least one issue."""
    assert found(asked(client, PERSON)) == [("information", "", None)]


def test_an_error_is_an_answer_with_its_place_and_no_value(client: httpx2.Client) -> None:
    """The call went well whatever it found; our own code says what to do."""
    answer = asked(client, WRONG)

    assert found(answer) == [("error", "format", "Patient.birthDate")]
    assert answer.json()["issue"][0]["code"] == "value"
    assert CANARY not in answer.text
    assert "1980" not in answer.text


def test_the_profile_that_a_resource_names_is_asked(client: httpx2.Client) -> None:
    """An example that is wrong on purpose is right by R4 and wrong by its profile."""
    visit = json.loads((EXAMPLES / "invalid" / "trial-visit.planned.json").read_bytes())

    errors = [one for one in found(asked(client, visit)) if one[0] == "error"]

    assert [expression for _severity, _code, expression in errors] == ["Encounter.status"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_profile_may_be_asked_for(client: httpx2.Client, inside: bool) -> None:
    """In the query, or beside the resource inside Parameters."""
    profile = f"{BASE}/trial-patient"

    answer = (
        asked(client, wrapped(PERSON, profile=profile, mode="create"), kind="Patient")
        if inside
        else asked(client, PERSON, f"?profile={profile}&mode=update")
    )

    assert ("error", "missing-element", "Patient") in found(answer)


def test_a_profile_that_nobody_knows_is_named(client: httpx2.Client) -> None:
    """As a warning: nobody can say that it is kept."""
    answer = asked(client, PERSON, f"?profile={BASE}/of-nobody")

    assert found(answer) == [("warning", "profile-unknown", "Patient")]
    assert f"{BASE}/of-nobody" in answer.json()["issue"][0]["diagnostics"]


def test_parameters_may_be_what_is_checked(client: httpx2.Client) -> None:
    """Sent to their own type, they are the resource unless they carry one."""
    alone = {"resourceType": "Parameters", "parameter": [{"name": "x", "valueDate": "1980-02-30"}]}

    assert [code for _severity, code, _place in found(asked(client, alone))] == ["format"]
    assert [code for _severity, code, _place in found(asked(client, wrapped(alone)))] == ["format"]


def test_what_a_bundle_holds_is_checked_where_it_stands(client: httpx2.Client) -> None:
    """Expressions lead from the Bundle."""
    entries = [{"fullUrl": "https://hospital.example/fhir/Patient/made-up", "resource": WRONG}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}

    assert found(asked(client, bundle)) == [("error", "format", "Bundle.entry[0].resource.birthDate")]


@pytest.mark.parametrize(
    ("resource", "query", "kind", "status"),
    [
        (PERSON, "", "Observation", 400),
        (PERSON, "", "Nobody", 404),
        ({"resourceType": 7}, "", "Patient", 400),
        (PERSON, "?mode=delete", "Patient", 422),
        (PERSON, "?profile=no%20address", "Patient", 400),
        (PERSON, f"?profile={BASE}/a&profile={BASE}/b", "Patient", 400),
        (PERSON, "?unknown=1", "Patient", 400),
        ({"resourceType": "Parameters", "parameter": []}, "", "Patient", 400),
        (wrapped(PERSON), "?mode=create", "Patient", 400),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    client: httpx2.Client, resource: dict[str, Any], query: str, kind: str, status: int
) -> None:
    """With an outcome too; nothing that was asked is passed over in silence."""
    answer = asked(client, resource, query, kind)

    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


@pytest.mark.parametrize(
    "hostile",
    [
        {**PERSON, "extension": [{"url": f"https://x.example/{one}", "valueString": CANARY} for one in range(20_000)]},
        {**PERSON, "meta": {"profile": [f"https://x.example/{one}" for one in range(20_000)]}},
        {**PERSON, **{f"k{one}": CANARY for one in range(50_000)}},
        {**PERSON, "contained": [{"resourceType": "Patient", "id": f"a{one}"} for one in range(20_000)]},
    ],
    ids=["extensions", "profiles", "keys", "contained"],
)
def test_a_resource_of_a_megabyte_is_answered_soon_and_shortly(client: httpx2.Client, hostile: dict[str, Any]) -> None:
    """Only the first hundred findings are told."""
    answer = asked(client, hostile)

    assert 100 <= len(found(answer)) <= 102
    assert answer.elapsed.total_seconds() < 60
    assert CANARY not in answer.text

"""A FHIR server as validator: what its answers become, and when the run must end."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import respx

from fhir_adapter.client import FhirServer, NotFhirError, ServerSettings
from fhir_adapter.issues import Issue, Misconfigured, Retriable
from fhir_adapter.validation.backends.server import ServerBackend
from tests.conftest import BASE

PATIENT = {"resourceType": "Patient", "id": "made-up", "name": [{"family": "Canary-Made-Up"}]}
ALL_WELL = {"severity": "information", "code": "informational", "diagnostics": "No issues detected"}


def outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    """An OperationOutcome of these."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def check(resource: dict[str, Any], *profiles: str) -> list[Issue]:
    """Ask the mocked server."""
    with ServerBackend(FhirServer(ServerSettings(BASE), sleep=lambda _seconds: None)) as backend:
        return backend.check(resource, profiles)


def test_that_all_is_well_is_no_finding(fhir_mock: respx.MockRouter) -> None:
    """Servers say so with an issue, because an OperationOutcome cannot be empty."""
    fhir_mock.post("/Patient/$validate").respond(200, json=outcome(ALL_WELL))

    assert check(PATIENT) == []


def test_each_profile_is_asked_once(fhir_mock: respx.MockRouter) -> None:
    """The query takes one; what two requests find alike is told once."""
    found = {"severity": "error", "code": "required", "diagnostics": "no birth date", "expression": ["Patient"]}
    asked = fhir_mock.post("/Patient/$validate").respond(200, json=outcome(found))

    issues = check(PATIENT, "https://a.example/one", "https://a.example/two|1")

    assert [call.request.url.params["profile"] for call in asked.calls] == [
        "https://a.example/one",
        "https://a.example/two|1",
    ]
    assert [(one.severity, one.code, one.where.expression, one.source) for one in issues] == [
        ("error", "other-required", "Patient", "server")
    ]


@pytest.mark.parametrize("status", [400, 412, 422])
def test_a_refusal_with_an_outcome_is_a_verdict(fhir_mock: respx.MockRouter, status: int) -> None:
    """Some servers answer a wrong resource with an error of HTTP."""
    wrong = {"severity": "error", "code": "structure", "diagnostics": "wrong"}
    fhir_mock.post("/Patient/$validate").respond(status, json=outcome(wrong))

    assert [(one.code, one.message) for one in check(PATIENT)] == [("other-structure", "wrong")]


def test_what_the_resource_says_is_not_repeated(fhir_mock: respx.MockRouter) -> None:
    """Neither in the words of the server nor in its path."""
    told = {
        "severity": "warning",
        "code": "value",
        "diagnostics": "The family name 'Canary-Made-Up' is odd",
        "expression": ["Patient.name.where(family = 'Canary-Made-Up')"],
    }
    fhir_mock.post("/Patient/$validate").respond(200, json=outcome(told))

    (issue,) = check(PATIENT)

    assert issue.message == "The family name '…' is odd"
    assert issue.where.expression == "Patient.name.where(family = '…')"


def test_a_resource_at_which_the_server_fails_is_not_evaluated(fhir_mock: respx.MockRouter) -> None:
    """A 500 says nothing of the others."""
    fhir_mock.post("/Patient/$validate").respond(500, text="a made-up stack trace")

    assert [(one.severity, one.code) for one in check(PATIENT)] == [("information", "not-evaluated")]


def test_a_server_that_fails_at_everything_ends_the_run(fhir_mock: respx.MockRouter) -> None:
    """Also one that answers 501 because it has no $validate: nobody has looked, so nobody may say "no errors"."""
    fhir_mock.post("/Patient/$validate").respond(501)

    with ServerBackend(FhirServer(ServerSettings(BASE), sleep=lambda _seconds: None)) as backend:
        found = [[one.code for one in backend.check(PATIENT)] for _ in range(4)]
        with pytest.raises(Retriable, match="501"):
            backend.check(PATIENT)

    assert found == [["not-evaluated"]] * 4


@pytest.mark.parametrize("kind", ["Pateint", "../Patient", "", 7, None])
def test_of_what_is_no_type_of_r4_no_server_is_asked(fhir_mock: respx.MockRouter, kind: object) -> None:
    """It would answer 404, as one without $validate does, and one slip of the pen would end the run."""
    issues = check({**PATIENT, "resourceType": kind})

    assert [one.code for one in issues] == ["not-evaluated"]
    assert not fhir_mock.calls


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_the_operation_ends_the_run(fhir_mock: respx.MockRouter, status: int) -> None:
    """The set-up is wrong, and every other resource would be answered alike."""
    fhir_mock.post("/Patient/$validate").respond(status, json=outcome())

    with pytest.raises(Misconfigured, match="does not validate"):
        check(PATIENT)


def test_a_type_that_the_server_does_not_know_ends_no_run(fhir_mock: respx.MockRouter) -> None:
    """Once it has validated anything it is known to validate."""
    fhir_mock.post("/Patient/$validate").respond(200, json=outcome(ALL_WELL))
    fhir_mock.post("/Basic/$validate").respond(404, json=outcome())

    with ServerBackend(FhirServer(ServerSettings(BASE))) as backend:
        found = [backend.check(one) for one in (PATIENT, {"resourceType": "Basic"}, PATIENT)]

    assert [[one.code for one in each] for each in found] == [[], ["not-evaluated"], []]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401), Retriable),
        (httpx.Response(403), Retriable),
        (httpx.Response(200, text="<html>log in</html>"), NotFhirError),
        (httpx.Response(200, json={"resourceType": "Patient"}), NotFhirError),
    ],
)
def test_a_server_that_cannot_be_asked_ends_the_run(
    fhir_mock: respx.MockRouter, answer: httpx.Response, error: type[Exception]
) -> None:
    """Never "no errors" because nobody looked."""
    fhir_mock.post("/Patient/$validate").mock(return_value=answer)

    with pytest.raises(error):
        check(PATIENT)


@pytest.mark.parametrize("odd", [{"issue": None}, {"issue": ["x", {}]}, {"issue": [{"details": 3, "location": [4]}]}])
def test_an_odd_outcome_is_read_as_far_as_it_goes(fhir_mock: respx.MockRouter, odd: dict[str, Any]) -> None:
    """What has no severity is an error: nobody knows that it is less."""
    fhir_mock.post("/Patient/$validate").respond(200, content=json.dumps({"resourceType": "OperationOutcome", **odd}))

    assert {one.severity for one in check(PATIENT)} <= {"error"}

"""Does the service keep what its OpenAPI document says, whatever it is sent? schemathesis makes the calls."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, settings
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from fhir_adapter.client import Secret
from fhir_adapter.service import create_app
from fhir_adapter.settings import ServiceSettings, Settings
from tests.service.served import bundle_of, calling, copied, observations

TOKEN = "canary-openapi-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

FEW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Left out of schemathesis' own checks: `positive_data_acceptance` wants every call that fits the document to be
# accepted. Which windows a trial has, and when a resource is valid R4, is said by the trial and by FHIR, not by a
# JSON schema: such calls are rightly refused with 400 or 422.
LEFT_OUT: list[Any] = [positive_data_acceptance]


# The tests of each operation are made while this file is read; the state is put in its place when they begin.
STATE = Path(tempfile.gettempdir()) / f"fhir-adapter-openapi-{os.getpid()}" / "state.sqlite"
SEED = Settings(defaults={"trial": "nct02569463", "state": str(STATE)})


def described(service: ServiceSettings | None = None, *modes: schemathesis.GenerationMode) -> BaseSchema:
    """What the service says of itself, to be called within this process."""
    loaded = schemathesis.openapi.from_asgi(
        "/openapi.json", create_app(SEED, service or ServiceSettings()), headers=BEARER
    )
    loaded.config.generation.update(modes=list(modes or schemathesis.GenerationMode))
    return loaded


OPEN, GUARDED = described(), described(ServiceSettings(token=Secret(TOKEN)))
WELL_MEANT = described(None, schemathesis.GenerationMode.POSITIVE)


@pytest.fixture(scope="module", autouse=True)
def _state(pulled: Path) -> Iterator[None]:
    """The hospital's first results."""
    copied(pulled, STATE.parent)
    yield
    shutil.rmtree(STATE.parent)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    """A client of the service without a token."""
    with calling(create_app(SEED)) as opened:
        yield opened


@pytest.fixture(scope="module")
def guarded() -> Iterator[httpx2.Client]:
    """A client of the service with a token, which it shows."""
    with calling(create_app(SEED, ServiceSettings(token=Secret(TOKEN))), **BEARER) as opened:
        yield opened


@OPEN.parametrize()
@FEW
def test_without_a_token(case: schemathesis.Case[Any]) -> None:
    """No call is answered with 5xx, or otherwise than the document says."""
    case.call_and_validate(excluded_checks=LEFT_OUT)


@GUARDED.parametrize()
@FEW
def test_with_a_token(case: schemathesis.Case[Any]) -> None:
    """The same with the token; where it says that one is needed, none gets in without."""
    case.call_and_validate(headers=BEARER, excluded_checks=LEFT_OUT)


@GUARDED.exclude(path_regex="/health/").parametrize()
@FEW
def test_without_the_token(case: schemathesis.Case[Any]) -> None:
    """Whatever a stranger sends, it is 401, or 400 where no address can be like that."""
    assert case.call(headers={"Authorization": "Bearer of something else"}).status_code in {400, 401}


@WELL_MEANT.include(path_regex="Patient/").parametrize()
@FEW
def test_of_a_patient_who_is_there(case: schemathesis.Case[Any]) -> None:
    """The same for a patient of the trial: not only the way to 404 is tried."""
    case.path_parameters = {"patient": "hp-a417"}
    case.call_and_validate(excluded_checks=LEFT_OUT)


def document(client: httpx2.Client) -> dict[str, Any]:
    """The OpenAPI document."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_the_document_is_valid(client: httpx2.Client, guarded: httpx2.Client) -> None:
    """By the schema of OpenAPI 3.1, with and without a token."""
    documents = [document(client), document(guarded)]
    assert [each["openapi"][:4] for each in documents] == ["3.1."] * 2
    assert [list(OPENAPI_31_VALIDATOR.iter_errors(each)) for each in documents] == [[]] * 2


def test_every_address_is_named(client: httpx2.Client) -> None:
    """All that is served is in the document, and the document names nothing else."""
    served = {
        (route.path, method.lower())
        for route in create_app(SEED).routes
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}  # GET without its content needs no description of its own
    }
    named = {(path, method) for path, methods in document(client)["paths"].items() for method in methods}
    heads = {(path, "head") for path in ("/health/live", "/health/ready")}  # the same without a body
    assert served - {("/openapi.json", "get")} - heads == named
    assert ("/fhir/Observation/$hscore", "post") in named


def test_every_operation_says_what_it_is(client: httpx2.Client) -> None:
    """A sentence each, and an id that no other one has."""
    every = [one for methods in document(client)["paths"].values() for one in methods.values()]
    assert [one for one in every if not one.get("summary")] == []
    assert len({one["operationId"] for one in every}) == len(every)


@pytest.mark.parametrize(
    ("path", "called"),
    [
        ("/fhir/Patient/{patient}/$hscore", "/fhir/Patient/hp-a417/$hscore"),
        ("/fhir/metadata", "/fhir/metadata"),
        ("/fhir/OperationDefinition/{name}", "/fhir/OperationDefinition/hscore"),
        ("/health/live", "/health/live"),
        ("/health/ready", "/health/ready"),
        ("/metrics", "/metrics"),
        ("/", "/"),
        ("/report", "/report"),
    ],
)
def test_the_media_type_of_an_answer(client: httpx2.Client, path: str, called: str) -> None:
    """The document names the one that comes, and none that never comes."""
    said = document(client)["paths"][path]["get"]["responses"]["200"]["content"]
    assert list(said) == [client.get(called).headers["content-type"].partition(";")[0]]


@pytest.mark.parametrize(
    ("path", "called", "sent"),
    [
        ("/fhir/Observation/$hscore", "/fhir/Observation/$hscore", bundle_of(observations("hp-a417", 10))),
        ("/fhir/{kind}/$validate", "/fhir/Patient/$validate", {"resourceType": "Patient"}),
    ],
)
def test_the_media_type_of_an_answer_to_a_post(client: httpx2.Client, path: str, called: str, sent: Any) -> None:
    """The same of what is sent to."""
    said = document(client)["paths"][path]["post"]["responses"]["200"]["content"]
    assert list(said) == [client.post(called, json=sent).headers["content-type"].partition(";")[0]]


def test_what_needs_the_token(guarded: httpx2.Client) -> None:
    """Every operation but health names the bearer token, by a name a reader understands; without a token none does."""
    said = document(guarded)
    needs = {path for path, methods in said["paths"].items() for one in methods.values() if one.get("security")}
    assert needs == said["paths"].keys() - {"/health/live", "/health/ready"}
    ((name, scheme),) = said["components"]["securitySchemes"].items()
    assert (name[0].isalpha(), scheme["type"], scheme["scheme"]) == (True, "http", "bearer")


def test_what_needs_no_token(client: httpx2.Client) -> None:
    """Where none is asked for, the document does not say that one is."""
    said = document(client)
    assert [path for path, methods in said["paths"].items() for one in methods.values() if one.get("security")] == []
    assert "securitySchemes" not in said.get("components", {})


def test_the_document_names_no_one(client: httpx2.Client, guarded: httpx2.Client, pulled: Path) -> None:
    """No subject, patient, folder or secret stands in it."""
    text = client.get("/openapi.json").text + guarded.get("/openapi.json").text
    assert [word for word in ("hp-a", "S01", str(pulled.parent), TOKEN, "HP00") if word in text] == []


def test_nothing_else_is_served(client: httpx2.Client) -> None:
    """No page that fetches scripts from elsewhere (`/docs`, `/redoc`)."""
    assert [client.get(path).status_code for path in ("/docs", "/redoc", "/docs/oauth2-redirect")] == [404] * 3

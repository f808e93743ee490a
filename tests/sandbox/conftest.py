"""Sandboxes in process, and small resources to put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fhir_adapter.sandbox import create_app

Resource = dict[str, Any]


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A client of an empty sandbox in memory; paths are relative to its base."""
    with TestClient(create_app(), base_url="http://testserver/fhir/") as client:
        yield client


@pytest.fixture
def patient() -> Resource:
    """A patient with an id and a trial identifier."""
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:trial", "value": "S01"}],
        "name": [{"family": "Muñoz", "given": ["Ana"]}],
        "gender": "female",
        "birthDate": "1990-02",
    }


@pytest.fixture
def observation() -> Callable[..., Resource]:
    """Make an Observation; what is given replaces its elements."""

    def make(**elements: Any) -> Resource:
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": "urn:category", "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": "2016-03-01",
        } | elements

    return make


@pytest.fixture
def bundle() -> Callable[..., Resource]:
    """Make a transaction (or another type of Bundle) of entries."""

    def make(*entries: Resource, type: str = "transaction") -> Resource:  # noqa: A002 - the element's name
        return {"resourceType": "Bundle", "type": type, "entry": [*entries]}

    return make


@pytest.fixture
def post() -> Callable[..., Resource]:
    """Make an entry that creates a resource."""

    def make(resource: Resource, full_url: str | None = None) -> Resource:
        named = {"fullUrl": full_url} if full_url else {}
        return {**named, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}

    return make


@pytest.fixture
def put() -> Callable[..., Resource]:
    """Make an entry that updates a resource, perhaps under conditions."""

    def make(resource: Resource, full_url: str | None = None, **request: str) -> Resource:
        named = {"fullUrl": full_url} if full_url else {}
        url = f"{resource['resourceType']}/{resource['id']}"
        return {**named, "resource": resource, "request": {"method": "PUT", "url": url, **request}}

    return make

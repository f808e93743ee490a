"""What history Bundles hold."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

Resource = dict[str, Any]


@pytest.fixture
def changed(client: TestClient, patient: Resource) -> TestClient:
    """A sandbox in which p1 was created, changed, deleted, and an organization created."""
    client.put("Patient/p1", json=patient)
    client.put("Patient/p1", json=patient | {"gender": "male"})
    client.delete("Patient/p1")
    client.post("Organization", json={"resourceType": "Organization", "name": "Site 1"})
    return client


def test_instance_history_is_newest_first(changed: TestClient) -> None:
    """Each version is an entry with its request and response; a deletion has no resource."""
    history = changed.get("Patient/p1/_history").json()
    entries = history["entry"]
    assert (history["type"], history["total"]) == ("history", 3)
    assert [entry["request"]["method"] for entry in entries] == ["DELETE", "PUT", "PUT"]
    assert [entry["response"]["status"] for entry in entries] == ["204 No Content", "200 OK", "201 Created"]
    assert [entry["response"]["etag"] for entry in entries] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert ["resource" in entry for entry in entries] == [False, True, True]
    assert entries[1]["fullUrl"] == "http://testserver/fhir/Patient/p1"


def test_type_and_system_history(changed: TestClient) -> None:
    """A type's history holds the type, the system's everything."""
    assert changed.get("Patient/_history").json()["total"] == 3
    assert changed.get("_history").json()["total"] == 4


def test_history_pages(changed: TestClient) -> None:
    """Pages of two follow each other without gap or repetition."""
    first = changed.get("_history?_count=2").json()
    second = changed.get({link["relation"]: link["url"] for link in first["link"]}["next"]).json()
    etags = [entry["response"]["etag"] for entry in first["entry"] + second["entry"]]
    assert etags == ['W/"1"', 'W/"3"', 'W/"2"', 'W/"1"']


def test_history_since_a_moment(changed: TestClient) -> None:
    """`_since` leaves out what is older."""
    assert changed.get("Patient/_history?_since=2999-01-01T00:00:00Z").json()["total"] == 0
    assert changed.get("Patient/_history?_since=2016-01-01T00:00:00Z").json()["total"] == 3


@pytest.mark.parametrize("query", ["_since=yesterday", "_count=x", "_at=2016"])
def test_history_refuses_what_it_does_not_understand(changed: TestClient, query: str) -> None:
    """Nothing is passed over in silence."""
    assert changed.get(f"Patient/_history?{query}").status_code == 400


def test_history_of_what_never_was_is_404(changed: TestClient) -> None:
    """An id never used has no history."""
    assert changed.get("Patient/never/_history").status_code == 404

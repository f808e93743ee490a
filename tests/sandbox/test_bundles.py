"""What transactions and batches do: order, references, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

Resource = dict[str, Any]
Make = Callable[..., Resource]

P = "urn:uuid:6b0f7d0c-0000-4000-8000-000000000001"
E = "urn:uuid:6b0f7d0c-0000-4000-8000-000000000002"


def statuses(answer: Resource) -> list[str]:
    """The statuses of the entries, in order."""
    return [entry["response"]["status"] for entry in answer["entry"]]


def test_entries_answer_in_order(client: TestClient, bundle: Make, post: Make, patient: Resource) -> None:
    """Each entry of the answer stands where its request stood, with status, location, etag and lastModified."""
    answer = client.post("", json=bundle(post(patient), post({"resourceType": "Organization", "name": "Site"})))
    body = answer.json()
    first, second = (entry["response"] for entry in body["entry"])
    assert (answer.status_code, body["type"]) == (200, "transaction-response")
    assert statuses(body) == ["201 Created", "201 Created"]
    assert first["location"].startswith("Patient/")
    assert second["location"].startswith("Organization/")
    assert (first["etag"], first["location"].split("/")[2:]) == ('W/"1"', ["_history", "1"])
    assert client.get(first["location"]).json()["meta"]["lastUpdated"] == first["lastModified"]


def test_forward_references_are_rewritten(
    client: TestClient, bundle: Make, post: Make, patient: Resource, observation: Make
) -> None:
    """An entry may name one that stands behind it; text that looks like a name stays."""
    pointing = observation(subject={"reference": P}, note=[{"text": P}])
    answer = client.post("", json=bundle(post(pointing), post(patient, P))).json()
    stored = client.get(answer["entry"][0]["response"]["location"]).json()
    assert answer["entry"][1]["response"]["location"].startswith(stored["subject"]["reference"] + "/")
    assert stored["note"] == [{"text": P}]


def test_names_of_put_entries_are_rewritten(
    client: TestClient, bundle: Make, put: Make, patient: Resource, observation: Make
) -> None:
    """A resource with an id of the client may be named by its fullUrl as well, also by another PUT."""
    pointing = observation(id="o1", subject={"reference": P})
    client.post("", json=bundle(put(pointing), put(patient, P))).raise_for_status()
    assert client.get("Observation/o1").json()["subject"]["reference"] == "Patient/p1"


def test_circular_references_are_rewritten(client: TestClient, bundle: Make, post: Make) -> None:
    """Two new resources may name each other."""
    one = {"resourceType": "Organization", "name": "A", "partOf": {"reference": E}}
    other = {"resourceType": "Organization", "name": "B", "partOf": {"reference": P}}
    answer = client.post("", json=bundle(post(one, P), post(other, E))).json()
    stored = client.get(answer["entry"][0]["response"]["location"]).json()
    assert answer["entry"][1]["response"]["location"].startswith(stored["partOf"]["reference"] + "/")


@pytest.mark.parametrize("type_", ["transaction", "batch"])
def test_unresolved_names_are_refused(
    client: TestClient, bundle: Make, post: Make, observation: Make, type_: str
) -> None:
    """A name that no entry has would be a reference to nothing; entries of a batch have none."""
    answer = client.post("", json=bundle(post(observation(subject={"reference": P})), type=type_))
    assert "400" in f"{answer.status_code} {answer.text}"
    assert client.get("Observation").json()["total"] == 0


def test_deletes_come_first_and_reads_last(client: TestClient, bundle: Make, put: Make, patient: Resource) -> None:
    """Whatever the order of entries: DELETE, POST, PUT, GET."""
    client.put("Organization/gone", json={"resourceType": "Organization", "id": "gone", "name": "Old"})
    search = {"request": {"method": "GET", "url": "Patient?identifier=urn:trial|S01"}}
    read = {"request": {"method": "GET", "url": "Patient/p1"}}
    gone = {"request": {"method": "DELETE", "url": "Organization/gone"}}
    answer = client.post("", json=bundle(search, read, put(patient), gone)).json()
    assert statuses(answer) == ["200 OK", "200 OK", "201 Created", "204 No Content"]
    assert answer["entry"][0]["resource"]["total"] == 1
    assert answer["entry"][1]["resource"]["id"] == "p1"


def test_a_bad_entry_undoes_the_transaction(client: TestClient, bundle: Make, post: Make, patient: Resource) -> None:
    """A structural defect refuses all of it, and says in which entry it is."""
    bad = {"resourceType": "Patient", "gender": "banana"}
    answer = client.post("", json=bundle(post(patient), post(bad)))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.gender"]
    assert client.get("Patient").json()["total"] == 0


def test_a_stale_if_match_undoes_the_transaction(
    client: TestClient, bundle: Make, post: Make, put: Make, patient: Resource
) -> None:
    """What was written before the conflict is taken back."""
    client.put("Patient/p1", json=patient)
    stale = put(patient | {"gender": "male"}, ifMatch='W/"9"')
    answer = client.post("", json=bundle(post(patient), stale))
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert client.get("_history").json()["total"] == 1


def test_a_read_of_nothing_undoes_the_transaction(
    client: TestClient, bundle: Make, put: Make, patient: Resource
) -> None:
    """An entry that cannot be answered refuses all."""
    read = {"request": {"method": "GET", "url": "Patient/never"}}
    assert client.post("", json=bundle(put(patient), read)).status_code == 404
    assert client.get("Patient/p1").status_code == 404


def test_current_if_match_in_an_entry_updates(client: TestClient, bundle: Make, put: Make, patient: Resource) -> None:
    """The current tag lets the entry through."""
    client.put("Patient/p1", json=patient)
    answer = client.post("", json=bundle(put(patient | {"gender": "male"}, ifMatch='W/"1"'))).json()
    assert answer["entry"][0]["response"]["etag"] == 'W/"2"'


def test_an_entry_without_change_keeps_its_tag(client: TestClient, bundle: Make, put: Make, patient: Resource) -> None:
    """Sending a Bundle twice makes no new versions the second time."""
    client.post("", json=bundle(put(patient)))
    answer = client.post("", json=bundle(put(patient))).json()
    assert statuses(answer) == ["200 OK"]
    assert answer["entry"][0]["response"]["etag"] == 'W/"1"'


def test_two_entries_for_one_resource_are_refused(
    client: TestClient, bundle: Make, put: Make, patient: Resource
) -> None:
    """Which one would win is nobody's guess; a deletion and an update of one resource conflict too."""
    gone = {"request": {"method": "DELETE", "url": "Patient/p1"}}
    twice = client.post("", json=bundle(put(patient), put(patient)))
    both = client.post("", json=bundle(put(patient), gone))
    assert (twice.status_code, both.status_code) == (400, 400)
    assert twice.json()["issue"][0]["code"] == "duplicate"


def test_two_entries_of_one_name_are_refused(client: TestClient, bundle: Make, post: Make, patient: Resource) -> None:
    """References to that name would be ambiguous."""
    assert client.post("", json=bundle(post(patient, P), post(patient, P))).status_code == 400


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=S01"},
        {"method": "PUT", "url": "Patient?identifier=S01"},
        {"method": "DELETE", "url": "Patient?identifier=S01"},
        {"method": "PATCH", "url": "Patient/p1"},
        {"method": "POST", "url": "Patient/$validate"},
        {"method": "GET", "url": "http://["},
        {"method": "GET", "url": "https://elsewhere.example/fhir/Patient/1"},
        {"method": "GET", "url": ""},
        {"url": "Patient"},
        None,
    ],
)
def test_entries_that_are_not_built_are_refused(
    client: TestClient, bundle: Make, patient: Resource, request_: Resource | None
) -> None:
    """Nothing is done as something else: the transaction is refused."""
    answer = client.post("", json=bundle({"resource": patient, "request": request_}))
    assert 400 <= answer.status_code < 500
    assert client.get("_history").json()["total"] == 0


def test_representation_adds_the_resources(client: TestClient, bundle: Make, put: Make, patient: Resource) -> None:
    """The client may ask for what was stored; without that, only the responses answer."""
    answer = client.post("", json=bundle(put(patient)), headers={"Prefer": "return=representation"}).json()
    plain = client.post("", json=bundle(put(patient))).json()
    assert answer["entry"][0]["resource"]["id"] == "p1"
    assert "resource" not in plain["entry"][0]


def test_batch_entries_stand_for_themselves(
    client: TestClient, bundle: Make, post: Make, put: Make, patient: Resource
) -> None:
    """A refused entry has its outcome; the others are done."""
    bad = post({"resourceType": "Patient", "gender": "banana"})
    stale = put(patient | {"gender": "male"}, ifMatch='W/"9"')
    read = {"request": {"method": "GET", "url": "Patient/p1"}}
    answer = client.post("", json=bundle(put(patient), bad, stale, read, {"request": 1}, type="batch")).json()
    assert answer["type"] == "batch-response"
    assert [status[:3] for status in statuses(answer)] == ["201", "422", "412", "200", "400"]
    assert answer["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert client.get("Patient/p1").json()["gender"] == "female"


def test_bundles_of_other_types_are_refused_at_the_base(client: TestClient, bundle: Make, patient: Resource) -> None:
    """Only transaction and batch are done; a Bundle may still be stored as a resource."""
    collection = bundle({"resource": patient}, type="collection")
    assert client.post("", json=collection).status_code == 400
    assert client.post("", json=patient).status_code == 400
    assert client.post("Bundle", json=collection).status_code == 201


def test_an_empty_transaction_is_done(client: TestClient) -> None:
    """Nothing to do is no error."""
    assert client.post("", json={"resourceType": "Bundle", "type": "transaction"}).status_code == 200


def test_the_base_may_end_with_a_slash(client: TestClient, bundle: Make, put: Make, patient: Resource) -> None:
    """`/fhir` and `/fhir/` are the same base; no client is redirected."""
    without = client.post("http://testserver/fhir", json=bundle(put(patient)))
    with_slash = client.post("http://testserver/fhir/", json=bundle(put(patient)))
    assert (without.status_code, with_slash.status_code) == (200, 200)

"""What create, read, update, vread and delete answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

Resource = dict[str, Any]


def test_create_answers_201_with_the_place_and_version(client: TestClient, patient: Resource) -> None:
    """A created resource gets an id of the server; Location, ETag and Last-Modified say where and which version."""
    answer = client.post("Patient", json=patient)
    created = answer.json()
    assert answer.status_code == 201
    assert created["id"] != "p1"
    assert answer.headers["Location"] == f"http://testserver/fhir/Patient/{created['id']}/_history/1"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert created["meta"]["versionId"] == "1"


def test_read_gives_what_was_stored(client: TestClient, patient: Resource) -> None:
    """Everything but id, versionId and lastUpdated comes back as it was sent."""
    client.put("Patient/p1", json=patient)
    answer = client.get("Patient/p1")
    read = answer.json()
    meta = read.pop("meta")
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"1"'
    assert read == patient
    assert set(meta) == {"versionId", "lastUpdated"}


def test_digits_and_order_are_kept(client: TestClient) -> None:
    """Decimals keep their digits and members their order, whatever the server adds."""
    sent = (
        b'{"resourceType":"Observation","id":"o1","meta":{"source":"urn:a","versionId":"9","profile":["urn:p"]},'
        b'"status":"final","valueQuantity":{"value":1.50,"unit":"g"},"code":{"text":"x"}}'
    )
    client.put("Observation/o1", content=sent).raise_for_status()
    text = client.get("Observation/o1").text
    assert '"valueQuantity":{"value":1.50,"unit":"g"},"code":{"text":"x"}}' in text
    assert '"meta":{"source":"urn:a","versionId":"1","profile":["urn:p"],"lastUpdated":' in text


def test_primitive_extensions_survive(client: TestClient) -> None:
    """Siblings like `_birthDate` are content like any other."""
    extension = {"extension": [{"url": "urn:x", "valueString": "about"}]}
    sent = {"resourceType": "Patient", "id": "p1", "birthDate": "1990", "_birthDate": extension}
    client.put("Patient/p1", json=sent).raise_for_status()
    assert client.get("Patient/p1").json()["_birthDate"] == extension


def test_current_etag_gives_304(client: TestClient, patient: Resource) -> None:
    """A client that has the current version gets no content."""
    client.put("Patient/p1", json=patient)
    assert client.get("Patient/p1", headers={"If-None-Match": 'W/"1"'}).status_code == 304
    assert client.get("Patient/p1", headers={"If-None-Match": 'W/"7"'}).status_code == 200


def test_if_modified_since_gives_304(client: TestClient, patient: Resource) -> None:
    """The moment of Last-Modified is understood too; an unreadable one counts as none."""
    stored = client.put("Patient/p1", json=patient).headers["Last-Modified"]
    assert client.get("Patient/p1", headers={"If-Modified-Since": stored}).status_code == 304
    assert client.get("Patient/p1", headers={"If-Modified-Since": "yesterday"}).status_code == 200


def test_head_is_a_read_without_content(client: TestClient, patient: Resource) -> None:
    """HEAD answers with the headers of GET."""
    client.put("Patient/p1", json=patient)
    assert client.head("Patient/p1").headers["ETag"] == 'W/"1"'


def test_put_to_an_absent_id_creates(client: TestClient, patient: Resource) -> None:
    """Update as create: the client's id is taken."""
    answer = client.put("Patient/p1", json=patient)
    assert answer.status_code == 201
    assert answer.headers["Location"] == "http://testserver/fhir/Patient/p1/_history/1"


def test_put_makes_the_next_version(client: TestClient, patient: Resource) -> None:
    """A change is a new version."""
    client.put("Patient/p1", json=patient)
    answer = client.put("Patient/p1", json=patient | {"gender": "male"})
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert client.get("Patient/p1").json()["gender"] == "male"


def test_put_without_change_makes_no_version(client: TestClient, patient: Resource) -> None:
    """The same content answers 200 with the same tag, also when it carries the server's meta or another order."""
    client.put("Patient/p1", json=patient)
    read = client.get("Patient/p1").json()
    turned = dict(reversed(read.items()))
    answers = [client.put("Patient/p1", json=content) for content in (patient, read, turned)]
    assert [(answer.status_code, answer.headers["ETag"]) for answer in answers] == [(200, 'W/"1"')] * 3
    assert client.get("Patient/p1/_history").json()["total"] == 1


def test_another_number_of_digits_is_a_change(client: TestClient) -> None:
    """1.0 and 1.00 differ in FHIR."""
    body = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    client.put("Observation/o", content=body % "1.0")
    assert client.put("Observation/o", content=body % "1.00").headers["ETag"] == 'W/"2"'


def test_stale_if_match_is_412(client: TestClient, patient: Resource) -> None:
    """Nothing is overwritten that the client has not seen."""
    client.put("Patient/p1", json=patient)
    client.put("Patient/p1", json=patient | {"gender": "male"})
    stale = client.put("Patient/p1", json=patient, headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    assert client.get("Patient/p1").json()["gender"] == "male"


def test_current_if_match_updates(client: TestClient, patient: Resource) -> None:
    """The current tag lets the update through."""
    client.put("Patient/p1", json=patient)
    answer = client.put("Patient/p1", json=patient | {"gender": "male"}, headers={"If-Match": 'W/"1"'})
    assert answer.headers["ETag"] == 'W/"2"'


def test_if_match_on_an_absent_id_is_412(client: TestClient, patient: Resource) -> None:
    """There is no current version that the tag could name."""
    assert client.put("Patient/p1", json=patient, headers={"If-Match": 'W/"1"'}).status_code == 412


def test_if_none_match_star_refuses_to_overwrite(client: TestClient, patient: Resource) -> None:
    """`If-None-Match: *` creates, and never updates."""
    first = client.put("Patient/p1", json=patient, headers={"If-None-Match": "*"})
    second = client.put("Patient/p1", json=patient | {"gender": "male"}, headers={"If-None-Match": "*"})
    assert (first.status_code, second.status_code) == (201, 412)


def test_deleted_is_410_in_read_and_in_its_version(client: TestClient, patient: Resource) -> None:
    """A deletion is a version of its own; older versions can still be read."""
    client.put("Patient/p1", json=patient)
    gone = client.delete("Patient/p1")
    assert (gone.status_code, gone.headers["ETag"]) == (204, 'W/"2"')
    assert client.get("Patient/p1").status_code == 410
    assert client.get("Patient/p1/_history/2").status_code == 410
    assert client.get("Patient/p1/_history/1").json()["meta"]["versionId"] == "1"


def test_delete_again_or_of_nothing_is_well(client: TestClient, patient: Resource) -> None:
    """Deleting what is not there succeeds and makes no version."""
    client.put("Patient/p1", json=patient)
    client.delete("Patient/p1")
    again = client.delete("Patient/p1")
    assert (again.status_code, again.headers["ETag"]) == (204, 'W/"2"')
    assert client.delete("Patient/never").status_code == 204


def test_delete_honours_if_match(client: TestClient, patient: Resource) -> None:
    """A stale tag keeps the resource."""
    client.put("Patient/p1", json=patient)
    assert client.delete("Patient/p1", headers={"If-Match": 'W/"7"'}).status_code == 412
    assert client.get("Patient/p1").status_code == 200


def test_put_brings_a_deleted_resource_back(client: TestClient, patient: Resource) -> None:
    """It is created (201) with the next version number."""
    client.put("Patient/p1", json=patient)
    client.delete("Patient/p1")
    answer = client.put("Patient/p1", json=patient)
    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"3"')
    assert client.get("Patient?identifier=S01").json()["total"] == 1


def test_unknown_resources_versions_and_types_are_404(client: TestClient, patient: Resource) -> None:
    """Each says so in an OperationOutcome."""
    client.put("Patient/p1", json=patient)
    answers = [
        client.get(path) for path in ("Patient/no", "Patient/p1/_history/9", "Patient/p1/_history/x", "Patiant/p1")
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["resourceType"] for answer in answers} == {"OperationOutcome"}


@pytest.mark.parametrize(("wanted", "kind"), [("representation", "Patient"), ("OperationOutcome", "OperationOutcome")])
def test_prefer_return_chooses_the_content(client: TestClient, patient: Resource, wanted: str, kind: str) -> None:
    """The client chooses between the resource and an outcome."""
    answer = client.post("Patient", json=patient, headers={"Prefer": f"return={wanted}"})
    assert answer.json()["resourceType"] == kind


def test_prefer_minimal_has_no_content(client: TestClient, patient: Resource) -> None:
    """Only the headers answer."""
    answer = client.post("Patient", json=patient, headers={"Prefer": "handling=strict, return=minimal"})
    assert (answer.content, answer.status_code, answer.headers["ETag"]) == (b"", 201, 'W/"1"')


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "Patient", {"If-None-Exist": "identifier=urn:trial|S01"}),
        ("PUT", "Patient?identifier=urn:trial|S01", {}),
        ("DELETE", "Patient?identifier=urn:trial|S01", {}),
        ("PATCH", "Patient/p1", {}),
    ],
)
def test_what_is_not_built_is_refused(
    client: TestClient, patient: Resource, method: str, path: str, headers: dict[str, str]
) -> None:
    """Conditional operations are never done as if they had no condition."""
    client.put("Patient/p1", json=patient)
    answer = client.request(method, path, json=patient, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json()["issue"][0]["code"] == "not-supported"
    assert client.get("Patient").json()["total"] == 1


def test_wrong_method_is_405_with_the_right_ones(client: TestClient, patient: Resource) -> None:
    """Allow names what is built at that place."""
    answer = client.post("Patient/p1", json=patient)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, PUT")


def test_structural_defects_are_422_with_all_issues(client: TestClient, observation: Callable[..., Resource]) -> None:
    """Every defect is an issue of its own with its place, and nothing is stored."""
    answer = client.post("Observation", json=observation(status="banana", note="none"))
    places = {place for issue in answer.json()["issue"] for place in issue["expression"]}
    assert answer.status_code == 422
    assert places == {"Observation.status", "Observation.note"}
    assert client.get("Observation").json()["total"] == 0


def test_outside_the_base_is_404(client: TestClient) -> None:
    """Even there the answer is an OperationOutcome."""
    answer = client.get("http://testserver/elsewhere")
    assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")


@pytest.mark.parametrize("accepted", ["application/fhir+json", "*/*", "application/json;q=0.9, text/html"])
def test_json_is_spoken(client: TestClient, accepted: str) -> None:
    """Any way of asking for JSON is answered."""
    assert client.get("metadata", headers={"Accept": accepted}).status_code == 200


def test_xml_is_not_spoken(client: TestClient) -> None:
    """Asking for XML, by header or by parameter, is 406."""
    by_header = client.get("metadata", headers={"Accept": "application/fhir+xml"})
    by_parameter = client.get("Patient?_format=xml")
    assert (by_header.status_code, by_parameter.status_code) == (406, 406)


def test_parameters_where_none_belong_are_refused(client: TestClient, patient: Resource) -> None:
    """A parameter that would change nothing is not passed over in silence."""
    client.put("Patient/p1", json=patient)
    assert client.get("Patient/p1?_summary=true").status_code == 400

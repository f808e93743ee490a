"""Bad input over HTTP, by the numbers of the project's list of bad input: refused with a reason, never 500."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

Resource = dict[str, Any]
Send = Callable[[bytes], tuple[int, str]]

OBSERVATION = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'


@pytest.fixture
def send(client: TestClient) -> Send:
    """Post bytes as an Observation; gives the status and the code of the first issue."""

    def post(content: bytes) -> tuple[int, str]:
        answer = client.post("Observation", content=content, headers={"Content-Type": "application/fhir+json"})
        body = answer.json()
        assert body["resourceType"] in ("OperationOutcome", "Observation")
        return answer.status_code, body.get("issue", [{"code": ""}])[0]["code"]

    return post


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_a01_nan_is_refused(send: Send, number: bytes) -> None:
    """What is no number is `structure`."""
    assert send(OBSERVATION % number) == (400, "structure")


def test_a02_1e400_is_refused(send: Send) -> None:
    """A number out of range is not turned into infinity."""
    assert send(OBSERVATION % b"1e400") == (400, "structure")


@pytest.mark.parametrize("number", ["1.50", "1.00", "100", "0.12345678901234567890", "12345678901234567890.5"])
def test_a03_digits_come_back(client: TestClient, number: str) -> None:
    """Pulled, stored and pushed again, a decimal keeps every digit."""
    sent = client.post("Observation", content=OBSERVATION % number.encode())
    pulled = client.get(sent.headers["Location"]).content
    again = client.put(f"Observation/{sent.json()['id']}", content=pulled)
    assert f'"value":{number}}}'.encode() in again.content
    assert again.headers["ETag"] == 'W/"1"'


def test_a05_decimal_as_text_is_refused(send: Send) -> None:
    """FHIR writes decimals as JSON numbers."""
    assert send(OBSERVATION % b'"1.5"') == (422, "structure")


def test_a06_5000_digits_are_refused(send: Send) -> None:
    """A number of 5,000 digits is refused by its length."""
    assert send(OBSERVATION % (b"9" * 5000)) == (400, "structure")


def test_a07_depth_of_100000_is_refused_at_once(client: TestClient) -> None:
    """Within a tenth of a second (the best of five: machines pause), and without a word about recursion."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    answers = [client.post("Observation", content=deep) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {400}
    assert "recursion" not in answers[0].text.lower()
    assert min(answer.elapsed.total_seconds() for answer in answers) < 0.1


def test_a08_repeated_keys_are_refused(send: Send) -> None:
    """Which of two values counts is nobody's guess."""
    assert send(b'{"resourceType":"Observation","status":"final","status":"amended"}') == (400, "structure")


def test_a09_lone_surrogate_is_refused(send: Send) -> None:
    """Half a character is no text."""
    assert send(b'{"resourceType":"Observation","status":"final","code":{"text":"\\ud800"}}') == (400, "structure")


def test_a10_byte_order_mark_is_accepted(send: Send) -> None:
    """A UTF-8 mark is skipped."""
    assert send(b"\xef\xbb\xbf" + OBSERVATION % b"1.5") == (201, "")


@pytest.mark.parametrize("content", [(OBSERVATION % b"1").decode().encode("utf-16"), b'{"resourceType":"\xff\xfe"}'])
def test_a10_other_encodings_are_refused(send: Send, content: bytes) -> None:
    """FHIR JSON is UTF-8."""
    assert send(content) == (400, "structure")


@pytest.mark.parametrize("content", [b"", b"  ", b"null", b"[]", b'"text"', b"7", b"{", b"{}x", b"<Observation/>"])
def test_a11_what_is_no_resource_is_refused(send: Send, content: bytes) -> None:
    """Each with a message of its own."""
    assert send(content) == (400, "structure")


def test_a11_the_base_refuses_them_too(client: TestClient) -> None:
    """A transaction is a resource as well."""
    answers = [client.post("", content=content) for content in (b"", b"[]", b"{}", b'{"resourceType":"Bundle"}')]
    assert [answer.status_code for answer in answers] == [400] * 4


@pytest.mark.parametrize("entry", ['"x"', "[1]", '{"a":1}', "[null]", '[{"request":{"method":1,"url":2}}]'])
def test_a11_broken_entries_are_refused(client: TestClient, entry: str) -> None:
    """Entries that are no entries are 400."""
    content = f'{{"resourceType":"Bundle","type":"transaction","entry":{entry}}}'
    assert client.post("", content=content).status_code == 400


def test_a13_an_unknown_status_is_refused(send: Send) -> None:
    """`banana` is no status of an Observation."""
    assert send(b'{"resourceType":"Observation","status":"banana","code":{"text":"x"}}') == (422, "code-invalid")


@pytest.mark.parametrize("bad", ["x" * 65, "..%2f..%2fetc", "a%00b", "a;b", "a%0d%0ab", "a_b", "%ff"])
def test_a14_bad_ids_in_the_address_are_refused(client: TestClient, bad: str) -> None:
    """Reading and writing alike, before anything is looked up."""
    read = client.get(f"Patient/{bad}")
    written = client.put(f"Patient/{bad}", json={"resourceType": "Patient", "id": "x"})
    assert {read.status_code, written.status_code} <= {400, 404}


@pytest.mark.parametrize("bad", ["x" * 65, "../../etc", "", "a b", 7, None])
def test_a14_bad_ids_in_the_content_are_refused(client: TestClient, bad: object) -> None:
    """Also where the server would make its own id."""
    content = {"resourceType": "Basic", "id": bad, "code": {"text": "x"}}
    answers = [client.post("Basic", json=content), client.put("Basic/b", json=content)]
    assert [answer.status_code for answer in answers] == [400, 400]


def test_a14_an_id_is_needed_to_update(client: TestClient, patient: Resource) -> None:
    """Without one, with another one, or with an empty address, nothing is stored."""
    without = {key: value for key, value in patient.items() if key != "id"}
    answers = [
        client.put("Patient/p1", json=without),
        client.put("Patient/p2", json=patient),
        client.put("Patient/", json=patient),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert client.get("Patient").json()["total"] == 0


@pytest.mark.parametrize("kind", [None, "", 3, "Observation", "Patiant", ["Patient"]])
def test_a15_wrong_resource_type_is_refused(client: TestClient, kind: object) -> None:
    """Missing, no text, unknown, or another than the address says."""
    answers = [client.post("Patient", json={"resourceType": kind}), client.post("Patient", json={"gender": "male"})]
    assert [answer.status_code for answer in answers] == [400, 400]


def test_meta_that_is_no_object_is_refused(client: TestClient) -> None:
    """The server must write into it."""
    assert client.post("Basic", json={"resourceType": "Basic", "meta": 1}).status_code == 400


@pytest.mark.parametrize("media_type", ["application/fhir+xml", "application/xml", "text/plain", "multipart/form-data"])
def test_other_media_types_are_415(client: TestClient, media_type: str) -> None:
    """Only JSON is read."""
    answer = client.post("Patient", content=b"<Patient/>", headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (415, "not-supported")


def test_compressed_content_is_415(client: TestClient) -> None:
    """Nothing is unpacked, so nothing can burst."""
    assert client.post("Patient", content=b"x", headers={"Content-Encoding": "gzip"}).status_code == 415


def test_a_form_search_must_be_a_form(client: TestClient) -> None:
    """JSON is no form."""
    assert client.post("Patient/_search", json={"identifier": "x"}).status_code == 415


def test_too_much_content_is_413(client: TestClient) -> None:
    """Refused by its declared length, or as soon as more has come than is read."""
    declared = client.post("Patient", content=b"{}", headers={"Content-Length": str(10**9)})
    streamed = client.post("Patient", content=(b" " * 2**20 for _ in range(65)))
    assert (declared.status_code, streamed.status_code) == (413, 413)


def test_odd_values_in_unchecked_types_are_stored_and_indexed(client: TestClient) -> None:
    """The index passes over values it cannot read."""
    odd: Resource = {
        "resourceType": "Invoice",
        "identifier": [None, 1, {"value": {}}, {"coding": 7}],
        "status": {"code": []},
        "date": {"event": 5, "repeat": {"boundsPeriod": 1}},
        "subject": {"reference": "/"},
        "issuer": {"reference": []},
    }
    assert client.post("Invoice", json=odd).status_code == 201

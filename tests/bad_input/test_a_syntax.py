"""Group A of the bad-input list: what the sandbox refuses as JSON or FHIR, and what it keeps to the digit."""

from __future__ import annotations

import codecs
import json
import time

import httpx2
import pytest

OBSERVATION = '{"resourceType":"Observation","status":"final","code":{"text":"ferritin"},"valueQuantity":{"value":%s}}'
LONGEST_ID = "a" * 64


def refused(answer: httpx2.Response) -> str:
    """The text of a refusal; fails when the answer is none, or is not an OperationOutcome with status 400."""
    assert answer.status_code == 400
    return rejected(answer)


def rejected(answer: httpx2.Response) -> str:
    """The text of a refusal with any status that blames the sender: 422 is as good where the list names none."""
    outcome = answer.json()
    assert answer.status_code in {400, 404, 422}
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] in {"error", "fatal"}
    text: str = outcome["issue"][0]["diagnostics"]
    assert text
    return text


def count(sandbox: httpx2.Client, kind: str) -> int:
    """How many resources of a type the sandbox holds."""
    total: int = sandbox.get(kind, params={"_summary": "count"}).json()["total"]
    return total


def fastest(sandbox: httpx2.Client, body: bytes, times: int = 5) -> float:
    """The shortest of a few times a refusal took, so that a busy machine does not count."""
    durations = []
    for _ in range(times):
        began = time.perf_counter()
        refused(sandbox.post("Observation", content=body))
        durations.append(time.perf_counter() - began)
    return min(durations)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a01_a_number_that_is_none(sandbox: httpx2.Client, number: str) -> None:
    """NaN and the infinities are no JSON: 400 with issue type structure, and nothing is stored."""
    answer = sandbox.post("Observation", content=OBSERVATION % number)
    refused(answer)
    assert answer.json()["issue"][0]["code"] == "structure"
    assert count(sandbox, "Observation") == 0


def test_a02_a_number_out_of_range(sandbox: httpx2.Client) -> None:
    """1e400 is refused as out of range, not turned into infinity."""
    text = refused(sandbox.post("Observation", content=OBSERVATION % "1e400"))
    assert "range" in text
    assert count(sandbox, "Observation") == 0


def test_a03_digits_survive_the_round_trip(sandbox: httpx2.Client) -> None:
    """1.50 is stored, read, and sent back without losing its zero; sent back, it is no new version."""
    created = sandbox.post("Observation", content=OBSERVATION % "1.50")
    place = f"Observation/{created.json()['id']}"
    read = sandbox.get(place)
    again = sandbox.put(place, content=read.content)
    assert b'"value":1.50}' in read.content
    assert sandbox.get(place).content == read.content
    assert again.json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize("number", ["1.50", "100", "0.0000001", "1E+2", "-0.0", "12345678901234567890.123456789"])
def test_a03_every_way_to_write_a_number(sandbox: httpx2.Client, number: str) -> None:
    """However a number is written, it is read as it was written."""
    created = sandbox.post("Observation", content=OBSERVATION % number)
    read = sandbox.get(f"Observation/{created.json()['id']}")
    assert f'"value":{number}}}'.encode() in read.content


def test_a05_a_decimal_in_quotes(sandbox: httpx2.Client) -> None:
    """A decimal given as a string is refused, and the text names the element."""
    answer = sandbox.post("Observation", content=OBSERVATION % '"1.5"')
    rejected(answer)
    assert "valueQuantity.value" in answer.text
    assert count(sandbox, "Observation") == 0


def test_a06_a_number_of_five_thousand_digits(sandbox: httpx2.Client) -> None:
    """An integer of 5,000 digits is refused, at once."""
    assert fastest(sandbox, (OBSERVATION % ("9" * 5000)).encode()) < 0.1
    assert count(sandbox, "Observation") == 0


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")], ids=["objects", "arrays"])
def test_a07_nesting_of_a_hundred_thousand_levels(sandbox: httpx2.Client, opening: bytes, closing: bytes) -> None:
    """100,000 levels are refused within 100 ms, in words of our own."""
    body = opening * 100_000 + b"1" + closing * 100_000
    text = refused(sandbox.post("Observation", content=body))
    assert "recursion" not in text.lower()
    assert fastest(sandbox, body) < 0.1


def test_a09_half_a_character(sandbox: httpx2.Client) -> None:
    """A lone surrogate is refused when it arrives, not when it is written."""
    body = OBSERVATION.replace("ferritin", r"ferritin \ud800") % "1"
    refused(sandbox.post("Observation", content=body))
    assert count(sandbox, "Observation") == 0


def test_a09_a_whole_character_in_two_halves(sandbox: httpx2.Client) -> None:
    """A pair of surrogates is one character and is kept."""
    body = OBSERVATION.replace("ferritin", r"ferritin \ud83d\ude00") % "1"
    created = sandbox.post("Observation", content=body)
    read = sandbox.get(f"Observation/{created.json()['id']}")
    assert (created.status_code, read.json()["code"]["text"]) == (201, "ferritin \U0001f600")


def test_a10_a_byte_order_mark(sandbox: httpx2.Client) -> None:
    """A UTF-8 byte order mark is accepted."""
    answer = sandbox.post("Observation", content=codecs.BOM_UTF8 + (OBSERVATION % "1").encode())
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    [(OBSERVATION % "1").encode("utf-16"), (OBSERVATION % "1").encode().replace(b"ferritin", b"f\xe9rritine")],
    ids=["utf-16", "latin-1"],
)
def test_a10_another_encoding(sandbox: httpx2.Client, body: bytes) -> None:
    """UTF-16 and bytes that are no UTF-8 are refused."""
    refused(sandbox.post("Observation", content=body))
    assert count(sandbox, "Observation") == 0


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"  ", b"7"])
def test_a11_a_body_that_is_no_resource(sandbox: httpx2.Client, body: bytes) -> None:
    """An empty body, null, a list, a text: refused with a message."""
    refused(sandbox.post("Observation", content=body))
    refused(sandbox.put("Observation/o1", content=body))
    refused(sandbox.post("", content=body))


def test_a13_a_status_that_does_not_exist(sandbox: httpx2.Client) -> None:
    """A code outside a required value set is refused by name."""
    text = rejected(sandbox.post("Observation", content=(OBSERVATION % "1").replace("final", "banana")))
    assert "banana" in text
    assert count(sandbox, "Observation") == 0


@pytest.mark.parametrize("bad", [LONGEST_ID + "a", "../../etc", "", "a b", "ä"])
def test_a14_an_id_that_is_none(sandbox: httpx2.Client, bad: str) -> None:
    """An id of 65 characters, a path, an empty id: refused in the body of an update."""
    patient = json.dumps({"resourceType": "Patient", "id": bad})
    refused(sandbox.put("Patient/p1", content=patient))
    assert count(sandbox, "Patient") == 0


@pytest.mark.parametrize("bad", [LONGEST_ID + "a", "..%2F..%2Fetc", "a%20b", "%C3%A4"])
def test_a14_an_id_that_is_none_in_the_address(sandbox: httpx2.Client, bad: str) -> None:
    """The same in the address of an update: refused, never a path on disk."""
    answer = sandbox.put(f"Patient/{bad}", content='{"resourceType":"Patient"}')
    rejected(answer)
    assert count(sandbox, "Patient") == 0


@pytest.mark.parametrize("bad", [LONGEST_ID + "a", "../../etc", ""])
def test_a14_an_id_that_is_none_in_a_transaction(sandbox: httpx2.Client, bad: str) -> None:
    """The same in an entry of a transaction: all of it is refused."""
    good = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    wrong = {
        "resource": {"resourceType": "Patient", "id": bad},
        "request": {"method": "PUT", "url": f"Patient/{bad}"},
    }
    rejected(sandbox.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [good, wrong]}))
    assert count(sandbox, "Patient") == 0


def test_a14_the_longest_id(sandbox: httpx2.Client) -> None:
    """An id of 64 characters is one."""
    patient = json.dumps({"resourceType": "Patient", "id": LONGEST_ID})
    assert sandbox.put(f"Patient/{LONGEST_ID}", content=patient).status_code == 201


@pytest.mark.parametrize(
    "body",
    ['{"status":"final"}', '{"resourceType":"Pateint"}', '{"resourceType":"Observation"}', '{"resourceType":7}'],
    ids=["missing", "misspelt", "other", "number"],
)
def test_a15_another_type_than_the_address_says(sandbox: httpx2.Client, body: str) -> None:
    """A resourceType missing, wrong, or another one than the address: refused."""
    refused(sandbox.post("Patient", content=body))
    refused(sandbox.put("Patient/p1", content=body))
    assert count(sandbox, "Patient") == 0

"""How a FHIR transaction is asked for, and how its answer is read: every entry, or it does not count.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhir_adapter import fhirjson

_LOCATION = re.compile(r"(?P<name>[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/(?P<version>[^/\s]+))?$")
_ETAG = re.compile(r'(?:W/)?"?(?P<version>[^"]+)"?')
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]")


class BadAnswerError(ValueError):
    """The answer to a transaction does not account for every entry."""


@dataclass(frozen=True, slots=True)
class TransactionEntry:
    """One resource to be put under `name` (`Type/id`); `body` is its JSON as it is to be stored."""

    name: str
    body: bytes
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class TransactionAnswer:
    """What became of one entry: `status` as the server gave it, `version` where it gave one."""

    name: str
    status: int
    version: str | None


def transaction_bundle(base: str, entries: Sequence[TransactionEntry]) -> bytes:
    """The transaction Bundle that puts every entry under its own id; bodies go out byte for byte."""
    parts = [_entry(base, entry) for entry in entries]
    return b'{"resourceType":"Bundle","type":"transaction","entry":[' + b",".join(parts) + b"]}"


def read_answers(body: object, entries: Sequence[TransactionEntry]) -> list[TransactionAnswer]:
    """The answer for each entry, matched by its place and checked by its location.

    Raises `BadAnswerError` when it is no transaction-response, when entries are missing, or when one failed.
    """
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        raise BadAnswerError("the answer is no Bundle")
    if body.get("type") != "transaction-response":
        raise BadAnswerError(f"a {body.get('type')!r} came back instead of a transaction-response")
    answers = body.get("entry", [])
    if not isinstance(answers, list) or len(answers) != len(entries):
        raise BadAnswerError(f"{len(entries)} entries were sent and {len(answers)} were answered")
    by_name = {name: answer for answer in answers if (name := _located(answer))}
    if len(by_name) == len(entries):  # some servers answer in another order; locations tell
        answers = [by_name.get(entry.name) for entry in entries]
    return [_answer(entry, answer) for entry, answer in zip(entries, answers, strict=True)]


def blamed_entries(outcome: object) -> set[int]:
    """The places of the entries that an OperationOutcome names (`Bundle.entry[3]`)."""
    texts: list[str] = []
    for issue in outcome_issues(outcome):
        for element in ("expression", "location"):
            found = issue.get(element)
            texts += [str(one) for one in found] if isinstance(found, list) else []
    return {int(place) for text in texts for place in _ENTRY.findall(text)}


def outcome_issues(outcome: object) -> list[Mapping[str, object]]:
    """The issues of an OperationOutcome; none when it is something else."""
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        return []
    issues = outcome.get("issue")
    return [issue for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []


def version_of(etag: object) -> str | None:
    """The version inside an ETag, weak, strong or bare."""
    match = _ETAG.fullmatch(etag) if isinstance(etag, str) else None
    return match["version"] if match else None


def _entry(base: str, entry: TransactionEntry) -> bytes:
    request: dict[str, str] = {"method": "PUT", "url": entry.name}
    if entry.if_match is not None:
        request["ifMatch"] = f'W/"{entry.if_match}"'
    head = fhirjson.dumps({"fullUrl": f"{base}/{entry.name}"})[:-1]
    return head + b',"resource":' + entry.body + b',"request":' + fhirjson.dumps(request) + b"}"


def _located(answer: object) -> str | None:
    response = answer.get("response") if isinstance(answer, dict) else None
    location = _LOCATION.search(str(response.get("location") or "")) if isinstance(response, dict) else None
    return location["name"] if location else None


def _answer(entry: TransactionEntry, answer: object) -> TransactionAnswer:
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise BadAnswerError(f"{entry.name} has no response")
    status = str(response.get("status", ""))[:3]
    if status not in ("200", "201", "204"):
        raise BadAnswerError(f"{entry.name} was answered {status or 'nothing'}")
    location = _LOCATION.search(str(response.get("location") or ""))
    if location and location["name"] != entry.name:
        raise BadAnswerError(f"{entry.name} was answered as {location['name']}")
    version = version_of(response.get("etag")) or (location["version"] if location else None)
    return TransactionAnswer(entry.name, int(status), version)

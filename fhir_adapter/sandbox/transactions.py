"""What a Bundle posted to the base does: a transaction (all or nothing) or a batch (each entry for itself).

Sources: https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/http.html#brules
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from fhir_adapter import fhirjson
from fhir_adapter.sandbox.calls import (
    Address,
    Answer,
    Call,
    Conditions,
    Prefer,
    not_built,
    read_address,
    read_query,
    require_id,
)
from fhir_adapter.sandbox.interactions import check_write
from fhir_adapter.sandbox.moments import instant
from fhir_adapter.sandbox.storage import Session, Store
from fhir_adapter.serving.outcome import FhirError, Problem, outcome, refusal

Perform = Callable[[Call, Session], Answer]

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3, "HEAD": 3}
LOCAL_NAMES = ("urn:uuid:", "urn:oid:")
_CONDITIONS = {"ifMatch": "if_match", "ifNoneMatch": "if_none_match", "ifModifiedSince": "if_modified_since"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was understood; `full_url` is the name other entries may refer to it by."""

    number: int
    full_url: str | None
    call: Call

    @property
    def place(self) -> str:
        """Its place in the Bundle, for an OperationOutcome."""
        return f"Bundle.entry[{self.number}]"


def run_bundle(call: Call, store: Store, perform: Perform) -> Answer:
    """Do what a Bundle asks; raises `FhirError` when a transaction is refused, and then nothing of it was done."""
    bundle = call.resource or {}
    if bundle.get("resourceType") != "Bundle":
        raise refusal(400, "invalid", "the base address takes a Bundle", "resourceType")
    kind = bundle.get("type")
    if not isinstance(kind, str) or kind not in _RUN:
        raise refusal(400, "invalid", "the Bundle must be of type transaction or batch", "Bundle.type")
    raw = bundle.get("entry", [])
    if not isinstance(raw, list):
        raise refusal(400, "structure", "Bundle.entry is not a list", "Bundle.entry")
    answered = _RUN[kind](call, raw, store, perform)
    result: dict[str, Any] = {"resourceType": "Bundle", "type": f"{kind}-response"}
    if answered:
        result["entry"] = answered
    return Answer(200, fhirjson.dumps(result))


def _transaction(call: Call, raw: list[Any], store: Store, perform: Perform) -> list[dict[str, Any]]:
    entries = [_with_id(_read_entry(call, number, item)) for number, item in enumerate(raw)]
    _refuse_repeated(entries)
    names = _names(entries)
    entries = [_resolved(entry, names) for entry in entries]
    _check_all(entries)
    answers: dict[int, Answer] = {}
    with store.writing() as session:
        for entry in sorted(entries, key=lambda item: ORDER[item.call.method]):
            answers[entry.number] = _performed(entry, session, perform)
    return [_response(entry, answers[entry.number], call) for entry in entries]


def _batch(call: Call, raw: list[Any], store: Store, perform: Perform) -> list[dict[str, Any]]:
    answered = []
    with store.writing() as session:  # one transaction on the disk, a savepoint for each entry
        for number, item in enumerate(raw):
            try:
                entry = _read_entry(call, number, item)
                entry = _resolved(entry, {})
                _check(entry)
                with session.attempt():
                    answered.append(_response(entry, _performed(entry, session, perform), call))
            except FhirError as error:
                answered.append({"response": {"status": _status(error.status), "outcome": outcome(error.problems)}})
    return answered


_RUN = {"transaction": _transaction, "batch": _batch}


def _read_entry(call: Call, number: int, item: object) -> Entry:
    """An entry as a call; raises `FhirError` 400 with its place where it is none that is built."""
    place = f"Bundle.entry[{number}]"
    request = item.get("request") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(request, dict):
        raise refusal(400, "required", "an entry needs a request with method and url", place)
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in ORDER or not isinstance(url, str) or not url:
        raise refusal(400, "invalid", f"request.method is one of {', '.join(ORDER)}, with a url", f"{place}.request")
    try:
        return Entry(number, _full_url(item), _entry_call(call, method, url, request, item.get("resource")))
    except FhirError as error:
        raise error.inside(place) from error


def _entry_call(call: Call, method: str, url: str, request: Mapping[str, Any], resource: object) -> Call:
    if "ifNoneExist" in request:
        raise not_built("conditional create (ifNoneExist)")
    try:
        parts = urlsplit(url.removeprefix(call.base + "/"))
    except ValueError as error:
        raise refusal(400, "invalid", "request.url is no URL") from error
    address = read_address(parts.path.removeprefix("/"))
    if parts.scheme or (address.level, method) not in _IN_BUNDLES:
        raise not_built(f"{method} of this url in a Bundle")
    if method in ("POST", "PUT") and not isinstance(resource, dict):
        raise refusal(400, "required", "an entry with POST or PUT needs a resource")
    conditions = {name: request[key] for key, name in _CONDITIONS.items() if key in request}
    if not all(isinstance(value, str) for value in conditions.values()):
        raise refusal(400, "invalid", "a condition of a request is a text")
    # What goes out is cut down at the end: the entry itself always answers in full.
    return replace(
        call,
        method=method,
        address=address,
        query=read_query(parts.query),
        conditions=Conditions(**conditions),
        prefer=Prefer(lenient=call.prefer.lenient),
        resource=resource if isinstance(resource, dict) else None,
    )


_IN_BUNDLES = frozenset(
    {("type", "POST"), ("type", "PUT"), ("type", "DELETE"), ("instance", "PUT"), ("instance", "DELETE")}
    | {
        (level, method)
        for level in ("type", "instance", "version", "_history", "type_history", "instance_history", "metadata")
        for method in ("GET", "HEAD")
    }
)


def _full_url(item: Mapping[str, Any]) -> str | None:
    full_url = item.get("fullUrl")
    if full_url is not None and not isinstance(full_url, str):
        raise refusal(400, "structure", "fullUrl is a text")
    return full_url


def _with_id(entry: Entry) -> Entry:
    """A resource to be created gets its id before references to it are rewritten."""
    if entry.call.method != "POST":
        return entry
    address = Address("type", entry.call.address.type, str(uuid4()))
    return replace(entry, call=replace(entry.call, address=address))


def _refuse_repeated(entries: Sequence[Entry]) -> None:
    """No two entries may write the same resource, and no two may have the same name."""
    written = [entry for entry in entries if entry.call.method in ("PUT", "DELETE", "POST")]
    identities = Counter((entry.call.address.type, entry.call.address.id) for entry in written if entry.call.address.id)
    full_urls = Counter(entry.full_url for entry in written if entry.full_url)
    for entry in written:
        if identities[entry.call.address.type, entry.call.address.id] > 1:
            raise refusal(400, "duplicate", "two entries write the same resource", entry.place)
        if entry.full_url and full_urls[entry.full_url] > 1:
            raise refusal(400, "duplicate", "two entries have the same fullUrl", f"{entry.place}.fullUrl")


def _names(entries: Sequence[Entry]) -> dict[str, str]:
    """The references that the Bundle's own names become."""
    return {
        entry.full_url: f"{entry.call.address.type}/{entry.call.address.id}"
        for entry in entries
        if entry.full_url and entry.call.method in ("POST", "PUT") and entry.call.address.id
    }


def _resolved(entry: Entry, names: Mapping[str, str]) -> Entry:
    """The entry with its references rewritten; raises `FhirError` 400 for a name that no entry has."""
    if entry.call.resource is None:
        return entry
    unknown: list[str] = []
    resource = _rewritten(entry.call.resource, names, unknown)
    if unknown:
        message = f"{len(unknown)} reference(s) name an entry that the Bundle does not have (urn:uuid or urn:oid)"
        raise FhirError(400, [Problem("not-found", message, entry.place)])
    return replace(entry, call=replace(entry.call, resource=resource))


def _rewritten(value: Any, names: Mapping[str, str], unknown: list[str]) -> Any:  # noqa: ANN401 - any JSON value
    """A copy in which `reference` texts that are names of the Bundle are replaced."""
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                result[key] = _rewritten(item, names, unknown)
            elif key == "reference" and isinstance(item, str):
                result[key] = names.get(item, item)
                if item.startswith(LOCAL_NAMES) and item not in names:
                    unknown.append(item)
            else:
                result[key] = item
        return result
    return [_rewritten(item, names, unknown) for item in value] if isinstance(value, list) else value


def _check_all(entries: Sequence[Entry]) -> None:
    """Everything that is wrong with any entry, in one refusal with the status of the first."""
    refused: list[FhirError] = []
    for entry in entries:
        try:
            _check(entry)
        except FhirError as error:
            refused.append(error)
    if refused:
        raise FhirError(refused[0].status, [problem for error in refused for problem in error.problems])


def _check(entry: Entry) -> None:
    try:
        if entry.call.method in ("POST", "PUT", "DELETE"):
            check_write(entry.call)
        if entry.call.address.id:
            require_id(entry.call.address.id)
    except FhirError as error:
        raise error.inside(entry.place) from error


def _performed(entry: Entry, session: Session, perform: Perform) -> Answer:
    try:
        return perform(entry.call, session)
    except FhirError as error:
        raise error.inside(entry.place) from error


def _response(entry: Entry, answer: Answer, call: Call) -> dict[str, Any]:
    response: dict[str, Any] = {"status": _status(answer.status)}
    if answer.location:
        response["location"] = answer.location
    if answer.etag:
        response["etag"] = answer.etag
    if answer.last_modified is not None:
        response["lastModified"] = instant(answer.last_modified)
    wanted = entry.call.method == "GET" or (call.prefer.returns == "representation" and entry.call.method != "DELETE")
    if wanted and answer.body:
        return {"resource": orjson.Fragment(answer.body), "response": response}
    return {"response": response}


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"

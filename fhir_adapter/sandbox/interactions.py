"""What each interaction with one resource does: create, read, vread, update, delete.

Source: https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import uuid4

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.sandbox.calls import Answer, Call, check_content, etags, refuse_conditional, refuse_parameters
from fhir_adapter.sandbox.storage import Session, Stored, stamped
from fhir_adapter.serving.outcome import FhirError, all_well, outcome_body, problem_of, refusal
from fhir_adapter.validation import check_structure


def check_write(call: Call) -> None:
    """Raise `FhirError` 400 or 422 for content that must not be stored; looks at nothing that is stored already."""
    refuse_conditional(call)
    refuse_parameters(call)
    if call.method in ("POST", "PUT"):
        check_resource(call)


def check_resource(call: Call) -> None:
    """Raise `FhirError` 422 with everything that is structurally wrong with the resource of a call."""
    found: list[Issue] = check_structure(check_content(call))
    if any(issue.is_error for issue in found):
        raise FhirError(422, [problem_of(issue) for issue in found])


def create(call: Call, session: Session) -> Answer:
    """Store a new resource under an id that the server makes (in a transaction it is made before)."""
    resource_id = call.address.id or str(uuid4())
    assert call.resource is not None
    return _written(201, session.write(call.resource, resource_id, None, "POST"), call)


def update(call: Call, session: Session) -> Answer:
    """Store a new version, or the first one under the client's id; nothing is stored when nothing changed."""
    before = session.current(call.address.type, call.address.id)
    _require_match(call, before)
    if before is None or before.deleted:
        return _create_on_update(call, session, before)
    assert call.resource is not None
    if same_content(call.resource, before):
        return _written(200, before, call, "Nothing changed: no new version was made.")
    return _written(200, session.write(call.resource, before.id, before, "PUT"), call)


def delete(call: Call, session: Session) -> Answer:
    """Make the deletion the newest version; what is not there needs none (204 as well)."""
    before = session.current(call.address.type, call.address.id)
    _require_match(call, before)
    if before is None or before.deleted:
        return Answer(204, etag=before.etag if before else None)
    gone = session.delete(before)
    return _without_body(Answer(204, b"", gone.etag, gone.last_updated), call)


def read(call: Call, session: Session) -> Answer:
    """The current version, 304 where the client has it already."""
    refuse_parameters(call)
    found = session.current(call.address.type, call.address.id)
    if found is None:
        raise refusal(404, "not-found", f"{call.address.type}/{call.address.id} is not here")
    return _shown(call, found)


def vread(call: Call, session: Session) -> Answer:
    """One version, current or not."""
    refuse_parameters(call)
    address = call.address
    found = session.version(address.type, address.id, address.vid)
    if found is None:
        raise refusal(404, "not-found", f"{address.type}/{address.id} has no such version")
    return _shown(call, found)


def same_content(resource: dict[str, object], before: Stored) -> bool:
    """True when storing would change nothing but version and moment; the order of members is no content."""
    assert before.body is not None
    candidate = stamped(resource, before.id, before.vid, before.last_updated)
    body = fhirjson.dumps(candidate)
    if body == before.body:
        return True
    # Another order of the same members has the same length.
    return len(body) == len(before.body) and _alike(fhirjson.loads(body), fhirjson.loads(before.body))


def _alike(one: object, other: object) -> bool:
    """Equal with the digits of numbers: 1.0 and 1.00 differ in FHIR."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return type(one) is type(other) and str(one) == str(other)


def _create_on_update(call: Call, session: Session, before: Stored | None) -> Answer:
    if not call.behaviour.create_on_update:
        raise refusal(405, "not-supported", "this server makes its ids itself: PUT needs an id that exists")
    assert call.resource is not None
    return _written(201, session.write(call.resource, call.address.id, before, "PUT"), call)


def _require_match(call: Call, before: Stored | None) -> None:
    """If-Match must name the current version; `If-None-Match: *` must find none."""
    living = before is not None and not before.deleted
    conditions = call.conditions
    if conditions.if_match is not None:
        wanted = conditions.if_match.strip()
        if not living or (wanted != "*" and str(before.vid if before else 0) not in etags(wanted, "If-Match")):
            raise refusal(412, "conflict", "If-Match names another version than the current one")
    if conditions.if_none_match is not None:
        if conditions.if_none_match.strip() != "*":
            raise refusal(400, "not-supported", "a write takes no other If-None-Match than *")
        if living:
            raise refusal(412, "conflict", "If-None-Match: * was asked, and the resource exists")


def _shown(call: Call, found: Stored) -> Answer:
    if found.deleted:
        raise refusal(410, "deleted", f"{found.reference} was deleted")
    assert found.body is not None
    if _client_has(call, found):
        return Answer(304, b"", found.etag, found.last_updated)
    return Answer(200, found.body, found.etag, found.last_updated)


def _client_has(call: Call, found: Stored) -> bool:
    """If-Modified-Since counts only without If-None-Match, and an unreadable date counts as none (RFC 9110, 13.1)."""
    wanted, since = call.conditions.if_none_match, call.conditions.if_modified_since
    if wanted is not None:
        return wanted.strip() == "*" or str(found.vid) in etags(wanted, "If-None-Match")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return found.last_updated // 1000 <= moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _written(status: int, stored: Stored, call: Call, message: str = "Stored.") -> Answer:
    location = f"{stored.reference}/_history/{stored.vid}"
    body = b"" if call.prefer.returns == "minimal" else stored.body or b""
    if call.prefer.returns == "OperationOutcome":
        body = outcome_body([all_well(message)])
    return Answer(status, body, stored.etag, stored.last_updated, location)


def _without_body(answer: Answer, call: Call) -> Answer:
    if call.prefer.returns != "OperationOutcome":
        return answer
    return Answer(200, outcome_body([all_well("Deleted.")]), answer.etag, answer.last_modified)


def http_date(milliseconds: int) -> datetime:
    """The second in which something was stored, as HTTP headers say it."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC)

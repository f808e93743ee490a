"""What a request asks for once its wire form is gone: the same for a plain request and for an entry of a Bundle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fhir_adapter.sandbox.parameters import resource_types
from fhir_adapter.sandbox.quirks import Behaviour
from fhir_adapter.serving.outcome import FhirError, Problem, refusal

Query = Sequence[tuple[str, str]]

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"([^"]*)"|([1-9][0-9]*)')  # some clients send the bare number


class Address(NamedTuple):
    """Where a request points: `level` names the row of the table of interactions."""

    level: str
    type: str = ""
    id: str = ""
    vid: int = 0


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions that a request sets, as they came; None where there is none."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_none_exist: str | None = None


@dataclass(frozen=True, slots=True)
class Prefer:
    """What the client prefers (RFC 7240): the form of the answer if it said one, and how strictly searches are read."""

    returns: str | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `base` is the address of this server as the client sees it, without a slash at its end."""

    method: str
    address: Address
    base: str
    behaviour: Behaviour
    query: Query = ()
    conditions: Conditions = field(default_factory=Conditions)
    prefer: Prefer = field(default_factory=Prefer)
    resource: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call; `location` is relative to the base."""

    status: int
    body: bytes = b""
    etag: str | None = None
    last_modified: int | None = None
    location: str | None = None


def read_address(path: str) -> Address:
    """The place that a path below the base means; raises `FhirError` 404 for a type or place that is not there."""
    parts = path.split("/") if path else []
    if not parts:
        return Address("system")
    if parts[0] in ("metadata", "_history") and len(parts) == 1:
        return Address(parts[0])
    if parts[0] not in resource_types():
        raise refusal(404, "not-supported", f"{parts[0][:64]!r} is not a resource type of FHIR R4")
    return _type_address(parts[0], parts[1:])


def _type_address(resource_type: str, rest: list[str]) -> Address:
    if not rest:
        return Address("type", resource_type)
    if rest in (["_search"], ["_history"]):
        return Address(f"type{rest[0]}", resource_type)
    if rest[0].startswith("$") or (len(rest) > 1 and rest[1].startswith("$")):
        raise refusal(404, "not-supported", "operations are not built in this sandbox")
    require_id(rest[0])
    if len(rest) == 1:
        return Address("instance", resource_type, rest[0])
    if rest[1:] == ["_history"]:
        return Address("instance_history", resource_type, rest[0])
    if len(rest) == 3 and rest[1] == "_history":  # noqa: PLR2004 - id, _history, version
        return Address("version", resource_type, rest[0], _version(rest[2]))
    raise refusal(404, "not-supported", "there is nothing at this address; compartments are not built in this sandbox")


def require_id(text: object, place: str | None = None) -> str:
    """The text, if it is an id; raises `FhirError` 400 else."""
    if isinstance(text, str) and ID.fullmatch(text):
        return text
    raise refusal(400, "invalid", "an id has 1 to 64 of the characters A-Z a-z 0-9 - .", place)


def _version(text: str) -> int:
    """The number of a version; what cannot be one names no version."""
    if not ID.fullmatch(text):
        raise refusal(400, "invalid", "a version id has 1 to 64 of the characters A-Z a-z 0-9 - .")
    return int(text) if _VERSION.fullmatch(text) else 0


def etags(header: str, name: str) -> set[str]:
    """The version ids that If-Match or If-None-Match lists; raises `FhirError` 400 where it is no list of tags."""
    found = [_ETAG.fullmatch(part.strip()) for part in header.split(",")]
    if not all(found):
        raise refusal(400, "invalid", f'{name} must be one or more tags like W/"1"')
    return {match[1] or match[2] or "" for match in found if match}


def not_built(what: str) -> FhirError:
    """The answer to what FHIR defines and the sandbox does not do: refused, never half done."""
    return refusal(400, "not-supported", f"{what} is not built in this sandbox; see its CapabilityStatement")


def read_query(raw: str | bytes) -> list[tuple[str, str]]:
    """The parameters of a query or form, percent-decoded; raises `FhirError` 400 where they are no UTF-8."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise refusal(400, "invalid", "the query cannot be read: not UTF-8, or more than 1,000 parameters") from error
    return pairs


def refuse_parameters(call: Call) -> None:
    """Raise `FhirError` 400 for parameters on an interaction that takes none, unless the client asked for leniency."""
    if call.query and not call.prefer.lenient:
        names = ", ".join(sorted({name[:64] for name, _ in call.query}))
        raise refusal(400, "not-supported", f"this interaction takes no parameters here: {names}")


def refuse_conditional(call: Call) -> None:
    """Raise `FhirError` for conditional operations: none is built, and none may pass as an unconditional one."""
    if call.conditions.if_none_exist is not None:
        raise not_built("conditional create (If-None-Exist)")
    if call.address.level == "type" and call.method in ("PUT", "DELETE", "PATCH"):
        raise not_built(f"conditional {call.method}")


def check_content(call: Call) -> dict[str, Any]:
    """The resource to be written, whose type and id fit the address; raises `FhirError` 400 else."""
    resource, wanted = call.resource, call.address.type
    if not isinstance(resource, dict):
        raise refusal(400, "structure", "the content is not a JSON object with a resourceType")
    found = resource.get("resourceType")
    if not isinstance(found, str) or not found:
        raise refusal(400, "structure", "resourceType is missing or no text")
    if found != wanted:
        raise refusal(400, "invalid", f"resourceType is {found[:64]!r}, the address says {wanted}", "resourceType")
    if not isinstance(resource.get("meta", {}), dict):
        raise refusal(400, "structure", "meta is not a JSON object", f"{wanted}.meta")
    _check_id(call, resource)
    return resource


def _check_id(call: Call, resource: dict[str, Any]) -> None:
    place = f"{call.address.type}.id"
    if "id" in resource:
        require_id(resource["id"], place)
    if call.method != "PUT":
        return
    if "id" not in resource:
        raise FhirError(400, [Problem("required", f"the content needs the id {call.address.id}", place)])
    if resource["id"] != call.address.id:
        raise FhirError(
            400, [Problem("invalid", f"the content has another id than the address {call.address.id}", place)]
        )

"""How the content of a FHIR request over HTTP is read: media types, sizes, JSON, and how a refusal goes back.

Sources: https://hl7.org/fhir/R4/http.html, RFC 9110
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from fhir_adapter import fhirjson
from fhir_adapter.serving.outcome import FhirError, outcome_body, refusal

FHIR_JSON = "application/fhir+json"
LONGEST_SECONDS = 60
"""How long the content of a request may take to come."""
JSON_TYPES = frozenset({FHIR_JSON, "application/json", "text/json"})

_VERSIONS = frozenset({"4.0", "4.0.1"})
_A_VERSION = re.compile(r"[0-9]\.[0-9](\.[0-9])?")
_ACCEPTED = JSON_TYPES | {"*/*", "application/*", "text/*"}
_FORMATS = frozenset({"json", *JSON_TYPES, "application/fhir json"})  # an unescaped + arrives as a blank


def error_response(error: FhirError) -> Response:
    """An OperationOutcome with its status."""
    return Response(outcome_body(error.problems), error.status, error.headers, FHIR_JSON)


async def body_of(request: Request, largest: int) -> bytes:
    """The whole content; raises `FhirError` 413 as soon as it is too large, 408 when it comes too slowly."""
    length = request.headers.get("content-length", "")
    too_large = refusal(413, "too-long", f"a request has at most {largest} bytes")
    if length.isdigit() and int(length[:20]) > largest:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > largest:
                    raise too_large
                parts.append(part)
    except TimeoutError as error:
        raise refusal(408, "timeout", f"the content took more than {LONGEST_SECONDS} seconds to come") from error
    return b"".join(parts)


def without_format(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The query without `_format`, which must be JSON where it is given."""
    _require_json_format(query)
    return [(name, value) for name, value in query if name != "_format"]


def require_json_wanted(headers: Headers, query: Sequence[tuple[str, str]] = ()) -> None:
    """Raise `FhirError` 406 when the client takes no JSON; where there is a `_format`, it says so instead of Accept."""
    if any(name == "_format" for name, _ in query):
        _require_json_format(query)
    elif not _takes_json(headers.get("accept", "*/*")):
        raise refusal(406, "not-supported", f"only {FHIR_JSON} is spoken here")


def _require_json_format(query: Sequence[tuple[str, str]]) -> None:
    for value in (value for name, value in query if name == "_format"):
        kind, *parameters = value.split(";")
        if kind.strip() not in _FORMATS or _version(parameters) not in _VERSIONS:
            raise refusal(406, "not-supported", f"only {FHIR_JSON} is spoken here")


@lru_cache(maxsize=256)
def _takes_json(accept: str) -> bool:
    parts = [part.split(";") for part in (accept.strip() or "*/*").split(",")]
    return any(
        part[0].strip().lower() in _ACCEPTED and _version(part[1:]) in _VERSIONS and not _is_unwanted(part[1:])
        for part in parts
    )


def _is_unwanted(parameters: Sequence[str]) -> bool:
    """True for `q=0`: named in order to be left out."""
    return any(re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", one, re.IGNORECASE) for one in parameters)


def media_type(headers: Headers) -> str:
    """The media type of the content, without its parameters."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def resource_of(headers: Headers, body: bytes) -> dict[str, Any]:
    """The resource in a request; raises `FhirError` 415 for another media type, 400 for what is no resource."""
    found = media_type(headers)
    if found and found not in JSON_TYPES:
        raise refusal(415, "not-supported", f"the content must be {FHIR_JSON}; another media type is not read here")
    _refuse_other_version(headers)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise refusal(415, "not-supported", "a content-encoding is not read here")
    if not body.strip():
        raise refusal(400, "structure", "the content is empty; a resource as JSON object was expected")
    try:
        value = fhirjson.loads(body)
    except fhirjson.JsonError as error:
        raise refusal(400, "structure", f"the content is no JSON that can be read: {error}") from error
    if not isinstance(value, dict):
        raise refusal(400, "structure", "the content is not a JSON object with a resourceType")
    return value


def _refuse_other_version(headers: Headers) -> None:
    """Raise `FhirError` 415 for content that says to be of another FHIR version: it is never read as R4 in silence."""
    version = _version(headers.get("content-type", "").split(";")[1:])
    if version not in _VERSIONS:
        said = f"FHIR {version}" if _A_VERSION.fullmatch(version) else "another FHIR version"
        raise refusal(
            415, "not-supported", f"the content is said to be of {said}; 4.0 is read here, nothing is translated"
        )


def _version(parameters: Sequence[str]) -> str:
    """The FHIR version that a media type's parameters name; 4.0 where they name none."""
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip().lower() == "fhirversion":
            return value.strip().strip('"')
    return "4.0"

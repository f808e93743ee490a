"""How a FHIR call comes over HTTP and how its answer goes back: headers, media types, sizes, statuses.

Sources: https://hl7.org/fhir/R4/http.html, RFC 9110, RFC 7240
"""

from __future__ import annotations

import logging
import re
import sqlite3
from email.utils import format_datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fhir_adapter.sandbox.calls import Answer, Call, Conditions, Prefer, read_address, read_query
from fhir_adapter.sandbox.dispatch import Sandbox
from fhir_adapter.sandbox.interactions import http_date
from fhir_adapter.serving.content import (
    FHIR_JSON,
    body_of,
    error_response,
    media_type,
    require_json_wanted,
    resource_of,
    without_format,
)
from fhir_adapter.serving.outcome import FhirError, Problem, refusal

PATH = "/fhir"
LARGEST_BODY = 64 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_logger = logging.getLogger(__name__)


class FhirEndpoint:
    """The ASGI application below `/fhir`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever was asked, the answer is FHIR."""
        request = Request(scope, receive)
        try:
            body = await body_of(request, LARGEST_BODY)
        except ClientDisconnect:
            return  # half a request was received: nothing of it is done
        except FhirError as error:
            response = error_response(error)
        else:
            response = await run_in_threadpool(self._answer, request, body)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        try:
            call = read_call(request, body, self._sandbox)
            return _response(self._sandbox.answer(call), call)
        except FhirError as error:
            return error_response(error)
        except sqlite3.Error as error:
            _logger.exception("the sandbox's database failed")
            return error_response(database_error(error))


def read_call(request: Request, body: bytes, sandbox: Sandbox) -> Call:
    """The call that an HTTP request makes; raises `FhirError` where it makes none."""
    headers = request.headers
    query = without_format(read_query(request.scope["query_string"]))
    require_json_wanted(headers)
    address = read_address(_path(request.scope["path"]))
    resource = None
    if address.level == "type_search" and request.method == "POST":
        query += _form(headers, body)
    elif request.method in ("POST", "PUT") and address.level in ("system", "type", "instance"):
        resource = resource_of(headers, body)
    return Call(
        method=request.method,
        address=address,
        base=str(request.base_url).rstrip("/") + PATH,
        behaviour=sandbox.behaviour,
        query=query,
        conditions=_conditions(headers),
        prefer=_prefer(headers),
        resource=resource,
    )


def _path(path: str) -> str:
    """What stands behind the base; one slash behind the base itself means nothing."""
    rest = path.removeprefix(PATH)
    if rest in ("", "/"):
        return ""
    if rest.endswith("/") or "//" in rest:
        raise refusal(400, "invalid", "an empty part in the address: perhaps an id is missing")
    return rest.removeprefix("/")


def _form(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    if body and media_type(headers) != FORM:
        raise refusal(415, "not-supported", f"_search takes its parameters as {FORM}")
    return without_format(read_query(body))


def _conditions(headers: Headers) -> Conditions:
    return Conditions(
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
        if_modified_since=headers.get("if-modified-since"),
        if_none_exist=headers.get("if-none-exist"),
    )


def _prefer(headers: Headers) -> Prefer:
    """The preferences that are known; others may be ignored (RFC 7240, 2)."""
    parts = re.split(r"[,;]", ",".join(headers.getlist("prefer")))
    preferences = dict(part.replace('"', "").strip().split("=", 1) for part in parts if "=" in part)
    return Prefer(returns=preferences.get("return"), lenient=preferences.get("handling") == "lenient")


def _response(answer: Answer, call: Call) -> Response:
    headers = {}
    if answer.etag:
        headers["ETag"] = answer.etag
    if answer.last_modified is not None:
        headers["Last-Modified"] = format_datetime(http_date(answer.last_modified), usegmt=True)
    if answer.location:
        headers["Location"] = headers["Content-Location"] = f"{call.base}/{answer.location}"
    return Response(answer.body, answer.status, headers, FHIR_JSON if answer.body else None)


def database_error(error: sqlite3.Error) -> FhirError:
    """The refusal that a failure of the database becomes: 503 where another try may succeed."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
        problem = Problem("lock-error", "another writer holds the database; nothing was done, try again")
        return FhirError(503, [problem], {"Retry-After": "1"})
    return refusal(500, "exception", "the sandbox's database failed; nothing was done")

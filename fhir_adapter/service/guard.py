"""Who is let in, and what every answer has in common: headers, figures, one line in the log, and no value of anybody.

Plain ASGI around the application: what fails inside becomes an answer here, before a server could log its message.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import logging
import re
import time
import traceback
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_adapter.client import Secret
from fhir_adapter.service.metrics import Metrics
from fhir_adapter.serving.content import error_response
from fhir_adapter.serving.listening import is_loopback
from fhir_adapter.serving.outcome import FhirError, Problem, refusal

BASE = "/fhir"
OPEN_TO_ALL = frozenset({"/health/live", "/health/ready"})
PAGES = frozenset({"/", "/report"})

_PLAIN = re.compile(rb"(?:/[A-Za-z0-9$_-][A-Za-z0-9$._-]*)+")
"""Nearly every address: nothing in it can be read in two ways."""
_UNFIT = re.compile(rb"[\x00-\x20\x7f;\\]|%2f|%5c|/\.\.?(?:/|$)|//", re.IGNORECASE)
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_logger = logging.getLogger(__name__)


def is_fhir(path: str) -> bool:
    """True for what lies below the FHIR base: there every answer is FHIR."""
    return path == BASE or path.startswith(BASE + "/")


def refused(path: str, error: FhirError) -> Response:
    """The same refusal, as FHIR below the FHIR base and as a problem (RFC 9457) elsewhere."""
    if is_fhir(path):
        return error_response(error)
    body = {"status": error.status, "title": "; ".join(problem.message for problem in error.problems)}
    return JSONResponse(body, error.status, error.headers, "application/problem+json")


class Guard:
    """The outermost layer of the service that is ours."""

    def __init__(self, app: ASGIApp, token: Secret | None, metrics: Metrics) -> None:
        self._app = app
        self._token = token.reveal().encode() if token is not None else None
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one call through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].extend(_HEADERS)
            await send(message)

        refusal_of_it = self._refusal(scope)
        try:
            if refusal_of_it is not None:
                await refused(scope["path"], refusal_of_it)(scope, receive, sending)
            else:
                await self._app(scope, receive, sending)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT  # half a request was received: nothing of it is done
        except asyncio.CancelledError:  # the time for what was under way is over; this task ends here anyway
            if not status:
                await refused(scope["path"], _STOPPING)(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the border: its message may quote what was sent
            _log_failure(error)
            if not status:
                await refused(scope["path"], _FAILED)(scope, receive, sending)
        finally:
            self._metrics.answered(_operation(scope), scope["method"], status, time.perf_counter() - start)

    def _refusal(self, scope: Scope) -> FhirError | None:
        path = scope["path"]
        if is_fhir(path) and _is_unfit(scope):
            return _UNFIT_ADDRESS
        if self._token is None:
            return _may_not_answer(scope)
        if path in OPEN_TO_ALL or self._shows_token(scope):
            return None
        return FhirError(401, _NOT_LET_IN, _challenge(path))

    def _shows_token(self, scope: Scope) -> bool:
        assert self._token is not None
        kind, _, credentials = _header(scope, b"authorization").partition(b" ")
        if kind.lower() == b"bearer":
            return hmac.compare_digest(credentials.strip(), self._token)
        if kind.lower() == b"basic" and scope["path"] in PAGES:  # what a browser can ask a person for
            return hmac.compare_digest(_password(credentials), self._token)
        return False


_CLIENT_LEFT = 499
_FAILED = refusal(500, "exception", "an error of the service itself; its log says where")
_STOPPING = FhirError(503, [Problem("transient", "the service is stopping; call again")], {"Retry-After": "5"})
_UNFIT_ADDRESS = refusal(400, "invalid", "the address holds characters or parts that no FHIR address has")
_OTHER_HOST = refusal(421, "security", "without a token this service answers by the names of this machine's loopback")
_NO_TOKEN = refusal(403, "security", "without a token this service answers on a loopback address only")
_NOT_LET_IN = (Problem("login", "a bearer token is needed: Authorization: Bearer ..."),)


def _challenge(path: str) -> Mapping[str, str]:
    return {"WWW-Authenticate": 'Basic realm="fhir-adapter", charset="UTF-8"' if path in PAGES else "Bearer"}


def _password(credentials: bytes) -> bytes:
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _is_unfit(scope: Scope) -> bool:
    """True for an address that a proxy, a log or a file system could read as another one."""
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    sent = raw.partition(b"?")[0]
    if _PLAIN.fullmatch(sent):
        return False
    decoded = unquote_to_bytes(sent)
    if _UNFIT.search(sent) or _UNFIT.search(decoded):
        return True
    try:
        decoded.decode()
    except UnicodeDecodeError:
        return True
    return b"%25" in sent  # encoded twice


def _may_not_answer(scope: Scope) -> FhirError | None:
    """Why a call without any token is not answered: others can reach this address, or it was called by another name.

    A web page can have its own name rebound to the loopback address; its calls then carry that name.
    """
    server = scope.get("server")
    if server is None or not _is_address(server[0]):
        return None  # a socket of the file system, or an application called in its own process
    if not _is_loopback(server[0]):
        return _NO_TOKEN
    return None if _names_loopback(_header(scope, b"host")) else _OTHER_HOST


def _header(scope: Scope, name: bytes) -> bytes:
    """A header's value; cheaper than all of them as a mapping."""
    return next((value for key, value in scope["headers"] if key == name), b"")


@lru_cache(maxsize=64)
def _names_loopback(host: bytes) -> bool:
    return is_loopback(re.sub(r":\d+$", "", host.decode("latin-1")))


@lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    return is_loopback(host)


@lru_cache(maxsize=64)
def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _operation(scope: Scope) -> str:
    """The pattern of the address, never the address: it holds a patient's id."""
    return getattr(scope.get("route"), "path", "") or "none"


def _log_failure(error: Exception) -> None:
    frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _logger.error("an error of the service", extra={"kind": type(error).__name__, "frames": frames[-8:]})

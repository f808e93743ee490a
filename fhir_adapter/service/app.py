"""How the service becomes an ASGI application: which address is answered by what, described for programs in OpenAPI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse

from fhir_adapter import __version__
from fhir_adapter.issues import AdapterError
from fhir_adapter.service import describe
from fhir_adapter.service.capability import capability_statement, operation_definition
from fhir_adapter.service.guard import BASE, Guard, refused
from fhir_adapter.service.metrics import CONTENT_TYPE, Metrics
from fhir_adapter.service.pages import PAGE_HEADERS, front_page, report_page
from fhir_adapter.service.patient_scores import PatientScores, loaded
from fhir_adapter.service.sent_scores import score_sent
from fhir_adapter.service.trial_data import Served, Snapshot, TrialData
from fhir_adapter.service.validate import validate
from fhir_adapter.serving.content import FHIR_JSON, body_of, require_json_wanted, resource_of
from fhir_adapter.serving.outcome import FhirError, refusal
from fhir_adapter.settings import ServiceSettings, Settings, state_file
from fhir_adapter.trial_folder import read_trial_folder, trial_path
from fhir_adapter.validation.primitives import is_id

SENT_AT_ONCE = 2
_TITLE = "fhir-adapter"


class _Plain(APIRoute):
    """A route whose endpoint reads its request itself: by FHIR's rules, with FHIR's errors, described all the same."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint alone, without the framework's reading of parameters."""
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint


_MESSAGES = {404: ("not-found", "nothing is at this address; /fhir/metadata says what is")}


def make_app(settings: Settings, service: ServiceSettings) -> FastAPI:
    """The application; raises `Misconfigured` for a trial folder that cannot be read."""
    metrics = Metrics()
    served = _served(settings)
    data = TrialData(served, metrics) if served is not None else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if data is not None:
            data.close()

    app = FastAPI(
        title=_TITLE,
        version=__version__,
        description=describe.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its page fetches scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=describe.EVERYWHERE,
    )
    app.state.data = data
    app.router.route_class = _Plain
    guarded = {"dependencies": describe.security(needed=service.token is not None)}
    _fhir(app, data, metrics, service, guarded)
    _watching(app, data, metrics, guarded)
    _people(app, data, served, guarded)
    app.add_middleware(Guard, token=service.token, metrics=metrics)
    app.add_exception_handler(FhirError, _refused)
    app.add_exception_handler(HTTPException, _not_here)
    return app


def _served(settings: Settings) -> Served | None:
    stated = settings.defaults
    if "trial" not in stated:
        return None
    folder = read_trial_folder(trial_path(stated["trial"]))
    source = stated.get("source")
    hospital = settings.base_of(stated["server"]) if stated.get("server") else None
    state = state_file(stated.get("state"), folder.id)
    return Served(stated["trial"], state, Path(source) if source else None, hospital)


def _fhir(
    app: FastAPI, data: TrialData | None, metrics: Metrics, service: ServiceSettings, guarded: describe.Described
) -> None:
    scores = PatientScores(data, metrics)
    # What is sent is worked on in turn: a hostile one costs time and memory, and not as often as somebody likes.
    at_work = asyncio.Semaphore(SENT_AT_ONCE)

    async def sent_to(request: Request, work: Callable[[bytes, dict[str, Any]], bytes]) -> Response:
        _require_json_wanted(request)
        headers, query = request.headers, request.scope["query_string"]
        body = await body_of(request, service.max_body_bytes)
        async with at_work:
            return _fhir_answer(await run_in_threadpool(lambda: work(query, resource_of(headers, body))))

    # Routes are tried in their order: the one that programs call most comes first.
    @app.get(f"{BASE}/Patient/{{patient}}/$hscore", **describe.PATIENT_GET, **guarded)
    async def patient_hscore(request: Request) -> Response:
        _require_json_wanted(request)
        return _fhir_answer(await scores.answer(_patient_id(request), request.scope["query_string"]))

    @app.get(f"{BASE}/metadata", **describe.METADATA, **guarded)
    async def metadata(request: Request) -> Response:
        _require_json_wanted(request)
        base = str(request.base_url).rstrip("/") + BASE
        statement = capability_statement(base, patients=data is not None, token=service.token is not None)
        return _fhir_answer(statement)

    @app.get(f"{BASE}/OperationDefinition/{{name}}", **describe.DEFINITION, **guarded)
    async def definition(request: Request) -> Response:
        _require_json_wanted(request)
        return _fhir_answer(operation_definition(request.path_params["name"]))

    @app.post(f"{BASE}/Patient/{{patient}}/$hscore", **describe.PATIENT_POST, **guarded)
    async def patient_hscore_post(request: Request) -> Response:
        _require_json_wanted(request)
        patient, sent = _patient_id(request), await body_of(request, service.max_body_bytes)
        parameters: dict[str, Any] = {"resourceType": "Parameters"}
        if sent.strip():
            async with at_work:
                parameters = await run_in_threadpool(resource_of, request.headers, sent)
        return _fhir_answer(await scores.answer(patient, request.scope["query_string"], parameters))

    @app.post(f"{BASE}/Observation/$hscore", **describe.OBSERVATIONS, **guarded)
    async def observations_hscore(request: Request) -> Response:
        return await sent_to(request, score_sent)

    @app.post(f"{BASE}/{{kind}}/$validate", **describe.VALIDATE, **guarded)
    async def validate_resource(request: Request) -> Response:
        return await sent_to(request, partial(validate, request.path_params["kind"]))


def _watching(app: FastAPI, data: TrialData | None, metrics: Metrics, guarded: describe.Described) -> None:
    @app.head("/health/live", include_in_schema=False)
    @app.get("/health/live", **describe.LIVE)
    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    @app.head("/health/ready", include_in_schema=False)
    @app.get("/health/ready", **describe.READY)
    async def ready(_request: Request) -> Response:
        if data is None:
            return JSONResponse({"status": "ready", "checks": {"trial": "none is served"}})
        try:
            snapshot = await _snapshot(data)
        except AdapterError as error:
            codes = ", ".join(issue.code for issue in error.issues) or "cannot be read"
            return JSONResponse({"status": "not ready", "checks": {"trial": codes}}, 503, {"Retry-After": "5"})
        known = f"{len(snapshot.subjects)} known" if snapshot.subjects else "none known: pull from the hospital first"
        return JSONResponse({"status": "ready", "checks": {"trial": "read", "patients": known}})

    @app.get("/metrics", **describe.METRICS, **guarded)
    async def figures(_request: Request) -> Response:
        if data is not None:
            with contextlib.suppress(AdapterError):  # the figures say that it failed
                await _snapshot(data)
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _people(app: FastAPI, data: TrialData | None, served: Served | None, guarded: describe.Described) -> None:
    front = front_page(served.trial if served is not None else None)

    @app.get("/", **describe.FRONT, **guarded)
    async def front_of_house(_request: Request) -> Response:
        return HTMLResponse(front, headers=PAGE_HEADERS)

    @app.get("/report", **describe.REPORT, **guarded)
    async def report(_request: Request) -> Response:
        if data is None:
            raise refusal(404, "not-found", "no trial is served here, so there is no report")
        return HTMLResponse(await run_in_threadpool(_report, data), headers=PAGE_HEADERS)


async def _snapshot(data: TrialData) -> Snapshot:
    snapshot = data.at_hand()
    return snapshot if snapshot is not None else await run_in_threadpool(data.load)


def _report(data: TrialData) -> bytes:
    snapshot = loaded(data)
    if snapshot.folder.scores is None:
        raise refusal(404, "not-found", "this trial states no rule for scores, so there is no report")
    return report_page(snapshot)


def _patient_id(request: Request) -> str:
    patient: str = request.path_params["patient"]
    if not is_id(patient):
        raise refusal(400, "invalid", "an id has 1 to 64 of the characters A-Z a-z 0-9 - .")
    return patient


def _require_json_wanted(request: Request) -> None:
    query = request.scope["query_string"]
    require_json_wanted(request.headers, parse_qsl(query.decode("latin-1")) if b"_format" in query else ())


def _fhir_answer(body: bytes) -> Response:
    return Response(body, media_type=FHIR_JSON)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, FhirError)
    return refused(request.scope["path"], error)


async def _not_here(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: no such address, another method, a request that cannot be read."""
    assert isinstance(error, HTTPException)
    status, path = error.status_code, request.scope["path"]
    if status == 405:  # noqa: PLR2004 - the status says it
        allowed = ", ".join(sorted(_methods(request)))
        problem = refusal(405, "not-supported", f"this address answers {allowed}").problems
        return refused(path, FhirError(405, problem, {"Allow": allowed}))
    return refused(path, refusal(status, *_MESSAGES.get(status, ("invalid", "the request cannot be read"))))


def _methods(request: Request) -> set[str]:
    """The methods of every route at this address: the framework names those of the first alone."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches({**request.scope, "method": "GET"})
        if match.value:
            found |= route.methods
    return found

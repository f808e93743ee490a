"""How the sandbox becomes an ASGI application: FastAPI, one endpoint, one store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.routing import Route

from fhir_adapter.sandbox.capability import NAME
from fhir_adapter.sandbox.dispatch import Sandbox
from fhir_adapter.sandbox.http import PATH, FhirEndpoint
from fhir_adapter.sandbox.quirks import behaviour
from fhir_adapter.sandbox.searchset import Pages
from fhir_adapter.sandbox.storage import Store
from fhir_adapter.serving.content import error_response
from fhir_adapter.serving.outcome import refusal


def open_sandbox(database: str, quirks: Sequence[str]) -> Sandbox:
    """A sandbox on this database; raises `ValueError` for an unknown quirk, `Misconfigured` for an unfit file."""
    behaves = behaviour(quirks)
    return Sandbox(Store(database), behaves, Pages())


def make_app(sandbox: Sandbox) -> FastAPI:
    """The application; the store is closed when its lifespan ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        sandbox.store.close()

    app = FastAPI(title=NAME, openapi_url=None, lifespan=lifespan)
    endpoint = FhirEndpoint(sandbox)
    # Plain ASGI below one route: paths, methods and errors follow FHIR's rules, not those of a web framework.
    app.router.routes.extend([Route(PATH, endpoint), Route(PATH + "/{rest:path}", endpoint)])
    app.add_exception_handler(404, _outside)
    app.add_exception_handler(Exception, _failed)
    return app


async def _outside(_request: Request, _error: Exception) -> Response:
    return error_response(refusal(404, "not-found", f"the FHIR base of this sandbox is {PATH}"))


async def _failed(_request: Request, _error: Exception) -> Response:
    return error_response(refusal(500, "exception", "an error of the sandbox itself; its log says more"))

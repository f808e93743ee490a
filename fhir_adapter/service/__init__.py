"""The HTTP face: scores from the store, checks of resources, the report as a page, health and figures.

`create_app` makes the application, `serve` serves it until a signal comes. Nothing here pulls, pushes or writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from fhir_adapter.settings import ServiceSettings, Settings

__all__ = ["create_app", "serve"]

# The imports stand inside: a command that needs no service must not pay for FastAPI.


def create_app(settings: Settings, service: ServiceSettings | None = None) -> FastAPI:
    """The service as an ASGI application.

    `settings.defaults` say which `trial`, `state` and `server` are served; without a trial it scores and checks what
    is sent. `service` is how it runs, left out it is what `settings.service()` says. Raises `Misconfigured` for a
    trial folder that cannot be read.
    """
    from fhir_adapter.service.app import make_app  # noqa: PLC0415

    return make_app(settings, service or settings.service())


def serve(settings: Settings, service: ServiceSettings, announce: Callable[[str], None] = lambda _base: None) -> int:
    """Serve until SIGINT or SIGTERM, let the calls under way end, and give the signal's number.

    `announce` is called with the address once it listens. Raises as `create_app` does, and `Misconfigured` for a port
    that cannot be had, or an address other than loopback without a token.
    """
    from fhir_adapter.service.run import serve_until_signal  # noqa: PLC0415

    return serve_until_signal(settings, service, announce)

"""How the service is served: on a loopback address unless there is a token, until a signal comes."""

from __future__ import annotations

from collections.abc import Callable

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.service.app import make_app
from fhir_adapter.serving.listening import address_of, caught_signals, is_loopback, listening
from fhir_adapter.serving.listening import serve_until_signal as serve_app
from fhir_adapter.settings import ServiceSettings, Settings


def serve_until_signal(settings: Settings, service: ServiceSettings, announce: Callable[[str], None]) -> int:
    """Serve in the foreground; gives the number of the signal that ended it."""
    check_address(service)
    app = make_app(settings, service)
    with listening(service.port, service.host) as listener, caught_signals() as caught:
        serve_app(app, listener, lambda: announce(address_of(listener)), service.shutdown_seconds, caught)
    return caught[-1] if caught else 0


def check_address(service: ServiceSettings) -> None:
    """Raise `Misconfigured` for an address that others can reach, unless callers must show a token."""
    if not is_loopback(service.host) and service.token is None:
        message = (
            f"{service.host} can be reached by others, so callers must show a token: state service.token_file in the "
            "configuration, --token-file, or FHIR_ADAPTER_SERVICE_TOKEN; or listen on 127.0.0.1"
        )
        raise Misconfigured(message, Issue("error", "no-service-token", message, Where("--host")))

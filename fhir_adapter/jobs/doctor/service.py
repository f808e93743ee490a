"""Whether `serve` can listen as configured: with a token where others can reach it, on a port that is free."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.doctor.checks import Notes
from fhir_adapter.jobs.doctor.configuration import look_at_token

if TYPE_CHECKING:
    from fhir_adapter.settings import Settings

_ABOUT = "service"
_OPTIONS = _HOST, _PORT, _TOKEN_FILE = tuple(f"FHIR_ADAPTER_SERVE_{name}" for name in ("HOST", "PORT", "TOKEN_FILE"))
"""What `serve` hears from the environment, as well as the options of those names."""
_OTHER_PORT = "stop what listens there unless it is this service itself, or state another port under `service`"


def look_at_service(notes: Notes, settings: Settings | None) -> None:
    """The HTTP service, when the configuration or the environment says that there is one."""
    stated = any(os.environ.get(name) for name in ("FHIR_ADAPTER_SERVICE_TOKEN", *_OPTIONS))
    if settings is None or not (settings.service_stated or stated):
        notes.skipped("service", "the configuration says nothing of a service", "state `service` before you use serve")
        return
    with notes.border("service"):
        from fhir_adapter.serving.listening import is_loopback  # noqa: PLC0415 - a package may be missing
        from fhir_adapter.settings import ServiceSettings  # noqa: PLC0415 - a package that it needs may be missing

        plain = ServiceSettings()
        host = os.environ.get(_HOST) or str(settings.service_stated.get("host", plain.host))
        port = int(os.environ.get(_PORT) or settings.service_stated.get("port", plain.port))
        file = os.environ.get(_TOKEN_FILE)
        token = settings.service_token(Path(file) if file else None)
        look_at_token(notes, token, _ABOUT, needed=not is_loopback(host))
        _look_at_port(notes, host, port)


def _look_at_port(notes: Notes, host: str, port: int) -> None:
    from fhir_adapter.serving.listening import listening  # noqa: PLC0415 - a package that it needs may be missing

    try:
        with listening(port, host):
            notes.passed("service", f"port {port} on {host} is free", _ABOUT)
    except Misconfigured as error:
        cause = error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        if number == errno.EADDRINUSE:
            notes.warned("service", f"port {port} on {host} is taken", _OTHER_PORT, _ABOUT)
        else:
            do = "state an address of this machine as host, and a port that this account may use"
            notes.failed("service", f"port {port} on {host} cannot be had", do, "set-up", _ABOUT)

"""Whether `serve` can listen as configured: with a token where others can reach it, on a port that is free."""

from __future__ import annotations

import errno
import ipaddress
import os
from typing import TYPE_CHECKING

from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.doctor.checks import Notes
from fhir_adapter.jobs.doctor.configuration import look_at_token

if TYPE_CHECKING:
    from fhir_adapter.settings import Settings

_ABOUT = "service"
_OTHER_PORT = "stop what listens there unless it is this service itself, or state another port under `service`"


def look_at_service(notes: Notes, settings: Settings | None) -> None:
    """The HTTP service, when the configuration or the environment says that there is one."""
    if settings is None or not (settings.service_stated or os.environ.get("FHIR_ADAPTER_SERVICE_TOKEN")):
        notes.skipped("service", "the configuration says nothing of a service", "state `service` before you use serve")
        return
    with notes.border("service"):
        from fhir_adapter.settings import ServiceSettings  # noqa: PLC0415 - a package that it needs may be missing

        plain = ServiceSettings()
        host = str(settings.service_stated.get("host", plain.host))
        port = int(settings.service_stated.get("port", plain.port))
        look_at_token(notes, settings.service_token(), _ABOUT, needed=not is_this_machine(host))
        _look_at_port(notes, host, port)


def is_this_machine(host: str) -> bool:
    """True for an address that nobody else can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


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

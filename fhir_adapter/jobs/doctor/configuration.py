"""What the configuration says, and whether the files and variables that it names hold what they should."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_adapter.issues import AdapterError, Issue, Misconfigured, Where
from fhir_adapter.jobs.doctor.checks import Notes
from fhir_adapter.jobs.doctor.files import (
    Fault,
    modes_count,
    privacy_fault,
    read_secret,
    shape_fault,
    token_fault,
)

if TYPE_CHECKING:
    from fhir_adapter.settings import SecretPlace, SecretSource, Settings

_NO_MODES = "who may read a file is not looked at on this system"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What came of reading the configuration: `settings`, None when it cannot be used, and then why."""

    settings: Settings | None = None
    error: AdapterError | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)


def read_configuration(stated: Path | None) -> Configuration:
    """Read the configuration file, or say why not; never raises."""
    try:
        from fhir_adapter.settings import read_settings  # noqa: PLC0415 - a package that it needs may be missing

        if stated is not None:
            fault = shape_fault(stated, do="")
            if fault is not None:
                issue = Issue("error", "unreadable-file", fault.found, Where(str(stated)))
                return Configuration(error=Misconfigured(fault.found, issue))
        settings = read_settings(stated)
    except AdapterError as error:
        return Configuration(error=error)
    except ImportError:
        return Configuration()
    return Configuration(settings, None, settings.defaults)


def look_at_configuration(notes: Notes, configuration: Configuration) -> None:
    """The file itself, and every secret and file that it names."""
    with notes.border("configuration"):
        if configuration.error is not None:
            raise configuration.error
        if configuration.settings is None:
            raise ImportError
        _look_at_file(notes, configuration.settings)
    if configuration.settings is None:
        return
    settings = configuration.settings
    for name, server in settings.servers.items():
        look_at_token(notes, settings.server_token(name), name)
        if "ca_bundle" in server and settings.document is not None:
            _look_at_ca_bundle(notes, settings.document.path.parent / str(server["ca_bundle"]), name)


def look_at_token(notes: Notes, place: SecretPlace, about: str, *, needed: bool = False) -> None:
    """Where a bearer token comes from, which place wins, and whether it can be one."""
    with notes.border("token", about):
        source = place.source()
        if source is None and needed:
            do = "state token_file under `service`, or set FHIR_ADAPTER_SERVICE_TOKEN"
            notes.failed("token", "there is no token, and the service listens beyond this machine", do, "set-up", about)
        elif source is None:
            notes.skipped(
                "token", "none is stated", "state one if callers or the server must prove who they are", about
            )
        elif (fault := _fault(place, source)) is not None:
            notes.failed("token", f"{source}: {fault.found}", fault.do, "set-up", about)
        else:
            place.token()
            notes.passed("token", _read_from(source), about)


def readable_token(place: SecretPlace) -> bool:
    """False when reading the token would open something that is no regular file."""
    try:
        source = place.source()
    except AdapterError:
        return True  # reading it says why not
    return source is None or source.file is None or shape_fault(source.file) is None


def _read_from(source: SecretSource) -> str:
    found = f"read from {source}"
    if source.unused:
        return f"{found}, which stands before {' and '.join(source.unused)} of the configuration"
    return found if source.file is None or modes_count() else f"{found}; {_NO_MODES}"


def _fault(place: SecretPlace, source: SecretSource) -> Fault | None:
    if source.variable is not None:
        return token_fault(os.environ[source.variable])
    if source.file is None:
        return token_fault(place.stated["token"])
    fault = shape_fault(source.file) or privacy_fault(source.file)
    if fault is not None:
        return fault
    text = read_secret(source.file)
    return text if isinstance(text, Fault) else token_fault(text)


def _look_at_file(notes: Notes, settings: Settings) -> None:
    if settings.document is None:
        found = "there is none; options come from the command line and the environment"
        notes.passed("configuration", found)
        return
    path = settings.document.path
    named = ", ".join(settings.servers) or "none"
    inline = holds_secrets(settings)
    fault = privacy_fault(path) if inline else None
    if fault is not None:
        do = f"{fault.do}; or move the secrets into files or the environment"
        notes.failed("configuration", f"{fault.found}, and it holds secrets itself", do, "set-up", str(path))
    else:
        found = f"read; servers: {named}"
        notes.passed("configuration", found if modes_count() or not inline else f"{found}; {_NO_MODES}", str(path))


def holds_secrets(settings: Settings) -> bool:
    """True when a token or a header's value stands in the configuration file itself."""
    servers = settings.servers.values()
    inline = any("token" in server.get("auth", {}) or server.get("headers") for server in servers)
    return inline or "token" in settings.service_stated


def _look_at_ca_bundle(notes: Notes, path: Path, about: str) -> None:
    """A file of certificates that a TLS connection can be checked against."""
    fault = shape_fault(path)
    if fault is not None:
        notes.failed("ca-bundle", fault.found, fault.do, "set-up", about)
        return
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError:
        found = f"{path.name} holds no certificates that can be read"
        notes.failed("ca-bundle", found, "ask for the certificate of the issuer as PEM text", "set-up", about)
    else:
        notes.passed("ca-bundle", f"{path.name} holds certificates", about)

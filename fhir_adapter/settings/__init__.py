"""What the surroundings say: the configuration file, the environment, the servers it names, the service.

Precedence: command line, environment (`FHIR_ADAPTER_...`), configuration file, default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_config_path, user_state_path

from fhir_adapter.client import MAX_ENTRIES, Secret, ServerSettings, loopback_server
from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.settings.secrets import SecretPlace, SecretSource
from fhir_adapter.trial_folder import Document, read_yaml

APP = "fhir-adapter"
_SERVICE_TOKEN = "FHIR_ADAPTER_SERVICE_TOKEN"  # noqa: S105 - the name of a variable
_SERVICE_NUMBERS = ("host", "port", "max_body_bytes", "shutdown_seconds")
_TOKENS = ("token", "token_file", "token_environment")
DEFAULTS = ("trial", "server", "state", "format")
"""Options of the command line that the configuration file may set."""

__all__ = ["SecretPlace", "SecretSource", "ServiceSettings", "Settings", "read_settings", "state_file"]


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How the HTTP service listens and what it takes.

    Without a token it may only listen on a loopback address. `max_body_bytes` limits a request's content;
    `shutdown_seconds` is how long calls that are under way may take to end after a signal.
    """

    host: str = "127.0.0.1"
    port: int = 8090
    token: Secret | None = None
    max_body_bytes: int = 8 * 1024 * 1024
    shutdown_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration: defaults for options, servers by name, and the HTTP service."""

    document: Document | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    service_stated: Mapping[str, Any] = field(default_factory=dict)

    def server(self, named: str) -> ServerSettings:
        """The server of that name, or the one at that URL; raises `Misconfigured` for neither."""
        if named in self.servers:
            return _server(self, named, self.servers[named])
        if named.startswith(("http://", "https://")):
            _check_url(named, Where("--server"))
            return loopback_server(named)
        known = ", ".join(self.servers) or "none is configured"
        shown = repr(named) if named.replace("-", "").isalnum() else "of that name"  # a URL may hold credentials
        message = f"no server {shown}: neither an http(s) URL nor a name below `servers` ({known})"
        raise Misconfigured(message, Issue("error", "unknown-server", message, Where("--server")))

    def base_of(self, named: str) -> str:
        """The base URL of a server, without a look at its secrets; raises `Misconfigured` as `server` does."""
        stated = self.servers.get(named)
        return str(stated["base"]).rstrip("/") if stated is not None else self.server(named).base

    def service(self, token_file: Path | None = None) -> ServiceSettings:
        """How the service is to run, with the token of this file or as stated; raises `Misconfigured` for a wrong one.

        The environment (`FHIR_ADAPTER_SERVICE_TOKEN`) stands before what is configured.
        """
        stated = {name: self.service_stated[name] for name in _SERVICE_NUMBERS if name in self.service_stated}
        return ServiceSettings(token=self.service_token(token_file).token(), **stated)

    def service_token(self, token_file: Path | None = None) -> SecretPlace:
        """Where the service's token is stated."""
        if token_file is not None:
            return SecretPlace(None, ("--token-file",), {"token_file": str(token_file)}, "")
        stated = {name: self.service_stated[name] for name in _TOKENS if name in self.service_stated}
        return SecretPlace(self.document, ("service",), stated, _SERVICE_TOKEN)

    def server_token(self, name: str) -> SecretPlace:
        """Where the token of a configured server is stated."""
        key, variable = ("servers", name, "auth"), f"FHIR_ADAPTER_{_environment_name(name)}_TOKEN"
        return SecretPlace(self.document, key, self.servers[name].get("auth", {}), variable)


def read_settings(stated: Path | None) -> Settings:
    """Read the configuration file: the one stated, or the user's own if there is one.

    Raises `Misconfigured` with file and line for everything that is wrong in it.
    """
    path = stated if stated is not None else user_config_path(APP) / "config.yaml"
    if stated is None and not path.is_file():
        return Settings()
    document = read_yaml(path, "config")
    value: dict[str, Any] = document.value
    defaults = {name: value[name] for name in DEFAULTS if name in value}
    return Settings(document, defaults, value.get("servers", {}), value.get("service", {}))


def state_file(stated: str | None, trial: str) -> Path:
    """Where a trial's state is kept: as stated (a path, or `sqlite:///path`), or in the user's state folder."""
    if not stated:
        return user_state_path(APP) / f"{trial}.sqlite"
    scheme, separator, rest = stated.partition("://")
    if separator and (scheme != "sqlite" or not rest.startswith("/")):
        message = f"--state: {scheme[:20]} databases are not supported yet; name a file"
        raise Misconfigured(message, Issue("error", "unknown-state", message, Where("--state")))
    path = Path(rest[1:] if separator else stated)
    return path / f"{trial}.sqlite" if path.is_dir() else path


def _server(settings: Settings, name: str, stated: Mapping[str, Any]) -> ServerSettings:
    document = settings.document
    assert document is not None
    _check_url(stated["base"], document.issue("", "", "servers", name, "base").where)
    return ServerSettings(
        base=stated["base"].rstrip("/"),
        name=name,
        role=stated.get("role", "both"),
        kind=stated.get("kind", "research"),
        test=stated.get("test", False),
        fhir_versions=("4.0", *(["4.3"] if stated.get("accept_4_3") else [])),
        token=settings.server_token(name).token(),
        ca_bundle=_ca_bundle(document, name, stated.get("ca_bundle")),
        proxy=_proxy(document, name, stated.get("proxy")),
        headers={
            key: SecretPlace(document, ("servers", name, "headers"), {}, "").header(value, key)
            for key, value in stated.get("headers", {}).items()
        },
        max_entries=stated.get("max_entries", MAX_ENTRIES),
        timeout_seconds=float(stated.get("timeout_seconds", 120)),
    )


def _check_url(url: str, where: Where) -> None:
    """Refuse credentials inside a URL: URLs end up in logs."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        message = "no URL; a base URL is such as https://fhir.example/r4"
        raise Misconfigured(message, Issue("error", "wrong-url", message, where)) from error
    if parts.username is not None or parts.password is not None:
        message = "credentials inside a URL are refused; state them under `auth` of a configured server"
        raise Misconfigured(message, Issue("error", "secret-in-url", message, where))
    if not parts.hostname or parts.query or parts.fragment:
        message = "a base URL has a host, and neither a query nor a fragment, such as https://fhir.example/r4"
        raise Misconfigured(message, Issue("error", "wrong-url", message, where))


def _ca_bundle(document: Document, server: str, stated: str | None) -> str | None:
    if stated is None:
        return None
    path = document.path.parent / stated
    if not path.is_file():
        message = f"the file {path.name} is not there; it is looked for beside the configuration"
        raise Misconfigured(message, document.issue("missing-file", message, "servers", server, "ca_bundle"))
    return str(path)


def _proxy(document: Document, server: str, stated: str | None) -> str | None:
    if stated is not None:
        where = document.issue("", "", "servers", server, "proxy").where
        if not stated.startswith(("http://", "https://")):
            message = "a proxy is named by an http(s) URL such as http://proxy.example:3128"
            raise Misconfigured(message, Issue("error", "wrong-url", message, where))
        _check_url(stated, where)
    return stated


def _environment_name(server: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in server).upper()

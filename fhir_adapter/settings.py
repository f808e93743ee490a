"""What the surroundings say: the configuration file, the environment, the servers it names.

Precedence: command line, environment (`FHIR_ADAPTER_...`), configuration file, default. A secret is never written into
a message; a secret stated twice, missing, or inside a URL is refused with file and line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_config_path, user_state_path

from fhir_adapter.client import MAX_ENTRIES, Secret, ServerSettings, loopback_server
from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.trial_folder import Document, read_yaml

APP = "fhir-adapter"
DEFAULTS = ("trial", "server", "state", "format")
"""Options of the command line that the configuration file may set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration: defaults for options, and servers by name."""

    document: Document | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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
    return Settings(document, defaults, value.get("servers", {}))


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
        token=_token(document, name, stated.get("auth", {})),
        ca_bundle=_ca_bundle(document, name, stated.get("ca_bundle")),
        proxy=_proxy(document, name, stated.get("proxy")),
        headers={
            key: _header(document, value, "servers", name, "headers", key)
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


def _token(document: Document, server: str, auth: Mapping[str, str]) -> Secret | None:
    """The bearer token: from the environment before the file, and never from two places in the file."""
    key = ("servers", server, "auth")
    if "token" in auth and "token_file" in auth:
        message = "token and token_file are both stated; keep one"
        raise Misconfigured(message, document.issue("secret-twice", message, *key, "token_file"))
    variable = auth.get("token_environment", f"FHIR_ADAPTER_{_environment_name(server)}_TOKEN")
    if os.environ.get(variable):
        return _header(document, os.environ[variable].strip(), *key)
    if "token_file" in auth:
        secret = _read_secret(document, document.path.parent / auth["token_file"], *key, "token_file")
        return _header(document, secret, *key, "token_file")
    if "token" in auth:
        return _header(document, auth["token"], *key, "token")
    if "token_environment" in auth:
        message = f"the environment variable {variable} is not set"
        raise Misconfigured(message, document.issue("secret-missing", message, *key, "token_environment"))
    return None


def _header(document: Document, value: str, *key: str) -> Secret:
    """A secret that can stand in a header: visible ASCII, so that it cannot begin a header of its own."""
    if not value.isascii() or not value.isprintable():
        message = "a secret with characters that no HTTP header may hold; only visible ASCII"
        raise Misconfigured(message, document.issue("wrong-secret", message, *key))
    return Secret(value)


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


def _read_secret(document: Document, path: Path, *key: str) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the secret file {path.name} cannot be read"
        raise Misconfigured(message, document.issue("secret-missing", message, *key)) from error
    if not secret:
        message = f"the secret file {path.name} is empty"
        raise Misconfigured(message, document.issue("secret-missing", message, *key))
    return secret

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
        message = f"no server {named!r}: neither an http(s) URL nor a name below `servers` ({known})"
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
    scheme, separator, rest = stated.partition(":///")
    if separator and scheme != "sqlite":
        message = f"--state: {scheme} databases are not supported yet; name a file"
        raise Misconfigured(message, Issue("error", "unknown-state", message, Where("--state")))
    path = Path(rest if separator else stated)
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
        ca_bundle=stated.get("ca_bundle"),
        proxy=stated.get("proxy"),
        headers={key: Secret(value) for key, value in stated.get("headers", {}).items()},
        max_entries=stated.get("max_entries", MAX_ENTRIES),
        timeout_seconds=float(stated.get("timeout_seconds", 120)),
    )


def _check_url(url: str, where: Where) -> None:
    """Refuse credentials inside a URL: URLs end up in logs."""
    parts = urlsplit(url)
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
        return Secret(os.environ[variable].strip())
    if "token_file" in auth:
        return Secret(_read_secret(document, document.path.parent / auth["token_file"], *key, "token_file"))
    if "token" in auth:
        return Secret(auth["token"])
    if "token_environment" in auth:
        message = f"the environment variable {variable} is not set"
        raise Misconfigured(message, document.issue("secret-missing", message, *key, "token_environment"))
    return None


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

"""What must be known of a server before the first request: where it is, what it is for, how to be let in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

MAX_ENTRIES = 1000
"""Entries of a transaction where the configuration says nothing; a subject of a trial seldom has more."""


class Secret:
    """A secret that never shows itself: not in a log, not in an error, not in a debugger's view."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """A FHIR server: `base` without a slash at its end, its role, and the limits it is to be met with."""

    base: str
    name: str = ""
    role: Literal["read", "write", "both"] = "both"
    kind: Literal["research", "ehr", "sandbox"] = "research"
    test: bool = False
    fhir_versions: tuple[str, ...] = ("4.0",)
    token: Secret | None = None
    ca_bundle: str | None = None
    proxy: str | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    max_entries: int = MAX_ENTRIES
    timeout_seconds: float = 120.0
    attempts: int = 4


def loopback_server(base: str) -> ServerSettings:
    """A bare URL: on a loopback address it is a test server that we own; elsewhere it is not known to be one."""
    return ServerSettings(base.rstrip("/"), name=base.rstrip("/"), test=is_loopback(base), kind="research")


def is_loopback(base: str) -> bool:
    """True when the URL names this machine by a loopback address or as localhost."""
    host = urlsplit(base).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""Whether the environment names a proxy that can be one; a wrong one breaks every request, whatever the server."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

from fhir_adapter.jobs.doctor.checks import Notes

_NAMED = ("http", "https", "all")
_SCHEMES = ("http", "https", "socks5", "socks5h")


def look_at_proxy(notes: Notes, about: str) -> bool:
    """False when a variable such as HTTPS_PROXY holds what no proxy is named by; its value is never told."""
    named = {scheme: value for scheme, value in getproxies().items() if scheme in _NAMED and value}
    wrong = [f"{scheme.upper()}_PROXY" for scheme, value in named.items() if not _is_proxy(value)]
    if wrong:
        found = f"{', '.join(wrong)} in the environment: no URL of a proxy"
        do = "write it as http://proxy.example:3128, or remove it, or state `proxy` of the server"
        notes.failed("server-proxy", found, do, "set-up", about)
    elif named:
        notes.passed("server-proxy", "the environment names a proxy, which requests go through", about)
    return not wrong


def _is_proxy(value: str) -> bool:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname) and " " not in value

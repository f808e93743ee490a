"""When two forms of a resource say the same: what servers set or order themselves is no difference."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fhir_adapter import fhirjson

_NOT_OURS = ("versionId", "lastUpdated", "source", "tag")


def content_digest(resource: Mapping[str, Any]) -> bytes:
    """The SHA-256 of what a resource says, whatever the order of its elements, profiles, labels and tags.

    Left out is what servers set themselves: version, time and source of the last write, tags, the narrative.
    """
    meta = resource.get("meta") or {}
    kept = {name: _as_set(value) for name, value in meta.items() if name not in _NOT_OURS}
    said = {name: value for name, value in resource.items() if name not in ("text", "meta")}
    return hashlib.sha256(fhirjson.dumps(_ordered({**said, "meta": kept}))).digest()


def same_content(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """True when the server holds what we would send."""
    return content_digest(ours) == content_digest(theirs)


def version_in(resource: Mapping[str, Any]) -> str | None:
    """The version that a server's own form of a resource carries."""
    version = (resource.get("meta") or {}).get("versionId")
    return str(version) if version is not None else None


def _ordered(value: Any) -> Any:  # noqa: ANN401 - JSON is any value
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value


def _as_set(value: object) -> object:
    """Profiles, labels and tags have no order, and servers give them another (HAPI sorts profiles)."""
    return sorted(fhirjson.dumps(_ordered(one)).decode() for one in value) if isinstance(value, list) else value

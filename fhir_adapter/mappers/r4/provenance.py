"""Provenance (R4): who wrote what in one transaction, and from which files.

One per transaction that changed something, inside it; targets are unversioned, because servers strip versions.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from fhir_adapter.mappers.canonical import TERMINOLOGY
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.device import ADAPTER_NAME

_ACTIVITIES = {"create": ("CREATE", "create"), "update": ("UPDATE", "revise")}


def map_provenance(
    provenance_id: str,
    targets: Sequence[str],
    recorded: str,
    activity: str,
    files: Mapping[str, str],
    context: Context,
) -> Resource:
    """The record of one transaction: `targets` as `Type/id`, `files` with their SHA-256, `recorded` an instant."""
    code, display = _ACTIVITIES[activity]
    resource: Resource = {
        "resourceType": "Provenance",
        "id": provenance_id,
        "meta": context.meta("trial-provenance"),
        "target": [{"reference": target} for target in targets],
        "recorded": recorded,
        "activity": {"coding": [{"system": f"{TERMINOLOGY}v3-DataOperation", "code": code, "display": display}]},
        "agent": [
            {
                "type": {
                    "coding": [
                        {
                            "system": f"{TERMINOLOGY}provenance-participant-type",
                            "code": "assembler",
                            "display": "Assembler",
                        }
                    ]
                },
                "who": context.names.reference("Device", ADAPTER_NAME),
            }
        ],
    }
    if files:
        resource["entity"] = [_entity(file, digest) for file, digest in files.items()]
    return resource


def _entity(file: str, digest: str) -> Resource:
    """A source file, named by what it held: its SHA-256 as a `ni` URI (RFC 6920)."""
    named = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"ni:///sha-256;{named}"}
    return {"role": "source", "what": {"identifier": identifier, "display": file}}

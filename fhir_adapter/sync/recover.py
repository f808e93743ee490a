"""What became of transactions that were under way when the program was stopped.

A transaction is all or nothing and carries its own Provenance, so the Provenance on the server proves the whole of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fhir_adapter.client import FhirServer
from fhir_adapter.store import Intent, Ledger


def recover(ledger: Ledger, server: FhirServer) -> dict[str, Intent]:
    """Acknowledge every open intent whose Provenance stands on the server; answer the others by Provenance id.

    The others stay open: a request may still be on its way, and sending the same again is harmless only when it is
    the same to the byte. Costs no request when nothing was open.
    """
    intents = ledger.intents()
    if not intents:
        return {}
    proven = server.read_many("Provenance", [intent.provenance for intent in intents])
    for intent in intents:
        if intent.provenance in proven:
            ledger.acknowledge(intent, _versions(intent, server))
    return {intent.provenance: intent for intent in intents if intent.provenance not in proven}


def existing(server: FhirServer, names: Iterable[str]) -> dict[str, dict[str, object]]:
    """The resources that stand on the server under these names (`Type/id`)."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for name in names:
        resource_type, _, resource_id = name.partition("/")
        by_type[resource_type].append(resource_id)
    return {
        f"{resource_type}/{resource_id}": resource
        for resource_type, ids in by_type.items()
        for resource_id, resource in server.read_many(resource_type, ids).items()
    }


def _versions(intent: Intent, server: FhirServer) -> Mapping[str, str | None]:
    found = existing(server, [entry.name for entry in intent.entries])
    return {name: _version(resource) for name, resource in found.items()}


def _version(resource: Mapping[str, object]) -> str | None:
    meta = resource.get("meta")
    return str(meta["versionId"]) if isinstance(meta, dict) and "versionId" in meta else None

"""What became of transactions that were under way when the program was stopped.

A transaction carries its own Provenance, so the Provenance on the server proves that it took place; what of it really
stands there is read back all the same, because some servers take a transaction for a batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fhir_adapter.client import FhirServer
from fhir_adapter.store import EDITED, Intent, IntentEntry, Ledger
from fhir_adapter.sync.content import content_digest, version_in
from fhir_adapter.trial import MomentError, read_moment


def recover(ledger: Ledger, server: FhirServer) -> dict[str, Intent]:
    """Acknowledge every open intent whose Provenance stands on the server; answer the others by Provenance id.

    The others stay open: a request may still be on its way, and sending the same again is harmless only when it is
    the same to the byte. Costs no request when nothing was open.
    """
    intents = ledger.intents()
    return acknowledge_proven(intents, ledger, server) if intents else {}


def acknowledge_proven(intents: Iterable[Intent], ledger: Ledger, server: FhirServer) -> dict[str, Intent]:
    """Record the intents that took place with the versions they made; answer those that did not, by Provenance id."""
    by_provenance = {intent.provenance: intent for intent in intents}
    proven = server.read_many("Provenance", list(by_provenance))
    for provenance, resource in proven.items():
        intent = by_provenance.pop(provenance)
        there = existing(server, [entry.name for entry in intent.entries])
        stored = tuple(entry for entry in intent.entries if entry.name in there)
        versions = {entry.name: _version(entry, there[entry.name], resource) for entry in stored}
        ledger.acknowledge(replace(intent, entries=stored), versions)
    return by_provenance


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


def _version(entry: IntentEntry, there: Mapping[str, Any], provenance: Mapping[str, Any]) -> str | None:
    """The version that our write made, or `EDITED` when somebody wrote after us."""
    if content_digest(there) == entry.content or not _later(there, provenance):
        return version_in(there)
    return EDITED


def _later(there: Mapping[str, Any], provenance: Mapping[str, Any]) -> bool:
    """True when a resource was written after the last entry of our transaction, or nobody can tell."""
    try:
        written, ours = (
            read_moment(str(resource["meta"]["lastUpdated"])).bounds()[0] for resource in (there, provenance)
        )
    except (KeyError, TypeError, MomentError):
        return True
    return written > ours

"""How to talk to any FHIR server."""

from fhir_adapter.client.bundles import TransactionAnswer, TransactionEntry
from fhir_adapter.client.searching import Found, age_of, latest, token
from fhir_adapter.client.server import FhirServer, NotFhirError, ServerRejected
from fhir_adapter.client.server_settings import MAX_ENTRIES, Secret, ServerSettings, loopback_server

__all__ = [
    "MAX_ENTRIES",
    "FhirServer",
    "Found",
    "NotFhirError",
    "Secret",
    "ServerRejected",
    "ServerSettings",
    "TransactionAnswer",
    "TransactionEntry",
    "age_of",
    "latest",
    "loopback_server",
    "token",
]

"""Device (R4): this program, as the author of what it writes (Provenance needs a who)."""

from __future__ import annotations

from fhir_adapter import __version__
from fhir_adapter.mappers.canonical import ADAPTER_DEVICE
from fhir_adapter.mappers.context import Context, Resource

ADAPTER_NAME = "fhir-adapter"


def map_adapter(context: Context) -> Resource:
    """The adapter itself, with its version."""
    return {
        "resourceType": "Device",
        "id": context.names.id("Device", ADAPTER_NAME),
        "meta": {"security": context.security},
        "identifier": [{"system": ADAPTER_DEVICE, "value": ADAPTER_NAME}],
        "status": "active",
        "deviceName": [{"name": ADAPTER_NAME, "type": "user-friendly-name"}],
        "type": {"text": "Software that writes trial records as FHIR resources"},
        "version": [{"value": __version__}],
    }

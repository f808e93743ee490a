"""What the service can do, said in a CapabilityStatement, and the definition of its operation.

Source: https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from functools import lru_cache

from fhir_adapter import __version__, fhirjson
from fhir_adapter.mappers.canonical import BASE as CANONICAL_BASE
from fhir_adapter.serving.outcome import refusal
from fhir_adapter.validation import resource_types
from fhir_adapter.validation.canonical_resources import canonical_resource

STATED = "2026-11-25"
"""The day on which what this file states was last looked through."""

_VALIDATE = {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
_HSCORE = {"name": "hscore", "definition": f"{CANONICAL_BASE}/OperationDefinition/hscore"}
_SCORED = ("Patient", "Observation")
_NOTE = (
    "Scores are computed from what was pulled before; nothing is pulled, stored or changed by a call. $validate checks "
    "resources against FHIR R4 itself, not yet against profiles or terminologies; what it does not evaluate it says."
)


@lru_cache(maxsize=16)
def capability_statement(base: str) -> bytes:
    """The statement of the service at this base."""
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": True,
        "date": STATED,
        "kind": "instance",
        "software": {"name": "fhir-adapter", "version": __version__},
        "implementation": {"description": "fhir-adapter: HScore with evidence, validation", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "documentation": _NOTE, "resource": [_resource(one) for one in _types()]}],
    }
    return fhirjson.dumps(statement)


@lru_cache(maxsize=8)
def operation_definition(name: str) -> bytes:
    """The definition of one of our operations; raises `FhirError` 404 for another name."""
    if name != _HSCORE["name"]:
        raise refusal(404, "not-found", "no such definition here; there is hscore")
    return fhirjson.dumps(canonical_resource(f"OperationDefinition-{name}"))


def _types() -> list[str]:
    return sorted(resource_types())


def _resource(kind: str) -> dict[str, object]:
    found: dict[str, object] = {"type": kind}
    if kind == "OperationDefinition":
        found["interaction"] = [{"code": "read"}]
    found["operation"] = [*([_HSCORE] if kind in _SCORED else []), _VALIDATE]
    return found

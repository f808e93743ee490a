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
"""The day on which what this file states was last looked through; FHIR asks for one."""

_VALIDATE = {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
_DEFINITIONS = {"Patient": "hscore", "Observation": "observation-hscore"}
"""Our operation is called the same on both; what it takes differs."""
_ABSTRACT = frozenset({"Resource", "DomainResource"})
_NOTE = (
    "Scores are computed from what was pulled before; nothing is pulled, stored or changed by a call. $validate checks "
    "resources against FHIR R4 and the profiles that they name; what it does not evaluate it says."
)
_TOKEN = {"description": "A bearer token in the header Authorization; /health is open to all."}


@lru_cache(maxsize=16)
def capability_statement(base: str, *, patients: bool, token: bool) -> bytes:
    """The statement of the service at this base: whether it knows patients, and whether callers must show a token."""
    scored = [kind for kind in _DEFINITIONS if patients or kind != "Patient"]
    rest: dict[str, object] = {"mode": "server", "documentation": _NOTE}
    if token:
        rest["security"] = _TOKEN
    rest["resource"] = [_resource(kind, scored) for kind in sorted(resource_types() - _ABSTRACT)]
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
        "rest": [rest],
    }
    return fhirjson.dumps(statement)


@lru_cache(maxsize=8)
def operation_definition(name: str) -> bytes:
    """The definition of one of our operations; raises `FhirError` 404 for another name."""
    if name not in _DEFINITIONS.values():
        raise refusal(404, "not-found", f"no such definition here; there are {' and '.join(_DEFINITIONS.values())}")
    return fhirjson.dumps(canonical_resource(f"OperationDefinition-{name}"))


def _resource(kind: str, scored: list[str]) -> dict[str, object]:
    found: dict[str, object] = {"type": kind}
    if kind == "OperationDefinition":
        found["interaction"] = [{"code": "read"}]
    definition = f"{CANONICAL_BASE}/OperationDefinition/{_DEFINITIONS[kind]}" if kind in scored else ""
    found["operation"] = [*([{"name": "hscore", "definition": definition}] if definition else []), _VALIDATE]
    return found

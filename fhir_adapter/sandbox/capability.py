"""What this server can do, said in a CapabilityStatement that is made from the tables it runs on.

Source: https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fhir_adapter import __version__, fhirjson
from fhir_adapter.sandbox.parameters import parameters_of, resource_types
from fhir_adapter.sandbox.quirks import Behaviour
from fhir_adapter.sandbox.search import COMMON_PARAMETERS

NAME = "fhir-adapter sandbox"
STATED = "2026-11-23"
"""The day on which what this file states was last looked through."""

_SYSTEM_LEVELS = ("system", "_history")
_NOTE = (
    "A sandbox for rehearsals and tests: no security, no terminology, no profile checks on write; references to "
    "resources that are not here are accepted. Elements of the resource types known to the adapter's validator are "
    "checked on write. Unknown search parameters are refused unless handling=lenient is preferred."
)


@lru_cache(maxsize=16)
def capability_statement(base: str, behaviour: Behaviour, interactions: tuple[tuple[str, str], ...]) -> bytes:
    """The statement of the server at `base`; `interactions` are the (level, code) pairs that it runs."""
    system = dict.fromkeys(code for level, code in interactions if level in _SYSTEM_LEVELS)
    return fhirjson.dumps(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "experimental": True,
            "date": STATED,
            "kind": "instance",
            "software": {"name": NAME, "version": __version__},
            "implementation": {"description": NAME, "url": base},
            "fhirVersion": behaviour.fhir_version,
            "format": ["application/fhir+json", "json"],
            "rest": [
                {
                    "mode": "server",
                    "documentation": _NOTE,
                    "resource": [_resource(name, behaviour, interactions) for name in sorted(resource_types())],
                    "interaction": [{"code": code} for code in system],
                }
            ],
        }
    )


def _resource(name: str, behaviour: Behaviour, interactions: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    codes = dict.fromkeys(code for level, code in interactions if level not in (*_SYSTEM_LEVELS, "metadata"))
    return {
        "type": name,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update",
        "readHistory": "vread" in codes,
        "updateCreate": behaviour.create_on_update,
        "conditionalCreate": False,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
        "searchParam": _search_parameters(name),
    }


def _search_parameters(name: str) -> list[dict[str, str]]:
    common = [{"name": code, "type": kind} for code, (kind, _) in COMMON_PARAMETERS.items()]
    return common + [{"name": row.code, "type": row.kind} for row in parameters_of(name).values()]

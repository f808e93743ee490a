"""`POST /fhir/{type}/$validate`: what is wrong with one resource, and what was not looked at.

Source: https://hl7.org/fhir/R4/operation-resource-validate.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fhir_adapter.service.asked import VALIDATE, Asked, of_parameters, of_query
from fhir_adapter.serving.outcome import Problem, outcome_body, problem_of, refusal
from fhir_adapter.validation import check, resource_types

_RANKS = ("fatal", "error", "warning", "information")
_MODES = ("create", "update", "profile")


def validate(kind: str, query: bytes, sent: Mapping[str, object]) -> bytes:
    """The OperationOutcome for a resource of this type; it is answered with 200 whatever was found.

    Raises `FhirError` when there is nothing to validate: an unknown type (404), another type than the address says,
    or a parameter that is not known (400), a mode that is not built (422).
    """
    if kind not in resource_types():
        raise refusal(404, "not-supported", "the address names no resource type of FHIR R4")
    asked, resource = _asked(kind, query, sent)
    if asked.mode is not None and asked.mode not in _MODES:
        raise refusal(422, "not-supported", f"this mode is not built; there are {', '.join(_MODES)}")
    found = resource.get("resourceType")
    if not isinstance(found, str):
        raise refusal(400, "structure", "resourceType is missing or no text", "resourceType")
    if found != kind:
        raise refusal(400, "invalid", f"the resource is of another type; the address says {kind}", "resourceType")
    profiles = [asked.profile] if asked.profile else []
    found = sorted(check(resource, profiles), key=lambda issue: _RANKS.index(issue.severity))
    problems = [problem_of(issue) for issue in found]
    return outcome_body(problems or [Problem("informational", "nothing wrong was found", severity="information")])


def _asked(kind: str, query: bytes, sent: Mapping[str, object]) -> tuple[Asked, Mapping[str, object]]:
    """The resource alone with a query, or inside Parameters."""
    wrapped = sent.get("resourceType") == "Parameters" and (kind != "Parameters" or _carries_resource(sent))
    if not wrapped:
        return of_query(query, VALIDATE), sent
    of_query(query, {})
    asked = of_parameters(sent, VALIDATE, ("resource",))
    if not asked.resources:
        raise refusal(400, "required", "the parameter resource is missing", "Parameters.parameter")
    return asked, asked.resources[0][1]


def _carries_resource(sent: Mapping[str, object]) -> bool:
    parts = sent.get("parameter")
    return isinstance(parts, list) and any(isinstance(part, dict) and part.get("name") == "resource" for part in parts)

"""Which rules between elements the structural check enforces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.validation import check_structure

CODE = {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}
OTHER = {"coding": [{"system": "http://loinc.org", "code": "2-6"}]}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": CODE}
DOSE = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "medicationCodeableConcept": {"text": "x"},
    "subject": {"display": "x"},
    "effectiveDateTime": "2016-03-01",
}
RESOURCE = {"resource": {"resourceType": "Patient", "active": True}}
GET = {"method": "GET", "url": "Patient"}


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    """A Bundle of the kind with the entries."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def period(start: str, end: str) -> dict[str, Any]:
    """An Observation over a period."""
    return {**OBSERVATION, "effectivePeriod": {"start": start, "end": end}}


BROKEN = [
    ("obs-6", {**OBSERVATION, "valueString": "x", "dataAbsentReason": {"text": "y"}}),
    ("obs-7", {**OBSERVATION, "valueString": "x", "component": [{"code": OTHER}, {"code": CODE}]}),
    ("obs-3", {**OBSERVATION, "referenceRange": [{"type": {"text": "x"}}]}),
    ("mad-1", {**DOSE, "dosage": {"text": "x"}}),
    ("sqty-1", {**DOSE, "dosage": {"dose": {"value": 1, "comparator": "<"}}}),
    ("qty-3", {**OBSERVATION, "valueQuantity": {"value": Decimal("1.5"), "code": "mg"}}),
    ("per-1", period("2024-03-02", "2024-03-01")),
    ("per-1", period("2024-03-02", "2024-02")),
    ("per-1", period("2024-03-01T10:00:00+08:00", "2024-03-01T01:59:59Z")),
    ("per-1", period("2016-12-31T23:59:60Z", "2016-12-31T23:59:58Z")),
    ("ext-1", {**OBSERVATION, "extension": [{"url": "http://example.org/x"}]}),
    ("org-1", {"resourceType": "Organization", "active": True}),
    ("pat-1", {"resourceType": "Patient", "contact": [{"gender": "male"}]}),
    ("cpt-2", {"resourceType": "Patient", "telecom": [{"value": "1"}]}),
    ("grp-1", {"resourceType": "Group", "type": "person", "actual": False, "member": [{"entity": {"display": "x"}}]}),
    ("inv-1", {"resourceType": "Parameters", "parameter": [{"name": "a"}]}),
    ("inv-1", {"resourceType": "Parameters", "parameter": [{"name": "a", "valueCode": "b", **RESOURCE}]}),
    ("bdl-3", bundle("transaction", RESOURCE)),
    ("bdl-3", bundle("collection", {**RESOURCE, "request": GET})),
    ("bdl-4", bundle("collection", {**RESOURCE, "response": {"status": "200"}})),
    ("bdl-5", bundle("collection", {"fullUrl": "http://example.org/1"})),
    ("bdl-7", bundle("collection", {"fullUrl": "urn:a", **RESOURCE}, {"fullUrl": "urn:a", **RESOURCE})),
]

KEPT = [
    {**OBSERVATION, "dataAbsentReason": {"text": "y"}},
    {**OBSERVATION, "valueString": "x", "component": [{"code": OTHER, "valueString": "y"}]},
    {**OBSERVATION, "component": [{"code": CODE, "valueString": "y"}]},
    {**DOSE, "dosage": {"dose": {"value": 1}}},
    {**DOSE, "dosage": {"rateQuantity": {"value": 1}}},
    period("2024-03", "2024-03-01"),
    period("2024-03-01", "2024-03-01"),
    period("2024-03-01T00:30:00+14:00", "2024-02-29"),
    period("2024-03-01T10:00:00+08:00", "2024-03-01T02:00:00Z"),
    bundle("transaction", {**RESOURCE, "request": GET}),
    bundle("searchset", RESOURCE, RESOURCE),
    bundle(
        "history",
        {"fullUrl": "urn:a", **RESOURCE, "request": GET, "response": {"status": "200"}},
        {"fullUrl": "urn:a", **RESOURCE, "request": GET, "response": {"status": "200"}},
    ),
]


@pytest.mark.parametrize(("rule", "resource"), BROKEN)
def test_a_broken_invariant_is_named(rule: str, resource: dict[str, Any]) -> None:
    """Exactly the broken rule is reported, by its id in the specification."""
    [issue] = check_structure(resource)

    assert (issue.code, issue.rule) == ("invariant", rule)


@pytest.mark.parametrize("resource", KEPT)
def test_what_keeps_the_invariants_passes(resource: dict[str, Any]) -> None:
    """Near misses are no errors."""
    assert check_structure(resource) == []


def test_a_malformed_day_breaks_no_invariant() -> None:
    """A period with a day that the calendar does not have is a wrong format, and nothing is compared."""
    [issue] = check_structure(period("2023-02-29T10:00:00Z", "2023-02-28T10:00:00Z"))

    assert issue.code == "format"

"""Diagnoses of the hospital that treats subject 001."""

from __future__ import annotations

from typing import Any

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/condition-"


def condition(name: str, verification: str = "confirmed", clinical: str = "active", **more: Any) -> dict[str, Any]:
    """A Condition of subject 001: splenomegaly, recorded on study day -5 unless said otherwise."""
    return {
        "resourceType": "Condition",
        "id": name,
        "clinicalStatus": _status("clinical", clinical),
        "verificationStatus": _status("ver-status", verification),
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "16294009"}]},
        "subject": {"reference": "Patient/hp-1"},
        "recordedDate": "2024-01-05",
        **more,
    }


def _status(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{_TERMINOLOGY}{system}", "code": code}]}

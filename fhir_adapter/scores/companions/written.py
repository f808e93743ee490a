"""How criteria are written as JSON, for commands and services: the keys that other programs rely on."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.scores.companions.model import Criterion, Diagnosis, SubjectCriteria, WindowCriteria
from fhir_adapter.scores.written import written_evidence


def written_criteria(subjects: Iterable[SubjectCriteria]) -> dict[str, object]:
    """All criteria in the order of the subjects; values are strings, so no digit is lost."""
    known = list(subjects)
    return {
        "scores": [_window(window) for one in known for window in one.windows],
        "issues": [issue.to_dict() for one in known for issue in one.issues],
    }


def _window(one: WindowCriteria) -> dict[str, object]:
    whole = one.criteria
    apart: dict[str, object] = {"molecular_diagnosis": _criterion(whole.apart)} if whole.apart else {}
    diagnosis: dict[str, object] = {"diagnosis": _diagnosis(one.diagnosis)} if one.diagnosis else {}
    return {
        "subject": one.subject,
        "patient": one.patient,
        "window": one.window,
        "low": whole.low,
        "high": whole.high,
        "of": len(whole.counted),
        "needed": whole.needed,
        "status": whole.status,
        "why": whole.why,
        "as_of": one.as_of,
        "items": [_criterion(item) for item in whole.items],
        **apart,
        **diagnosis,
        "issues": [],
    }


def _criterion(item: Criterion) -> dict[str, object]:
    return {
        "item": item.item,
        "verdict": item.verdict,
        "required": item.required,
        "state": item.state,
        "why": item.why,
        "evidence": [written_evidence(one) for one in item.evidence],
        "notes": list(item.notes),
    }


def _diagnosis(one: Diagnosis) -> dict[str, object]:
    return {"populations": sorted(one.populations), "terms": list(one.terms)}

"""How scores are written as JSON, for commands and services: the keys that other programs rely on."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.scores.model import Bounds, Change, Evidence, ItemScore, SubjectScores, WindowScore


def written(subjects: Iterable[SubjectScores], cutoff: int) -> dict[str, object]:
    """All scores and changes, in the order of the subjects; values are strings, so no digit is lost."""
    known = list(subjects)
    return {
        "criteria": "hscore",
        "cutoff": cutoff,
        "scores": [_window(window) for one in known for window in one.windows],
        "changes": [_change(one.change) for one in known if one.change is not None],
        "issues": [issue.to_dict() for one in known for issue in one.issues],
    }


def _window(one: WindowScore) -> dict[str, object]:
    score = one.score
    return {
        "subject": one.subject,
        "patient": one.patient,
        "window": one.window,
        "low": score.low,
        "high": score.high,
        "status": score.status,
        "complete": score.complete,
        "as_of": one.as_of,
        "items": [_item(item) for item in score.items],
        "sensitivity": [{"rule": rule, "low": low, "high": high} for rule, low, high in one.sensitivity],
        "issues": [issue.to_dict() for issue in score.issues],
    }


def _item(item: ItemScore) -> dict[str, object]:
    return {
        "item": item.item,
        "low": item.low,
        "high": item.high,
        "state": item.state,
        "evidence": [written_evidence(one) for one in item.evidence],
        "notes": list(item.notes),
    }


def written_evidence(one: Evidence) -> dict[str, object]:
    """One result that was looked at, as it came and why it counts or not."""
    result = one.result
    return {
        "test": result.name,
        "reference": result.reference or None,
        "version": result.version,
        "sha256": result.sha256,
        "effective": result.effective.iso if result.effective else None,
        "comparator": result.comparator,
        "value": result.value if result.present is None else result.value or str(result.present).lower(),
        "unit": result.unit,
        "source": result.source,
        "used": one.used,
        "why": one.why,
        "flags": list(result.flags),
    }


def _change(one: Change) -> dict[str, object]:
    return {
        "subject": one.subject,
        "from": one.first,
        "to": one.second,
        "low": one.full.low if one.full else None,
        "high": one.full.high if one.full else None,
        "direction": one.direction,
        "without_marrow": _bounds(one.without_marrow),
        "common_items": _bounds(one.common, items=True),
        "notes": list(one.notes),
    }


def _bounds(bounds: Bounds | None, *, items: bool = False) -> dict[str, object] | None:
    if bounds is None:
        return None
    listed: dict[str, object] = {"items": list(bounds.items)} if items else {}
    return {"low": bounds.low, "high": bounds.high, **listed}

"""A set of criteria as a person reads it: each criterion with its evidence, what was passed over, what is not known.

Nothing here says what a subject has or does not have: how many criteria are fulfilled is all that is computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_adapter.scores.companions.model import Criteria, CriteriaSet, Criterion, WindowCriteria
from fhir_adapter.scores.companions.three_valued import TITLES
from fhir_adapter.scores.model import Evidence

ITEMS = {
    "fever": "fever",
    "splenomegaly": "splenomegaly",
    "cytopenias": "cytopenias, 2 of 3 lineages",
    "triglycerides_fibrinogen": "triglycerides and/or fibrinogen",
    "hemophagocytosis": "haemophagocytosis",
    "nk_activity": "NK cell activity",
    "ferritin": "ferritin",
    "soluble_cd25": "soluble CD25",
    "platelets": "platelets",
    "ast": "AST",
    "triglycerides": "triglycerides",
    "fibrinogen": "fibrinogen",
    "molecular_diagnosis": "molecular diagnosis",
}
"""The criteria in words."""

FULFILLED = {"met": "fulfilled", "not met": "not fulfilled", "undetermined": "undetermined"}

_AGAINST = {"met": "at or above", "not met": "below", "undetermined": "undetermined at"}
_SHOWN = 4
"""How many results that were passed over are shown for a criterion, the nearest in time first."""
_NO_PULL = "Nothing was pulled for this subject: typed values only."


def counted(one: Criteria) -> str:
    """How many criteria are fulfilled: a number when it is one, else the range, never a single number in its place."""
    number = str(one.low) if one.low == one.high else f"{one.low}-{one.high}"
    return f"{number} of {len(one.counted)}"


def in_words(one: Criteria) -> str:
    """The whole in words that say nothing of a disease."""
    if one.status in ("not applicable", "outside its population"):
        return f"{one.status} ({one.why})"
    required = [f"{ITEMS[item.item]} {FULFILLED[item.verdict]}" for item in one.items if item.required]
    enough = "met" if one.low >= one.needed else "not met" if one.high < one.needed else "undetermined"
    told = [f"{_AGAINST[enough]} {one.needed}", *required, one.why]
    if one.apart is not None:
        told.append(f"{ITEMS[one.apart.item]}, the other way in: {FULFILLED[one.apart.verdict]}")
    return "; ".join(part for part in told if part)


def explain_criteria(one: WindowCriteria, of: CriteriaSet, *, complete: bool = True) -> list[str]:
    """The note on one set of criteria at one visit, line by line."""
    whole = one.criteria
    lines = [f"{one.subject}: {of.title}, {counted(whole)} fulfilled, {one.window}; {in_words(whole)}."]
    for item in (*whole.items, *([whole.apart] if whole.apart else [])):
        lines.extend(_item_lines(item))
    mark = f"Data as of {one.as_of}, {'complete' if complete else 'incomplete'}." if one.as_of else _NO_PULL
    return [*lines, "", mark, of.caution]


def _item_lines(item: Criterion) -> Iterator[str]:
    yield ""
    yield f"{ITEMS[item.item]}: {FULFILLED[item.verdict]}{' (required)' if item.required else ''}"
    yield f"    {item.why}"
    for note in item.notes:
        yield f"    note: {note}"
    passed_over = [one for one in item.evidence if not one.used]
    for one in item.evidence:
        if one.used:
            yield f"  + {_evidence(one)}"
    for one in passed_over[:_SHOWN]:
        yield f"  - passed over: {_evidence(one)}"
    if len(passed_over) > _SHOWN:
        yield f"  - and {len(passed_over) - _SHOWN} more passed over; --format json lists all"


def _evidence(one: Evidence) -> str:
    result = one.result
    value = "" if result.not_done else f"{result.comparator or ''}{result.value} {result.unit}".strip()
    if result.present is not None:
        value = ("present" if result.present else "absent") + (f" ({result.value})" if result.value else "")
    when = result.effective.recorded if result.effective else "undated"
    source = f"{result.source}, {result.reference}" if result.reference else result.source
    flags = f" [{'; '.join(result.flags)}]" if result.flags else ""
    told = [TITLES.get(result.name, result.name), value, when, source]
    return f"{' | '.join(part for part in told if part)}: {one.why}{flags}"

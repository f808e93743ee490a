"""One score as a person reads it: every point with its value and evidence, what was passed over, what is not known."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_adapter.scores.hscore_table import MAXIMUM
from fhir_adapter.scores.model import Change, Evidence, HScore, ItemScore, WindowScore

CAUTION = (
    "HScore was built to diagnose haemophagocytic syndrome, not to measure activity or response; "
    "using it as the endpoint is the protocol's choice."
)
NO_ADVICE = "Items whose value could change the result (not a recommendation to test):"
TITLES = {
    "known_immunosuppression": "known underlying immunosuppression",
    "temperature": "temperature",
    "organomegaly": "organomegaly",
    "cytopenias": "cytopenias",
    "ferritin": "ferritin",
    "triglycerides": "triglycerides",
    "fibrinogen": "fibrinogen",
    "ast": "AST",
    "marrow_hemophagocytosis": "haemophagocytosis on marrow aspirate",
}
"""The items in words."""

TESTS = {
    **TITLES,
    "hemoglobin": "haemoglobin",
    "leukocytes": "leukocytes",
    "platelets": "platelets",
    "hepatomegaly": "liver",
    "splenomegaly": "spleen",
    "hepatosplenomegaly": "liver and spleen together",
}
"""The parts of items in words."""

STATES = {
    "measured": "measured",
    "partial": "known in part",
    "not_done": "not done",
    "unknown": "not known",
    "conflicting": "contradictory",
}


_SHOWN = 4
"""How many results that were passed over are shown for an item, the nearest in time first."""


_NO_PULL = "Nothing was pulled for this subject: typed values only."


def points(low: int, high: int) -> str:
    """A number when it is one, else the range: never a single number in its place."""
    return str(low) if low == high else f"{low}-{high}"


def signed(low: int, high: int) -> str:
    """A difference with its sign, or the range of it."""
    first, last = (f"{end:+d}" if end else "0" for end in (low, high))
    return first if low == high else f"{first} to {last}"


def against_cutoff(score: HScore) -> str:
    """Below, at or above, undetermined: words that say nothing of a diagnosis."""
    words = {"met": "at or above", "not met": "below", "undetermined": "undetermined at"}
    return f"{words[score.status]} {score.cutoff}"


def explain(one: WindowScore, change: Change | None = None, *, complete: bool = True) -> list[str]:
    """The note on one score, line by line."""
    score = one.score
    head = f"{one.subject}: HScore {points(score.low, score.high)} of {MAXIMUM}, {one.window}; {against_cutoff(score)}."
    lines = [head, *_change_lines(change)]
    for item in score.items:
        lines.extend(_item_lines(item))
    if score.undecided:
        lines += ["", NO_ADVICE, *(f"  {TITLES[name]} ({_range(score.item(name))})" for name in score.undecided)]
    mark = f"Data as of {one.as_of}, {'complete' if complete else 'incomplete'}." if one.as_of else _NO_PULL
    lines += ["", mark, CAUTION]
    return lines


def change_words(change: Change) -> str:
    """The change against the first visit, in one line."""
    if change.full is None or change.without_marrow is None or change.common is None:
        return f"{change.direction}; no change value"
    full = signed(change.full.low, change.full.high)
    primary = signed(change.without_marrow.low, change.without_marrow.high)
    common = signed(change.common.low, change.common.high)
    return (
        f"{full} ({change.direction}); marrow left out at both visits {primary}; on items known at both visits {common}"
    )


def _change_lines(change: Change | None) -> list[str]:
    if change is None:
        return []
    return [f"Change from {change.first}: {change_words(change)}.", *(f"  {note}" for note in change.notes)]


def _item_lines(item: ItemScore) -> Iterator[str]:
    yield ""
    yield f"{TITLES[item.item]}: {_range(item)} points, {STATES[item.state]}"
    for note in item.notes:
        yield f"    note: {note}"
    used = [one for one in item.evidence if one.used]
    passed_over = [one for one in item.evidence if not one.used]
    for one in used:
        yield f"  + {_evidence(one)}"
    for one in passed_over[:_SHOWN]:
        yield f"  - passed over: {_evidence(one)}"
    if len(passed_over) > _SHOWN:
        yield f"  - and {len(passed_over) - _SHOWN} more passed over; --format json lists all"


def _range(item: ItemScore) -> str:
    return points(item.low, item.high)


def _evidence(one: Evidence) -> str:
    result = one.result
    value = "" if result.not_done else f"{result.comparator or ''}{result.value} {result.unit}".strip()
    if result.present is not None:
        value = ("present" if result.present else "absent") + (f" ({result.value})" if result.value else "")
    parts = [TESTS.get(result.name, result.name), value, result.effective.recorded if result.effective else "undated"]
    parts.append(f"{result.source}, {result.reference}" if result.reference else result.source)
    flags = f" [{'; '.join(result.flags)}]" if result.flags else ""
    return f"{' | '.join(part for part in parts if part)}: {one.why}{flags}"

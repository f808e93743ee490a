"""Whether a criterion is met, not met or undetermined: what is missing, capped or contradictory is never counted as no.

A range of (least, most) parts that can be met carries all three answers: (1, 1), (0, 0) and (0, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fhir_adapter.scores.companions.model import Criterion, Limit, Row, State, Verdict
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.scores.points import Range, conflict, worst
from fhir_adapter.trial import Interval, Result

NOT_INTERPRETABLE = "not interpretable"
"""How the reason begins for which a result is never scored, whatever it says."""

TITLES = {
    "temperature": "temperature",
    "hemoglobin": "haemoglobin",
    "platelets": "platelets",
    "neutrophils": "neutrophils",
    "ferritin": "ferritin",
    "triglycerides": "triglycerides",
    "fibrinogen": "fibrinogen",
    "ast": "AST",
    "splenomegaly": "splenomegaly",
    "marrow_hemophagocytosis": "haemophagocytosis in the marrow",
    "spleen_hemophagocytosis": "haemophagocytosis in the spleen",
    "node_hemophagocytosis": "haemophagocytosis in a lymph node",
    "nk_activity": "low or absent NK cell activity",
    "soluble_cd25": "raised soluble CD25",
    "molecular_diagnosis": "molecular diagnosis",
}
"""The parts of criteria in words."""

UNKNOWN: Range = (0, 1)
_WORDS: Mapping[Range, str] = {(1, 1): "yes", (0, 0): "no"}
_VERDICTS: Mapping[Range, Verdict] = {(1, 1): "met", (0, 0): "not met", UNKNOWN: "undetermined"}


def deciding_by(limits: Mapping[str, Limit]) -> Callable[[str, Result], Range]:
    """How far one result of a part decides: a number by the limit of the table, a finding by itself."""

    def decides(part: str, result: Result) -> Range:
        if result.present is not None:
            return (1, 1) if result.present else (0, 0)
        if result.interval is None or part not in limits:
            return UNKNOWN
        fulfilling = limits[part].values(part, result)
        if fulfilling.contains(result.interval):
            return 1, 1
        return UNKNOWN if fulfilling.overlaps(result.interval) else (0, 0)

    return decides


def at_least(needed: int, parts: Sequence[Range]) -> Range:
    """Whether so many parts are fulfilled: certainly (1, 1), certainly not (0, 0), or undetermined."""
    low, high = sum(low for low, _ in parts), sum(high for _, high in parts)
    return int(low >= needed), int(high >= needed)


def verdict_of(answer: Range) -> Verdict:
    """The answer in words."""
    return _VERDICTS[answer]


def range_of(choice: Choice, part: str, decides: Callable[[str, Result], Range]) -> Range:
    """What the results that count allow: of several the one that fulfils, of contradictory ones both."""
    ranges = [decides(part, result) for result in choice.used]
    if not ranges:
        return UNKNOWN
    return conflict(ranges) if choice.conflicting else worst(ranges)


def criterion(
    row: Row, choices: Mapping[str, Choice], limits: Mapping[str, Limit], notes: Sequence[str] = ()
) -> Criterion:
    """One criterion from what was chosen for its parts; a part without a choice is not known."""
    stated = [part for part in row.if_stated if choices.get(part, Choice()).evidence]
    counting = [*row.parts, *(part for part in stated if choices[part].used)]
    chosen = {part: choices.get(part, Choice()) for part in counting}
    decides = deciding_by(limits)
    ranges = {part: range_of(choice, part, decides) for part, choice in chosen.items()}
    shown = [choices.get(part, Choice()) for part in (*row.parts, *stated)]
    return Criterion(
        item=row.item,
        verdict=verdict_of(at_least(row.at_least, list(ranges.values()))),
        state=_state(list(chosen.values())),
        why="; ".join(_why(part, chosen[part], ranges[part], limits.get(part)) for part in counting),
        evidence=tuple(dict.fromkeys(one for choice in shown for one in choice.evidence)),
        notes=tuple(dict.fromkeys([*(note for choice in shown for note in choice.notes), *notes])),
        required=row.required,
    )


def _state(chosen: Sequence[Choice]) -> State:
    if any(choice.conflicting for choice in chosen):
        return "conflicting"
    if all(choice.used for choice in chosen):
        return "measured"
    if any(choice.used for choice in chosen):
        return "partial"
    if any(_refused(choice) for choice in chosen):
        return "not_interpretable"
    return "not_done" if any(choice.not_done for choice in chosen) else "unknown"


def _why(part: str, choice: Choice, answer: Range, limit: Limit | None) -> str:
    result = choice.used[0] if choice.used else None
    printed = f" ({limit.words(part, result)})" if limit is not None else ""
    return f"{TITLES.get(part, part)}: {_WORDS.get(answer) or _open(choice)}{printed}"


def _open(choice: Choice) -> str:
    """Why a part is undetermined."""
    if any(result.interval == Interval() for result in choice.used):
        return "a result cannot be read, so anything is possible"
    if choice.used:
        return "contradictory" if choice.conflicting else "capped, on either side of the limit"
    return _refused(choice) or ("not done" if choice.not_done else "not known")


def _refused(choice: Choice) -> str:
    """Why a result that there is cannot be interpreted; empty when there is none."""
    return next((one.why for one in choice.evidence if one.why.startswith(NOT_INTERPRETABLE)), "")

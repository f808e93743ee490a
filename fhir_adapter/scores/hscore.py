"""HScore (Fardet 2014, table 3): points per item, as bounds when values are missing, capped or contradictory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.scores.hscore_table import BOTH_ORGANS, COUNTED, DEFAULT_CUTOFF, ITEMS, PARTS, SCORED_PARTS
from fhir_adapter.scores.model import Evidence, HScore, ItemScore, State
from fhir_adapter.scores.points import Range, conflict, counted_range, full_range, result_range, worst
from fhir_adapter.terminology import normalise
from fhir_adapter.trial import Interval, Measurement, Moment, Result, read_moment

_ANYTHING = Interval()
_EVERY = "every value counts: the one with the most points decides"


@dataclass(frozen=True, slots=True)
class Finding:
    """An item that is present, absent, or (None) not known: `known_immunosuppression`, `hepatomegaly`, ..."""

    item: str
    present: bool | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one part of an item: several results are taken as `worst` unless they contradict."""

    evidence: tuple[Evidence, ...] = ()
    conflicting: bool = False
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[Result, ...]:
        """The results that count."""
        return tuple(one.result for one in self.evidence if one.used and not one.result.not_done)

    @property
    def not_done(self) -> bool:
        """True when the source says that it was not examined, and nothing else says more."""
        return not self.used and any(one.used and one.result.not_done for one in self.evidence)


def hscore(
    measurements: Iterable[Measurement], findings: Iterable[Finding] = (), *, cutoff: int = DEFAULT_CUTOFF
) -> HScore:
    """The HScore of everything that is given, however many values there are of a test: the worst of each counts.

    Units are read exactly; a measurement that cannot be used (unknown unit, implausible value) leaves its item open
    and is named in `issues`. The answer's `low` and `high` differ as long as something is not known.
    """
    issues: list[Issue] = []
    results = [*_measured(measurements, issues), *_found(findings, issues)]
    by_part: dict[str, list[Evidence]] = {}
    for result in results:
        both = result.name == BOTH_ORGANS and result.present
        for name in PARTS["organomegaly"] if both else (result.name,):
            by_part.setdefault(name, []).append(Evidence(result, used=True, why=_EVERY))
    return total({part: Choice(tuple(many)) for part, many in by_part.items()}, cutoff, tuple(issues))


def total(choices: Mapping[str, Choice], cutoff: int = DEFAULT_CUTOFF, issues: tuple[Issue, ...] = ()) -> HScore:
    """The score of what was chosen for each part; a part without a choice is not known."""
    return HScore(tuple(_item(item, choices) for item in ITEMS), cutoff, issues)


def _item(item: str, choices: Mapping[str, Choice]) -> ItemScore:
    parts = PARTS[item]
    neither = choices.get(BOTH_ORGANS, Choice()) if item == "organomegaly" else Choice()
    chosen = [choices.get(part, Choice()) for part in parts]
    ranges = [_part_range(part, choice) for part, choice in zip(parts, chosen, strict=True)]
    contradicted = bool(neither.used) and all(low for low, _ in ranges)
    if item in COUNTED:
        low, high = counted_range(item, ranges, not_all=bool(neither.used), contradicted=contradicted)
    else:
        low, high = ranges[0]
    evidence = dict.fromkeys(one for choice in (*chosen, neither) for one in choice.evidence)
    notes = dict.fromkeys(note for choice in chosen for note in choice.notes)
    state: State = "conflicting" if contradicted else _state(chosen, neither)
    return ItemScore(item, low, high, state, tuple(evidence), tuple(notes))


def _part_range(part: str, choice: Choice) -> Range:
    ranges = [result_range(part, result) for result in choice.used]
    if not ranges:
        return full_range(part)
    return conflict(ranges) if choice.conflicting else worst(ranges)


def _state(chosen: list[Choice], neither: Choice) -> State:
    if any(choice.conflicting for choice in (*chosen, neither)):
        return "conflicting"
    told = [[one for one in choice.used if one.interval != _ANYTHING] for choice in chosen]
    if all(told) and sum(map(len, told)) == sum(len(choice.used) for choice in chosen):
        return "measured"
    if any(told) or neither.used:
        return "partial"
    return "not_done" if any(choice.not_done for choice in chosen) else "unknown"


def _measured(measurements: Iterable[Measurement], issues: list[Issue]) -> Iterable[Result]:
    for one in measurements:
        effective = read_moment(one.effective) if isinstance(one.effective, str) else one.effective
        if one.value is None:
            yield _absent(one, effective)
            continue
        try:
            read = normalise(one.test, one.value, "", one.unit or "", comparator=one.comparator)
        except Rejected as error:
            issues.extend(error.issues)
            continue
        yield Result(
            subject=one.subject,
            name=one.test,
            source="typed",
            interval=read.interval,
            value=one.value,
            unit=one.unit or "",
            comparator=one.comparator,
            effective=effective,
            flags=read.flags,
        )


def _absent(one: Measurement, effective: Moment | None) -> Result:
    return Result(subject=one.subject, name=one.test, source="typed", not_done=True, effective=effective)


def _found(findings: Iterable[Finding], issues: list[Issue]) -> Iterable[Result]:
    for one in findings:
        if one.item not in SCORED_PARTS:
            message = f"{one.item[:40]!r} is no finding of the HScore"
            issues.append(Issue("error", "unknown-finding", message, Where(expression="findings")))
        elif one.present is not None:
            yield Result(subject="", name=one.item, source="typed", present=one.present)

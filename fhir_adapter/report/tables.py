"""The tables of one subject: items by visits with what counts for each, other readings of the score, the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from fhir_adapter.report import words
from fhir_adapter.report.page import Page, SubjectPage
from fhir_adapter.scores import ITEMS, PARTS, Evidence, ItemScore, WindowScore
from fhir_adapter.scores.points import result_range
from fhir_adapter.trial import Result

_OUTSIDE = ", outside D"
_SHOWN, _SHOWN_OUTSIDE = 8, 3
"""Passed-over results listed per item and visit; a ward chart has hundreds that lie on other days."""


@dataclass(frozen=True, slots=True)
class Said:
    """Values that were collected at one time by one source."""

    values: tuple[str, ...]
    when: str
    source: str


@dataclass(frozen=True, slots=True)
class Cell:
    """An item at a visit: points, state as mark and word, and what counts."""

    points: str
    mark: str
    state: str
    said: tuple[Said, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item at all visits."""

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A result that was looked at: what it says, and why it counts or was passed over."""

    used: bool
    test: str
    value: str
    when: str
    source: str
    reference: str
    why: str


@dataclass(frozen=True, slots=True)
class ItemEvidence:
    """Everything that was looked at for an item; `more` counts what was passed over and is not listed."""

    title: str
    lines: tuple[EvidenceLine, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit with a score: what is said of it in a line, and the evidence of each of its items.

    `ends`: the change is counted from or to this visit.
    """

    name: str
    day: int | None
    rule: str
    range: str
    against: str
    open: list[words.Open]
    statement: str
    ends: bool
    evidence: tuple[ItemEvidence, ...]


def visits(subject: SubjectPage, page: Page) -> list[Visit]:
    """The visits with a score, in order of time."""
    return [_visit(one, subject, page) for one in subject.scores.windows]


def item_rows(subject: SubjectPage) -> list[ItemRow]:
    """The nine items in the order of the paper, at the visits that have a score."""
    windows = subject.scores.windows
    return [
        ItemRow(words.title(item), tuple(_cell(one.score.item(item), subject) for one in windows)) for item in ITEMS
    ]


def sensitivity(subject: SubjectPage) -> tuple[list[str], list[tuple[str, str, list[str]]]]:
    """Other rules beside the trial's own: their names, and for each visit the score by each of them."""
    rules = list(dict.fromkeys(rule for one in subject.scores.windows for rule, _, _ in one.sensitivity))
    rows = []
    for one in subject.scores.windows:
        by_rule = {rule: words.points(low, high) for rule, low, high in one.sensitivity}
        own = words.points(one.score.low, one.score.high)
        rows.append((words.window_name(one.window), own, [by_rule.get(rule, "not computed") for rule in rules]))
    return rules, rows


def missing(subject: SubjectPage) -> list[tuple[str, list[words.Open]]]:
    """Per visit the items whose value could change the score."""
    by_window: dict[str, list[words.Open]] = {}
    for window, item in subject.missing:
        one = subject.scores.at(window)
        by_window.setdefault(window, []).append(words.open_item(one.score if one else None, item))
    return [(words.window_name(window), items) for window, items in by_window.items()]


def _visit(one: WindowScore, subject: SubjectPage, page: Page) -> Visit:
    window = next((rule for rule in page.rules.windows if rule.name == one.window), None)
    return Visit(
        name=words.window_name(one.window),
        day=window.target if window else None,
        rule=words.rule_of(one.window, page),
        range=words.points(one.score.low, one.score.high),
        against=words.against_cutoff(one.score),
        open=words.open_items(one.score),
        statement=words.statement(one, page),
        ends=one.window in (page.rules.change_from, page.rules.change_to),
        evidence=tuple(_evidence(item, subject) for item in one.score.items if item.evidence),
    )


def _evidence(item: ItemScore, subject: SubjectPage) -> ItemEvidence:
    used = [one for one in item.evidence if one.used]
    outside = [one for one in item.evidence if not one.used and _OUTSIDE in one.why]
    inside = [one for one in item.evidence if not one.used and _OUTSIDE not in one.why]
    listed = (*used, *inside[:_SHOWN], *outside[:_SHOWN_OUTSIDE])
    lines = tuple(_evidence_line(one, subject) for one in listed)
    return ItemEvidence(words.title(item.item), lines, len(item.evidence) - len(listed))


def _evidence_line(one: Evidence, subject: SubjectPage) -> EvidenceLine:
    result = one.result
    why = "; ".join((one.why, *result.flags))
    version = f", version {result.version}" if result.version else ""
    return EvidenceLine(
        used=one.used,
        test=words.item_name(result.name),
        value=words.value(result),
        when=words.when(result.effective, subject),
        source=words.source(result),
        reference=f"{result.reference}{version}",
        why=why,
    )


def _cell(item: ItemScore, subject: SubjectPage) -> Cell:
    mark, state = words.STATES[item.state]
    return Cell(words.points(item.low, item.high), mark, state, tuple(_said(item, subject)), item.notes)


def _said(item: ItemScore, subject: SubjectPage) -> Iterator[Said]:
    several = len(PARTS[item.item]) > 1
    grouped: dict[tuple[str, str], list[str]] = {}
    for result, others in _deciding(item):
        spoken = "" if result.not_done and not several else words.value(result)
        if several:
            spoken = f"{words.item_name(result.name)} {spoken}"
        if others:
            spoken += f" ({others} more in the evidence)"
        grouped.setdefault((words.when(result.effective, subject), words.source(result)), []).append(spoken)
    for (when, source), spoken_values in grouped.items():
        yield Said(tuple(filter(None, spoken_values)), when, source)


def _deciding(item: ItemScore) -> Iterator[tuple[Result, int]]:
    """What counts for each part; of many only the first with the most points, and how many there are beside it.

    What contradicts each other is always shown whole.
    """
    by_part: dict[str, list[Result]] = {}
    for one in item.evidence:
        if one.used:
            by_part.setdefault(one.result.name, []).append(one.result)
    for part, results in by_part.items():
        if item.state == "conflicting" or len(results) == 1:
            yield from ((result, 0) for result in results)
        else:
            yield _most(part, results), len(results) - 1


def _most(part: str, results: Iterable[Result]) -> Result:
    def weight(one: Result) -> tuple[int, int, Fraction]:
        if one.not_done:
            return -1, -1, Fraction(0)
        return *result_range(part, one), (one.interval.low if one.interval else None) or Fraction(0)

    return max(results, key=weight)

"""One score as a person reads it: a note in sentences, then every point with its value and evidence.

The note says what is known and of which study day, what is not and in which days it was looked for, what was passed
over and why, and how the score moved; at baseline alone also what the published table says of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from fhir_adapter.scores.change import direction_of
from fhir_adapter.scores.choose import Course
from fhir_adapter.scores.hscore_table import BOTH_ORGANS, MAXIMUM, PARTS
from fhir_adapter.scores.model import Bounds, Change, Evidence, HScore, ItemScore, SubjectScores, WindowScore
from fhir_adapter.scores.points import full_range, result_range
from fhir_adapter.scores.probability import CITATION, NOT_AN_ACTIVITY_MEASURE, bracket_words
from fhir_adapter.trial import Moment, Pick, Result, ScoreRules, ScoreWindow, study_day, study_days_before

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

SHORT = {
    **TESTS,
    "known_immunosuppression": "immunosuppression",
    "organomegaly": "organs",
    "marrow_hemophagocytosis": "marrow",
}
"""Items as the note calls them."""

DIRECTIONS = {"improved": "lower", "worsened": "higher", "unchanged": "unchanged", "undetermined": "undetermined"}
"""Which way a score went; whether that is a response is not for a score to say."""

EVERY_RESULT = "all"
"""The window of a score without visits."""

_ENROLMENT, _MARROW, _ORGANS, _COUNT = (
    *("known_immunosuppression", "marrow_hemophagocytosis"),
    *("organomegaly", "cytopenias"),
)
_KINDS: Mapping[str, str] = {
    "temperature": "temperature",
    _MARROW: "marrow",
    **dict.fromkeys((_ORGANS, *PARTS[_ORGANS], BOTH_ORGANS), "organs"),
}
"""The rule of a window that each item and part is chosen by; everything else is blood."""

_SHOWN = 4
"""How many results that were passed over are shown for an item: those of the window, then the nearest in time."""

_NO_PULL = "Nothing was pulled for this subject: typed values only."
_UNKNOWN_POLICY = (
    "An item that is not known at a visit counts there with everything that it may be, also when it is not known at "
    "the other visit; immunosuppression, fixed at enrolment, cancels."
)
_RULES = {"first": "first", "last": "latest", "nearest": "nearest", "worst": "worst"}


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


def explain_subject(
    scores: SubjectScores, *, complete: bool = True, rules: ScoreRules | None = None, course: Course | None = None
) -> list[str]:
    """The notes on all scores of a subject, and a line on a second visit that has none."""
    lines: list[str] = []
    change = scores.change
    for one in scores.windows:
        mine = change if change is not None and change.second == one.window else None
        lines += [*explain(one, mine, complete=complete, rules=rules, course=course), ""]
    if change is not None and change.full is None and scores.at(change.second) is None:
        lines += [f"{scores.subject}, {_visit(change.second)}: no score; {_direction(change, None)}; no change value."]
        lines += [*_to_be_known(change), ""]
    return lines


def explain(
    one: WindowScore,
    change: Change | None = None,
    *,
    complete: bool = True,
    rules: ScoreRules | None = None,
    course: Course | None = None,
) -> list[str]:
    """The note on one score, line by line, and the evidence of each item below it.

    With the trial's `rules` and the subject's `course` it speaks in study days; without them in dates.
    """
    note = _Note(one, change, rules, course)
    lines = [*note.lines(), *_mark(one, complete=complete), CAUTION]
    for item in one.score.items:
        lines.extend(_item_lines(item, note))
    if one.score.undecided:
        lines += ["", NO_ADVICE]
        lines += [f"  {TITLES[name]} ({_range(one.score.item(name))})" for name in one.score.undecided]
    return lines


def blood_rule(window: ScoreWindow) -> str:
    """Which blood values count at a visit, by the trial's own rule."""
    days = days_words(window.blood.first_day, window.blood.last_day)
    if window.before_first_dose and window.blood.choice == "last":
        return f"last before injection 1, {days}"
    if window.blood.choice == "nearest":
        return f"nearest D{window.target} within {days}"
    return f"{_RULES[window.blood.choice]} of {days}"


def pick_of(item: str, score: HScore, window: ScoreWindow, course: Course | None) -> Pick:
    """Of which days a result counts for an item or a part; those of a temperature hang on the blood count's day."""
    pick = window.pick(_kind(item))
    if item != "temperature" or window.temperature_days is None or course is None:
        return pick
    days = [course.day_of(one.effective) for one in _used(score.item(_COUNT)) if one.effective]
    known = [day for day in days if day is not None]
    last = study_day(max(known), course.day_one) if known else window.target
    return Pick("worst", study_days_before(last, window.temperature_days - 1), last)


def days_words(first: int, last: int) -> str:
    """Study days from one to another."""
    if first == last:
        return f"D{first}"
    return f"D{first}-{last}" if first > 0 else f"D{first} to D{last}"


@dataclass(frozen=True)
class _Note:
    """One score in sentences."""

    one: WindowScore
    change: Change | None
    rules: ScoreRules | None
    course: Course | None

    def lines(self) -> Iterator[str]:
        """The sentences, one a line."""
        yield self._head()
        yield from self._stated()
        yield from self._known()
        yield from self._within_bounds()
        yield from self._not_known()
        yield from self._change()
        yield from self._passed_over()
        if self.window is not None:
            yield f"Values: {blood_rule(self.window)}."
        yield from self._probability()

    @cached_property
    def window(self) -> ScoreWindow | None:
        """The trial's rule for this visit."""
        windows = self.rules.windows if self.rules else ()
        return next((window for window in windows if window.name == self.one.window), None)

    def day(self, moment: Moment | None) -> str:
        """The study day of a moment, its date where study days are not known."""
        if moment is None:
            return "an unknown day"
        day = self.course.study_day(moment) if self.course else None
        return f"D{day}" if day is not None else moment.recorded[:10]

    def _date(self, moment: Moment | None) -> str:
        """The calendar day at the site as ISO 8601 writes it; empty, and so before all others, when there is none."""
        if moment is None:
            return ""
        day = self.course.day_of(moment) if self.course else None
        return day.isoformat() if day is not None else moment.recorded[:10]

    def _head(self) -> str:
        score = self.one.score
        head = f"{self.one.subject}, {_visit(self.one.window)}: HScore {points(score.low, score.high)} of {MAXIMUM}"
        said = [f"{head}, {against_cutoff(score)}"]
        if self.change is not None:
            full = self.change.full
            value = f"({signed(full.low, full.high)})" if full else "(no change value)"
            said.append(f"direction against {_visit(self.change.first)} {_direction(self.change, full)} {value}")
        return f"{'; '.join(said)}."

    def _stated(self) -> Iterator[str]:
        """Immunosuppression: who answered, and when; it is the same at every visit."""
        item = self.one.score.item(_ENROLMENT)
        used = _used(item)
        if not used:
            yield f"Nobody stated at enrolment: {TITLES[_ENROLMENT]} ({_range(item)})."
            return
        answers = " and ".join(dict.fromkeys("yes" if one.present else "no" for one in used))
        said = list(dict.fromkeys(flag for one in used for flag in one.flags))
        when = [one.effective.recorded[:10] for one in used if one.effective]
        by = f", {', '.join(said)}" if said else ""
        on = f" on {', '.join(dict.fromkeys(when))}" if when else ""
        yield f"{_capital(TITLES[_ENROLMENT])}: {answers} ({_range(item)}){by}{on}; it holds at every visit."

    def _known(self) -> Iterator[str]:
        """What is one number, by the day of what decided it; the most points first."""
        by_day: dict[str, list[str]] = {}
        for item in sorted(self._others(), key=lambda item: -item.high):
            if item.known and _used(item):
                times = [result.effective for result in _deciding(item).values()]
                days = dict.fromkeys(map(self.day, sorted(times, key=self._date)))
                by_day.setdefault(" and ".join(days), []).append(f"{_decided(item)} ({_range(item)})")
        for day, said in by_day.items():
            yield f"Known {_on(day)}: {', '.join(said)}."

    def _within_bounds(self) -> Iterator[str]:
        """What was measured and still is a range: capped, contradictory, or known in part."""
        said = [f"{self._part_by_part(item)} ({_range(item)})" for item in self._others() if not item.known]
        said = [one for one in said if not one.startswith(" (")]
        if said:
            yield f"Known within bounds only: {'; '.join(said)}."

    def _part_by_part(self, item: ItemScore) -> str:
        used = _used(item)
        said = [f"{_value_words(result)} {_on(self.day(result.effective))}" for result in used]
        if not said:
            return ""
        named = {result.name for result in used}
        missing = [] if BOTH_ORGANS in named else [SHORT[part] for part in PARTS[item.item] if part not in named]
        said += [f"{' and '.join(missing)} not known"] if missing else []
        return f"{'contradictory: ' if item.state == 'conflicting' else ''}{', '.join(said)}"

    def _not_known(self) -> Iterator[str]:
        """What was not measured, by the days in which it would have counted, and what is recorded as not done."""
        unmeasured: dict[str, list[str]] = {}
        not_done: list[str] = []
        for item in self._others():
            if item.known or _used(item):
                continue
            named = f"{SHORT[item.item]} ({_range(item)})"
            days = dict.fromkeys(self.day(one.result.effective) for one in item.evidence if one.used)
            if days:
                not_done.append(f"{named}, recorded {_on(' and '.join(days))}")
            else:
                unmeasured.setdefault(self._looked_for(item.item), []).append(named)
        if unmeasured:
            said = [f"{days}: {', '.join(named)}" for days, named in unmeasured.items()]
            yield f"Not measured{';'.join(said)}."
        if not_done:
            yield f"Not done: {', '.join(not_done)}."

    def _looked_for(self, item: str) -> str:
        """The study days in which a value would have counted, as they follow `Not measured`; blank without a rule."""
        if self.window is None:
            return ""
        pick = self._pick(item, self.window)
        return f" {days_words(pick.first_day, pick.last_day)}"

    def _pick(self, item: str, window: ScoreWindow) -> Pick:
        return pick_of(item, self.one.score, window, self.course)

    def _change(self) -> Iterator[str]:
        change = self.change
        if change is None:
            return
        if change.full is not None and change.without_marrow is not None and change.common is not None:
            primary = signed(change.without_marrow.low, change.without_marrow.high)
            direction = _direction(change, change.without_marrow)
            yield f"Marrow left out at both visits (primary): {primary}, {direction}."
            common = ", ".join(SHORT[item] for item in change.common.items)
            known = f"{signed(change.common.low, change.common.high)} ({common})" if common else "there are none"
            yield f"On items known at both visits: {known}."
            if change.full.low != change.full.high:
                yield _UNKNOWN_POLICY
        yield from _to_be_known(change)

    def _passed_over(self) -> Iterator[str]:
        """Results of days near this visit that no visit looks at, day by day; everything else by its reason."""
        days: dict[int, dict[str, list[str]]] = {}
        reasons: Counter[str] = Counter()
        for one in self._unused():
            name = one.result.name
            day = self.course.study_day(one.result.effective) if self.course and one.result.effective else None
            if self.window is None or day is None or self._inside(name, day):
                reasons[one.why.partition(":")[0]] += 1
            elif self._nearest_visit(name, day) != self.window.name:
                reasons["results of other visits"] += 1
            elif _within(self.window.pick(_kind(name)), day):
                reasons["temperatures of other days of this visit"] += 1
            else:
                pick = self._pick(name, self.window)
                named = days.setdefault(day, {}).setdefault(days_words(pick.first_day, pick.last_day), [])
                named += [SHORT.get(name, name)] if SHORT.get(name, name) not in named else []
        said = [f"D{day}: {_outside(days[day])}" for day in sorted(days)[:_SHOWN]]
        said += [f"results of {len(days) - _SHOWN} more days outside every visit"] if len(days) > _SHOWN else []
        said += [f"{reason} ({count})" for reason, count in reasons.most_common()]
        if said:
            yield f"Passed over: {'; '.join(said)}."

    def _unused(self) -> list[Evidence]:
        """What was passed over, each result once."""
        found = [one for item in self.one.score.items for one in item.evidence if not one.used]
        return list({(one.result.name, one.result.reference, one.why): one for one in found}.values())

    def _inside(self, name: str, day: int) -> bool:
        assert self.window is not None
        pick = self._pick(name, self.window)
        return name == _ENROLMENT or _within(pick, day)

    def _nearest_visit(self, name: str, day: int) -> str:
        """The visit that a day belongs to: the one whose days it lies in, else the one planned nearest to it."""
        assert self.rules is not None

        def distance(window: ScoreWindow) -> tuple[bool, int]:
            return not _within(window.pick(_kind(name)), day), abs(day - window.target)

        return min(self.rules.windows, key=distance).name

    def _probability(self) -> Iterator[str]:
        """Of the baseline alone, and only where nothing after the first dose can count."""
        window = self.window
        if self.rules is None or window is None or window.name != self.rules.change_from:
            return
        if not window.before_first_dose:
            return
        low, high = self.one.score.low, self.one.score.high
        ends = bracket_words(low) if low == high else f"{bracket_words(low)}; {bracket_words(high)}"
        yield f"Probability of haemophagocytic syndrome in the published table ({CITATION}): {ends}."
        yield NOT_AN_ACTIVITY_MEASURE

    def _others(self) -> list[ItemScore]:
        """All items but the one that is stated once at enrolment."""
        return [item for item in self.one.score.items if item.item != _ENROLMENT]


def _visit(window: str) -> str:
    return "every result, the worst of each item" if window == EVERY_RESULT else window.replace("-", " ")


def _kind(name: str) -> str:
    """Which rule of a window an item or a part of one is chosen by."""
    return _KINDS.get(name, "blood")


def _within(pick: Pick, day: int) -> bool:
    return pick.first_day <= day <= pick.last_day


def _outside(named: Mapping[str, Sequence[str]]) -> str:
    """Results by the days that they lie outside of."""
    return ", ".join(f"{', '.join(names)} outside {days}" for days, names in named.items())


def _on(day: str) -> str:
    return f"on {day}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _direction(change: Change, bounds: Bounds | None) -> str:
    """Which way one reading of the change went."""
    if bounds is None:
        return DIRECTIONS.get(change.direction, change.direction)
    return DIRECTIONS[direction_of(bounds)]


def _to_be_known(change: Change) -> list[str]:
    return [f"To be known: {'; '.join(change.notes)}."] if change.notes else []


def _mark(one: WindowScore, *, complete: bool) -> list[str]:
    return [f"Data as of {one.as_of}, {'complete' if complete else 'incomplete'}." if one.as_of else _NO_PULL]


def _used(item: ItemScore) -> list[Result]:
    return [one.result for one in item.evidence if one.used and not one.result.not_done]


def _deciding(item: ItemScore) -> dict[str, Result]:
    """Of each part the result with the most points: where several count, the worst decides."""
    decided: dict[str, Result] = {}
    for result in _used(item):
        before = decided.get(result.name)
        if before is None or _weight(result) > _weight(before):
            decided[result.name] = result
    return decided


def _weight(result: Result) -> tuple[int, int]:
    return result_range(result.name, result)


def _decided(item: ItemScore) -> str:
    """What an item was decided by, in words."""
    deciding = _deciding(item)
    if item.item != _COUNT:
        return " and ".join(map(_value_words, deciding.values()))
    ranges = [_weight(deciding[part]) if part in deciding else full_range(part) for part in PARTS[_COUNT]]
    low = [deciding[part] for part in PARTS[_COUNT] if part in deciding and _weight(deciding[part])[0]]
    if sum(high for _, high in ranges) == 0:
        return "no cytopenia"
    return f"cytopenia of {' and '.join(map(_value_words, low)) or 'no lineage for certain'}"


def _value_words(result: Result) -> str:
    """A result with what it is of: a value with its unit, or present and absent in the words of the item."""
    name = SHORT.get(result.name, result.name)
    if result.present is None:
        return f"{name} {result.comparator or ''}{result.value} {result.unit}".strip()
    if result.name in (*PARTS[_ORGANS], BOTH_ORGANS):
        return f"{name} {'enlarged' if result.present else 'not enlarged'}"
    return TITLES.get(result.name, name) if result.present else f"no {TITLES.get(result.name, name)}"


def _item_lines(item: ItemScore, note: _Note) -> Iterator[str]:
    yield ""
    yield f"{TITLES[item.item]}: {_range(item)} points, {STATES[item.state]}"
    for said in item.notes:
        yield f"    note: {said}"
    used = [one for one in item.evidence if one.used]
    passed_over = [one for one in item.evidence if not one.used]
    for one in used:
        yield f"  + {_evidence(one, note)}"
    for one in passed_over[:_SHOWN]:
        yield f"  - passed over: {_evidence(one, note)}"
    if len(passed_over) > _SHOWN:
        yield f"  - and {len(passed_over) - _SHOWN} more passed over; --format json lists all"


def _range(item: ItemScore) -> str:
    return points(item.low, item.high)


def _evidence(one: Evidence, note: _Note) -> str:
    result = one.result
    value = "" if result.not_done else f"{result.comparator or ''}{result.value} {result.unit}".strip()
    if result.present is not None:
        value = ("present" if result.present else "absent") + (f" ({result.value})" if result.value else "")
    parts = [TESTS.get(result.name, result.name), value, _when(result.effective, note)]
    parts.append(f"{result.source}, {result.reference}" if result.reference else result.source)
    flags = f" [{'; '.join(result.flags)}]" if result.flags else ""
    return f"{' | '.join(part for part in parts if part)}: {one.why}{flags}"


def _when(moment: Moment | None, note: _Note) -> str:
    if moment is None:
        return "undated"
    day = note.course.study_day(moment) if note.course else None
    return moment.recorded if day is None else f"{moment.recorded} (D{day})"

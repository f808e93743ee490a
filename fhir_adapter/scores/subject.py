"""The scores of one subject: at each visit of the trial's rule, and the change between the two that it compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from fhir_adapter.issues import Issue
from fhir_adapter.scores.change import change_between, died_before
from fhir_adapter.scores.choose import Course, choose, choose_all
from fhir_adapter.scores.hscore import Choice, total
from fhir_adapter.scores.model import Change, HScore, SubjectScores, WindowScore
from fhir_adapter.trial import Moment, Result, ScoreRules, ScoreWindow, calendar_day

_ENROLMENT, _MARROW = "known_immunosuppression", "marrow_hemophagocytosis"


def score_subject(
    subject: str,
    results: Iterable[Result],
    rules: ScoreRules,
    course: Course | None,
    *,
    death: Moment | None = None,
    patient: str | None = None,
    as_of: str | None = None,
    notes: Sequence[str] = (),
) -> SubjectScores:
    """Every window in which at least one result counts, and the change; an issue says why there is none at all."""
    if course is None:
        message = f"{subject}: no first dose, so no visit can be placed and no score computed"
        return SubjectScores(subject, (), None, (Issue("information", "no-first-dose", message),))
    known = list(results)
    windows = []
    for window in rules.windows:
        choices = choose(known, window, course)
        if _anything(choices):
            score = total(choices, rules.cutoff)
            beside = _sensitivity(known, window, course, score)
            windows.append(WindowScore(subject, window.name, score, patient, as_of, beside))
    return SubjectScores(subject, tuple(windows), _change(subject, windows, rules, course, death, notes))


def score_everything(
    subject: str, results: Iterable[Result], cutoff: int, patient: str | None = None, zone: tzinfo = UTC
) -> WindowScore:
    """One score without visits: every result counts, the worst of each decides; days are those of the zone."""
    return WindowScore(subject, "all", total(choose_all(results, zone), cutoff), patient)


def _anything(choices: Mapping[str, Choice]) -> bool:
    """True when something is known of this visit itself; immunosuppression is known of all of them."""
    return any(choice.used for part, choice in choices.items() if part != _ENROLMENT)


def _sensitivity(
    results: Sequence[Result], window: ScoreWindow, course: Course, score: HScore
) -> tuple[tuple[str, int, int], ...]:
    """Other rules beside the trial's own, labelled and never instead of it."""
    worst = total(choose(results, _worst(window), course), score.cutoff)
    marrow = score.item(_MARROW)
    return (
        ("worst of the window", worst.low, worst.high),
        ("without marrow", score.low - marrow.low, score.high - marrow.high),
    )


def _worst(window: ScoreWindow) -> ScoreWindow:
    return replace(
        window,
        temperature_days=None,
        blood=replace(window.blood, choice="worst"),
        temperature=replace(window.temperature, choice="worst"),
        organs=replace(window.organs, choice="worst"),
        marrow=replace(window.marrow, choice="worst"),
    )


def _change(
    subject: str,
    windows: Sequence[WindowScore],
    rules: ScoreRules,
    course: Course,
    death: Moment | None,
    notes: Sequence[str],
) -> Change:
    names = (rules.change_from, rules.change_to)
    at = {one.window: one for one in windows}
    second = next(window for window in rules.windows if window.name == rules.change_to)
    if death is not None and _died_before(death, second, course, scored=second.name in at):
        return died_before(subject, names, notes)
    return change_between(subject, names, at.get(names[0]), at.get(names[1]), notes)


def _died_before(death: Moment, visit: ScoreWindow, course: Course, *, scored: bool) -> bool:
    """True for a death before the planned day of the visit; one of an uncertain day only when nothing was measured."""
    planned = Moment(calendar_day(visit.target, course.day_one).isoformat(), "", "day").bounds(course.zone)[0]
    earliest, latest = death.bounds(course.zone)
    return latest <= planned or (earliest < planned and not scored)

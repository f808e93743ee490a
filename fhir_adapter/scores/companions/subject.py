"""The criteria of one subject at each visit of the trial's rule: the same windows and the same values as the HScore."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo

from fhir_adapter.issues import Issue
from fhir_adapter.scores.choose import Course, ScoreParts, choose, choose_all, nothing_refused
from fhir_adapter.scores.companions.model import Criteria, SubjectCriteria, WindowCriteria
from fhir_adapter.scores.companions.three_valued import NOT_INTERPRETABLE
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.trial import Result, ScoreRules

Evaluate = Callable[[Mapping[str, Choice]], Criteria]
"""One of the sets of criteria, with its settings."""


def criteria_of_subject(
    subject: str,
    results: Iterable[Result],
    rules: ScoreRules,
    course: Course | None,
    parts: ScoreParts,
    evaluate: Evaluate,
) -> SubjectCriteria:
    """Every window in which at least one result counts; an issue says why there is none at all."""
    if course is None:
        message = f"{subject}: no first dose, so no visit can be placed and no criteria be computed"
        return SubjectCriteria(subject, (), (Issue("information", "no-first-dose", message),))
    known = list(results)
    found = [(window.name, evaluate(choose(known, window, course, parts))) for window in rules.windows]
    return SubjectCriteria(subject, tuple(WindowCriteria(subject, name, one) for name, one in found if one.anything))


def criteria_of_everything(
    subject: str, results: Iterable[Result], parts: ScoreParts, evaluate: Evaluate, zone: tzinfo = UTC
) -> SubjectCriteria:
    """The criteria without visits: every result counts, one that fulfils is enough; days are those of the zone."""
    whole = evaluate(choose_all(results, zone, parts))
    return SubjectCriteria(subject, (WindowCriteria(subject, "all", whole),))


def not_interpretable_under(treatments: Mapping[str, str], course: Course | None) -> Callable[[Result], str]:
    """Why results of some parts never count once treatment began: part of a score to the treatment that changes it.

    What cannot be placed before the first dose may lie after it.
    """
    if course is None:
        return nothing_refused
    begun = course

    def refuses(result: Result) -> str:
        treatment = treatments.get(result.name)
        before = result.effective is not None and begun.before_first_dose(result.effective)
        return "" if treatment is None or before else f"{NOT_INTERPRETABLE} under {treatment}"

    return refuses

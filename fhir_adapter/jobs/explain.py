"""explain: the notes on a subject's scores, in study days, with the score report that they are of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.jobs.score import ScoreOptions, ScoreReport, course_of, gather, rules_of, score_known
from fhir_adapter.scores.explain import explain_subject
from fhir_adapter.trial import Subject
from fhir_adapter.trial_folder import TrialFolder


@dataclass(frozen=True, slots=True)
class Explained:
    """The lines to read, and the scores that they explain."""

    lines: tuple[str, ...]
    report: ScoreReport


def explain_scores(folder: TrialFolder, state: Path, options: ScoreOptions) -> Explained:
    """Score as `score` does, and say in words how each score came about; raises as `score` does."""
    known = gather(folder, state, options.source)
    report = score_known(known, folder, options)
    rules = rules_of(folder, options)
    people = {one.subject: one for one in known.reading.entities if isinstance(one, Subject)}
    lines: list[str] = []
    for scores in report.subjects:
        course = course_of(people[scores.subject], known.entities[scores.subject], folder, rules)
        lines += explain_subject(scores, complete=report.complete, rules=rules, course=course)
    return Explained(tuple(lines), report)

"""score: the HScore of every subject at every visit of the trial, from typed and pulled results, with the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TypeVar

from fhir_adapter.intake import results_of
from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.mappers.recorded_results import recorded_results
from fhir_adapter.scores import Course, SubjectScores, score_everything, score_subject, written
from fhir_adapter.sources import Reading, read_trial
from fhir_adapter.store import Pull, ResultStore, open_store
from fhir_adapter.trial import (
    Entity,
    Medication,
    Moment,
    Result,
    ScoreRules,
    Subject,
    Transfusion,
    first_dose,
    injections,
)
from fhir_adapter.trial_folder import TrialFolder

EVERYTHING = "all"
"""The window of a score without visits: every result counts, the worst decides."""

_Kind = TypeVar("_Kind", Entity, Result)


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """Which scores are wanted; everything when nothing is said. `cutoff` overrides the trial's own."""

    subject: str | None = None
    window: str | None = None
    source: Path | None = None
    cutoff: int | None = None
    subjects: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """The scores, the data they were made from, and what could not be used."""

    subjects: tuple[SubjectScores, ...]
    cutoff: int
    complete: bool = True
    issues: tuple[Issue, ...] = ()
    rows_set_aside: int = 0

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        told = written(self.subjects, self.cutoff)
        mine = [issue.to_dict() for issue in self.issues]
        issues = told["issues"]
        assert isinstance(issues, list)
        return {**told, "pull_complete": self.complete, "issues": [*issues, *mine]}


@dataclass(frozen=True, slots=True)
class Known:
    """Everything known of a trial for scoring: what the sites recorded, what was pulled, when."""

    reading: Reading
    entities: Mapping[str, Sequence[Entity]]
    results: Mapping[str, Sequence[Result]]
    """Both by subject."""
    pulls: tuple[Pull, ...]
    patients: Mapping[str, str | None]
    marks: Mapping[str, str]
    """By subject: the data cut, when the last pull that read its window whole began, by the server's clock."""
    noted: tuple[tuple[str | None, Issue], ...]
    """What could not be used, and whose it is; None where nobody knows."""

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What could not be used, of whomever."""
        return tuple(issue for _, issue in self.noted)

    def about(self, subject: str) -> tuple[Issue, ...]:
        """What could not be used and is, or may be, of one subject; nothing that speaks of another one."""
        return tuple(issue for whose, issue in self.noted if whose in (None, subject))

    @property
    def complete(self) -> bool:
        """True when every pull behind it was complete."""
        return all(pull.complete for pull in self.pulls)

    @property
    def as_of(self) -> str | None:
        """The oldest of the subjects' data cuts: what the whole trial is known up to."""
        return min(self.marks.values(), default=None)


def score(folder: TrialFolder, state: Path, options: ScoreOptions) -> ScoreReport:
    """Score from the store and the site's own records; raises `Misconfigured` when the trial states no rule."""
    return score_known(gather(folder, state, options.source), folder, options)


def score_known(known: Known, folder: TrialFolder, options: ScoreOptions) -> ScoreReport:
    """Score what was gathered before; raises as `score` does. Of one subject only what is, or may be, its is told."""
    rules = rules_of(folder, options)
    subjects = [one for one in known.reading.entities if isinstance(one, Subject)][: options.subjects]
    check_known(options, [one.subject for one in subjects])
    check_window(options.window, rules)
    wanted = [one for one in subjects if options.subject in (None, one.subject)]
    scored = tuple(_scored(one, known, folder, rules, options.window) for one in wanted)
    doses = [issue for one in wanted for issue in about_first_dose(one, known, folder, rules)]
    noted = known.issues if options.subject is None else known.about(options.subject)
    issues = (*noted, *doses, *about_pulls(known))
    return ScoreReport(scored, rules.cutoff, known.complete, issues, len(known.reading.set_aside))


def gather(folder: TrialFolder, state: Path, source: Path | None = None, *, existing: bool = False) -> Known:
    """Read the site's records and what the store holds of the hospital's; with `existing` no state file is made."""
    reading = read_trial(folder, source)
    entities = _by_subject(reading.entities)
    typed, unread = _typed(entities, folder)
    with open_store(state, writer=False, existing=existing) as store:
        pulled = ResultStore(store, folder.id)
        results, unusable = results_of(store, folder)
        last = {pull.place: pull for pull in pulled.pulls()}
        names = [one.subject for one in reading.entities if isinstance(one, Subject)]
        patients = {name: pulled.patient_of(name) for name in names}
        read = {name: pulled.last_read(name) for name in names}
        marks = {name: pull.checkpoint for name, pull in read.items() if pull is not None}
    return Known(
        reading,
        entities,
        # Our own copies on a server say nothing that the site's records do not say better.
        _by_subject((*typed, *(one for one in results if one.source == "hospital"))),
        tuple(last.values()),
        patients,
        marks,
        (
            *((aside.subject, aside.issue) for aside in reading.set_aside),
            *unread,
            *unusable,
        ),
    )


def _typed(
    entities: Mapping[str, Sequence[Entity]], folder: TrialFolder
) -> tuple[list[Result], list[tuple[str, Issue]]]:
    """What the sites typed, read as results, and whose could not be read."""
    results: list[Result] = []
    unread: list[tuple[str, Issue]] = []
    for subject, mine in entities.items():
        read, issues = recorded_results(mine, folder)
        results += read
        unread += [(subject, issue) for issue in issues]
    return results, unread


def score_one(subject: Subject, known: Known, folder: TrialFolder, rules: ScoreRules) -> SubjectScores:
    """The scores of one subject."""
    mine = known.entities[subject.subject]
    course = course_of(subject, mine, folder, rules)
    return score_subject(
        subject.subject,
        known.results.get(subject.subject, ()),
        rules,
        course,
        death=subject.death,
        patient=known.patients.get(subject.subject),
        as_of=known.marks.get(subject.subject),
        notes=notes_of(mine, folder, course),
    )


def rules_of(folder: TrialFolder, options: ScoreOptions) -> ScoreRules:
    """The trial's rule with the cut-off that was asked for; every trial states its own, there is no default."""
    if folder.scores is None:
        message = "trial.yaml states no `scores`: which result counts at a visit is never a default"
        raise Misconfigured(message, Issue("error", "no-score-rule", message, Where(str(folder.path.name))))
    return replace(folder.scores, cutoff=options.cutoff) if options.cutoff is not None else folder.scores


def course_of(subject: Subject, mine: Sequence[Entity], folder: TrialFolder, rules: ScoreRules) -> Course | None:
    """When the subject's doses were given; None when there was none."""
    zone = folder.sites[subject.site].zone
    given = injections(mine, zone)
    first = first_dose(subject, given)
    if first is None or first.day is None or zone is None:
        return None
    return Course(first, zone, rules.day_one_dates_before_dose, tuple(given), rules.dose_note)


def notes_of(mine: Sequence[Entity], folder: TrialFolder, course: Course | None) -> tuple[str, ...]:
    """What marks a subject's change: rescue treatment, a treatment that ended early."""
    if course is None:
        return ()
    days: dict[str, list[str]] = {}
    for at, kind in rescues(mine, folder, course):
        day = course.study_day(at)
        days.setdefault(kind, []).append(f"D{day}" if day is not None else at.recorded)
    notes = [f"rescue: {kind} on {', '.join(when)}" for kind, when in days.items()]
    planned = min(folder.planned_doses, default=0)
    if len(course.injections) < planned:
        notes.append(f"{len(course.injections)} of {planned} planned doses given")
    return tuple(notes)


def rescues(mine: Sequence[Entity], folder: TrialFolder, course: Course) -> list[tuple[Moment, str]]:
    """Rescue treatments that may have begun on or after the day of the first dose: when, and which kind.

    Medication and what is given like a transfusion (plasma exchange) count, where the trial's rule names the kind.
    """
    table = folder.codes.maps.get("rescue", {})
    counted = folder.scores.rescue if folder.scores else ()
    day_one = Moment(course.day_one.isoformat(), "", "day").bounds(course.zone)[0]
    found = []
    for one in mine:
        if isinstance(one, (Medication, Transfusion)) and one.start and one.start.bounds(course.zone)[1] >= day_one:
            word = one.treatment if isinstance(one, Medication) else one.product
            kinds = [code.code for code in table.get(word, ()) if code.code in counted]
            found += [(one.start, kind) for kind in kinds[:1]]
    return found


def _by_subject(many: Iterable[_Kind]) -> dict[str, list[_Kind]]:
    found: dict[str, list[_Kind]] = {}
    for one in many:
        found.setdefault(one.subject, []).append(one)
    return found


def check_known(options: ScoreOptions, subjects: Sequence[str]) -> None:
    """Raise `Misconfigured` for a subject that the trial does not have."""
    if options.subject is not None and options.subject not in subjects:
        message = "no such subject in this trial; --subject takes the trial's own number, such as S01"
        raise Misconfigured(message, Issue("error", "unknown-subject", message, Where("--subject")))


def check_window(window: str | None, rules: ScoreRules) -> None:
    """Raise `Misconfigured` for a window that the trial does not have."""
    names = [*(one.name for one in rules.windows), EVERYTHING]
    if window is not None and window not in names:
        message = f"the trial has no window of that name; it has {', '.join(names)}"
        raise Misconfigured(message, Issue("error", "unknown-window", message, Where("--window")))


def _scored(
    subject: Subject, known: Known, folder: TrialFolder, rules: ScoreRules, window: str | None
) -> SubjectScores:
    if window == EVERYTHING:
        name, zone = subject.subject, folder.sites[subject.site].zone
        whole = score_everything(name, known.results.get(name, ()), rules.cutoff, known.patients.get(name), zone or UTC)
        return SubjectScores(name, (replace(whole, as_of=known.marks.get(name)),))
    scores = score_one(subject, known, folder, rules)
    if window is None:
        return scores
    return replace(scores, windows=tuple(one for one in scores.windows if one.window == window))


def about_first_dose(subject: Subject, known: Known, folder: TrialFolder, rules: ScoreRules) -> Iterator[Issue]:
    """A warning when the subject's row names another first dose than the doses as collected: all days hang on it."""
    course = course_of(subject, known.entities[subject.subject], folder, rules)
    stated = subject.first_dose
    if course is not None and stated is not None and course.injections and course.day_of(stated) != course.day_one:
        message = f"{subject.subject}: its row states another first dose than the doses given; days count from those"
        where = Where(subject.origin.file, subject.origin.row)
        yield Issue("warning", "first-dose-differs", message, where)


def about_pulls(known: Known) -> list[Issue]:
    """What a reader of scores must know of the pulls behind them."""
    if not known.pulls:
        message = "nothing was pulled yet: the scores rest on what the site typed"
        return [Issue("information", "never-pulled", message)]
    return [
        Issue("warning", "incomplete-pull", "the last pull was incomplete: results may be missing", Where(pull.place))
        for pull in known.pulls
        if not pull.complete
    ]

"""worksheet: what nobody has recorded of a subject, or everything of a new one, as a page to print and fill in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.jobs.score import Known, ScoreOptions, course_of, gather, rules_of
from fhir_adapter.jobs.whole_file import write_whole
from fhir_adapter.report.words import window_name
from fhir_adapter.report.worksheet import Sheet, Worksheet, render_worksheet, sheet_of
from fhir_adapter.scores import Course, HScore, hscore
from fhir_adapter.scores.choose import choose
from fhir_adapter.scores.hscore import total
from fhir_adapter.trial import ScoreRules, ScoreWindow, Subject, calendar_day
from fhir_adapter.trial_folder import TrialFolder

_DIED = "The subject died before this visit."
_NO_DOSE = "No first dose is recorded, so the days of this visit have no dates and nothing recorded can be placed."


def write_worksheet(
    folder: TrialFolder,
    state: Path,
    out: Path,
    subject: str | None = None,
    window: str | None = None,
    source: Path | None = None,
) -> Path:
    """Write the sheets of a subject, or blank ones for a new subject, of one visit or of all.

    Of all visits only those with something open are printed. Raises `Misconfigured` for a subject or a visit that the
    trial does not have, and where the file cannot be written.
    """
    rules = rules_of(folder, ScoreOptions())
    windows = _windows(rules, window)
    if subject is None:
        sheets = [sheet_of("", hscore([]), one, None) for one in windows]
        return write_whole(out, render_worksheet(_worksheet(folder, sheets)))
    known = gather(folder, state, source)
    person = _person(known, subject)
    sheets = list(_sheets(person, known, folder, rules, windows))
    asked = [one for one in sheets if one.questions] or sheets[-1:]
    return write_whole(out, render_worksheet(_worksheet(folder, asked, _mark(known, subject))))


def _windows(rules: ScoreRules, name: str | None) -> Sequence[ScoreWindow]:
    windows = [one for one in rules.windows if name in (None, one.name)]
    if not windows:
        names = ", ".join(one.name for one in rules.windows)
        message = f"the trial has no window of that name; it has {names}"
        raise Misconfigured(message, Issue("error", "unknown-window", message, Where("--window")))
    return windows


def _person(known: Known, subject: str) -> Subject:
    for one in known.reading.entities:
        if isinstance(one, Subject) and one.subject == subject:
            return one
    message = "no such subject in this trial; --subject takes the trial's own number, such as S01"
    raise Misconfigured(message, Issue("error", "unknown-subject", message, Where("--subject")))


def _sheets(
    person: Subject, known: Known, folder: TrialFolder, rules: ScoreRules, windows: Sequence[ScoreWindow]
) -> Iterator[Sheet]:
    course = course_of(person, known.entities[person.subject], folder, rules)
    for window in windows:
        if course is None:
            yield sheet_of(person.subject, hscore([]), window, None, _NO_DOSE)
        elif _died_before(person, window, course):
            yield Sheet(person.subject, window_name(window.name), (), remark=_DIED)
        else:
            yield sheet_of(person.subject, _score(person, known, window, course), window, course)


def _score(person: Subject, known: Known, window: ScoreWindow, course: Course) -> HScore:
    return total(choose(known.results.get(person.subject, ()), window, course))


def _died_before(person: Subject, window: ScoreWindow, course: Course) -> bool:
    """True when the subject died before the visit began: nothing can be recorded of it any more."""
    died = course.day_of(person.death) if person.death else None
    return died is not None and died < calendar_day(window.blood.first_day, course.day_one)


def _worksheet(folder: TrialFolder, sheets: Sequence[Sheet], mark: str = "") -> Worksheet:
    title = folder.facts["title"][0].text if folder.facts.get("title") else folder.study_identifier
    return Worksheet(folder.id, title, folder.labels, tuple(sheets), mark)


def _mark(known: Known, subject: str) -> str:
    mark = known.marks.get(subject)
    complete = "complete" if known.complete else "incomplete"
    return f"Data as of {mark}, {complete}." if mark else "Nothing was pulled for this subject: typed values only."

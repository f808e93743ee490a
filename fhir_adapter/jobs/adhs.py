"""score --format csv: the scores of a trial as the long table of scores.adhs, with what the trial's records add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fhir_adapter.issues import Issue
from fhir_adapter.jobs.score import (
    EVERYTHING,
    Known,
    ScoreOptions,
    ScoreReport,
    course_of,
    gather,
    rescues,
    rules_of,
    score_known,
)
from fhir_adapter.scores import Course, SubjectScores
from fhir_adapter.scores.adhs import (
    Background,
    IntercurrentEvent,
    Row,
    SourceRecord,
    adhs_csv,
    adhs_rows,
    count_guarded,
)
from fhir_adapter.sources.read_table import read_table
from fhir_adapter.trial import Entity, Finding, Measurement, ScoreRules, Subject
from fhir_adapter.trial_folder import SourceSettings, TrialFolder

_DOMAIN_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Export:
    """The table as text, the scores that it was made of, and what a reader of it must know."""

    text: str
    report: ScoreReport
    issues: tuple[Issue, ...] = ()


def export_scores(folder: TrialFolder, state: Path, options: ScoreOptions) -> Export:
    """Score as `score` does, and write the scores as a table; raises as `score` does."""
    known = gather(folder, state, options.source)
    report = score_known(known, folder, options)
    rules = rules_of(folder, options)
    records = _records(known, folder, options.source)
    named = {one.subject for one in report.subjects}
    subjects = [one for one in known.reading.entities if isinstance(one, Subject) and one.subject in named]
    rows = list(
        adhs_rows(
            _at_all_visits(report, known, folder, options),
            rules=rules,
            backgrounds={one.subject: _background(one, known, folder, rules, records) for one in subjects},
            study=folder.study_identifier,
            labels=folder.labels,
        )
    )
    wanted = [row for row in rows if options.window in (None, row["AVISIT"])]
    return Export(adhs_csv(wanted), report, tuple(_about_formulas(wanted)))


def _at_all_visits(
    report: ScoreReport, known: Known, folder: TrialFolder, options: ScoreOptions
) -> tuple[SubjectScores, ...]:
    """Also when one visit is asked for, its rows need the baseline."""
    if options.window in (None, EVERYTHING):
        return report.subjects
    return score_known(known, folder, replace(options, window=None)).subjects


def table_of(subjects: Sequence[SubjectScores]) -> tuple[str, tuple[Issue, ...]]:
    """Scores without a trial (score --input) as the same table, and what a reader of it must know."""
    rows = list(adhs_rows(subjects))
    return adhs_csv(rows), tuple(_about_formulas(rows))


def _about_formulas(rows: Sequence[Row]) -> Iterator[Issue]:
    count = count_guarded(rows)
    if count:
        message = f"{count} cells begin like a formula (= + - @); each has an apostrophe in front in this table"
        yield Issue("warning", "formula-text", message)


def _background(
    subject: Subject, known: Known, folder: TrialFolder, rules: ScoreRules, records: Mapping[str, SourceRecord]
) -> Background:
    mine = known.entities[subject.subject]
    course = course_of(subject, mine, folder, rules)
    start = subject.reference_start
    if course is None:
        return Background(records=records)
    return Background(
        reference_start=course.day_of(start) if start else None,
        first_dose=course.day_one,
        zone=course.zone,
        events=tuple(_events(subject, mine, folder, course)),
        records=records,
    )


def _events(
    subject: Subject, mine: Sequence[Entity], folder: TrialFolder, course: Course
) -> Iterator[IntercurrentEvent]:
    for at, kind in rescues(mine, folder, course):
        yield IntercurrentEvent(f"rescue: {kind}", course.day_of(at))
    planned, given = min(folder.planned_doses, default=0), len(course.injections)
    if given < planned:
        yield IntercurrentEvent(f"{given} of {planned} planned doses given")
    if subject.death is not None:
        yield IntercurrentEvent("death", course.day_of(subject.death))


def _records(known: Known, folder: TrialFolder, source: Path | None) -> dict[str, SourceRecord]:
    """Domain and sequence number of every record that may be a result, by the reference that scores show."""
    place = source or folder.path / folder.source_folder
    sources = {one.name: one for one in folder.sources}
    rows: dict[str, set[int]] = {}
    for mine in known.entities.values():
        for one in mine:
            if isinstance(one, (Measurement, Finding)):
                rows.setdefault(one.origin.source, set()).add(one.origin.row)
    found: dict[str, SourceRecord] = {}
    for name, wanted in rows.items():
        if name in sources:
            found.update(_of_source(place, sources[name], wanted))
    return found


def _of_source(place: Path, source: SourceSettings, wanted: set[int]) -> Iterator[tuple[str, SourceRecord]]:
    """The rows of one file; --SEQ is read for this table alone, because it changes at every export."""
    table = read_table(
        place / source.file,
        format=source.format,
        label=source.file,
        delimiter=source.delimiter,
        encoding=source.encoding,
    )
    named = source.name.upper() if len(source.name) == _DOMAIN_LETTERS else ""
    for row in table.rows:
        if row.number in wanted:
            domain = row.cells.get("DOMAIN") or named
            sequence = row.cells.get(f"{domain}SEQ", "") if domain else ""
            yield f"{source.file} row {row.number}", SourceRecord(domain, sequence)

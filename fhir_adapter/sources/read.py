"""How a trial's files become entities: read once, set bad rows aside with all that refers to them, report each.

Subjects are read first: their sites give local times a zone, and a row of a subject that is not there is set aside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from fhir_adapter.issues import Issue, Misconfigured, Rejected, Where
from fhir_adapter.sources.assemble import (
    assemble_study,
    assemble_subjects,
    join_panels,
    warn_of_countries,
    warn_of_standards,
    warn_of_windows,
)
from fhir_adapter.sources.columns import check_columns, check_fields, column_uses, unknown_columns
from fhir_adapter.sources.entities import BUILDERS, FIELDS, Row
from fhir_adapter.sources.fields import Fields, RowError, check_key_part, plain_number
from fhir_adapter.sources.read_table import read_table
from fhir_adapter.sources.reading import ColumnUse, Reading, RowCount, SetAside
from fhir_adapter.sources.reconcile import reconcile_exposure
from fhir_adapter.sources.table import Row as TableRow
from fhir_adapter.sources.table import Table
from fhir_adapter.trial import (
    AdverseEvent,
    Disposition,
    Dose,
    EligibilityAnswer,
    Entity,
    Exposure,
    Finding,
    History,
    Measurement,
    Medication,
    Origin,
    Subject,
    Transfusion,
    Visit,
)
from fhir_adapter.trial_folder import SourceSettings, TrialFolder

_Kind = TypeVar("_Kind")

_STUDY_LEVEL = ("study-fact", "arm", "criterion")
_NUMERIC = ("integer", "decimal", "float", "double")
_ORDER = tuple(FIELDS)
"""The kinds of entities in the order in which they are read: subjects before all that is theirs."""

_SEQUENCE = "SEQ"
"""Sequence numbers of SDTM end so (`--SEQ`); they change at every export."""


@dataclass
class _Run:
    """What has been read so far."""

    folder: TrialFolder
    place: Path
    sites: dict[str, str] = field(default_factory=dict)
    found: dict[str, list[object]] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    warnings: list[Issue] = field(default_factory=list)
    columns: list[ColumnUse] = field(default_factory=list)
    rows: list[RowCount] = field(default_factory=list)
    counts: dict[str, RowCount] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row that was looked at: its key, and its entity unless it was bad."""

    source: SourceSettings
    row: int
    subject: str
    key: tuple[str, ...]
    entity: object


def read_trial(folder: TrialFolder, source: Path | None = None) -> Reading:
    """Read all sources of a trial, from its own folder or from another one with files of the same names.

    Raises `Misconfigured` when a file or a mapped column is missing; everything smaller is set aside and reported.
    """
    run = _Run(folder, source if source is not None else folder.source_folder)
    for settings in folder.sources:
        check_fields(settings, folder.sources_document, masked=folder.masked)
    for kind in sorted({settings.entity for settings in folder.sources}, key=_reading_order):
        _read_kind(run, [settings for settings in folder.sources if settings.entity == kind])
    run.columns.extend(_ignored_files(run))
    run.warnings.extend(unknown_columns(tuple(run.columns)))
    return _reading(run)


def _reading_order(kind: str) -> int:
    return _ORDER.index(kind)


def _reading(run: _Run) -> Reading:
    subjects = assemble_subjects(_of(run, Subject), _of(run, Disposition))
    doses = _of(run, Dose)
    measurements, broken = join_panels(_of(run, Measurement), run.set_aside, run.folder)
    run.set_aside.extend(broken)
    visits = _of(run, Visit)
    run.warnings.extend(reconcile_exposure(doses, _of(run, Exposure), run.folder))
    run.warnings.extend(warn_of_windows(subjects, visits, run.folder))
    run.warnings.extend(warn_of_standards(_of(run, Measurement), run.folder))
    run.warnings.extend(warn_of_countries(subjects, run.folder))
    study, unread = assemble_study(run.folder, run.found)
    run.set_aside.extend(unread)
    entities: list[Entity] = [*subjects, *visits, *_of(run, AdverseEvent), *doses, *measurements, *_of(run, Finding)]
    entities += [*_of(run, EligibilityAnswer), *_of(run, Medication), *_of(run, Transfusion), *_of(run, History)]
    return Reading(
        study,
        tuple(entities),
        tuple(run.set_aside),
        tuple(run.warnings),
        tuple(run.columns),
        tuple(run.rows),
        run.files,
    )


def _of(run: _Run, kind: type[_Kind]) -> list[_Kind]:
    return [one for many in run.found.values() for one in many if isinstance(one, kind)]


def _read_kind(run: _Run, sources: Iterable[SourceSettings]) -> None:
    """Read all sources of one kind of entity: a key must be unique in all of them together."""
    read = {source.name: _read_source(run, source) for source in sources}
    everywhere = [candidate for candidates in read.values() for candidate in candidates]
    places: dict[tuple[str, ...], list[_Candidate]] = {}
    for candidate in everywhere:
        if candidate.key:
            places.setdefault(candidate.key, []).append(candidate)
    for source in sources:
        same = {candidate.key: places.get(candidate.key, []) for candidate in read[source.name]}
        found = list(_unique(run, read[source.name], same))
        run.found[source.name] = found
        run.sites.update({one.subject: one.site for one in found if isinstance(one, Subject)})
        counted = run.counts[source.name]
        refused = counted.rows - counted.ignored - len(found)
        run.rows.append(replace(counted, used=len(found), set_aside=refused))


def _read_source(run: _Run, source: SourceSettings) -> list[_Candidate]:
    run.counts[source.name] = RowCount(source.name, source.file, 0, 0, 0, 0)
    try:
        table = _table(run, source)
    except Rejected as error:
        run.set_aside.append(SetAside(error.issues[0], source.name, source.entity))
        return []
    check_columns(source, table, run.folder.sources_document)
    run.columns.extend(column_uses(source, table))
    run.set_aside.extend(SetAside(issue, source.name, source.entity) for issue in table.issues)
    key = _key_columns(run, source, table)
    wanted = [row for row in table.rows if source.rows is None or row.cells[source.rows.column] in source.rows.keep]
    total = len(table.rows) + len(table.issues)
    run.counts[source.name] = RowCount(source.name, source.file, total, 0, len(table.rows) - len(wanted), 0)
    numeric = frozenset(column.name for column in table.columns if column.data_type in _NUMERIC)
    return [_candidate(run, source, row, key, numeric) for row in wanted]


def _table(run: _Run, source: SourceSettings) -> Table:
    path = run.place / source.file
    if not path.is_file():
        message = f"{source.file} is not in the source folder; name another folder with --source, or drop the source"
        raise Misconfigured(message, run.folder.sources_document.issue("missing-file", message, "sources", source.name))
    run.files[source.file] = hashlib.sha256(path.read_bytes()).hexdigest()
    return read_table(
        path, format=source.format, label=source.file, delimiter=source.delimiter, encoding=source.encoding
    )


def _key_columns(run: _Run, source: SourceSettings, table: Table) -> tuple[str, ...]:
    if source.entity in _STUDY_LEVEL:
        return source.key
    sequence = sorted((c for c in table.columns if c.key_sequence), key=lambda c: c.key_sequence or 0)
    key = source.key or tuple(column.name for column in sequence)
    document = run.folder.sources_document
    if not key:
        message = f"{source.file} declares no key; name the columns that make a row the same thing in the next export"
        raise Misconfigured(message, document.issue("no-key", message, "sources", source.name, "key"))
    numbers = [column for column in key if column.endswith(_SEQUENCE)]
    if numbers and not source.key_may_use_sequence:
        message = f"{numbers[0]} is renumbered at every export; key_may_use_sequence: true accepts that"
        raise Misconfigured(message, document.issue("sequence-key", message, "sources", source.name, "key"))
    if numbers:
        message = f"{numbers[0]} is part of the key: one inserted row renames all that follow"
        run.warnings.append(Issue("warning", "sequence-key", message, Where(source.file)))
    return key


def _candidate(
    run: _Run, source: SourceSettings, row: TableRow, columns: tuple[str, ...], numeric: frozenset[str]
) -> _Candidate:
    """The entity of a row, or none when the row is bad; its key counts all the same."""
    columns_of = {name: column for column, name in source.columns.items()}
    fields = Fields(row.cells, columns_of, source.constants, numeric=numeric)
    key: tuple[str, ...] = ()
    try:
        key = tuple(_key_part(column, row.cells[column], numeric) for column in columns)
        site = _site(run, source, fields)
        settings = run.folder.sites.get(site)
        fields.zone = settings.zone if settings else None
        origin = Origin(source.name, source.file, row.number)
        entity = BUILDERS[source.entity](Row(fields, key, origin, site, run.folder.codes, run.folder.expected_dose))
    except Rejected as error:
        raw = tuple(row.cells[column] for column in columns)
        run.set_aside.append(_aside(source, row.number, fields.text("subject"), key or raw, error.issues[0]))
        return _Candidate(source, row.number, fields.text("subject"), key, None)
    return _Candidate(source, row.number, fields.text("subject"), key, entity)


def _key_part(column: str, text: str, numeric: frozenset[str]) -> str:
    return check_key_part(column, plain_number(text) if column in numeric else text)


def _site(run: _Run, source: SourceSettings, fields: Fields) -> str:
    if source.entity in _STUDY_LEVEL:
        return ""
    subject = fields.needed_identifier("subject")
    if source.entity != "subject":
        if subject not in run.sites:
            raise RowError("unknown-subject", f"{fields.column('subject')}: no usable row describes this subject")
        return run.sites[subject]
    site = fields.needed_identifier("site")
    if site not in run.folder.sites:
        known = ", ".join(run.folder.sites)
        raise RowError("unknown-site", f"{fields.column('site')}: {site!r} is not under sites in trial.yaml ({known})")
    return site


def _unique(
    run: _Run, candidates: Iterable[_Candidate], same: Mapping[tuple[str, ...], list[_Candidate]]
) -> Iterator[object]:
    """Entities whose key no other row has: of two rows with one key nobody knows which is right."""
    for one in candidates:
        if one.entity is None:
            continue
        others = [_place(other, one.source) for other in same[one.key] if other is not one]
        if not others:
            yield one.entity
            continue
        made_of = ", ".join(one.source.key) or "keySequence"
        message = f"the same key as {', '.join(others[:5])}; the key is made of {made_of}"
        issue = Issue("error", "duplicate-key", message)
        run.set_aside.append(_aside(one.source, one.row, one.subject, one.key, issue))


def _place(other: _Candidate, source: SourceSettings) -> str:
    return f"row {other.row}" if other.source is source else f"row {other.row} of {other.source.file}"


def _aside(source: SourceSettings, row: int, subject: str, key: tuple[str, ...], issue: Issue) -> SetAside:
    return SetAside(replace(issue, where=Where(source.file, row)), source.name, source.entity, subject or None, key)


def _ignored_files(run: _Run) -> Iterator[ColumnUse]:
    for file, reason in run.folder.ignored_files.items():
        path = run.place / file
        if path.is_file():
            table = _ignored_table(run, path, file)
            for column in table.columns if table else ():
                filled = sum(1 for row in table.rows if row.cells[column.name]) if table else 0
                yield ColumnUse(path.stem, file, column.name, "ignored", reason, filled)


def _ignored_table(run: _Run, path: Path, file: str) -> Table | None:
    try:
        return read_table(path, label=file)
    except Rejected as error:
        run.warnings.append(replace(error.issues[0], severity="warning"))
        return None

"""pull: fetch what the hospital published of each subject, keep it as received, and say what of it counts."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, ServerSettings
from fhir_adapter.intake import (
    FileAnswer,
    PullSubject,
    ReviewItem,
    hospital_of,
    order_of,
    read_file,
    results_of,
    review,
    search_window,
    trial_subjects,
)
from fhir_adapter.intake.window_search import Search, about_conditions, search_of
from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.jobs.interlock import capabilities_of, may_pull
from fhir_adapter.mappers.r4.read_result import is_retracted
from fhir_adapter.mappers.recorded_results import recorded_results
from fhir_adapter.sources import Reading, read_trial
from fhir_adapter.store import FILE, Received, Recorded, ResultStore, Store, open_store
from fhir_adapter.trial import Result
from fhir_adapter.trial_folder import TrialFolder

log = logging.getLogger(__name__)

_SURROUNDINGS = ("server-unreachable", "server-failed", "not-authorised", "not-fhir", "page-expired")
"""What a repeated run may find mended."""


@dataclass(frozen=True, slots=True)
class PullOptions:
    """Where results come from, when not from a server, and of how many subjects."""

    file: Path | None = None
    source: Path | None = None
    subjects: int | None = None


@dataclass
class PullReport:
    """What a pull fetched, what that changed, and what of everything that stands there now counts."""

    checkpoint: str = ""
    why_incomplete: list[Issue] = field(default_factory=list)
    set_aside: list[Issue] = field(default_factory=list)
    review_items: list[ReviewItem] = field(default_factory=list)
    about: list[tuple[str, Issue]] = field(default_factory=list)
    """Those of `why_incomplete` that are about one subject, with whose they are."""
    subjects_read: int = 0
    fetched: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    measurements: int = 0
    findings: int = 0
    requests: int = 0

    @property
    def complete(self) -> bool:
        """True when nothing can be missing."""
        return not self.why_incomplete

    @property
    def outcome(self) -> Literal["done", "in part", "stopped"]:
        """How it ended: stopped when the surroundings failed for everybody."""
        failed = self.why_incomplete
        if failed and not self.subjects_read and all(issue.code in _SURROUNDINGS for issue in failed):
            return "stopped"
        return "in part" if failed or any(issue.is_error for issue in self.set_aside) else "done"

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {
            "complete": self.complete,
            "why_incomplete": [issue.to_dict() for issue in self.why_incomplete],
            "fetched": self.fetched,
            "new": self.new,
            "changed": self.changed,
            "withdrawn": self.withdrawn,
            "measurements": self.measurements,
            "findings": self.findings,
            "review": len(self.review_items),
            "review_items": [item.to_dict() for item in self.review_items],
            "set_aside": [issue.to_dict() for issue in self.set_aside],
            "requests": self.requests,
            "checkpoint": self.checkpoint,
        }


def pull(
    folder: TrialFolder,
    settings: ServerSettings | None,
    state: Path,
    options: PullOptions,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    now: datetime | None = None,
) -> PullReport:
    """Read every subject's window again, or a file, store it, and normalise all that stands there now.

    `progress` is told how many of how many subjects are done; `now` is the latest moment that a result can be of, left
    out it is now. Raises `Misconfigured` when neither or both of server and file are named, `Refused` when this trial's
    data and this server must not meet, `Retriable` when the surroundings fail before anything was read.
    """
    if (settings is None) == (options.file is None):
        message = "name either the server to pull from or a file"
        raise Misconfigured(message, Issue("error", "pull-from", message))
    reading = read_trial(folder, options.source).first_subjects(options.subjects)
    subjects = trial_subjects(reading, folder)
    report = PullReport(set_aside=list(_doubtful_windows(reading, subjects, everybody=options.subjects is None)))
    with open_store(state, writer=True) as store:
        if settings is not None:
            _from_server(folder, settings, ResultStore(store, folder.id), subjects, report, progress)
        elif options.file is not None:
            _from_file(folder, options.file, ResultStore(store, folder.id), subjects, report, progress)
        _normalise(folder, store, subjects, report, recorded_results(reading.entities, folder)[0], now)
    log.info("pulled", extra={"fetched": report.fetched, "new": report.new, "complete": report.complete})
    return report


def _doubtful_windows(reading: Reading, subjects: Sequence[PullSubject], *, everybody: bool) -> Iterator[Issue]:
    """Rows that were set aside and without which a subject is missing, or its days are counted from another dose."""
    names = {None, *(one.subject for one in subjects)}
    for aside in reading.set_aside:
        if aside.kind in ("subject", "dose") and (everybody or aside.subject in names):
            yield aside.issue


def _from_server(
    folder: TrialFolder,
    settings: ServerSettings,
    results: ResultStore,
    subjects: Sequence[PullSubject],
    report: PullReport,
    progress: Callable[[int, int], None],
) -> None:
    may_pull(folder, settings)
    hospital = hospital_of(folder)
    with FhirServer(settings) as server:
        search = search_of(dict(capabilities_of(server)), hospital.codes)
        report.set_aside += about_conditions(search, settings.name or settings.base)
        number = results.begin(settings.base, _iso(server.date))
        report.checkpoint = _iso(server.date) or f"pull {number}"
        for done, subject in enumerate(subjects, 1):
            _search_one(server, hospital.patient_system, search, results, number, subject, report)
            report.requests = server.requests
            progress(done, len(subjects))
    why = [issue.to_dict() for issue in report.why_incomplete]
    results.finish(settings.base, number, complete=report.complete, why=why)


def _search_one(
    server: FhirServer,
    system: str,
    search: Search,
    results: ResultStore,
    number: int,
    subject: PullSubject,
    report: PullReport,
) -> None:
    if _has_no_dose(subject, report):
        return
    answer = search_window(server, system, subject, search)
    report.set_aside += [issue for issue in answer.issues if issue not in report.set_aside]  # once for all subjects
    report.why_incomplete += answer.why
    report.about += [(subject.subject, issue) for issue in answer.why]
    if answer.complete and answer.patient is not None:
        recorded = results.record(
            server.base, number, subject.subject, answer.found, patients=[answer.patient], covers=answer.covers
        )
        _count(report, answer.found, recorded)


def _from_file(
    folder: TrialFolder,
    file: Path,
    results: ResultStore,
    subjects: Sequence[PullSubject],
    report: PullReport,
    progress: Callable[[int, int], None],
) -> None:
    hospital = hospital_of(folder)
    answer = read_file(file, subjects, hospital.patient_system, results.patients(), hospital.codes)
    number = results.begin(FILE, answer.made)
    report.checkpoint = answer.made or f"pull {number}"
    report.why_incomplete += answer.why
    report.about += answer.stopped.items()
    report.set_aside += answer.issues
    current = {one.name: one for one in results.current() if one.place == FILE}
    withdrawn = {one.name: one for one in results.withdrawn() if one.place == FILE}
    report.withdrawn += _withdraw(results, number, _moved_away(answer, subjects, current))
    for done, subject in enumerate(subjects, 1):
        found = answer.found.get(subject.subject, ())
        if found and not _has_no_dose(subject, report):
            newer = _not_older(results, {**withdrawn, **current}, found)
            held = (current[name] for name in dict.fromkeys(one.name for one in newer) if name in current)
            others = (one for one in held if one.subject != subject.subject)
            report.withdrawn += _withdraw(results, number, others)
            patients = answer.patients.get(subject.subject, ())
            _count(report, newer, results.record(FILE, number, subject.subject, newer, patients=patients))
        progress(done, len(subjects))
    why = [issue.to_dict() for issue in report.why_incomplete]
    results.finish(FILE, number, complete=report.complete, why=why)


def _moved_away(
    answer: FileAnswer, subjects: Sequence[PullSubject], current: Mapping[str, Received]
) -> Iterator[Received]:
    """What the file says is another patient's now, or of a day outside the window, as it is remembered."""
    holders = {one.subject: one for one in subjects if one.subject not in answer.stopped}
    for name, moved in answer.moved.items():
        held = current.get(name)
        holder = holders.get(held.subject) if held else None
        if held and holder and moved.takes_from(holder, fhirjson.loads(held.body)):
            yield replace(moved.trace, subject=holder.subject)


def _withdraw(results: ResultStore, number: int, gone: Iterable[Received]) -> int:
    """Take results that came in files from the subjects that hold them; how many."""
    by_subject: dict[str, list[Received]] = defaultdict(list)
    for one in gone:
        by_subject[one.subject].append(one)
    for subject, many in by_subject.items():
        results.withdraw(FILE, number, subject, many)
    return sum(len(many) for many in by_subject.values())


def _not_older(results: ResultStore, known: Mapping[str, Received], found: Sequence[Received]) -> list[Received]:
    """Leave out what an old file says after a newer one: replaying it must not undo a correction."""
    return [one for one in found if one.name not in known or _is_news(results, known[one.name], one)]


def _is_news(results: ResultStore, known: Received, one: Received) -> bool:
    """Where no age tells, a body that was received before and does not stand any more is an old one."""
    before, now = (order_of(fhirjson.loads(each.body)) for each in (known, one))
    if before < now or now < before or known.body == one.body:
        return not now < before
    return all(each.body != one.body for each in results.versions(one.name) if each.place == FILE)


def _has_no_dose(subject: PullSubject, report: PullReport) -> bool:
    if subject.first_day is not None:
        return False
    message = f"{subject.subject}: no first dose, so there are no study days to read results of"
    report.set_aside.append(Issue("information", "no-first-dose", message))
    return True


def _count(report: PullReport, found: Sequence[Received], recorded: Recorded) -> None:
    """Count a correction that takes a result back as a withdrawal: to the trial it is one."""
    retracted = {one.name for one in found if is_retracted(fhirjson.loads(one.body))}
    report.subjects_read += 1
    report.fetched += len({one.name for one in found})
    report.new += len(recorded.new)
    report.changed += len([name for name in recorded.changed if name not in retracted])
    report.withdrawn += len(recorded.withdrawn) + len([name for name in recorded.changed if name in retracted])


def _normalise(
    folder: TrialFolder,
    store: Store,
    subjects: Sequence[PullSubject],
    report: PullReport,
    typed: Sequence[Result],
    now: datetime | None,
) -> None:
    names = {subject.subject for subject in subjects}
    results, issues = results_of(store, folder, names, now=now)
    deaths = {subject.subject: subject.death for subject in subjects if subject.death}
    noted = [*report.about, *issues]
    zones = {subject.subject: subject.zone for subject in subjects}
    report.review_items = review([*results, *typed], noted, deaths=deaths, zones=zones)
    report.set_aside += [issue for _, issue in issues]
    report.measurements = sum(one.interval is not None for one in results)
    report.findings = sum(one.present is not None for one in results)


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""

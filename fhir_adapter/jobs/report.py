"""report: everything known of a trial's subjects on one page, at one data cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from decimal import Decimal
from pathlib import Path

from fhir_adapter import __version__
from fhir_adapter.intake import ReviewItem, review, typed_otherwise
from fhir_adapter.issues import Issue, Where
from fhir_adapter.jobs.score import Known, ScoreOptions, course_of, gather, rescues, rules_of, score_one
from fhir_adapter.jobs.whole_file import write_whole
from fhir_adapter.report import Discrepancy, Page, SubjectPage, render
from fhir_adapter.scores import SubjectScores
from fhir_adapter.store import Pull
from fhir_adapter.trial import (
    AdverseEvent,
    Dose,
    Finding,
    History,
    Medication,
    Moment,
    Result,
    ScoreRules,
    Subject,
    Transfusion,
)
from fhir_adapter.trial_folder import TrialFolder

_MILLIGRAM = "mg"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Where the site's records are, when not in the trial folder, and how many subjects are shown."""

    source: Path | None = None
    subjects: int | None = None


def write_report(folder: TrialFolder, state: Path, out: Path, options: ReportOptions) -> Path:
    """Write the page, whole or not at all; raises `Misconfigured` where it cannot be written."""
    html = render(page_of(folder, gather(folder, state, options.source), options))
    return write_whole(out, html)


def page_of(folder: TrialFolder, known: Known, options: ReportOptions) -> Page:
    """Everything that the page shows."""
    rules = rules_of(folder, ScoreOptions())
    subjects = [one for one in known.reading.entities if isinstance(one, Subject)][: options.subjects]
    scored = {one.subject: score_one(one, known, folder, rules) for one in subjects}
    shown = [one for one in subjects if not _why_not_scored(scored[one.subject])]
    facts = known.reading.study.facts
    return Page(
        trial=folder.id,
        title=facts["title"][0].text if facts.get("title") else folder.study_identifier,
        registry_id=facts["registry_id"][0].text if facts.get("registry_id") else "",
        labels=folder.labels,
        study_status=_status(folder),
        data_as_of=known.as_of,
        complete=known.complete,
        why_incomplete=tuple(_why_incomplete(known.pulls)),
        rules=rules,
        subjects=tuple(_subject_page(one, scored[one.subject], known, folder, rules) for one in shown),
        decisions=folder.decisions,
        issues=known.issues,
        review=tuple((item.subject, item.kind, item.why) for item in _review(subjects, known, folder)),
        provenance=tuple(_provenance(known)),
        not_scored=tuple((one.subject, _why_not_scored(scored[one.subject])) for one in subjects if one not in shown),
    )


def _subject_page(
    subject: Subject, scores: SubjectScores, known: Known, folder: TrialFolder, rules: ScoreRules
) -> SubjectPage:
    mine = known.entities[subject.subject]
    results = known.results.get(subject.subject, ())
    zone = _zone(subject, folder)
    course = course_of(subject, mine, folder, rules)
    return SubjectPage(
        subject=subject,
        scores=scores,
        diagnosis="; ".join(one.term for one in mine if isinstance(one, History)),
        immunosuppression=_immunosuppression([one for one in mine if isinstance(one, Finding)], folder),
        doses=tuple(one for one in mine if isinstance(one, Dose)),
        temperatures=tuple(one for one in results if one.name == "temperature" and one.interval),
        steroids=tuple(_steroids([one for one in mine if isinstance(one, Medication)], folder)),
        rescue=tuple(_on_days(rescues(mine, folder, course)) if course else ()),
        transfusions=tuple(
            (day, one.product) for one in mine if isinstance(one, Transfusion) and (day := _day(one.start))
        ),
        adverse_events=tuple((_day(one.start), one.term) for one in mine if isinstance(one, AdverseEvent)),
        discrepancies=tuple(_discrepancies(scores, results, zone)),
        missing=tuple((window.window, item) for window in scores.windows for item in window.score.undecided),
        zone=zone,
    )


def _on_days(rescue: Sequence[tuple[Moment, str]]) -> Iterator[tuple[date, str]]:
    """Rescue of a known day, for the time axis; one of an uncertain day stands in the notes of the change."""
    for at, kind in rescue:
        day = _day(at)
        if day is not None:
            yield day, kind


def _immunosuppression(findings: Sequence[Finding], folder: TrialFolder) -> str:
    """Who stated it, and when: an investigator's statement, never inferred from a drug list."""
    table = folder.codes.maps.get("hscore_item", {})
    for one in findings:
        codes = table.get(one.test, ())
        if codes and codes[0].code.replace("-", "_") == "known_immunosuppression":
            when = one.stated_on or one.effective
            said = [one.result, f"stated by {one.stated_by}" if one.stated_by else "", when.recorded if when else ""]
            return ", ".join(part for part in said if part)
    return ""


def _steroids(medications: Sequence[Medication], folder: TrialFolder) -> Iterator[tuple[date, date, Decimal]]:
    """Courses in milligrams of prednisolone equivalent a day, by the trial's own factors."""
    factors = folder.codes.maps.get("steroid", {})
    per_day = folder.codes.maps.get("doses_a_day", {})
    for one in medications:
        factor, start = factors.get(one.treatment), _day(one.start)
        if not factor or start is None or one.dose is None or one.dose.unit != _MILLIGRAM:
            continue
        times = per_day.get(one.frequency)
        daily = one.dose.value * Decimal(factor[0].code) * Decimal(times[0].code if times else 1)
        yield start, _day(one.end) or start, daily


def _discrepancies(scores: SubjectScores, results: Sequence[Result], zone: tzinfo) -> Iterator[Discrepancy]:
    """What the site typed and the hospital measured, where they differ."""
    used = {
        evidence.result.reference: window.window
        for window in reversed(scores.windows)
        for item in window.score.items
        for evidence in item.evidence
        if evidence.used
    }
    for typed, hospital in typed_otherwise(results, zone):
        same_unit = typed.unit == hospital.unit
        yield Discrepancy(
            test=hospital.name,
            effective=hospital.effective,
            typed=_said(typed, with_unit=not same_unit),
            hospital=_said(hospital, with_unit=not same_unit),
            unit=hospital.unit if same_unit else "",
            window=used.get(hospital.reference, ""),
        )


def _said(one: Result, *, with_unit: bool) -> str:
    if one.present is not None:
        return "present" if one.present else "absent"
    return f"{one.comparator or ''}{one.value} {one.unit if with_unit else ''}".strip()


def _review(subjects: Sequence[Subject], known: Known, folder: TrialFolder) -> list[ReviewItem]:
    return review(
        [result for one in subjects for result in known.results.get(one.subject, ())],
        known.noted,
        deaths={one.subject: one.death for one in subjects if one.death},
        zones={one.subject: _zone(one, folder) for one in subjects},
    )


def _why_not_scored(scores: SubjectScores) -> str:
    if scores.windows:
        return ""
    return "; ".join(issue.message for issue in scores.issues) or "nothing is known of any visit"


def _why_incomplete(pulls: Sequence[Pull]) -> Iterator[Issue]:
    for pull in pulls:
        for why in () if pull.complete else pull.why:
            yield Issue("warning", str(why.get("code")), str(why.get("message")), Where(pull.place))


def _provenance(known: Known) -> Iterator[tuple[str, str]]:
    yield "program", f"fhir-adapter {__version__}"
    for pull in known.pulls:
        yield f"pull {pull.number} from {pull.place}", f"as of {pull.checkpoint}"
    for file, digest in sorted(known.reading.files.items()):
        yield file, f"sha256 {digest}"


def _status(folder: TrialFolder) -> str:
    status = folder.status
    said = status.code or "not stated"
    registry = f"; the registry says {status.registry_status}" if status.registry_status else ""
    return f"{said}{registry} (decided {status.decided_on} by {status.decided_by})"


def _zone(subject: Subject, folder: TrialFolder) -> tzinfo:
    site = folder.sites.get(subject.site)
    return site.zone if site and site.zone else UTC


def _day(moment: Moment | None) -> date | None:
    return moment.day if moment else None

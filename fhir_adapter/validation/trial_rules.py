"""What a trial's protocol asks of its resources together: planned doses and visits, possible units, known subjects.

The rules and how serious each one is stand in `rules` of trial.yaml; they look at all resources of one set, because
study days are counted from a subject's first dose (SDTMIG 3.3, section 4.4.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.terminology import match_codes, normalise
from fhir_adapter.terminology.tables import Coding
from fhir_adapter.trial import study_day
from fhir_adapter.trial_folder import TrialFolder

Json = Mapping[str, Any]

_DAY = len("YYYY-MM-DD")
_GIVEN = frozenset({"completed", "in-progress", "stopped", "on-hold"})
_LIMIT = "implausible-value"
_UNITS = frozenset({"missing-unit", "unknown-unit"})


@dataclass(slots=True)
class Course:
    """What a set of resources says of one subject."""

    doses: list[tuple[date, str]] = field(default_factory=list)
    visits: list[tuple[str, date, str]] = field(default_factory=list)

    @property
    def first_dose(self) -> date | None:
        """The day of the first dose that was given, day 1 of the study."""
        return min((day for day, _ in self.doses), default=None)


def check_trial_rules(resources: Iterable[Json], folder: TrialFolder) -> list[Issue]:
    """Every breach of a rule that the trial turned on, by the resource that breaks it; nothing is changed."""
    return list(_TrialRules(folder).check(resources))


class _TrialRules:
    def __init__(self, folder: TrialFolder) -> None:
        self._folder = folder
        self._severities = folder.rules.severities

    def check(self, resources: Iterable[Json]) -> Iterator[Issue]:
        courses: dict[str, Course] = {}
        subjects: set[str] = set()
        about: list[tuple[str, str]] = []
        for resource in resources:
            kind, name = resource.get("resourceType"), _name(resource)
            subject = _reference(resource.get("individual" if kind == "ResearchSubject" else "subject"))
            if kind == "ResearchSubject":
                subjects.add(subject)
            elif subject:
                about.append((name, subject))
                _note(courses.setdefault(subject, Course()), resource, name)
            if kind == "Observation":
                yield from self._result(resource, name)
        yield from self._strangers(about, subjects)
        for course in courses.values():
            yield from self._doses(course)
            yield from self._visits(course)

    def _breach(self, rule: str, message: str, name: str, expression: str) -> Iterator[Issue]:
        severity = self._severities.get(rule)
        if severity is not None:
            yield Issue(severity, rule, message, Where(resource=name, expression=expression), f"rules.{rule}")

    # Results

    def _result(self, resource: Json, name: str) -> Iterator[Issue]:
        yield from self._quantity(resource, name, "Observation")
        components = resource.get("component")
        for index, component in enumerate(components if isinstance(components, list) else ()):
            if isinstance(component, dict):
                yield from self._quantity(component, name, f"Observation.component[{index}]")

    def _quantity(self, holder: Json, name: str, path: str) -> Iterator[Issue]:
        quantity = holder.get("valueQuantity")
        match = match_codes(_codings(holder.get("code")))
        if match.kind != "analyte" or not isinstance(quantity, dict) or quantity.get("value") is None:
            return
        unit, text = (_text(quantity, key) for key in ("code", "unit"))
        try:
            normalise(match.name, str(quantity["value"]), unit, text, comparator=_text(quantity, "comparator") or None)
        except Rejected as error:
            for issue in error.issues:
                rule = "hard-limits" if issue.code == _LIMIT else "unit-possible" if issue.code in _UNITS else None
                if rule is not None:
                    yield from self._breach(rule, issue.message, name, f"{path}.value.ofType(Quantity)")

    # Subjects

    def _strangers(self, about: list[tuple[str, str]], subjects: set[str]) -> Iterator[Issue]:
        for name, subject in about if subjects else ():
            if subject.startswith("Patient/") and subject not in subjects:
                message = "its subject is no ResearchSubject of this study"
                yield from self._breach("subject-in-study", message, name, f"{name.partition('/')[0]}.subject")

    # Doses and visits

    def _doses(self, course: Course) -> Iterator[Issue]:
        schedule, first = self._folder.rules.schedule, course.first_dose
        if schedule is None or first is None:
            return
        planned = list(schedule.days())
        for day, name in course.doses:
            number = study_day(day, first)
            path = "MedicationAdministration.effective"
            if not planned[0] - schedule.before <= number <= planned[-1] + schedule.after:
                message = f"given on study day {number}; doses are planned from day {planned[0]} to {planned[-1]}"
                yield from self._breach("dose-window", message, name, path)
            elif not any(each - schedule.before <= number <= each + schedule.after for each in planned):
                near = min(planned, key=lambda each: abs(each - number))
                message = f"given on study day {number}; no dose is planned then, the nearest is day {near}"
                yield from self._breach("dose-day", message, name, path)

    def _visits(self, course: Course) -> Iterator[Issue]:
        windows = {window.visit: window for window in self._folder.windows}
        first = course.first_dose
        known = [visit for visit in course.visits if visit[0] in windows]
        if first is not None:
            for title, day, name in known:
                number = study_day(day, first)
                window = windows[title]
                if not window.contains(number):
                    right = f"day {window.day}, up to {window.before} days before and {window.after} after"
                    message = f"{title} was on study day {number}; planned is {right}"
                    yield from self._breach("visit-window", message, name, "Encounter.period.start")
        planned = sorted(known, key=lambda visit: windows[visit[0]].day)
        for (title, day, _), (later, later_day, name) in pairwise(planned):
            if later_day < day:
                message = f"{later} was before {title}, which is planned first"
                yield from self._breach("visit-order", message, name, "Encounter.period.start")


def _note(course: Course, resource: Json, name: str) -> None:
    """Keep the days of doses that were given and of visits; a day that is not known exactly says nothing here."""
    kind = resource.get("resourceType")
    if kind == "MedicationAdministration" and resource.get("status") in _GIVEN:
        period = resource.get("effectivePeriod")
        day = _day(resource.get("effectiveDateTime") or (period.get("start") if isinstance(period, dict) else None))
        if day is not None:
            course.doses.append((day, name))
    elif kind == "Encounter":
        period, types = resource.get("period"), resource.get("type")
        day = _day(period.get("start")) if isinstance(period, dict) else None
        titles = [each.get("text") for each in types if isinstance(each, dict)] if isinstance(types, list) else []
        if day is not None and titles and isinstance(titles[0], str):
            course.visits.append((titles[0], day, name))


def _day(text: object) -> date | None:
    if not isinstance(text, str) or len(text) < _DAY:
        return None
    try:
        return date.fromisoformat(text[:_DAY])
    except ValueError:
        return None


def _name(resource: Json) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id', '')}"


def _reference(value: object) -> str:
    found = value.get("reference") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _codings(concept: object) -> list[Coding]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [
        (_text(each, "system"), _text(each, "code"))
        for each in (codings if isinstance(codings, list) else ())
        if isinstance(each, dict)
    ]


def _text(holder: Json, key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""

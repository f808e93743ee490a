"""How rows that belong together become one entity: subjects with their dispositions, panels, the study itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from fhir_adapter.issues import Issue, Where
from fhir_adapter.sources.reading import SetAside
from fhir_adapter.trial import (
    Arm,
    Criterion,
    Disposition,
    Fact,
    Measurement,
    Site,
    Study,
    Subject,
    Visit,
    study_day,
)
from fhir_adapter.trial_folder import Panel, SourceSettings, TrialFolder


def assemble_subjects(subjects: Iterable[Subject], dispositions: Iterable[Disposition]) -> list[Subject]:
    """Give every subject its dispositions, in the order of the file."""
    by_subject: dict[str, list[Disposition]] = {}
    for one in dispositions:
        by_subject.setdefault(one.subject, []).append(one)
    return [replace(subject, dispositions=tuple(by_subject.get(subject.subject, ()))) for subject in subjects]


_FORMS = {
    "planned_size": (re.compile(r"\d{1,7}", re.ASCII), "a whole number of subjects"),
    "age_minimum": (re.compile(r"P\d{1,3}Y", re.ASCII), "years as ISO 8601 writes them, such as P50Y"),
    "age_maximum": (re.compile(r"P\d{1,3}Y", re.ASCII), "years as ISO 8601 writes them, such as P50Y"),
}
"""Facts that become numbers, and how they must read."""


def assemble_study(folder: TrialFolder, found: Mapping[str, list[object]]) -> tuple[Study, list[SetAside]]:
    """The study from its summary rows, arms and criteria; what trial.yaml states itself goes before them."""
    facts: dict[str, tuple[Fact, ...]] = dict(folder.facts)
    unread: list[SetAside] = []
    for source in folder.sources:
        if source.entity == "study-fact":
            unread.extend(_add_facts(facts, source, found[source.name], folder))
    everything = [one for many in found.values() for one in many]
    arms = {one.name: one for one in everything if isinstance(one, Arm)}
    criteria = [one for one in everything if isinstance(one, Criterion)]
    study = Study(
        identifier=folder.study_identifier,
        facts=facts,
        arms=tuple(arms[name] for name in sorted(arms)),
        criteria=tuple(sorted(criteria, key=lambda one: (one.exclusion, one.name))),
        sites=tuple(Site(name, site.name, site.country) for name, site in folder.sites.items()),
    )
    return study, unread


def join_panels(
    measurements: Iterable[Measurement], set_aside: Sequence[SetAside], folder: TrialFolder
) -> tuple[list[Measurement], list[SetAside]]:
    """Join the tests of a panel that were taken together into one measurement with parts.

    A panel of which a row was set aside is set aside too: half a blood pressure would overwrite a whole one.
    """
    panel_of = {member: panel for panel in folder.codes.panels for member in panel.members}
    joined: dict[tuple[str, ...], list[Measurement]] = {}
    singles: list[Measurement] = []
    for one in measurements:
        panel = panel_of.get(one.test)
        if panel is None:
            singles.append(one)
        else:
            joined.setdefault(_panel_key(one.key, panel), []).append(one)
    lost = {_panel_key(row.key, panel) for row in set_aside if row.key for panel in folder.codes.panels}
    nameless = {row.source for row in set_aside if row.key is None}
    whole: list[Measurement] = []
    broken: list[SetAside] = []
    for key, parts in joined.items():
        panel = panel_of[parts[0].test]
        if key in lost or (parts[0].origin.source in nameless and len(parts) < len(panel.members)):
            broken.extend(_broken(part, panel) for part in parts)
        else:
            whole.append(_panel(key, parts, panel))
    return singles + whole, broken


def _broken(part: Measurement, panel: Panel) -> SetAside:
    message = f"part of {panel.title}, of which another row was set aside"
    where = Where(part.origin.file, part.origin.row)
    return SetAside(
        Issue("error", "panel-incomplete", message, where), part.origin.source, "measurement", part.subject, part.key
    )


def warn_of_countries(subjects: Iterable[Subject], folder: TrialFolder) -> Iterator[Issue]:
    """A warning for each subject whose row names another country than trial.yaml states for its site."""
    for subject in subjects:
        stated = folder.sites[subject.site].country
        if stated and subject.site_country and subject.site_country != stated:
            message = f"site {subject.site} is in {stated} by trial.yaml, and in another country by this row"
            yield Issue("warning", "site-country-differs", message, Where(subject.origin.file, subject.origin.row))


def warn_of_standards(measurements: Iterable[Measurement], folder: TrialFolder) -> Iterator[Issue]:
    """A warning for each standardised value that has no place beside the value as recorded, and is not sent."""
    for one in measurements:
        test = folder.codes.tests.get(one.test)
        if one.standard is None or one.value is None or test is None:
            continue
        translated = one.standard.unit != (one.unit or "") and (one.standard.unit or test.standard_unitless)
        if not translated and one.standard.value != Decimal(one.value):
            message = f"{one.test}: the standardised value differs, and its unit does not say how; it is not sent"
            yield Issue("warning", "standard-differs", message, Where(one.origin.file, one.origin.row))


def warn_of_windows(subjects: Iterable[Subject], visits: Iterable[Visit], folder: TrialFolder) -> Iterator[Issue]:
    """A warning for each visit that took place outside the window which the trial folder states for it."""
    windows = {window.visit: window for window in folder.windows}
    starts = {subject.subject: subject.reference_start for subject in subjects}
    for visit in visits:
        window, start = windows.get(visit.name), starts.get(visit.subject)
        if window is None or start is None or start.day is None or visit.start is None or visit.start.day is None:
            continue
        day = study_day(visit.start.day, start.day)
        if not window.contains(day):
            message = f"visit {visit.name}: study day {day}, planned day {window.day} -{window.before}/+{window.after}"
            yield Issue("warning", "visit-outside-window", message, Where(visit.origin.file, visit.origin.row))


def _add_facts(
    facts: dict[str, tuple[Fact, ...]], source: SourceSettings, rows: Iterable[object], folder: TrialFolder
) -> Iterator[SetAside]:
    """Add facts in the order of the mapping, then of their sequence: the order of rows in a file means nothing.

    Answers those that do not read as they must.
    """
    order = {parameter: place for place, parameter in enumerate(source.parameters)}
    known = [row for row in rows if isinstance(row, tuple) and row[0] in order]
    for parameter, fact in sorted(known, key=lambda row: (order[row[0]], _number(row[1].sequence), row[1].text)):
        field = source.parameters[parameter]
        form, right = _FORMS.get(field, (None, ""))
        if field in folder.facts or not fact.text:
            continue
        if form is not None and not form.fullmatch(fact.text):
            issue = Issue("error", "invalid-number", f"{parameter}: not {right}", Where(source.file))
            yield SetAside(issue, source.name, source.entity)
        else:
            facts[field] = (*facts.get(field, ()), fact)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _panel_key(key: tuple[str, ...], panel: Panel) -> tuple[str, ...]:
    return tuple(panel.name if part in panel.members else part for part in key)


def _panel(key: tuple[str, ...], parts: Sequence[Measurement], panel: Panel) -> Measurement:
    order = {member: place for place, member in enumerate(panel.members)}
    ordered = tuple(sorted(parts, key=lambda part: order[part.test]))
    first = ordered[0]
    return Measurement(
        test=panel.name,
        value=None,
        unit=None,
        effective=first.effective,
        subject=first.subject,
        site=first.site,
        key=key,
        origin=first.origin,
        name=panel.title,
        category=first.category,
        group=first.group,
        visit=first.visit,
        position=first.position,
        location=first.location,
        not_done=all(part.not_done for part in ordered),
        panel=ordered,
    )

"""How rows that belong together become one entity: subjects with their dispositions, panels, the study itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

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
from fhir_adapter.trial_folder import Panel, TrialFolder


def assemble_subjects(subjects: Iterable[Subject], dispositions: Iterable[Disposition]) -> list[Subject]:
    """Give every subject its dispositions, in the order of the file."""
    by_subject: dict[str, list[Disposition]] = {}
    for one in dispositions:
        by_subject.setdefault(one.subject, []).append(one)
    return [replace(subject, dispositions=tuple(by_subject.get(subject.subject, ()))) for subject in subjects]


def assemble_study(folder: TrialFolder, found: Mapping[str, list[object]], subjects: Sequence[Subject]) -> Study:
    """The study from its summary rows, arms and criteria; what trial.yaml states itself goes before them."""
    facts: dict[str, tuple[Fact, ...]] = dict(folder.facts)
    for source in folder.sources:
        if source.entity == "study-fact":
            _add_facts(facts, source.parameters, found[source.name], folder)
    everything = [one for many in found.values() for one in many]
    arms = {one.name: one for one in everything if isinstance(one, Arm)}
    criteria = [one for one in everything if isinstance(one, Criterion)]
    return Study(
        identifier=folder.study_identifier,
        facts=facts,
        arms=tuple(arms[name] for name in sorted(arms)),
        criteria=tuple(sorted(criteria, key=lambda one: (one.exclusion, one.name))),
        sites=tuple(_sites(folder, subjects)),
    )


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
    return SetAside(Issue("error", "panel-incomplete", message, where), part.origin.source, part.subject, part.key)


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
    facts: dict[str, tuple[Fact, ...]], fields: Mapping[str, str], rows: Iterable[object], folder: TrialFolder
) -> None:
    """Facts in the order of the mapping, then of their sequence: the order of rows in a file means nothing."""
    order = {parameter: place for place, parameter in enumerate(fields)}
    known = [row for row in rows if isinstance(row, tuple) and row[0] in order]
    for parameter, fact in sorted(known, key=lambda row: (order[row[0]], _number(row[1].sequence), row[1].text)):
        field = fields[parameter]
        if field not in folder.facts and fact.text:
            facts[field] = (*facts.get(field, ()), fact)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _sites(folder: TrialFolder, subjects: Iterable[Subject]) -> Iterator[Site]:
    countries = {
        one.site: one.site_country for one in sorted(subjects, key=lambda one: one.subject) if one.site_country
    }
    for name, site in folder.sites.items():
        yield Site(name, site.name, countries.get(name))


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

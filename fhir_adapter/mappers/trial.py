"""How a whole trial becomes resources: study-level ones, then each subject's, each with where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.mappers.blinding import masked
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.names import Names
from fhir_adapter.mappers.r4.adverse_event import map_adverse_event
from fhir_adapter.mappers.r4.device import ADAPTER_NAME, map_adapter
from fhir_adapter.mappers.r4.encounter import map_visit
from fhir_adapter.mappers.r4.group import map_eligibility
from fhir_adapter.mappers.r4.location import map_location
from fhir_adapter.mappers.r4.medication import map_medication, medication_key
from fhir_adapter.mappers.r4.medication_administration import map_dose
from fhir_adapter.mappers.r4.observation import map_finding, map_measurement
from fhir_adapter.mappers.r4.organization import map_site_organization, map_sponsor
from fhir_adapter.mappers.r4.patient import map_patient
from fhir_adapter.mappers.r4.research_study import map_site_study, map_study
from fhir_adapter.mappers.r4.research_subject import map_research_subject
from fhir_adapter.trial import (
    NOWHERE,
    AdverseEvent,
    Dose,
    EligibilityAnswer,
    Entity,
    Finding,
    History,
    Measurement,
    Medication,
    Origin,
    Study,
    Subject,
    Transfusion,
    Visit,
)
from fhir_adapter.trial_folder import TrialFolder

_MAPPERS: dict[type, tuple[tuple[str, Callable[[Any, Context], Resource]], ...]] = {
    Subject: (("Patient", map_patient), ("ResearchSubject", map_research_subject)),
    Visit: (("Encounter", map_visit),),
    Dose: (("MedicationAdministration", map_dose),),
    Measurement: (("Observation", map_measurement),),
    Finding: (("Observation", map_finding),),
    AdverseEvent: (("AdverseEvent", map_adverse_event),),
    EligibilityAnswer: (),
    Medication: (),
    Transfusion: (),
    History: (),
}
"""The resources of each kind of entity; the last four are read for scores and reports, and have none yet."""
_MADE_OF: dict[str, tuple[str, ...]] = {
    "ResearchStudy": ("study-fact", "arm"),
    "Group": ("study-fact", "criterion"),
    "Organization": ("study-fact",),
    "ResearchSubject": ("subject", "disposition"),
}
"""The kinds of sources behind a resource that more than one row makes."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A resource with the subject it belongs to (none: the study itself) and the row it came from."""

    resource: Resource
    subject: str | None
    origin: Origin
    sources: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`Type/id`, as references name it."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An entity that has no resource: why, and what the resource would have been called (`Type/id`)."""

    issue: Issue
    name: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """All resources of a trial, study-level ones first, and what could not be mapped."""

    resources: tuple[Mapped, ...]
    unmapped: tuple[Unmapped, ...]
    context: Context


def context_of(folder: TrialFolder) -> Context:
    """What the mappers of this trial need to know."""
    return Context(folder, Names(folder))


def map_trial(study: Study, entities: Iterable[Entity], folder: TrialFolder) -> Mapping:
    """Map everything; an entity that cannot be mapped is left out, with an issue that says why."""
    entities = list(entities)
    context = replace(context_of(folder), keys=_keys(entities))
    resources: list[Mapped] = []
    unmapped: list[Unmapped] = []
    for step in (*_study_level(study, context), *_of_entities(entities, context)):
        try:
            resource = step.mapper(*step.arguments)
        except Rejected as error:
            where = Where(step.origin.file or None, step.origin.row or None)
            name = f"{step.resource_type}/{context.names.id(step.resource_type, *step.key)}"
            unmapped.append(Unmapped(replace(error.issues[0], where=where), name))
        else:
            resources.append(Mapped(resource, step.subject, step.origin, _sources(step, folder)))
    return Mapping(tuple(resources), tuple(unmapped), context)


@dataclass(frozen=True, slots=True)
class _Step:
    """One resource to be made: its type and key, and what makes it."""

    resource_type: str
    key: tuple[str, ...]
    mapper: Callable[..., Resource]
    arguments: tuple[Any, ...]
    subject: str | None = None
    origin: Origin = NOWHERE


def _sources(step: _Step, folder: TrialFolder) -> tuple[str, ...]:
    kinds = _MADE_OF.get(step.resource_type, ())
    names = [source.name for source in folder.sources if source.entity in kinds]
    return tuple(dict.fromkeys([*([step.origin.source] if step.origin.source else []), *names]))


def _of_entities(entities: Iterable[Entity], context: Context) -> Iterator[_Step]:
    medications: set[tuple[str, ...]] = set()
    for entity in entities:
        seen = masked(entity) if context.folder.masked else entity
        if isinstance(seen, Dose) and medication_key(seen) not in medications:
            medications.add(medication_key(seen))
            yield _Step("Medication", medication_key(seen), map_medication, (seen, context), None, seen.origin)
        for resource_type, mapper in _MAPPERS[type(seen)]:
            yield _Step(resource_type, seen.key, mapper, (seen, context), seen.subject, seen.origin)


def _keys(entities: Iterable[Entity]) -> dict[tuple[str, ...], tuple[str, ...] | None]:
    """The business keys of what other entities refer to by number; none where two share the number."""
    keys: dict[tuple[str, ...], tuple[str, ...] | None] = {}
    for entity in entities:
        if isinstance(entity, Subject):
            name: tuple[str, ...] = ("Patient", entity.subject)
        elif isinstance(entity, Visit):
            name = ("Encounter", entity.subject, entity.number)
        elif isinstance(entity, AdverseEvent):
            name = ("AdverseEvent", entity.subject, entity.number)
        else:
            continue
        keys[name] = None if name in keys else entity.key
    return keys


def _study_level(study: Study, context: Context) -> Iterator[_Step]:
    yield _Step("Device", (ADAPTER_NAME,), map_adapter, (context,))
    for fact in study.facts.get("sponsor", ())[:1]:
        yield _Step("Organization", ("sponsor", fact.text), map_sponsor, (fact.text, context))
    for site in study.sites:
        yield _Step("Organization", ("site", site.name), map_site_organization, (site, context))
        yield _Step("Location", (site.name,), map_location, (site, context))
    if study.criteria:
        yield _Step("Group", (study.identifier,), map_eligibility, (study, context))
    yield _Step("ResearchStudy", (study.identifier,), map_study, (study, context))
    if not context.folder.flat:
        for site in study.sites:
            yield _Step("ResearchStudy", context.study_key(site.name), map_site_study, (study, site, context))

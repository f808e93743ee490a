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
from fhir_adapter.mappers.r4.device import map_adapter
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
    Entity,
    Finding,
    Measurement,
    Origin,
    Study,
    Subject,
    Visit,
)
from fhir_adapter.trial_folder import TrialFolder

_MAPPERS: dict[type, tuple[Callable[[Any, Context], Resource], ...]] = {
    Subject: (map_patient, map_research_subject),
    Visit: (map_visit,),
    Dose: (map_dose,),
    Measurement: (map_measurement,),
    Finding: (map_finding,),
    AdverseEvent: (map_adverse_event,),
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A resource with the subject it belongs to (none: the study itself) and the row it came from."""

    resource: Resource
    subject: str | None
    origin: Origin

    @property
    def name(self) -> str:
        """`Type/id`, as references name it."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An entity that has no resource: why, and what its resources would have been called."""

    issue: Issue
    names: tuple[str, ...]


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
    _collect(_study_level(study, context), resources, unmapped)
    medications: set[tuple[str, ...]] = set()
    for entity in entities:
        seen = masked(entity) if folder.masked else entity
        if isinstance(seen, Dose) and medication_key(seen) not in medications:
            medications.add(medication_key(seen))
            _collect([(map_medication, (seen, context), None, seen.origin)], resources, unmapped)
        steps = ((mapper, (seen, context), seen.subject, seen.origin) for mapper in _MAPPERS[type(seen)])
        _collect(steps, resources, unmapped)
    return Mapping(tuple(resources), tuple(unmapped), context)


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


_Step = tuple[Callable[..., Resource], tuple[Any, ...], str | None, Origin]


def _study_level(study: Study, context: Context) -> Iterator[_Step]:
    yield map_adapter, (context,), None, NOWHERE
    for fact in study.facts.get("sponsor", ())[:1]:
        yield map_sponsor, (fact.text, context), None, NOWHERE
    for site in study.sites:
        yield map_site_organization, (site, context), None, NOWHERE
        yield map_location, (site, context), None, NOWHERE
    if study.criteria:
        yield map_eligibility, (study, context), None, NOWHERE
    yield map_study, (study, context), None, NOWHERE
    if not context.folder.flat:
        for site in study.sites:
            yield map_site_study, (study, site, context), None, NOWHERE


def _collect(steps: Iterable[_Step], resources: list[Mapped], unmapped: list[Unmapped]) -> None:
    for mapper, arguments, subject, origin in steps:
        try:
            resources.append(Mapped(mapper(*arguments), subject, origin))
        except Rejected as error:
            issue = replace(error.issues[0], where=Where(origin.file or None, origin.row or None))
            unmapped.append(Unmapped(issue, (subject or "",)))

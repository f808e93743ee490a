"""ResearchStudy (R4): the overall study from its summary, and one study per site below it.

HL7/CDISC joint guide: a subject belongs to a site's study, which is part of the overall study.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_adapter.mappers.canonical import (
    CORE,
    CROSS_VERSION,
    ISO_3166,
    NCI_THESAURUS,
    REGISTRY_STATUS,
)
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import concept, terminology
from fhir_adapter.trial import Fact, Site, Study
from fhir_adapter.trial_folder import Code, Decision

_CLINICAL_TRIALS_GOV = Code(NCI_THESAURUS, "C172240", "ClinicalTrials.gov Identifier")
_OUTCOMES = {"outcome_primary": "primary", "outcome_secondary": "secondary"}
_OBJECTIVES = {"objective_primary": ("primary", "Primary"), "objective_secondary": ("secondary", "Secondary")}


def map_study(study: Study, context: Context) -> Resource:
    """The overall study."""
    names, facts = context.names, study.facts
    resource: Resource = {
        "resourceType": "ResearchStudy",
        "id": names.id("ResearchStudy", study.identifier),
        "meta": context.meta("trial-study"),
        "extension": list(_extensions(study, context)),
        "identifier": list(_identifiers(study, context)),
        "title": _text(facts.get("title")) or study.identifier,
    }
    _set_status(resource, context)
    for element, table in (("primaryPurposeType", "purpose"), ("phase", "phase")):
        for fact in facts.get("purpose" if table == "purpose" else "phase", ())[:1]:
            resource[element] = concept(context.codes.of(table, fact.text), fact.text)
    for element in ("category", "focus", "condition", "keyword"):
        resource[element] = [_concept(fact, context) for fact in facts.get(element, ())]
    resource["location"] = [concept([Code(ISO_3166, fact.text)], fact.text) for fact in facts.get("country", ())]
    resource["description"] = _text(facts.get("description"))
    if study.criteria:
        resource["enrollment"] = [names.reference("Group", study.identifier)]
    resource["period"] = _period(study)
    if facts.get("sponsor"):
        resource["sponsor"] = names.reference("Organization", "sponsor", facts["sponsor"][0].text)
    resource["site"] = [names.reference("Location", site.name) for site in study.sites]
    resource["arm"] = [{"name": arm.name, "description": arm.description or arm.name} for arm in study.arms]
    if not context.folder.masked:  # a decision may name the arm
        resource["note"] = [{"text": _decision(one)} for one in context.folder.decisions]
    resource["objective"] = list(_objectives(study))
    return {element: value for element, value in resource.items() if value not in ("", [], {})}


def map_site_study(study: Study, site: Site, context: Context) -> Resource:
    """The study as it runs at one site, part of the overall study."""
    names = context.names
    title = _text(study.facts.get("title")) or study.identifier
    resource: Resource = {
        "resourceType": "ResearchStudy",
        "id": names.id("ResearchStudy", *context.study_key(site.name)),
        "meta": context.meta("trial-site-study"),
        "identifier": [names.identifier("site", site.name)],
        "title": f"{title} ({site.title})",
        "partOf": [names.reference("ResearchStudy", study.identifier)],
    }
    _set_status(resource, context)
    if study.facts.get("sponsor"):
        resource["sponsor"] = names.reference("Organization", "sponsor", study.facts["sponsor"][0].text)
    resource["site"] = [names.reference("Location", site.name)]
    return resource


def _set_status(resource: Resource, context: Context) -> None:
    status = context.folder.status
    if status.code is not None:
        resource["status"] = status.code
    else:
        absent = {"url": f"{CORE}data-absent-reason", "valueCode": "unknown"}
        resource["_status"] = {"extension": [absent]}


def _extensions(study: Study, context: Context) -> Iterator[Resource]:
    word = context.folder.status.registry_status
    if word:
        yield {"url": REGISTRY_STATUS, "valueString": word}
    for field, kind in _OUTCOMES.items():
        for fact in study.facts.get(field, ()):
            yield {
                "url": f"{CROSS_VERSION}ResearchStudy.outcomeMeasure",
                "extension": [
                    {"url": "type", "valueCodeableConcept": {"text": kind}},
                    {"url": "description", "valueMarkdown": fact.text},
                ],
            }


def _identifiers(study: Study, context: Context) -> Iterator[Resource]:
    yield {"use": "official", **context.names.identifier("study", study.identifier)}
    for fact in study.facts.get("registry_id", ()):
        system = context.folder.registry_system
        known: Resource = {"type": concept([_CLINICAL_TRIALS_GOV])} if "clinicaltrials.gov" in system else {}
        yield {**known, "system": system, "value": fact.text}


def _decision(one: Decision) -> str:
    """A decision or assumption behind the mapping, as a person reads it."""
    return f"{one.about}: {one.value} ({one.kind}; {one.source}; {one.who}, {one.when})"


def _concept(fact: Fact, context: Context) -> Resource:
    system = context.codes.dictionaries.get(fact.dictionary)
    return concept([Code(system, fact.code)] if system and fact.code else [], fact.text)


def _period(study: Study) -> Resource:
    ends = {"start": _text(study.facts.get("start")), "end": _text(study.facts.get("end"))}
    return {end: text for end, text in ends.items() if text}


def _objectives(study: Study) -> Iterator[Resource]:
    for field, (code, display) in _OBJECTIVES.items():
        for fact in study.facts.get(field, ()):
            yield {"name": fact.text, "type": terminology("research-study-objective-type", code, display)}


def _text(facts: tuple[Fact, ...] | None) -> str:
    return facts[0].text if facts else ""

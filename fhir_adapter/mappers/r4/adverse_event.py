"""AdverseEvent (R4): an event as reported, coded by the dictionary where the export is coded.

R4 has no end and no action taken: both use the cross-version extensions of R5. Criteria of seriousness are codes where
R4's code system has them, and words in any case.
"""

from __future__ import annotations

from fhir_adapter.mappers.canonical import CROSS_VERSION, TERMINOLOGY
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import coding, concept, date_time, period
from fhir_adapter.trial import AdverseEvent
from fhir_adapter.trial_folder import Code

_CRITERIA = {
    "Results in death": ("SeriousResultsInDeath", "Results in death"),
    "Is life threatening": ("SeriousIsLifeThreatening", "Is Life-threatening"),
    "Requires or prolongs hospitalization": (
        "SeriousResultsInHospitalization",
        "Requires or prolongs inpatient hospitalization",
    ),
    "Persistent or significant disability or incapacity": (
        "SeriousResultsInDisability",
        "Results in persistent or significant disability/incapacity",
    ),
    "Congenital anomaly or birth defect": ("SeriousIsBirthDefect", "Is a congenital anomaly/birth defect"),
}
"""SDTM's criteria of seriousness as codes of R4's adverse-event-seriousness; cancer and overdose have none."""
_SERIOUSNESS = {True: ("Serious", "Serious"), False: ("Non-serious", "Non-serious")}


def map_adverse_event(event: AdverseEvent, context: Context) -> Resource:
    """One adverse event; raises `Rejected` for a word that the trial's tables do not list."""
    names = context.names
    resource: Resource = {
        "resourceType": "AdverseEvent",
        "id": names.id("AdverseEvent", *event.key),
        "meta": context.meta("trial-adverse-event"),
    }
    extensions = _extensions(event, context)
    if extensions:
        resource["extension"] = extensions
    resource["identifier"] = names.identifier("ae", *event.key)
    resource["actuality"] = "actual"
    resource["event"] = _event(event, context)
    resource["subject"] = context.link("Patient", event.subject)
    date_time(resource, "date", event.start)
    if event.serious is not None or event.serious_criteria:
        resource["seriousness"] = _seriousness(event)
    for element, word in (("severity", event.severity), ("outcome", event.outcome)):
        if word:
            resource[element] = concept(context.codes.of(element, word), word)
    if event.causality:
        assessment = concept(context.codes.of("causality", event.causality), event.causality)
        instance = {"display": "the study treatment"}
        resource["suspectEntity"] = [{"instance": instance, "causality": [{"assessment": assessment}]}]
    keys = dict.fromkeys([context.study_key(event.site), (context.folder.study_identifier,)])
    resource["study"] = [names.reference("ResearchStudy", *key) for key in keys]
    return resource


def _extensions(event: AdverseEvent, context: Context) -> list[Resource]:
    found: list[Resource] = []
    if event.end is not None:
        during = period(event.start, event.end)
        found.append({"url": f"{CROSS_VERSION}AdverseEvent.occurrence", "valuePeriod": during})
    if event.action:
        action = concept(context.codes.of("action", event.action), event.action)
        item = {"url": "item", "valueCodeableConcept": action}
        found.append({"url": f"{CROSS_VERSION}AdverseEvent.mitigatingAction", "extension": [item]})
    return found


def _event(event: AdverseEvent, context: Context) -> Resource:
    """The term as reported; the dictionary's terms as codings, without a code where the export gives none."""
    found = concept(_dictionary_codes(event, context), event.term)
    system = context.codes.dictionaries.get("adverse-event")
    uncoded = [{"system": system, "display": term} for term, code in event.dictionary_terms if not code]
    if system and uncoded:
        found["coding"] = [*(coding(code) for code in _dictionary_codes(event, context)), *uncoded]
    return found


def _dictionary_codes(event: AdverseEvent, context: Context) -> list[Code]:
    system = context.codes.dictionaries.get("adverse-event")
    return [Code(system, code, term) for term, code in event.dictionary_terms if code] if system else []


def _seriousness(event: AdverseEvent) -> Resource:
    stated = [_SERIOUSNESS[event.serious]] if event.serious is not None else []
    codes = [*stated, *(_CRITERIA[words] for words in event.serious_criteria if words in _CRITERIA)]
    found = concept(Code(f"{TERMINOLOGY}adverse-event-seriousness", code, display) for code, display in codes)
    if event.serious_criteria:
        found["text"] = "; ".join(event.serious_criteria)
    return found

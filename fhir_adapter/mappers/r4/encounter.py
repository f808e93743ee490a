"""Encounter (R4): a visit that took place; its plan goes to `type`, why an unplanned one happened to the reason."""

from __future__ import annotations

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.canonical import TERMINOLOGY
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import concept, period
from fhir_adapter.trial import Visit
from fhir_adapter.trial_folder import Code

CLASSES = {
    "AMB": "ambulatory",
    "IMP": "inpatient encounter",
    "HH": "home health",
    "VR": "virtual",
    "FLD": "field",
}
"""Encounter classes (v3-ActCode) with the wording of the code system."""


def map_visit(visit: Visit, context: Context) -> Resource:
    """A visit at the site; raises `Rejected` when the trial folder does not say of which class visits are."""
    names, kind = context.names, context.folder.visit_class
    if kind is None:
        message = "Encounter.class is required: state visits.class in trial.yaml"
        raise Rejected(message, Issue("error", "no-visit-class", message, rule="visits.class"))
    resource: Resource = {
        "resourceType": "Encounter",
        "id": names.id("Encounter", *visit.key),
        "meta": context.meta("trial-visit"),
        "extension": context.study_links(visit.site),
        "identifier": [names.identifier("visit", *visit.key)],
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}v3-ActCode", "code": kind, "display": CLASSES[kind]},
        "type": [concept([Code(names.code_system("visit"), visit.number, visit.name)], visit.name)],
        "subject": context.link("Patient", visit.subject),
    }
    during = period(visit.start, visit.end)
    if during:
        resource["period"] = during
    if visit.unplanned:
        resource["reasonCode"] = [{"text": visit.unplanned}]
    resource["location"] = [{"location": names.reference("Location", visit.site)}]
    resource["serviceProvider"] = names.reference("Organization", "site", visit.site)
    return resource

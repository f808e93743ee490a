"""ResearchSubject (R4): a subject's part in the study of its site, from consent to the end of participation."""

from __future__ import annotations

from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import period, source_value
from fhir_adapter.trial import Disposition, Subject


def map_research_subject(subject: Subject, context: Context) -> Resource:
    """The subject's participation; its status is decided by the trial's own table of dispositions."""
    names = context.names
    resource: Resource = {
        "resourceType": "ResearchSubject",
        "id": names.id("ResearchSubject", *subject.key),
        "meta": context.meta("trial-subject"),
        "identifier": [names.identifier("subject", *subject.key)],
    }
    if subject.screening_number:
        resource["identifier"] = [
            names.identifier("subject", *subject.key),
            names.identifier("screening", subject.site, subject.screening_number),
        ]
    _set_status(resource, subject, context)
    during = period(subject.consent, subject.participation_end)
    if during:
        resource["period"] = during
    resource["study"] = names.reference("ResearchStudy", *context.study_key(subject.site))
    resource["individual"] = names.reference("Patient", *subject.key)
    if not context.folder.masked:
        for element, arm in (("assignedArm", subject.planned_arm), ("actualArm", subject.actual_arm)):
            if arm:
                resource[element] = arm
    return resource


def _set_status(resource: Resource, subject: Subject, context: Context) -> None:
    table = "status_after_first_dose" if subject.first_dose else "status_before_first_dose"
    last = _last_of_participation(subject, context)
    word = last.decoded if last else "INFORMED CONSENT OBTAINED" if subject.consent else ""
    resource["status"] = context.codes.one(table, word)
    if last is not None:
        texts = dict.fromkeys([last.decoded, last.term or last.decoded])
        resource["_status"] = {"extension": [source_value(text) for text in texts]}


def _last_of_participation(subject: Subject, context: Context) -> Disposition | None:
    """The latest disposition that counts for the participation; an end outranks every milestone, dated or not."""
    ranks = {"milestone": 0, "end": 1}
    counted = [
        (ranks[codes[0].code], one.at.bounds()[0] if one.at else 0, one.decoded, one.term, place, one)
        for place, one in enumerate(subject.dispositions)
        if (codes := context.codes.of("disposition_counts", one.subcategory))
    ]
    return max(counted)[5] if counted else None

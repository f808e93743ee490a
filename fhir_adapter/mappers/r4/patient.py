"""Patient (R4): a subject as the trial knows it; no name, no address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fhir_adapter.mappers.canonical import US_CORE
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import coding, date_time
from fhir_adapter.trial import Subject


def map_patient(subject: Subject, context: Context) -> Resource:
    """The person behind a subject."""
    names = context.names
    resource: Resource = {
        "resourceType": "Patient",
        "id": names.id("Patient", *subject.key),
        "meta": context.meta("trial-patient"),
    }
    extensions = list(_us_core(subject, context))
    if extensions:
        resource["extension"] = extensions
    resource["identifier"] = [names.identifier("subject", *subject.key)]
    if subject.sex:
        resource["gender"] = context.codes.one("sex", subject.sex)
    if subject.birth is not None:  # a date even where the source knows the hour; that stays beside it as recorded
        date_time(resource, "birthDate", replace(subject.birth, iso=subject.birth.iso[:10]))
    if subject.death is not None:
        date_time(resource, "deceasedDateTime", subject.death)
    elif subject.died is not None:
        resource["deceasedBoolean"] = subject.died
    resource["managingOrganization"] = names.reference("Organization", "site", subject.site)
    return resource


def _us_core(subject: Subject, context: Context) -> Iterator[Resource]:
    for element, word in (("race", subject.race), ("ethnicity", subject.ethnicity)):
        if word:
            parts: list[Resource] = [
                {"url": "ombCategory", "valueCoding": coding(code)} for code in context.codes.of(element, word)
            ]
            parts.append({"url": "text", "valueString": word})
            yield {"url": f"{US_CORE}us-core-{element}", "extension": parts}

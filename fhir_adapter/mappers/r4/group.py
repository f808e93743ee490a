"""Group (R4): who may take part, as the protocol's criteria describe them.

In R4 all characteristics must be true; there is no any-of. A criterion stays verbatim; nothing is read into its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import concept, ucum
from fhir_adapter.trial import Criterion, Study
from fhir_adapter.trial_folder import LOINC, Code

_YEARS = re.compile(r"P(\d{1,3})Y", re.ASCII)
_AGE = Code(LOINC, "30525-0", "Age")


def map_eligibility(study: Study, context: Context) -> Resource:
    """The eligible population, with the planned number of subjects."""
    resource: Resource = {
        "resourceType": "Group",
        "id": context.names.id("Group", study.identifier),
        "meta": context.meta("trial-eligibility"),
        "identifier": [context.names.identifier("eligibility", study.identifier)],
        "active": True,
        "type": "person",
        "actual": False,
        "name": f"Eligibility criteria of {study.identifier}",
    }
    for fact in study.facts.get("planned_size", ())[:1]:
        resource["quantity"] = _count(fact.text)
    resource["characteristic"] = [*_age(study), *(_characteristic(one, context) for one in study.criteria)]
    return resource


def _characteristic(criterion: Criterion, context: Context) -> Resource:
    own = Code(context.names.code_system("criterion"), criterion.name)
    return {"code": concept([own], criterion.text), "valueBoolean": True, "exclude": criterion.exclusion}


def _age(study: Study) -> Iterator[Resource]:
    limits: Resource = {}
    for end, field in (("low", "age_minimum"), ("high", "age_maximum")):
        for fact in study.facts.get(field, ())[:1]:
            limits[end] = ucum(_years(fact.text), "a", "years")
    if limits:
        yield {"code": concept([_AGE], "Age"), "valueRange": limits, "exclude": False}


def _years(text: str) -> int:
    match = _YEARS.fullmatch(text)
    if match is None:
        raise _rejected(f"the age limit {text!r} is not a number of years such as P50Y")
    return int(match[1])


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,7}", text, re.ASCII):
        raise _rejected(f"the planned number of subjects {text!r} is not a whole number")
    return int(text)


def _rejected(message: str) -> Rejected:
    return Rejected(message, Issue("error", "invalid-number", message))

"""Small entities of the made-up trial, and the context in which they are mapped."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_adapter.issues import Rejected
from fhir_adapter.mappers import Context, context_of
from fhir_adapter.trial import AdverseEvent, Disposition, Dose, Finding, Measurement, Moment, Quantity, Subject, Visit
from fhir_adapter.trial import read_moment as _read_moment
from fhir_adapter.trial_folder import read_trial_folder
from tests.made_up import MADE_UP

BASE = "https://example.org/trials/made-up"
OURS = "https://w3id.org/fhir-adapter/StructureDefinition"
CORE = "http://hl7.org/fhir/StructureDefinition"
HL7 = "http://terminology.hl7.org/CodeSystem"
SECURITY = [{"system": f"{HL7}/v3-ActReason", "code": "HTEST"}]

_FOLDER = read_trial_folder(MADE_UP)


def context(**changes: Any) -> Context:
    """The made-up trial, with some of its settings changed."""
    return context_of(replace(_FOLDER, **changes))


def moment(text: str) -> Moment:
    """A date or time at the Shanghai site."""
    return _read_moment(text, ZoneInfo("Asia/Shanghai"))


def amount(text: str, unit: str) -> Quantity:
    """A number as recorded, with its unit."""
    return Quantity(Decimal(text), unit, text)


def meta(*profiles: str) -> dict[str, Any]:
    """The meta of a resource with these profiles."""
    return {"profile": list(profiles), "security": SECURITY}


def study_links(names: Any) -> list[dict[str, Any]]:
    """The extensions that tie a resource of site 01 to its studies."""
    studies = [names.reference("ResearchStudy", "MADEUP-1", "01"), names.reference("ResearchStudy", "MADEUP-1")]
    return [{"url": f"{CORE}/workflow-researchStudy", "valueReference": study} for study in studies]


def recorded(text: str) -> dict[str, Any]:
    """What stands beside a value that was recorded in other words."""
    return {"extension": [{"url": f"{OURS}/source-value", "valueString": text}]}


def refused(map_one: Any, entity: Any, where: Context) -> tuple[str, str]:
    """Code and message with which an entity is rejected."""
    with pytest.raises(Rejected) as caught:
        map_one(entity, where)
    (issue,) = caught.value.issues
    assert issue.is_error
    return issue.code, issue.message


def subject(**changes: Any) -> Subject:
    """Subject 001 of site 01."""
    return replace(Subject(subject="001", site="01", key=("001",), consent=moment("2024-01-01")), **changes)


def disposition(decoded: str, subcategory: str, at: str | None, **changes: Any) -> Disposition:
    """A milestone or an end of subject 001."""
    found = Disposition(
        subject="001", decoded=decoded, term="", category="", subcategory=subcategory, at=moment(at) if at else None
    )
    return replace(found, **changes)


def visit(**changes: Any) -> Visit:
    """The baseline visit."""
    found = Visit(subject="001", site="01", number="1", key=("001", "1"), name="BASELINE", start=moment("2024-01-10"))
    return replace(found, **changes)


def dose(**changes: Any) -> Dose:
    """5 mL of 10.8 g/L, given."""
    found = Dose(
        subject="001",
        site="01",
        key=("001", "2024-01-10"),
        treatment="DRUG",
        given=True,
        start=moment("2024-01-10"),
        amount=amount("5", "mL"),
        strength=amount("10.8", "g/L"),
    )
    return replace(found, **changes)


def result(test: str, text: str, unit: str | None, **changes: Any) -> Measurement:
    """A laboratory result of a plain number."""
    found = Measurement(
        test,
        text,
        unit,
        effective=moment("2024-01-10T08:15"),
        subject="001",
        site="01",
        key=("001", test),
        recorded=text,
        category="laboratory",
    )
    return replace(found, **changes)


def vital_sign(test: str, text: str, unit: str | None, **changes: Any) -> Measurement:
    """A vital sign of a plain number."""
    return replace(result(test, text, unit, category="vital-signs", effective=moment("2024-01-10")), **changes)


def finding(**changes: Any) -> Finding:
    """Whether there was an erythema at the injection site."""
    found = Finding(
        subject="001",
        site="01",
        key=("001", "1", "OCCUR"),
        test="OCCUR",
        name="Occurrence Indicator",
        item="ERYTHEMA",
        result="Y",
    )
    return replace(found, **changes)


def event(**changes: Any) -> AdverseEvent:
    """A rash."""
    return replace(AdverseEvent(subject="001", site="01", key=("001", "1"), term="Rash"), **changes)

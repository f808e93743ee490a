"""Medication (R4): what was given, with strength and lot, shared by all administrations of the same."""

from __future__ import annotations

from decimal import Decimal

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.canonical import UCUM
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import concept, exact
from fhir_adapter.trial import Dose, Quantity
from fhir_adapter.trial_folder import Code


def medication_key(dose: Dose) -> tuple[str, ...]:
    """What makes two doses the same medication: drug, form, strength, lot."""
    strength = f"{dose.strength.value.normalize():f} {dose.strength.unit}" if dose.strength else ""
    return dose.treatment, dose.form, strength, dose.lot


def map_medication(dose: Dose, context: Context) -> Resource:
    """The medication of a dose; raises `Rejected` for a form or unit that the trial's tables do not list."""
    names = context.names
    own = Code(names.code_system("treatment"), names.code(dose.treatment))
    resource: Resource = {
        "resourceType": "Medication",
        "id": names.id("Medication", *medication_key(dose)),
        "meta": context.meta("trial-medication"),
        "identifier": [names.identifier("medication", *medication_key(dose))],
        "code": concept([own], dose.treatment),
    }
    if dose.form:
        resource["form"] = concept(context.codes.of("form", dose.form), dose.form)
    if dose.strength:
        strength = _ratio(dose.strength, context)
        resource["ingredient"] = [
            {"itemCodeableConcept": concept([own], dose.treatment), "isActive": True, "strength": strength}
        ]
    if dose.lot:
        resource["batch"] = {"lotNumber": dose.lot}
    return resource


def _ratio(strength: Quantity, context: Context) -> Resource:
    """A strength such as 10.8 g/L as a ratio of amount and volume."""
    exact(strength, "the strength of a medication")
    code = context.codes.unit(strength.unit)
    upper, _, lower = code.partition("/")
    if not upper or "/" in lower:
        message = f"the strength's unit {code!r} is no amount in a volume, such as g/L"
        raise Rejected(message, Issue("error", "invalid-strength", message))
    denominator = lower or "1"
    return {
        "numerator": {"value": strength.value, "unit": upper, "system": UCUM, "code": upper},
        "denominator": {"value": Decimal(1), "unit": denominator, "system": UCUM, "code": denominator},
    }

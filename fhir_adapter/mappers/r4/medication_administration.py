"""MedicationAdministration (R4): a dose given, or a planned one that was missed (`not-done`).

A missed dose carries no `dosage`: mad-1 demands an amount or a rate inside it. Its route goes to the note, and the
planned time is its effective time.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.canonical import DERIVED_DOSE, UCUM
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import concept, date_time, exact, period, quantity, source_value, ucum
from fhir_adapter.mappers.r4.medication import medication_key
from fhir_adapter.trial import Dose, Quantity
from fhir_adapter.units import UnitError, product


def map_dose(dose: Dose, context: Context) -> Resource:
    """One administration; raises `Rejected` for codes, units or amounts that cannot be sent."""
    names = context.names
    resource: Resource = {
        "resourceType": "MedicationAdministration",
        "id": names.id("MedicationAdministration", *dose.key),
        "meta": context.meta("trial-dose" if dose.given else "trial-missed-dose"),
        "extension": context.study_links(dose.site),
        "identifier": [names.identifier("dose", *dose.key)],
        "status": "completed" if dose.given else "not-done",
    }
    if dose.reason_missed:
        resource["statusReason"] = [{"text": dose.reason_missed}]
    resource["medicationReference"] = {
        **names.reference("Medication", *medication_key(dose)),
        "display": dose.treatment,
    }
    resource["subject"] = context.link("Patient", dose.subject)
    if dose.end is None or dose.end == dose.start:
        date_time(resource, "effectiveDateTime", dose.start)
    else:
        resource["effectivePeriod"] = period(dose.start, dose.end)
    if dose.device:
        resource["device"] = [{"type": "Device", "identifier": names.identifier("device", dose.device)}]
    if dose.given:
        resource["dosage"] = _dosage(dose, context)
    elif dose.route or dose.frequency:
        planned = ", ".join(text for text in (dose.route, dose.frequency) if text)
        resource["note"] = [{"text": f"Planned and not given: {planned}"}]
    return resource


def _dosage(dose: Dose, context: Context) -> Resource:
    if dose.amount is None:
        message = "a dose was given, and no amount is recorded"
        raise Rejected(message, Issue("error", "missing-amount", message))
    exact(dose.amount, "the amount of a dose")
    found: Resource = {}
    derived = _derived(dose, context)
    if derived is not None:
        found["extension"] = [{"url": DERIVED_DOSE, "valueQuantity": derived}]
    text = [f"{dose.amount.recorded} {dose.amount.unit}".strip(), dose.frequency]
    if derived is not None:
        text.append(f"derived dose {derived['value']} {derived['unit']}")
    found["text"] = ", ".join(part for part in text if part)
    if dose.route:
        found["route"] = concept(context.codes.of("route", dose.route), dose.route)
    found["dose"] = _amount(dose.amount, context)
    return found


def _amount(amount: Quantity, context: Context) -> Resource:
    """The dose in UCUM; in another unit than recorded (100 of 10000 [IU]) with the recorded text beside it."""
    if amount.unit not in context.codes.dose_units:
        return quantity(amount, context)
    value, unit = context.codes.dose(amount.value, amount.unit)
    recorded = {"extension": [source_value(f"{amount.recorded} {amount.unit}")]}
    return {"value": value, "_value": recorded, "unit": unit, "system": UCUM, "code": unit}


def _derived(dose: Dose, context: Context) -> Resource | None:
    """Volume times strength in the trial's unit, exactly; a strength of 0 makes a real dose of 0."""
    unit = context.folder.derived_dose_unit
    if unit is None or dose.amount is None or dose.strength is None or context.folder.masked:
        return None
    value, amount = context.codes.dose(dose.amount.value, dose.amount.unit)
    strength = context.codes.unit(dose.strength.unit)
    try:
        derived = product(value, amount, dose.strength.value, strength, unit)
    except UnitError as error:
        message = f"the derived dose: {error}"
        raise Rejected(message, Issue("error", "underivable-dose", message)) from error
    return ucum(_decimal(derived), unit)


def _decimal(exact: Fraction) -> Decimal:
    """A fraction whose denominator is a product of 2 and 5, exactly; raises `Rejected` for any other."""
    quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
    if Fraction(quotient) != exact:
        message = "the derived dose has no finite decimal form"
        raise Rejected(message, Issue("error", "underivable-dose", message))
    return quotient

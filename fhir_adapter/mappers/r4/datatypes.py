"""How values become FHIR R4 data types, with the text as recorded kept beside every value that reads differently."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.canonical import SOURCE_VALUE, TERMINOLOGY, UCUM
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.trial import Moment, Quantity
from fhir_adapter.trial_folder import Code


def coding(code: Code) -> Resource:
    """A Coding, with display where the table gives one."""
    found: Resource = {"system": code.system, "code": code.code}
    if code.display:
        found["display"] = code.display
    return found


def concept(codes: Iterable[Code], text: str = "") -> Resource:
    """A CodeableConcept of codes and the words as recorded."""
    found: Resource = {}
    codings = [coding(code) for code in codes]
    if codings:
        found["coding"] = codings
    if text:
        found["text"] = text
    return found


def terminology(system: str, code: str, display: str) -> Resource:
    """A CodeableConcept of one code of an HL7 terminology code system."""
    return concept([Code(TERMINOLOGY + system, code, display)])


def source_value(text: str) -> Resource:
    """The extension that keeps a text as recorded."""
    return {"url": SOURCE_VALUE, "valueString": text}


def date_time(resource: Resource, element: str, moment: Moment | None) -> None:
    """Set a date or dateTime element; what was recorded stays beside it when it reads differently."""
    if moment is None:
        return
    resource[element] = moment.iso
    if moment.recorded != moment.iso:
        resource[f"_{element}"] = {"extension": [source_value(moment.recorded)]}


def exact(amount: Quantity, what: str) -> Quantity:
    """The amount when it is a plain number; raises `Rejected` for one with a comparator, where FHIR allows none."""
    if amount.comparator:
        message = f"{what}: {amount.comparator} is no exact amount, and FHIR allows no comparator here"
        raise Rejected(message, Issue("error", "inexact-amount", message))
    return amount


def period(start: Moment | None, end: Moment | None) -> Resource:
    """A Period of the ends that are known; empty when neither is."""
    found: Resource = {}
    date_time(found, "start", start)
    date_time(found, "end", end)
    return found


def quantity(amount: Quantity, context: Context, unitless: str | None = None) -> Resource:
    """A Quantity: number, comparator and unit as recorded, UCUM code from the trial's table.

    Raises `Rejected` when the table does not list the unit, or when there is none and the test needs one.
    """
    code = unitless if not amount.unit and unitless is not None else context.codes.unit(amount.unit)
    found: Resource = {"value": amount.value}
    if amount.recorded != f"{amount.comparator or ''}{amount.value}":
        found["_value"] = {"extension": [source_value(amount.recorded)]}
    if amount.comparator:
        found["comparator"] = amount.comparator
    if amount.unit:
        found["unit"] = amount.unit
    found["system"] = UCUM
    found["code"] = code
    return found


def ucum(value: object, code: str, unit: str = "") -> Resource:
    """A Quantity that this program derived, in a UCUM unit."""
    return {"value": value, "unit": unit or code, "system": UCUM, "code": code}

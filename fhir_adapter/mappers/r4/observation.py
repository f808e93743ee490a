"""Observation (R4): laboratory results, vital signs under the core profiles, and findings about events.

Values and units stay as recorded; a standardised copy of the source goes beside them as a translation, never instead.
"""

from __future__ import annotations

from decimal import Decimal

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.mappers.canonical import CORE, HSCORE_ITEM, VITAL_SIGN_PROFILES
from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.r4.datatypes import concept, date_time, quantity, source_value, terminology
from fhir_adapter.trial import Finding, Measurement, Quantity
from fhir_adapter.trial_folder import Code

_CATEGORIES = {"laboratory": "Laboratory", "vital-signs": "Vital Signs", "exam": "Exam"}
_PROFILES = {"laboratory": "trial-laboratory-result", "vital-signs": "trial-vital-sign"}
_TRANSLATION = f"{CORE}iso21090-PQ-translation"
_POSITION = f"{CORE}observation-bodyPosition"


def map_measurement(one: Measurement, context: Context) -> Resource:
    """A laboratory result or vital sign; raises `Rejected` for a code, unit or date that cannot be sent."""
    if one.category not in _PROFILES:
        raise _rejected("unknown-category", f"{one.category!r} is not one of {', '.join(_PROFILES)}")
    codes = _codes(one, context)
    core = [VITAL_SIGN_PROFILES[code.code] for code in codes if code.code in VITAL_SIGN_PROFILES]
    if one.category == "vital-signs":
        _check_vital_sign(one)
        core = core or ["vitalsigns"]
    resource = _head(one, _PROFILES[one.category], context, *(core if one.category == "vital-signs" else []))
    resource["status"] = "cancelled" if one.not_done else context.folder.result_status
    resource["category"] = _categories(one.category, one.group, context)
    resource["code"] = _code(one, codes, context)
    resource["subject"] = context.link("Patient", one.subject)
    if one.visit:
        resource["encounter"] = context.link("Encounter", one.subject, one.visit)
    date_time(resource, "effectiveDateTime", one.effective)
    if one.panel:
        resource["component"] = [_component(part, context) for part in _with_missing_members(one, context)]
    else:
        resource.update(_value(one, context))
    if one.location:
        resource["bodySite"] = concept(context.codes.of("location", one.location), one.location)
    return resource


def map_finding(finding: Finding, context: Context) -> Resource:
    """A finding: what was looked at, and the answer in words; about an adverse event it has that as focus.

    An item of the score (`maps.hscore_item`) is answered by yes or no, so that every reader counts it alike.
    """
    text = ": ".join(part for part in (finding.item, finding.name) if part)
    resource = _head(finding, "trial-finding", context)
    resource["status"] = "cancelled" if finding.not_done else context.folder.result_status
    resource["category"] = _categories("exam", finding.group, context)
    resource["code"] = concept(_finding_codes(finding, context), text)
    resource["subject"] = context.link("Patient", finding.subject)
    if finding.about:
        resource["focus"] = [context.link("AdverseEvent", finding.subject, finding.about)]
    if finding.visit:
        resource["encounter"] = context.link("Encounter", finding.subject, finding.visit)
    date_time(resource, "effectiveDateTime", finding.effective)
    resource.update(_answer(finding, context))
    if finding.location:
        resource["bodySite"] = concept(context.codes.of("location", finding.location), finding.location)
    if finding.method:
        resource["method"] = concept([], finding.method)
    if finding.stated_by or finding.stated_on:
        resource["note"] = [_statement(finding)]
    return resource


def _finding_codes(finding: Finding, context: Context) -> list[Code]:
    """The score's code where the finding is one of its items, and the source's own."""
    names = context.names
    own = Code(names.code_system("finding"), names.value(finding.item or finding.test, finding.test))
    return [*([Code(HSCORE_ITEM, _item(finding, context))] if _is_item(finding, context) else []), own]


def _is_item(finding: Finding, context: Context) -> bool:
    return finding.test in context.codes.maps.get("hscore_item", {})


def _item(finding: Finding, context: Context) -> str:
    return context.codes.one("hscore_item", finding.test).replace("_", "-")


def _answer(finding: Finding, context: Context) -> Resource:
    """What was found: yes or no for an item of a score, else the words; or that it was not examined."""
    if finding.not_done:
        return {"dataAbsentReason": terminology("data-absent-reason", "not-performed", "Not Performed")}
    if not _is_item(finding, context):
        return {"valueCodeableConcept": concept(context.codes.of("finding_result", finding.result), finding.result)}
    present = context.codes.one("finding_present", finding.result) == "present"
    return {"valueBoolean": present, "_valueBoolean": {"extension": [source_value(finding.result)]}}


def _statement(finding: Finding) -> Resource:
    """Who answered, and when: for an answer that is a person's judgement."""
    note: Resource = {"authorString": finding.stated_by} if finding.stated_by else {}
    date_time(note, "time", finding.stated_on)
    return {**note, "text": "The author of this note stated it"}


def _head(one: Measurement | Finding, profile: str, context: Context, *core: str) -> Resource:
    extension = context.study_links(one.site)
    if isinstance(one, Measurement) and one.position:
        position = concept(context.codes.of("position", one.position), one.position)
        extension = [*extension, {"url": _POSITION, "valueCodeableConcept": position}]
    return {
        "resourceType": "Observation",
        "id": context.names.id("Observation", *one.key),
        "meta": context.meta(profile, *core),
        "extension": extension,
        "identifier": [context.names.identifier("observation", *one.key)],
    }


def _categories(category: str, group: str, context: Context) -> list[Resource]:
    """FHIR's category, and the source's own grouping beside it."""
    found = [terminology("observation-category", category, _CATEGORIES[category])]
    if group:
        own = Code(context.names.code_system("category"), context.names.code(group))
        found.append(concept([own], group))
    return found


def _check_vital_sign(one: Measurement) -> None:
    """vs-1: a vital sign has a date at least to the day."""
    if one.effective is None or one.effective.precision not in ("day", "time"):
        raise _rejected("vs-1", "a vital sign needs a date at least to the day")


def _codes(one: Measurement, context: Context) -> tuple[Code, ...]:
    if one.panel:
        return next(panel.codes for panel in context.codes.panels if panel.name == one.test)
    return context.codes.test(one.test).codes


def _code(one: Measurement, codes: tuple[Code, ...], context: Context) -> Resource:
    """The standard codes, and the source's own code as the one that was chosen by a person."""
    found = concept(codes, one.name)
    if one.panel:  # the source has its parts; the whole is ours
        return found
    own = {
        "system": context.names.code_system("test"),
        "code": context.names.code(one.test),
        "display": one.name or one.test,
        "userSelected": True,
    }
    known = found.get("coding", [])
    assert isinstance(known, list)
    return {"coding": [*known, own], **({"text": one.name} if one.name else {})}


def _with_missing_members(one: Measurement, context: Context) -> list[Measurement]:
    panel = next(panel for panel in context.codes.panels if panel.name == one.test)
    there = {part.test: part for part in one.panel}
    return [there.get(member, Measurement(member, None, None)) for member in panel.members]


def _component(part: Measurement, context: Context) -> Resource:
    codes = context.codes.test(part.test).codes
    return {"code": _code(part, codes, context), **_value(part, context)}


def _value(one: Measurement, context: Context) -> Resource:
    """value[x] or why there is none, how it is to be read, and between which limits it is usual."""
    test = context.codes.test(one.test)
    found: Resource = {}
    if one.value is not None:
        amount = Quantity(Decimal(one.value), one.unit or "", one.recorded, one.comparator)
        found["valueQuantity"] = _translated(quantity(amount, context, test.unitless), one, context)
    elif one.word is not None:
        found["valueCodeableConcept"] = concept(context.codes.of("word", one.word), one.word)
    else:
        why = ("not-performed", "Not Performed") if one.not_done else ("unknown", "Unknown")
        found["dataAbsentReason"] = terminology("data-absent-reason", *why)
    if one.indicator:
        found["interpretation"] = [concept(context.codes.of("indicator", one.indicator), one.indicator)]
    limits = _reference_range(one, test.unitless, context)
    if limits:
        found["referenceRange"] = [limits]
    return found


def _reference_range(one: Measurement, unitless: str | None, context: Context) -> Resource:
    """The usual limits; one with a comparator is no simple quantity, so it stands in the text as recorded."""
    found: Resource = {}
    texts = []
    for end, limit in (("low", one.low), ("high", one.high)):
        if limit and limit.comparator:
            texts.append(f"{end}: {limit.recorded} {limit.unit}".strip())
        elif limit:
            found[end] = quantity(limit, context, unitless)
    if texts:
        found["text"] = "; ".join(texts)
    return found


def _translated(value: Resource, one: Measurement, context: Context) -> Resource:
    """Keep the standardised value of the source beside the one as recorded, when it is in another unit."""
    unitless = context.codes.test(one.test).standard_unitless
    if one.standard is None or one.standard.unit == (one.unit or "") or not (one.standard.unit or unitless):
        return value
    translation = quantity(one.standard, context, unitless)
    return {"extension": [{"url": _TRANSLATION, "valueQuantity": translation}], **value}


def _rejected(code: str, message: str) -> Rejected:
    return Rejected(message, Issue("error", code, message))

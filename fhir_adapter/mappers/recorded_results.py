"""How a measurement or finding that a site recorded reads as a result: the trial's own maps say what it means.

Typed results count beside the hospital's own; where the two tell the same result, the hospital's goes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.terminology import match_codes, normalise
from fhir_adapter.trial import Entity, Finding, Measurement, Origin, Result
from fhir_adapter.trial_folder import Codes, TrialFolder

ITEMS_TABLE, PRESENT_TABLE = "hscore_item", "finding_present"
"""The tables of codes.yaml that say which findings are items of the score, and what their words mean."""


def recorded_results(entities: Iterable[Entity], folder: TrialFolder) -> tuple[list[Result], list[Issue]]:
    """The results that the sites typed, and an issue for each that names an analyte and cannot be read."""
    results: list[Result] = []
    issues: list[Issue] = []
    for entity in entities:
        try:
            read = _read(entity, folder)
        except Rejected as error:
            origin = entity.origin
            issues += [Issue("warning", one.code, one.message, Where(origin.file, origin.row)) for one in error.issues]
            continue
        if read is not None:
            results.append(read)
    return results, issues


def _read(entity: Entity, folder: TrialFolder) -> Result | None:
    if isinstance(entity, Measurement):
        return _measured(entity, folder)
    if isinstance(entity, Finding):
        return _found(entity, folder.codes)
    return None


def _measured(one: Measurement, folder: TrialFolder) -> Result | None:
    test = folder.codes.tests.get(one.test)
    if one.panel or test is None:
        return None
    match = match_codes([(code.system, code.code) for code in test.codes])
    if match.kind != "analyte":
        return None
    if one.not_done:
        return _result(one, match.name, not_done=True)
    if one.value is None:
        message = f"{one.test}: a word instead of a number; it is not read as a value"
        raise Rejected(message, Issue("warning", "no-number", message))
    unit = folder.codes.units.get(one.unit or "", "")
    read = normalise(match.name, one.value, unit, one.unit or "", comparator=one.comparator)
    return Result(
        subject=one.subject,
        name=match.name,
        source="typed",
        interval=read.interval,
        value=one.value,
        unit=one.unit or "",
        comparator=one.comparator,
        effective=one.effective,
        reference=_place(one.origin),
        method=match.method,
        body_site=one.location,
        code=one.test,
        flags=read.flags,
    )


def _found(one: Finding, codes: Codes) -> Result | None:
    known = codes.maps.get(ITEMS_TABLE, {}).get(one.test)
    if known is None:
        return None
    name = known[0].code.replace("-", "_")
    if one.not_done:
        return _result(one, name, not_done=True)
    present = codes.one(PRESENT_TABLE, one.result) == "present"
    stated = f"stated by {one.stated_by}" if one.stated_by else ""
    return Result(
        subject=one.subject,
        name=name,
        source="typed",
        present=present,
        value=one.result,
        effective=one.effective or one.stated_on,
        reference=_place(one.origin),
        method=one.method,
        body_site=one.location,
        code=one.test,
        flags=(stated,) if stated else (),
    )


def _result(one: Measurement | Finding, name: str, *, not_done: bool) -> Result:
    return Result(
        subject=one.subject,
        name=name,
        source="typed",
        not_done=not_done,
        effective=one.effective,
        reference=_place(one.origin),
    )


def _place(origin: Origin) -> str:
    return f"{origin.file} row {origin.row}"

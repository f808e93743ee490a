"""How one row becomes one entity: which fields each kind of entity has, and how they are read.

The names of fields are what `columns` in `sources.yaml` may say. A builder raises `RowError` for a row that cannot be
used; words are kept as recorded, so the mappers decide what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from fhir_adapter.sources.fields import Fields, RowError, read_quantity
from fhir_adapter.trial import (
    AdverseEvent,
    Arm,
    Criterion,
    Disposition,
    Dose,
    EligibilityAnswer,
    EligibilityStatus,
    Exposure,
    Fact,
    Finding,
    History,
    Measurement,
    Medication,
    Origin,
    Subject,
    Transfusion,
    Visit,
)
from fhir_adapter.trial_folder import Codes, ExpectedDose

FIELDS: Mapping[str, tuple[str, ...]] = {
    "study-fact": ("parameter", "text", "code", "dictionary", "sequence"),
    "arm": ("name", "description"),
    "criterion": ("name", "text", "kind"),
    "subject": (
        *("subject", "screening_number", "site", "site_country", "sex", "race", "ethnicity", "birth", "death", "died"),
        *("consent", "reference_start", "first_dose", "participation_end", "planned_arm", "actual_arm"),
        "hospital_patient_id",
    ),
    "disposition": ("subject", "decoded", "term", "category", "subcategory", "at"),
    "visit": ("subject", "number", "name", "start", "end", "unplanned"),
    "dose": (
        *("subject", "treatment", "given", "amount", "amount_unit", "strength", "strength_unit", "form", "lot"),
        *("route", "frequency", "device", "start", "end", "reason_missed"),
    ),
    "exposure": ("subject", "treatment", "amount", "amount_unit", "frequency", "start", "end"),
    "measurement": (
        *("subject", "test", "name", "category", "group", "value", "unit", "low", "high", "standard_value"),
        *("standard_unit", "indicator", "visit", "position", "location", "repeat", "status", "effective"),
    ),
    "finding": (
        *("subject", "test", "name", "item", "group", "result", "status", "location", "method", "about", "visit"),
        *("effective", "stated_by", "stated_on"),
    ),
    "adverse-event": (
        *("subject", "number", "term", "lowest_level_term", "lowest_level_code", "preferred_term", "preferred_code"),
        *("severity", "serious", "action", "causality", "outcome", "start", "end", "involves_cancer"),
        *("congenital_anomaly", "disability", "results_in_death", "hospitalization", "life_threatening", "overdose"),
    ),
    "eligibility": ("subject", "criterion", "answer", "at", "note"),
    "medication": (
        *("subject", "treatment", "category", "dose", "dose_unit", "route", "frequency", "start", "end"),
        "indication",
    ),
    "transfusion": ("subject", "product", "amount", "amount_unit", "start", "end"),
    "history": ("subject", "term", "category", "start", "end", "ongoing"),
}
"""Every field that a kind of entity has."""

SERIOUS_CRITERIA: Mapping[str, str] = {
    "results_in_death": "Results in death",
    "life_threatening": "Is life threatening",
    "hospitalization": "Requires or prolongs hospitalization",
    "disability": "Persistent or significant disability or incapacity",
    "congenital_anomaly": "Congenital anomaly or birth defect",
    "involves_cancer": "Involves cancer",
    "overdose": "Occurred with overdose",
}
"""Why an adverse event is serious (ICH E2A and SDTM AE), in the words of SDTM's labels."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a builder gets: the row's fields, its business key and origin, the subject's site, the trial's codes.

    `expected_dose` is the one amount that a given dose may have, where the trial states one.
    """

    fields: Fields
    key: tuple[str, ...]
    origin: Origin
    site: str
    codes: Codes
    expected_dose: ExpectedDose | None = None


def read_fact(row: Row) -> tuple[str, Fact]:
    """One parameter of the trial summary."""
    fields = row.fields
    fact = Fact(fields.text("text"), fields.text("code"), fields.text("dictionary"), fields.text("sequence"))
    return fields.needed("parameter"), fact


def read_arm(row: Row) -> Arm:
    """A planned arm."""
    return Arm(row.fields.needed("name"), row.fields.text("description"))


def read_criterion(row: Row) -> Criterion:
    """An eligibility criterion."""
    kind = row.codes.one("criterion", row.fields.needed("kind"))
    return Criterion(row.fields.needed("name"), row.fields.needed("text"), kind == "exclusion")


def read_subject(row: Row) -> Subject:
    """A subject; dispositions join it later."""
    fields = row.fields
    if fields.flag("died") is False and fields.text("death"):
        raise RowError("contradiction", f"{fields.column('died')}: alive, and {fields.column('death')} has a date")
    return Subject(
        subject=fields.needed_identifier("subject"),
        site=fields.needed_identifier("site"),
        key=row.key,
        origin=row.origin,
        screening_number=fields.text("screening_number"),
        sex=fields.text("sex"),
        race=fields.text("race"),
        ethnicity=fields.text("ethnicity"),
        birth=fields.moment("birth"),
        death=fields.moment("death"),
        died=fields.flag("died"),
        consent=fields.moment("consent"),
        reference_start=fields.moment("reference_start"),
        first_dose=fields.moment("first_dose"),
        participation_end=fields.moment("participation_end"),
        planned_arm=fields.text("planned_arm"),
        actual_arm=fields.text("actual_arm"),
        site_country=fields.text("site_country"),
        hospital_patient_id=fields.text("hospital_patient_id"),
    )


def read_disposition(row: Row) -> Disposition:
    """A milestone or an end."""
    fields = row.fields
    return Disposition(
        subject=fields.needed_identifier("subject"),
        decoded=fields.needed("decoded"),
        term=fields.text("term"),
        category=fields.text("category"),
        subcategory=fields.text("subcategory"),
        at=fields.moment("at"),
        origin=row.origin,
    )


def read_visit(row: Row) -> Visit:
    """A visit that took place."""
    fields = row.fields
    return Visit(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        number=fields.needed_identifier("number"),
        key=row.key,
        origin=row.origin,
        name=fields.text("name"),
        start=fields.moment("start"),
        end=fields.moment("end"),
        unplanned=fields.text("unplanned"),
    )


def read_dose(row: Row) -> Dose:
    """A dose given or missed, as collected."""
    fields = row.fields
    dose = Dose(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        treatment=fields.needed("treatment"),
        given=row.codes.one("given", fields.needed("given")) == "completed",
        amount=fields.quantity("amount", fields.text("amount_unit")),
        strength=fields.quantity("strength", fields.text("strength_unit")),
        form=fields.text("form"),
        lot=fields.text("lot"),
        route=fields.text("route"),
        frequency=fields.text("frequency"),
        device=fields.text("device"),
        start=fields.needed_moment("start"),
        end=fields.moment("end"),
        reason_missed=fields.text("reason_missed"),
    )
    if row.expected_dose is not None and dose.given:
        _check_amount(dose, row.expected_dose, row)
    return dose


def _check_amount(dose: Dose, expected: ExpectedDose, row: Row) -> None:
    """Refuse a dose that is not exactly what the trial expects: a wrong unit looks like a wrong dose of thousands."""
    problem = _unlike(dose, expected, row.codes)
    if problem:
        right = f"expected are exactly {expected.amount} {expected.unit}"
        raise RowError("unexpected-dose", f"{row.fields.column('amount')}: {problem}; {right}")


def _unlike(dose: Dose, expected: ExpectedDose, codes: Codes) -> str:
    """What is wrong with the amount; empty when it is as expected."""
    if dose.amount is None:
        return "a dose was given, and no amount is recorded"
    if not codes.knows_dose_unit(dose.amount.unit):
        return f"the unit {dose.amount.unit[:40]!r} is neither under dose_units nor under units in codes.yaml"
    amount, unit = codes.dose(dose.amount.value, dose.amount.unit)
    if dose.amount.comparator or (amount, unit) != (expected.amount, expected.unit):
        return "another amount or another unit"
    return ""


def read_exposure(row: Row) -> Exposure:
    """A constant-dosing interval."""
    fields = row.fields
    fields.needed("amount")
    amount = fields.quantity("amount", fields.text("amount_unit"))
    assert amount is not None
    return Exposure(
        subject=fields.needed_identifier("subject"),
        key=row.key,
        treatment=fields.needed("treatment"),
        amount=amount,
        start=fields.needed_moment("start"),
        end=fields.moment("end"),
        frequency=fields.text("frequency"),
        origin=row.origin,
    )


def read_measurement(row: Row) -> Measurement:
    """A laboratory result or vital sign: a number, a word, or the statement that it was not done."""
    fields = row.fields
    recorded, unit = fields.text("value"), fields.text("unit")
    not_done = _not_done(row, "value")
    number = read_quantity(recorded, unit)
    return Measurement(
        test=fields.needed("test"),
        value=str(number.value) if number else None,
        unit=unit or None,
        comparator=number.comparator if number else None,
        effective=fields.moment("effective"),
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        recorded=recorded,
        word=recorded if recorded and number is None else None,
        name=fields.text("name"),
        category=fields.needed("category"),
        group=fields.text("group"),
        visit=fields.identifier("visit"),
        position=fields.text("position"),
        location=fields.text("location"),
        indicator=fields.text("indicator"),
        not_done=not_done,
        low=fields.quantity("low", unit),
        high=fields.quantity("high", unit),
        standard=read_quantity(fields.text("standard_value"), fields.text("standard_unit")),
    )


def read_finding(row: Row) -> Finding:
    """An examination or a finding about an event: an answer in words, or the statement that it was not done."""
    fields = row.fields
    not_done = _not_done(row, "result")
    return Finding(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        test=fields.needed("test"),
        name=fields.text("name"),
        item=fields.text("item"),
        result=fields.text("result"),
        group=fields.text("group"),
        location=fields.text("location"),
        about=fields.identifier("about"),
        visit=fields.identifier("visit"),
        effective=fields.moment("effective"),
        method=fields.text("method"),
        not_done=not_done,
        stated_by=fields.text("stated_by"),
        stated_on=fields.moment("stated_on"),
    )


def _not_done(row: Row, name: str) -> bool:
    """True when the row says that nothing was done; raises `RowError` when it also answers, or says neither."""
    fields, status = row.fields, row.fields.text("status")
    not_done = bool(status) and row.codes.one("status", status) == "not-done"
    if not not_done:
        fields.needed(name)
    elif fields.text(name):
        raise RowError("contradiction", f"{fields.column('status')}: not done, and {fields.column(name)} has a value")
    return not_done


def read_adverse_event(row: Row) -> AdverseEvent:
    """An adverse event as reported."""
    fields = row.fields
    terms = (("lowest_level_term", "lowest_level_code"), ("preferred_term", "preferred_code"))
    return AdverseEvent(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        term=fields.needed("term"),
        number=fields.identifier("number"),
        start=fields.moment("start"),
        end=fields.moment("end"),
        severity=fields.text("severity"),
        serious=fields.flag("serious"),
        serious_criteria=tuple(words for name, words in SERIOUS_CRITERIA.items() if fields.flag(name)),
        action=fields.text("action"),
        causality=fields.text("causality"),
        outcome=fields.text("outcome"),
        dictionary_terms=tuple((fields.text(term), fields.text(code)) for term, code in terms if fields.text(term)),
    )


def read_eligibility(row: Row) -> EligibilityAnswer:
    """The answer to one criterion."""
    fields = row.fields
    return EligibilityAnswer(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        criterion=fields.needed("criterion"),
        answer=cast("EligibilityStatus", row.codes.one("eligibility", fields.needed("answer"))),
        at=fields.moment("at"),
        note=fields.text("note"),
    )


def read_medication(row: Row) -> Medication:
    """A concomitant medication."""
    fields = row.fields
    return Medication(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        treatment=fields.needed("treatment"),
        category=fields.text("category"),
        dose=fields.quantity("dose", fields.text("dose_unit")),
        route=fields.text("route"),
        frequency=fields.text("frequency"),
        start=fields.moment("start"),
        end=fields.moment("end"),
        indication=fields.text("indication"),
    )


def read_transfusion(row: Row) -> Transfusion:
    """A blood product given."""
    fields = row.fields
    return Transfusion(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        product=fields.needed("product"),
        amount=fields.quantity("amount", fields.text("amount_unit")),
        start=fields.moment("start"),
        end=fields.moment("end"),
    )


def read_history(row: Row) -> History:
    """A disease or an event before the trial."""
    fields = row.fields
    if fields.flag("ongoing") and fields.text("end"):
        raise RowError("contradiction", f"{fields.column('ongoing')}: ongoing, and {fields.column('end')} has a date")
    return History(
        subject=fields.needed_identifier("subject"),
        site=row.site,
        key=row.key,
        origin=row.origin,
        term=fields.needed("term"),
        category=fields.text("category"),
        start=fields.moment("start"),
        end=fields.moment("end"),
        ongoing=fields.flag("ongoing"),
    )


BUILDERS: Mapping[str, Callable[[Row], object]] = {
    "study-fact": read_fact,
    "arm": read_arm,
    "criterion": read_criterion,
    "subject": read_subject,
    "disposition": read_disposition,
    "visit": read_visit,
    "dose": read_dose,
    "exposure": read_exposure,
    "measurement": read_measurement,
    "finding": read_finding,
    "adverse-event": read_adverse_event,
    "eligibility": read_eligibility,
    "medication": read_medication,
    "transfusion": read_transfusion,
    "history": read_history,
}

"""A dose given or missed becomes a MedicationAdministration; the derived dose is exact and labelled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fhir_adapter.mappers.r4.medication_administration import map_dose
from fhir_adapter.trial_folder import DoseUnit
from fhir_adapter.validation import check_structure
from tests.mappers.small import BASE, OURS, amount, context, dose, meta, moment, recorded, refused, study_links

UCUM = "http://unitsofmeasure.org"


def test_a_dose_given() -> None:
    """The volume as recorded, and the derived mass beside it."""
    here = context()
    assert map_dose(dose(route="SUBCUTANEOUS", frequency="QD", device="PEN 1"), here) == {
        "resourceType": "MedicationAdministration",
        "id": here.names.id("MedicationAdministration", "001", "2024-01-10"),
        "meta": meta(f"{OURS}/trial-dose"),
        "extension": study_links(here.names),
        "identifier": [{"system": f"{BASE}/dose", "value": "001/2024-01-10"}],
        "status": "completed",
        "medicationReference": {
            **here.names.reference("Medication", "DRUG", "", "10.8 g/L", ""),
            "display": "DRUG",
        },
        "subject": here.names.reference("Patient", "001"),
        "effectiveDateTime": "2024-01-10",
        "device": [{"type": "Device", "identifier": {"system": f"{BASE}/device", "value": "PEN%201"}}],
        "dosage": {
            "extension": [
                {
                    "url": f"{OURS}/derived-dose",
                    "valueQuantity": {"value": Decimal(54), "unit": "mg", "system": UCUM, "code": "mg"},
                }
            ],
            "text": "5 mL, QD, derived dose 54 mg",
            "route": {
                "coding": [{"system": "http://snomed.info/sct", "code": "34206005"}],
                "text": "SUBCUTANEOUS",
            },
            "dose": {"value": Decimal(5), "unit": "mL", "system": UCUM, "code": "mL"},
        },
    }


def test_a_placebo_dose_is_a_dose_of_nothing() -> None:
    """5 mL of 0 g/L are 0 mg, given."""
    found = map_dose(dose(strength=amount("0", "g/L")), context())
    assert found["status"] == "completed"
    assert found["dosage"]["extension"][0]["valueQuantity"]["value"] == 0  # type: ignore[index]
    assert found["dosage"]["text"] == "5 mL, derived dose 0 mg"  # type: ignore[index]


def test_a_missed_dose_has_no_dosage() -> None:
    """mad-1 wants an amount inside a dosage: the route goes to the note, the planned time is the effective one."""
    found = map_dose(dose(given=False, amount=None, route="SUBCUTANEOUS", frequency="QD"), context())
    assert found["status"] == "not-done"
    assert found["meta"] == meta(f"{OURS}/trial-missed-dose")
    assert found["effectiveDateTime"] == "2024-01-10"
    assert found["note"] == [{"text": "Planned and not given: SUBCUTANEOUS, QD"}]
    assert not {"dosage", "statusReason"} & found.keys()


def test_a_missed_dose_says_why_when_the_source_does() -> None:
    """Only then."""
    found = map_dose(dose(given=False, amount=None, reason_missed="NAUSEA"), context())
    assert found["statusReason"] == [{"text": "NAUSEA"}]
    assert "note" not in found


def test_a_dose_over_a_time_has_a_period() -> None:
    """An infusion from one time to another."""
    found = map_dose(dose(start=moment("2024-01-10T08:00"), end=moment("2024-01-10T09:00")), context())
    assert found["effectivePeriod"] == {
        "start": "2024-01-10T08:00:00+08:00",
        "_start": recorded("2024-01-10T08:00"),
        "end": "2024-01-10T09:00:00+08:00",
        "_end": recorded("2024-01-10T09:00"),
    }


def test_a_dose_that_ends_when_it_starts_has_one_time() -> None:
    """Equal ends are one moment."""
    assert map_dose(dose(end=moment("2024-01-10")), context())["effectiveDateTime"] == "2024-01-10"


def test_a_dose_given_without_an_amount_is_rejected() -> None:
    """Nobody knows how much; no zero is made up."""
    expected = ("missing-amount", "a dose was given, and no amount is recorded")
    assert refused(map_dose, dose(amount=None), context()) == expected


@pytest.mark.parametrize("changes", [{"strength": None}, {"strength": amount("10.8", "g/L")}])
def test_nothing_is_derived_without_unit_or_strength(changes: dict[str, object]) -> None:
    """A trial that names no unit for it, or a dose of unknown strength."""
    found = map_dose(dose(**changes), context(derived_dose_unit="mg" if changes["strength"] is None else None))
    assert found["dosage"] == {
        "text": "5 mL",
        "dose": {"value": Decimal(5), "unit": "mL", "system": UCUM, "code": "mL"},
    }


def test_a_dose_that_cannot_be_derived_is_rejected() -> None:
    """Volume by volume is no mass; the message says which units."""
    code, message = refused(map_dose, dose(strength=amount("10.8", "mL")), context())
    assert (code, message) == ("underivable-dose", "the derived dose: 'mL' times 'mL' is not a 'mg'")


def test_a_derived_dose_without_finite_digits_is_rejected() -> None:
    """A third of a pound has no last digit."""
    here = context(derived_dose_unit="[lb_av]")
    expected = ("underivable-dose", "the derived dose has no finite decimal form")
    assert refused(map_dose, dose(), here) == expected


def test_an_amount_written_with_a_leading_zero_keeps_its_text() -> None:
    """05 is 5, and both are kept."""
    found = map_dose(dose(amount=amount("05", "mL")), context())
    assert found["dosage"]["dose"]["_value"] == recorded("05")  # type: ignore[index]


def test_an_amount_with_a_comparator_is_no_simple_quantity() -> None:
    """dosage.dose is a SimpleQuantity (sqty-1): an amount of `<5` is rejected, never sent as 5 or as `<5`."""
    vague = amount("5", "mL").__class__(Decimal(5), "mL", "<5", "<")
    refused(map_dose, dose(amount=vague), context())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"route": "ORAL"}, "unmapped-code"),
        ({"amount": amount("5", "drops")}, "unmapped-unit"),
        ({"strength": amount("5", "IU")}, "unmapped-unit"),
    ],
)
def test_what_the_tables_do_not_list_is_rejected(changes: dict[str, object], code: str) -> None:
    """Route and units."""
    assert refused(map_dose, dose(**changes), context())[0] == code


def test_in_a_masked_trial_nothing_is_derived() -> None:
    """54 mg or 0 mg would tell the arm."""
    found = map_dose(dose(), context(masked=True))
    assert found["dosage"]["text"] == "5 mL"  # type: ignore[index]
    assert "extension" not in found["dosage"]  # type: ignore[operator]


def test_a_dose_in_a_unit_of_doses_is_sent_in_ucum() -> None:
    """100 万IU are 1000000 [IU], exactly; what was recorded stands beside the number and in the text."""
    codes = replace(context().folder.codes, dose_units={"万IU": DoseUnit(Decimal(10000), "[IU]")})
    here = context(codes=codes)
    found = map_dose(dose(amount=amount("100", "万IU"), strength=None, frequency="QOD"), here)
    assert found["dosage"] == {
        "text": "100 万IU, QOD",
        "dose": {
            "value": Decimal(1000000),
            "_value": recorded("100 万IU"),
            "unit": "[IU]",
            "system": UCUM,
            "code": "[IU]",
        },
    }
    assert check_structure(found) == []

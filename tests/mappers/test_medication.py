"""What was given, shared by all doses of the same drug, form, strength and lot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_adapter.mappers.r4.medication import map_medication, medication_key
from tests.mappers.small import BASE, OURS, amount, context, dose, meta, refused


def test_a_drug_with_strength_and_lot() -> None:
    """Strength as a ratio of mass and volume, the lot in the batch."""
    here = context()
    drug = {"coding": [{"system": f"{BASE}/code/treatment", "code": "DRUG"}], "text": "DRUG"}
    ucum = "http://unitsofmeasure.org"
    assert map_medication(dose(form="INJECTION", lot="L7"), here) == {
        "resourceType": "Medication",
        "id": here.names.id("Medication", "DRUG", "INJECTION", "10.8 g/L", "L7"),
        "meta": meta(f"{OURS}/trial-medication"),
        "identifier": [{"system": f"{BASE}/medication", "value": "DRUG/INJECTION/10.8%20g%2FL/L7"}],
        "code": drug,
        "form": {"text": "INJECTION"},
        "ingredient": [
            {
                "itemCodeableConcept": drug,
                "isActive": True,
                "strength": {
                    "numerator": {"value": Decimal("10.8"), "unit": "g", "system": ucum, "code": "g"},
                    "denominator": {"value": Decimal(1), "unit": "L", "system": ucum, "code": "L"},
                },
            }
        ],
        "batch": {"lotNumber": "L7"},
    }


def test_a_drug_of_which_only_the_name_is_known() -> None:
    """No form, no ingredient, no batch."""
    found = map_medication(dose(strength=None), context())
    assert not {"form", "ingredient", "batch"} & found.keys()


def test_a_strength_per_piece_has_a_denominator_of_one() -> None:
    """50 mg are 50 mg per 1."""
    found: Any = map_medication(dose(strength=amount("50", "mg")), context())
    ratio = found["ingredient"][0]["strength"]
    assert (ratio["numerator"]["code"], ratio["denominator"]["code"]) == ("mg", "1")


def test_two_lots_are_two_medications() -> None:
    """A recall names a lot."""
    assert medication_key(dose(lot="L7")) != medication_key(dose(lot="L8"))


def test_two_medications_never_share_an_identifier() -> None:
    """A form and a lot of the same letters are different things."""
    here = context()
    form, lot = dose(form="INJECTION", strength=None), dose(lot="INJECTION", strength=None)
    assert map_medication(form, here)["identifier"] != map_medication(lot, here)["identifier"]


def test_an_unmapped_form_is_rejected() -> None:
    """Another word than the table lists."""
    expected = ("unmapped-code", "'SPRAY' is not in the map 'form' of codes.yaml")
    assert refused(map_medication, dose(form="SPRAY"), context()) == expected


def test_an_unmapped_unit_of_strength_is_rejected() -> None:
    """A unit that is not in the table."""
    assert refused(map_medication, dose(strength=amount("1", "IU")), context())[0] == "unmapped-unit"

"""A subject becomes a Patient without name and address."""

from __future__ import annotations

from typing import Any

from fhir_adapter.mappers.r4.patient import map_patient
from fhir_adapter.validation import check_structure
from tests.mappers.small import BASE, OURS, context, meta, moment, recorded, refused, subject

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"


def test_a_subject_with_nothing_but_a_number() -> None:
    """Id, identifier and the site's organization."""
    here = context()
    assert map_patient(subject(), here) == {
        "resourceType": "Patient",
        "id": here.names.id("Patient", "001"),
        "meta": meta(f"{OURS}/trial-patient"),
        "identifier": [{"system": f"{BASE}/subject", "value": "001"}],
        "managingOrganization": here.names.reference("Organization", "site", "01"),
    }


def test_sex_and_birth() -> None:
    """The sex by the trial's table, the birth as precise as it was recorded."""
    found = map_patient(subject(sex="F", birth=moment("1950-02")), context())
    assert (found["gender"], found["birthDate"]) == ("female", "1950-02")


def test_an_unmapped_sex_is_rejected() -> None:
    """Another word than the table lists."""
    expected = ("unmapped-code", "'X' is not in the map 'sex' of codes.yaml")
    assert refused(map_patient, subject(sex="X"), context()) == expected


def test_a_birth_with_a_time_keeps_its_day() -> None:
    """Patient.birthDate is a date; the time stays in the text as recorded."""
    found = map_patient(subject(birth=moment("1950-02-03T04:05")), context())
    assert (found["birthDate"], found["_birthDate"]) == ("1950-02-03", recorded("1950-02-03T04:05"))
    assert check_structure(found) == []


def test_a_death_has_its_date() -> None:
    """A date says more than the flag."""
    found = map_patient(subject(death=moment("2024-03-04"), died=True), context())
    assert found["deceasedDateTime"] == "2024-03-04"
    assert "deceasedBoolean" not in found


def test_a_death_without_date_is_a_flag() -> None:
    """Somebody died, nobody wrote when."""
    assert map_patient(subject(died=True), context())["deceasedBoolean"] is True


def test_a_subject_known_to_live_is_said_to() -> None:
    """No is an answer."""
    assert map_patient(subject(died=False), context())["deceasedBoolean"] is False


def test_race_and_ethnicity_are_us_core_extensions() -> None:
    """Code and text."""
    found = map_patient(subject(race="ASIAN", ethnicity="NOT HISPANIC"), context())
    system = "urn:oid:2.16.840.1.113883.6.238"
    assert found["extension"] == [
        {
            "url": f"{US_CORE}/us-core-race",
            "extension": [
                {"url": "ombCategory", "valueCoding": {"system": system, "code": "2028-9", "display": "Asian"}},
                {"url": "text", "valueString": "ASIAN"},
            ],
        },
        {
            "url": f"{US_CORE}/us-core-ethnicity",
            "extension": [
                {
                    "url": "ombCategory",
                    "valueCoding": {"system": system, "code": "2186-5", "display": "Not Hispanic or Latino"},
                },
                {"url": "text", "valueString": "NOT HISPANIC"},
            ],
        },
    ]


def test_a_race_without_a_code_stays_text() -> None:
    """MULTIPLE is no category."""
    found: Any = map_patient(subject(race="MULTIPLE"), context())
    (race,) = found["extension"]
    assert race["extension"] == [{"url": "text", "valueString": "MULTIPLE"}]

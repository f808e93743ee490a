"""What the public study becomes: the numbers that can be counted in its files, and the golden resources."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fhir_adapter import fhirjson
from tests.golden import GOLDEN, REMARKABLE, difference, golden_lines, name

Resources = list[dict[str, Any]]


def of(resources: Resources, kind: str) -> Resources:
    """The resources of one type."""
    return [one for one in resources if one["resourceType"] == kind]


def of_category(resources: Resources, category: str) -> Resources:
    """The Observations of one category."""
    found = of(resources, "Observation")
    return [one for one in found if one["category"][0]["coding"][0]["code"] == category]


def test_every_type_is_there_as_often_as_in_the_files(public_study: Resources) -> None:
    """The counts of the study."""
    assert Counter(one["resourceType"] for one in public_study) == {
        "Device": 1,
        "Organization": 7,
        "Location": 6,
        "Group": 1,
        "ResearchStudy": 7,
        "Patient": 18,
        "ResearchSubject": 18,
        "Encounter": 164,
        "AdverseEvent": 74,
        "Medication": 6,
        "MedicationAdministration": 1590,
        "Observation": 3488 + 1036 + 78,
    }


def test_how_the_participations_ended(public_study: Resources) -> None:
    """One screen failure, three deaths."""
    statuses = Counter(one["status"] for one in of(public_study, "ResearchSubject"))
    assert statuses == {"off-study": 17, "ineligible": 1}
    assert sum("deceasedDateTime" in one for one in of(public_study, "Patient")) == 3


def test_doses_given_and_missed(public_study: Resources) -> None:
    """Seven were missed, and carry no dosage."""
    doses = of(public_study, "MedicationAdministration")
    assert Counter(one["status"] for one in doses) == {"completed": 1583, "not-done": 7}
    assert {one["status"] for one in doses if "dosage" not in one} == {"not-done"}


def test_placebo_doses_are_doses_of_nothing(public_study: Resources) -> None:
    """677 derived doses of 0 mg."""
    given = [one["dosage"] for one in of(public_study, "MedicationAdministration") if "dosage" in one]
    derived = Counter(one["extension"][0]["valueQuantity"]["value"] for one in given)
    assert derived[0] == 677


def test_vital_signs_by_kind(public_study: Resources) -> None:
    """Each under the core profile of its code; a blood pressure has two components."""
    signs = of_category(public_study, "vital-signs")
    assert Counter(one["meta"]["profile"][1].rpartition("/")[2] for one in signs) == {
        "bp": 378,
        "heartrate": 378,
        "bodytemp": 144,
        "bodyweight": 119,
        "bodyheight": 17,
    }
    assert Counter(len(one["component"]) for one in signs if "component" in one) == {2: 378}


def test_laboratory_results_in_words_and_with_comparators(public_study: Resources) -> None:
    """53 colours NORMAL, one glucose `<40`, everything else a number; 31 dates without a time."""
    results = of_category(public_study, "laboratory")
    words = Counter(one["valueCodeableConcept"]["text"] for one in results if "valueCodeableConcept" in one)
    comparators = Counter(one["valueQuantity"].get("comparator") for one in results if "valueQuantity" in one)
    assert (words["NORMAL"], comparators["<"]) == (53, 1)
    assert len(of_category(public_study, "exam")) == 78
    assert sum("T" not in one["effectiveDateTime"] for one in results) == 31


def test_units_stay_as_recorded(public_study: Resources) -> None:
    """Haemoglobin in g/dL, temperature in degrees Fahrenheit."""
    codes = {
        (one["code"]["coding"][-1]["code"], one["valueQuantity"]["code"])
        for one in of(public_study, "Observation")
        if one["code"]["coding"][-1]["code"] in ("HGB", "TEMP")
    }
    assert codes == {("HGB", "g/dL"), ("TEMP", "[degF]")}


def test_every_remarkable_resource_is_in_the_golden_file() -> None:
    """Each is found by its name."""
    there = {name(fhirjson.loads(line)) for line in GOLDEN.read_text(encoding="utf-8").splitlines()}
    assert set(REMARKABLE.values()) - there == set()


def test_the_golden_resources_are_as_they_were() -> None:
    """A difference is shown line by line; `make golden` writes the file anew when it is meant."""
    old = GOLDEN.read_text(encoding="utf-8").splitlines(keepends=True)
    new = golden_lines()
    assert "".join(difference(old, new)) == ""
    assert old == new

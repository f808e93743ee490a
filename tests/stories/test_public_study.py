"""One push of the public study leaves exactly these resources on an empty server, and the next one nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.stories.commands import Person, Pushing, Run, plan_of
from tests.stories.fhir_server import TYPES, Picture, Resource, Server, get, identifiers
from tests.stories.sandbox import running

# One push serves all tests of this file; with `--dist loadgroup` they also stay in one process.
pytestmark = pytest.mark.xdist_group("public-study")

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PROFILES = "https://w3id.org/fhir-adapter/StructureDefinition/"
CORE = "http://hl7.org/fhir/StructureDefinition/"
SOURCE_VALUE = f"{PROFILES}source-value"
DERIVED_DOSE = f"{PROFILES}derived-dose"

SENT = {
    "Device": 1,
    "Organization": 7,
    "Location": 6,
    "Group": 1,
    "ResearchStudy": 7,
    "Patient": 18,
    "ResearchSubject": 18,
    "Encounter": 164,
    "MedicationAdministration": 1590,
    "Observation": 3488 + 1036 + 78,
    "AdverseEvent": 74,
}


@dataclass(frozen=True)
class Pushed:
    """The server after two pushes of the same study, and what each push said."""

    first: Run
    again: Run
    before: Picture
    after: Picture
    server: Server

    def of(self, kind: str) -> list[Resource]:
        """All resources of a type."""
        return [each for each in self.after.resources.values() if each["resourceType"] == kind]

    def observations(self, category: str) -> list[Resource]:
        """All Observations of a category."""
        return [each for each in self.of("Observation") if category in codes(each["category"])]

    def vital_signs(self, loinc: str) -> list[Resource]:
        """All vital signs with a LOINC code."""
        return [each for each in self.observations("vital-signs") if (LOINC, loinc) in codings(each["code"])]

    def laboratory(self, loinc: str) -> list[Resource]:
        """All laboratory results with a LOINC code."""
        return [each for each in self.observations("laboratory") if (LOINC, loinc) in codings(each["code"])]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    """The whole public study, pushed twice to a fresh sandbox."""
    folder = tmp_path_factory.mktemp("public-study")
    with running(database=str(folder / "server.sqlite")) as base:
        pushing = Pushing(Person(folder), base, folder / "state.sqlite")
        first, before = pushing.push(), Picture.of(base)
        again, after = pushing.push(), Picture.of(base)
        yield Pushed(first, again, before, after, Server(base))


def codings(concept: Resource) -> set[tuple[str, str]]:
    """The systems and codes of a concept."""
    return {(coding["system"], coding["code"]) for coding in concept.get("coding", [])}


def codes(concepts: list[Resource]) -> set[str]:
    """The codes of a list of concepts."""
    return {code for concept in concepts for _, code in codings(concept)}


def extensions(element: Resource, url: str) -> list[Resource]:
    """The extensions of an element with this URL."""
    return [each for each in element.get("extension", []) if each["url"] == url]


def source_texts(element: Resource) -> list[Any]:
    """The texts as recorded that stand beside an element."""
    return [each["valueString"] for each in extensions(element, SOURCE_VALUE)]


def derived_doses(administration: Resource) -> list[tuple[Decimal, str]]:
    """The derived doses of an administration, with their UCUM units."""
    quantities = [each["valueQuantity"] for each in extensions(administration["dosage"], DERIVED_DOSE)]
    return [(Decimal(quantity["value"]), quantity["code"]) for quantity in quantities]


def quantities_with_source(observation: Resource) -> list[str]:
    """The texts as recorded beside the values of an Observation and of its components."""
    elements = [observation, *observation.get("component", [])]
    return [text for each in elements for text in source_texts(each.get("valueQuantity", {}).get("_value", {}))]


def test_the_push_ends_complete(pushed: Pushed) -> None:
    """Everything is created, nothing is set aside, and the run says so."""
    report = pushed.first.report
    assert pushed.first.exit_code == 0
    assert (report["complete"], report["dry_run"], report["set_aside"]) == (True, False, [])
    assert report["applied"] == report["plan"] == plan_of(create=len(pushed.before.records))


@pytest.mark.parametrize(("kind", "count"), SENT.items())
def test_the_server_holds_exactly_so_many(pushed: Pushed, kind: str, count: int) -> None:
    """The server counts as many as the issue names, and its pages hold as many."""
    assert pushed.server.count(kind) == count
    assert len(pushed.of(kind)) == count


def test_nothing_of_another_type_is_sent(pushed: Pushed) -> None:
    """Besides these types the server holds Medications and Provenances only."""
    statement = get(f"{pushed.server.base}/metadata")
    others = {resource["type"] for resource in statement["rest"][0]["resource"]} - {*TYPES}
    assert len(others) > 100
    assert [kind for kind in sorted(others) if pushed.server.count(kind) > 0] == []


def test_no_record_is_there_twice(pushed: Pushed) -> None:
    """No two resources of a type share a business identifier."""
    records = pushed.after.without().values()
    keys = Counter((each["resourceType"], *key) for each in records for key in identifiers(each))
    assert [key for key, count in keys.items() if count > 1] == []


def test_three_patients_have_died(pushed: Pushed) -> None:
    """Three Patients have a date of death, and nobody else is marked as deceased."""
    assert len([each for each in pushed.of("Patient") if "deceasedDateTime" in each]) == 3
    assert [each for each in pushed.of("Patient") if "deceasedBoolean" in each] == []


def test_subjects_left_the_study_or_never_entered_it(pushed: Pushed) -> None:
    """17 subjects are off the study, 1 was ineligible."""
    assert Counter(each["status"] for each in pushed.of("ResearchSubject")) == {"off-study": 17, "ineligible": 1}
    assert pushed.server.count("ResearchSubject?status=off-study") == 17
    assert pushed.server.count("ResearchSubject?status=ineligible") == 1


def test_six_site_studies_belong_to_one_overall_study(pushed: Pushed) -> None:
    """One ResearchStudy is overall; six, one for each site, are part of it."""
    studies = pushed.of("ResearchStudy")
    (overall,) = (each for each in studies if "partOf" not in each)
    parents = Counter(each["partOf"][0]["reference"] for each in studies if "partOf" in each)
    assert parents == {f"ResearchStudy/{overall['id']}": 6}


def test_every_subject_belongs_to_a_site_study(pushed: Pushed) -> None:
    """No ResearchSubject refers to the overall study directly."""
    sites = {f"ResearchStudy/{each['id']}" for each in pushed.of("ResearchStudy") if "partOf" in each}
    assert {each["study"]["reference"] for each in pushed.of("ResearchSubject")} == sites


def test_every_site_study_names_its_location(pushed: Pushed) -> None:
    """Six Locations are the sites of six studies, each managed by an Organization."""
    sites = [study["site"] for study in pushed.of("ResearchStudy") if "partOf" in study]
    locations = {f"Location/{each['id']}" for each in pushed.of("Location")}
    organizations = {f"Organization/{each['id']}" for each in pushed.of("Organization")}
    assert sorted(site["reference"] for (site,) in sites) == sorted(locations)
    assert {each["managingOrganization"]["reference"] for each in pushed.of("Location")} < organizations


def test_the_group_holds_the_newest_criteria(pushed: Pushed) -> None:
    """The Group defines who may enter: the 31 criteria of the amendment, once, besides the limits of age."""
    (group,) = pushed.of("Group")
    texts = Counter(each["code"]["text"] for each in group["characteristic"])
    assert (group["actual"], group["type"]) == (False, "person")
    assert max(texts.values()) == 1
    assert len([text for text in texts if text != "Age"]) == 31


def test_seven_planned_doses_were_missed(pushed: Pushed) -> None:
    """1,583 doses were given, 7 were planned and not given."""
    statuses = Counter(each["status"] for each in pushed.of("MedicationAdministration"))
    assert statuses == {"completed": 1583, "not-done": 7}
    assert pushed.server.count("MedicationAdministration?status=not-done") == 7


def test_a_missed_dose_has_no_dosage(pushed: Pushed) -> None:
    """A dose that was not given says when it was planned and nothing about an amount."""
    missed = [each for each in pushed.of("MedicationAdministration") if each["status"] == "not-done"]
    assert [each for each in missed if "dosage" in each] == []
    assert [each for each in missed if "effectiveDateTime" not in each and "effectivePeriod" not in each] == []
    assert [each for each in missed if "statusReason" in each] == []


def test_placebo_is_a_dose_of_nothing(pushed: Pushed) -> None:
    """677 given doses are 5 mL as recorded, and a derived dose of 0 mg beside it."""
    given = [each for each in pushed.of("MedicationAdministration") if each["status"] == "completed"]
    nothing = [each for each in given if derived_doses(each) == [(Decimal(0), "mg")]]
    assert len(nothing) == 677
    assert {(each["dosage"]["dose"]["value"], each["dosage"]["dose"]["code"]) for each in nothing} == {(5, "mL")}


def test_every_given_dose_has_volume_and_derived_dose(pushed: Pushed) -> None:
    """No given dose is without the volume as recorded and one derived dose, labelled as derived."""
    given = [each for each in pushed.of("MedicationAdministration") if each["status"] == "completed"]
    assert [each for each in given if each["dosage"]["dose"]["system"] != UCUM] == []
    assert Counter(len(derived_doses(each)) for each in given) == {1: 1583}


def test_every_dose_names_a_medication_on_the_server(pushed: Pushed) -> None:
    """The Medications of all doses, with strength and lot, stand on the server."""
    named = {each["medicationReference"]["reference"] for each in pushed.of("MedicationAdministration")}
    assert named == {f"Medication/{each['id']}" for each in pushed.of("Medication")}
    assert [each for each in pushed.of("Medication") if "ingredient" not in each or "batch" not in each] == []


@pytest.mark.parametrize(("category", "count"), [("laboratory", 3488), ("vital-signs", 1036)])
def test_observations_of_a_category(pushed: Pushed, category: str, count: int) -> None:
    """The server finds exactly so many Observations of a category."""
    assert pushed.server.count(f"Observation?category={category}") == count
    assert len(pushed.server.search(f"Observation?category={category}&_count=500")) == count


def test_findings_are_about_an_adverse_event(pushed: Pushed) -> None:
    """78 findings are neither results nor vital signs; each is about an AdverseEvent and at no visit."""
    events = {f"AdverseEvent/{each['id']}" for each in pushed.of("AdverseEvent")}
    findings = [each for each in pushed.of("Observation") if f"{PROFILES}trial-finding" in each["meta"]["profile"]]
    assert len(findings) == 78
    assert {focus["reference"] for each in findings for focus in each["focus"]} <= events
    assert [each for each in findings if "encounter" in each] == []


@pytest.mark.parametrize(
    ("loinc", "count", "profile"),
    [
        ("85354-9", 378, "bp"),
        ("8867-4", 378, "heartrate"),
        ("8310-5", 144, "bodytemp"),
        ("29463-7", 119, "bodyweight"),
        ("8302-2", 17, "bodyheight"),
    ],
)
def test_vital_signs(pushed: Pushed, loinc: str, count: int, profile: str) -> None:
    """Each vital sign is there so many times, with its core profile."""
    found = pushed.vital_signs(loinc)
    assert pushed.server.count(f"Observation?category=vital-signs&code={LOINC}|{loinc}") == count
    assert len(found) == count
    assert [each["id"] for each in found if f"{CORE}{profile}" not in each["meta"]["profile"]] == []


def test_blood_pressure_is_one_observation_of_two_components(pushed: Pushed) -> None:
    """Each of the 378 blood pressures has its systolic and its diastolic component in mm[Hg], and no value itself."""
    pressures = pushed.vital_signs("85354-9")
    parts = Counter(
        frozenset(code for component in each["component"] for system, code in codings(component["code"]))
        & {"8480-6", "8462-4"}
        for each in pressures
    )
    assert parts == {frozenset({"8480-6", "8462-4"}): 378}
    assert {len(each["component"]) for each in pressures} == {2}
    assert {part["valueQuantity"]["code"] for each in pressures for part in each["component"]} == {"mm[Hg]"}
    assert [each for each in pressures if "valueQuantity" in each] == []


def test_temperature_stays_as_recorded(pushed: Pushed) -> None:
    """Temperature is in [degF], as the sites recorded it."""
    units = {(each["valueQuantity"]["system"], each["valueQuantity"]["code"]) for each in pushed.vital_signs("8310-5")}
    assert units == {(UCUM, "[degF]")}


@pytest.mark.parametrize(("loinc", "unit"), [("29463-7", "[lb_av]"), ("8302-2", "[in_i]"), ("8867-4", "/min")])
def test_other_vital_signs_stay_as_recorded(pushed: Pushed, loinc: str, unit: str) -> None:
    """Weight, height and pulse keep the unit of the sites."""
    assert {each["valueQuantity"]["code"] for each in pushed.vital_signs(loinc)} == {unit}


def test_haemoglobin_stays_as_recorded(pushed: Pushed) -> None:
    """Haemoglobin is in g/dL, as the laboratory reported it, never in the mmol/L of the standard column."""
    results = pushed.laboratory("718-7")
    assert results
    assert {(each["valueQuantity"]["system"], each["valueQuantity"]["code"]) for each in results} == {(UCUM, "g/dL")}


def test_normal_is_a_coded_value(pushed: Pushed) -> None:
    """The 53 results NORMAL are coded values that keep the word."""
    coded = [each for each in pushed.observations("laboratory") if "valueCodeableConcept" in each]
    normal = [each for each in coded if each["valueCodeableConcept"]["text"] == "NORMAL"]
    assert len(normal) == 53
    assert [each for each in normal if "NORMAL" not in codes([each["valueCodeableConcept"]])] == []


def test_below_forty_keeps_its_comparator(pushed: Pushed) -> None:
    """The one result <40 is 40 with a comparator."""
    compared = [each for each in pushed.observations("laboratory") if "comparator" in each.get("valueQuantity", {})]
    (quantity,) = (each["valueQuantity"] for each in compared)
    assert (quantity["comparator"], quantity["value"], quantity["code"]) == ("<", 40, "mg/dL")


def test_a_date_without_time_stays_one(pushed: Pushed) -> None:
    """31 laboratory results keep a date; the others have a time with an offset, and the text as recorded."""
    results = pushed.observations("laboratory")
    lengths = Counter(len(each["effectiveDateTime"]) for each in results)
    assert lengths == {len("2013-06-05"): 31, len("2012-11-23T11:20:00-05:00"): 3457}
    timed = [each for each in results if "T" in each["effectiveDateTime"]]
    assert {len(source_texts(each["_effectiveDateTime"])[0]) for each in timed} == {len("2012-11-23T11:20")}


def test_a_leading_zero_is_kept_as_text_only(pushed: Pushed) -> None:
    """097.3 is the number 97.3, with the text as recorded beside it."""
    temperatures = [each["valueQuantity"] for each in pushed.vital_signs("8310-5")]
    padded = [each for each in temperatures if source_texts(each.get("_value", {})) == ["097.3"]]
    assert padded
    assert {str(each["value"]) for each in padded} == {"97.3"}


def test_every_value_that_is_no_json_number_keeps_its_text(pushed: Pushed) -> None:
    """170 vital signs and 5 laboratory values were written with leading zeros or a bare point."""
    vital = [text for each in pushed.observations("vital-signs") for text in quantities_with_source(each)]
    laboratory = [text for each in pushed.observations("laboratory") for text in quantities_with_source(each)]
    assert (len(vital), len(laboratory)) == (170, 5)


def test_every_record_carries_its_profile(pushed: Pushed) -> None:
    """Every resource of these types says which of our profiles it follows."""
    without = Counter(
        each["resourceType"]
        for each in pushed.after.resources.values()
        if not any(profile.startswith(PROFILES) for profile in each["meta"].get("profile", []))
    )
    assert set(without) <= {"Device", "Organization", "Location"}


def test_everything_is_labelled_as_anonymised(pushed: Pushed) -> None:
    """Every resource is labelled ANONYED, the Provenances too."""
    labels = Counter(each["meta"]["security"][0]["code"] for each in pushed.after.resources.values())
    assert labels == {"ANONYED": len(pushed.after.resources)}


def test_no_reference_leads_nowhere(pushed: Pushed) -> None:
    """Every reference in every resource leads to a resource on this server."""
    assert {*_references([*pushed.after.resources.values()])} - pushed.after.resources.keys() == set()


def test_every_record_is_accounted_for(pushed: Pushed) -> None:
    """Every resource is the target of a Provenance, and every target exists."""
    assert pushed.after.accounted_for == pushed.after.records


def test_each_transaction_brought_one_provenance(pushed: Pushed) -> None:
    """There are as many Provenances as the run reports, at least one for each subject."""
    assert len(pushed.before.provenances) == pushed.first.report["provenance"]
    assert len(pushed.before.provenances) >= 18


def test_the_same_push_again_asks_the_server_nothing(pushed: Pushed) -> None:
    """All is unchanged, not one request is sent, and the run ends well."""
    report = pushed.again.report
    assert pushed.again.exit_code == 0
    assert report["requests"] == 0
    assert report["applied"] == report["plan"] == plan_of(unchanged=len(pushed.before.records))


def test_the_same_push_again_leaves_the_server_as_it_was(pushed: Pushed) -> None:
    """After the second push everything stands as before it, in its first version."""
    assert pushed.after.resources == pushed.before.resources
    assert set(pushed.after.versions.values()) == {"1"}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        yield from _references([*value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)

"""The study itself: overall study and sites, organizations, locations, eligibility, and who writes."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter import __version__
from fhir_adapter.mappers import map_provenance
from fhir_adapter.mappers.r4.device import map_adapter
from fhir_adapter.mappers.r4.group import map_eligibility
from fhir_adapter.mappers.r4.location import map_location
from fhir_adapter.mappers.r4.organization import map_site_organization, map_sponsor
from fhir_adapter.mappers.r4.research_study import map_site_study, map_study
from fhir_adapter.trial import Arm, Criterion, Fact, Site, Study
from fhir_adapter.trial_folder import StudyStatus
from fhir_adapter.validation import check_structure
from tests.mappers.small import BASE, CORE, HL7, OURS, SECURITY, context, meta, refused

HARBOUR = Site("01", "Harbour Hospital", "CHN")
STUDY = Study("MADEUP-1")
UNKNOWN = StudyStatus(None, "UNKNOWN", "the testers", "2026-01-01", "the registry does not know")


def study(**facts: str) -> Study:
    """A study of which these facts are known."""
    return Study("MADEUP-1", {field: (Fact(text),) for field, text in facts.items()})


def test_a_study_of_which_only_the_number_is_known() -> None:
    """No empty elements."""
    here = context()
    assert map_study(STUDY, here) == {
        "resourceType": "ResearchStudy",
        "id": here.names.id("ResearchStudy", "MADEUP-1"),
        "meta": meta(f"{OURS}/trial-study"),
        "identifier": [{"use": "official", "system": f"{BASE}/study", "value": "MADEUP-1"}],
        "title": "MADEUP-1",
        "status": "active",
        "note": [{"text": "everything: made up (assumption; the tests; the testers, 2026-01-01)"}],
    }


def test_a_masked_study_tells_no_decisions() -> None:
    """A decision may name the arm."""
    assert "note" not in map_study(STUDY, context(masked=True))


def test_a_status_that_nobody_knows_is_absent_with_the_registrys_word() -> None:
    """R4 has no code for it, and the word is not translated."""
    found = map_study(STUDY, context(status=UNKNOWN))
    assert "status" not in found
    assert found["_status"] == {"extension": [{"url": f"{CORE}/data-absent-reason", "valueCode": "unknown"}]}
    assert found["extension"] == [{"url": f"{OURS}/registry-status", "valueString": "UNKNOWN"}]


def test_an_absent_status_is_sound_fhir() -> None:
    """A required element may be absent with a reason."""
    assert check_structure(map_study(STUDY, context(status=UNKNOWN))) == []


def test_the_facts_of_a_study() -> None:
    """Title, phase, purpose, condition, country, description, period."""
    known = study(
        title="A study",
        phase="PHASE II",
        purpose="TREATMENT",
        condition="Gout",
        country="CHN",
        description="Words",
        start="2024-01-01",
    )
    found = map_study(known, context())
    assert found["title"] == "A study"
    assert found["phase"] == {
        "coding": [{"system": f"{HL7}/research-study-phase", "code": "phase-2"}],
        "text": "PHASE II",
    }
    assert found["primaryPurposeType"] == {
        "coding": [{"system": f"{HL7}/research-study-prim-purp-type", "code": "treatment"}],
        "text": "TREATMENT",
    }
    assert found["condition"] == [{"text": "Gout"}]
    assert found["location"] == [{"coding": [{"system": "urn:iso:std:iso:3166", "code": "CHN"}], "text": "CHN"}]
    assert found["description"] == "Words"
    assert found["period"] == {"start": "2024-01-01"}


def test_a_fact_with_a_code_of_a_known_dictionary_is_coded() -> None:
    """Of an unknown dictionary only the words are sent."""
    facts = (Fact("Gout", "90560007", "SNOMED"), Fact("Tophus", "1", "NOBODY'S"))
    found = map_study(Study("MADEUP-1", {"condition": facts}), context())
    assert found["condition"] == [
        {"coding": [{"system": "http://snomed.info/sct", "code": "90560007"}], "text": "Gout"},
        {"text": "Tophus"},
    ]


def test_a_registry_number_is_an_identifier() -> None:
    """In the system that the NamingSystem prefers, typed by the NCI Thesaurus."""
    found = map_study(study(registry_id="NCT00000000"), context())
    assert found["identifier"][1] == {  # type: ignore[index]
        "type": {
            "coding": [
                {
                    "system": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
                    "code": "C172240",
                    "display": "ClinicalTrials.gov Identifier",
                }
            ]
        },
        "system": "http://clinicaltrials.gov",
        "value": "NCT00000000",
    }


def test_objectives_outcomes_and_arms() -> None:
    """R4 has no outcome measures: they use the extension of R5."""
    known = Study(
        "MADEUP-1",
        {"objective_secondary": (Fact("Safety"),), "outcome_primary": (Fact("Pain"),)},
        arms=(Arm("A", "Drug"), Arm("B", "")),
    )
    found = map_study(known, context())
    assert found["objective"] == [
        {
            "name": "Safety",
            "type": {
                "coding": [
                    {"system": f"{HL7}/research-study-objective-type", "code": "secondary", "display": "Secondary"}
                ]
            },
        }
    ]
    assert found["extension"] == [
        {
            "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-ResearchStudy.outcomeMeasure",
            "extension": [
                {"url": "type", "valueCodeableConcept": {"text": "primary"}},
                {"url": "description", "valueMarkdown": "Pain"},
            ],
        }
    ]
    assert found["arm"] == [{"name": "A", "description": "Drug"}, {"name": "B", "description": "B"}]


def test_a_study_refers_to_sponsor_sites_and_eligibility() -> None:
    """Each by its own resource."""
    here = context()
    facts = {"sponsor": (Fact("Nobody"),)}
    known = Study("MADEUP-1", facts, criteria=(Criterion("I1", "Adult", exclusion=False),), sites=(HARBOUR,))
    found = map_study(known, here)
    assert found["sponsor"] == here.names.reference("Organization", "sponsor", "Nobody")
    assert found["site"] == [here.names.reference("Location", "01")]
    assert found["enrollment"] == [here.names.reference("Group", "MADEUP-1")]


def test_the_study_of_a_site_is_part_of_the_overall_one() -> None:
    """With the same status and sponsor, and its one site."""
    here = context()
    assert map_site_study(study(title="A study", sponsor="Nobody"), HARBOUR, here) == {
        "resourceType": "ResearchStudy",
        "id": here.names.id("ResearchStudy", "MADEUP-1", "01"),
        "meta": meta(f"{OURS}/trial-site-study"),
        "identifier": [{"system": f"{BASE}/site", "value": "01"}],
        "title": "A study (Harbour Hospital)",
        "partOf": [here.names.reference("ResearchStudy", "MADEUP-1")],
        "status": "active",
        "sponsor": here.names.reference("Organization", "sponsor", "Nobody"),
        "site": [here.names.reference("Location", "01")],
    }


def test_a_site_study_without_title_and_sponsor() -> None:
    """The study's number stands for the title."""
    found = map_site_study(STUDY, HARBOUR, context())
    assert found["title"] == "MADEUP-1 (Harbour Hospital)"
    assert "sponsor" not in found


def test_the_sponsor_is_an_organization() -> None:
    """Known by its name."""
    here = context()
    assert map_sponsor("Nobody & Co", here) == {
        "resourceType": "Organization",
        "id": here.names.id("Organization", "sponsor", "Nobody & Co"),
        "meta": {"security": SECURITY},
        "identifier": [{"system": f"{BASE}/organization", "value": "sponsor/Nobody%20%26%20Co"}],
        "active": True,
        "name": "Nobody & Co",
    }


def test_a_site_is_an_organization_and_a_location() -> None:
    """The location is managed by the organization."""
    here = context()
    assert map_site_organization(HARBOUR, here) == {
        "resourceType": "Organization",
        "id": here.names.id("Organization", "site", "01"),
        "meta": {"security": SECURITY},
        "identifier": [{"system": f"{BASE}/organization", "value": "site/01"}],
        "active": True,
        "name": "Harbour Hospital",
        "address": [{"country": "CHN"}],
    }
    assert map_location(HARBOUR, here) == {
        "resourceType": "Location",
        "id": here.names.id("Location", "01"),
        "meta": {"security": SECURITY},
        "identifier": [{"system": f"{BASE}/site", "value": "01"}],
        "name": "Harbour Hospital",
        "mode": "instance",
        "address": {"country": "CHN"},
        "managingOrganization": here.names.reference("Organization", "site", "01"),
    }


@pytest.mark.parametrize("map_one", [map_site_organization, map_location])
def test_a_site_in_an_unknown_country_has_no_address(map_one: Any) -> None:
    """An empty address would be invalid."""
    assert "address" not in map_one(Site("01", "Harbour Hospital"), context())


def test_eligibility_is_a_group_of_criteria() -> None:
    """Every criterion verbatim; an exclusion is marked as one."""
    here = context()
    criteria = (Criterion("I1", "Adult", exclusion=False), Criterion("E1", "Pregnant", exclusion=True))
    assert map_eligibility(Study("MADEUP-1", criteria=criteria), here) == {
        "resourceType": "Group",
        "id": here.names.id("Group", "MADEUP-1"),
        "meta": meta(f"{OURS}/trial-eligibility"),
        "identifier": [{"system": f"{BASE}/eligibility", "value": "MADEUP-1"}],
        "active": True,
        "type": "person",
        "actual": False,
        "name": "Eligibility criteria of MADEUP-1",
        "characteristic": [
            {
                "code": {"coding": [{"system": f"{BASE}/code/criterion", "code": "I1"}], "text": "Adult"},
                "valueBoolean": True,
                "exclude": False,
            },
            {
                "code": {"coding": [{"system": f"{BASE}/code/criterion", "code": "E1"}], "text": "Pregnant"},
                "valueBoolean": True,
                "exclude": True,
            },
        ],
    }


def test_age_limits_and_planned_size() -> None:
    """The limits in years as one range, the size as a count."""
    found = map_eligibility(study(age_minimum="P18Y", age_maximum="P65Y", planned_size="20"), context())
    years = {"unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}
    assert found["quantity"] == 20
    assert found["characteristic"] == [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "30525-0", "display": "Age"}], "text": "Age"},
            "valueRange": {"low": {"value": 18, **years}, "high": {"value": 65, **years}},
            "exclude": False,
        }
    ]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"age_minimum": "18 YEARS"}, "the age limit '18 YEARS' is not a number of years such as P50Y"),
        ({"planned_size": "about 20"}, "the planned number of subjects 'about 20' is not a whole number"),
    ],
)
def test_limits_that_cannot_be_read_are_rejected(facts: dict[str, str], message: str) -> None:
    """A limit is not left out in silence."""
    assert refused(map_eligibility, study(**facts), context()) == ("invalid-number", message)


def test_the_adapter_is_a_device_with_its_version() -> None:
    """Provenance needs a who."""
    found = map_adapter(context())
    assert found["identifier"] == [{"system": "https://w3id.org/fhir-adapter/device", "value": "fhir-adapter"}]
    assert found["version"] == [{"value": __version__}]


@pytest.mark.parametrize(("activity", "code"), [("create", "CREATE"), ("update", "UPDATE")])
def test_provenance_says_who_wrote_what_from_which_files(activity: str, code: str) -> None:
    """Targets without version, the device as author, the files by what they held."""
    here = context()
    found = map_provenance("p1", ["Patient/1"], "2024-01-10T08:00:00+08:00", activity, {"dm.csv": "ab"}, here)
    assert found["meta"] == meta(f"{OURS}/trial-provenance")
    assert found["target"] == [{"reference": "Patient/1"}]
    assert found["recorded"] == "2024-01-10T08:00:00+08:00"
    assert found["activity"]["coding"][0]["code"] == code  # type: ignore[index]
    assert found["agent"][0]["who"] == here.names.reference("Device", "fhir-adapter")  # type: ignore[index]
    assert found["entity"] == [
        {
            "role": "source",
            "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": "ni:///sha-256;qw"}, "display": "dm.csv"},
        }
    ]
    assert check_structure(found) == []


def test_provenance_without_files_has_no_entity() -> None:
    """An empty list would be invalid."""
    found = map_provenance("p1", ["Patient/1"], "2024-01-10T08:00:00Z", "create", {}, context())
    assert "entity" not in found

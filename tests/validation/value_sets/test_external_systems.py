"""What is told of codes of terminologies that no package holds: whether they can be right at all."""

from __future__ import annotations

import pytest

from fhir_adapter.validation.value_sets.answers import NO, YES
from fhir_adapter.validation.value_sets.external_systems import (
    external_code,
    is_external,
    right_address,
    shown_system,
)

SNOMED, LOINC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
NCI = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
MAY_BE = [
    (SNOMED, "80394007"),
    (SNOMED, "840535000"),
    (SNOMED, "731000124108"),
    (SNOMED, "128045006:{363698007=56459004}"),
    (LOINC, "2276-4"),
    (LOINC, "59408-5"),
    (LOINC, "LA6718-6"),
    (LOINC, "LP43571-6"),
    ("urn:iso:std:iso:3166", "CHN"),
    ("urn:iso:std:iso:3166:-2", "CN-11"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "313782"),
    ("http://hl7.org/fhir/sid/ndc", "0409-6531-02"),
    ("http://hl7.org/fhir/sid/cvx", "207"),
    ("http://www.ama-assn.org/go/cpt", "99201"),
    ("http://hl7.org/fhir/sid/icd-10", "D76.1"),
    (NCI, "C28554"),
]
CANNOT_BE = [
    (SNOMED, "80394008"),
    (SNOMED, "6547210000124112"),
    (SNOMED, "T-15460"),
    (SNOMED, "look up value"),
    (SNOMED, "٨٠٣٩٤٠٠٧"),
    (LOINC, "2276-5"),
    (LOINC, "2276"),
    (LOINC, "ferritin"),
    (UCUM, "mg//dL"),
    ("urn:iso:std:iso:3166", "China"),
    ("urn:iso:std:iso:3166:-2", "Beijing"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "aspirin"),
    ("http://hl7.org/fhir/sid/cvx", ""),
    (NCI, "28554"),
]


@pytest.mark.parametrize(("system", "code"), MAY_BE)
def test_a_code_of_the_right_form_may_exist(system: str, code: str) -> None:
    """It is not at hand, so it cannot be told."""
    assert external_code(system, code).why == f"{shown_system(system)} is not at hand"


@pytest.mark.parametrize(("system", "code"), CANNOT_BE)
def test_a_code_of_the_wrong_form_cannot_exist(system: str, code: str) -> None:
    """A wrong check digit, a description in place of a concept, a word in place of a code."""
    assert external_code(system, code) == NO


@pytest.mark.parametrize(
    ("system", "code"), [(UCUM, "mg/dL"), ("urn:ietf:bcp:47", "zh-Hans-CN"), ("urn:iso:std:iso:4217", "CNY")]
)
def test_some_codes_are_known_without_the_terminology(system: str, code: str) -> None:
    """Units that this program reads, languages and currencies of the short registers."""
    assert external_code(system, code) == YES


def test_terminologies_that_fhir_names_are_known() -> None:
    """HL7 gives addresses below `sid` to those of others."""
    assert is_external("http://hl7.org/fhir/sid/icd-10-cm")
    assert is_external(LOINC)
    assert not is_external("https://example.org/colours")


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("https://loinc.org", LOINC),
        ("http://loinc.org/", LOINC),
        ("http://www.loinc.org", LOINC),
        ("https://snomed.info/sct/", SNOMED),
        ("https://example.org/colours", None),
    ],
)
def test_the_address_of_a_terminology_is_known_when_misspelt(written: str, right: str | None) -> None:
    """With https, www or a solidus too many."""
    assert right_address(written) == right


def test_a_system_is_shown_only_when_it_looks_like_an_address() -> None:
    """Anything else may be a subject's data."""
    assert shown_system("https://example.org/colours") == "the code system https://example.org/colours"
    assert shown_system("urn:name of a subject") == "the code system"


def test_the_codes_of_a_trials_own_export_cannot_be_told() -> None:
    """They are listed nowhere but in the export, so that they are unknown is nothing to be warned of."""
    system = "https://w3id.org/fhir-adapter/trials/river-7/code/test"
    assert is_external(system)
    assert external_code(system, "FERRITIN").why == "the trial's own export is where its codes are listed"

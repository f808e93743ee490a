"""What the codes of a result mean; look-alikes are refused with the reason."""

from __future__ import annotations

import pytest

from fhir_adapter.terminology import (
    HSCORE_ITEM,
    CodeMatch,
    SiteCodes,
    analytes,
    match_codes,
    present_of,
    search_codes,
)

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
HPO = "http://human-phenotype-ontology.org"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0136"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

ACCEPTED = {
    "ferritin": "2276-4 20567-4 24373-3 14723-1",
    "triglycerides": "2571-8 14927-8 3043-7 70218-3 30524-3 47210-0",
    "fibrinogen": "3255-7 48664-7 30902-1",
    "ast": "1920-8 30239-8 88112-8",
    "hemoglobin": ("718-7 20509-6 30313-1 30350-3 30352-9 55782-7 14775-1 76768-1 76769-9 59260-0 75928-2 93846-4"),
    "leukocytes": "6690-2 26464-8 804-5 49498-9 33256-9 12227-5",
    "platelets": "777-3 26515-7 778-1 49497-1 74464-9",
    "temperature": "8310-5 8331-1 8332-9 8333-7 8328-7 8329-5 8334-5 75539-7",
    "body_weight": "29463-7 3141-9",
    "neutrophils": "751-8 26499-4 753-4",
    "eosinophils": "711-2 26449-9 712-0",
    "ldh": "2532-0 14804-9 14805-6",
    "alt": "1742-6",
    "crp": "1988-5",
    "esr": "4537-7 30341-2",
}
REJECTED = (
    *("86914-9", "14450-1", "59572-8", "3049-4", "48665-4", "16859-1", "48065-7", "27344-1", "41995-2", "4548-4"),
    *("26465-5", "806-0", "5821-4", "51487-7", "13056-7", "26516-5", "74775-8", "3142-7"),
)
CONFIGURED = {"12951-0": "triglycerides", "3256-5": "fibrinogen", "76011-6": "temperature"}


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, codes in ACCEPTED.items() for code in codes.split()])
def test_every_accepted_code_is_its_analyte(name: str, code: str) -> None:
    """Each code of the table is read as its analyte."""
    match = match_codes([(LOINC, code)])
    assert (match.kind, match.name, match.code) == ("analyte", name, code)


def test_no_other_code_is_accepted() -> None:
    """The list above is the whole table."""
    assert {name: set(one.codes) for name, one in analytes().items()} == {
        name: set(codes.split()) for name, codes in ACCEPTED.items()
    }


@pytest.mark.parametrize("code", REJECTED)
def test_every_look_alike_is_refused_with_a_reason(code: str) -> None:
    """A look-alike says in a sentence why it is not read."""
    match = match_codes([(LOINC, code)])
    assert match.kind == "rejected"
    assert match.reason.startswith(f"{code} ")


def test_no_other_code_is_refused() -> None:
    """The list above is the whole table."""
    assert {code for one in analytes().values() for code in one.rejected} == set(REJECTED)


@pytest.mark.parametrize(("code", "name"), CONFIGURED.items())
def test_codes_by_configuration_only(code: str, name: str) -> None:
    """Some codes count only where a trial's configuration names them."""
    alone, named = match_codes([(LOINC, code)]), match_codes([(LOINC, code)], SiteCodes(loinc=frozenset({code})))
    assert (alone.kind, alone.method) == ("rejected", "config only")
    assert (named.kind, named.name) == ("analyte", name)


def test_a_configuration_cannot_read_a_look_alike() -> None:
    """A goal stays a goal, whatever a configuration says."""
    assert match_codes([(LOINC, "86914-9")], SiteCodes(loinc=frozenset({"86914-9"}))).kind == "rejected"


def test_alt_is_not_ast() -> None:
    """ALT is read as itself."""
    assert match_codes([(LOINC, "1742-6")]).name == "alt"


@pytest.mark.parametrize(
    "code",
    [
        *("30313-1", "30350-3", "30352-9", "55782-7", "14775-1"),
        *("76768-1", "76769-9", "75928-2", "93846-4"),
    ],
)
def test_haemoglobin_of_a_blood_gas_says_so(code: str) -> None:
    """Such a result counts only when there is no blood count that day."""
    assert match_codes([(LOINC, code)]).method == "blood gas"


@pytest.mark.parametrize("code", ["718-7", "59260-0"])
def test_haemoglobin_of_a_blood_count_is_no_blood_gas(code: str) -> None:
    """Mass or moles of a blood count: no method."""
    assert match_codes([(LOINC, code)]).method == ""


@pytest.mark.parametrize(
    ("code", "site"),
    [
        ("8310-5", ""),
        ("8331-1", "oral"),
        ("8332-9", "rectal"),
        ("8333-7", "tympanic"),
        ("8328-7", "axillary"),
        ("8329-5", "core"),
        ("8334-5", "bladder"),
        ("75539-7", "temporal"),
    ],
)
def test_the_site_of_a_temperature_is_kept(code: str, site: str) -> None:
    """No correction is made for the site, but it is shown."""
    assert match_codes([(LOINC, code)]).method == site


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (HSCORE_ITEM, "hepatomegaly", "hepatomegaly"),
        (HSCORE_ITEM, "splenomegaly", "splenomegaly"),
        (HSCORE_ITEM, "marrow-hemophagocytosis", "marrow_hemophagocytosis"),
        (HSCORE_ITEM, "known-immunosuppression", "known_immunosuppression"),
        (SNOMED, "80515008", "hepatomegaly"),
        (SNOMED, "16294009", "splenomegaly"),
        (SNOMED, "36760000", "hepatosplenomegaly"),
        (SNOMED, "61070002", "marrow_hemophagocytosis"),
        (HPO, "HP:0002240", "hepatomegaly"),
        (HPO, "HP:0001744", "splenomegaly"),
        (HPO, "HP:0001433", "hepatosplenomegaly"),
        (HPO, "HP:6000980", "marrow_hemophagocytosis"),
    ],
)
def test_every_code_of_a_finding(system: str, code: str, name: str) -> None:
    """Our own items, SNOMED CT and HPO are always read."""
    match = match_codes([(system, code)])
    assert (match.kind, match.name, match.code) == ("finding", name, code)


def test_haemophagocytosis_anywhere_needs_a_marrow_specimen() -> None:
    """SNOMED CT 61070002 does not say where; the other codes of the marrow do."""
    assert match_codes([(SNOMED, "61070002")]).needs_marrow
    assert not match_codes([(HPO, "HP:6000980")]).needs_marrow
    assert not match_codes([(HSCORE_ITEM, "marrow-hemophagocytosis")]).needs_marrow


def test_a_code_of_the_marrow_beside_it_settles_where() -> None:
    """Two codes of one concept mean the same, so the more precise one decides."""
    match = match_codes([(SNOMED, "61070002"), (HPO, "HP:6000980")])
    assert (match.code, match.needs_marrow) == ("HP:6000980", False)


def test_haemophagocytosis_of_hpo_anywhere_is_refused() -> None:
    """HPO has a code for the marrow, so the general one is a look-alike."""
    assert match_codes([(HPO, "HP:0012156")]).kind == "rejected"


@pytest.mark.parametrize("system", ["", "http://hospital.example/codes", "http://snomed.info/sct"])
def test_a_code_of_another_system_is_unknown(system: str) -> None:
    """The same digits in another system mean something else."""
    assert match_codes([(system, "2276-4")]) == CodeMatch("unknown", code="2276-4")


def test_no_code_is_unknown() -> None:
    """A result without codes is nothing that we know."""
    assert match_codes([]) == CodeMatch("unknown")


def test_a_local_code_beside_a_known_one() -> None:
    """Hospitals send their own code first."""
    match = match_codes([("http://hospital.example/codes", "FER"), (LOINC, "2276-4")])
    assert (match.name, match.code) == ("ferritin", "2276-4")


def test_two_analytes_in_one_concept_are_refused() -> None:
    """Codes that contradict each other are no reason to pick one."""
    match = match_codes([(LOINC, "1920-8"), (LOINC, "1742-6")])
    assert (match.kind, match.reason) == ("rejected", "its codes contradict each other: alt and ast")


def test_a_look_alike_beside_a_good_code_is_refused() -> None:
    """A concept that also says goal is not a result."""
    assert match_codes([(LOINC, "2276-4"), (LOINC, "86914-9")]).kind == "rejected"


def test_a_code_by_configuration_beside_a_good_one_does_no_harm() -> None:
    """The good code decides."""
    assert match_codes([(LOINC, "12951-0"), (LOINC, "2571-8")]).code == "2571-8"


def test_a_pull_searches_for_scored_analytes_and_findings() -> None:
    """Nothing else is asked for: a hospital shows no more than the score needs."""
    found = search_codes()
    scored = {(LOINC, code) for one in analytes().values() if one.scored for code in one.codes}
    assert {coding for coding in found if coding[0] == LOINC} == scored
    assert {(SNOMED, "36760000"), (SNOMED, "61070002"), (HPO, "HP:6000980")} < set(found)
    assert (HSCORE_ITEM, "known-immunosuppression") in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("coding", "present"),
    [
        ((LOINC, "LA9633-4"), True),
        ((LOINC, "LA9634-2"), False),
        ((SNOMED, "52101004"), True),
        ((SNOMED, "2667000"), False),
        ((V2, "Y"), True),
        ((V2, "N"), False),
        ((INTERPRETATION, "POS"), True),
        ((INTERPRETATION, "NEG"), False),
        ((INTERPRETATION, "H"), None),
        ((LOINC, "Y"), None),
        (("", "present"), None),
    ],
)
def test_coded_answers(coding: tuple[str, str], present: bool | None) -> None:
    """Present and absent have codes in four systems; everything else is no answer."""
    assert present_of([coding]) is present


def test_answers_that_contradict_each_other_are_no_answer() -> None:
    """Present and absent at once is neither."""
    assert present_of([(LOINC, "LA9633-4"), (SNOMED, "2667000")]) is None


@pytest.mark.parametrize(
    ("text", "present"),
    [
        ("present", True),
        (" Absent ", False),
        ("阳性", None),
        ("no hepatomegaly present", None),
        ("Y", None),
        ("", None),
    ],
)
def test_words_as_answers(text: str, present: bool | None) -> None:
    """Only the two words themselves are an answer; other words need the site's map."""
    assert present_of(text) is present

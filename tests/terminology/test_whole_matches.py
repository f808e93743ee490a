"""What the codes of a result mean, with everything that is told of it."""

from __future__ import annotations

import pytest

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.terminology import CodeMatch, SiteCodes, match_codes, normalise, why_not

LOINC = "http://loinc.org"
HPO = "http://human-phenotype-ontology.org"
LOCAL = "https://hospital.example/codes"


def test_codes_that_contradict_each_other_are_refused_by_the_first() -> None:
    """Both analytes are named, so that a person can tell the hospital."""
    assert match_codes([(LOINC, "2276-4"), (LOINC, "1920-8")]) == CodeMatch(
        "rejected", code="2276-4", reason="its codes contradict each other: ast and ferritin"
    )


def test_a_finding_that_looks_alike_is_refused_with_code_and_reason() -> None:
    """Haemophagocytosis anywhere is not that of the marrow."""
    assert match_codes([(HPO, "HP:0012156")]) == CodeMatch(
        "rejected",
        code="HP:0012156",
        reason="HP:0012156 is haemophagocytosis anywhere; HP:6000980 is the one of the marrow",
    )


def test_a_code_of_the_tables_that_the_folder_names_says_so() -> None:
    """The code is both what decided and what the folder says."""
    assert match_codes([(LOINC, "12951-0")], SiteCodes(loinc=frozenset({"12951-0"}))) == CodeMatch(
        "analyte", "triglycerides", "12951-0", by_folder="12951-0"
    )


@pytest.mark.parametrize(("name", "kind"), [("ferritin", "analyte"), ("splenomegaly", "finding")])
def test_a_code_of_the_hospitals_own_is_an_analyte_or_a_finding(name: str, kind: str) -> None:
    """With its system, because another hospital may mean something else by it."""
    match = match_codes([(LOCAL, "F1")], SiteCodes(local={(LOCAL, "F1"): name}))
    assert match == CodeMatch(kind, name, "F1", by_folder=f"{LOCAL}|F1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("system", "code", "why"),
    [
        (LOINC, "2276-4", "it is read as ferritin already"),
        (LOINC, "12951-0", "name it under `loinc`: it is triglycerides or nothing"),
        (LOINC, "0000-0", ""),
        (LOCAL, "2276-4", ""),
        (LOCAL, "F1", ""),
    ],
)
def test_a_code_can_be_mapped_unless_the_tables_know_it(system: str, code: str, why: str) -> None:
    """A number of LOINC is one only with its system."""
    assert why_not((system, code)) == why


def test_an_issue_says_what_its_error_says() -> None:
    """Whoever reads the one or the other."""
    with pytest.raises(Rejected) as error:
        normalise("ferritin", "12,5", "ng/mL")
    message = "ferritin: its value is no number such as 1.50"
    assert (str(error.value), error.value.issues) == (message, (Issue("error", "no-number", message),))

"""What a trial's folder adds for its hospital: codes, units and words that a person decided to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.mappers.r4.read_observation import ReadObservation, read_observation
from fhir_adapter.terminology import LOCAL_CODE_FLAG, SiteCodes, finding_codes, match_codes, present_of, search_codes
from fhir_adapter.trial import Result
from fhir_adapter.trial_folder import read_trial_folder
from tests.intake.hospital import FERRITIN, LOINC, NOW, result
from tests.made_up import add, copy_trial

LAB = "https://hospital.example/lab"
HOSPITAL = """
hospital:
  patients: {system: "https://hospital.example/patient-id", field: subject}
  first_day: -14
  last_day: 40
  codes:
"""
EVERYTHING = """
    loinc: ["3256-5"]
    local:
      "https://hospital.example/lab": {FER: ferritin, LIVER: hepatomegaly, 0815: crp}
    units:
      ferritin: {微克每升: ug/L}
    answers: {阳性: present, 阴性: absent, "https://hospital.example/lab|2": absent}
"""
SITE = SiteCodes(
    loinc=frozenset({"3256-5"}),
    local={(LAB, "FER"): "ferritin", (LAB, "LIVER"): "hepatomegaly", (LAB, "0815"): "crp"},
    units={"ferritin": {"微克每升": "ug/L"}},
    answers={"阳性": True, "阴性": False, f"{LAB}|2": False},
)


def stated(tmp_path: Path, codes: str) -> SiteCodes:
    """What a trial's folder says of its hospital's codes."""
    folder = copy_trial(tmp_path)
    add(folder, "trial.yaml", *(HOSPITAL + codes).splitlines())
    hospital = read_trial_folder(folder).hospital
    assert hospital is not None
    return hospital.codes


def read(resource: dict[str, Any], site: SiteCodes = SITE) -> ReadObservation:
    """Read one Observation."""
    return read_observation(resource, "001", site=site, now=NOW)


def only(resource: dict[str, Any]) -> Result:
    """The one result."""
    (one,) = read(resource).results
    return one


def local(code: str, *others: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A result under the laboratory's own code."""
    codings = [{"system": system, "code": one} for system, one in ((LAB, code), *others)]
    return result("f1", **more) | {"code": {"coding": codings}}


def test_the_folder_states_codes_units_and_answers(tmp_path: Path) -> None:
    """All in one place, as a person writes it."""
    assert stated(tmp_path, EVERYTHING) == SITE


def test_a_folder_that_states_nothing_adds_nothing(tmp_path: Path) -> None:
    """The tables alone."""
    assert stated(tmp_path, "    loinc: []") == SiteCodes()


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ('    loinc: ["2276-4"]', "no LOINC code that counts by configuration; those are 12951-0, 3256-5, 76011-6"),
        ('    loinc: ["86914-9"]', "no LOINC code that counts by configuration"),
        ('    local: {"http://loinc.org": {86914-9: ferritin}}', "86914-9 is a goal, not a result"),
        ('    local: {"http://loinc.org": {2276-4: ast}}', "it is read as ferritin already"),
        ('    local: {"http://loinc.org": {3256-5: fibrinogen}}', "name it under `loinc`"),
        ('    local: {"http://snomed.info/sct": {"80515008": ast}}', "it is read as hepatomegaly already"),
        ('    local: {"http://human-phenotype-ontology.org": {"HP:0012156": ast}}', "HP:6000980 is the one"),
        ("    units: {ferritin: {微克: mmol/L}}", "'mmol/L' is no UCUM unit of ferritin"),
        ("    units: {platelets: {G/L: 10*3/uL}}", "'G/L' is read as 10*9/L of platelets already"),
        ("    units: {ferritin: {ng/mL: ug/L}}", "'ng/mL' is read as ng/mL of ferritin already"),
    ],
)
def test_what_cannot_be_meant_so_is_refused_with_its_line(tmp_path: Path, codes: str, message: str) -> None:
    """A map overrides no table."""
    with pytest.raises(Misconfigured) as caught:
        stated(tmp_path, codes)
    (issue,) = caught.value.issues
    assert message in issue.message
    assert (issue.code, issue.where.line is not None) == ("wrong-value", True)


@pytest.mark.parametrize(
    "codes",
    [
        '    local: {"https://hospital.example/lab": {FER: feritin}}',
        "    local: {lab: {FER: ferritin}}",
        '    local: {"https://hospital.example/lab": {}}',
        "    units: {feritin: {x: ng/mL}}",
        "    answers: {阳性: yes}",
        "    loinc: 3256-5",
        "    words: {}",
    ],
)
def test_what_the_schema_forbids_is_refused(tmp_path: Path, codes: str) -> None:
    """Misspelt names, systems that are no URI, unknown keys."""
    with pytest.raises(Misconfigured):
        stated(tmp_path, codes)


@pytest.mark.parametrize(
    ("code", "value", "unit", "name"),
    [("12951-0", "3", "mmol/L", "triglycerides"), ("3256-5", "2", "g/L", "fibrinogen"), ("76011-6", "38", "Cel", "")],
)
def test_a_code_by_configuration_counts_only_where_the_folder_names_it(
    code: str, value: str, unit: str, name: str
) -> None:
    """And says so in the evidence."""
    one = result("r1", value, code, unit)
    assert [issue.code for issue in read(one, SiteCodes()).issues] == ["rejected-code"]
    (found,) = read(one, SiteCodes(loinc=frozenset({code}))).results
    assert (found.name, found.flags) == (
        name or "temperature",
        (f"{code} counts because the trial's folder names it",),
    )


def test_b29_a_local_code_is_read_by_the_folder_and_flagged() -> None:
    """The first of them is shown to a person."""
    one = only(local("FER"))
    assert (one.name, one.code, one.flags) == ("ferritin", "FER", (f"{LOCAL_CODE_FLAG}{LAB}|FER as ferritin",))


def test_a_local_code_beside_one_of_the_tables_needs_no_map() -> None:
    """The table's decides, and nothing is flagged."""
    one = only(local("FER", (LOINC, FERRITIN)))
    assert (one.code, one.flags) == (FERRITIN, ())


@pytest.mark.parametrize("other", [(LOINC, "1920-8"), (LOINC, "86914-9")])
def test_a_local_code_that_the_tables_contradict_is_refused(other: tuple[str, str]) -> None:
    """Another analyte, or a look-alike."""
    assert match_codes([(LAB, "FER"), other], SITE).kind == "rejected"


def test_a_local_code_of_another_system_means_nothing() -> None:
    """The same letters elsewhere."""
    assert match_codes([("https://other.example", "FER")], SITE).kind == "unknown"


def test_b29_a_unit_that_only_the_folder_knows_is_read_and_flagged() -> None:
    """As text, or as a code of another system than UCUM's; of this analyte alone."""
    text = only(result("f1", valueQuantity={"value": 7000, "unit": "微克每升"}))
    code = only(result("f1", valueQuantity={"value": 7000, "system": "urn:oid:1.2", "code": "微克每升"}))
    flag = "unit '微克每升' read as ug/L by the trial's folder"
    assert (text.flags, text.unit, code.flags) == ((flag,), "微克每升", (flag,))
    elsewhere = read(result("a1", code="1920-8", valueQuantity={"value": 70, "unit": "微克每升"}))
    assert [issue.code for issue in elsewhere.issues] == ["unknown-unit"]


@pytest.mark.parametrize(
    ("value", "present"),
    [
        ({"valueString": " 阳性 "}, True),
        ({"valueCodeableConcept": {"text": "阴性"}}, False),
        ({"valueCodeableConcept": {"coding": [{"system": LAB, "code": "2"}]}}, False),
        ({"valueCodeableConcept": {"coding": [{"system": "https://other.example", "code": "2"}]}}, None),
        ({"valueString": "弱阳性"}, None),
    ],
)
def test_b31_a_word_that_the_folder_explains_answers_a_finding(value: dict[str, Any], present: bool | None) -> None:
    """The whole word, and nothing that only contains it."""
    found = read(local("LIVER", **value))
    assert [one.present for one in found.results] == ([] if present is None else [present])


def test_b31_a_word_is_no_number_even_so() -> None:
    """An answer to a finding says nothing of an amount."""
    assert [issue.code for issue in read(result("f1", valueString="阳性")).issues] == ["text-value"]


def test_words_of_the_tables_are_read_with_a_map_too() -> None:
    """The map adds to them."""
    assert [present_of(text, SITE) for text in ("present", "阴性", "x")] == [True, False, None]


def test_a_pull_searches_for_what_the_folder_adds() -> None:
    """Codes by configuration and local ones of what the score needs; a CRP is none of that."""
    added = set(search_codes(SITE)) - set(search_codes())
    assert added == {(LOINC, "3256-5"), (LAB, "FER"), (LAB, "LIVER")}
    assert set(finding_codes(SITE)) - set(finding_codes()) == {(LAB, "LIVER")}

"""A whole trial becomes resources: what is made, in which order, what is left out, what a masked trial hides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.issues import Misconfigured, Where
from fhir_adapter.mappers import Mapping, map_trial
from fhir_adapter.trial import EligibilityAnswer, History, Medication, Transfusion
from fhir_adapter.trial_folder import read_trial_folder
from tests.made_up import MADE_UP, change, copy_trial, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the made-up trial."""
    return copy_trial(tmp_path)


def mapped(folder: Path, **changes: Any) -> Mapping:
    """Everything that a trial folder becomes."""
    reading = read(folder)
    return map_trial(reading.study, reading.entities, replace(read_trial_folder(folder), **changes))


def references(value: object) -> Iterator[str]:
    """Every literal reference in a JSON value."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def test_the_study_comes_first_and_each_subject_with_its_own() -> None:
    """Study-level resources belong to no subject."""
    found = mapped(MADE_UP)
    types = [one.resource["resourceType"] for one in found.resources if one.subject is None]
    assert types[:7] == [
        "Device",
        "Organization",
        "Organization",
        "Location",
        "Organization",
        "Location",
        "Group",
    ]
    assert types[7:] == ["ResearchStudy", "ResearchStudy", "ResearchStudy", "Medication"]
    assert found.unmapped == ()


def test_a_resource_knows_its_name_and_its_row() -> None:
    """`Type/id`, subject, source, file and line."""
    found = mapped(MADE_UP)
    patient = next(one for one in found.resources if one.resource["resourceType"] == "Patient")
    assert patient.name == f"Patient/{found.context.names.id('Patient', '001')}"
    assert (patient.subject, patient.origin.file, patient.origin.row) == ("001", "dm.csv", 2)


def test_doses_of_the_same_share_one_medication() -> None:
    """Three doses, one drug, one strength."""
    types = [one.resource["resourceType"] for one in mapped(MADE_UP).resources]
    assert (types.count("MedicationAdministration"), types.count("Medication")) == (3, 1)


def test_every_reference_has_its_target() -> None:
    """Whatever is referred to is among the resources."""
    found = mapped(MADE_UP)
    names = {one.name for one in found.resources}
    assert {target for one in found.resources for target in references(one.resource)} <= names


def test_every_reference_has_its_target_whatever_the_keys_are(folder: Path) -> None:
    """Keys are the trial's choice: STUDYID before USUBJID, as Dataset-JSON declares them, breaks no reference."""
    for name in ("dm", "sv", "ae"):
        path = folder / "data" / f"{name}.csv"
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([f"STUDYID,{head}", *(f"MADEUP-1,{row}" for row in rows)]) + "\n")
    change(folder, "sources.yaml", "key: [USUBJID]", "key: [STUDYID, USUBJID]")
    change(folder, "sources.yaml", "key: [USUBJID, VISITNUM]", "key: [STUDYID, USUBJID, VISITNUM]")
    change(folder, "sources.yaml", "key: [USUBJID, AELNKID]", "key: [STUDYID, USUBJID, AELNKID]")
    found = mapped(folder)
    names = {one.name for one in found.resources}
    assert {target for one in found.resources for target in references(one.resource)} <= names


def test_a_number_that_two_visits_share_leads_to_neither(folder: Path) -> None:
    """Where the key of visits is the date, a result of visit 1 may belong to either visit 1."""
    change(folder, "sources.yaml", "key: [USUBJID, VISITNUM]", "key: [USUBJID, SVSTDTC]")
    change(folder, "data/sv.csv", "002,1,BASELINE,2024-01-11", "002,1,BASELINE,2024-01-11\n002,1,BASELINE,2024-01-12")
    issues = [one.issue for one in mapped(folder).unmapped]
    assert [(issue.code, issue.where) for issue in issues] == [
        ("ambiguous-link", Where("lb.csv", 4)),
        ("ambiguous-link", Where("vs.csv", 5)),
    ]


def test_what_cannot_be_mapped_is_left_out_with_its_row(folder: Path) -> None:
    """The others go on."""
    change(folder, "data/lb.csv", "12.50,g/dL", "12.50,stones")
    found = mapped(folder)
    (left_out,) = found.unmapped
    assert left_out.issue.code == "unmapped-unit"
    assert left_out.issue.where == Where("lb.csv", 3)
    assert len(found.resources) == len(mapped(MADE_UP).resources) - 1


def test_what_cannot_be_mapped_of_the_study_has_no_row(folder: Path) -> None:
    """The eligibility with an age that cannot be read."""
    change(folder, "trial.yaml", "study:\n", "study:\n  facts:\n    age_minimum: [{text: old}]\n")
    (left_out,) = mapped(folder).unmapped
    assert (left_out.issue.code, left_out.issue.where) == ("invalid-number", Where())


def test_a_missed_word_for_given_is_not_taken_for_missed(folder: Path) -> None:
    """A target that MedicationAdministration does not have is told, never read as a dose that was not given."""
    change(folder, "codes.yaml", "{Y: completed, N: not-done}", "{Y: complete, N: not-done}")
    with pytest.raises(Misconfigured) as caught:
        mapped(folder)
    assert [issue.message for issue in caught.value.issues] == ["'complete' is not one of completed, not-done"]


def test_a_flat_trial_has_one_study() -> None:
    """And every link leads to it."""
    found = mapped(MADE_UP, flat=True)
    studies = [one.name for one in found.resources if one.resource["resourceType"] == "ResearchStudy"]
    linked = {target for one in found.resources for target in references(one.resource) if "Study/" in target}
    assert linked == set(studies)
    assert len(studies) == 1


def test_a_trial_without_criteria_and_sponsor_has_no_group_and_no_sponsor(folder: Path) -> None:
    """Nothing is referred to that is not there."""
    change(folder, "sources.yaml", 'keep: ["2"]', 'keep: ["3"]')
    change(folder, "data/ts.csv", "SPONSOR,Nobody,,\n", "")
    types = [one.resource["resourceType"] for one in mapped(folder).resources]
    assert ("Group" in types, types.count("Organization")) == (False, 2)


@pytest.mark.parametrize("secret", ["DRUG", "10.8", "LOT-77", "ARM-X", "derived"])
def test_a_masked_trial_hides_whatever_tells_the_arm(folder: Path, secret: str) -> None:
    """Drug name, strength, lot, arm and derived dose stand in what an open trial sends, and not in a masked one."""
    lots = ["USUBJID,ECTRT,ECOCCUR,ECDOSE,ECDOSU,ECPSTRG,ECPSTRGU,ECLOT,ECSTDTC"]
    lots += ["001,DRUG,Y,5,mL,10.8,g/L,LOT-77,2024-01-10", "001,DRUG,N,,,10.8,g/L,LOT-77,2024-01-11"]
    (folder / "data" / "ec.csv").write_text("\n".join(lots))
    change(folder, "sources.yaml", "ECPSTRG: strength,", "ECPSTRG: strength, ECLOT: lot,")
    change(folder, "data/dm.csv", "SUBJID,SITEID", "ARMCD,SITEID")
    change(folder, "data/dm.csv", "001,S1,", "001,ARM-X,")
    change(folder, "sources.yaml", ", SUBJID: screening_number", ", ARMCD: planned_arm")
    types = {"MedicationAdministration", "Medication", "ResearchSubject", "Patient"}
    sent = [
        b"".join(fhirjson.dumps(one.resource) for one in found.resources if one.resource["resourceType"] in types)
        for found in (mapped(folder), mapped(folder, masked=True))
    ]
    assert [secret.encode() in text for text in sent] == [True, False]


def test_a_masked_trial_shows_that_there_was_a_dose() -> None:
    """One medication of the masked name, shared by all."""
    found = [one.resource for one in mapped(MADE_UP, masked=True).resources]
    texts = [one["code"]["text"] for one in found if one["resourceType"] == "Medication"]  # type: ignore[index]
    assert texts == ["MASKED STUDY TREATMENT"]


def test_masked_doses_have_the_ids_of_open_ones() -> None:
    """So that unmasking updates them."""
    ids = [
        {one.name for one in mapped(MADE_UP, masked=masked).resources if one.name.startswith("MedicationAdmin")}
        for masked in (True, False)
    ]
    assert ids[0] == ids[1]


def test_what_only_scores_and_reports_read_has_no_resource() -> None:
    """Eligibility answers, medication, transfusions and history: no resource, and no issue about it."""
    reading = read(MADE_UP)
    rest: dict[str, Any] = {"subject": "001", "site": "01", "key": ("001", "1")}
    others = (
        EligibilityAnswer(criterion="I1", answer="met", **rest),
        Medication(treatment="Prednisone", **rest),
        Transfusion(product="Platelets", **rest),
        History(term="Gout", **rest),
    )
    found = map_trial(reading.study, (*reading.entities, *others), read_trial_folder(MADE_UP))
    assert (len(found.resources), found.unmapped) == (len(mapped(MADE_UP).resources), ())


def test_the_hospitals_number_of_a_subject_is_not_sent(folder: Path) -> None:
    """It finds results at the hospital, and stays here."""
    change(folder, "sources.yaml", "SUBJID: screening_number", "SUBJID: hospital_patient_id")
    change(folder, "data/dm.csv", "001,S1,", "001,HP0041732,")
    found = mapped(folder)
    assert found.unmapped == ()
    assert b"HP0041732" not in b"".join(fhirjson.dumps(one.resource) for one in found.resources)

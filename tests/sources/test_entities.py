"""The kinds of rows that scores and reports read beside the rest: eligibility, medication, transfusions, history."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.trial import EligibilityAnswer, Entity, Finding, History, Medication, Quantity, Subject, Transfusion
from tests.made_up import add, change, copy_trial, read, set_aside

IE = "001,I1,符合,2024-01-05,asked"
CM = "001,1,Prednisone,steroid,10,mg,ORAL,QD,2023-11,2024-01-03T08:00,Gout"
PR = "001,1,Platelets,1.5,U,2024-01-12T13:00,2024-01-12T15:30"
MH = "001,1,Gout,main,2015-02,,Y"
PE = "001,LIVER,Liver,enlarged,,ultrasound,Dr A,2024-01-06,2024-01-05"

_SOURCES = """
  ie:
    file: ie.csv
    entity: eligibility
    key: [USUBJID, IETESTCD]
    columns: {USUBJID: subject, IETESTCD: criterion, IEORRES: answer, IEDTC: at, IENOTE: note}
  cm:
    file: cm.csv
    entity: medication
    key: [USUBJID, CMSPID]
    columns: {USUBJID: subject, CMTRT: treatment, CMCAT: category, CMDOSE: dose, CMDOSU: dose_unit,
      CMROUTE: route, CMDOSFRQ: frequency, CMSTDTC: start, CMENDTC: end, CMINDC: indication}
    ignored: {CMSPID: the key}
  pr:
    file: pr.csv
    entity: transfusion
    key: [USUBJID, PRSPID]
    columns: {USUBJID: subject, PRTRT: product, PRDOSE: amount, PRDOSU: amount_unit, PRSTDTC: start, PRENDTC: end}
    ignored: {PRSPID: the key}
  mh:
    file: mh.csv
    entity: history
    key: [USUBJID, MHSPID]
    columns: {USUBJID: subject, MHTERM: term, MHCAT: category, MHSTDTC: start, MHENDTC: end, MHONGO: ongoing}
    ignored: {MHSPID: the key}
  pe:
    file: pe.csv
    entity: finding
    key: [USUBJID, PETESTCD]
    columns: {USUBJID: subject, PETESTCD: test, PETEST: name, PEORRES: result, PESTAT: status,
      PEMETHOD: method, PEEVAL: stated_by, PEEVALDT: stated_on, PEDTC: effective}
"""
_FILES = {
    "ie.csv": ("USUBJID,IETESTCD,IEORRES,IEDTC,IENOTE", IE),
    "cm.csv": ("USUBJID,CMSPID,CMTRT,CMCAT,CMDOSE,CMDOSU,CMROUTE,CMDOSFRQ,CMSTDTC,CMENDTC,CMINDC", CM),
    "pr.csv": ("USUBJID,PRSPID,PRTRT,PRDOSE,PRDOSU,PRSTDTC,PRENDTC", PR),
    "mh.csv": ("USUBJID,MHSPID,MHTERM,MHCAT,MHSTDTC,MHENDTC,MHONGO", MH),
    "pe.csv": ("USUBJID,PETESTCD,PETEST,PEORRES,PESTAT,PEMETHOD,PEEVAL,PEEVALDT,PEDTC", PE),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The made-up trial with one row of each of these kinds."""
    place = copy_trial(tmp_path)
    add(place, "sources.yaml", *_SOURCES.splitlines())
    for name, lines in _FILES.items():
        add(place, f"data/{name}", *lines)
    eligibility = "  eligibility: {codes: {符合: met, 不符合: not-met, 研究者判定: manual}}"
    change(place, "codes.yaml", "  action:", f"{eligibility}\n  action:")
    return place


def one(folder: Path, kind: type[Entity]) -> Entity:
    """The one entity of a kind; nothing was set aside."""
    reading = read(folder)
    assert reading.issues == ()
    (found,) = (entity for entity in reading.entities if isinstance(entity, kind) and entity.origin.source != "fa")
    return found


def test_an_answer_to_a_criterion(folder: Path) -> None:
    """Its meaning is looked up in the trial's own table."""
    found = one(folder, EligibilityAnswer)
    assert isinstance(found, EligibilityAnswer)
    assert (found.subject, found.site, found.key, found.criterion) == ("001", "01", ("001", "I1"), "I1")
    assert (found.answer, found.at and found.at.iso, found.note) == ("met", "2024-01-05", "asked")


def test_an_answer_in_another_word_is_set_aside(folder: Path) -> None:
    """It is never guessed, and the message does not repeat it."""
    change(folder, "data/ie.csv", "符合", "perhaps")
    reading = read(folder)
    assert set_aside(reading) == [("unmapped-code", "ie.csv", 2)]
    assert "perhaps" not in reading.issues[0].message


def test_an_empty_answer_is_set_aside(folder: Path) -> None:
    """Nobody answered; that is no no."""
    change(folder, "data/ie.csv", "符合", "")
    assert set_aside(read(folder)) == [("missing-value", "ie.csv", 2)]


def test_a_concomitant_medication(folder: Path) -> None:
    """Dose, period and reason as recorded; dates may be partial."""
    found = one(folder, Medication)
    assert isinstance(found, Medication)
    assert (found.treatment, found.category, found.route, found.frequency) == ("Prednisone", "steroid", "ORAL", "QD")
    assert found.dose == Quantity(Decimal(10), "mg", "10")
    assert found.start is not None
    assert found.end is not None
    assert (found.start.iso, found.end.iso, found.indication) == ("2023-11", "2024-01-03T08:00:00+08:00", "Gout")


def test_a_medication_without_a_name_is_set_aside(folder: Path) -> None:
    """Nobody could tell whether it was a rescue treatment."""
    change(folder, "data/cm.csv", "Prednisone", "")
    assert set_aside(read(folder)) == [("missing-value", "cm.csv", 2)]


def test_a_transfusion(folder: Path) -> None:
    """Product, amount and time."""
    found = one(folder, Transfusion)
    assert isinstance(found, Transfusion)
    assert (found.product, found.amount) == ("Platelets", Quantity(Decimal("1.5"), "U", "1.5"))
    assert found.start is not None
    assert found.start.iso == "2024-01-12T13:00:00+08:00"


def test_an_amount_in_words_is_set_aside(folder: Path) -> None:
    """It is no number."""
    change(folder, "data/pr.csv", ",1.5,", ",one bag,")
    assert set_aside(read(folder)) == [("invalid-number", "pr.csv", 2)]


@pytest.mark.parametrize(("word", "ongoing"), [("Y", True), ("N", False), ("", None)])
def test_a_disease_before_the_trial(folder: Path, word: str, ongoing: bool | None) -> None:
    """Ongoing, over, or not said."""
    change(folder, "data/mh.csv", ",,Y", f",,{word}")
    found = one(folder, History)
    assert isinstance(found, History)
    assert (found.term, found.category, found.ongoing) == ("Gout", "main", ongoing)


def test_an_ongoing_disease_has_no_end(folder: Path) -> None:
    """Nobody knows which is right."""
    change(folder, "data/mh.csv", ",,Y", ",2016,Y")
    assert set_aside(read(folder)) == [("contradiction", "mh.csv", 2)]


def test_a_finding_says_how_and_by_whom(folder: Path) -> None:
    """Method, who answered, and when."""
    found = one(folder, Finding)
    assert isinstance(found, Finding)
    assert (found.result, found.method, found.not_done, found.stated_by) == ("enlarged", "ultrasound", False, "Dr A")
    assert found.stated_on is not None
    assert found.stated_on.iso == "2024-01-06"


def test_a_finding_may_be_not_done(folder: Path) -> None:
    """Then it has no result."""
    change(folder, "data/pe.csv", "enlarged,,", ",NOT DONE,")
    found = one(folder, Finding)
    assert isinstance(found, Finding)
    assert (found.not_done, found.result) == (True, "")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("enlarged,,", "enlarged,NOT DONE,", "contradiction"),
        ("enlarged,,", ",,", "missing-value"),
        ("enlarged,,", ",PERHAPS,", "unmapped-code"),
    ],
)
def test_a_finding_is_either_answered_or_not_done(folder: Path, old: str, new: str, code: str) -> None:
    """Both, neither, or another word: set aside."""
    change(folder, "data/pe.csv", old, new)
    assert set_aside(read(folder)) == [(code, "pe.csv", 2)]


def test_a_row_of_nobody_is_set_aside(folder: Path) -> None:
    """As with every other kind."""
    add(folder, "data/mh.csv", "009,1,Gout,main,2015,,Y")
    assert set_aside(read(folder)) == [("unknown-subject", "mh.csv", 3)]


def test_one_key_twice_is_set_aside(folder: Path) -> None:
    """Of two answers to one criterion nobody knows which is right."""
    add(folder, "data/ie.csv", "001,I1,不符合,2024-01-06,")
    assert set_aside(read(folder)) == [("duplicate-key", "ie.csv", 2), ("duplicate-key", "ie.csv", 3)]


def test_the_first_subjects_have_their_own_of_these(folder: Path) -> None:
    """What belongs to others is left out."""
    add(folder, "data/cm.csv", "002,1,Aspirin,,,,,,,,")
    kept = read(folder).first_subjects(1).entities
    kinds = {type(entity) for entity in kept}
    assert {EligibilityAnswer, Medication, Transfusion, History} <= kinds
    assert {entity.subject for entity in kept} == {"001"}


def test_a_field_that_the_kind_does_not_have_is_refused(folder: Path) -> None:
    """The nearest field is named."""
    change(folder, "sources.yaml", "MHTERM: term", "MHTERM: terms")
    with pytest.raises(Misconfigured) as caught:
        read(folder)
    assert [(issue.code, issue.message) for issue in caught.value.issues] == [
        ("unknown-field", "a history has no field 'terms'; did you mean 'term'?")
    ]


def test_the_hospital_number_is_kept_as_recorded(folder: Path) -> None:
    """Zeros and all."""
    change(folder, "data/dm.csv", "RFSTDTC\n", "RFSTDTC,HOSPID\n")
    change(folder, "data/dm.csv", "2024-01-10\n", "2024-01-10,00417\n")
    change(folder, "data/dm.csv", "2024-01-11\n", "2024-01-11,\n")
    change(
        folder, "sources.yaml", "RFSTDTC: reference_start}", "RFSTDTC: reference_start, HOSPID: hospital_patient_id}"
    )
    found = [entity.hospital_patient_id for entity in read(folder).entities if isinstance(entity, Subject)]
    assert found == ["00417", ""]

"""From the files of a trial to its entities: bad rows are set aside with all that refers to them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.sources import ColumnUse, RowCount
from fhir_adapter.trial import AdverseEvent, Dose, Finding, Measurement, Subject, Visit
from fhir_adapter.trial_folder import read_trial_folder
from tests.made_up import MADE_UP, add, change, copy_trial, read, set_aside, warnings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the made-up trial."""
    return copy_trial(tmp_path)


def refused(folder: Path) -> tuple[str, int | None, str]:
    """Code, line in sources.yaml and message with which reading stops."""
    with pytest.raises(Misconfigured) as caught:
        read(folder)
    (issue,) = caught.value.issues
    assert Path(issue.where.file or "").name == "sources.yaml"
    return issue.code, issue.where.line, issue.message


def line_of(folder: Path, text: str) -> int:
    """The line of sources.yaml on which a text stands."""
    lines = (folder / "sources.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_right_trial_is_read_without_a_word() -> None:
    """Nothing is set aside, nothing is warned of."""
    assert read(MADE_UP).issues == ()


def test_every_kind_of_row_becomes_its_entity() -> None:
    """Subjects come first, because the others refer to them; a panel is one measurement."""
    kinds = [type(entity) for entity in read(MADE_UP).entities]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        Subject: 2,
        Visit: 3,
        AdverseEvent: 1,
        Dose: 3,
        Measurement: 6,
        Finding: 1,
    }
    assert kinds[:2] == [Subject, Subject]


def test_the_study_is_read_from_its_tables() -> None:
    """Facts, arms and the criteria of the chosen version; a repeated arm is one arm."""
    study = read(MADE_UP).study
    assert {field: [fact.text for fact in facts] for field, facts in study.facts.items()} == {
        "title": ["A made-up study"],
        "condition": ["Gout"],
        "sponsor": ["Nobody"],
    }
    assert [arm.name for arm in study.arms] == ["A", "B"]
    assert [(one.name, one.text, one.exclusion) for one in study.criteria] == [
        ("I1", "At least 18 years", False),
        ("E1", "Pregnant", True),
    ]


def test_d62_a_subject_number_keeps_its_zeros() -> None:
    """001 is not 1."""
    assert read(MADE_UP).entities[0].key == ("001",)


def test_an_entity_knows_its_row() -> None:
    """Source, file and line lead a person to it."""
    origin = read(MADE_UP).entities[1].origin
    assert (origin.source, origin.file, origin.row) == ("dm", "dm.csv", 3)


def test_every_file_is_remembered_by_what_it_held() -> None:
    """The SHA-256 of each file as it was read."""
    digest = hashlib.sha256((MADE_UP / "data" / "dm.csv").read_bytes()).hexdigest()
    assert read(MADE_UP).files["dm.csv"] == digest


def test_rows_are_counted() -> None:
    """Used, ignored by decision, set aside."""
    counts = {count.source: count for count in read(MADE_UP).rows}
    assert counts["ti"] == RowCount("ti", "ti.csv", rows=3, used=2, ignored=1, set_aside=0)
    assert counts["dm"].to_dict() == {
        "source": "dm",
        "file": "dm.csv",
        "rows": 2,
        "used": 2,
        "ignored": 0,
        "set_aside": 0,
    }


def test_another_source_folder_may_be_named(folder: Path) -> None:
    """The same files in another place are read instead of the trial's own."""
    (folder / "data").rename(folder / "export")
    with pytest.raises(Misconfigured, match="is not in the source folder"):
        read(folder)


def test_a_bad_row_is_set_aside_and_the_others_go_on(folder: Path) -> None:
    """One dose without a date: the issue names file and row, everything else is there."""
    change(folder, "data/ec.csv", "g/L,2024-01-11", "g/L,")
    reading = read(folder)
    assert set_aside(reading) == [("missing-value", "ec.csv", 3)]
    assert len([one for one in reading.entities if isinstance(one, Dose)]) == 2


def test_what_is_set_aside_is_known_by_subject_and_key(folder: Path) -> None:
    """So nothing of it is taken for withdrawn."""
    change(folder, "data/ec.csv", "001,DRUG,Y,5,mL,10.8,g/L,2024-01-11", "001,DRUG,Y,five,mL,10.8,g/L,2024-01-11")
    (aside,) = read(folder).set_aside
    assert (aside.source, aside.subject, aside.key) == ("ec", "001", ("001", "2024-01-11"))


def test_a_subject_set_aside_takes_along_all_that_refers_to_it(folder: Path) -> None:
    """A subject with a date that does not exist: its visits, doses, results, events go with it."""
    change(folder, "data/dm.csv", "2024-01-01,2024-01-10", "2024-01-32,2024-01-10")
    reading = read(folder)
    assert {entity.subject for entity in reading.entities} == {"002"}
    assert set_aside(reading)[0] == ("invalid-date", "dm.csv", 2)
    assert {code for code, _, _ in set_aside(reading)[1:]} == {"unknown-subject"}
    assert {aside.subject for aside in reading.set_aside} == {"001"}


def test_a_row_of_an_unknown_subject_is_set_aside(folder: Path) -> None:
    """A result of somebody who is not in the trial."""
    add(folder, "data/lb.csv", "003,GLUC,90,mg/dL,,1,2024-01-10")
    reading = read(folder)
    assert set_aside(reading) == [("unknown-subject", "lb.csv", 5)]
    assert reading.set_aside[0].issue.message == "USUBJID: no usable row describes this subject"


def test_a_row_without_a_subject_is_set_aside(folder: Path) -> None:
    """Nobody knows whose it is."""
    add(folder, "data/lb.csv", ",GLUC,90,mg/dL,,1,2024-01-10")
    (aside,) = read(folder).set_aside
    assert (aside.issue.code, aside.subject) == ("missing-value", None)


def test_an_unknown_site_sets_the_subject_aside(folder: Path) -> None:
    """The message lists the sites of the trial folder."""
    change(folder, "data/dm.csv", "002,S2,02", "002,S2,03")
    reading = read(folder)
    assert set_aside(reading)[0] == ("unknown-site", "dm.csv", 3)
    assert reading.set_aside[0].issue.message == "SITEID: '03' is not under sites in trial.yaml (01, 02)"
    assert {entity.subject for entity in reading.entities} == {"001"}


def test_two_rows_with_one_key_are_both_set_aside(folder: Path) -> None:
    """Nobody knows which of the two is right; the message names the other row."""
    add(folder, "data/lb.csv", "001,HGB,13.00,g/dL,,1,2024-01-10T08:15")
    reading = read(folder)
    assert set_aside(reading) == [("duplicate-key", "lb.csv", 3), ("duplicate-key", "lb.csv", 5)]
    assert reading.set_aside[0].issue.message == (
        "the same key as row 5; the key is made of USUBJID, LBTESTCD, VISITNUM, LBDTC"
    )


def test_two_rows_of_one_subject_take_along_all_that_refers_to_it(folder: Path) -> None:
    """A subject that is described twice is not described."""
    add(folder, "data/dm.csv", "002,S2,01,CHN,M,2024-01-02,2024-01-11")
    reading = read(folder)
    assert {entity.subject for entity in reading.entities} == {"001"}
    assert {code for code, _, _ in set_aside(reading)} == {"duplicate-key", "unknown-subject"}


def test_one_key_in_two_spellings_of_one_letter_is_one_key(folder: Path) -> None:
    """An accent may be one character or two: the two rows would be one resource (bad input C 57)."""
    add(folder, "data/sv.csv", "001,caf\u00e9,X,2024-01-10", "001,cafe\u0301,Y,2024-01-10")
    assert set_aside(read(folder)) == [("duplicate-key", "sv.csv", 5), ("duplicate-key", "sv.csv", 6)]


def test_a_subject_is_the_same_in_both_spellings_of_a_letter(folder: Path) -> None:
    """Compared after Unicode normalisation, a result finds its subject (bad input C 57)."""
    add(folder, "data/dm.csv", "\u00e91,S3,01,CHN,F,2024-01-01,2024-01-10")
    add(folder, "data/lb.csv", "e\u03011,GLUC,90,mg/dL,,1,2024-01-10".replace("\u0301", "\u0301"))
    assert set_aside(read(folder)) == []


def test_one_key_in_two_sources_is_one_key(folder: Path) -> None:
    """Two laboratory files with the same result would be two resources under one id."""
    change(folder, "sources.yaml", "  fa:\n", "  fa:\n" if False else "  fa:\n")
    second = (folder / "sources.yaml").read_text(encoding="utf-8")
    second += "\n" + "\n".join(_source_of(second, "lb")).replace("  lb:", "  lb2:").replace("lb.csv", "lb2.csv") + "\n"
    (folder / "sources.yaml").write_text(second, encoding="utf-8")
    (folder / "data" / "lb2.csv").write_text((folder / "data" / "lb.csv").read_text(encoding="utf-8"), encoding="utf-8")
    assert {code for code, _, _ in set_aside(read(folder))} == {"duplicate-key"}


def _source_of(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    start = lines.index(f"  {name}:")
    return lines[start : start + 6]

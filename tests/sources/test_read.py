"""From the files of a trial to its entities: bad rows are set aside with all that refers to them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.sources import ColumnUse, RowCount, read_trial
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
    """Files of the same names in another place are read instead of the trial's own."""
    (folder / "data").rename(folder / "export")
    reading = read_trial(read_trial_folder(folder), folder / "export")
    assert len(reading.entities) == 16


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


def test_c57_one_key_in_two_spellings_of_one_letter_is_one_key(folder: Path) -> None:
    """An accent may be one character or two: the two rows would be one resource."""
    add(folder, "data/sv.csv", "001,caf\u00e9,X,2024-01-10", "001,cafe\u0301,Y,2024-01-10")
    assert set_aside(read(folder)) == [("duplicate-key", "sv.csv", 5), ("duplicate-key", "sv.csv", 6)]


def test_c57_a_subject_is_the_same_in_both_spellings_of_a_letter(folder: Path) -> None:
    """Compared after Unicode normalisation, a result finds its subject."""
    add(folder, "data/dm.csv", "caf\u00e9,S3,01,CHN,F,2024-01-01,2024-01-10")
    add(folder, "data/lb.csv", "cafe\u0301,GLUC,90,mg/dL,,1,2024-01-10")
    assert set_aside(read(folder)) == []


def test_one_key_in_two_sources_is_one_key(folder: Path) -> None:
    """Two laboratory files with the same result would be two resources under one id."""
    shutil.copy(folder / "data" / "lb.csv", folder / "data" / "lb2.csv")
    add(
        folder,
        "sources.yaml",
        "  lb2:",
        "    file: lb2.csv",
        "    entity: measurement",
        "    key: [USUBJID, LBTESTCD, VISITNUM, LBDTC]",
        "    constants: {category: laboratory}",
        "    columns: {USUBJID: subject, LBTESTCD: test, LBORRES: value, VISITNUM: visit, LBDTC: effective}",
    )
    assert {code for code, _, _ in set_aside(read(folder))} == {"duplicate-key"}


def test_a_source_without_a_key_is_refused(folder: Path) -> None:
    """A CSV file has no key of its own."""
    change(folder, "sources.yaml", "    key: [USUBJID, AELNKID]\n", "")
    message = "ae.csv declares no key; name the columns that make a row the same thing in the next export"
    assert refused(folder) == ("no-key", line_of(folder, "  ae:"), message)


def test_a_file_may_bring_its_key(folder: Path) -> None:
    """Without a declared key, the key sequence of a Dataset-JSON file is used."""
    write_dataset(folder, rows=[["001", "SYSBP", "120"], ["001", "DIABP", "80"]])
    keys = [one.key for one in read(folder).entities if isinstance(one, Measurement) and one.category == "vital-signs"]
    assert keys == [("001", "BP")]


def test_half_a_panel_is_not_sent_when_the_other_half_stands_twice(folder: Path) -> None:
    """Also where the file brings its key: of two systolic values neither is right, and the diastolic one waits."""
    write_dataset(folder, rows=[["001", "SYSBP", "120"], ["001", "SYSBP", "130"], ["001", "DIABP", "80"]])
    reading = read(folder)
    assert [code for code, _, _ in set_aside(reading)] == ["duplicate-key", "duplicate-key", "panel-incomplete"]
    assert {aside.key for aside in reading.set_aside} == {("001", "SYSBP"), ("001", "DIABP")}


def test_a_sequence_number_in_a_key_is_refused(folder: Path) -> None:
    """It changes at every export, so one inserted row would rename all that follow."""
    change(folder, "data/ae.csv", "AELNKID", "AESEQ")
    change(folder, "sources.yaml", "key: [USUBJID, AELNKID]", "key: [USUBJID, AESEQ]")
    change(folder, "sources.yaml", "AELNKID: number", "AESEQ: number")
    message = "AESEQ is renumbered at every export; key_may_use_sequence: true accepts that"
    assert refused(folder) == ("sequence-key", line_of(folder, "key: [USUBJID, AESEQ]"), message)


def test_a_sequence_number_in_a_key_may_be_accepted(folder: Path) -> None:
    """An explicit choice, with a warning."""
    change(folder, "data/ae.csv", "AELNKID", "AESEQ")
    change(folder, "sources.yaml", "key: [USUBJID, AELNKID]", "key: [USUBJID, AESEQ]\n    key_may_use_sequence: true")
    change(folder, "sources.yaml", "AELNKID: number", "AESEQ: number")
    reading = read(folder)
    assert warnings(reading) == [("sequence-key", "ae.csv", None)]
    assert set_aside(reading) == []


def test_a_missing_file_stops_the_run(folder: Path) -> None:
    """Nothing can be said about its records; the line of its source is shown."""
    (folder / "data" / "ae.csv").unlink()
    message = "ae.csv is not in the source folder; name another folder with --source, or drop the source"
    assert refused(folder) == ("missing-file", line_of(folder, "  ae:"), message)


def test_a_missing_column_stops_the_run(folder: Path) -> None:
    """The message names the column and those that the file has."""
    change(folder, "data/ae.csv", "AETERM", "TERM")
    message = "ae.csv has no column AETERM; it has AELNKID, AESER, AESHOSP, AESTDTC, TERM, USUBJID"
    assert refused(folder) == ("missing-column", line_of(folder, "AETERM: term"), message)


@pytest.mark.parametrize(
    ("old", "new"), [("key: [USUBJID, AELNKID]", "key: [AEID]"), ("TIVERS, keep", "VERSION, keep")]
)
def test_a_column_of_key_or_filter_must_be_there_too(folder: Path, old: str, new: str) -> None:
    """Every column that the mapping uses is needed."""
    change(folder, "sources.yaml", old, new)
    assert refused(folder)[0] == "missing-column"


def test_d69_a_field_that_the_entity_does_not_have_is_refused(folder: Path) -> None:
    """With the line, and what was probably meant."""
    change(folder, "sources.yaml", "AETERM: term", "AETERM: trem")
    message = "a adverse-event has no field 'trem'; did you mean 'term'?"
    assert refused(folder) == ("unknown-field", line_of(folder, "AETERM: trem"), message)


def test_d69_a_constant_of_an_unknown_field_is_refused(folder: Path) -> None:
    """Constants are fields too; without a likely one all are listed."""
    change(folder, "sources.yaml", "constants: {category: laboratory}", "constants: {category: laboratory, zzz: x}")
    code, line, message = refused(folder)
    assert (code, line) == ("unknown-field", line_of(folder, "zzz: x"))
    assert message.startswith("a measurement has no field 'zzz'; known: subject, test, ")


def test_a_field_is_filled_by_one_column(folder: Path) -> None:
    """Of two columns nobody knows which counts."""
    change(folder, "sources.yaml", "AETERM: term", "AETERM: term, AESER: term")
    change(folder, "sources.yaml", "AESER: serious, ", "")
    message = "'term' is filled by AETERM and by AESER; one column fills a field"
    assert refused(folder) == ("field-twice", line_of(folder, "AESER: term"), message)


def test_parameters_need_the_column_that_names_them(folder: Path) -> None:
    """A list of parameters means nothing without the column in which they stand."""
    change(folder, "sources.yaml", "TSPARMCD: parameter, ", "")
    with pytest.raises(Misconfigured):
        read(folder)


def test_two_files_of_facts_give_each_fact_once(folder: Path) -> None:
    """The parameters of one file are not looked up in the other."""
    add(folder, "data/registry.csv", "NAME,VALUE", "INDIC,Hyperuricaemia")
    add(
        folder,
        "sources.yaml",
        "  registry:",
        "    file: registry.csv",
        "    entity: study-fact",
        "    columns: {NAME: parameter, VALUE: text}",
        "    parameters: {INDIC: condition}",
    )
    facts = read(folder).study.facts["condition"]
    assert [fact.text for fact in facts] == ["Gout", "Hyperuricaemia"]


def test_what_the_folder_states_goes_before_the_files(folder: Path) -> None:
    """A fact of trial.yaml replaces the one of the summary table."""
    change(folder, "trial.yaml", "study:\n", "study:\n  facts:\n    title: [{text: The right title}]\n")
    assert [fact.text for fact in read(folder).study.facts["title"]] == ["The right title"]


def test_an_unknown_column_is_warned_of(folder: Path) -> None:
    """A column that is neither mapped nor ignored is never dropped in silence."""
    change(folder, "data/ae.csv", "USUBJID,AELNKID", "AEXTRA,USUBJID,AELNKID")
    change(folder, "data/ae.csv", "001,1,Rash", "x,001,1,Rash")
    reading = read(folder)
    assert warnings(reading) == [("unknown-column", "ae.csv", None)]
    assert reading.warnings[0].message == "AEXTRA: neither mapped nor ignored by decision; 1 rows have a value"


def test_every_column_is_accounted_for() -> None:
    """Mapped to a field, or ignored with the reason, with the number of filled cells."""
    uses = {(use.file, use.column): use for use in read(MADE_UP).columns}
    assert uses["vs.csv", "VSPOS"] == ColumnUse("vs", "vs.csv", "VSPOS", "mapped", "position", 2)
    assert uses["ti.csv", "TIVERS"].to_dict() == {
        "source": "ti",
        "file": "ti.csv",
        "column": "TIVERS",
        "use": "ignored",
        "detail": "chooses the rows",
        "filled": 3,
    }


def test_every_parameter_is_accounted_for(folder: Path) -> None:
    """The rows of a summary table are reported as columns are."""
    add(folder, "data/ts.csv", "TSXX,1,,")
    reading = read(folder)
    uses = {use.column: (use.use, use.detail, use.filled) for use in reading.columns if use.file == "ts.csv"}
    assert uses["TSPARMCD=TITLE"] == ("mapped", "title", 1)
    assert uses["TSPARMCD=NARMS"] == ("ignored", "counted by the arms", 1)
    assert uses["TSPARMCD=TSXX"] == ("unknown", "", 1)
    assert warnings(reading) == [("unknown-column", "ts.csv", None)]


def test_the_columns_of_an_ignored_file_are_accounted_for(folder: Path) -> None:
    """A file that is ignored by decision is read for its columns; one that is not there is not missed."""
    add(folder, "data/cm.csv", "USUBJID,CMTRT", "001,ASPIRIN", "001,")
    add(folder, "sources.yaml", "ignored_files: {cm.csv: not sent, mh.csv: not sent}")
    uses = [use for use in read(folder).columns if use.file == "cm.csv"]
    assert uses == [
        ColumnUse("cm", "cm.csv", "USUBJID", "ignored", "not sent", 2),
        ColumnUse("cm", "cm.csv", "CMTRT", "ignored", "not sent", 1),
    ]


def test_an_ignored_file_that_cannot_be_read_is_only_a_warning(folder: Path) -> None:
    """Nothing of it would have been used."""
    (folder / "data" / "cm.csv").write_bytes(b"")
    add(folder, "sources.yaml", "ignored_files: {cm.csv: not sent}")
    reading = read(folder)
    assert warnings(reading) == [("file-empty", "cm.csv", None)]
    assert set_aside(reading) == []


def test_a_file_that_cannot_be_trusted_is_set_aside_whole(folder: Path) -> None:
    """The other sources go on; its rows are counted as nothing known."""
    (folder / "data" / "ae.csv").write_bytes(b"")
    reading = read(folder)
    assert set_aside(reading) == [("file-empty", "ae.csv", None)]
    assert RowCount("ae", "ae.csv", 0, 0, 0, 0) in reading.rows
    assert not [one for one in reading.entities if isinstance(one, AdverseEvent)]


def test_d61_a_short_row_is_set_aside_with_its_line(folder: Path) -> None:
    """A row with too few cells is counted among those set aside."""
    add(folder, "data/ae.csv", "001,2,Cough")
    reading = read(folder)
    assert [(file, line) for _, file, line in set_aside(reading)] == [("ae.csv", 3)]
    assert RowCount("ae", "ae.csv", rows=2, used=1, ignored=0, set_aside=1) in reading.rows


def test_c54_an_ambiguous_hour_is_set_aside(folder: Path) -> None:
    """At the Boston site this time came twice."""
    change(folder, "data/lb.csv", "002,COLOR,NORMAL,,,1,2024-01-11", "002,COLOR,NORMAL,,,1,2024-11-03T01:30")
    reading = read(folder)
    assert set_aside(reading) == [("invalid-date", "lb.csv", 4)]
    assert "write it with its offset" in reading.set_aside[0].issue.message


def test_c54_local_times_take_the_zone_of_the_subjects_site() -> None:
    """Subject 001 is in Shanghai."""
    moments = [one.effective for one in read(MADE_UP).entities if isinstance(one, Measurement) and one.test == "GLUC"]
    assert [moment.iso for moment in moments if moment] == ["2024-01-10T08:15:00+08:00"]


def test_c54_a_local_time_at_a_site_without_zone_is_set_aside(folder: Path) -> None:
    """Two results of the morning wait until somebody states the zone."""
    change(folder, "trial.yaml", ", time_zone: Asia/Shanghai", "")
    reading = read(folder)
    assert set_aside(reading) == [("invalid-date", "lb.csv", 2), ("invalid-date", "lb.csv", 3)]


def test_c59_an_invisible_character_in_a_key_sets_the_row_aside(folder: Path) -> None:
    """A direction mark in a visit number."""
    add(folder, "data/sv.csv", "001,1\u202e,X,2024-01-10")
    assert set_aside(read(folder)) == [("invisible-character", "sv.csv", 5)]


def test_issues_are_in_one_list(folder: Path) -> None:
    """What was set aside comes before what is only warned of."""
    change(folder, "data/sv.csv", "2024-01-23", "2024-02-23")
    add(folder, "data/lb.csv", "003,GLUC,90,mg/dL,,1,2024-01-10")
    assert [issue.code for issue in read(folder).issues] == ["unknown-subject", "visit-outside-window"]


def test_the_first_subjects_may_be_read_alone() -> None:
    """All of the first subject and nothing of the others; the study stays."""
    reading = read(MADE_UP)
    first = reading.first_subjects(1)
    assert {entity.subject for entity in first.entities} == {"001"}
    assert first.study == reading.study


def test_without_a_number_all_subjects_are_read() -> None:
    """No limit is no limit."""
    reading = read(MADE_UP)
    assert reading.first_subjects(None) is reading


def write_dataset(folder: Path, rows: list[list[str]]) -> None:
    """Let the vital signs come from a Dataset-JSON file with its own key."""
    names = {"USUBJID": 1, "VSTESTCD": 2, "VSORRES": None}
    columns = [{"name": name, "dataType": "string", "keySequence": order} for name, order in names.items()]
    columns[2].pop("keySequence")
    dataset = {"datasetJSONVersion": "1.1.0", "records": len(rows), "name": "VS", "columns": columns, "rows": rows}
    (folder / "data" / "vs.json").write_text(json.dumps(dataset), encoding="utf-8")
    text = (folder / "sources.yaml").read_text(encoding="utf-8")
    start, end = text.index("  vs:\n"), text.index("  fa:\n")
    source = (
        "  vs:\n    file: vs.json\n    entity: measurement\n    constants: {category: vital-signs}\n"
        "    columns: {USUBJID: subject, VSTESTCD: test, VSORRES: value}\n\n"
    )
    (folder / "sources.yaml").write_text(text[:start] + source + text[end:], encoding="utf-8")

"""Group D of the bad-input list: what becomes of spoiled CSV files and of mappings that say what nobody reads."""

from __future__ import annotations

import time

import pytest

from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import Run


def refused_at(run: Run, place: str) -> str:
    """What a run says that could not start because of its mapping; fails when it does not name the place."""
    assert run.exit_code == 2
    assert "a bug" not in run.err
    (line,) = (line for line in run.err.splitlines() if place in line)
    return line


def test_d61_a_byte_order_mark(river: SmallTrial) -> None:
    """A UTF-8 byte order mark is no part of the first column's name."""
    river.recode("subjects.csv", "utf-8-sig")
    told = river.push()
    assert (told.run.exit_code, told.run.set_aside) == (0, [])
    assert {*told.of("Patient")} == {"001", "002", "003"}


def test_d61_a_line_break_in_quotes(river: SmallTrial) -> None:
    """A quoted line break and a quoted comma belong to the cell, and the rows after it keep their lines."""
    river.replace("events.csv", "1,Fever,", '1,"Fever,\nagain",')
    river.replace("events.csv", "Rash,N,RESOLVED", "Rash,N,NOBODY KNOWS")
    told = river.push()
    assert told.of("AdverseEvent")["001/1"]["event"]["text"] == "Fever,\nagain"
    assert told.rows_set_aside == [("events.csv", 5)]


def test_d61_another_delimiter(river: SmallTrial) -> None:
    """Semicolons where commas were meant: the file is refused by name, and the rest goes on."""
    text = river.file("results.csv").read_text(encoding="utf-8")
    river.file("results.csv").write_text(text.replace(",", ";"), encoding="utf-8")
    told = river.push()
    (issue,) = told.run.set_aside
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("results.csv", 1)]
    assert "delimiter" in issue["message"]
    assert len(told.of("Patient")) == 3


def test_d61_another_delimiter_that_is_declared(river: SmallTrial) -> None:
    """Semicolons that the trial folder names are read."""
    text = river.file("results.csv").read_text(encoding="utf-8")
    river.file("results.csv").write_text(text.replace(",", ";"), encoding="utf-8")
    river.replace("sources.yaml", "file: results.csv", 'file: results.csv\n    delimiter: ";"')
    told = river.push()
    assert (told.run.exit_code, len(told.of("Observation"))) == (0, 5)


def test_d61_the_same_header_twice(river: SmallTrial) -> None:
    """Two columns of one name: nobody knows which is meant, so the file is refused, with line and name."""
    river.replace("results.csv", "VALUE,UNIT", "VALUE,VALUE")
    told = river.push()
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("results.csv", 1)]
    assert "VALUE" in told.run.set_aside[0]["message"]
    assert told.of("Observation") == {}


@pytest.mark.parametrize("line", ["001,HGB,Haemoglobin,93", "001,HGB,Haemoglobin,93,g/L,1,2024-01-10T09:00,more"])
def test_d61_a_row_of_another_length(river: SmallTrial, line: str) -> None:
    """A row with fewer or more cells than the header is set aside with its line; the others go on."""
    river.add("results.csv", line)
    told = river.push()
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("results.csv", river.lines("results.csv"))]
    assert len(told.of("Observation")) == 5


def test_d61_another_encoding(river: SmallTrial) -> None:
    """GB18030 without a word in the trial folder: refused with the line of the first byte that is no UTF-8."""
    river.replace("events.csv", "Headache", "头痛伴发热")
    river.recode("events.csv", "gb18030")
    told = river.push()
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("events.csv", 3)]
    assert len(told.of("Observation")) == 5


def test_d61_an_encoding_of_the_west(river: SmallTrial) -> None:
    """Windows-1252 without a word in the trial folder is not taken for anything else."""
    river.replace("events.csv", "Headache", "Patient\u2019s fièvre")
    river.recode("events.csv", "windows-1252")
    told = river.push()
    assert told.run.exit_code == 3
    assert told.rows_set_aside == [("events.csv", 3)]


def test_d61_another_encoding_that_is_declared(river: SmallTrial) -> None:
    """GB18030 that the trial folder names is read."""
    river.replace("events.csv", "Headache", "头痛伴发热")
    river.recode("events.csv", "gb18030")
    river.replace("sources.yaml", "file: events.csv", "file: events.csv\n    encoding: gb18030")
    told = river.push()
    assert told.run.exit_code == 0
    assert told.of("AdverseEvent")["002/1"]["event"]["text"] == "头痛伴发热"


@pytest.mark.parametrize("old", ["TEST,NAME,VALUE", "SUBJECT,TEST,NAME"])
def test_d61_a_column_that_is_not_there(river: SmallTrial, old: str) -> None:
    """A column that the trial folder names and the file lacks is named."""
    missing = old.partition(",")[0]
    river.replace("results.csv", old, old.replace(missing, "OTHER"))
    assert missing in refused_at(river.push().run, "sources.yaml:")


def test_d61_a_file_that_is_not_there(river: SmallTrial) -> None:
    """A file that the trial folder names and the export lacks is named, and what it held is not withdrawn."""
    with river.pushing() as pushing:
        first = pushing.push()
        river.file("results.csv").unlink()
        second = pushing.push()
    assert first.exit_code == 0
    assert second.exit_code in {2, 3, 4}
    assert "results.csv" in second.err
    assert "withdrawn" not in second.out or second.report["plan"]["withdrawn"] == 0


def test_d62_leading_zeros_of_subjects(river: SmallTrial) -> None:
    """Subject 001 is 001, and screening number 0101 is 0101."""
    told = river.push()
    identifiers = {
        identifier["value"] for subject in told.of("ResearchSubject").values() for identifier in subject["identifier"]
    }
    assert {*told.of("Patient")} == {"001", "002", "003"}
    assert {"01/0101", "01/0102", "02/0201"} <= identifiers


@pytest.mark.parametrize(
    ("name", "line", "key"),
    [
        ("trial.yaml", "include: other.yaml", "include"),
        ("trial.yaml", "colour: blue", "colour"),
        ("sources.yaml", "include: [sources.yaml]", "include"),
        ("codes.yaml", "regex: (a+)+$", "regex"),
        ("decisions.yaml", "extends: decisions.yaml", "extends"),
    ],
)
def test_d69_a_key_that_nobody_reads(river: SmallTrial, name: str, line: str, key: str) -> None:
    """A key that does not exist is refused with file, line and key: there are no includes."""
    river.add(name, line)
    assert key in refused_at(river.push().run, f"{name}:{river.lines(name)}")


@pytest.mark.parametrize("key", ["regex: (a+)+$", "pattern: .*", "transform: upper"])
def test_d69_a_key_that_nobody_reads_in_the_middle(river: SmallTrial, key: str) -> None:
    """A key of a source that does not exist is refused at its own line: there are no regular expressions."""
    river.replace("sources.yaml", "entity: measurement", f"entity: measurement\n    {key}")
    lines = river.file("sources.yaml").read_text(encoding="utf-8").splitlines()
    place = lines.index(f"    {key}") + 1
    assert key.partition(":")[0] in refused_at(river.push().run, f"sources.yaml:{place}")


def test_d69_a_key_that_stands_twice(river: SmallTrial) -> None:
    """A key that stands twice is refused at the second one."""
    river.add("trial.yaml", "labels: [ANONYED]")
    assert "labels" in refused_at(river.push().run, f"trial.yaml:{river.lines('trial.yaml')}")


def test_d69_a_field_that_the_entity_does_not_have(river: SmallTrial) -> None:
    """A column mapped to a field that does not exist is refused, and the field is named."""
    river.replace("sources.yaml", "TERM: term", "TERM: termm")
    assert "termm" in refused_at(river.push().run, "sources.yaml:")


@pytest.mark.parametrize("path", ["../secret.csv", "../../../etc/passwd", "/etc/passwd", "data/../../secret.csv"])
def test_d69_a_file_outside_the_folder(river: SmallTrial, path: str) -> None:
    """A file outside the export is refused by its path, without being read."""
    (river.trial.parent / "secret.csv").write_text("SUBJECT,canary\n", encoding="utf-8")
    river.replace("sources.yaml", "file: results.csv", f"file: {path}")
    run = river.push().run
    assert run.exit_code == 2
    assert path in run.err
    assert "canary" not in run.out + run.err
    assert "a bug" not in run.err


def test_d69_a_folder_outside_the_folder(river: SmallTrial) -> None:
    """An export folder outside the trial folder is refused unless a person names it with --source."""
    river.replace("sources.yaml", "folder: data", "folder: ../..")
    assert "../.." in refused_at(river.push().run, "sources.yaml:1")


def test_d69_nothing_is_read_that_takes_forever(river: SmallTrial) -> None:
    """Aliases that multiply in a mapping file are refused or harmless, and quickly so."""
    bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    river.file("codes.yaml").write_text("\n".join(bomb) + "\n", encoding="utf-8")
    began = time.monotonic()
    run = river.map()
    assert time.monotonic() - began < 60
    assert run.exit_code == 2
    assert "a bug" not in run.err
    assert len(run.err) < 20_000

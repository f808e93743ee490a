"""CSV exports: read as recorded, or refused with the line (bad input D 61 and D 62)."""

from __future__ import annotations

import codecs
import errno
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from fhir_adapter.issues import Misconfigured, Rejected, Retriable
from fhir_adapter.sources.read_table import read_table
from fhir_adapter.sources.table import MAX_FILE_BYTES, Column, Row, Table

Write = Callable[[str, bytes], Path]


def problem(path: Path, **settings: str | None) -> tuple[str, int | None, str]:
    """Code, line and message of the one issue with which a file is refused."""
    with pytest.raises(Rejected) as caught:
        read_table(path, **settings)  # type: ignore[arg-type]
    (issue,) = caught.value.issues
    return issue.code, issue.where.line, issue.message


def setting_problem(path: Path, **settings: str | None) -> str:
    """The code of the one issue with which settings are refused."""
    with pytest.raises(Misconfigured) as caught:
        read_table(path, **settings)  # type: ignore[arg-type]
    (issue,) = caught.value.issues
    return issue.code


def cells(table: Table) -> list[list[str]]:
    """The cells of every row."""
    return [list(row.cells.values()) for row in table.rows]


def test_d61_every_unclear_file_is_refused_with_its_row(tables: Path) -> None:
    """Wrong delimiter, repeated header, another encoding: each refused, each with the line to look at."""
    refusals = [problem(tables / name)[:2] for name in ("semicolons.csv", "repeated_header.csv", "gb18030.csv")]
    assert refusals == [("csv-delimiter", 2), ("csv-header", 2), ("csv-encoding", 4)]


def test_d62_leading_zeros_stay(tables: Path) -> None:
    """Subject 001 is not subject 1."""
    table = read_table(tables / "visits.csv")
    assert [row.cells["subject"] for row in table.rows] == ["001", "002", "003"]


def test_rows_know_the_line_an_editor_shows(tables: Path) -> None:
    """Comments, line breaks in cells and empty lines count as lines."""
    assert [row.number for row in read_table(tables / "visits.csv").rows] == [4, 6, 8]


def test_a_quoted_cell_keeps_its_line_break_comma_and_quote(tables: Path) -> None:
    """What stands in quotes is text, doubled quotes are one."""
    remarks = [row.cells["remark"] for row in read_table(tables / "visits.csv").rows]
    assert remarks == ["first line\nsecond line, with a comma", 'said "well"', ""]


def test_surrounding_blanks_stay(tables: Path) -> None:
    """A cell is kept as recorded, also where a person would trim it."""
    assert read_table(tables / "visits.csv").rows[1].cells["visit"] == " baseline "


def test_a_clean_file_is_a_whole_table(tables: Path) -> None:
    """Columns in order of the header, named after the file, nothing to mend."""
    table = read_table(tables / "visits.csv")
    assert (table.label, table.columns) == ("visits", (Column("subject"), Column("visit"), Column("remark")))
    assert (table.issues, table.incomplete) == ((), False)


def test_a_label_may_be_given(tables: Path) -> None:
    """The trial folder may name a file by another word than the file system."""
    assert read_table(tables / "visits.csv", label="SV").label == "SV"


def test_d61_short_and_long_rows_are_set_aside(tables: Path) -> None:
    """A row with too few or too many cells is an issue, the rows around it are read."""
    table = read_table(tables / "widths.csv")
    assert [row.number for row in table.rows] == [3, 6]
    assert [(issue.code, issue.where.line) for issue in table.issues] == [("row-short", 4), ("row-long", 5)]


def test_issues_say_what_would_be_right_and_no_value(tables: Path) -> None:
    """A data manager learns the two numbers and the remedy, a log reader learns no subject."""
    short, long = read_table(tables / "widths.csv").issues
    assert short.message == "2 cells are too few: the header names 3 columns"
    assert long.message.endswith("a cell that holds the delimiter must stand in quotes")


def test_issues_name_the_file_without_the_folders_of_this_machine(tables: Path) -> None:
    """Reports travel; where a machine keeps its files does not."""
    assert {issue.where.file for issue in read_table(tables / "widths.csv").issues} == {"widths.csv"}


def test_a_relative_path_is_named_as_given(monkeypatch: pytest.MonkeyPatch, tables: Path) -> None:
    """Two files of one name in two folders stay apart."""
    monkeypatch.chdir(tables.parent)
    assert read_table(Path("tables/widths.csv")).issues[0].where.file == "tables/widths.csv"


def test_a_row_that_swallowed_lines_says_to_which(write: Write) -> None:
    """A stray quote joins lines; the issue tells how far it reached."""
    table = read_table(write("a.csv", b'a,b,c\n1,"x\ny\n2,z",\n3,4,5\n6,"7\n8"\n'))
    assert [row.number for row in table.rows] == [2, 5]
    assert "the row goes on to line 7" in table.issues[0].message


def test_d61_a_byte_order_mark_is_no_part_of_the_first_name(write: Write) -> None:
    """Excel's `CSV UTF-8` begins with a mark."""
    table = read_table(write("a.csv", codecs.BOM_UTF8 + "site,名\r\n1,王\r\n".encode()))
    assert table.rows == (Row(2, {"site": "1", "名": "王"}),)


def test_windows_line_ends_are_no_part_of_a_cell(write: Write) -> None:
    """CR LF ends a record; within quotes it is kept."""
    assert cells(read_table(write("a.csv", b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n'))) == [["1", "x\r\ny"], ["2", "z"]]


def test_old_line_ends_count_as_lines(write: Write) -> None:
    """A lone CR ends a line, as in editors."""
    assert [row.number for row in read_table(write("a.csv", b"a,b\r1,2\r3,4\r")).rows] == [2, 3]


def test_other_separators_of_unicode_end_no_line(write: Write) -> None:
    """U+2028 and form feeds are characters of a cell."""
    assert cells(read_table(write("a.csv", "a,b\n1\u2028,2\x0c\n".encode()))) == [["1\u2028", "2\x0c"]]


def test_lines_of_blanks_are_empty_lines(write: Write) -> None:
    """Editors leave them at the end of files."""
    table = read_table(write("a.csv", b"\n  \na,b\n1,2\n   \n"))
    assert (cells(table), table.issues) == ([["1", "2"]], ())


def test_a_row_of_empty_cells_is_a_row(write: Write) -> None:
    """Whether a row without any value matters is not the reader's to say."""
    assert cells(read_table(write("a.csv", b"a,b\n,\n"))) == [["", ""]]


def test_a_number_sign_after_the_header_is_data(write: Write) -> None:
    """Only lines before the header are comments."""
    assert cells(read_table(write("a.csv", b"# banner\na,b\n#1,2\n"))) == [["#1", "2"]]


def test_a_file_with_a_header_alone_has_no_rows(write: Write) -> None:
    """A site without subjects exports a header."""
    assert read_table(write("a.csv", b"a,b\n")).rows == ()


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "tab\tand bell\x07"])
def test_c58_control_characters_stay_in_cells(write: Write, text: str) -> None:
    """Escaping is the work of whoever prints; the source's text is evidence."""
    assert cells(read_table(write("a.csv", f"a,b\n{text},2\n".encode()))) == [[text, "2"]]


def test_c58_a_column_name_is_escaped_in_messages(write: Write) -> None:
    """A header cannot write colours or new lines into a log."""
    _, _, message = problem(write("a.csv", b'"x\n\x1b[31m","x\n\x1b[31m"\n'))
    assert message.startswith(r"the header names 'x\n\x1b[31m' more than once")


def test_a_long_column_name_is_cut_in_messages(write: Write) -> None:
    """A file that is no table does not flood the screen."""
    _, _, message = problem(write("a.csv", b"x" * 5000 + b"," + b"x" * 5000 + b"\n"))
    assert len(message) < 200


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"a;b;c\n1;2;3\n", '";" gives 3'),
        (b"a\tb\n1\t2\n", '"\\t" gives 2'),
        (b"a|b\n1|2\n", '"|" gives 2'),
        (b'"a";"b"\n"1";"2"\n', '";" gives 2'),
    ],
)
def test_d61_a_wrong_delimiter_is_refused_with_the_one_that_fits(write: Write, data: bytes, hint: str) -> None:
    """The reader knows better, and still asks for the word of a person."""
    code, line, message = problem(write("a.csv", data))
    assert (code, line) == ("csv-delimiter", 1)
    assert message.startswith(f'the delimiter "," does not split the header into columns, but {hint};')


def test_a_wrong_declared_delimiter_is_refused_too(write: Write) -> None:
    """A mapping written for last month's export meets this month's."""
    code, _, message = problem(write("a.csv", b"a,b\n1,2\n"), delimiter=";")
    assert (code, '"," gives 2' in message) == ("csv-delimiter", True)


def test_a_declared_delimiter_is_used(tables: Path) -> None:
    """With `;` a decimal comma is part of a cell."""
    assert cells(read_table(tables / "semicolons.csv", delimiter=";")) == [["001", "screening", "36,5"]]


def test_tsv_means_tabs(write: Write) -> None:
    """The suffix says the delimiter."""
    assert cells(read_table(write("a.tsv", b"a\tb\n1,5\t\n"))) == [["1,5", ""]]


def test_one_column_is_a_table(write: Write) -> None:
    """A list of subjects has one column and no delimiter."""
    assert cells(read_table(write("a.txt", b"subject\n001\n\n002\n"))) == [["001"], ["002"]]


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_an_impossible_delimiter_is_a_mistake_of_the_mapping(tables: Path, delimiter: str) -> None:
    """One character, neither quote nor line break."""
    assert setting_problem(tables / "visits.csv", delimiter=delimiter) == "table-setting"


def test_d61_repeated_names_are_listed(tables: Path) -> None:
    """The second of two equal columns would silently win."""
    _, _, message = problem(tables / "repeated_header.csv")
    assert message == "the header names 'visit', 'value' more than once; every column needs its own name"


def test_a_column_without_name_is_refused(write: Write) -> None:
    """A delimiter at the end of the header makes a column that no mapping can name."""
    assert problem(write("a.csv", b"a,b, ,\n")) == (
        "csv-header",
        1,
        "column 3, 4 of the header has no name; every column needs one",
    )


@pytest.mark.parametrize("data", [b"# only a banner\n", b"\r\n\r\n", codecs.BOM_UTF8])
def test_a_file_without_header_is_refused(write: Write, data: bytes) -> None:
    """Comments, empty lines and marks are no table."""
    assert problem(write("a.csv", data))[0] == "csv-header"


def test_an_empty_file_is_refused(write: Write) -> None:
    """An export that failed often leaves a file of no bytes."""
    assert problem(write("a.csv", b""))[0] == "file-empty"


def test_d61_gb18030_is_refused_with_the_setting_that_reads_it(tables: Path) -> None:
    """Chinese Excel writes it; which encoding it is, a person declares."""
    _, _, message = problem(tables / "gb18030.csv")
    assert message.startswith("byte 66, on line 4, is not utf-8; save the file as UTF-8")
    assert "`encoding: gb18030`" in message


def test_d61_gb18030_is_read_when_declared(tables: Path) -> None:
    """The mapping's word is enough."""
    table = read_table(tables / "gb18030.csv", encoding="gb18030")
    assert cells(table) == [["001", "none"], ["002", "发热三天"]]


def test_western_text_names_the_western_encoding(write: Write) -> None:
    """An accent at the end of a cell cannot be GB 18030."""
    _, _, message = problem(write("a.csv", b"a,b\nM\xe9,2\n"))
    assert ("`encoding: windows-1252`" in message, "gb18030" in message) == (True, False)


def test_a_declared_encoding_is_strict(write: Write) -> None:
    """What is not in the declared encoding is refused, and the encoding that fits is named."""
    code, line, message = problem(write("a.csv", "a,b\n1,é\n".encode()), encoding="ascii")
    assert (code, line) == ("csv-encoding", 2)
    assert "byte 6, on line 2, is not ascii" in message
    assert "`encoding: utf-8`" in message


def test_bytes_of_no_usual_encoding_are_refused_without_a_hint(write: Write) -> None:
    """Where nothing fits, nothing is proposed."""
    _, _, message = problem(write("a.csv", b"a,b\n\x81\xff\x8d,2\n"))
    assert message == "byte 4, on line 2, is not utf-8; save the file as UTF-8"


def test_the_byte_is_counted_with_the_mark(write: Write) -> None:
    """The offset is the one that a hex editor shows."""
    assert problem(write("a.csv", codecs.BOM_UTF8 + b"a,b\n\xff,2\n"))[2].startswith("byte 7, on line 2,")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_encodings_are_recognised_and_refused(write: Write, encoding: str) -> None:
    """Excel's `Unicode text` is UTF-16."""
    code, _, message = problem(write("a.csv", "\ufeffa,b\n1,2\n".encode(encoding)))
    assert (code, "save it as UTF-8" in message) == ("csv-encoding", True)


def test_a_wide_encoding_is_read_when_declared(write: Write) -> None:
    """A laboratory that can write nothing else is not shut out."""
    assert cells(read_table(write("a.csv", "a,b\n1,é\n".encode("utf-16")), encoding="utf-16")) == [["1", "é"]]


def test_a_mark_that_contradicts_the_mapping_is_refused(write: Write) -> None:
    """Read as GB 18030, the mark would become part of the first name."""
    code, _, message = problem(write("a.csv", codecs.BOM_UTF8 + b"a,b\n"), encoding="gb18030")
    assert (code, "remove that setting" in message) == ("csv-encoding", True)


@pytest.mark.parametrize("encoding", ["klingon", "base64", "idna\0"])
def test_an_unknown_encoding_is_a_mistake_of_the_mapping(tables: Path, encoding: str) -> None:
    """It is the setting that must be mended, not the file."""
    assert setting_problem(tables / "visits.csv", encoding=encoding) == "table-setting"


def test_a_file_full_of_nul_characters_is_refused(write: Write) -> None:
    """A file of UTF-16 without a mark, read as UTF-8."""
    code, line, message = problem(write("a.csv", "a,b\n1,2\n".encode("utf-16-le")))
    assert (code, line, "UTF-16" in message) == ("csv-nul", 1, True)


def test_a_stray_nul_character_stays_in_its_cell(write: Write) -> None:
    """Whoever uses the cell refuses that row; the others go on."""
    table = read_table(write("a.csv", b"a,b\n1,2\n3,\0\n"))
    assert [row.cells["b"] for row in table.rows] == ["2", "\0"]


def test_an_unclosed_quote_is_refused_with_the_row_where_it_began(tables: Path) -> None:
    """Everything after it would be one cell."""
    assert problem(tables / "swallowed.csv") == (
        "csv-quote",
        4,
        "a quote in this row is never closed; close it, and write quotes inside a cell twice",
    )


def test_an_unclosed_quote_in_the_last_line_is_refused(write: Write) -> None:
    """A file cut off within a quoted cell."""
    assert problem(write("a.csv", b'a,b\n1,2\n3,"cut'))[:2] == ("csv-quote", 3)


def test_a_quote_that_ends_in_a_later_row_is_refused(write: Write) -> None:
    """Where the next record begins, nobody can say."""
    code, line, message = problem(write("a.csv", b'a,b\n1,"x\n2,"y"\n3,4\n'))
    assert (code, line, "read on to line 3" in message) == ("csv-quote", 2, True)


def test_text_after_a_quote_sets_one_row_aside(write: Write) -> None:
    """Within one line the next record is certain, so the others are read."""
    table = read_table(write("a.csv", b'a,b\n1,"SECRET"x\n3,4\n'))
    assert cells(table) == [["3", "4"]]
    assert [(issue.code, issue.where.line) for issue in table.issues] == [("csv-quote", 2)]


def test_text_after_a_quote_in_the_last_line_sets_it_aside(write: Write) -> None:
    """The last line without a line break is a line as any other."""
    table = read_table(write("a.csv", b'a,b\n3,4\n1,"SECRET"x'))
    assert (cells(table), table.issues[0].where.line) == ([["3", "4"]], 3)


def test_broken_quotes_in_the_header_are_refused(write: Write) -> None:
    """Without names there is no table."""
    assert problem(write("a.csv", b'"a"x,"b"\n1,2\n'))[:2] == ("csv-quote", 1)


def test_a_cell_may_be_long(write: Write) -> None:
    """Narratives pass the 128 KiB that Python's reader allows by default."""
    (row,) = read_table(write("a.csv", b"a,b\n1," + b"x" * 500_000 + b"\n")).rows
    assert len(row.cells["b"]) == 500_000


def test_a_cell_beyond_the_limit_is_refused(write: Write) -> None:
    """More than 1 MiB in one cell is a quote that was never closed."""
    code, line, message = problem(write("a.csv", b'a,b\n1,2\n3,"' + b"x,\n" * 500_000))
    assert (code, line, "1 MiB" in message) == ("csv-cell-too-large", 3, True)


def test_a_file_beyond_the_limit_is_refused(write: Write) -> None:
    """The limit is said, and what to do."""
    path = write("a.csv", b"a,b\n")
    with path.open("r+b") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    assert problem(path) == (
        "file-too-large",
        None,
        "larger than 1 GiB, the most that is read; export it in parts",
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The message is the system's."""
    assert problem(tmp_path / "none.csv")[0] == "file-unreadable"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder where a file was named."""
    assert problem(tmp_path, format="csv")[0] == "file-unreadable"


def test_a_failing_disk_is_worth_another_try(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrong with the file; a disk that fails cannot be had without a patch."""
    monkeypatch.setattr(Path, "open", Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with pytest.raises(Retriable, match=r"visits\.csv: cannot be read: Input/output error"):
        read_table(tables / "visits.csv")


def test_an_unknown_suffix_is_refused(write: Write) -> None:
    """The format is declared, not sniffed."""
    code, _, message = problem(write("a.dat", b"a,b\n"))
    assert (code, "declare `format: csv`" in message) == ("table-format", True)


def test_the_format_may_be_declared(write: Write) -> None:
    """Some systems name every export `.dat`."""
    assert cells(read_table(write("a.dat", b"a,b\n1,2\n"), format="csv")) == [["1", "2"]]


def test_a_suffix_may_be_in_capitals(write: Write) -> None:
    """Windows does not mind, nor do we."""
    assert cells(read_table(write("A.CSV", b"a,b\n1,2\n"))) == [["1", "2"]]

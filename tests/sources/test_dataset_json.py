"""Dataset-JSON 1.1 in its three forms: equal rows, digits kept, nothing lost unseen."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured, Rejected
from fhir_adapter.sources.read_table import read_table
from fhir_adapter.sources.table import Column, Row

Write = Callable[[str, bytes], Path]
WriteDataset = Callable[..., Path]
Compress = Callable[[bytes], bytes]

PILOT = ("ae", "dm", "ds", "ec", "ex", "fa", "lb", "sv", "ta", "ti", "ts", "tv", "vs")


def problem(path: Path) -> tuple[str, str]:
    """Code and message of the one issue with which a file is refused."""
    with pytest.raises(Rejected) as caught:
        read_table(path)
    (issue,) = caught.value.issues
    return issue.code, issue.message


def one_column(data_type: str, *values: object) -> dict[str, object]:
    """The members of a dataset with one column of this type."""
    return {
        "records": len(values),
        "columns": [{"name": "X", "dataType": data_type}],
        "rows": [[value] for value in values],
    }


def test_rows_are_the_texts_of_the_file(tables: Path) -> None:
    """Numbers keep their own text (10.80), null and empty text are missing."""
    assert read_table(tables / "vs.json").rows == (
        Row(1, {"USUBJID": "001", "VSSEQ": "1", "VSSTRESN": "10.80", "VSDTC": "2016-03-01T08:10"}),
        Row(2, {"USUBJID": "001", "VSSEQ": "2", "VSSTRESN": "", "VSDTC": "2016-03"}),
        Row(3, {"USUBJID": "002", "VSSEQ": "1", "VSSTRESN": "36", "VSDTC": ""}),
    )


def test_columns_carry_label_type_and_key(tables: Path) -> None:
    """`keySequence` proposes the business key."""
    table = read_table(tables / "vs.json")
    assert table.label == "VS"
    assert table.columns[1:3] == (
        Column("VSSEQ", "Sequence Number", "integer", 2),
        Column("VSSTRESN", "Numeric Result", "float"),
    )


def test_ndjson_gives_the_rows_of_json(tables: Path) -> None:
    """One form is as good as the other."""
    assert read_table(tables / "vs.ndjson").rows == read_table(tables / "vs.json").rows


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
@pytest.mark.parametrize("name", ["vs.json", "vs.ndjson"])
def test_dsjc_is_read_whatever_was_compressed_and_how(
    tables: Path, write: Write, compress: Compress, name: str
) -> None:
    """The specification says zlib, CDISC's examples are gzip."""
    path = write("vs.dsjc", compress((tables / name).read_bytes()))
    assert read_table(path).rows == read_table(tables / "vs.json").rows


@pytest.mark.parametrize("name", PILOT)
def test_the_shipped_study_is_read_whole(pilot_data: Path, name: str) -> None:
    """The public study has no row that we cannot read."""
    table = read_table(pilot_data / f"{name}.json")
    assert (table.label, table.issues, table.incomplete) == (name.upper(), (), False)


@pytest.mark.parametrize("name", ["dm", "ec", "lb", "ts", "vs"])
def test_the_three_published_forms_give_equal_rows(shared: Path, name: str) -> None:
    """JSON, NDJSON and DSJC of one dataset are one dataset."""
    whole, lines, compressed = (read_table(shared / f"{name}.{suffix}") for suffix in ("json", "ndjson", "dsjc"))
    assert whole.rows == lines.rows == compressed.rows
    assert whole.columns == lines.columns == compressed.columns


def test_the_laboratory_data_are_all_there(pilot_data: Path) -> None:
    """3,488 results; unscheduled visits keep their number."""
    table = read_table(pilot_data / "lb.json")
    assert len(table.rows) == 3488
    assert {"1", "1.01"} < {row.cells["VISITNUM"] for row in table.rows}


def test_a_mark_is_skipped(write: Write, tables: Path) -> None:
    """Some exporters write a byte order mark."""
    path = write("vs.ndjson", b"\xef\xbb\xbf" + (tables / "vs.ndjson").read_bytes().replace(b"\n", b"\r\n"))
    assert read_table(path).rows == read_table(tables / "vs.json").rows


def test_metadata_alone_is_an_empty_table(write_dataset: WriteDataset) -> None:
    """`rows` is optional where `records` is 0 (specification, top-level attributes)."""
    table = read_table(write_dataset(records=0, rows=None))
    assert (table.rows, table.issues, table.incomplete) == ((), (), False)


def test_a_lost_row_makes_the_table_incomplete(write_dataset: WriteDataset) -> None:
    """A file that was cut off must not look complete."""
    table = read_table(write_dataset(records=3))
    assert (len(table.rows), table.incomplete) == (2, True)
    assert [issue.code for issue in table.issues] == ["row-count"]
    assert table.issues[0].message.startswith("`records` declares 3 rows, the file holds 2 that can be read")


def test_ndjson_cut_between_lines_is_incomplete(write: Write, tables: Path) -> None:
    """Every line left is sound; only the count tells."""
    kept = b"".join((tables / "vs.ndjson").read_bytes().splitlines(keepends=True)[:3])
    table = read_table(write("vs.ndjson", kept))
    assert ([row.number for row in table.rows], table.incomplete) == ([1, 2], True)


def test_ndjson_cut_after_the_metadata_is_incomplete(write: Write, tables: Path) -> None:
    """No row at all, though three were declared."""
    table = read_table(write("vs.ndjson", (tables / "vs.ndjson").read_bytes().splitlines()[0]))
    assert (table.rows, table.incomplete) == ((), True)


def test_ndjson_cut_within_a_line_is_incomplete(write: Write, tables: Path) -> None:
    """The broken record is named, and the count does not include it."""
    table = read_table(write("vs.ndjson", (tables / "vs.ndjson").read_bytes()[:-6]))
    assert ([issue.code for issue in table.issues], table.incomplete) == (["row-json", "row-count"], True)
    assert table.issues[0].where.line == 3


def test_a_broken_line_does_not_stop_the_others(write: Write, tables: Path) -> None:
    """NDJSON lets one record fail alone."""
    broken = (tables / "vs.ndjson").read_bytes().replace(b"null", b"NaN")
    table = read_table(write("vs.ndjson", broken))
    assert [row.number for row in table.rows] == [1, 3]
    assert (table.issues[0].code, table.issues[0].where.line) == ("row-json", 2)


@pytest.mark.parametrize("cut", [100, -3])
def test_json_cut_off_is_refused(write: Write, tables: Path, cut: int) -> None:
    """One JSON object has no sound part."""
    code, message = problem(write("vs.json", (tables / "vs.json").read_bytes()[:cut]))
    assert (code, "cannot be read as JSON" in message) == ("dataset-json", True)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["SECRET"], "row-short"),
        (["SECRET", 1, 2], "row-long"),
        ({"USUBJID": "SECRET"}, "row-json"),
        (None, "row-json"),
        (["SECRET", [1]], "row-type"),
        (["SECRET", {"value": 1}], "row-type"),
        ([7, 1], "row-type"),
        (["SECRET\0", 1], "row-cell"),
        (["SECRET" * 200_000, 1], "row-cell"),
    ],
)
def test_a_misshapen_row_is_set_aside(write_dataset: WriteDataset, row: object, code: str) -> None:
    """The rows around it are read, and the issue holds no value."""
    table = read_table(write_dataset(records=3, rows=[["001", 1], row, ["002", 2]]))
    (issue,) = table.issues
    assert [row.number for row in table.rows] == [1, 3]
    assert (issue.code, issue.where.line, table.incomplete) == (code, 2, False)
    assert "SECRET" not in issue.message


def test_a_misfit_names_its_column_and_type(write_dataset: WriteDataset) -> None:
    """What is declared, what was found; every column of the row at once."""
    table = read_table(write_dataset(records=1, rows=[[True, "36.5"]]))
    assert table.issues[0].message == (
        "'USUBJID' is declared string, found true or false; "
        "'VSSTRESN' is declared float, found a text that is not of this form"
    )


@pytest.mark.parametrize(
    ("data_type", "value", "text"),
    [
        ("string", " 001 ", " 001 "),
        ("string", "\x1b[31m\u202e", "\x1b[31m\u202e"),
        ("URI", "http://example.org", "http://example.org"),
        ("integer", 12, "12"),
        ("integer", 1.0, "1"),
        ("float", 1, "1"),
        ("float", -0.5, "-0.5"),
        ("double", 1e22, "1e+22"),
        ("decimal", "30.89833332320590", "30.89833332320590"),
        ("decimal", "-1,234.5", "-1,234.5"),
        ("decimal", 1.5, "1.5"),
        ("boolean", True, "true"),
        ("boolean", False, "false"),
        ("date", "2016", "2016"),
        ("date", "2016-03-01", "2016-03-01"),
        ("date", "2016---01", "2016---01"),
        ("datetime", "2016-03-01", "2016-03-01"),
        ("datetime", "2016-03-01T08:10:30.5+08:00", "2016-03-01T08:10:30.5+08:00"),
        ("datetime", "2016-03-01T08:-:30", "2016-03-01T08:-:30"),
        ("datetime", "2016-03-01T08:10/2016-03-02", "2016-03-01T08:10/2016-03-02"),
        ("time", "08:10", "08:10"),
        ("integer", None, ""),
        ("date", "", ""),
    ],
)
def test_a_value_of_the_declared_type_is_kept_as_written(
    write_dataset: WriteDataset, data_type: str, value: object, text: str
) -> None:
    """The cell is the value's own text."""
    (row,) = read_table(write_dataset(**one_column(data_type, value))).rows
    assert row.cells == {"X": text}


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("string", 1),
        ("integer", 1.5),
        ("integer", "1"),
        ("integer", True),
        ("float", "1.5"),
        ("float", True),
        ("decimal", "1,5"),
        ("decimal", "high"),
        ("decimal", False),
        ("boolean", "Y"),
        ("boolean", 1),
        ("date", "01/03/2016"),
        ("date", "2016-03-01T08:10"),
        ("date", 20160301),
        ("datetime", "2016-03-01 08:10"),
        ("time", "8h"),
    ],
)
def test_a_value_of_another_type_sets_the_row_aside(write_dataset: WriteDataset, data_type: str, value: object) -> None:
    """The file contradicts itself, so the row is not used."""
    table = read_table(write_dataset(**one_column(data_type, value)))
    assert (table.rows, [issue.code for issue in table.issues]) == ((), ["row-type"])


@pytest.mark.parametrize("version", ["1.1", "1.1.0", "1.1.12"])
def test_every_version_1_1_is_read(write_dataset: WriteDataset, version: str) -> None:
    """The pattern of the specification."""
    assert len(read_table(write_dataset(datasetJSONVersion=version)).rows) == 2


@pytest.mark.parametrize("version", [None, "1.0.0", "1.10", "1.1.x", "2.0", 1.1])
def test_another_version_is_refused(write_dataset: WriteDataset, version: object) -> None:
    """Version 1.0 had another shape; later ones nobody has read yet."""
    code, message = problem(write_dataset(datasetJSONVersion=version))
    assert (code, message.endswith("export it as version 1.1")) == ("dataset-version", True)


@pytest.mark.parametrize("records", [None, "2", -1, True, 2.0])
def test_records_must_be_a_count(write_dataset: WriteDataset, records: object) -> None:
    """Without it nobody would see a loss."""
    assert problem(write_dataset(records=records))[0] == "dataset-metadata"


@pytest.mark.parametrize("name", [None, "", 3])
def test_a_dataset_has_a_name(write_dataset: WriteDataset, name: object) -> None:
    """It is required, and the label of the table."""
    assert problem(write_dataset(name=name))[0] == "dataset-metadata"


@pytest.mark.parametrize(
    "columns",
    [
        None,
        [],
        {},
        ["USUBJID"],
        [{"dataType": "string"}],
        [{"name": " ", "dataType": "string"}],
        [{"name": "X"}],
        [{"name": "X", "dataType": "text"}],
        [{"name": "X", "dataType": ["string"]}],
        [{"name": "X", "dataType": "string", "keySequence": 0}],
        [{"name": "X", "dataType": "string", "keySequence": "1"}],
    ],
)
def test_columns_must_describe_every_column(write_dataset: WriteDataset, columns: object) -> None:
    """Name and type are required, a key sequence is a number."""
    assert problem(write_dataset(columns=columns))[0] == "dataset-columns"


def test_repeated_columns_are_named(write_dataset: WriteDataset) -> None:
    """The second of two equal columns would silently win."""
    code, message = problem(write_dataset(columns=[{"name": "X", "dataType": "string"}] * 2))
    assert (code, message) == ("dataset-columns", "`columns` names 'X' more than once")


@pytest.mark.parametrize("text", [b"[]", b"null", b'"text"', b"\n", b"{}\n{}", b"[1]\n[2]\n", b"not JSON", b"\xff\xfe"])
def test_what_is_no_dataset_is_refused(write: Write, text: bytes) -> None:
    """JSON of another kind, or none."""
    with pytest.raises(Rejected, match=r"^a\.json: "):
        read_table(write("a.json", text))


def test_rows_must_be_a_list(write_dataset: WriteDataset) -> None:
    """An object of rows has no order."""
    assert problem(write_dataset(rows={"1": ["001", 1]}))[0] == "dataset-json"


def test_what_follows_the_object_is_refused(write: Write, write_dataset: WriteDataset) -> None:
    """Two datasets in one file, or a file appended to: which is meant, nobody can say."""
    one = write_dataset().read_bytes()
    assert problem(write("two.json", one + b"\n" + one))[0] == "dataset-json"


def test_dsjc_must_be_compressed(write: Write, tables: Path) -> None:
    """A suffix that lies is told so."""
    code, message = problem(write("vs.dsjc", (tables / "vs.ndjson").read_bytes()))
    assert (code, "neither zlib nor gzip" in message) == ("dataset-compression", True)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_compressed_data_cut_off_are_refused(write: Write, tables: Path, compress: Compress) -> None:
    """What came before the cut could look whole."""
    cut = compress((tables / "vs.ndjson").read_bytes())[:-4]
    assert problem(write("vs.dsjc", cut)) == (
        "dataset-compression",
        "the compressed data break off, or something follows them; copy the file again",
    )


def test_damaged_compressed_data_are_refused(write: Write, tables: Path) -> None:
    """One flipped bit fails the checksum."""
    data = bytearray(gzip.compress((tables / "vs.ndjson").read_bytes()))
    data[-8] ^= 1
    assert problem(write("vs.dsjc", bytes(data)))[0] == "dataset-compression"


def test_something_after_the_compressed_data_is_refused(write: Write, tables: Path) -> None:
    """Two files joined into one."""
    data = zlib.compress((tables / "vs.ndjson").read_bytes())
    assert problem(write("vs.dsjc", data + data))[0] == "dataset-compression"


def test_a_compression_bomb_is_refused(write: Write) -> None:
    """20 KB that would unpack to 20 MB stop at the limit, which is said."""
    code, message = problem(write("bomb.dsjc", zlib.compress(b" " * 20_000_000, 9)))
    assert (code, "200 times its size" in message) == ("dataset-compression", True)


def test_settings_of_csv_do_not_fit(tables: Path) -> None:
    """A setting that would be ignored is refused."""
    with pytest.raises(Misconfigured):
        read_table(tables / "vs.json", encoding="gb18030")


def test_a_label_may_be_given(tables: Path) -> None:
    """The trial folder may name a dataset by another word."""
    assert read_table(tables / "vs.json", label="vitals").label == "vitals"


def test_issues_are_json_without_values(write_dataset: WriteDataset) -> None:
    """What the command line prints of a bad row."""
    table = read_table(write_dataset(records=1, rows=[["SECRET", "SECRET"]]))
    assert "SECRET" not in json.dumps([issue.to_dict() for issue in table.issues])

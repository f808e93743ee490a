"""How CDISC Dataset-JSON 1.1 is read, as one JSON object, as NDJSON, and compressed (DSJC).

https://github.com/cdisc-org/DataExchange-DatasetJson, `doc/dataset-json1-1.md` and `doc/compressed-dataset-json1-1.md`.
The form is recognised by its content, not by the suffix. DSJC is zlib by the final specification (2025-06-19), gzip in
CDISC's own examples; both are read. Shapes of dates are checked here, the calendar where a date is first used.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.sources.table import (
    MAX_CELL_CHARACTERS,
    MAX_FILE_BYTES,
    Column,
    Row,
    Table,
    read_bytes,
    refused,
    row_issue,
    shown,
    shown_name,
)

MAX_RATIO = 200
"""Datasets shrink to between a half and a sixteenth; what grows 200 times was made to harm."""

RATIO_FREE_BYTES = 16 * 1024**2
"""Up to here a file may grow at any ratio: it cannot harm."""

_VERSION = re.compile(r"1\.1(\.(0|[1-9]\d*))?", re.ASCII)
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32
_GZIP_MAGIC = b"\x1f\x8b"
_DEFLATE, _ZLIB_CHECK = 8, 31


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A line of NDJSON that is no JSON, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class _Dataset:
    """One dataset as parsed: what it says of itself, its columns, and its records, not yet checked."""

    file: str
    name: str
    declared_records: int
    columns: tuple[Column, ...]
    records: list[object]


def read_dataset_json(path: Path, *, label: str | None = None) -> Table:
    """Read one Dataset-JSON file of any form; its `name` is the label unless another is given.

    A number of rows other than the declared `records` makes the table `incomplete`. Raises `Rejected` for a file that
    cannot be trusted as a whole.
    """
    dataset = _dataset(shown(path), _json_text(path))
    issues: list[Issue] = []
    rows = tuple(_rows(dataset, issues))
    miscount = list(_miscount(dataset))
    issues.extend(miscount)
    return Table(path, label or dataset.name, dataset.columns, rows, tuple(issues), incomplete=bool(miscount))


# Bytes to JSON


def _json_text(path: Path) -> bytes:
    data = read_bytes(path)
    if data.startswith(_GZIP_MAGIC) or _has_zlib_header(data):
        return _decompressed(shown(path), data)
    if path.suffix.lower() == ".dsjc":
        message = "neither zlib nor gzip, one of which a .dsjc file is; name it .json or .ndjson if it is plain JSON"
        raise refused(shown(path), "dataset-compression", message)
    return data


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950, 2.2: deflate in the low half of the first byte, and the first two divisible by 31."""
    return data[0] & 0x0F == _DEFLATE and int.from_bytes(data[:2], "big") % _ZLIB_CHECK == 0


def _decompressed(file: str, data: bytes) -> bytes:
    allowed = min(MAX_FILE_BYTES, max(RATIO_FREE_BYTES, len(data) * MAX_RATIO))
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        text = stream.decompress(data, allowed + 1)
    except zlib.error as error:
        raise refused(file, "dataset-compression", "the compressed data are damaged; copy the file again") from error
    if len(text) > allowed:
        message = f"unpacks to more than 1 GiB or {MAX_RATIO} times its size, the most that is read; send it as NDJSON"
        raise refused(file, "dataset-compression", message)
    if not stream.eof or stream.unused_data:
        message = "the compressed data break off, or something follows them; copy the file again"
        raise refused(file, "dataset-compression", message)
    return text


def _dataset(file: str, text: bytes) -> _Dataset:
    metadata, records = _split_lines(text) or _whole(file, text)
    _check_version(file, metadata.get("datasetJSONVersion"))
    declared, name = metadata.get("records"), metadata.get("name")
    if type(declared) is not int or declared < 0:
        raise refused(file, "dataset-metadata", "`records` must be the number of rows; without it a loss goes unseen")
    if not isinstance(name, str) or not name:
        raise refused(file, "dataset-metadata", "`name` must be the name of the dataset, such as LB")
    return _Dataset(file, name, declared, _columns(file, metadata.get("columns")), records)


def _split_lines(text: bytes) -> tuple[dict[str, object], list[object]] | None:
    """Metadata and records of NDJSON; None where the text is no NDJSON."""
    first, _, rest = text.partition(b"\n")
    if not rest.strip():
        return None
    metadata = _line(first)
    if not isinstance(metadata, dict) or "rows" in metadata:
        return None
    return metadata, [_line(line) for line in rest.split(b"\n") if line.strip()]


def _line(line: bytes) -> object:
    try:
        value: object = fhirjson.loads(line)
    except fhirjson.JsonError as error:
        return _Unreadable(str(error))
    return value


def _whole(file: str, text: bytes) -> tuple[dict[str, object], list[object]]:
    """Metadata and records of one JSON object; without `rows` it is metadata alone."""
    try:
        dataset: object = fhirjson.loads(text)
    except fhirjson.JsonError as error:
        message = f"cannot be read as JSON ({error}); it may be cut off or larger than one JSON text may be: use NDJSON"
        raise refused(file, "dataset-json", message) from error
    if not isinstance(dataset, dict):
        raise refused(file, "dataset-json", "holds no JSON object with `columns` and `rows`, so it is no Dataset-JSON")
    rows = dataset.get("rows", [])
    if not isinstance(rows, list):
        raise refused(file, "dataset-json", "`rows` must be a list of rows")
    return dataset, rows


# Metadata


def _check_version(file: str, version: object) -> None:
    if version is None:
        message = "`datasetJSONVersion` is missing, so this is no Dataset-JSON 1.1; export it as version 1.1"
        raise refused(file, "dataset-version", message)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        found = shown_name(str(version))
        raise refused(file, "dataset-version", f"Dataset-JSON version {found} is not read; export it as version 1.1")


def _columns(file: str, declared: object) -> tuple[Column, ...]:
    if not isinstance(declared, list) or not declared:
        raise refused(file, "dataset-columns", "`columns` must list the columns, each with `name` and `dataType`")
    columns = tuple(_column(file, number, column) for number, column in enumerate(declared, 1))
    names = [column.name for column in columns]
    repeated = sorted({shown_name(name) for name in names if names.count(name) > 1})
    if repeated:
        raise refused(file, "dataset-columns", f"`columns` names {', '.join(repeated)} more than once")
    return columns


def _column(file: str, number: int, declared: object) -> Column:
    if not isinstance(declared, dict):
        raise refused(file, "dataset-columns", f"column {number}: must be an object with `name` and `dataType`")
    name, data_type, label = declared.get("name"), declared.get("dataType"), declared.get("label")
    key_sequence = declared.get("keySequence")
    if not isinstance(name, str) or not name.strip():
        raise refused(file, "dataset-columns", f"column {number}: `name` is missing")
    if not isinstance(data_type, str) or data_type not in _CELL_READERS:
        message = f"column {shown_name(name)}: `dataType` must be one of {', '.join(_CELL_READERS)}"
        raise refused(file, "dataset-columns", message)
    if key_sequence is not None and (type(key_sequence) is not int or key_sequence < 1):
        raise refused(file, "dataset-columns", f"column {shown_name(name)}: `keySequence` must be a number from 1")
    return Column(name, label if isinstance(label, str) else None, data_type, key_sequence)


def _miscount(dataset: _Dataset) -> Iterator[Issue]:
    whole = sum(not isinstance(record, _Unreadable) for record in dataset.records)
    if whole != dataset.declared_records:
        message = (
            f"`records` declares {dataset.declared_records} rows, the file holds {whole} that can be read; "
            "it may be cut off: export it again"
        )
        yield row_issue(dataset.file, None, "row-count", message)


# Rows


def _rows(dataset: _Dataset, issues: list[Issue]) -> Iterator[Row]:
    names = [column.name for column in dataset.columns]
    readers = [_CELL_READERS[column.data_type or ""] for column in dataset.columns]
    for number, record in enumerate(dataset.records, 1):
        if not isinstance(record, list) or len(record) != len(names):
            issues.append(_shape_issue(dataset, number, record))
            continue
        cells = [
            "" if value is None or value == "" else read(value) for read, value in zip(readers, record, strict=True)
        ]
        texts = [cell for cell in cells if cell is not None]
        if len(texts) < len(cells):
            issues.append(_type_issue(dataset, number, record, cells))
        elif _is_beyond_limits(texts):
            message = f"a cell longer than 1 MiB ({MAX_CELL_CHARACTERS} characters), or with a NUL character"
            issues.append(row_issue(dataset.file, number, "row-cell", message))
        else:
            yield Row(number, dict(zip(names, texts, strict=True)))


def _is_beyond_limits(texts: list[str]) -> bool:
    return "\0" in "".join(texts) or max(map(len, texts)) > MAX_CELL_CHARACTERS


def _shape_issue(dataset: _Dataset, number: int, record: object) -> Issue:
    width = len(dataset.columns)
    if isinstance(record, _Unreadable):
        return row_issue(dataset.file, number, "row-json", f"record {number} is not JSON: {record.why}")
    if not isinstance(record, list):
        message = f"record {number} must be a list of {width} values"
        return row_issue(dataset.file, number, "row-json", message)
    code, trouble = ("row-short", "too few") if len(record) < width else ("row-long", "too many")
    message = f"{len(record)} cells are {trouble}: `columns` names {width}"
    return row_issue(dataset.file, number, code, message)


def _type_issue(dataset: _Dataset, number: int, record: list[object], cells: list[str | None]) -> Issue:
    misfits = [
        f"{shown_name(column.name)} is declared {column.data_type}, found {_kind(value)}"
        for column, value, cell in zip(dataset.columns, record, cells, strict=True)
        if cell is None
    ]
    return row_issue(dataset.file, number, "row-type", "; ".join(misfits))


def _kind(value: object) -> str:
    """What a misfitting value is, in words; never the value."""
    return _KINDS.get(type(value), "a number")


_KINDS: Mapping[type, str] = {
    str: "a text that is not of this form",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


# Cells: the text of a value of the declared type, None where it does not fit


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> str | None:
    if type(value) is int:
        return str(value)
    return str(int(value)) if isinstance(value, Decimal) and value == value.to_integral_value() else None


def _number(value: object) -> str | None:
    return str(value) if type(value) is int or isinstance(value, Decimal) else None


def _decimal(value: object) -> str | None:
    """A decimal comes as text, so that no reader rounds it (specification, "Decimal Variables")."""
    return _decimal_text(value) if isinstance(value, str) else _number(value)


def _boolean(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None


def _matching(pattern: str) -> Callable[[object], str | None]:
    matches = re.compile(pattern, re.ASCII).fullmatch
    return lambda value: value if isinstance(value, str) and matches(value) else None


# SDTMIG 3.3, 4.4: ISO 8601 of any precision, a hyphen for a missing part, a solidus between the ends of an interval.
_DATE = r"(\d{4}|-)(-(\d\d|-)(-(\d\d|-))?)?"
_TIME = r"(\d\d|-)(:(\d\d|-)(:(\d\d([.,]\d+)?|-))?)?(Z|[+-]\d\d(:?\d\d)?)?"
_DATETIME = rf"{_DATE}(T{_TIME})?"

_decimal_text = _matching(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?([eE][+-]?\d+)?")

_CELL_READERS: Mapping[str, Callable[[object], str | None]] = {
    "string": _text,
    "integer": _integer,
    "decimal": _decimal,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "datetime": _matching(rf"{_DATETIME}(/{_DATETIME})?"),
    "date": _matching(rf"{_DATE}(/{_DATE})?"),
    "time": _matching(_TIME),
    "URI": _text,
}

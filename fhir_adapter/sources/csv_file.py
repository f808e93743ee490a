"""How a CSV file is read, strictly: what is not certain is refused with its line, never guessed.

RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180) with the freedom of another delimiter and of a declared encoding.
Lines that begin with `#` before the header are comments, empty lines are skipped; both count as lines.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.sources.table import (
    MAX_CELL_CHARACTERS,
    Column,
    Row,
    Table,
    misconfigured,
    read_bytes,
    refused,
    row_issue,
    shown,
    shown_name,
)

_DELIMITER_OF_SUFFIX: Mapping[str, str] = {".tsv": "\t"}
_USUAL_DELIMITERS: Mapping[str, str] = {",": '","', ";": '";"', "\t": '"\\t"', "|": '"|"'}
_USUAL_ENCODINGS = ("utf-8", "gb18030", "windows-1252")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)  # UTF-32 LE begins like UTF-16 LE
_MARK = "\ufeff"
_NULS_OF_UTF_16 = 4
"""In UTF-16 read as something else every second character is NUL; a few strays stay in their cells."""
_TEXT_AFTER_QUOTE = "text follows a closing quote; write quotes inside a quoted cell twice"


@dataclass(frozen=True, slots=True)
class _Record:
    """One record as split, with its first and last line."""

    first: int
    last: int
    cells: list[str]


@dataclass(slots=True)
class _CsvFile:
    """A decoded file on its way to a table: its lines, the header's index, and what had to be set aside."""

    file: str
    lines: list[str]
    header: int
    delimiter: str
    issues: list[Issue] = field(default_factory=list)


def read_csv(
    path: Path, *, label: str | None = None, delimiter: str | None = None, encoding: str | None = None
) -> Table:
    """Read one CSV file; comma (tab in `.tsv`) and UTF-8 unless declared otherwise.

    Raises `Rejected` for a file that cannot be trusted as a whole, and `Misconfigured` for an unknown encoding or a
    delimiter that is not one character.
    """
    file = shown(path)
    separator = _delimiter(path, delimiter)
    # The limit is the process's own and 128 KiB by default: too little for narratives, so it is only ever raised.
    csv.field_size_limit(max(MAX_CELL_CHARACTERS, csv.field_size_limit()))
    lines = list(io.StringIO(_decode(read_bytes(path), file, encoding), newline=""))
    source = _CsvFile(file, lines, _header_index(lines, file), separator)
    names = _header(source)
    rows = tuple(_rows(source, names))
    columns = tuple(Column(name) for name in names)
    return Table(path, label or path.stem, columns, rows, tuple(source.issues), incomplete=False)


def _delimiter(path: Path, declared: str | None) -> str:
    if declared is None:
        return _DELIMITER_OF_SUFFIX.get(path.suffix.lower(), ",")
    if len(declared) != 1 or declared in '"\r\n':
        message = "`delimiter` must be one character, and neither a quote nor a line break"
        raise misconfigured(shown(path), "table-setting", message)
    return declared


# Bytes to text


def _decode(data: bytes, file: str, declared: str | None) -> str:
    codec = _codec(file, declared)
    _refuse_contradicting_mark(data, file, codec)
    try:
        text = data.decode(codec).removeprefix(_MARK)
    except UnicodeDecodeError as error:
        raise _undecodable(data, file, codec, error.start) from error
    position = text.find("\0")
    if text.count("\0") > len(text) // _NULS_OF_UTF_16:
        message = "a NUL character, which no text has; files in UTF-16 hold many: save the file as UTF-8"
        raise refused(file, "csv-nul", message, _line_after(text[:position]))
    return text


def _codec(file: str, declared: str | None) -> str:
    try:
        " ".encode(declared or "utf-8")  # refuses what is no encoding of text, such as base64
        return codecs.lookup(declared or "utf-8").name.removesuffix("-sig")
    except (LookupError, UnicodeError, ValueError) as error:
        message = f"the encoding {declared!r} is unknown; known are utf-8, gb18030, windows-1252 and Python's others"
        raise misconfigured(file, "table-setting", message) from error


def _refuse_contradicting_mark(data: bytes, file: str, codec: str) -> None:
    if data.startswith(codecs.BOM_UTF8) and codec != "utf-8":
        message = f"begins with the mark of UTF-8, but the mapping declares `encoding: {codec}`; remove that setting"
        raise refused(file, "csv-encoding", message)
    if data.startswith(_WIDE_MARKS) and not codec.startswith(("utf-16", "utf-32")):
        message = "begins with the mark of UTF-16 or UTF-32; save it as UTF-8 (in Excel: `CSV UTF-8`)"
        raise refused(file, "csv-encoding", message)


def _undecodable(data: bytes, file: str, codec: str, offset: int) -> Rejected:
    line = _line_after(data[:offset].decode("latin-1"))
    message = f"byte {offset}, on line {line}, is not {codec}; save the file as UTF-8"
    fitting = [name for name in _USUAL_ENCODINGS if codecs.lookup(name).name != codec and _can_decode(data, name)]
    if fitting:
        choices = " or ".join(f"`encoding: {name}`" for name in fitting)
        message += f", or, when whoever exported it confirms it, declare {choices} in the mapping"
    return refused(file, "csv-encoding", message, line)


def _can_decode(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _line_after(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n") + 1


# Text to header


def _header_index(lines: list[str], file: str) -> int:
    for index, line in enumerate(lines):
        if line.strip(" \r\n") and not line.startswith("#"):
            return index
    raise refused(file, "csv-header", "no header: the first line that is no comment must name the columns")


def _header(source: _CsvFile) -> list[str]:
    names = _split_header(source, source.delimiter)
    if len(names) <= 1:
        _refuse_wrong_delimiter(source)
    if not names:
        message = "the quotes of the header cannot be read: one is never closed, or text follows a closing quote"
        raise refused(source.file, "csv-quote", message, source.header + 1)
    _check_names(source, names)
    return names


def _split_header(source: _CsvFile, delimiter: str) -> list[str]:
    """The names of the header, none where its quotes do not fit the delimiter."""
    try:
        return next(csv.reader(islice(source.lines, source.header, None), delimiter=delimiter, strict=True))
    except csv.Error:
        return []


def _refuse_wrong_delimiter(source: _CsvFile) -> None:
    widths = {rival: len(_split_header(source, rival)) for rival in _USUAL_DELIMITERS if rival != source.delimiter}
    fitting = [f"{_USUAL_DELIMITERS[rival]} gives {width}" for rival, width in widths.items() if width > 1]
    if fitting:
        used = _USUAL_DELIMITERS.get(source.delimiter, repr(source.delimiter))
        message = (
            f"the delimiter {used} does not split the header into columns, but {' and '.join(fitting)}; "
            "declare the right one as `delimiter` in the mapping"
        )
        raise refused(source.file, "csv-delimiter", message, source.header + 1)


def _check_names(source: _CsvFile, names: list[str]) -> None:
    nameless = [str(position) for position, name in enumerate(names, 1) if not name.strip()]
    if nameless:
        message = f"column {', '.join(nameless)} of the header has no name; every column needs one"
        raise refused(source.file, "csv-header", message, source.header + 1)
    repeated = [shown_name(name) for name, count in Counter(names).items() if count > 1]
    if repeated:
        message = f"the header names {', '.join(repeated)} more than once; every column needs its own name"
        raise refused(source.file, "csv-header", message, source.header + 1)


# Text to rows


def _rows(source: _CsvFile, names: list[str]) -> Iterator[Row]:
    width = len(names)
    for record in islice(_records(source), 1, None):
        cells = record.cells
        if len(cells) == width:
            yield Row(record.first, dict(zip(names, cells, strict=True)))
        elif cells and (len(cells) > 1 or cells[0].strip()):
            source.issues.append(_wrong_width(source.file, record, width))


def _records(source: _CsvFile) -> Iterator[_Record]:
    """The records as split; one whose quotes are wrong within its own line is set aside, the next line is certain."""
    reader = csv.reader(_lines_from_header(source), delimiter=source.delimiter, strict=True)
    while True:
        first = source.header + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            last = source.header + reader.line_num
            _refuse_lost_place(source, first, last, error)
            source.issues.append(row_issue(source.file, first, "csv-quote", _TEXT_AFTER_QUOTE))
            continue
        if cells is None:
            return
        yield _Record(first, source.header + reader.line_num, cells)


def _lines_from_header(source: _CsvFile) -> Iterator[str]:
    """The lines, and an empty one that nobody wrote: only a quote that is never closed makes the reader ask for it."""
    return chain(islice(source.lines, source.header, None), [""])


def _refuse_lost_place(source: _CsvFile, first: int, last: int, error: csv.Error) -> None:
    """Refuse the file where nobody can say at which line the next record begins."""
    if sum(map(len, source.lines[first - 1 : last])) > MAX_CELL_CHARACTERS:
        message = "a cell longer than 1 MiB, the most that is read; most likely a quote in this row is never closed"
        raise refused(source.file, "csv-cell-too-large", message, first) from error
    if last > len(source.lines):
        message = "a quote in this row is never closed; close it, and write quotes inside a cell twice"
        raise refused(source.file, "csv-quote", message, first) from error
    if last > first:
        message = f"{_TEXT_AFTER_QUOTE}; the row was read on to line {last}, so a quote before may be unclosed"
        raise refused(source.file, "csv-quote", message, first) from error


def _wrong_width(file: str, record: _Record, width: int) -> Issue:
    found = len(record.cells)
    code, trouble = ("row-short", "too few") if found < width else ("row-long", "too many")
    message = f"{found} cells are {trouble}: the header names {width} columns"
    if record.last > record.first:
        message += f"; the row goes on to line {record.last}, so look for a quote that should not be there"
    elif found > width:
        message += "; a cell that holds the delimiter must stand in quotes"
    return row_issue(file, record.first, code, message)

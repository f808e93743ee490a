"""What a tabular export holds: named columns, and rows of text with the place where a person finds them.

Nothing is converted: a cell is the text as recorded, so `001` stays `001` and `10.80` stays `10.80`. A row that cannot
be read is set aside with an issue; a file that cannot be trusted as a whole is refused. Messages name columns and
places, never the values of a subject.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fhir_adapter.issues import Issue, Misconfigured, Rejected, Retriable, Where

Format = Literal["csv", "dataset-json"]

MAX_FILE_BYTES = 1024**3
MAX_CELL_CHARACTERS = 1024**2
SHOWN_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `label`, `data_type` and `key_sequence` where the file describes its columns (Dataset-JSON)."""

    name: str
    label: str | None = None
    data_type: str | None = None
    key_sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One record: `cells` by column name, missing values as empty text.

    `number` is the line of a CSV file on which the record begins, as an editor shows it, or the number of the record,
    from 1, in Dataset-JSON.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One tabular file; `incomplete` when it lacks rows of which nothing is known, so absence proves nothing."""

    path: Path
    label: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    issues: tuple[Issue, ...]
    incomplete: bool


def read_bytes(path: Path) -> bytes:
    """The bytes of a file within the size limit; raises `Rejected`, or `Retriable` where the disk failed."""
    try:
        with path.open("rb") as stream:
            too_large = os.fstat(stream.fileno()).st_size > MAX_FILE_BYTES
            data = b"" if too_large else stream.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise refused(shown(path), "file-unreadable", f"cannot be opened: {error.strerror}") from error
    except OSError as error:
        issue = Issue("fatal", "file-unreadable", f"cannot be read: {error.strerror}", Where(shown(path)))
        raise Retriable(f"{issue.where}: {issue.message}", issue) from error
    if too_large or len(data) > MAX_FILE_BYTES:
        raise refused(shown(path), "file-too-large", "larger than 1 GiB, the most that is read; export it in parts")
    if not data:
        raise refused(shown(path), "file-empty", "the file is empty; export it again")
    return data


def shown(path: Path) -> str:
    """The file as issues name it: as given, and without its folders where they are those of one machine."""
    return path.name if path.is_absolute() else path.as_posix()


def shown_name(name: str) -> str:
    """A column's name as messages show it: quoted, control characters escaped, cut where it is absurdly long."""
    cut = name if len(name) <= SHOWN_NAME_CHARACTERS else name[:SHOWN_NAME_CHARACTERS] + "..."
    return ascii(cut) if not cut.isprintable() else repr(cut)


def row_issue(file: str, line: int | None, code: str, message: str) -> Issue:
    """What is wrong with one row, which is therefore left out."""
    return Issue("error", code, message, Where(file, line))


def refused(file: str, code: str, message: str, line: int | None = None) -> Rejected:
    """The error for a file that cannot be trusted as a whole."""
    issue = row_issue(file, line, code, message)
    return Rejected(f"{issue.where}: {message}", issue)


def misconfigured(file: str, code: str, message: str) -> Misconfigured:
    """The error for settings of a file that no file could meet."""
    issue = Issue("fatal", code, message, Where(file))
    return Misconfigured(f"{issue.where}: {message}", issue)

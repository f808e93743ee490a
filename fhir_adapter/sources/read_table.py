"""Which reader reads a tabular file: the declared format decides, or the suffix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from fhir_adapter.sources.csv_file import read_csv
from fhir_adapter.sources.dataset_json import read_dataset_json
from fhir_adapter.sources.table import Format, Table, misconfigured, refused, shown

_FORMAT_OF_SUFFIX: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "dataset-json",
    ".ndjson": "dataset-json",
    ".dsjc": "dataset-json",
}


def read_table(
    path: Path,
    *,
    format: Literal["csv", "dataset-json"] | None = None,  # noqa: A002 - the word of the mapping files
    label: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Table:
    """Read one tabular file; without `format`, the suffix of the file decides.

    Raises `Rejected` for a file that cannot be trusted as a whole, `Retriable` where the disk failed, and
    `Misconfigured` for settings that no file could meet.
    """
    if (format or _format_of(path)) == "csv":
        return read_csv(path, label=label, delimiter=delimiter, encoding=encoding)
    if delimiter is not None or encoding is not None:
        raise misconfigured(shown(path), "table-setting", "`delimiter` and `encoding` are settings of CSV files only")
    return read_dataset_json(path, label=label)


def _format_of(path: Path) -> Format:
    known = _FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if known is None:
        suffixes = ", ".join(_FORMAT_OF_SUFFIX)
        message = f"the suffix names no tabular format ({suffixes}); declare `format: csv` or `format: dataset-json`"
        raise refused(shown(path), "table-format", message)
    return known

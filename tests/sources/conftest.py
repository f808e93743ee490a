"""What the tests of the readers share: the small made-up files, a way to write one, the public study beside us."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, bytes], Path]
WriteDataset = Callable[..., Path]

_PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tables() -> Path:
    """The folder of small made-up tables."""
    return _PROJECT / "tests" / "data" / "tables"


@pytest.fixture(scope="session")
def pilot_data() -> Path:
    """The copies of the public 18-subject study that the project ships."""
    return _PROJECT / "mappings" / "trials" / "cdisc-pilot-18" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The public 18-subject study in every form CDISC publishes, where this machine has it."""
    folder = Path(os.environ.get("FHIR_ADAPTER_SHARED") or _PROJECT.parent / "shared") / "data" / "sdtm-18"
    if not folder.is_dir():
        pytest.skip("the study's NDJSON and DSJC forms are not here; set FHIR_ADAPTER_SHARED to the folder of them")
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write bytes to a file of this name and say where it is."""

    def write_file(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_file


@pytest.fixture
def write_dataset(write: Write) -> WriteDataset:
    """Write a made-up Dataset-JSON file of two columns and two rows, with some members changed (None removes)."""

    def write_file(**changes: Any) -> Path:
        dataset = {
            "datasetJSONVersion": "1.1.0",
            "originator": "made up for tests",
            "records": 2,
            "name": "VS",
            "columns": [{"name": "USUBJID", "dataType": "string"}, {"name": "VSSTRESN", "dataType": "float"}],
            "rows": [["001", 36.5], ["002", 37]],
        } | changes
        kept = {key: value for key, value in dataset.items() if value is not None}
        return write("vs.json", json.dumps(kept).encode())

    return write_file

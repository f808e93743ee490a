"""Whether those who have no Python program of ours get the corpus as plain files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_adapter import fhirjson
from tests.validation.planted_defects.loading import CORPUS, read_cases, resource_of

PROGRAM = CORPUS / "plain_files.py"
EVERY = [*read_cases("cases.ndjson"), *read_cases("controls.ndjson")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the program wrote, run alone and away from this project."""
    written = tmp_path_factory.mktemp("corpus")
    subprocess.run([sys.executable, "-I", str(PROGRAM), str(written)], check=True, cwd=written, capture_output=True)
    return written


def test_every_resource_is_written_as_the_tests_read_it(folder: Path) -> None:
    """Its patches mean what ours mean."""
    written = {path.stem: fhirjson.loads(path.read_bytes()) for path in folder.glob("c*/*.json")}

    assert written == {case.id: resource_of(case) for case in EVERY}


def test_what_is_to_be_found_stands_beside_the_files(folder: Path) -> None:
    """Every file has its line, and only controls expect nothing."""
    lines = [json.loads(line) for line in (folder / "expected.ndjson").read_text(encoding="utf-8").splitlines()]

    assert all((folder / line["file"]).is_file() for line in lines)
    assert [line["expect"] is None for line in lines] == [case.expect is None for case in EVERY]


def test_without_a_folder_it_says_how_it_is_called() -> None:
    """And writes nothing."""
    run = subprocess.run([sys.executable, "-I", str(PROGRAM)], check=False, capture_output=True, text=True)

    assert run.returncode == 1
    assert "plain_files.py FOLDER" in run.stderr

"""`make lint` holds the ladder: an import that goes up, or between neighbours, fails it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its contracts, to be spoilt."""
    shutil.copytree(ROOT / "fhir_adapter", tmp_path / "fhir_adapter", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(place: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter there, on that copy of the package."""
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())",
    ]
    surroundings = {**os.environ, "PYTHONPATH": str(place)}
    return subprocess.run(command, cwd=place, env=surroundings, capture_output=True, text=True, check=False)


def test_the_ladder_holds_as_it_stands(copy: Path) -> None:
    """Without a breach the check passes, so a failure below is the breach's."""
    assert "Contracts: 6 kept, 0 broken." in lint(copy).stdout


@pytest.mark.parametrize(
    ("room", "planted"),
    [
        ("trial/entities.py", "from fhir_adapter import fhirjson"),
        ("store/ledger.py", "import fhir_adapter.client"),
        ("units/ucum.py", "import fhir_adapter.cli"),
        ("sync/plan.py", "import fhir.resources"),
        ("trial/windows.py", "import sqlalchemy"),
        ("mappers/names.py", "import requests"),
        ("jobs/push.py", "import sqlite3"),
    ],
)
def test_a_planted_import_is_found(copy: Path, room: str, planted: str) -> None:
    """Upward, to a neighbour, or of a library that the room must not know."""
    path = copy / "fhir_adapter" / room
    path.write_text(path.read_text(encoding="utf-8") + f"\n{planted}\n", encoding="utf-8")
    answer = lint(copy)
    assert answer.returncode == 1
    assert "broken" in answer.stdout


def test_a_room_that_is_not_on_the_ladder_is_found(copy: Path) -> None:
    """No utils."""
    (copy / "fhir_adapter" / "utils.py").write_text('"""Everything."""\n', encoding="utf-8")
    assert "utils" in lint(copy).stdout


def test_make_lint_runs_the_ladder_and_refuses_hosts() -> None:
    """The recipe has both checks, and CI runs lint and test."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "lint-imports" in recipe
    assert "grep -n '://' requirements.txt" in recipe
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").split()[-4:] == ["make", "lint", "make", "test"]


def test_the_lock_names_no_host() -> None:
    """Pinned by version and hash alone."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--hash=sha256:" in lock

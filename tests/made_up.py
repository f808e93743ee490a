"""Where tests get the small made-up trial from, and how they change a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from fhir_adapter.sources import Reading, read_trial
from fhir_adapter.trial_folder import read_trial_folder

MADE_UP = Path(__file__).resolve().parent / "data" / "trials" / "made-up"


def copy_trial(target: Path) -> Path:
    """A copy of the made-up trial below a test's own folder."""
    return shutil.copytree(MADE_UP, target / "made-up")


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text in one file of a copy; the text must stand there once."""
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def add(folder: Path, file: str, *lines: str) -> None:
    """Add lines to the end of one file of a copy."""
    with (folder / file).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def read(folder: Path) -> Reading:
    """Everything that a trial folder and its files say."""
    return read_trial(read_trial_folder(folder))


def set_aside(reading: Reading) -> list[tuple[str, str | None, int | None]]:
    """Code, file and row of everything that was set aside."""
    return [(one.issue.code, one.issue.where.file, one.issue.where.line) for one in reading.set_aside]


def warnings(reading: Reading) -> list[tuple[str, str | None, int | None]]:
    """Code, file and row of every warning."""
    return [(one.code, one.where.file, one.where.line) for one in reading.warnings]

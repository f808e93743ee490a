"""How does an export change between two pushes? One cell, one row, another order: nothing more than the story says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRIAL = Path(__file__).resolve().parents[2] / "mappings" / "trials" / "cdisc-pilot-18"

# One who died on placebo, one with adverse events and findings about them, one who failed screening; two sites.
THREE_SUBJECTS = ("CDISC013", "CDISC014", "CDISC015")

Row = list[Any]
Dataset = dict[str, Any]


@dataclass(frozen=True)
class Export:
    """A folder of Dataset-JSON files that a test may change."""

    folder: Path

    @classmethod
    def of(cls, folder: Path, subjects: Collection[str] = THREE_SUBJECTS) -> Export:
        """Copy the public study's export, with these subjects only."""
        folder.mkdir(parents=True)
        for path in sorted((TRIAL / "data").glob("*.json")):
            dataset = _of_subjects(json.loads(path.read_bytes()), subjects)
            (folder / path.name).write_text(json.dumps(dataset), encoding="utf-8")
        return cls(folder)

    def rows(self, name: str, **cells: Any) -> list[int]:
        """The places (from 0) of the rows that hold these cells."""
        dataset = self._read(name)
        wanted = {_column(dataset, column): value for column, value in cells.items()}
        return [
            place for place, row in enumerate(dataset["rows"]) if all(row[at] == cell for at, cell in wanted.items())
        ]

    def row(self, name: str, **cells: Any) -> int:
        """The place (from 0) of the one row that holds these cells; raises when it is not one."""
        (place,) = self.rows(name, **cells)
        return place

    def cell(self, name: str, place: int, column: str) -> Any:
        """What stands in a cell."""
        dataset = self._read(name)
        return dataset["rows"][place][_column(dataset, column)]

    def change(self, name: str, place: int, **cells: Any) -> None:
        """Change cells of one row."""
        self._edit(name, lambda dataset: _set(dataset, dataset["rows"][place], cells))

    def insert(self, name: str, place: int, *, like: int, **cells: Any) -> None:
        """Insert a row like another one but for these cells, before the row at this place."""

        def edit(dataset: Dataset) -> None:
            row = list(dataset["rows"][like])
            _set(dataset, row, cells)
            dataset["rows"].insert(place, row)

        self._edit(name, edit)

    def remove(self, name: str, place: int) -> None:
        """Remove one row."""
        self._edit(name, lambda dataset: dataset["rows"].pop(place))

    def reverse(self, *names: str) -> None:
        """Turn the order of all rows round."""
        for name in names:
            self._edit(name, lambda dataset: dataset["rows"].reverse())

    def _read(self, name: str) -> Dataset:
        dataset: Dataset = json.loads((self.folder / f"{name}.json").read_bytes())
        return dataset

    def _edit(self, name: str, edit: Callable[[Dataset], object]) -> None:
        dataset = self._read(name)
        edit(dataset)
        dataset["records"] = len(dataset["rows"])
        (self.folder / f"{name}.json").write_text(json.dumps(dataset), encoding="utf-8")


def trial_folder(folder: Path, **replaced: str) -> Path:
    """Copy the public study's mapping without its data; `labels="[HTEST]"` replaces the line of that key."""
    target = folder / TRIAL.name
    shutil.copytree(TRIAL, target, ignore=shutil.ignore_patterns("data"))
    lines = (target / "trial.yaml").read_text(encoding="utf-8").splitlines()
    changed = [_replaced(line, replaced) for line in lines]
    (target / "trial.yaml").write_text("\n".join(changed) + "\n", encoding="utf-8")
    return target


def _replaced(line: str, replaced: dict[str, str]) -> str:
    key = line.partition(":")[0]
    return f"{key}: {replaced[key]}" if key in replaced else line


def _of_subjects(dataset: Dataset, subjects: Collection[str]) -> Dataset:
    if "USUBJID" not in [column["name"] for column in dataset["columns"]]:
        return dataset
    at = _column(dataset, "USUBJID")
    rows = [row for row in dataset["rows"] if row[at] in subjects]
    return dataset | {"rows": rows, "records": len(rows)}


def _column(dataset: Dataset, name: str) -> int:
    return [column["name"] for column in dataset["columns"]].index(name)


def _set(dataset: Dataset, row: Row, cells: dict[str, Any]) -> None:
    for column, value in cells.items():
        row[_column(dataset, column)] = value

"""What a mutant is that no test noticed, and whether docs/mutants.md explains it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DOCUMENT = "docs/mutants.md"


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change of one line that the tests let pass."""

    file: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file}\n  - {self.before}\n  + {self.after}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one tool found: how many mutants were tried, how many are left to try, and those that survived."""

    tool: str
    tried: int
    left: int
    survivors: tuple[Survivor, ...]


def from_diff(file: str, diff: str) -> Survivor:
    """The first line that a diff takes away, and the first that it puts there."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before = next((line[1:].strip() for line in lines if line.startswith("-")), "")
    after = next((line[1:].strip() for line in lines if line.startswith("+")), "")
    return Survivor(file, before, after)


def unexplained(survivors: tuple[Survivor, ...], root: Path) -> list[Survivor]:
    """Those of which the document has no row with their file and both lines."""
    page = root / DOCUMENT
    rows = page.read_text(encoding="utf-8").replace("\\|", "|").splitlines() if page.exists() else []
    return [one for one in survivors if not any(_tells(row, one) for row in rows)]


def _tells(row: str, one: Survivor) -> bool:
    return all(f"`{part}`" in row for part in (one.file, one.before, one.after))

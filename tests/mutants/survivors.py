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


def between(file: str, before: str, after: str) -> Survivor:
    """The first line that two texts do not share, in both."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((Survivor(file, old.strip(), new.strip()) for old, new in pairs if old != new), Survivor(file, "", ""))


def unexplained(survivors: tuple[Survivor, ...], root: Path) -> list[Survivor]:
    """Those of which the document has no row with their file and both lines."""
    page = root / DOCUMENT
    rows = page.read_text(encoding="utf-8").replace("\\|", "|").splitlines() if page.exists() else []
    return [one for one in survivors if not any(_tells(row, one) for row in rows)]


def _tells(row: str, one: Survivor) -> bool:
    return all(f"`{part}`" in row for part in (one.file, one.before, one.after))

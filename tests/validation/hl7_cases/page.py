"""The tables of `docs/validator-cases.md`, so that a test can hold them against what the runs give."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "validator-cases.md"

Row = tuple[str, ...]


def _cells(line: str) -> Row:
    return tuple(cell.strip().strip("`") for cell in line.strip("|").split(" | "))


@cache
def table(heading: str) -> tuple[Row, ...]:
    """The rows of the first table under a heading, without its head."""
    _, _, below = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    lines = below.partition("\n## ")[0].splitlines()
    rows = [
        tuple(cell.strip().strip("`") for cell in line.strip("|").split(" | ")) for line in lines if line[:1] == "|"
    ]
    return tuple(rows[2:])


def left_out() -> frozenset[str]:
    """The runs that the issue does not ask for: questionnaire responses, external displays and unit value sets."""
    return frozenset(name for names, _ in table("Left out") for name in names.split(", "))

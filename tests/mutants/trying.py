"""What `run.py` starts in the copy of the sources: the mutants of one tool, shown to the tests one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.mutants import functions, module_level, tables
from tests.mutants.forking import Log, Mutant, Show, prepare, shown_afresh, shown_warm
from tests.mutants.survivors import Survivor

ROOMS = ("scores", "terminology", "units")
QUICK: dict[str, tuple[str, ...]] = {
    "fhir_adapter/units/*": ("tests/units", "tests/terminology/test_quantities.py", "tests/terminology/test_tables.py"),
    "fhir_adapter/terminology/*": (
        *("tests/terminology/test_codes.py", "tests/terminology/test_methods.py", "tests/terminology/test_tables.py"),
        *("tests/terminology/test_edges_and_divisors.py", "tests/terminology/test_quantities.py"),
    ),
    "fhir_adapter/scores/adhs.py": ("tests/scores/test_adhs.py",),
    "fhir_adapter/scores/explain.py": ("tests/scores/test_change_and_words.py",),
    "fhir_adapter/scores/batch.py": ("tests/scores/test_batch.py",),
    "fhir_adapter/scores/companions/*": ("tests/scores/companions",),
    "*": (
        *("tests/scores/test_hscore.py", "tests/scores/test_evidence.py", "tests/scores/test_points.py"),
        *("tests/scores/test_choose.py", "tests/scores/test_subject.py"),
    ),
}
"""The tests that notice most of a file and begin soon; the first pattern counts. All others see what these let pass."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Which files it changes, how, and which line one of its mutants changed."""

    ending: str
    mutants: Callable[[list[str]], Iterator[Mutant]]
    survivor: Callable[[Mutant], Survivor]
    written: Callable[[Mutant], Mutant] = lambda mutant: mutant


TOOLS = {
    "mutmut": Tool("*.py", functions.mutants, functions.survivor),
    "cosmic-ray": Tool("*.py", module_level.mutants, module_level.survivor, module_level.written),
    "tables": Tool("*.toml", tables.mutants, tables.survivor),
}


def files_of(tool: Tool) -> list[str]:
    """The files that a tool changes, below the present folder."""
    rooms = (Path("fhir_adapter", room) for room in ROOMS)
    return sorted(path.as_posix() for room in rooms for path in room.rglob(tool.ending))


def chosen(tool: Tool, only: Sequence[str]) -> list[Mutant]:
    """The mutants of the files that are asked for."""
    asked = [one for one in files_of(tool) if any(fnmatchcase(one, pattern) for pattern in only)]
    return list(tool.mutants(asked))


def main(name: str, log: Path, only: Sequence[str]) -> None:
    """Try what was not tried before."""
    prepare()
    tool = TOOLS[name]
    show = Show(Log(log), Log(quick_log(log)), tool.written)
    left = [one for one in chosen(tool, only) if show.log.noticed(one) is None]
    if name == "mutmut":
        texts = {one.file: one.text for one in left}
        early = shown_warm(texts, left, functions.function_of, show)
        left = [one for one in left if one.name in early]
    shown_afresh(left, show, quick)


def quick_log(log: Path) -> Path:
    """Where it is written down what the quick tests let pass."""
    return log.with_suffix(".quick.jsonl")


def quick(file: str) -> tuple[str, ...]:
    """The tests that see a mutant of a file first."""
    return next(tests for pattern, tests in QUICK.items() if fnmatchcase(file, pattern))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])

"""mutmut's mutants: it changes the bodies of functions that have no decorator, all of a file in one text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import libcst
from mutmut.mutation.diff_apply import read_mutant_function, read_original_function
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import get_mutant_name

from tests.mutants.forking import Mutant
from tests.mutants.survivors import Survivor, between


def mutants(files: list[str]) -> Iterator[Mutant]:
    """Every mutant of the files."""
    for file in files:
        text, names = _written(file)
        for name in names:
            whole = get_mutant_name(Path(file), name)
            yield Mutant(whole, file, text, active=whole)


def function_of(name: str) -> str:
    """What mutmut calls the function of a mutant when it counts calls."""
    return name.partition("__mutmut_")[0]


def survivor(mutant: Mutant) -> Survivor:
    """The line of the function that changed."""
    module = _parsed(mutant.file)
    before, after = (
        libcst.Module([read(module, mutant.name)]).code for read in (read_original_function, read_mutant_function)
    )
    return between(mutant.file, before, after)


@cache
def _written(file: str) -> tuple[str, tuple[str, ...]]:
    found = mutate_file_contents(file, Path(file).read_text(encoding="utf-8"))
    return found.code, tuple(found.mutant_names)


@cache
def _parsed(file: str) -> libcst.Module:
    return libcst.parse_module(_written(file)[0])

"""cosmic-ray's mutants: what mutmut leaves out, that is tables, fields, properties and other decorated functions.

Annotations are left out: nothing here evaluates them, so that no test could notice. So are `frozen` and `slots` of
dataclasses: they refuse what nobody here does, and no value depends on them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from cosmic_ray.commands.init import init  # type: ignore[import-untyped]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-untyped]
from cosmic_ray.plugins import get_operator  # type: ignore[import-untyped]
from cosmic_ray.work_db import WorkDB  # type: ignore[import-untyped]
from cosmic_ray.work_item import MutationSpec  # type: ignore[import-untyped]

from tests.mutants.forking import Mutant
from tests.mutants.survivors import Survivor, between

_GUARDS = {"frozen", "slots"}
_OF_MUTMUT = {"staticmethod", "classmethod"}
"""The only decorators whose functions mutmut changes."""


def mutants(files: list[str]) -> Iterator[Mutant]:
    """Every mutant of the files; its text is written when it is shown."""
    for one in _work(files):
        file = one.module_path.as_posix()
        yield Mutant(f"{file}:{one.operator_name}:{one.occurrence}", file, "")


def written(mutant: Mutant) -> Mutant:
    """The mutant with its text."""
    file, operator, occurrence = mutant.name.split(":")
    return replace(mutant, text=_changed(Path(file).read_text(encoding="utf-8"), operator, int(occurrence)))


def survivor(mutant: Mutant) -> Survivor:
    """The line that changed."""
    file, operator, occurrence = mutant.name.split(":")
    before = Path(file).read_text(encoding="utf-8")
    return between(file, before, _changed(before, operator, int(occurrence)))


def _changed(text: str, operator: str, occurrence: int) -> str:
    return str(mutate_code(text, get_operator(operator)(), occurrence))


def _work(files: list[str]) -> Iterator[MutationSpec]:
    work = WorkDB(":memory:", WorkDB.Mode.create)
    init([Path(file) for file in files], work, {})
    for item in work.work_items:
        (one,) = item.mutations
        if not any(start <= one.start_pos < end for start, end in _left_out(one.module_path)):
            yield one
    work.close()


@cache
def _left_out(file: Path) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """Where annotations and guards are, and functions that mutmut changes; as lines and columns."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for part in ast.walk(tree)
        for node in _parts_left_out(part)
    )


def _parts_left_out(node: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    if isinstance(node, ast.FunctionDef):
        if all(isinstance(one, ast.Name) and one.id in _OF_MUTMUT for one in node.decorator_list):
            yield node
        if node.returns:
            yield node.returns
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
        yield node.annotation
    if isinstance(node, ast.keyword) and node.arg in _GUARDS:
        yield node.value

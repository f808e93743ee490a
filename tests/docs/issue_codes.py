"""Which issue codes the program can say, read from its own source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from fhir_adapter.trial_folder.rule_settings import RuleName
from fhir_adapter.validation.findings import CODES
from fhir_adapter.validation.outcomes import FOREIGN_CODES, OTHER

PACKAGE = Path(__file__).parents[2] / "fhir_adapter"
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+|vs-1")
_CALLS = {
    "Issue": 1,
    "RowError": 0,
    "issue": 0,
    "row_issue": 2,
    "refused": 1,
    "misconfigured": 1,
    "_issue": 0,
    "_rejected": 0,
    "_refused": 0,
    "_retriable": 0,
    "_unmapped": 0,
    "_bad_row": 0,
    "error": 0,
    "report": 1,
    "_said": 1,
}
"""Functions that make issues, and the place of the code among their arguments."""


def used_codes() -> set[str]:
    """Every literal code in the package, and those of its validators, other validators and trial rules."""
    found: set[str] = {*CODES, *get_args(RuleName), *FOREIGN_CODES.values(), OTHER}
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(_codes_of(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def _codes_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place = _CALLS.get(name)
            argument = node.args[place] if place is not None and len(node.args) > place else None
            if (
                isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
                and _CODE.fullmatch(argument.value)
            ):
                yield argument.value
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp) and _is_code(node.targets[0]):
            for branch in (node.value.body, node.value.orelse):
                first = branch.elts[0] if isinstance(branch, ast.Tuple) and branch.elts else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and _CODE.fullmatch(first.value):
                    yield first.value


def _is_code(target: ast.expr) -> bool:
    """True for `code, words = ("row-short", ...) if ... else ("row-long", ...)`."""
    first = target.elts[0] if isinstance(target, ast.Tuple) else None
    return isinstance(first, ast.Name) and first.id == "code"

"""A second FHIRPath evaluator, only for tests: it walks the tree on plain JSON, slowly and without a model.

A small part of the language, written from the specification without looking at the engine: every value is a list, every
function a branch. Dates, quantities and types are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_adapter.fhirpath.tree import Binary, Call, Indexed, Literal, Member, Node, Nothing, Signed, Special

Values = list[Any]


class Refused(Exception):
    """The expression has no answer."""


def evaluate(node: Node, this: Values) -> Values:  # noqa: PLR0911 - a branch for each node, on purpose
    """The answer of a tree on the items of `$this`; raises `Refused` where there is none."""
    if isinstance(node, Literal):
        return [node.value]
    if isinstance(node, Nothing):
        return []
    if isinstance(node, Special):
        return this
    if isinstance(node, Member):
        return _children(evaluate(node.source, this) if node.source else this, node.name)
    if isinstance(node, Indexed):
        found, (at,) = evaluate(node.source, this), evaluate(node.index, this)
        return found[at : at + 1] if at >= 0 else []
    if isinstance(node, Signed):
        return [-one if node.sign == "-" else one for one in evaluate(node.operand, this)]
    if isinstance(node, Binary):
        return _operate(node.operator, evaluate(node.left, this), evaluate(node.right, this))
    if isinstance(node, Call):
        return _call(node, evaluate(node.source, this) if node.source else this, this)
    raise AssertionError(type(node).__name__)


def _children(items: Values, name: str) -> Values:
    found: Values = []
    for item in items:
        value = item.get(name) if isinstance(item, dict) else None
        found += value if isinstance(value, list) else [] if value is None else [value]
    return found


def _truth(items: Values) -> bool | None:
    if len(items) > 1:
        raise Refused
    return None if not items else items[0] if isinstance(items[0], bool) else True


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _once(items: Values) -> Values:
    found: Values = []
    for item in items:
        if not any(_same(item, other) for other in found):
            found.append(item)
    return found


def _operate(operator: str, left: Values, right: Values) -> Values:
    if operator in ("and", "or", "xor", "implies"):
        return _logic(operator, _truth(left), _truth(right))
    if operator == "|":
        return _once(left + right)
    if operator in ("=", "!="):
        if not left or not right:
            return []
        same = len(left) == len(right) and all(map(_same, left, right))
        return [same if operator == "=" else not same]
    if operator == "in":
        if len(left) > 1:
            raise Refused
        return [any(_same(left[0], other) for other in right)] if left else []
    if len(left) > 1 or len(right) > 1:
        raise Refused
    return _compare(operator, left[0], right[0]) if left and right else []


def _compare(operator: str, left: Any, right: Any) -> Values:
    texts = isinstance(left, str) and isinstance(right, str)
    numbers = all(isinstance(one, int | Decimal) and not isinstance(one, bool) for one in (left, right))
    if not texts and not numbers:
        raise Refused
    return [left < right if operator == "<" else left > right]


def _logic(operator: str, left: bool | None, right: bool | None) -> Values:
    if operator == "implies":
        return _logic("or", None if left is None else not left, right)
    if operator == "xor":
        return [] if left is None or right is None else [left != right]
    decides = operator == "or"
    if left is decides or right is decides:
        return [decides]
    return [] if left is None or right is None else [not decides]


def _call(node: Call, items: Values, this: Values) -> Values:  # noqa: PLR0911 - a branch for each kind, on purpose
    simple: dict[str, Callable[[], Values]] = {
        "exists": lambda: [bool(items)],
        "empty": lambda: [not items],
        "count": lambda: [len(items)],
        "first": lambda: items[:1],
        "last": lambda: items[-1:],
        "distinct": lambda: _once(items),
        "isDistinct": lambda: [len(_once(items)) == len(items)],
        "hasValue": lambda: [len(items) == 1 and not isinstance(items[0], dict)],
        "not": lambda: [] if _truth(items) is None else [not _truth(items)],
    }
    if not node.arguments:
        return simple[node.name]()
    inner = node.arguments[0]
    if node.name in _OF_TEXTS:
        return _of_text(node.name, items, evaluate(inner, this))
    if node.name == "union":
        return _once(items + evaluate(inner, this))
    if node.name == "select":
        return [each for item in items for each in evaluate(inner, [item])]
    if node.name == "where":
        return [item for item in items if _truth(evaluate(inner, [item]))]
    if node.name == "exists":
        return [any(_truth(evaluate(inner, [item])) for item in items)]
    assert node.name == "all"
    return [all(_truth(evaluate(inner, [item])) for item in items)]


_OF_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": lambda text, part: text[: len(part)] == part,
    "endsWith": lambda text, part: text[len(text) - len(part) :] == part,
    "contains": lambda text, part: text.find(part) >= 0,
    "matches": lambda text, part: re.search(part, text) is not None,
}


def _of_text(name: str, items: Values, parts: Values) -> Values:
    if not items:
        return []
    if len(items) > 1 or not isinstance(items[0], str):
        raise Refused
    return [_OF_TEXTS[name](items[0], parts[0])]

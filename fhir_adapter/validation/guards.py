"""On which children the answer of an invariant depends: where none of them is there, it need not be asked.

Most invariants speak of one or two children (`obs-6`: `dataAbsentReason` and `value`). What may depend on more, or on
where the element stands, has no guard and is always asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from fhir_adapter.fhirpath import Expression, FhirPathError
from fhir_adapter.fhirpath.model import Model, load_model
from fhir_adapter.fhirpath.tree import Binary, Call, Indexed, Literal, Member, Node, Nothing, Signed, Special, Variable

_WHOLE = frozenset({"children", "descendants", "hasValue", "extension", "repeat", "type", "is", "as", "ofType"})
"""Functions whose answer depends on more of an element than on children that the expression names."""

_NARROWING = frozenset(
    {"as", "children", "descendants", "distinct", "extension", "first", "last", "ofType", "repeat", "select", "skip"}
    | {"tail", "take", "where"}
)
"""Functions that find nothing in nothing."""


def idle_keys(expression: Expression, type_name: str) -> frozenset[str] | None:
    """Keys of which one must be there before the rule can fail; None when nothing like that can be said."""
    names = _touched(expression.tree, is_inner=False)
    if names is None:
        return None
    keys = _keys(load_model(), type_name, names)
    if keys is None:
        return None
    try:
        holds = expression.truth({})
    except FhirPathError:
        return None
    return keys if holds else None


def _keys(model: Model, type_name: str, names: frozenset[str]) -> frozenset[str] | None:
    kind = model.type(type_name)
    if kind is None or kind.kind == "primitive":
        return None
    found = set(names) | {f"_{name}" for name in names}
    for name in names:
        child = kind.children.get(name)
        if child is not None:
            found.update(key for key, _ in child.keys)
            found.update(f"_{key}" for key, _ in child.keys)
    return frozenset(found)


def presence_keys(expression: Expression, type_name: str) -> frozenset[str] | None:
    """The keys whose presence alone decides the answer; None when more does."""
    if not _asks_presence(expression.tree):
        return None
    names = _touched(expression.tree, is_inner=False)
    return _keys(load_model(), type_name, names) if names else None


def _touched(node: Node | None, *, is_inner: bool) -> frozenset[str] | None:
    """The names of children on which the answer depends; None when it may depend on anything.

    Inside the arguments of a function that has a source, names belong to that source's items: counting them too asks
    the rule more often than needed and is never wrong.
    """
    found: frozenset[str] | None = None
    match node:
        case None | Literal() | Nothing():
            found = frozenset()
        case Special() | Variable():
            found = frozenset() if is_inner else None
        case Member(source=None, name=name):
            found = frozenset({name})
        case Member(source=source) | Signed(operand=source):
            found = _touched(source, is_inner=is_inner)
        case Call():
            found = _touched_by_call(node, is_inner=is_inner)
        case Indexed(source=left, index=right) | Binary(left=left, right=right):
            found = _all(_touched(each, is_inner=is_inner) for each in (left, right))
    return found


def _touched_by_call(call: Call, *, is_inner: bool) -> frozenset[str] | None:
    if call.source is None:
        if call.name in _WHOLE and not is_inner:
            return None
        return _all(_touched(each, is_inner=is_inner) for each in call.arguments)
    inner = is_inner or _is_empty_without_names(call.source)
    arguments = [_touched(each, is_inner=inner) for each in call.arguments]
    return _all([_touched(call.source, is_inner=is_inner), *arguments])


def _all(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    start: frozenset[str] | None = frozenset()
    return reduce(lambda found, part: None if found is None or part is None else found | part, parts, start)


def _asks_presence(node: Node) -> bool:
    """Whether an expression asks nothing but which children are there."""
    match node:
        case Call(source=Member(source=None), name="exists" | "empty", arguments=()):
            return True
        case Call(source=Node() as source, name="not", arguments=()):
            return _asks_presence(source)
        case Binary(operator="and" | "or" | "xor" | "implies" | "=" | "!=", left=left, right=right):
            return _asks_presence(left) and _asks_presence(right)
        case _:
            return False


def _is_empty_without_names(node: Node) -> bool:
    """Whether a part finds nothing when no child that it names is there, so that nothing is asked of its items."""
    match node:
        case Member(source=None):
            return True
        case Member(source=source) | Indexed(source=source):
            return source is not None and _is_empty_without_names(source)
        case Call(source=source, name=name):
            return name in _NARROWING and source is not None and _is_empty_without_names(source)
        case _:
            return False

"""How the tree of an expression becomes Python functions that call one another.

Each node becomes one function from `$this` (a collection) and the scope to a collection; what can be known beforehand
(functions, types, the places of children) is looked up once, here. Names that nothing has are refused with a
suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any, Protocol

from fhir_adapter.fhirpath.errors import EvaluationError, ExpressionError
from fhir_adapter.fhirpath.functions import FUNCTIONS, Function, Run
from fhir_adapter.fhirpath.functions.registry import Kind
from fhir_adapter.fhirpath.items import Collection, Element, Item, boolean, compare, single, system_name, whole_number
from fhir_adapter.fhirpath.navigate import Navigator, Untyped
from fhir_adapter.fhirpath.operators import LOGIC, OPERATORS, decided, signed
from fhir_adapter.fhirpath.scope import Scope
from fhir_adapter.fhirpath.tree import (
    Binary,
    Call,
    Indexed,
    Literal,
    Member,
    Node,
    Nothing,
    Signed,
    Special,
    TypeName,
    TypeTest,
    Variable,
)

SYSTEM_TYPES = frozenset(
    ("Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any")
)
_FIXED_CALLS = frozenset({"first", "last", "tail", "single", "children", "descendants", "distinct", "count", "exists"})
_WITH_CRITERIA = ("where", "exists", "all")
TYPE_FUNCTIONS = ("is", "as", "ofType")
MAX_SORT_KEYS = 10


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """` (did you mean x?)`, when there is a name like the wrong one."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    near = get_close_matches(wrong, sorted(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""


class Quick(Protocol):
    """What answers criteria on bare JSON (`shortcuts`)."""

    def truth(self, kind: Any) -> Callable[[Any, Scope], bool | None] | None:  # noqa: ANN401 - JSON is any value
        """How they are answered for a type; None when they are not."""
        ...


class Compiler:
    """Makes functions of trees for one version of FHIR, or for JSON without a model."""

    def __init__(self, navigator: Navigator | Untyped, quick: Callable[[Node], Quick] | None = None) -> None:
        self.navigator = navigator
        self._quick = quick

    def expression(self, node: Node) -> Run:
        """The function of a whole expression or argument: variables that it defines end with it."""
        run = self.part(node)
        if not _defines_variables(node):
            return run

        def keeping(this: Collection, scope: Scope) -> Collection:
            outer = scope.variables
            try:
                return run(this, scope)
            finally:
                scope.variables = outer

        return keeping

    def part(self, node: Node) -> Run:
        """The function of one node."""
        compile_: Callable[[Compiler, Any], Run] = _COMPILE[type(node)]
        run = compile_(self, node)
        return _once(run) if isinstance(node, Call | Member | Indexed) and _is_fixed(node) else run

    def literal(self, node: Literal) -> Run:
        """Always the same value."""
        answer = [node.value]
        return lambda _this, _scope: answer

    def nothing(self, _node: Nothing) -> Run:
        """Always nothing."""
        return lambda _this, _scope: []

    def special(self, node: Special) -> Run:
        """`$this`, `$index`, `$total`."""
        return _SPECIAL[node.name]

    def variable(self, node: Variable) -> Run:
        """A value of the scope."""
        name = node.name
        return lambda _this, scope: scope.variable(name)

    def member(self, node: Member) -> Run:
        """The children of that name."""
        step = self.navigator.step(node.name)
        if node.source is not None:
            source = self.part(node.source)
            return lambda this, scope: scope.made(step(source(this, scope)))
        if not node.name[:1].isupper():
            return lambda this, scope: scope.made(step(this))
        name = node.name

        def type_or_step(this: Collection, _scope: Scope) -> Collection:
            found = [item for item in this if self.has_type(item, name)]
            return found or step(this)

        return type_or_step

    def has_type(self, item: Item, name: str) -> bool:
        """True when an element is of that FHIR type or of one derived from it."""
        if item.__class__ is not Element or item.type is None:
            return False
        model = self.navigator.model
        return item.type.name == name or (model is not None and model.is_a(item.type.name, name))

    def indexed(self, node: Indexed) -> Run:
        """One item by its number."""
        source, index = self.part(node.source), self.expression(node.index)

        def run(this: Collection, scope: Scope) -> Collection:
            found = source(this, scope)
            at = whole_number(index(this, scope), "[]")
            return found[at : at + 1] if at is not None and at >= 0 else []

        return run

    def signed(self, node: Signed) -> Run:
        """A number with a sign."""
        operand, sign = self.expression(node.operand), node.sign
        return lambda this, scope: signed(sign, operand(this, scope))

    def binary(self, node: Binary) -> Run:
        """An operator: of truths, which may be decided by the left side alone, or of collections."""
        left, right = self.expression(node.left), self.expression(node.right)
        if node.operator in LOGIC:
            return _logical(node.operator, left, right)
        operate = OPERATORS[node.operator]

        def run(this: Collection, scope: Scope) -> Collection:
            first, second = left(this, scope), right(this, scope)
            scope.visit(len(first) + len(second))
            return scope.made(operate(first, second))

        return run

    def type_test(self, node: TypeTest) -> Run:
        """`x is Type`, `x as Type`."""
        operand = self.expression(node.operand)
        matches = self._matcher(node.type, is_exact=node.operator == "as")
        if node.operator == "as":
            return lambda this, scope: [item for item in operand(this, scope) if matches(item)]
        return lambda this, scope: _is(operand(this, scope), matches)

    def call(self, node: Call) -> Run:
        """A function, on its source or on the scope."""
        source = _this if node.source is None else self.part(node.source)
        if node.name in TYPE_FUNCTIONS:
            return self._type_function(node, source)
        if node.name == "sort":
            return self._sort(node, source)
        function = self._function(node)
        compile_ = self._criteria if node.name in _WITH_CRITERIA else self.expression
        return _called(function, source, tuple(map(compile_, node.arguments)))

    def _criteria(self, node: Node) -> Run:
        """Criteria, answered on the bare JSON of an item where its type tells how."""
        run = self.expression(node)
        if self._quick is None:
            return run
        quick = self._quick(node)

        def either(this: Collection, scope: Scope) -> Collection:
            item = this[0]
            if item.__class__ is not Element or item.type is None or item.value.__class__ is not dict:
                return run(this, scope)
            truth = quick.truth(item.type.name)
            if truth is None:
                return run(this, scope)
            answer = truth(item.value, scope)
            return [] if answer is None else [answer]

        return either

    def _function(self, node: Call) -> Function:
        function = FUNCTIONS.get(node.name)
        if function is None:
            near = suggestion(node.name, {*FUNCTIONS, *TYPE_FUNCTIONS, "sort"})
            raise ExpressionError(
                f"character {node.position + 1}: there is no function {node.name}(){near}", node.position
            )
        _check_number(node, function.least, function.most)
        return function

    def _type_function(self, node: Call, source: Run) -> Run:
        _check_number(node, 1, 1)
        matches = self._matcher(_type_name(node.arguments[0]), is_exact=node.name != "is")
        if node.name == "is":
            return lambda this, scope: _is(source(this, scope), matches)
        # R4's own dom-3 asks `descendants().as(canonical)`, so several items are refused in strict mode only.
        return lambda this, scope: [item for item in source(this, scope) if matches(item)]

    def _matcher(self, name: TypeName, *, is_exact: bool) -> Callable[[Item], bool]:
        """Whether an item is of a type; `as` and `ofType` take a primitive only under its own name."""
        self._check_type(name)
        in_system = name.namespace in (None, "System")
        in_fhir = name.namespace in (None, "FHIR")
        wanted, model = name.name, self.navigator.model

        def matches(item: Item) -> bool:
            if item.__class__ is not Element:
                return in_system and (system_name(item) == wanted or wanted == "Any")
            kind = item.type
            if kind is None or not in_fhir:
                return False
            if kind.name == wanted or model is None or (is_exact and kind.kind == "primitive"):
                return kind.name == wanted
            return model.is_a(kind.name, wanted)

        return matches

    def _check_type(self, name: TypeName) -> None:
        model = self.navigator.model
        if name.namespace not in (None, "FHIR", "System"):
            raise ExpressionError(f"{name}: types are those of FHIR and System", name.position)
        if name.namespace == "System" or model is None or (name.namespace is None and name.name in SYSTEM_TYPES):
            return
        if model.type(name.name) is None:
            near = suggestion(name.name, model.names())
            raise ExpressionError(f"character {name.position + 1}: there is no type {name}{near}", name.position)

    def _sort(self, node: Call, source: Run) -> Run:
        _check_number(node, 0, MAX_SORT_KEYS)
        keys = list(map(self._sort_key, node.arguments)) or [(_this, 1)]
        directions = [direction for _, direction in keys]

        def run(this: Collection, scope: Scope) -> Collection:
            found = source(this, scope)
            values = [[single(key([item], scope), "sort()") for key, _ in keys] for item in found]

            def order(left: int, right: int) -> int:
                return _order(values[left], values[right], directions)

            return [found[at] for at in sorted(range(len(found)), key=cmp_to_key(order))]

        return run

    def _sort_key(self, key: Node) -> tuple[Run, int]:
        """What is sorted by, and its direction: a minus before it means from the greatest to the least."""
        is_falling = isinstance(key, Signed) and key.sign == "-"
        return self.expression(key.operand if isinstance(key, Signed) else key), -1 if is_falling else 1


_COMPILE: dict[type[Node], Callable[[Compiler, Any], Run]] = {
    Literal: Compiler.literal,
    Nothing: Compiler.nothing,
    Special: Compiler.special,
    Variable: Compiler.variable,
    Member: Compiler.member,
    Indexed: Compiler.indexed,
    Signed: Compiler.signed,
    Binary: Compiler.binary,
    TypeTest: Compiler.type_test,
    Call: Compiler.call,
}


def _this(this: Collection, _scope: Scope) -> Collection:
    return this


def _index(_this: Collection, scope: Scope) -> Collection:
    return [] if scope.index is None else [scope.index]


def _total(_this: Collection, scope: Scope) -> Collection:
    return scope.total


_SPECIAL: dict[str, Run] = {"$this": _this, "$index": _index, "$total": _total}


def _logical(operator: str, left: Run, right: Run) -> Run:
    combine = LOGIC[operator][2]

    def run(this: Collection, scope: Scope) -> Collection:
        first = boolean(left(this, scope), operator)
        answer = decided(operator, first)
        if answer is None:
            answer = combine(first, boolean(right(this, scope), operator))
        return [] if answer is None else [answer]

    return run


def _called(function: Function, source: Run, arguments: tuple[Run, ...]) -> Run:
    call = _CALLS[function.kind](function.run, arguments)

    def run(this: Collection, scope: Scope) -> Collection:
        items = source(this, scope)
        scope.visit(len(items))
        return scope.made(call(items, this, scope))

    return run


_Call = Callable[[Collection, Collection, Scope], Collection]
"""A function with its arguments: from its input, `$this` and the scope to its answer."""


def _lazily(run: Callable[..., Collection], arguments: tuple[Run, ...]) -> _Call:
    return lambda items, _this, scope: run(scope, items, *arguments)


def _scoped(run: Callable[..., Collection], arguments: tuple[Run, ...]) -> _Call:
    return lambda items, this, scope: run(scope, items, *[each(this, scope) for each in arguments])


def _of_values(run: Callable[..., Collection], arguments: tuple[Run, ...]) -> _Call:
    return lambda items, this, scope: run(items, *[each(this, scope) for each in arguments])


_CALLS: dict[Kind, Callable[[Callable[..., Collection], tuple[Run, ...]], _Call]] = {
    "lazy": _lazily,
    "scoped": _scoped,
    "values": _of_values,
}


def _is(items: Collection, matches: Callable[[Item], bool]) -> Collection:
    if len(items) > 1:
        raise EvaluationError(f"is: expected one item, found {len(items)}")
    return [matches(items[0])] if items else []


def _order(left: list[Item], right: list[Item], directions: list[int]) -> int:
    """The order of two items by their keys; nothing always comes first, what is undecided stays as it was."""
    for one, other, direction in zip(left, right, directions, strict=True):
        if one is None or other is None:
            order = (one is not None) - (other is not None)
        else:
            order = (compare(one, other) or 0) * direction
        if order:
            return order
    return 0


def _check_number(node: Call, least: int, most: int) -> None:
    count = len(node.arguments)
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ExpressionError(
            f"character {node.position + 1}: {node.name}() takes {wanted} arguments, not {count}", node.position
        )


def _type_name(node: Node) -> TypeName:
    """The argument of `is()`, `as()` and `ofType()`: a name, or a name behind its namespace."""
    if isinstance(node, Member):
        if node.source is None:
            return TypeName(node.position, None, node.name)
        if isinstance(node.source, Member) and node.source.source is None:
            return TypeName(node.position, node.source.name, node.name)
    raise ExpressionError(f"character {node.position + 1}: expected the name of a type", node.position)


def _is_fixed(node: Node | None) -> bool:
    """True for a path from `%resource` that is the same for each item: it is walked once in an evaluation."""
    while isinstance(node, Member | Indexed | Call):
        if isinstance(node, Indexed) and not isinstance(node.index, Literal):
            return False
        if isinstance(node, Call) and (node.name not in _FIXED_CALLS or node.arguments):
            return False
        node = node.source
    return isinstance(node, Variable) and node.name in ("resource", "rootResource", "context")


def _once(run: Run) -> Run:
    key = object()

    def remembered(this: Collection, scope: Scope) -> Collection:
        found = scope.found.get(key)
        if found is None:
            found = scope.found[key] = run(this, scope)
        return found

    return remembered


def _defines_variables(node: Node | None) -> bool:
    """True when `defineVariable()` stands somewhere on the path that ends here."""
    while isinstance(node, Call | Member | Indexed):
        if isinstance(node, Call) and node.name == "defineVariable":
            return True
        node = node.source
    return False

"""What can be said against an expression before any resource is there: names, types, comparisons that cannot hold.

The tree is walked once with the types that the model gives. Where a type is not known (a contained resource, a
reference that is followed), nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NoReturn

from fhir_adapter.fhirpath.compile import SYSTEM_TYPES, TYPE_FUNCTIONS, suggestion
from fhir_adapter.fhirpath.errors import ExpressionError
from fhir_adapter.fhirpath.functions import FUNCTIONS
from fhir_adapter.fhirpath.items import system_name
from fhir_adapter.fhirpath.model import Child, Model
from fhir_adapter.fhirpath.tree import (
    Binary,
    Call,
    Indexed,
    Literal,
    Member,
    Node,
    Signed,
    Special,
    TypeTest,
    Variable,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a collection: the types of its items (None: anything), their order, and if they may be many."""

    types: frozenset[str] | None
    is_ordered: bool = True
    many: bool = False


UNKNOWN = Kind(None)
UNORDERED = Kind(None, is_ordered=False)

_CATEGORIES = {
    "Boolean": "boolean",
    "String": "text",
    "Integer": "number",
    "Long": "number",
    "Decimal": "number",
    "Date": "date",
    "DateTime": "date",
    "Time": "time",
    "Quantity": "quantity",
}
_TEXT_QUESTIONS = ("startsWith", "endsWith", "contains", "matches", "matchesFull")
_TEXT_NUMBERS = ("length", "indexOf", "lastIndexOf")
_TEXT_CHANGES = ("replace", "replaceMatches", "upper", "lower", "trim", "toChars", "substring", "split")
_TEXT_INPUT = frozenset({*_TEXT_QUESTIONS, *_TEXT_NUMBERS, *_TEXT_CHANGES})
_ORDERED_INPUT = frozenset({"first", "last", "tail", "skip", "take"})
_SUBSETS = ("where", "first", "last", "tail", "skip", "take", "single", "distinct", "intersect", "exclude")
_SAME_AS_INPUT = frozenset({*_SUBSETS, "trace", "sort", "defineVariable", "checkModifiers"})
_EXISTENCE = ("empty", "exists", "all", "subsetOf", "supersetOf", "isDistinct", "not", "hasValue", "is", "comparable")
_WHOLE = ("allTrue", "anyTrue", "allFalse", "anyFalse", "memberOf", "conformsTo", "htmlChecks")
_ANSWERS = {
    **dict.fromkeys((*_EXISTENCE, *_WHOLE, *_TEXT_QUESTIONS), "Boolean"),
    **dict.fromkeys(("count", "precision", *_TEXT_NUMBERS), "Integer"),
    **dict.fromkeys((*_TEXT_CHANGES, "join", "encode", "decode", "escape", "unescape"), "String"),
    **{f"to{name}": name for name in SYSTEM_TYPES},
    **{f"convertsTo{name}": "Boolean" for name in SYSTEM_TYPES},
    "now": "DateTime",
    "today": "Date",
    "timeOfDay": "Time",
}
_COMPARABLE = frozenset({"text", "number", "date", "time", "quantity"})
_TOGETHER = frozenset({frozenset({"number", "quantity"})})
_SUMS = {
    ("text", "text"): "String",
    ("number", "number"): "Decimal",
    ("quantity", "quantity"): "Quantity",
    ("date", "quantity"): "Date",
    ("time", "quantity"): "Time",
}


def check(tree: Node, kind: str | None, model: Model) -> None:
    """Say what is wrong with an expression on that FHIR type; raises `ExpressionError` for the first such thing."""
    root = UNKNOWN if kind is None else Kind(frozenset({f"FHIR.{kind}"}))
    _Checker(model, kind).kind(tree, root)


class _Checker:
    """Walks through a tree; each method answers what is known of the collection that a node gives."""

    def __init__(self, model: Model, root: str | None) -> None:
        self._model = model
        self._root = root

    def kind(self, node: Node, this: Kind) -> Kind:
        """What a node gives where `$this` is of that kind."""
        judge = _JUDGES.get(type(node))
        return judge(self, node, this) if judge else UNKNOWN

    def literal(self, node: Literal, _this: Kind) -> Kind:
        return _system(system_name(node.value) or "Any")

    def special(self, node: Special, this: Kind) -> Kind:
        return this if node.name == "$this" else _system("Integer") if node.name == "$index" else UNKNOWN

    def variable(self, node: Variable, _this: Kind) -> Kind:
        if node.name in ("sct", "loinc", "ucum") or node.name.startswith(("vs-", "ext-")):
            return _system("String")
        return UNKNOWN

    def member(self, node: Member, this: Kind) -> Kind:
        if node.source is None and node.name[:1].isupper():
            return self._type_at_start(node, this)
        source = this if node.source is None else self.kind(node.source, this)
        if source.types is None:
            return Kind(None, source.is_ordered)
        children = [child for name in source.types if (child := self._child(name, node))]
        if not children:
            self._refuse_member(node, source.types)
        found = {f"FHIR.{kind}" for child in children for kind in child.types}
        unknown = "FHIR.Resource" in found or "FHIR.DomainResource" in found
        many = source.many or any(child.many for child in children)
        return Kind(None if unknown else frozenset(found), source.is_ordered, many)

    def _type_at_start(self, node: Member, this: Kind) -> Kind:
        """`Patient.name`: the name of the type itself, which the focus must have."""
        if this.types is None:
            return _fhir(node.name) if self._model.type(node.name) else UNKNOWN
        if any(self._is_a(name, node.name) for name in this.types):
            return this
        types = _shown(this.types)
        near = "" if self._model.type(node.name) else suggestion(node.name, self._model.names())
        return _refuse(node, f"{node.name} is not what this is evaluated on, which is {types}{near}")

    def _is_a(self, name: str, ancestor: str) -> bool:
        space, _, plain = name.partition(".")
        return space == "FHIR" and self._model.is_a(plain, ancestor)

    def _child(self, name: str, node: Member) -> Child | None:
        space, _, plain = name.partition(".")
        known = self._model.type(plain) if space == "FHIR" else None
        return known.children.get(node.name) if known else None

    def _refuse_member(self, node: Member, types: frozenset[str]) -> NoReturn:
        names: set[str] = set()
        for name in types:
            known = self._model.type(name.partition(".")[2]) if name.startswith("FHIR.") else None
            names |= set(known.children) if known else set()
            if known and node.name in known.by_key:
                choice = known.by_key[node.name][0].name
                _refuse(node, f"{_shown(types)} has {choice}, of which {node.name} is the name in JSON only")
        _refuse(node, f"{_shown(types)} has no element {node.name}{suggestion(node.name, names)}")

    def indexed(self, node: Indexed, this: Kind) -> Kind:
        source = self.kind(node.source, this)
        self._need(node, self.kind(node.index, this), {"number"}, "an index")
        self._need_order(node, source, "[]")
        return replace(source, many=False)

    def signed(self, node: Signed, this: Kind) -> Kind:
        operand = self.kind(node.operand, this)
        self._need(node, operand, {"number", "quantity"}, f"the operand of {node.sign}")
        return operand

    def binary(self, node: Binary, this: Kind) -> Kind:
        left, right = self.kind(node.left, this), self.kind(node.right, this)
        if node.operator == "|":
            return _union((left, right))
        if node.operator in ("+", "-"):
            return self._sum(node, left, right)
        if node.operator in ("<", "<=", ">", ">="):
            self._need(node, left, _COMPARABLE, f"the left side of {node.operator}")
            self._need(node, right, _COMPARABLE, f"the right side of {node.operator}")
        if node.operator in ("=", "!=", "<", "<=", ">", ">=", "in", "contains"):
            self._need_alike(node, left, right)
        if node.operator in ("*", "/", "div", "mod"):
            return UNKNOWN
        return _system("String") if node.operator == "&" else _system("Boolean")

    def _sum(self, node: Binary, left: Kind, right: Kind) -> Kind:
        first, second = self._categories(left), self._categories(right)
        if first is None or second is None:
            return UNKNOWN
        answers = {_SUMS.get((one, other)) for one in first for other in second}
        if node.operator == "-" and ("text" in first or "text" in second):
            answers.discard("String")
        answers.discard(None)
        if not answers:
            _refuse(node, f"{_shown(left.types)} {node.operator} {_shown(right.types)} has no meaning")
        return Kind(frozenset(f"System.{answer}" for answer in answers))

    def type_test(self, node: TypeTest, this: Kind) -> Kind:
        self.kind(node.operand, this)
        return _system("Boolean") if node.operator == "is" else self._named(node.type.namespace, node.type.name)

    def _named(self, namespace: str | None, name: str) -> Kind:
        if namespace != "System" and self._model.type(name) is not None:
            return _fhir(name)
        return _system(name)

    def call(self, node: Call, this: Kind) -> Kind:
        source = this if node.source is None else self.kind(node.source, this)
        if node.name in TYPE_FUNCTIONS:
            return self._type_function(node, source)
        function = FUNCTIONS.get(node.name)
        inner = source if node.name == "sort" or (function and function.kind == "lazy") else this
        arguments = [self._argument(each, inner) for each in node.arguments]
        if node.name in _TEXT_INPUT:
            self._need(node, source, {"text"}, f"the input of {node.name}()")
        if node.name in _ORDERED_INPUT:
            self._need_order(node, source, f"{node.name}()")
        if node.name in ("where", "exists", "all", "iif") and arguments:
            self._need(
                node, arguments[0], {"boolean"}, f"the criterion of {node.name}()", or_complex=node.name != "iif"
            )
        return self._answer(node, source, arguments)

    def _argument(self, node: Node, this: Kind) -> Kind:
        return self.kind(node.operand if isinstance(node, Signed) else node, this)

    def _type_function(self, node: Call, source: Kind) -> Kind:
        if node.name == "as" and source.many:
            _refuse(node, "as() takes one item, and here there can be several; ofType() takes them")
        argument = node.arguments[0] if node.arguments else None
        if node.name == "is" or not isinstance(argument, Member):
            return _system("Boolean")
        space = argument.source.name if isinstance(argument.source, Member) else None
        return self._named(space, argument.name)

    def _answer(self, node: Call, source: Kind, arguments: list[Kind]) -> Kind:
        if node.name in _SAME_AS_INPUT:
            return replace(source, many=source.many and node.name not in ("first", "last", "single"))
        derived = _DERIVED.get(node.name)
        if derived is not None:
            return derived(source, arguments)
        answer = _ANSWERS.get(node.name)
        return _system(answer) if answer else UNKNOWN

    # What must fit

    def _categories(self, kind: Kind) -> frozenset[str] | None:
        """In what ways the items can be compared and calculated with; None when nothing is known."""
        return None if kind.types is None else frozenset(map(self._category, kind.types))

    def _category(self, name: str) -> str:
        space, _, plain = name.partition(".")
        if space == "System":
            return _CATEGORIES.get(plain, "complex")
        if self._model.is_a(plain, "Quantity"):
            return "quantity"
        return _CATEGORIES.get(self._model.system_type(plain) or "", "complex")

    def _need(self, node: Node, kind: Kind, wanted: Iterable[str], what: str, *, or_complex: bool = False) -> None:
        found = self._categories(kind)
        allowed = {*wanted, *(("complex",) if or_complex else ())}
        if found is not None and found.isdisjoint(allowed):
            _refuse(node, f"{what} must be {' or '.join(sorted(wanted))}, not {_shown(kind.types)}")

    def _need_alike(self, node: Binary, left: Kind, right: Kind) -> None:
        first, second = self._categories(left), self._categories(right)
        if first is None or second is None:
            return
        pairs = (frozenset({one, other}) for one in first for other in second)
        if not any(len(pair) == 1 or pair in _TOGETHER for pair in pairs):
            _refuse(node, f"{_shown(left.types)} {node.operator} {_shown(right.types)} can never hold")

    def _need_order(self, node: Node, kind: Kind, what: str) -> None:
        if not kind.is_ordered:
            _refuse(node, f"{what} needs an order, which children() and descendants() do not have")


_JUDGES: dict[type[Node], Callable[..., Kind]] = {
    Literal: _Checker.literal,
    Special: _Checker.special,
    Variable: _Checker.variable,
    Member: _Checker.member,
    Indexed: _Checker.indexed,
    Signed: _Checker.signed,
    Binary: _Checker.binary,
    TypeTest: _Checker.type_test,
    Call: _Checker.call,
}


def _system(name: str) -> Kind:
    return Kind(frozenset({f"System.{name}"}))


def _fhir(name: str) -> Kind:
    return UNKNOWN if name in ("Resource", "DomainResource", "Element") else Kind(frozenset({f"FHIR.{name}"}))


def _union(kinds: Iterable[Kind]) -> Kind:
    types: frozenset[str] = frozenset()
    is_ordered = True
    for kind in kinds:
        if kind.types is None:
            return Kind(None, is_ordered and kind.is_ordered)
        types |= kind.types
        is_ordered = is_ordered and kind.is_ordered
    return Kind(types or None, is_ordered)


def _shown(types: frozenset[str] | None) -> str:
    names = sorted(name.removeprefix("FHIR.") for name in types or ())
    return ", ".join(names) if names else "anything"


def _refuse(node: Node, what: str) -> NoReturn:
    raise ExpressionError(f"character {node.position + 1}: {what}", node.position)


_DERIVED: dict[str, Callable[[Kind, list[Kind]], Kind]] = {
    "children": lambda _source, _arguments: UNORDERED,
    "descendants": lambda _source, _arguments: UNORDERED,
    "extension": lambda _source, _arguments: _fhir("Extension"),
    "union": lambda source, arguments: _union((source, *arguments)),
    "combine": lambda source, arguments: _union((source, *arguments)),
    "iif": lambda _source, arguments: _union(arguments[1:]),
    "select": lambda _source, arguments: arguments[0] if arguments else UNKNOWN,
}

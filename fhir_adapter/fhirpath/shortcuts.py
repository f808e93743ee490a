"""Which expressions can be answered on the bare JSON of a resource, without making elements of it first.

Where the model knows the types along a path, `path.exists()` is a look into a dictionary. Most invariants are built of
such questions, joined by `and`, `or`, `implies` and `where(...)`. A part that is not of this kind is evaluated in the
general way, from the place where it stands; the answers are the same (a property test holds that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Any, ClassVar, Protocol, TypeVar

from fhir_adapter.fhirpath.bare_json import (
    NOWHERE,
    Gather,
    Json,
    Path,
    Stands,
    Step,
    existence,
    gathering,
    number_of_children,
)
from fhir_adapter.fhirpath.compile import Compiler
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.strings import QUESTIONS, is_found
from fhir_adapter.fhirpath.items import Element, boolean, distinct
from fhir_adapter.fhirpath.model import Type
from fhir_adapter.fhirpath.navigate import Navigator, Untyped
from fhir_adapter.fhirpath.operators import LOGIC, decided
from fhir_adapter.fhirpath.scope import REGEX_SECONDS, Scope
from fhir_adapter.fhirpath.tree import Binary, Call, Indexed, Literal, Member, Node, Signed, Special, TypeTest


class Question(Protocol):
    """What surrounds bare JSON where it is asked: from outside, or in the middle of a general evaluation."""

    patience: float

    def scope(self) -> Scope:
        """The scope of the general way."""
        ...


Truth = Callable[[Json, Question], bool | None]
"""From a JSON object, and what surrounds it, to a truth."""

Values = Callable[[Json, Question], list[Any]]
Answer = TypeVar("Answer")

_BOOLEAN_CALLS = frozenset({"exists", "empty", "not", "all", "hasValue", "isDistinct", "matches", *QUESTIONS})
_NO_SHORTCUT = ("defineVariable", "trace")
_STRINGS = "String"
_OWN_CHILDREN = Call(0, None, "children", ())
_ORDERS: dict[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


class Asked:
    """One question to an expression; its scope is made only when a part needs it."""

    __slots__ = ("_environment", "_kind", "_navigator", "_resource", "_scope", "patience")

    def __init__(
        self, navigator: Navigator | Untyped, resource: Json, kind: str | None, environment: Mapping[str, Any]
    ) -> None:
        self._navigator = navigator
        self._resource = resource
        self._kind = kind
        self._environment = environment
        self._scope: Scope | None = None
        self.patience = REGEX_SECONDS

    def scope(self) -> Scope:
        """The scope of the general way."""
        if self._scope is None:
            focus = self._navigator.root(self._resource, self._kind)
            self._scope = Scope(self._navigator, focus, self._environment)
            self._scope.patience = self.patience
        return self._scope


class Shortcuts:
    """What of one expression can be answered quickly, for each type on which it is evaluated."""

    def __init__(self, navigator: Navigator | Untyped, tree: Node) -> None:
        self._tree = tree
        self._builder = None if isinstance(navigator, Untyped) or _needs_more(tree) else _Builder(navigator)
        self._truths: dict[Any, Truth | None] = {}
        self._values: dict[Any, Values | None] = {}

    def truth(self, kind: Json) -> Truth | None:
        """The quick answer as a truth; None when there is none."""
        try:
            return self._truths[kind]
        except (KeyError, TypeError):
            return self._remembered(kind, self._truths, _Builder.known_truth)

    def values(self, kind: Json) -> Values | None:
        """The quick answer as JSON values; None when there is none."""
        try:
            return self._values[kind]
        except (KeyError, TypeError):
            return self._remembered(kind, self._values, _Builder.values)

    def _remembered(
        self, kind: Json, answers: dict[Any, Answer | None], build: Callable[[_Builder, Node, Type], Answer | None]
    ) -> Answer | None:
        """The answer for a type that was not asked before; none for what is no type of the model."""
        known = self._builder.type(kind) if self._builder and isinstance(kind, str) else None
        if known is None or self._builder is None:
            return None
        answers[kind] = build(self._builder, self._tree, known)
        return answers[kind]


def compiler_for(navigator: Navigator | Untyped) -> Compiler:
    """The compiler of the general way, which comes back here where it meets criteria."""
    return Compiler(navigator, lambda node: Shortcuts(navigator, node))


def _needs_more(node: Node) -> bool:
    """True when an expression counts (`$index`, `$total`) or remembers, which only the general way does."""
    if isinstance(node, Special) and node.name != "$this":
        return True
    if isinstance(node, Call) and node.name in _NO_SHORTCUT:
        return True
    return any(map(_needs_more, _parts(node)))


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Call):
        yield from node.arguments
    if isinstance(node, Call | Member | Indexed) and node.source is not None:
        yield node.source
    if isinstance(node, Indexed):
        yield node.index
    if isinstance(node, Signed | TypeTest):
        yield node.operand
    if isinstance(node, Binary):
        yield node.left
        yield node.right


class _Builder:
    """Makes quick answers out of trees, for one model."""

    def __init__(self, navigator: Navigator) -> None:
        self._navigator = navigator
        self._model = navigator.model
        self._compiler = compiler_for(navigator)

    def type(self, name: str) -> Type | None:
        return self._model.type(name)

    # Paths

    def path(self, node: Node | None, kind: Type) -> Path | None:
        """A path whose places in JSON are all known; None for anything else."""
        if node is None or (isinstance(node, Special) and node.name == "$this"):
            return Path((), kind)
        if isinstance(node, Member):
            if node.source is None and node.name[:1].isupper():
                return self._start(node.name, kind)
            return self._member(self.path(node.source, kind), node.name)
        if isinstance(node, TypeTest) and node.operator == "as" and node.type.namespace in (None, "FHIR"):
            return self._narrowed(self.path(node.operand, kind), node.type.name)
        if isinstance(node, Call) and len(node.arguments) == 1:
            return self._call_path(node, node.arguments[0], kind)
        return None

    def _call_path(self, node: Call, argument: Node, kind: Type) -> Path | None:
        if node.name == "select":
            return self._selected(self.path(node.source, kind), argument)
        if node.name in ("ofType", "as") and isinstance(argument, Member) and argument.source is None:
            return self._narrowed(self.path(node.source, kind), argument.name)
        return None

    def _selected(self, path: Path | None, projection: Node) -> Path | None:
        """`a.select(b.c)` leads where `a.b.c` does."""
        if path is NOWHERE:
            return NOWHERE
        if path is None or path.type is None or path.type.kind == "primitive":
            return None
        inner = self.path(projection, path.type)
        if inner is None or inner is NOWHERE:
            return inner
        return Path((*path.steps, *inner.steps), inner.type, inner.child)

    def _start(self, name: str, kind: Type) -> Path | None:
        """A path that begins with the name of a type, which is that of the resource or not."""
        if self._model.is_a(kind.name, name):
            return Path((), kind)
        return None if name in kind.children else NOWHERE

    def _member(self, path: Path | None, name: str) -> Path | None:
        if path is NOWHERE:
            return NOWHERE
        if path is None or path.type is None or path.type.kind == "primitive":
            return None
        child = path.type.children.get(name)
        if child is None:
            return None
        siblings = tuple(f"_{key}" for key, kind in child.keys if self._is_primitive(kind))
        step = Step(tuple(key for key, _ in child.keys), siblings)
        only = self.type(child.keys[0][1]) if len(child.keys) == 1 else None
        return Path((*path.steps, step), only, child)

    def _is_primitive(self, name: str) -> bool:
        kind = self.type(name)
        return kind is None or kind.kind == "primitive"

    def _narrowed(self, path: Path | None, name: str) -> Path | None:
        """A choice of which one type is wanted: `value as Quantity` stands under `valueQuantity` only."""
        if path is NOWHERE:
            return NOWHERE
        if path is None or path.child is None or not path.child.choice or path.type is not None:
            return None
        keys = [key for key, kind in path.child.keys if kind == name]
        if len(keys) != 1 or any(self._model.is_a(kind, name) and kind != name for _, kind in path.child.keys):
            return None
        siblings = (f"_{keys[0]}",) if self._is_primitive(name) else ()
        step = Step((keys[0],), siblings)
        return Path((*path.steps[:-1], step), self.type(name))

    # Truths

    def known_truth(self, node: Node, kind: Type) -> Truth | None:
        """The quick answer of a whole expression; None when there is nothing quick about it."""
        return self._quick(node, kind)

    def truth(self, node: Node, kind: Type) -> Truth:
        """The answer of a part, in the quick way or in the general one."""
        return self._quick(node, kind) or self._general(node, kind)

    def _quick(self, node: Node, kind: Type) -> Truth | None:
        if isinstance(node, Literal) and isinstance(node.value, bool):
            answer = node.value
            return lambda _value, _asked: answer
        if isinstance(node, Binary):
            return self._binary(node, kind)
        if isinstance(node, Call):
            return self._call(node, kind)
        return self._boolean_member(node, kind)

    def _boolean_member(self, node: Node, kind: Type) -> Truth | None:
        """`isModifier`, which is true or false itself."""
        path = self.path(node, kind)
        if path is None or path.type is None or not path.steps or self._navigator.system(path.type) != "Boolean":
            return None
        gather = gathering(path)

        def itself(value: Json, _asked: Question) -> bool | None:
            found = _only(gather(value), "the expression")
            return found[0] if found and isinstance(found[0], bool) else None if not found else True

        return itself

    def _general(self, node: Node, kind: Type) -> Truth:
        run = self._compiler.expression(node)
        system = self._navigator.system(kind)

        def general(value: Json, asked: Question) -> bool | None:
            return boolean(run([Element(value, kind, system)], asked.scope()), str(node))

        return general

    def _binary(self, node: Binary, kind: Type) -> Truth | None:
        if node.operator in LOGIC:
            return _logical(node.operator, self.truth(node.left, kind), self.truth(node.right, kind))
        if node.operator in ("=", "!="):
            return self._equality(node, kind)
        if node.operator == "in":
            return self._within(node, kind)
        return self._order_of_counts(node, kind)

    def _order_of_counts(self, node: Binary, kind: Type) -> Truth | None:
        """`children().count() > id.count()`, which every element of every resource is asked."""
        compare = _ORDERS.get(node.operator)
        left, right = self._count(node.left, kind), self._count(node.right, kind)
        if compare is None or left is None or right is None:
            return None
        return lambda value, _asked: compare(left(value), right(value))

    def _count(self, node: Node, kind: Type) -> Callable[[Json], int] | None:
        if isinstance(node, Literal) and type(node.value) is int:
            number = node.value
            return lambda _value: number
        if not isinstance(node, Call) or node.name != "count" or node.arguments:
            return None
        if isinstance(node.source, Call) and node.source == _OWN_CHILDREN and kind.kind != "primitive":
            names = frozenset(kind.by_key)
            return lambda value: number_of_children(value, names)
        path = self.path(node.source, kind)
        if path is None or not path.steps:
            return None
        gather = gathering(path)
        return lambda value: len(gather(value))

    def _equality(self, node: Binary, kind: Type) -> Truth | None:
        is_same = node.operator == "="
        if _is_boolean(node.left) and _is_boolean(node.right):
            return _same_truths(self.truth(node.left, kind), self.truth(node.right, kind), is_same=is_same)
        path = self._text_path(node.left, kind)
        if path is None or not isinstance(node.right, Literal) or not isinstance(node.right.value, str):
            return None
        gather, wanted = gathering(path), node.right.value

        def equals(value: Json, _asked: Question) -> bool | None:
            found = gather(value)
            if not found:
                return None
            return (len(found) == 1 and found[0] == wanted) is is_same

        return equals

    def _text_path(self, node: Node | None, kind: Type) -> Path | None:
        """A path to texts only."""
        path = self.path(node, kind)
        if path is None or path.type is None or not path.steps:
            return None
        return path if self._navigator.system(path.type) == _STRINGS else None

    def _within(self, node: Binary, kind: Type) -> Truth | None:
        path, texts = self._text_path(node.left, kind), _texts(node.right)
        if path is None or texts is None:
            return None
        gather = gathering(path)

        def within(value: Json, _asked: Question) -> bool | None:
            found = _only(gather(value), "the left side of in")
            return isinstance(found[0], str) and found[0] in texts if found else None

        return within

    def _call(self, node: Call, kind: Type) -> Truth | None:
        quick = self._CALLS.get((node.name, len(node.arguments)))
        return quick(self, node, kind) if quick else None

    def _not(self, node: Call, kind: Type) -> Truth | None:
        if node.source is None or not _is_boolean(node.source):
            return None
        return _negated(self.truth(node.source, kind))

    def _iif(self, node: Call, kind: Type) -> Truth | None:
        if node.source is not None:
            return None
        return _either_way(*(self.truth(each, kind) for each in node.arguments))

    def _has_value(self, node: Call, kind: Type) -> Truth | None:
        """A group of elements is no primitive, so it has no value."""
        return (lambda _value, _asked: False) if node.source is None and kind.kind != "primitive" else None

    def _exists(self, node: Call, kind: Type) -> Truth | None:
        return self._existence(node.source, kind)

    def _empty(self, node: Call, kind: Type) -> Truth | None:
        found = self._existence(node.source, kind)
        return None if found is None else _negated(found)

    def _exists_with(self, node: Call, kind: Type) -> Truth | None:
        return self._some(node.source, node.arguments[0], kind)

    def _all(self, node: Call, kind: Type) -> Truth | None:
        return self._every(node.source, node.arguments[0], kind)

    def _question(self, node: Call, kind: Type) -> Truth | None:
        """`startsWith()` and the like of one text and a text that is written."""
        path, part = self._text_path(node.source, kind), node.arguments[0]
        if path is None or not isinstance(part, Literal) or not isinstance(part.value, str):
            return None
        return _of_one_text(gathering(path), node.name, part.value)

    def _is_distinct(self, node: Call, kind: Type) -> Truth | None:
        path = self._text_path(node.source, kind)
        if path is None:
            return None
        gather, general = gathering(path), self._general(node, kind)

        def is_distinct(value: Json, asked: Question) -> bool | None:
            found = gather(value)
            if all(each.__class__ is str for each in found):
                return len(set(found)) == len(found)
            return general(value, asked)

        return is_distinct

    _CALLS: ClassVar[dict[tuple[str, int], Callable[[_Builder, Call, Type], Truth | None]]] = {
        ("not", 0): _not,
        ("iif", 2): _iif,
        ("iif", 3): _iif,
        ("hasValue", 0): _has_value,
        ("exists", 0): _exists,
        ("empty", 0): _empty,
        ("exists", 1): _exists_with,
        ("all", 1): _all,
        ("isDistinct", 0): _is_distinct,
        ("matches", 1): _question,
        **dict.fromkeys(((name, 1) for name in QUESTIONS), _question),
    }

    def _existence(self, source: Node | None, kind: Type) -> Truth | None:
        if isinstance(source, Call) and source.name == "where" and len(source.arguments) == 1:
            return self._some(source.source, source.arguments[0], kind)
        path = self.path(source, kind)
        if path is NOWHERE:
            return lambda _value, _asked: False
        return _asked(existence(path)) if path and path.steps else None

    def _items(self, source: Node | None, kind: Type) -> tuple[Gather, Type] | None:
        """The elements at the end of a path, if they are groups of one known type."""
        path = self.path(source, kind)
        if path is None or path.type is None or path.type.kind == "primitive" or path.type.name == "Resource":
            return None
        return gathering(path), path.type

    def _some(self, source: Node | None, criteria: Node, kind: Type) -> Truth | None:
        found = self._items(source, kind)
        if found is None:
            return self._unless_nothing(source, Call(0, source, "exists", (criteria,)), kind, of_nothing=False)
        gather, inner = found
        holds = self._of_any_shape(criteria, inner)
        return lambda value, asked: any(holds(item, asked) for item in gather(value))

    def _unless_nothing(self, source: Node | None, node: Node, kind: Type, *, of_nothing: bool) -> Truth | None:
        """The general way, where there is something to ask: most resources contain no others."""
        path = self.path(source, kind)
        if path is None or not path.steps:
            return None
        gather, general = gathering(path), self._general(node, kind)
        return lambda value, asked: general(value, asked) if gather(value) else of_nothing

    def _every(self, source: Node | None, criteria: Node, kind: Type) -> Truth | None:
        found = self._items(source, kind)
        if found is None:
            return self._unless_nothing(source, Call(0, source, "all", (criteria,)), kind, of_nothing=True)
        gather, inner = found
        holds = self._of_any_shape(criteria, inner)
        return lambda value, asked: all(holds(item, asked) for item in gather(value))

    def _of_any_shape(self, node: Node, kind: Type) -> Truth:
        """As `truth`, also for what should be an object and is not."""
        quick = self._quick(node, kind)
        general = self._general(node, kind)
        if quick is None:
            return general
        return lambda value, asked: quick(value, asked) if value.__class__ is dict else general(value, asked)

    # Values

    def values(self, node: Node, kind: Type) -> Values | None:
        """The values at the end of paths, or a truth as one."""
        path = self.path(node, kind)
        if path is not None and path is not NOWHERE:
            gather = gathering(path)
            return lambda value, _asked: gather(value)
        if _is_boolean(node):
            truth = self._quick(node, kind)
            return None if truth is None else lambda value, asked: _listed(truth(value, asked))
        found = self._united(node, kind)
        return None if found is None else self._together(found)

    def _united(self, node: Node, kind: Type) -> list[tuple[Values, Type]] | None:
        """The parts of `a | b | c.where(...)`, each with the type of its values; those that lead nowhere left out."""
        if isinstance(node, Binary) and node.operator == "|":
            left, right = self._united(node.left, kind), self._united(node.right, kind)
            return None if left is None or right is None else [*left, *right]
        if isinstance(node, Call) and node.name == "where" and len(node.arguments) == 1:
            return self._filtered(node, kind)
        path = self.path(node, kind)
        if path is NOWHERE:
            return []
        if path is None or path.type is None or path.type.name == "Resource":
            return None
        gather = gathering(path)
        return [(lambda value, _asked: gather(value), path.type)]

    def _filtered(self, node: Call, kind: Type) -> list[tuple[Values, Type]] | None:
        if self.path(node.source, kind) is NOWHERE:
            return []
        found = self._items(node.source, kind)
        if found is None:
            return None
        gather, inner = found
        holds = self._of_any_shape(node.arguments[0], inner)
        return [(lambda value, asked: [item for item in gather(value) if holds(item, asked)], inner)]

    def _together(self, parts: list[tuple[Values, Type]]) -> Values:
        """The values of several paths, each of them once."""
        with_systems = [(gather, kind, self._navigator.system(kind)) for gather, kind in parts]

        def gather_all(value: Json, asked: Question) -> list[Any]:
            found = [(each, kind, system) for gather, kind, system in with_systems for each in gather(value, asked)]
            if len(found) < 2:  # noqa: PLR2004 - one value repeats nothing
                return [each for each, _, _ in found]
            return [item.value for item in distinct(Element(*one) for one in found)]

        return gather_all


def _only(found: list[Any], what: str) -> list[Any]:
    if len(found) > 1:
        raise EvaluationError(f"{what}: expected one item, found {len(found)}")
    return found


def _of_one_text(gather: Gather, name: str, part: str) -> Truth:
    """A question about the one text at the end of a path; nothing where there is none."""
    holds = QUESTIONS.get(name)

    def ask(value: Json, asked: Question) -> bool | None:
        found = _only(gather(value), f"{name}()")
        if not found or found[0] is None:
            return None
        if not isinstance(found[0], str):
            raise EvaluationError(f"{name}(): expected a string, found something else")
        return holds(found[0], part) if holds else is_found(part, found[0], asked)

    return ask


def _asked(stands: Stands) -> Truth:
    return lambda value, _asked: stands(value)


def _listed(truth: bool | None) -> list[Any]:
    return [] if truth is None else [truth]


def _is_boolean(node: Node) -> bool:
    """True when an expression gives a boolean or nothing."""
    if isinstance(node, Literal):
        return isinstance(node.value, bool)
    if isinstance(node, Binary):
        return node.operator in LOGIC or node.operator in ("=", "!=", "in")
    return isinstance(node, Call) and node.name in _BOOLEAN_CALLS


def _texts(node: Node) -> frozenset[str] | None:
    """The texts of `'a' | 'b' | 'c'`; None for anything else."""
    texts = set()
    while isinstance(node, Binary) and node.operator == "|":
        if not isinstance(node.right, Literal) or not isinstance(node.right.value, str):
            return None
        texts.add(node.right.value)
        node = node.left
    if isinstance(node, Literal) and isinstance(node.value, str):
        return frozenset({*texts, node.value})
    return None


def _logical(operator: str, left: Truth, right: Truth) -> Truth:
    if operator == "or":

        def either(value: Json, asked: Question) -> bool | None:
            first = left(value, asked)
            if first:
                return True
            second = right(value, asked)
            return True if second else None if first is None or second is None else False

        return either
    if operator == "and":

        def both(value: Json, asked: Question) -> bool | None:
            first = left(value, asked)
            if first is False:
                return False
            second = right(value, asked)
            return False if second is False else None if first is None or second is None else True

        return both
    combine = LOGIC[operator][2]

    def combined(value: Json, asked: Question) -> bool | None:
        first = left(value, asked)
        answer = decided(operator, first)
        return combine(first, right(value, asked)) if answer is None else answer

    return combined


def _either_way(criterion: Truth, then: Truth, otherwise: Truth = lambda _value, _asked: None) -> Truth:
    return lambda value, asked: then(value, asked) if criterion(value, asked) else otherwise(value, asked)


def _negated(truth: Truth) -> Truth:
    def opposite(value: Json, asked: Question) -> bool | None:
        found = truth(value, asked)
        return None if found is None else not found

    return opposite


def _same_truths(left: Truth, right: Truth, *, is_same: bool) -> Truth:
    def same(value: Json, asked: Question) -> bool | None:
        first, second = left(value, asked), right(value, asked)
        return None if first is None or second is None else (first is second) is is_same

    return same

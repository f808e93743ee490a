"""What an expression may ask for while it is evaluated: variables, hooks, the clock, and how much work it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.items import Collection, Element, Item, exact
from fhir_adapter.fhirpath.navigate import Navigator, Untyped

MAX_STEPS = 3_000_000
"""How much one evaluation may do before it is given up: every item that a part of it looks at or makes is one step."""

_CHARACTERS_A_STEP = 16
"""How many characters of a text that was made are one step, so that what is kept of such texts stays small."""

REGEX_SECONDS = 1.0
"""How long all regular expressions of one evaluation may look at texts."""

MAX_TEXT = 1_000_000
"""How many characters a text made by an expression may have."""

CONSTANTS = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
_PREFIXES = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}

HOOKS = ("resolve", "member_of", "conforms_to", "element_definition", "trace", "now")
"""What a caller may hand in to answer what a resource alone does not say."""

_GIVEN = frozenset({*HOOKS, "resource", "root_resource"})


class Scope:
    """One evaluation: what `%name`, `$index`, `$total`, `now()` and the hooks are in it."""

    __slots__ = (
        *("found", "index", "moment", "navigator", "patience", "steps", "total", "variables"),
        *("_environment", "_focus", "_resource", "_root"),
    )

    def __init__(self, navigator: Navigator | Untyped, focus: Element, environment: Mapping[str, Any]) -> None:
        self.navigator = navigator
        self._focus = focus
        self._environment = environment
        self._resource: Element | None = None
        self._root: Element | None = None
        self.variables: Mapping[str, Collection] = _NONE
        """What `defineVariable()` has named so far."""
        self.found: dict[object, Collection] = {}
        """What was found already of what is the same throughout one evaluation."""
        self.index: int | None = None
        self.total: Collection = []
        self.moment: datetime | None = None
        self.steps = 0
        self.patience = REGEX_SECONDS

    @property
    def resource(self) -> Element:
        """`%resource`: what the caller named, or what the evaluation is about."""
        if self._resource is None:
            given = self._environment.get("resource")
            self._resource = self._focus if given is None else self.navigator.root(given)
        return self._resource

    @property
    def root(self) -> Element:
        """`%rootResource`: the resource that contains `%resource`, or that one itself."""
        if self._root is None:
            given = self._environment.get("root_resource")
            self._root = self.resource if given is None else self.navigator.root(given)
        return self._root

    def scope(self) -> Scope:
        """This scope: what asks on bare JSON may come from here as well as from outside."""
        return self

    def visit(self, items: int = 1) -> None:
        """Count items that are looked at; raises `EvaluationError` when there is no end to it."""
        self.steps += items
        if self.steps > MAX_STEPS:
            raise EvaluationError(f"given up after {MAX_STEPS} items: the expression asks for too much")

    def made(self, items: Collection) -> Collection:
        """Count what a part of the expression made, and hand it on."""
        count = len(items)
        if count == 1 and items[0].__class__ is str:
            count += len(items[0]) // _CHARACTERS_A_STEP
        self.visit(count)
        return items

    def each(self, items: Collection) -> Iterator[Item]:
        """The items one by one, with `$index`."""
        outer = self.index
        try:
            for index, item in enumerate(items):
                self.visit()
                self.index = index
                yield item
        finally:
            self.index = outer

    def hook(self, name: str) -> Callable[..., Any] | None:
        """The caller's answer to a question, when one was handed in."""
        found: Callable[..., Any] | None = self._environment.get(name)
        return found

    def now(self) -> datetime:
        """The moment of this evaluation: the same however often it is asked."""
        if self.moment is None:
            given = self._environment.get("now")
            self.moment = given if isinstance(given, datetime) else datetime.now(UTC).astimezone()
        return self.moment

    def variable(self, name: str) -> Collection:
        """The value of `%name`; raises `EvaluationError` when nobody has given one."""
        found = self.variables.get(name)
        if found is None:
            found = self._given(name)
        if found is None:
            known = {*self.variables, *_OWN, *CONSTANTS, *(self._environment.keys() - _GIVEN)}
            raise EvaluationError(
                f"%{name} is not defined; known are {', '.join(f'%{each}' for each in sorted(known))}"
            )
        return found

    def _given(self, name: str) -> Collection | None:
        own = _OWN.get(name)
        if own is not None:
            return [own(self)]
        if name in self._environment and name not in _GIVEN:
            return _items(self._environment[name], self.navigator)
        if name in CONSTANTS:
            return [CONSTANTS[name]]
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
        return [_PREFIXES[prefix] + name.removeprefix(prefix)] if prefix else None

    def define(self, name: str, value: Collection) -> None:
        """Give `%name` a value; raises `EvaluationError` when it has one already."""
        if name in self.variables or self._given(name) is not None:
            raise EvaluationError(f"%{name} is defined already")
        self.variables = {**self.variables, name: value}


_NONE: Mapping[str, Collection] = {}
_OWN: dict[str, Callable[[Scope], Element]] = {
    "context": lambda scope: scope._focus,  # noqa: SLF001 - its own
    "resource": lambda scope: scope.resource,
    "rootResource": lambda scope: scope.root,
}


def bounded(text: str) -> str:
    """A text made by an expression, if it has a sensible length; raises `EvaluationError` otherwise."""
    if len(text) > MAX_TEXT:
        raise EvaluationError(f"a text of {len(text)} characters; at most {MAX_TEXT} are made")
    return text


def one(item: Item) -> Collection:
    """A collection of one item, or none when there is no item."""
    return [] if item is None else [item]


def _items(value: Any, navigator: Navigator | Untyped) -> Collection:  # noqa: ANN401 - JSON is any value
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [_item(each, navigator) for each in values]


def _item(value: Any, navigator: Navigator | Untyped) -> Item:  # noqa: ANN401 - JSON is any value
    if isinstance(value, dict):
        return navigator.root(value)
    return exact(value) if isinstance(value, float | Decimal) else value

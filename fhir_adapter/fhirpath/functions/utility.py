"""Which functions look from outside: the clock, the trace, variables."""

from __future__ import annotations

from fhir_adapter.fhirpath import temporal
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import Run, function, lazy, scoped
from fhir_adapter.fhirpath.items import Collection, Element, Item, system_name, text, to_json
from fhir_adapter.fhirpath.scope import Scope


@lazy("trace", 1, 2)
def trace(scope: Scope, items: Collection, name: Run, projection: Run | None = None) -> Collection:
    """The items as they are; the hook `trace` is told of them (or of a projection), nothing is printed."""
    sink = scope.hook("trace")
    called = text(name(items, scope), "trace()")
    if sink is not None:
        shown = items if projection is None else [each for item in items for each in projection([item], scope)]
        sink(called, [to_json(item) for item in shown])
    return items


@scoped("now")
def now(scope: Scope, _items: Collection) -> Collection:
    """The moment of this evaluation."""
    return [temporal.now(scope.now())]


@scoped("today")
def today(scope: Scope, _items: Collection) -> Collection:
    """The day of this evaluation."""
    return [temporal.today(scope.now())]


@scoped("timeOfDay")
def time_of_day(scope: Scope, _items: Collection) -> Collection:
    """The time of day of this evaluation."""
    return [temporal.time_of_day(scope.now())]


@function("type")
def type_(items: Collection) -> Collection:
    """What type each item is of: `namespace` (`System`, `FHIR`) and `name`."""
    return [Element(_type_info(item), None) for item in items]


def _type_info(item: Item) -> dict[str, str]:
    if isinstance(item, Element):
        return {"namespace": "FHIR", "name": item.type.name if item.type else "Element"}
    return {"namespace": "System", "name": system_name(item) or "Any"}


@lazy("defineVariable", 1, 2)
def define_variable(scope: Scope, items: Collection, name: Run, value: Run | None = None) -> Collection:
    """The items as they are; from here on `%name` is the value, or the items themselves."""
    called = text(name(items, scope), "defineVariable()")
    if called is None:
        raise EvaluationError("defineVariable(): expected a name")
    scope.define(called, items if value is None else value(items, scope))
    return items

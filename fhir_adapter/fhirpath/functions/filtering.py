"""Which functions choose among items, make other items of them, or gather them to one."""

from __future__ import annotations

from collections import deque

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import Run, lazy
from fhir_adapter.fhirpath.items import Collection, Distinct, boolean
from fhir_adapter.fhirpath.scope import Scope


@lazy("where", 1)
def where(scope: Scope, items: Collection, criteria: Run) -> Collection:
    """The items for which the criteria hold."""
    return [item for item in scope.each(items) if boolean(criteria([item], scope), "where()")]


@lazy("select", 1)
def select(scope: Scope, items: Collection, projection: Run) -> Collection:
    """What the projection makes of each item, in one collection."""
    return [made for item in scope.each(items) for made in projection([item], scope)]


@lazy("repeat", 1)
def repeat(scope: Scope, items: Collection, projection: Run) -> Collection:
    """What the projection makes of the items, then of that, until nothing new comes."""
    known = Distinct()
    found: Collection = []
    ahead = deque(items)
    while ahead:
        item = ahead.popleft()
        for each in projection([item], scope):
            scope.visit()
            if known.add(each):
                found.append(each)
                ahead.append(each)
    return found


@lazy("repeatAll", 1)
def repeat_all(scope: Scope, items: Collection, projection: Run) -> Collection:
    """As `repeat`, with everything that comes again; without an end it is given up."""
    found: Collection = []
    ahead = deque(items)
    while ahead:
        made = projection([ahead.popleft()], scope)
        scope.visit(1 + len(made))
        found += made
        ahead += made
    return found


@lazy("aggregate", 1, 2)
def aggregate(scope: Scope, items: Collection, aggregator: Run, start: Run | None = None) -> Collection:
    """One answer from all items: `$total` is the answer so far."""
    outer = scope.total
    total = start(items, scope) if start else []
    try:
        for item in scope.each(items):
            scope.total = total
            total = aggregator([item], scope)
    finally:
        scope.total = outer
    return total


@lazy("iif", 2, 3)
def iif(scope: Scope, items: Collection, criterion: Run, then: Run, otherwise: Run | None = None) -> Collection:
    """One of two expressions; the other one is not evaluated."""
    if len(items) > 1:
        raise EvaluationError(f"iif(): expected one item, found {len(items)}")
    if boolean(criterion(items, scope), "the criterion of iif()"):
        return then(items, scope)
    return otherwise(items, scope) if otherwise else []


@lazy("coalesce", 1, 20)
def coalesce(scope: Scope, items: Collection, *choices: Run) -> Collection:
    """The first of several expressions that gives something."""
    return next((found for choice in choices if (found := choice(items, scope))), [])

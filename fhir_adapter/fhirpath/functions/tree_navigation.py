"""Which functions walk through the tree of a resource."""

from __future__ import annotations

from collections import deque

from fhir_adapter.fhirpath.functions.registry import scoped
from fhir_adapter.fhirpath.items import Collection, Element
from fhir_adapter.fhirpath.scope import Scope


@scoped("children")
def children(scope: Scope, items: Collection) -> Collection:
    """Everything directly below the items."""
    found: Collection = []
    for item in items:
        if item.__class__ is Element:
            found += scope.navigator.children(item)
    return found


@scoped("descendants")
def descendants(scope: Scope, items: Collection) -> Collection:
    """Everything below the items, at any depth; equal elements at two places are two."""
    found: Collection = []
    ahead = deque(items)
    while ahead:
        item = ahead.popleft()
        if item.__class__ is Element:
            scope.visit()
            below = scope.navigator.children(item)
            found += below
            ahead += below
    return found

"""Which functions put two collections together."""

from __future__ import annotations

from fhir_adapter.fhirpath.functions.registry import function
from fhir_adapter.fhirpath.items import Collection, distinct


@function("union", 1)
def union(items: Collection, other: Collection) -> Collection:
    """The items of both, without repetition."""
    return distinct([*items, *other])


@function("combine", 1)
def combine(items: Collection, other: Collection) -> Collection:
    """The items of both, with every repetition."""
    return [*items, *other]

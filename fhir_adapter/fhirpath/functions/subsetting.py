"""Which functions take a part of a collection, by place or by comparison with another one."""

from __future__ import annotations

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import function
from fhir_adapter.fhirpath.items import Collection, Distinct, distinct, whole_number


@function("single")
def single(items: Collection) -> Collection:
    """The one item; several are an error."""
    if len(items) > 1:
        raise EvaluationError(f"single(): expected one item, found {len(items)}")
    return items


@function("first")
def first(items: Collection) -> Collection:
    """The first item."""
    return items[:1]


@function("last")
def last(items: Collection) -> Collection:
    """The last item."""
    return items[-1:]


@function("tail")
def tail(items: Collection) -> Collection:
    """All but the first item."""
    return items[1:]


@function("skip", 1)
def skip(items: Collection, number: Collection) -> Collection:
    """All but the first so many items."""
    count = whole_number(number, "skip()")
    return [] if count is None else items[max(count, 0) :]


@function("take", 1)
def take(items: Collection, number: Collection) -> Collection:
    """The first so many items."""
    count = whole_number(number, "take()")
    return [] if count is None else items[: max(count, 0)]


@function("intersect", 1)
def intersect(items: Collection, other: Collection) -> Collection:
    """The items that are in both collections, without repetition."""
    known = Distinct(other)
    return distinct(item for item in items if item in known)


@function("exclude", 1)
def exclude(items: Collection, other: Collection) -> Collection:
    """The items that are not in the other collection; repeated ones stay."""
    known = Distinct(other)
    return [item for item in items if item not in known]

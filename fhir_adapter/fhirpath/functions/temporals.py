"""Which functions take dates and times apart."""

from __future__ import annotations

from collections.abc import Callable

from fhir_adapter.fhirpath import temporal
from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import function
from fhir_adapter.fhirpath.items import Collection, Temporal, described, single, text
from fhir_adapter.fhirpath.scope import one

_COMPONENTS = ("year", "month", "day", "hour", "minute", "second", "millisecond", "timezoneOffset", "date", "time")


def _component(name: str) -> None:
    """One part of a date or time; nothing when it is not that precise."""

    @function(name)
    def part(items: Collection) -> Collection:
        value = single(items, f"{name}()")
        if value is None:
            return []
        if not isinstance(value, Temporal):
            raise EvaluationError(f"{name}(): expected a date or a time, found {described(value)}")
        return one(temporal.component(value, name))


for _name in _COMPONENTS:
    _component(f"{_name}Of")


def _between(name: str, count: Callable[[temporal.Temporal, temporal.Temporal, str], int | None]) -> None:
    """How many units lie between two dates or times."""

    @function(name, 2)
    def between(items: Collection, other: Collection, unit: Collection) -> Collection:
        left, right, word = single(items, f"{name}()"), single(other, f"{name}()"), text(unit, f"{name}()")
        if left is None or right is None or word is None:
            return []
        if not isinstance(left, Temporal) or not isinstance(right, Temporal):
            raise EvaluationError(f"{name}(): expected dates or times, found {described(left)} and {described(right)}")
        return one(count(left, right, word))


_between("duration", temporal.duration)
_between("difference", temporal.difference)

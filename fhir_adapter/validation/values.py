"""Whether a value is the fixed one, has the pattern, or lies within the limits that a profile gives.

Sources: fixed[x], pattern[x], minValue[x] and maxValue[x] of https://hl7.org/fhir/R4/elementdefinition.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fhir_adapter.fhirpath import FhirPathError, compile  # noqa: A004 - the name of the interface

_FIRST_DAY = "-01-01"
"""What is missing in a year, or in a year and a month, to be a day."""

Difference = tuple[str, str]
"""Where below the value (`.coding[0].system`, or empty for the value itself), and what would be right."""


def equals(value: Any, fixed: Any) -> bool:  # noqa: ANN401 - JSON
    """Exactly the same value; 1.0 and 1.00 are the same number, true and 1 are not."""
    if isinstance(value, bool) or isinstance(fixed, bool):
        return value is fixed
    if isinstance(fixed, dict):
        return (
            isinstance(value, dict)
            and value.keys() == fixed.keys()
            and all(equals(value[key], one) for key, one in fixed.items())
        )
    if isinstance(fixed, list):
        return isinstance(value, list) and len(value) == len(fixed) and all(map(equals, value, fixed))
    return bool(value == fixed)


def fits(value: Any, pattern: Any) -> bool:  # noqa: ANN401 - JSON
    """At least what the pattern has: every item of its lists must be found in the value's, in any order."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(fits(value.get(key), one) for key, one in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(fits(item, one) for item in value) for one in pattern)
    return equals(value, pattern)


def differences(value: Any, right: Any, *, is_pattern: bool) -> Iterator[Difference]:  # noqa: ANN401 - JSON
    """Every place where a value is not what it should be; nothing of the value itself is told."""
    if isinstance(right, dict) and isinstance(value, dict):
        for key, one in right.items():
            if key not in value:
                yield "", f"{key} is missing; right is {shown(one)}"
            else:
                for place, what in differences(value[key], one, is_pattern=is_pattern):
                    yield f".{key}{place}", what
        if not is_pattern:
            for key in value.keys() - right.keys():
                yield f".{key}", "nothing may stand here beside the fixed value"
    elif isinstance(right, list) and isinstance(value, list):
        yield from _differences_of_lists(value, right, is_pattern=is_pattern)
    elif not equals(value, right):
        yield "", f"right is {shown(right)}"


def _differences_of_lists(value: list[Any], right: list[Any], *, is_pattern: bool) -> Iterator[Difference]:
    if is_pattern:
        for one in right:
            if any(fits(item, one) for item in value):
                continue
            if len(value) == 1:
                for place, what in differences(value[0], one, is_pattern=True):
                    yield f"[0]{place}", what
            else:
                yield "", f"no item has {shown(one)}"
    elif len(value) != len(right):
        yield "", f"{len(value)} items; right are {len(right)}"
    else:
        for index, (item, one) in enumerate(zip(value, right, strict=True)):
            for place, what in differences(item, one, is_pattern=False):
                yield f"[{index}]{place}", what


def shown(right: Any) -> str:  # noqa: ANN401 - JSON
    """A value of a definition, for a message."""
    if isinstance(right, dict):
        return ", ".join(f"{key} {shown(one)}" for key, one in right.items())
    if isinstance(right, list):
        return " and ".join(map(shown, right))
    if isinstance(right, bool):
        return "true" if right else "false"
    return repr(right) if isinstance(right, str) else str(right)


def is_within(value: Any, limit: Any, kind: str, *, is_least: bool) -> bool | None:  # noqa: ANN401 - JSON
    """Whether a value is not below (or not above) a limit; None when the two cannot be compared."""
    if isinstance(limit, dict):
        return _compare_quantities(value, limit, is_least=is_least)
    found, bound = _comparable(value, kind), _comparable(limit, kind)
    if found is None or bound is None:
        return None
    return bool(found >= bound if is_least else found <= bound)


def _comparable(value: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        return None
    if kind in ("dateTime", "instant", "date"):
        return _moment(value)
    return value


def _moment(text: str) -> datetime | None:
    """The earliest instant that a date may mean; a day alone is taken in UTC."""
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else None
        day = date.fromisoformat(text + _FIRST_DAY[len(text) - len("2015") :])
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _compare_quantities(value: Any, limit: dict[str, Any], *, is_least: bool) -> bool | None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict) or value.get("value") is None:
        return None
    expression = compile("low >= high" if is_least else "low <= high", type="Range")
    try:
        return expression.truth({"low": value, "high": limit})
    except FhirPathError:
        return None

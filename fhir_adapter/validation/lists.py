"""How the value under one key is checked: one or many objects, one or many primitives, and their `_` siblings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_adapter.validation.findings import json_type
from fhir_adapter.validation.objects import Check, Json, Member
from fhir_adapter.validation.plan import Element
from fhir_adapter.validation.primitives import PrimitiveCheck
from fhir_adapter.validation.run import Run

Further = Callable[[Any, Any, str, Run], None]
"""What else is asked of a primitive: its value, its sibling, its path."""

Whole = Callable[[list[Any], str, str, Run], None]
"""What is asked of the items of a list together: slices. Handed the items, the list's path, and the holder's path."""


def one_object(element: Element, step: str, check: Check) -> Member:
    """An object that occurs at most once; `step` is how a path names it (`value.ofType(Quantity)`)."""
    is_forbidden = element.max == 0

    def member(value: Any, _holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if is_forbidden:
            too_many(1, element, path, run)
        elif value.__class__ is list:
            _not_a_list(value, f"{path}.{step}", run, element)
        else:
            check(value, f"{path}.{step}", run)

    return member


def many_objects(element: Element, step: str, check: Check, whole: Whole | None) -> Member:
    """An array of objects."""
    least, most = element.min, element.max

    def member(value: Any, _holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if value.__class__ is not list or not value:
            _not_a_filled_list(value, f"{path}.{step}", run, element)
            return
        count = len(value)
        if count < least or (most is not None and count > most):
            out_of_bounds(count, element, path, run)
        if whole is not None:
            whole(value, f"{path}.{step}", path, run)
            return
        for index, item in enumerate(value):
            check(item, f"{path}.{step}[{index}]", run)

    return member


def one_primitive(element: Element, key: str, step: str, check: PrimitiveCheck, further: tuple[Further, ...]) -> Member:
    """A primitive that occurs at most once."""
    accepts, explain, rule = check.accepts, check.explain, element.id
    is_forbidden, sibling = element.max == 0, f"_{key}"

    def member(value: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if is_forbidden:
            too_many(1, element, path, run)
            return
        if not accepts(value):
            if value.__class__ is list:
                _not_a_list(value, f"{path}.{step}", run, element)
            else:
                code, message = explain(value)
                run.error(code, message, f"{path}.{step}", rule)
            return
        for each in further:
            each(value, holder.get(sibling), f"{path}.{step}", run)

    return member


def many_primitives(
    element: Element, key: str, step: str, check: PrimitiveCheck, further: tuple[Further, ...]
) -> Member:
    """An array of primitives; null stands where only the `_` sibling has something to say."""
    accepts, explain, sibling = check.accepts, check.explain, f"_{key}"
    least, most = element.min, element.max

    def member(value: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if value.__class__ is not list or not value:
            _not_a_filled_list(value, f"{path}.{step}", run, element)
            return
        if len(value) < least or (most is not None and len(value) > most):
            out_of_bounds(len(value), element, path, run)
        siblings = holder.get(sibling)
        for index, item in enumerate(value):
            beside = siblings[index] if isinstance(siblings, list) and index < len(siblings) else None
            place = f"{path}.{step}[{index}]"
            if accepts(item):
                for each in further:
                    each(item, beside, place, run)
            elif item is not None or beside is None:
                code, message = explain(item)
                run.error(code, message, place, element.id)

    return member


def one_sibling(element: Element, key: str, step: str, check: Check) -> Member:
    """`_birthDate`: id and extensions of a primitive; alone it must have an extension, for an id says nothing."""

    def member(value: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if value.__class__ is list:
            _not_a_list(value, f"{path}.{step}", run, element)
            return
        check(value, f"{path}.{step}", run)
        if key not in holder:
            if element.max == 0:
                too_many(1, element, path, run)
            _check_says_something(value, f"{path}.{step}", run)

    return member


def many_siblings(element: Element, key: str, step: str, check: Check) -> Member:
    """`_given`: as long as the array of values, with null where a value has no id and no extension."""

    def member(value: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if value.__class__ is not list or not value:
            _not_a_filled_list(value, f"{path}.{step}", run, element)
            return
        values = holder.get(key)
        if isinstance(values, list) and values and len(values) != len(value):
            message = f"{len(values)} values but {len(value)} siblings; pad the shorter array with null"
            run.error("sibling-length", message, f"{path}.{step}", element.id)
        for index, item in enumerate(value):
            has_value = isinstance(values, list) and index < len(values) and values[index] is not None
            if item is None and has_value:
                continue
            check(item, f"{path}.{step}[{index}]", run)
            if not has_value:
                _check_says_something(item, f"{path}.{step}[{index}]", run)

    return member


def too_many(count: int, element: Element, path: str, run: Run) -> None:
    """Say that an element stands more often than it may; `path` is that of the object that holds it."""
    most = "must not be present" if element.max == 0 else f"{count} times; at most {element.max} are allowed"
    run.error("too-many", f"{element.id}: {most}", path, element.id)


def out_of_bounds(count: int, element: Element, path: str, run: Run) -> None:
    """Say that an element stands too often or too seldom."""
    if count < element.min:
        run.error("too-few", f"{element.id}: {count} times; at least {element.min} are required", path, element.id)
    else:
        too_many(count, element, path, run)


def _check_says_something(value: object, path: str, run: Run) -> None:
    if isinstance(value, dict) and value and "extension" not in value:
        run.error("empty", "neither a value nor an extension", path, "ele-1")


def _not_a_list(value: list[object], path: str, run: Run, element: Element) -> None:
    if len(value) > 1:
        run.error("too-many", f"{len(value)} items; {element.id} occurs at most once", path, element.id)
    else:
        message = f"an array; {element.id} occurs at most once and stands without brackets"
        run.error("unexpected-array", message, path, element.id)


def _not_a_filled_list(value: object, path: str, run: Run, element: Element) -> None:
    if isinstance(value, list):
        run.error("empty", "an empty array; leave the element out", path, element.id)
    elif value is None:
        run.error("null", "null; leave the element out or give an array", path, element.id)
    else:
        message = f"{json_type(value)}; {element.id} repeats, so it is an array even with one item"
        run.error("expected-array", message, path, element.id)

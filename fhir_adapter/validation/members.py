"""How the value under one key is checked: one or many objects, one or many primitives, and their `_` siblings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir_adapter.validation.findings import Scan, json_type
from fhir_adapter.validation.primitives import PrimitiveCheck
from fhir_adapter.validation.r4_table import Element

Check = Callable[[object, str, Scan], None]
"""Checks a whole value that stands at a path."""

Member = Callable[[object, Mapping[str, Any], str, Scan], None]
"""Checks what stands under one key: the value, the object that holds it, and that object's path."""


def one_object(element: Element, check: Check) -> Member:
    """An object that occurs at most once."""
    name = element.name

    def member(value: object, _parent: Mapping[str, Any], path: str, scan: Scan) -> None:
        if isinstance(value, list):
            _not_a_list(value, f"{path}.{name}", scan, element)
        else:
            check(value, f"{path}.{name}", scan)

    return member


def many_objects(element: Element, check: Check) -> Member:
    """An array of objects."""
    name = element.name

    def member(value: object, _parent: Mapping[str, Any], path: str, scan: Scan) -> None:
        if not isinstance(value, list) or not value:
            _not_a_filled_list(value, f"{path}.{name}", scan, element)
            return
        for index, item in enumerate(value):
            check(item, f"{path}.{name}[{index}]", scan)

    return member


def one_primitive(element: Element, check: PrimitiveCheck) -> Member:
    """A primitive that occurs at most once."""
    accepts, explain, name = check.accepts, check.explain, element.name

    def member(value: object, _parent: Mapping[str, Any], path: str, scan: Scan) -> None:
        if accepts(value):
            return
        if isinstance(value, list):
            _not_a_list(value, f"{path}.{name}", scan, element)
        else:
            code, message = explain(value)
            scan.report(code, message, f"{path}.{name}", element.rule)

    return member


def many_primitives(element: Element, check: PrimitiveCheck) -> Member:
    """An array of primitives; null stands where only the `_` sibling has something to say."""
    accepts, explain, name = check.accepts, check.explain, element.name
    sibling = f"_{name}"

    def member(value: object, parent: Mapping[str, Any], path: str, scan: Scan) -> None:
        if not isinstance(value, list) or not value:
            _not_a_filled_list(value, f"{path}.{name}", scan, element)
            return
        for index, item in enumerate(value):
            if accepts(item) or (item is None and _is_filled(parent.get(sibling), index)):
                continue
            code, message = explain(item)
            scan.report(code, message, f"{path}.{name}[{index}]", element.rule)

    return member


def one_sibling(element: Element, check: Check) -> Member:
    """`_birthDate`: id and extensions of a primitive; alone it must have an extension, for an id says nothing."""
    name = element.name

    def member(value: object, parent: Mapping[str, Any], path: str, scan: Scan) -> None:
        if isinstance(value, list):
            _not_a_list(value, f"{path}.{name}", scan, element)
            return
        check(value, f"{path}.{name}", scan)
        if name not in parent:
            _check_says_something(value, f"{path}.{name}", scan, element)

    return member


def many_siblings(element: Element, check: Check) -> Member:
    """`_given`: as long as the array of values, with null where a value has no id and no extension."""
    name = element.name

    def member(value: object, parent: Mapping[str, Any], path: str, scan: Scan) -> None:
        if not isinstance(value, list) or not value:
            _not_a_filled_list(value, f"{path}.{name}", scan, element)
            return
        values = parent.get(name)
        if isinstance(values, list) and values and len(values) != len(value):
            message = f"{len(values)} values but {len(value)} siblings; pad the shorter array with null"
            scan.report("sibling-length", message, f"{path}.{name}", element.rule)
        for index, item in enumerate(value):
            has_value = _is_filled(values, index)
            if item is None and has_value:
                continue
            check(item, f"{path}.{name}[{index}]", scan)
            if not has_value:
                _check_says_something(item, f"{path}.{name}[{index}]", scan, element)

    return member


def _is_filled(values: object, index: int) -> bool:
    return isinstance(values, list) and index < len(values) and values[index] is not None


def _check_says_something(value: object, path: str, scan: Scan, element: Element) -> None:
    if isinstance(value, dict) and value and "extension" not in value:
        scan.report("empty", "neither a value nor an extension", path, element.rule)


def _not_a_list(value: list[object], path: str, scan: Scan, element: Element) -> None:
    if len(value) > 1:
        scan.report("too-many", f"{len(value)} items; {element.rule} occurs at most once", path, element.rule)
    else:
        message = f"an array; {element.rule} occurs at most once and stands without brackets"
        scan.report("unexpected-array", message, path, element.rule)


def _not_a_filled_list(value: object, path: str, scan: Scan, element: Element) -> None:
    if isinstance(value, list):
        scan.report("empty", "an empty array; leave the element out", path, element.rule)
    elif value is None:
        scan.report("null", "null; leave the element out or give an array", path, element.rule)
    else:
        message = f"{json_type(value)}; {element.rule} repeats, so it is an array even with one item"
        scan.report("expected-array", message, path, element.rule)

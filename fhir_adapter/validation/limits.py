"""What a profile asks of a value itself: fixed[x], pattern[x], minValue[x], maxValue[x], maxLength and codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fhir_adapter.validation.bindings import code_check
from fhir_adapter.validation.lists import Further
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import Element, TypeRef
from fhir_adapter.validation.values import differences, equals, fits, is_within, shown

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run

_AT_MOST = 10
"""How many differences from one fixed value or pattern are told."""


def value_checks(element: Element) -> Iterator[Check]:
    """The checks of a complex value against fixed[x] and pattern[x]."""
    for right, is_pattern in ((element.fixed, False), (element.pattern, True)):
        if right is not None:
            yield _difference_check(element, right, is_pattern=is_pattern)


def _difference_check(element: Element, right: Any, *, is_pattern: bool) -> Check:  # noqa: ANN401 - JSON
    code, same = ("pattern", fits) if is_pattern else ("fixed", equals)

    def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if same(value, right):
            return
        found = differences(value, right, is_pattern=is_pattern)
        for (place, what), _ in zip(found, range(_AT_MOST), strict=False):
            run.error(code, f"{element.id}{place}: {what}", f"{path}{place}", element.id)

    return check


def limit_check(element: Element, kind: str) -> Check:
    """The check of a value against minValue[x] and maxValue[x]."""
    limits = [
        (limit, is_least) for limit, is_least in ((element.least, True), (element.most, False)) if limit is not None
    ]

    def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        for limit, is_least in limits:
            holds = is_within(value, limit, kind, is_least=is_least)
            word = "least" if is_least else "most"
            if holds is None:
                run.not_evaluated(f"whether the value is at {word} {shown(limit)} cannot be told", path, element.id)
            elif not holds:
                code = "min-value" if is_least else "max-value"
                run.error(code, f"{element.id}: the value must be at {word} {shown(limit)}", path, element.id)

    return check


def primitive_limits(engine: Engine, element: Element, ref: TypeRef) -> Iterator[Further]:
    """What a profile asks of a primitive value."""
    for right, code in ((element.fixed, "fixed"), (element.pattern, "pattern")):
        if right is not None:
            yield _same(element, right, code)
    if element.max_length is not None:
        yield _length(element, element.max_length)
    if element.least is not None or element.most is not None:
        check = limit_check(element, ref.code)
        yield lambda value, _sibling, path, run: check(value, path, run)
    if ref.regex is not None and element.path.count(".") > 0:
        yield from _form(engine, element, ref.regex)
    if element.binding is not None and ref.code in ("code", "uri", "string", "canonical", "url"):
        yield from code_check(engine, element, element.binding)


def _same(element: Element, right: Any, code: str) -> Further:  # noqa: ANN401 - JSON
    def check(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if not equals(value, right):
            run.error(code, f"{element.id}: right is {shown(right)}", path, element.id)

    return check


def _length(element: Element, most: int) -> Further:
    def check(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if isinstance(value, str) and len(value) > most:
            message = f"{element.id}: {len(value)} characters; at most {most} are allowed"
            run.error("max-length", message, path, element.id)

    return check


def _form(engine: Engine, element: Element, pattern: str) -> Iterator[Further]:
    """A regular expression of a profile comes from outside: it is tried within a time."""
    matches = engine.expression(f"matchesFull('{_quoted(pattern)}')", "string")
    if matches is None:
        return

    def check(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if isinstance(value, str) and matches(value) is False:
            run.error("format", f"{element.id}: the text does not have the form {pattern}", path, element.id)

    yield check


def _quoted(text: str) -> str:
    return re.sub(r"(['\\])", r"\\\1", text)

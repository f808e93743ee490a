"""Where in a JSON text does a FHIRPath expression lead? Its line and column, both from 1.

Expressions are those that validators write (`Observation.component[0].value.ofType(Quantity).unit`); one that leads
nowhere is followed as far as it goes, because what is missing is told of what it is missing from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

Step = str | int

_SEGMENT = re.compile(
    r"\.?(?:ofType\((?P<type>\w+)\)|extension\('(?P<url>[^']*)'\)|(?P<name>[A-Za-z_]\w*)|\[(?P<place>\d{1,9})\])"
)
_BLANK = re.compile(r"[ \t\r\n]*")
_READ: Final = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode
"""The value that begins at a place of a text, and where it ends."""


class Positions:
    """The places of what is in one text, which is the valid JSON of the resource; each part is read once at most."""

    def __init__(self, text: bytes, resource: object) -> None:
        self._text = text.decode("utf-8-sig", "replace")
        self._resource = resource
        self._seen: dict[int, _Container] = {}

    def of(self, expression: str | None) -> tuple[int, int]:
        """Line and column of what the expression names: of its key where it has one."""
        offset = self._offset(steps_of(self._resource, expression or ""))
        before = self._text.rfind("\n", 0, offset)
        return self._text.count("\n", 0, offset) + 1, offset - before

    def _offset(self, steps: tuple[Step, ...]) -> int:
        shown = value = _past_blanks(self._text, 0)
        for step in steps:
            container = self._seen.get(value)
            if container is None:
                container = self._seen[value] = _Container(self._text, value)
            shown, value = container.find(step)
        return shown


class _Container:
    """An object or array of the text, whose members are looked up as far as they are asked for."""

    __slots__ = ("_found", "_last", "_text")

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._found: dict[Step, tuple[int, int]] = {}
        self._last = at

    def find(self, step: Step) -> tuple[int, int]:
        """Where a member that exists begins, with its key, and where its value does."""
        while step not in self._found:
            self._read_next(isinstance(step, str))
        return self._found[step]

    def _read_next(self, is_object: bool) -> None:
        text = self._text
        end = _past_blanks(text, _READ(text, self._last)[1]) if self._found else self._last
        begin = value = _past_blanks(text, end + 1)
        key: Step = len(self._found)
        if is_object:
            key, after = _READ(text, begin)
            value = _past_blanks(text, _past_blanks(text, after) + 1)
        self._found[key] = begin, value
        self._last = value


def steps_of(resource: object, expression: str) -> tuple[Step, ...]:
    """The keys and places that lead to it, as far as they exist."""
    return tuple(_steps(resource, expression.partition(".")[2]))


def _steps(value: Any, rest: str) -> Iterator[Step]:  # noqa: ANN401 - JSON
    segments = list(_SEGMENT.finditer(rest))
    typed = [after["type"] for after in segments[1:]] + [None]
    for segment, kind in zip(segments, typed, strict=False):
        if segment["type"]:
            continue  # it was told with the name before it
        if segment["place"] is None and isinstance(value, list) and value:
            yield 0
            value = value[0]
        name = segment["name"] or "extension"
        keys: list[Step] = [int(segment["place"])] if segment["place"] else _keys_named(value, name, kind)
        found = next((key for key in keys if _has(value, key)), None)
        if found is None:
            return
        yield found
        value = value[found]
        if segment["url"] is not None:
            items = value if isinstance(value, list) else []
            urls = [one.get("url") if isinstance(one, dict) else None for one in items]
            if segment["url"] not in urls:
                return
            yield urls.index(segment["url"])
            value = value[urls.index(segment["url"])]


def _keys_named(value: object, name: str, kind: str | None) -> list[Step]:
    """The keys that an element may have: its own, that of its type, or of a choice the one that is there."""
    if kind:
        typed = name + kind[:1].upper() + kind[1:]
        return [typed, f"_{typed}", name, f"_{name}"]
    choices = _choices(value, name) if isinstance(value, dict) else []
    return [name, f"_{name}", *(choices if len(choices) == 1 else [])]


def _choices(value: dict[str, Any], name: str) -> list[Step]:
    return [key for key in value if key.startswith(name) and key[len(name) : len(name) + 1].isupper()]


def _has(value: object, key: Step) -> bool:
    if isinstance(key, int):
        return isinstance(value, list) and key < len(value)
    return isinstance(value, dict) and key in value


def _past_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None
    return found.end()

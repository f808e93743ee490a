"""Where in a JSON text does a FHIRPath expression lead? Its line and column, both from 1.

Expressions are those that validators write (`Observation.component[0].value.ofType(Quantity).unit`); one that leads
nowhere is followed as far as it goes, because what is missing is told of what it is missing from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Step = str | int

_SEGMENT = re.compile(
    r"\.?(?:ofType\((?P<type>\w+)\)|extension\('(?P<url>[^']*)'\)|(?P<name>[A-Za-z_]\w*)|\[(?P<place>\d{1,9})\])"
)
_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_ATOM = re.compile(rb"[^\s,\]}]+")
_NEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


def position_of(text: bytes, resource: object, expression: str | None) -> tuple[int, int]:
    """Line and column of what the expression names in the text, which is the valid JSON of the resource."""
    offset = _offset(text, steps_of(resource, expression or ""))
    start = text.rfind(b"\n", 0, offset) + 1
    return text.count(b"\n", 0, offset) + 1, len(text[start:offset].decode("utf-8", "replace")) + 1


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


def _offset(text: bytes, steps: tuple[Step, ...]) -> int:
    """Where the last of the steps begins: a key where it is one, else the value."""
    at = _past_blanks(text, 3 if text.startswith(b"\xef\xbb\xbf") else 0)
    shown = at
    for step in steps:
        shown, at = _member(text, at, step) if isinstance(step, str) else _item(text, at, step)
    return shown


def _member(text: bytes, at: int, key: str) -> tuple[int, int]:
    """Where a key of the object at this place stands, and where its value does."""
    at = _past_blanks(text, at + 1)
    while text[at : at + 1] == b'"':
        name = _STRING.match(text, at)
        assert name is not None
        value = _past_blanks(text, _past_blanks(text, name.end()) + 1)
        if name[0][1:-1] == key.encode():
            return at, value
        at = _past_blanks(text, _past_blanks(text, _end(text, value)) + 1)
    return at, at


def _item(text: bytes, at: int, place: int) -> tuple[int, int]:
    at = _past_blanks(text, at + 1)
    for _ in range(place):
        at = _past_blanks(text, _past_blanks(text, _end(text, at)) + 1)
    return at, at


def _end(text: bytes, at: int) -> int:
    """Where the value ends that begins here."""
    if text[at : at + 1] not in (b"{", b"["):
        found = (_STRING if text[at : at + 1] == b'"' else _ATOM).match(text, at)
        return found.end() if found else at + 1
    depth = 0
    for token in _NEXT.finditer(text, at):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    return len(text)


def _past_blanks(text: bytes, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at

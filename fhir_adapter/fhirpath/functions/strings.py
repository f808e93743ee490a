"""Which functions work on texts (http://hl7.org/fhirpath/#string-manipulation).

Regular expressions come from profiles of anybody: they are run by an engine that gives up after a given time.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.conversion import to_string
from fhir_adapter.fhirpath.functions.registry import function, scoped
from fhir_adapter.fhirpath.items import Collection, system, text, whole_number
from fhir_adapter.fhirpath.scope import MAX_TEXT, REGEX_SECONDS, Scope, bounded

if TYPE_CHECKING:
    import regex

MAX_PATTERN = 4_000
_LEAST_SECONDS = 0.001
_GROUP = re.compile(r"\$(?:(\d{1,4})|\{(\w+)\})")


QUESTIONS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}
"""Questions about a text and a part of it."""


def _question(name: str, holds: Callable[[str, str], bool]) -> None:
    @function(name, 1)
    def ask(items: Collection, part: Collection) -> Collection:
        value, asked = text(items, f"{name}()"), text(part, f"{name}()")
        return [] if value is None or asked is None else [holds(value, asked)]


for _name, _holds in QUESTIONS.items():
    _question(_name, _holds)


def _changes(name: str, change: Callable[[str], Any]) -> None:
    """A function of one text and nothing else."""

    @function(name)
    def run(items: Collection) -> Collection:
        value = text(items, f"{name}()")
        return [] if value is None else [change(value)]


_changes("upper", str.upper)
_changes("lower", str.lower)
_changes("trim", str.strip)
_changes("length", len)


@function("toChars")
def to_chars(items: Collection) -> Collection:
    """The characters of a text, one by one."""
    return list(text(items, "toChars()") or "")


@function("indexOf", 1)
def index_of(items: Collection, part: Collection) -> Collection:
    """Where a part begins first, counted from 0; -1 when it is not there."""
    value, asked = text(items, "indexOf()"), text(part, "indexOf()")
    return [] if value is None or asked is None else [value.find(asked)]


@function("lastIndexOf", 1)
def last_index_of(items: Collection, part: Collection) -> Collection:
    """Where a part begins last, counted from 0; -1 when it is not there."""
    value, asked = text(items, "lastIndexOf()"), text(part, "lastIndexOf()")
    return [] if value is None or asked is None else [value.rfind(asked)]


@function("substring", 1, 2)
def substring(items: Collection, start: Collection, length: Collection | None = None) -> Collection:
    """The part that begins there, of that length or to the end; nothing when it begins outside."""
    value, begin = text(items, "substring()"), whole_number(start, "substring()")
    count = None if length is None else whole_number(length, "substring()")
    if value is None or begin is None or not 0 <= begin < len(value):
        return []
    return [value[begin:] if count is None else value[begin : begin + max(count, 0)]]


@function("replace", 2)
def replace(items: Collection, part: Collection, other: Collection) -> Collection:
    """The text with another part wherever the part stands."""
    value, old, new = text(items, "replace()"), text(part, "replace()"), text(other, "replace()")
    if value is None or old is None or new is None:
        return []
    count = value.count(old)
    _refuse_length(len(value) + count * (len(new) - len(old)))
    return [value.replace(old, new)]


@function("split", 1)
def split(items: Collection, separator: Collection) -> Collection:
    """The parts between the separators."""
    value, by = text(items, "split()"), text(separator, "split()")
    if value is None or by is None:
        return []
    return value.split(by) if by else list(value)


@function("join", 0, 1)
def join(items: Collection, separator: Collection | None = None) -> Collection:
    """One text of many, with the separator between them."""
    between = "" if separator is None else text(separator, "join()")
    parts = [text([item], "join()") or "" for item in items]
    if not parts or between is None:
        return []
    _refuse_length(sum(map(len, parts)) + len(between) * len(parts))
    return [between.join(parts)]


def concatenated(left: Collection, right: Collection) -> Collection:
    """`&`: two texts as one, where nothing counts as an empty text."""
    return [bounded(_printed(left) + _printed(right))]


def _printed(items: Collection) -> str:
    if len(items) > 1:
        raise EvaluationError(f"&: expected one item, found {len(items)}")
    if not items:
        return ""
    found = to_string(system(items[0]))
    if found is None:
        raise EvaluationError("&: expected a string")
    return found


def _refuse_length(length: int) -> None:
    if length > MAX_TEXT:
        raise EvaluationError(f"a text of {length} characters; at most {MAX_TEXT} are made")


# Regular expressions


def _pattern(written: str, name: str) -> regex.Pattern[str]:
    if len(written) > MAX_PATTERN:
        raise EvaluationError(f"{name}: a regular expression of {len(written)} characters; at most {MAX_PATTERN}")
    return _compiled(written, name)


@lru_cache(maxsize=512)
def _compiled(written: str, name: str) -> regex.Pattern[str]:
    import regex  # noqa: PLC0415 - 20 ms that only expressions with a pattern pay

    try:
        return regex.compile(written, regex.DOTALL)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise EvaluationError(f"{name}: no regular expression: {error}") from error


class Patient(Protocol):
    """What has some seconds left for regular expressions."""

    patience: float


def _timed(run: Callable[[float], Any], patient: Patient, name: str) -> Any:  # noqa: ANN401 - the engine's answer
    """Let a pattern look at a text, for as long as this evaluation has patience with patterns."""
    begun = monotonic()
    try:
        return run(max(patient.patience, _LEAST_SECONDS))
    except TimeoutError as error:
        raise EvaluationError(f"{name}: regular expressions took longer than {REGEX_SECONDS} s") from error
    finally:
        patient.patience -= monotonic() - begun


def is_found(written: str, value: str, patient: Patient) -> bool:
    """`matches()` of two texts: whether a pattern is found somewhere in a text."""
    look = _pattern(written, "matches()").search
    return _timed(lambda seconds: look(value, timeout=seconds), patient, "matches()") is not None


@scoped("matches", 1)
def matches(scope: Scope, items: Collection, pattern: Collection) -> Collection:
    """True when the pattern is found somewhere in the text."""
    value, written = text(items, "matches()"), text(pattern, "matches()")
    return [] if value is None or written is None else [is_found(written, value, scope)]


@scoped("matchesFull", 1)
def matches_full(scope: Scope, items: Collection, pattern: Collection) -> Collection:
    """True when the pattern covers the whole text."""
    name = "matchesFull()"
    value, written = text(items, name), text(pattern, name)
    if value is None or written is None:
        return []
    look = _pattern(written, name).fullmatch
    return [_timed(lambda seconds: look(value, timeout=seconds), scope, name) is not None]


@scoped("replaceMatches", 2)
def replace_matches(scope: Scope, items: Collection, pattern: Collection, other: Collection) -> Collection:
    """The text with another one wherever the pattern is found; `$1` and `${name}` stand for groups."""
    name = "replaceMatches()"
    value, written, new = text(items, name), text(pattern, name), text(other, name)
    if value is None or written is None or new is None:
        return []
    if not written:
        return [value]
    replacement = Replacement(_pattern(written, name), new, name)
    return [_timed(lambda seconds: replacement.within(value, seconds), scope, name)]


class Replacement:
    """What stands where a pattern is found: texts, and groups of it, which it must have."""

    def __init__(self, pattern: regex.Pattern[str], written: str, name: str) -> None:
        self._pattern = pattern
        texts = _GROUP.split(written)
        groups = [int(number) if number else group for number, group in zip(texts[1::3], texts[2::3], strict=True)]
        known = {*range(pattern.groups + 1), *pattern.groupindex}
        if not known.issuperset(groups):
            raise EvaluationError(f"{name}: the replacement names a group that the pattern does not have")
        self._first, self._others = texts[0], list(zip(groups, texts[3::3], strict=True))

    def within(self, value: str, seconds: float) -> str:
        """The text with this in it; raises `EvaluationError` before it gets too long, `TimeoutError` when late."""
        made: list[str] = []
        size, end = len(value), 0
        for found in self._pattern.finditer(value, timeout=seconds):
            pieces = [self._first, *(piece for group, rest in self._others for piece in (found[group] or "", rest))]
            size += sum(map(len, pieces)) - len(found[0])
            _refuse_length(size)
            made += [value[end : found.start()], *pieces]
            end = found.end()
        return "".join([*made, value[end:]])


# Encodings

_ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "base64": base64.b64encode,
    "urlbase64": base64.urlsafe_b64encode,
}
_DECODE: dict[str, Callable[[str], bytes]] = {
    "hex": binascii.unhexlify,
    "base64": lambda written: base64.b64decode(written, validate=True),
    "urlbase64": lambda written: base64.b64decode(written, altchars=b"-_", validate=True),
}
_JSON_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[dD][89abAB]..\\u[dD][c-fC-F]..|u[0-9A-Fa-f]{4})')
_ESCAPE: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "json": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
}
_UNESCAPE: dict[str, Callable[[str], str]] = {
    "html": html.unescape,
    "json": lambda value: _JSON_ESCAPE.sub(lambda found: str(json.loads(f'"{found[0]}"')), value),
}


def _coded(name: str, table: dict[str, Callable[[Any], Any]]) -> None:
    """A function whose argument names one of several codes; an unknown one gives nothing."""

    @function(name, 1)
    def run(items: Collection, kind: Collection) -> Collection:
        value, asked = text(items, f"{name}()"), text(kind, f"{name}()")
        change = None if asked is None else table.get(asked)
        if value is None or change is None:
            return []
        try:
            changed = change(value.encode() if table is _ENCODE else value)
            return [bounded(changed.decode() if isinstance(changed, bytes) else changed)]
        except ValueError as error:
            raise EvaluationError(f"{name}('{asked}'): the text is not written that way") from error


_coded("encode", _ENCODE)
_coded("decode", _DECODE)
_coded("escape", _ESCAPE)
_coded("unescape", _UNESCAPE)

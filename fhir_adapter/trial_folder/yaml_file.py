"""What a YAML file says and on which line: YAML 1.2, repeated keys refused, guarded by a JSON Schema.

Scalars are read by YAML 1.2's core rules, decimals as `Decimal`; dates stay texts. An error names the file, the line,
the key and what would be right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.trial_folder.places import schema_file

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000
MAX_DEPTH = 50
MAX_NUMBER_LENGTH = 40

Key = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_EXPONENT = re.compile(r"[eE][-+]?[0-9]{3,}")


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values, with the line of every key."""

    path: Path
    value: Any
    lines: dict[Key, int]

    def issue(self, code: str, message: str, *key: str | int) -> Issue:
        """An error about the value below `key`, at its line (or the nearest known one above it)."""
        return Issue("error", code, message, Where(str(self.path), self._line(key)), rule=".".join(map(str, key)))

    def _line(self, key: Key) -> int:
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def read_yaml(path: Path, schema: str | None = None) -> Document:
    """Read a YAML file and check it against `mappings/schemas/<schema>.schema.json`.

    Raises `Misconfigured` with every problem found.
    """
    document = _compose(path)
    if schema is not None:
        issues = [_issue(document, error) for error in _errors(schema, document.value)]
        if issues:
            raise Misconfigured(f"{path.name} does not say what a {schema} file says", *issues)
    return document


def _compose(path: Path) -> Document:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise _misconfigured(path, 1, f"{len(raw)} bytes; a mapping file has at most {MAX_BYTES}")
        node = YAML(typ="safe", pure=True).compose(raw.decode("utf-8-sig"))
    except OSError as error:
        raise _misconfigured(path, 1, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _misconfigured(path, 1, f"byte {error.start} is not UTF-8") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = re.sub(r"'[^']*'|\"[^\"]*\"", "...", str(error.problem or error.context))  # it may quote a secret
        raise _misconfigured(path, line, f"not YAML: {problem}") from error
    except (YAMLError, RecursionError) as error:
        raise _misconfigured(path, 1, "not YAML, or nested too deeply") from error
    reader = _Reader(path)
    return Document(path, reader.value(node, ()) if node else {}, reader.lines)


class _Reader:
    """Turns YAML nodes into plain values and remembers where each stood."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Key, int] = {}
        self._open: list[int] = []

    def value(self, node: Node, key: Key) -> object:
        line = node.start_mark.line + 1
        if len(self.lines) > MAX_NODES or id(node) in self._open:
            raise _misconfigured(self.path, line, "an alias that repeats itself, or too many values")
        if len(self._open) > MAX_DEPTH:
            raise _misconfigured(self.path, line, f"nested deeper than {MAX_DEPTH} levels")
        self.lines.setdefault(key, line)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        self._open.append(id(node))
        value = self._mapping(node, key) if isinstance(node, MappingNode) else self._sequence(node.value, key)
        self._open.pop()
        return value

    def _mapping(self, node: MappingNode, key: Key) -> dict[str, object]:
        members: dict[str, object] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            name = name_node.value if isinstance(name_node, ScalarNode) else None
            if name is None:
                raise _misconfigured(self.path, line, "a key must be one word or text")
            if name in members:
                raise _misconfigured(self.path, line, f"the key {name!r} stands twice")
            self.lines[(*key, name)] = line
            members[name] = self.value(value_node, (*key, name))
        return members

    def _sequence(self, nodes: list[Node], key: Key) -> list[object]:
        return [self.value(child, (*key, index)) for index, child in enumerate(nodes)]

    def _scalar(self, node: ScalarNode) -> object:
        text, kind = str(node.value), str(node.tag).rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind not in ("int", "float") or not _DECIMAL.fullmatch(text):
            return text
        if len(text) > MAX_NUMBER_LENGTH or _EXPONENT.search(text):
            line = node.start_mark.line + 1
            raise _misconfigured(self.path, line, "a number beyond all sense; write a text in quotes")
        return int(text) if _INTEGER.fullmatch(text) else Decimal(text)


@lru_cache(maxsize=16)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_file(schema).read_text(encoding="utf-8")))


def _errors(schema: str, value: object) -> Iterator[ValidationError]:
    found = _validator(schema).iter_errors(value)
    return iter(sorted(found, key=lambda error: [str(part) for part in error.absolute_path]))


def _issue(document: Document, error: ValidationError) -> Issue:
    while error.context:  # anyOf: the branch that came closest says most
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    key = tuple(error.absolute_path)
    rule: Any = error.schema
    if error.validator == "additionalProperties":
        known = set(rule.get("properties", {}))
        instance: Any = error.instance
        unknown = next(str(name) for name in instance if name not in known)
        return document.issue("unknown-key", _unknown_key(unknown, sorted(known)), *key, unknown)
    hint = rule.get("description")
    place = ".".join(map(str, key)) or "the file"
    return document.issue("wrong-value", f"{place}: {_said(error)}" + (f"; expected: {hint}" if hint else ""), *key)


def _unknown_key(unknown: str, known: list[str]) -> str:
    near = get_close_matches(unknown, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"unknown key {unknown!r}; {hint}"


def _said(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        missing = next(name for name in wanted if name not in instance)
        return f"the key {missing!r} is missing"
    if error.validator == "enum":
        return f"{instance!r} is not one of {', '.join(map(str, wanted))}"
    if error.validator == "type":
        return f"a {type(instance).__name__} where a {wanted} is expected"
    if error.validator == "pattern":
        return "the text does not have the right form"
    return f"the value breaks the rule {error.validator!r}"


def _misconfigured(path: Path, line: int, message: str) -> Misconfigured:
    issue = Issue("error", "unreadable-file", message, Where(str(path), line))
    return Misconfigured(f"{path.name}:{line}: {message}", issue)

"""Which resources a JSON value or a file holds: NDJSON, Bundles, single resources; what is none is said."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from fhir_adapter import fhirjson
from fhir_adapter.intake.order import Order, oldest_first, order_of
from fhir_adapter.intake.window_search import Resource
from fhir_adapter.issues import Issue, Misconfigured, Rejected, Where
from fhir_adapter.validation import resource_types

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
LINE_SUFFIXES = frozenset({".ndjson", ".jsonl"})


@dataclass(frozen=True, slots=True)
class FileResources:
    """All resources of a file or of a request, and what could not be read of it."""

    resources: tuple[Resource, ...]
    issues: tuple[Issue, ...]


@dataclass
class Contents:
    """What is noted while a file is read: what was left out and why, and when its Bundles say they were made."""

    name: str
    issues: list[Issue] = field(default_factory=list)
    timestamps: list[object] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Item:
    """One resource of a file: its line or 0, its text where it came alone, the address its Bundle gives it."""

    line: int
    resource: Resource
    body: bytes | None
    address: str = ""


def resources_in(path: Path) -> FileResources:
    """Every resource of a file of NDJSON, a Bundle or one resource, of whomever; of several with one id the newest.

    Raises `Misconfigured` for a file that cannot be opened, `Rejected` for one that is no JSON at all.
    """
    contents = Contents(path.name)
    found = _newest(items_of(path, contents))
    return FileResources(found, tuple(contents.issues))


def resources_among(values: Iterable[object], name: str) -> FileResources:
    """The same of JSON values that were sent, each a Bundle or one resource; `name` says in issues what was sent."""
    contents = Contents(name)
    found = _newest(item for value in values for item in _of_value(contents, 0, value, None))
    return FileResources(found, tuple(contents.issues))


def items_of(path: Path, contents: Contents) -> Iterator[Item]:
    """Every resource of a file, one after the other; raises as `resources_in` does."""
    try:
        if path.suffix.lower() in LINE_SUFFIXES:
            yield from _lines(path, contents)
            return
        raw = path.read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise Misconfigured(message, Issue("error", "file-unreadable", message, Where(path.name))) from error
    try:
        value = fhirjson.loads(raw)
    except fhirjson.JsonError as error:
        if not _starts_with_object(raw):
            raise Rejected(str(error), Issue("error", "not-json", str(error), Where(path.name))) from error
        yield from _lines(path, contents)
        return
    yield from _of_value(contents, 0, value, raw.strip())


def _newest(items: Iterable[Item]) -> tuple[Resource, ...]:
    found: dict[object, list[tuple[Order, Resource]]] = defaultdict(list)
    for item in items:
        resource = item.resource
        # An id names one resource on one server; the same id of somebody else is another result.
        named = isinstance(resource.get("id"), str)
        whose = fhirjson.dumps(resource.get("subject"))
        key: object = (resource["resourceType"], resource["id"], whose) if named else len(found)
        found[key].append((order_of(resource), resource))
    return tuple(oldest_first(bodies)[-1] for bodies in found.values())


def _starts_with_object(raw: bytes) -> bool:
    """True when the first line is a whole resource: NDJSON under another name."""
    try:
        return isinstance(fhirjson.loads(raw.lstrip().partition(b"\n")[0]), dict)
    except fhirjson.JsonError:
        return False


def _lines(path: Path, contents: Contents) -> Iterator[Item]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text:
                continue
            try:
                value = fhirjson.loads(text)
            except fhirjson.JsonError as error:
                message = f"the line is not JSON and was left out: {error}"
                contents.issues.append(Issue("error", "not-json", message, Where(contents.name, number)))
                continue
            yield from _of_value(contents, number, value, text)


def _of_value(contents: Contents, line: int, value: object, body: bytes | None) -> Iterator[Item]:
    """The resources of one JSON value; what is no FHIR resource, or has an impossible id, is said and left out."""
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        contents.timestamps.append(value.get("timestamp"))
        entries = value.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            inside: object = entry.get("resource") if isinstance(entry, dict) else None
            if _usable(inside, contents, line):
                yield Item(line, inside, None, str(entry.get("fullUrl") or ""))
    elif _usable(value, contents, line):
        yield Item(line, value, body)


def _usable(value: object, contents: Contents, line: int) -> TypeGuard[dict[str, object]]:
    where = Where(contents.name, line or None)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in resource_types():
        message = "no FHIR R4 resource (a JSON object with a known resourceType); it was left out"
        contents.issues.append(Issue("error", "unknown-resource", message, where))
        return False
    named = value.get("id")
    if isinstance(named, str) and not _ID.fullmatch(named):
        message = "an id that FHIR does not allow (letters, digits, - and . only, 64 at most); it was left out"
        contents.issues.append(Issue("error", "invalid-id", message, where))
        return False
    return True

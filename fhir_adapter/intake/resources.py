"""Which resources a JSON value or a file holds: NDJSON, Bundles, single resources; what is none is said.

NDJSON is read line by line, whatever its name; one JSON value, such as a Bundle, is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeGuard

from fhir_adapter import fhirjson
from fhir_adapter.intake.deletions import (
    ALONE,
    Deletions,
    Position,
    about_deletion,
    deletion_of,
    is_deletion,
    only_base,
)
from fhir_adapter.intake.order import oldest_first, order_of
from fhir_adapter.intake.whose import base_of
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
    deletions: Deletions = field(default_factory=Deletions)
    pages: dict[str, None] = field(default_factory=dict)
    """Where the next pages of searches are said to be, until they come."""
    entries: int = 0
    histories: int = 0

    def say(self, issue: Issue) -> None:
        """Note why something was left out."""
        self.issues.append(issue)

    def made(self, timestamp: object) -> None:
        """Note when a Bundle says that it was made."""
        self.timestamps.append(timestamp)

    def turn(self, links: object) -> None:
        """Note which page of a search a Bundle is, and which one it says comes next."""
        stated = [one for one in links if isinstance(one, dict)] if isinstance(links, list) else []
        urls = {str(one.get("relation")): str(one.get("url")) for one in stated}
        self.pages.pop(urls.get("self", ""), None)
        if "next" in urls:
            self.pages[urls["next"]] = None

    def end(self) -> None:
        """Say which pages never came."""
        for _ in self.pages:
            message = "a Bundle in it is one page of a search, and the next page is not here: results may be missing"
            self.say(Issue("warning", "bundle-page", message, Where(self.name)))


@dataclass(frozen=True, slots=True)
class Item:
    """One resource of a file: its line or 0, its text where it came alone, the address its Bundle gives it."""

    line: int
    resource: Resource
    body: bytes | None
    address: str = ""
    position: Position = ALONE


def resources_in(path: Path) -> FileResources:
    """Every resource of a file of NDJSON, a Bundle or one resource, of whomever; of several with one id the newest.

    What the file says was deleted, or may have been, is left out. Raises `Misconfigured` for a file that cannot be
    opened, `Rejected` for one that is no JSON at all.
    """
    contents = Contents(path.name)
    return _newest_of_all(items_of(path, contents), contents)


def resources_among(values: Iterable[object], name: str) -> FileResources:
    """The same of JSON values that were sent, each a Bundle or one resource; `name` says in issues what was sent."""
    contents = Contents(name)
    return _newest_of_all(_items_among(values, contents), contents)


def _items_among(values: Iterable[object], contents: Contents) -> Iterator[Item]:
    for value in values:
        yield from _of_value(contents, 0, value, None)
    contents.end()


def _newest_of_all(items: Iterable[Item], contents: Contents) -> FileResources:
    read = list(items)
    positions = {id(item.resource): item.position for item in read}
    found = []
    for _, resource in newest_of(item.resource for item in read):
        name = f"{resource['resourceType']}/{resource.get('id', '')}"
        issue = about_deletion(contents.deletions.fate_of(resource, positions[id(resource)]), name)
        if issue is None:
            found.append(resource)
        else:
            contents.say(issue)
    return FileResources(tuple(found), tuple(contents.issues))


def items_of(path: Path, contents: Contents) -> Iterator[Item]:
    """Every resource of a file, one after the other; raises as `resources_in` does."""
    try:
        with path.open("rb") as file:
            if path.suffix.lower() in LINE_SUFFIXES:
                yield from _lines(file, contents)
            else:
                yield from _lines_or_value(file, contents)
        contents.end()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise Misconfigured(message, Issue("error", "file-unreadable", message, Where(path.name))) from error


def newest_of(resources: Iterable[Resource]) -> Iterator[tuple[int, Resource]]:
    """Each resource once, with the number of its first body (from 0) and in that order; of several bodies the newest.

    An id names one resource on one server; the same id of somebody else is another result.
    """
    found: dict[object, tuple[int, list[Resource]]] = {}
    for number, resource in enumerate(resources):
        named = isinstance(resource.get("id"), str)
        whose = fhirjson.dumps(resource.get("subject"))
        key: object = (resource["resourceType"], resource["id"], whose) if named else number
        found.setdefault(key, (number, []))[1].append(resource)
    return ((number, _newest(bodies)) for number, bodies in found.values())


def _newest(bodies: Sequence[Resource]) -> Resource:
    if len(bodies) == 1:
        return bodies[0]
    return oldest_first([(order_of(body), body) for body in bodies])[-1]


def _lines_or_value(file: BinaryIO, contents: Contents) -> Iterator[Item]:
    """A file whose name does not say it: NDJSON when its first line is a whole resource and not all that there is."""
    head = _through_next_text(file)
    value = _whole_object(head)
    more = _through_next_text(file)
    if value is not None and any(map(bytes.strip, more)):
        yield from _lines(chain(head, more, file), contents)
        return
    raw = b"".join([*head, *more, file.read()])
    if value is None:
        try:
            value = fhirjson.loads(raw)
        except fhirjson.JsonError as error:
            raise Rejected(str(error), Issue("error", "not-json", str(error), Where(contents.name))) from error
    yield from _of_value(contents, 0, value, raw.strip())


def _through_next_text(file: BinaryIO) -> list[bytes]:
    """The next lines up to one that is not blank, that one too."""
    found = []
    for line in file:
        found.append(line)
        if line.strip():
            break
    return found


def _whole_object(lines: Sequence[bytes]) -> object:
    """The last line as a JSON object; None when it is no whole one."""
    try:
        value = fhirjson.loads(lines[-1].strip() if lines else b"")
    except fhirjson.JsonError:
        return None
    return value if isinstance(value, dict) else None


def _lines(lines: Iterable[bytes], contents: Contents) -> Iterator[Item]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        try:
            value = fhirjson.loads(text)
        except fhirjson.JsonError as error:
            message = f"the line is not JSON and was left out: {error}"
            contents.say(Issue("error", "not-json", message, Where(contents.name, number)))
            continue
        yield from _of_value(contents, number, value, text)


def _of_value(contents: Contents, line: int, value: object, body: bytes | None) -> Iterator[Item]:
    """The resources of one JSON value; what is no FHIR resource, or has an impossible id, is said and left out."""
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        yield from _of_bundle(contents, line, value)
    elif _usable(value, contents, line):
        contents.entries += 1
        yield Item(line, value, body, position=Position(place=contents.entries))


def _of_bundle(contents: Contents, line: int, bundle: Resource) -> Iterator[Item]:
    """The resources of its entries, and of Bundles among them; of a history the oldest first."""
    contents.made(bundle.get("timestamp"))
    contents.turn(bundle.get("link"))
    stated = bundle.get("entry")
    entries = stated if isinstance(stated, list) else []
    is_history = bundle.get("type") == "history"
    contents.histories += is_history
    of_all = Position(only_base(entries), contents.histories) if is_history else Position()
    for entry in reversed(entries) if is_history else entries:
        contents.entries += 1
        at = replace(of_all, place=contents.entries)
        inside: object = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and is_deletion(entry):
            _note_deletion(contents, line, entry, at)
        elif isinstance(inside, dict) and inside.get("resourceType") == "Bundle":
            yield from _of_bundle(contents, line, inside)
        elif _usable(inside, contents, line):
            address = str(entry.get("fullUrl") or "")
            base = base_of(address, str(inside["resourceType"])) or at.base
            yield Item(line, inside, None, address, replace(at, base=base))


def _note_deletion(contents: Contents, line: int, entry: Resource, at: Position) -> None:
    deletion = deletion_of(entry, at)
    if deletion is None:
        message = "an entry says that something was deleted, and not what: right would be a URL such as Observation/1"
        contents.say(Issue("error", "deletion-unclear", message, Where(contents.name, line or None)))
    else:
        contents.deletions.note(deletion)


def _usable(value: object, contents: Contents, line: int) -> TypeGuard[dict[str, object]]:
    where = Where(contents.name, line or None)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in resource_types():
        message = "no FHIR R4 resource (a JSON object with a known resourceType); it was left out"
        contents.say(Issue("error", "unknown-resource", message, where))
        return False
    named = value.get("id")
    if isinstance(named, str) and not _ID.fullmatch(named):
        message = "an id that FHIR does not allow (letters, digits, - and . only, 64 at most); it was left out"
        contents.say(Issue("error", "invalid-id", message, where))
        return False
    return True

"""What would change on the server: every resource with what is to be done to it, and why not where it is not.

The plan is made from the resources, what the ledger says we sent, and what stands on the server under ids that the
ledger does not know. The same object is printed by a dry run and executed by `apply_plan`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers import Mapped
from fhir_adapter.mappers import Mapping as MappedTrial
from fhir_adapter.sources import Reading
from fhir_adapter.store import Sent
from fhir_adapter.validation import check_structure

Action = Literal["create", "update", "unchanged", "withdrawn", "conflict", "blocked"]
ACTIONS: tuple[Action, ...] = get_args(Action)

Existing = Callable[[Sequence[str]], Mapping[str, dict[str, object]]]
"""Given names (`Type/id`), the resources that stand on the server under them."""

_LOST = ("blocked", "conflict")
_SERVER_META = ("versionId", "lastUpdated", "source")


@dataclass(frozen=True, slots=True)
class Item:
    """One resource and what is to be done to it; `body` is what would be sent."""

    action: Action
    name: str
    subject: str | None
    source: str
    body: bytes = b""
    sha256: bytes = b""
    revision: int = 0
    version: str | None = None
    adopted: bool = False

    def to_dict(self) -> dict[str, object]:
        """The JSON form of a plan file: what, not the body."""
        return {"action": self.action, "resource": self.name, "subject": self.subject, "source": self.source}


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """Everything that would be done, item by item, and what was set aside on the way."""

    items: tuple[Item, ...]
    set_aside: tuple[Issue, ...]
    warnings: tuple[Issue, ...] = ()

    def counts(self) -> dict[Action, int]:
        """How many items there are of each action."""
        counted = Counter(item.action for item in self.items)
        return {action: counted[action] for action in ACTIONS}

    def of(self, *actions: Action) -> Iterator[Item]:
        """The items with one of these actions."""
        return (item for item in self.items if item.action in actions)


def make_plan(reading: Reading, mapping: MappedTrial, sent: Mapping[str, Sent], existing: Existing) -> SyncPlan:
    """Decide for every resource; asks the server only for ids that the ledger does not know."""
    compared = [_compare(one, sent) for one in mapping.resources]
    resources = {one.name: one for one in mapping.resources}
    issues = [*(aside.issue for aside in reading.set_aside), *(one.issue for one in mapping.unmapped)]
    items, twice = _block_twice(compared, mapping.resources)
    items, invalid = _block_invalid(items, resources)
    items, foreign = _adopt(items, resources, existing)
    items, unresolved = _block_unresolved(items, resources)
    gone = list(_gone(reading, mapping, sent, {item.name for item in items}))
    return SyncPlan((*items, *gone), (*issues, *twice, *invalid, *foreign, *unresolved), reading.warnings)


def _compare(one: Mapped, sent: Mapping[str, Sent]) -> Item:
    body = fhirjson.dumps(one.resource)
    digest = hashlib.sha256(body).digest()
    known = sent.get(one.name)
    source = one.origin.source
    if known is None:
        return Item("create", one.name, one.subject, source, body, digest, 1)
    action: Action = "unchanged" if known.sha256 == digest else "update"
    return Item(action, one.name, one.subject, source, body, digest, known.revision + 1, known.version)


def _block_twice(items: Sequence[Item], mapped: Sequence[Mapped]) -> tuple[list[Item], list[Issue]]:
    """Two records under one id: nobody knows which is right, so neither is sent."""
    counts = Counter(item.name for item in items)
    kept = {item.name: item if counts[item.name] == 1 else replace(item, action="blocked") for item in items}
    message = "another record has the same id; two sources give the same business key to different things"
    issues = [
        Issue("error", "duplicate-key", message, Where(one.origin.file or None, one.origin.row or None, one.name))
        for one in mapped
        if counts[one.name] > 1
    ]
    return list(kept.values()), issues


def _block_invalid(items: Sequence[Item], resources: Mapping[str, Mapped]) -> tuple[list[Item], list[Issue]]:
    """Check everything that would be sent against FHIR itself; what fails is blocked, with its row."""
    kept: list[Item] = []
    issues: list[Issue] = []
    for item in items:
        found: list[Issue] = []
        if item.action in ("create", "update"):
            found = [issue for issue in check_structure(resources[item.name].resource) if issue.is_error]
        issues.extend(_at_origin(issue, resources[item.name]) for issue in found)
        kept.append(replace(item, action="blocked") if found else item)
    return kept, issues


def _at_origin(issue: Issue, one: Mapped) -> Issue:
    where = Where(one.origin.file or None, one.origin.row or None, one.name, issue.where.expression)
    return replace(issue, where=where)


def _block_unresolved(items: Sequence[Item], resources: Mapping[str, Mapped]) -> tuple[list[Item], list[Issue]]:
    """Block what would refer to something that is not sent, until nothing more is to be blocked."""
    state = {item.name: item for item in items}
    issues: list[Issue] = []
    waiting = {
        item.name: set(_references(resources[item.name].resource))
        for item in items
        if item.action in ("create", "update")
    }
    while True:
        missing = {
            name: sorted(target for target in targets if target not in state or state[target].action in _LOST)
            for name, targets in waiting.items()
        }
        lost = {name: targets for name, targets in missing.items() if targets}
        if not lost:
            return list(state.values()), issues
        for name, targets in lost.items():
            state[name] = replace(state[name], action="blocked")
            del waiting[name]
            origin = resources[name].origin
            message = f"refers to {targets[0].split('/')[0]} that is set aside or not in the sources"
            where = Where(origin.file or None, origin.row or None, name)
            issues.append(Issue("error", "unresolved-reference", message, where))


def _references(value: object) -> Iterator[str]:
    """Every literal reference in a resource."""
    if isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str):
            yield target
        for child in value.values():
            if isinstance(child, (dict, list)):
                yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _adopt(
    items: Sequence[Item], resources: Mapping[str, Mapped], existing: Existing
) -> tuple[list[Item], list[Issue]]:
    """Look where we would create: ours already there is adopted, somebody else's under our id is a conflict."""
    new = [item.name for item in items if item.action == "create"]
    there = existing(new) if new else {}
    kept: list[Item] = []
    issues: list[Issue] = []
    for item in items:
        found = there.get(item.name) if item.action == "create" else None
        if found is None:
            kept.append(item)
            continue
        resource, version = resources[item.name].resource, _version(found)
        if not _same_identifier(resource, found):
            message = "another resource stands under this id on the server; it carries none of our identifiers"
            issues.append(Issue("error", "foreign-resource", message, Where(resource=item.name)))
            kept.append(replace(item, action="conflict"))
        elif same_content(resource, found):
            kept.append(replace(item, action="unchanged", version=version, adopted=True))
        else:
            kept.append(replace(item, action="update", version=version))
    return kept, issues


def same_content(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """True when the server holds what we would send, but for what servers set themselves."""
    return _plain(ours) == _plain(theirs)


def _plain(resource: Mapping[str, Any]) -> bytes:
    meta = resource.get("meta") or {}
    kept = {name: _as_set(meta[name]) for name in sorted(meta) if name not in _SERVER_META}
    return fhirjson.dumps({**{name: resource[name] for name in sorted(resource) if name != "text"}, "meta": kept})


def _as_set(value: object) -> object:
    """Profiles, labels and tags have no order, and servers give them another (HAPI sorts profiles)."""
    return sorted(fhirjson.dumps(one).decode() for one in value) if isinstance(value, list) else value


def _same_identifier(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    mine = _identifiers(ours)
    return not mine or bool(mine & _identifiers(theirs))


def _identifiers(resource: Mapping[str, Any]) -> set[tuple[str, str]]:
    stated = resource.get("identifier") or []
    many = stated if isinstance(stated, list) else [stated]
    return {(str(one.get("system")), str(one.get("value"))) for one in many if isinstance(one, dict)}


def _version(resource: Mapping[str, Any]) -> str | None:
    version = (resource.get("meta") or {}).get("versionId")
    return str(version) if version is not None else None


def _gone(reading: Reading, mapping: MappedTrial, sent: Mapping[str, Sent], planned: set[str]) -> Iterator[Item]:
    """What we once sent and the sources no longer hold: withdrawn, unless rows were set aside that may hold it."""
    uncertain_subjects = {aside.subject for aside in reading.set_aside if aside.subject}
    uncertain_subjects |= {subject for one in mapping.unmapped for subject in one.names if subject}
    uncertain_sources = {aside.source for aside in reading.set_aside if not aside.subject}
    touched_sources = {aside.source for aside in reading.set_aside}  # what subjects share may hang on any of its rows
    for name, known in sent.items():
        if name in planned:
            continue
        uncertain = known.subject in uncertain_subjects or known.source in uncertain_sources
        uncertain = uncertain or (known.subject is None and known.source in touched_sources)
        action: Action = "blocked" if uncertain else "withdrawn"
        yield Item(action, name, known.subject, known.source, revision=known.revision, version=known.version)

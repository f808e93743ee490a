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
from fhir_adapter.mappers.r4.provenance import Grounds
from fhir_adapter.sources import Reading
from fhir_adapter.store import EDITED, Sent
from fhir_adapter.sync.content import same_content, version_in
from fhir_adapter.validation import check

Action = Literal["create", "update", "unchanged", "withdrawn", "conflict", "blocked"]
ACTIONS: tuple[Action, ...] = get_args(Action)

Existing = Callable[[Sequence[str]], Mapping[str, dict[str, object]]]
"""Given names (`Type/id`), the resources that stand on the server under them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One resource and what is to be done to it; `body` is what would be sent.

    `adopted`: it stands on the server as we would send it, unknown to the ledger. `left`: it stands there whole, and is
    not overwritten with a part. `sha256` is that of the body, or of what of it is compared from run to run. `grounds`
    is what its Provenance says beside the files of its `sources`.
    """

    action: Action
    name: str
    subject: str | None
    source: str
    body: bytes = b""
    sha256: bytes = b""
    revision: int = 0
    version: str | None = None
    sources: tuple[str, ...] = ()
    adopted: bool = False
    left: bool = False
    grounds: Grounds | None = None

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
    edited = _edited_issues(items)
    items, foreign = _adopt(items, resources, existing)
    items = _keep_whole(items, reading, mapping)
    items, unresolved = _block_unresolved(items, resources)
    gone = list(_gone(reading, mapping, sent, {item.name for item in items}))
    return SyncPlan((*items, *gone), (*issues, *twice, *invalid, *edited, *foreign, *unresolved), reading.warnings)


def _compare(one: Mapped, sent: Mapping[str, Sent]) -> Item:
    body = fhirjson.dumps(one.resource)
    digest = hashlib.sha256(body).digest()
    known = sent.get(one.name)
    source = one.origin.source
    if known is None:
        return Item("create", one.name, one.subject, source, body, digest, 1, sources=one.sources)
    action: Action = "unchanged" if known.sha256 == digest else "conflict" if known.version == EDITED else "update"
    return Item(action, one.name, one.subject, source, body, digest, known.revision + 1, known.version, one.sources)


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
    """Check everything that would be sent against FHIR and its profiles; what fails is blocked, with its row."""
    kept: list[Item] = []
    issues: list[Issue] = []
    for item in items:
        found: list[Issue] = []
        if item.action in ("create", "update"):
            found = [issue for issue in check(resources[item.name].resource) if issue.is_error]
        issues.extend(_at_origin(issue, resources[item.name]) for issue in found)
        kept.append(replace(item, action="blocked") if found else item)
    return kept, issues


_BUILT_OF_MANY = {
    "study-fact": ("ResearchStudy", "Group", "Organization", "Location"),
    "arm": ("ResearchStudy",),
    "criterion": ("Group", "ResearchStudy"),
    "disposition": ("ResearchSubject",),
}
"""What is built of many rows of a kind: with one of them set aside it would be told in part, as if it were whole."""


def _keep_whole(items: Sequence[Item], reading: Reading, mapping: MappedTrial) -> list[Item]:
    """Leave what stands on the server as it is while a row that it is built of is set aside.

    A subject's participation is not even created in part; the study is, because everything refers to it.
    """
    partial = {(name, aside.subject) for aside in reading.set_aside for name in _BUILT_OF_MANY.get(aside.kind, ())}
    unmapped = {one.name.partition("/")[0] for one in mapping.unmapped}
    partial |= {("ResearchStudy", None)} if "Group" in unmapped else set()
    return [
        replace(item, action="blocked", left=item.action == "update") if _is_partial(item, partial) else item
        for item in items
    ]


def _is_partial(item: Item, partial: set[tuple[str, str | None]]) -> bool:
    kind = item.name.partition("/")[0]
    if kind == "ResearchSubject":
        return item.action in ("create", "update") and bool(partial & {(kind, item.subject), (kind, None)})
    return item.action == "update" and item.subject is None and any(kind == name for name, _ in partial)


def _edited_issues(items: Sequence[Item]) -> list[Issue]:
    """What somebody wrote after our last write, found when that was recovered, is left as it is."""
    message = "somebody changed it on the server after our last write; it was left as it is"
    edited = [item for item in items if item.action == "conflict"]
    return [Issue("error", "edited-on-server", message, Where(resource=item.name)) for item in edited]


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
            name: sorted(target for target in targets if target not in state or _is_lost(state[target]))
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


def _is_lost(item: Item) -> bool:
    """Blocked, or somebody else's under our id; what is left as it stands, or was edited, can be referred to."""
    return (item.action == "blocked" and not item.left) or (item.action == "conflict" and item.version != EDITED)


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
        resource, version = resources[item.name].resource, version_in(found)
        if not same_identifier(resource, found):
            message = "another resource stands under this id on the server; it carries none of our identifiers"
            issues.append(Issue("error", "foreign-resource", message, Where(resource=item.name)))
            kept.append(replace(item, action="conflict"))
        elif same_content(resource, found):
            kept.append(replace(item, action="unchanged", version=version, adopted=True))
        else:
            kept.append(replace(item, action="update", version=version))
    return kept, issues


def same_identifier(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """True unless ours has business identifiers and theirs has none of them: then it is somebody else's."""
    mine = _identifiers(ours)
    return not mine or bool(mine & _identifiers(theirs))


def _identifiers(resource: Mapping[str, Any]) -> set[tuple[str, str]]:
    stated = resource.get("identifier") or []
    many = stated if isinstance(stated, list) else [stated]
    return {(str(one.get("system")), str(one.get("value"))) for one in many if isinstance(one, dict)}


def _gone(reading: Reading, mapping: MappedTrial, sent: Mapping[str, Sent], planned: set[str]) -> Iterator[Item]:
    """What we once sent and the sources no longer hold: withdrawn, unless rows were set aside that may hold it."""
    uncertain_subjects = {aside.subject for aside in reading.set_aside if aside.subject}
    uncertain_sources = {aside.source for aside in reading.set_aside if not aside.subject}
    touched_sources = {aside.source for aside in reading.set_aside}  # what subjects share may hang on any of its rows
    if any(aside.kind in _BUILT_OF_MANY for aside in reading.set_aside):
        touched_sources.add("")  # the study's own resources come from several sources
    unmapped = {one.name for one in mapping.unmapped}
    for name, known in sent.items():
        if name in planned:
            continue
        uncertain = name in unmapped or known.subject in uncertain_subjects or known.source in uncertain_sources
        uncertain = uncertain or (known.subject is None and known.source in touched_sources)
        action: Action = "blocked" if uncertain else "withdrawn"
        yield Item(action, name, known.subject, known.source, revision=known.revision, version=known.version)

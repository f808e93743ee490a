"""Change exactly what the plan says, one transaction per subject, so that a stop at any moment leaves nothing half.

An intent is on the disk before each request and closed after its answer. A transaction carries its own Provenance,
whose id is made from what it writes: the same transaction sent twice is the same to the byte.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, ServerRejected, TransactionEntry
from fhir_adapter.issues import Issue, Retriable, Where
from fhir_adapter.mappers import Context, map_provenance
from fhir_adapter.store import Intent, IntentEntry, Ledger, Sent
from fhir_adapter.sync.content import content_digest, same_content, version_in
from fhir_adapter.sync.plan import ACTIONS, Action, Item, SyncPlan
from fhir_adapter.sync.recover import acknowledge_proven, existing

ORDER = (
    *("Device", "Organization", "Location", "Group", "ResearchStudy", "Medication"),
    *("Patient", "ResearchSubject", "Encounter", "AdverseEvent", "MedicationAdministration", "Observation"),
)
"""Resources in an order in which each refers only to earlier ones, so large transactions can be split."""


@dataclass
class Applied:
    """What was really done, and what could not be."""

    counts: Counter[Action] = field(default_factory=Counter)
    provenances: int = 0
    issues: list[Issue] = field(default_factory=list)
    stopped: Retriable | None = None

    def to_dict(self) -> dict[Action, int]:
        """How many items ended in each action."""
        return {action: self.counts[action] for action in ACTIONS}


@dataclass(frozen=True)
class _Run:
    """What every step of an application needs."""

    server: FhirServer
    ledger: Ledger
    context: Context
    files: Mapping[str, str]
    open_intents: dict[str, Intent]
    applied: Applied
    progress: Callable[[int], None]


def apply_plan(
    plan: SyncPlan,
    server: FhirServer,
    ledger: Ledger,
    context: Context,
    files: Mapping[str, str],
    open_intents: Mapping[str, Intent],
    progress: Callable[[int], None] = lambda _done: None,
) -> Applied:
    """Execute a plan; what the server refuses is set aside with all that refers to it, the rest goes on.

    When the surroundings fail, the application stops there with `stopped` set: nothing is lost, run it again.
    """
    applied = Applied(Counter(plan.counts()))
    applied.counts["create"] = applied.counts["update"] = 0
    run = _Run(server, ledger, context, files, dict(open_intents), applied, progress)
    ledger.adopt([_as_sent(item) for item in plan.items if item.adopted])
    try:
        _apply_groups(run, plan)
        for intent in run.open_intents.values():
            ledger.forget(intent)
    except Retriable as error:
        applied.stopped = error
        applied.issues.extend(error.issues)
    return applied


def _apply_groups(run: _Run, plan: SyncPlan) -> None:
    lost: set[str] = set()
    for items in _groups(plan):
        waiting = [items]
        while waiting:
            some = _without_lost(run, waiting.pop(0), lost)
            if some:
                waiting[:0] = _send(run, some, lost)


def _groups(plan: SyncPlan) -> Iterator[list[Item]]:
    """The items to be written: the study's first, then each subject's, each in an order that splits safely."""
    by_subject: dict[str | None, list[Item]] = defaultdict(list)
    for item in plan.of("create", "update"):
        by_subject[item.subject].append(item)
    rank = {resource_type: place for place, resource_type in enumerate(ORDER)}
    for subject in sorted(by_subject, key=lambda name: (name is not None, name or "")):
        yield sorted(by_subject[subject], key=lambda item: rank[item.name.partition("/")[0]])


def _send(run: _Run, items: Sequence[Item], lost: set[str]) -> list[list[Item]]:
    """One transaction; answers what is still to be sent of these items, in smaller or cleaner parts."""
    most = run.server.settings.max_entries - 1  # one entry is the Provenance
    if len(items) > most:
        return [list(items[start : start + most]) for start in range(0, len(items), most)]
    try:
        _transact(run, items)
    except ServerRejected as error:
        return _after_rejection(run, items, error, lost)
    run.progress(len(items))
    return []


def _transact(run: _Run, items: Sequence[Item]) -> None:
    intent = _intent(run, items)
    activity = "create" if all(item.action == "create" for item in items) else "update"
    names = [item.name for item in items]
    grounds = [item.grounds for item in items if item.grounds is not None]
    files = _files(run, items)
    provenance = map_provenance(intent.provenance, names, intent.recorded, activity, files, run.context, grounds)
    entries = [_entry(item) for item in items]
    entries.append(TransactionEntry(f"Provenance/{intent.provenance}", fhirjson.dumps(provenance)))
    run.ledger.intend(intent)
    try:
        answers = run.server.transaction(entries)
    except ServerRejected as error:
        if not (error.conflict and _took_place(run, intent)):
            run.ledger.forget(intent)
            raise
    else:
        run.ledger.acknowledge(intent, {answer.name: answer.version for answer in answers})
    run.open_intents.pop(intent.provenance, None)
    run.applied.provenances += 1
    run.applied.counts.update(item.action for item in items)


def _took_place(run: _Run, intent: Intent) -> bool:
    """True when this transaction was written although its first answer was lost, and now conflicts with itself.

    An older transaction of ours that arrived late makes a conflict too; it is recorded, and the plan is out of date.
    """
    late = [one for one in run.open_intents.values() if one.provenance != intent.provenance]
    left = acknowledge_proven([intent, *late], run.ledger, run.server)
    if any(one.provenance not in left for one in late):
        message = "an earlier transaction arrived late; run again, so that the plan is made from what stands there now"
        raise Retriable(message, Issue("error", "arrived-late", message))
    return intent.provenance not in left


def _entry(item: Item) -> TransactionEntry:
    """An update is guarded by the version it is based on, so that nobody's edit is overwritten."""
    return TransactionEntry(item.name, item.body, item.version if item.action == "update" else None)


def _intent(run: _Run, items: Sequence[Item]) -> Intent:
    content = sorted((item.name, item.revision, item.version or "", item.sha256.hex()) for item in items)
    name = fhirjson.dumps(["Provenance", *map(list, content)]).decode()
    provenance = str(uuid.uuid5(run.context.folder.namespace, name))
    known = run.open_intents.get(provenance)
    recorded = known.recorded if known else datetime.now(UTC).isoformat(timespec="milliseconds")
    return Intent(provenance, recorded, tuple(_intent_entry(item) for item in items))


def _intent_entry(item: Item) -> IntentEntry:
    content = content_digest(fhirjson.loads(item.body))
    return IntentEntry(item.name, item.subject, item.source, item.sha256, item.revision, content)


def _files(run: _Run, items: Iterable[Item]) -> dict[str, str]:
    """The files behind these items, with their SHA-256."""
    sources = {source for item in items for source in item.sources}
    return {
        source.file: run.files[source.file]
        for source in run.context.folder.sources
        if source.name in sources and source.file in run.files
    }


def _after_rejection(run: _Run, items: Sequence[Item], error: ServerRejected, lost: set[str]) -> list[list[Item]]:
    """What is still to be sent: halves of what is too large or has an unnamed culprit, the rest around a named one."""
    refused: Sequence[Item]
    edited = error.conflict
    if edited:
        refused, equal = _edited(run, items)
        run.ledger.adopt([_as_sent(item) for item in equal])
        run.applied.counts["unchanged"] += len(equal)
    else:
        refused, equal = [items[place] for place in sorted(error.blamed) if place < len(items)], []
    if not refused and not equal:
        if len(items) > 1:
            middle = len(items) // 2
            return [list(items[:middle]), list(items[middle:])]
        refused, edited = items, False
    action: Action = "conflict" if edited else "blocked"
    for item in refused:
        if item.action == "create":  # what only could not be changed stands there, and can be referred to
            lost.add(item.name)
        run.applied.counts[action] += 1
        run.applied.issues.extend(_issues(item, error, action))
    done = {item.name for item in (*refused, *equal)}
    run.progress(len(done))
    return [[item for item in items if item.name not in done]]


def _edited(run: _Run, items: Iterable[Item]) -> tuple[list[Item], list[Item]]:
    """The updates whose version on the server is not the one we know: edited, and already as we would have them."""
    updates = [item for item in items if item.action == "update" and item.version is not None]
    there = existing(run.server, [item.name for item in updates])
    edited, equal = [], []
    for item in updates:
        resource = there.get(item.name, {})
        version = version_in(resource)
        if version == item.version:
            continue
        if resource and same_content(fhirjson.loads(item.body), resource):
            equal.append(replace(item, version=version))
        else:
            edited.append(item)
    return edited, equal


def _issues(item: Item, error: ServerRejected, action: Action) -> Iterator[Issue]:
    if action == "conflict":
        message = "somebody changed it on the server after our last write; it was left as it is"
        yield Issue("error", "edited-on-server", message, Where(resource=item.name), source="server")
        return
    for issue in error.issues[:3]:
        yield replace(issue, where=Where(resource=item.name, expression=issue.where.expression))


def _without_lost(run: _Run, items: Sequence[Item], lost: set[str]) -> list[Item]:
    """Block what refers to something that the server refused."""
    if not lost:
        return list(items)
    kept = []
    for item in items:
        if any(name.encode() in item.body for name in lost):
            lost.add(item.name)
            run.applied.counts["blocked"] += 1
            message = "refers to something that the server refused"
            run.applied.issues.append(Issue("error", "unresolved-reference", message, Where(resource=item.name)))
            run.progress(1)
        else:
            kept.append(item)
    return kept


def _as_sent(item: Item) -> Sent:
    return Sent(item.name, item.subject, item.source, item.sha256, item.version, item.revision)

"""What would change on the server for computed scores, and why a new version is needed where one is.

A score is a new version when it says something else, or when a result that it rests on says something else, its status
telling which: `corrected` when a result of the version before was changed or taken back at its source, `amended` when
other results count, or the rule does. A later data cut alone is none.

What the version before rested on is read from the Provenance beside it on the server, not kept in our state: it was
written in the same transaction as the score, so the two fit together whenever a run was killed, and it is still there
when the state is lost. It is asked for only where something is to be written. What was sent is kept in a ledger apart
from the trial's own, as one digest a score, so that nothing is asked at all while nothing changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers import Resource
from fhir_adapter.mappers.r4.provenance import Grounds, ReadSource, author_in, sources_in
from fhir_adapter.mappers.r4.stored_score import cutoff_in, timeless
from fhir_adapter.store import Sent
from fhir_adapter.sync.content import content_digest, version_in
from fhir_adapter.sync.plan import Action, Existing, Item, SyncPlan, same_identifier
from fhir_adapter.trial import MomentError, read_moment
from fhir_adapter.validation import check

_SAYS = ("valueQuantity", "valueRange", "interpretation", "component")
_LINKS = ("subject", "extension")
_OTHERWISE = "the rule of the trial, or how the score is told, changed"
_OURS = ("final", "corrected", "amended")

Provenances = Callable[[Sequence[str]], Sequence[Mapping[str, Any]]]
"""Given names (`Type/id`), the Provenances on the server that are about them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A score that is to stand on the server.

    `render` makes the resource, given the names of what is known to stand there; `refers_to` are the names that it
    would like to refer to. `grounds` is what it rests on now. `around` answers whether a result stands at its source as
    it was read then, `said_of` what a result said when its body had that SHA-256 (None when nobody knows any more).
    `blocked` says why it must not be written.
    """

    name: str
    subject: str
    render: Callable[[Collection[str]], Resource]
    refers_to: tuple[str, ...]
    grounds: Grounds
    around: Callable[[str, str], bool]
    said_of: Callable[[str, str], str | None]
    sources: tuple[str, ...] = ()
    blocked: Issue | None = None

    def digest(self, resource: Resource) -> bytes:
        """What tells this score, made so, from what was sent: what it says, and what its results said."""
        rests_on = sorted([one.name, one.said] for one in self.grounds.sources)
        said = [content_digest(timeless(resource)).hex(), *rests_on]
        return hashlib.sha256(fhirjson.dumps(said)).digest()

    def item(self, action: Action, **more: Any) -> Item:  # noqa: ANN401 - the fields of an item
        """The item of the plan, without body."""
        return Item(action, self.name, self.subject, self.grounds.about, sources=self.sources, **more)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the server answered: what stands there, the scores themselves, and the Provenances about them."""

    stands: Collection[str] = frozenset()
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provenances: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class _Before:
    """What the version that stands on the server rested on, and who wrote it."""

    sources: Mapping[str, tuple[str, ...]]
    author: str


def make_score_plan(
    drafts: Sequence[Draft],
    sent: Mapping[str, Sent],
    stands: Collection[str],
    existing: Existing,
    provenances: Provenances,
) -> SyncPlan:
    """Decide for every score; asks the server only where the ledger does not know what would be written.

    `stands` are names of resources that are known to stand there.
    """
    opened = [draft for draft in drafts if not draft.blocked and not _is_sent(draft, sent.get(draft.name), stands)]
    asked = _ask(opened, stands, existing, provenances)
    settled = {draft.name: _settle(draft, sent.get(draft.name), asked) for draft in opened}
    items = [settled[draft.name][0] if draft.name in settled else _closed(draft, sent) for draft in drafts]
    issues = [draft.blocked for draft in drafts if draft.blocked]
    issues += [issue for _, found in settled.values() for issue in found]
    return SyncPlan(tuple(items), tuple(dict.fromkeys(issues)))


def _closed(draft: Draft, sent: Mapping[str, Sent]) -> Item:
    known = sent.get(draft.name)
    version = known.version if known else None
    return draft.item("blocked" if draft.blocked else "unchanged", version=version)


def _is_sent(draft: Draft, known: Sent | None, stands: Collection[str]) -> bool:
    """True when the ledger has it, as it is made with what we know to stand there, or with more that may stand."""
    if known is None:
        return False
    forms = (stands, {*stands, *draft.refers_to})
    return any(known.sha256 == draft.digest(draft.render(form)) for form in forms)


def _ask(opened: Sequence[Draft], stands: Collection[str], existing: Existing, provenances: Provenances) -> _Asked:
    if not opened:
        return _Asked(stands)
    unsure = dict.fromkeys(name for draft in opened for name in draft.refers_to if name not in stands)
    scores = existing([draft.name for draft in opened])
    there = existing(list(unsure)) if unsure else {}
    return _Asked({*stands, *there}, scores, provenances(list(scores)) if scores else ())


def _settle(draft: Draft, known: Sent | None, asked: _Asked) -> tuple[Item, list[Issue]]:
    """What is to be done with a score that is not known to stand there as it would be written."""
    resource, there = draft.render(asked.stands), asked.scores.get(draft.name)
    digest, revision = draft.digest(resource), known.revision + 1 if known else 1
    if there is None and known is None:
        return _written(draft, draft.item("create", sha256=digest, revision=revision), resource, draft.grounds)
    if there is None:
        return _conflict(draft, "edited-on-server", "somebody deleted it on the server; it is not written again")
    if not same_identifier(resource, there):
        message = "another resource stands under this id on the server; it carries none of our identifiers"
        return _conflict(draft, "foreign-resource", message)
    before, version = _before(draft, asked), version_in(there)
    if _stands_so(draft, known, resource, there, before):
        return draft.item("unchanged", sha256=digest, revision=revision, version=version, adopted=True), []
    if there.get("status") not in _OURS or (known and known.version not in (None, version)):
        message = "somebody changed it on the server after our last write; it was left as it is"
        return _conflict(draft, "edited-on-server", message)
    status, reasons = _why(draft, resource, there, before)
    grounds = replace(draft.grounds, reasons=reasons, replaces=f"{draft.name}/_history/{version}" if version else None)
    item = draft.item("update", sha256=digest, revision=revision, version=version)
    return _written(draft, item, {**resource, "status": status}, grounds)


def _written(draft: Draft, item: Item, resource: Resource, grounds: Grounds) -> tuple[Item, list[Issue]]:
    """The item with its body; blocked when FHIR does not allow what would be sent."""
    found = [
        replace(one, where=Where(resource=draft.name, expression=one.where.expression)) for one in _wrong(resource)
    ]
    if found:
        return draft.item("blocked", version=item.version), found
    return replace(item, body=fhirjson.dumps(resource), grounds=grounds), []


def _wrong(resource: Resource) -> list[Issue]:
    return [issue for issue in check(resource) if issue.is_error]


def _conflict(draft: Draft, code: str, message: str) -> tuple[Item, list[Issue]]:
    return draft.item("conflict"), [Issue("error", code, message, Where(resource=draft.name), source="server")]


def _stands_so(
    draft: Draft, known: Sent | None, resource: Resource, there: Mapping[str, Any], before: _Before | None
) -> bool:
    """True when the server has it as it would be written: another state of ours sent it, or this one lost track.

    Where nobody can say what it rested on, a score that our ledger knows otherwise is not taken for the same.
    """
    if there.get("status") not in _OURS or content_digest(timeless(resource)) != content_digest(timeless(there)):
        return False
    return known is None if before is None else not any(_differences(draft, before))


def _before(draft: Draft, asked: _Asked) -> _Before | None:
    """What the newest Provenance of ours says of this score; None when the server has none that can be read."""
    found = [one for one in asked.provenances if _is_about(one, draft.name) and sources_in(one, draft.grounds.about)]
    newest = max(found, key=_age, default=None)
    return None if newest is None else _Before(sources_in(newest, draft.grounds.about), author_in(newest))


def _is_about(provenance: Mapping[str, Any], name: str) -> bool:
    targets = [str(one.get("reference", "")) for one in provenance.get("target", []) if isinstance(one, dict)]
    return any(f"/{target.partition('/_history/')[0]}".endswith(f"/{name}") for target in targets)


def _age(provenance: Mapping[str, Any]) -> tuple[float, float]:
    """By the server's clock where it tells it, then by ours."""
    return _instant((provenance.get("meta") or {}).get("lastUpdated")), _instant(provenance.get("recorded"))


def _instant(stated: object) -> float:
    try:
        return float(read_moment(str(stated)).bounds()[0])
    except MomentError:
        return 0.0


def _differences(draft: Draft, before: _Before) -> tuple[list[str], list[str], list[str], list[str]]:
    """The names of results that say something else, were taken back at their source, count now, count no more."""
    now: dict[str, list[ReadSource]] = {}
    for source in draft.grounds.sources:
        now.setdefault(source.name, []).append(source)
    both = [name for name in now if name in before.sources]
    changed = [name for name in both if not _say_the_same(draft, before.sources[name], now[name])]
    gone = [name for name in before.sources if name not in now]
    kept = [name for name in gone if all(draft.around(name, digest) for digest in before.sources[name])]
    return changed, [name for name in gone if name not in kept], [name for name in now if name not in both], kept


def _say_the_same(draft: Draft, then: Sequence[str], now: Sequence[ReadSource]) -> bool:
    """True when every body of then has one of now that says the same, and the other way round."""

    def same(digest: str, source: ReadSource) -> bool:
        return digest == source.sha256 or draft.said_of(source.name, digest) == source.said

    return all(any(same(digest, one) for one in now) for digest in then) and all(
        any(same(digest, one) for digest in then) for one in now
    )


def _why(
    draft: Draft, resource: Resource, there: Mapping[str, Any], before: _Before | None
) -> tuple[str, tuple[str, ...]]:
    """The status of the new version, and its reasons in words: which result changed, from which body to which.

    What is only linked or told otherwise keeps the status that it has.
    """
    changed, taken, more, less = _differences(draft, before) if before else ([], [], [], [])
    reasons = [f"{name} changed from {_then(before, name)} to {_now(draft, name)}" for name in changed]
    reasons += [f"{name} was taken back or changed at its source (was {_then(before, name)})" for name in taken]
    reasons += [f"{name} counts now ({_now(draft, name)})" for name in more]
    reasons += [f"{name} does not count any more; it stands unchanged" for name in less]
    reasons += _other_reasons(draft, resource, there, before)
    if changed or taken:
        return "corrected", tuple(reasons)
    amended = more or less or before is None or not _alike(resource, there, _SAYS)
    return "amended" if amended else str(there["status"]), tuple(reasons or [_OTHERWISE])


def _other_reasons(draft: Draft, resource: Resource, there: Mapping[str, Any], before: _Before | None) -> Iterator[str]:
    """What beside its results makes a new version of a score."""
    then, now = cutoff_in(there), cutoff_in(resource)
    author = str(draft.grounds.author.get("display"))
    if before is None:
        yield "what the version before rested on cannot be read on this server"
    if then != now:
        yield f"it is compared with a cut-off of {now} instead of {then}"
    if not _alike(resource, there, _LINKS):
        yield "the trial's own resources that it is linked to stand on this server now, or are others"
    if before is not None and before.author not in ("", author):
        yield f"computed by {author} instead of {before.author}"


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str]) -> bool:
    """True when both say the same in these elements."""
    ours, theirs = ({name: each[name] for name in names if name in each} for each in (one, other))
    return content_digest(ours) == content_digest(theirs)


def _then(before: _Before | None, name: str) -> str:
    return " and ".join(f"sha-256 {digest}" for digest in (before.sources[name] if before else ()))


def _now(draft: Draft, name: str) -> str:
    return " and ".join(sorted(f"sha-256 {one.sha256}" for one in draft.grounds.sources if one.name == name))

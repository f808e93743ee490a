"""push_scores: keep every score of the trial on a server, each once, and as a new version that says why it changed.

A score is sent only when what it rests on is known whole: after an incomplete pull, or while a row that it may rest on
is set aside, the scores of whom that may concern are blocked and said. What has no score any more is counted as
withdrawn and never deleted. Scores have a ledger of their own beside the trial's: neither push takes what the other
sent for gone.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from fhir_adapter.client import FhirServer, ServerRejected, ServerSettings
from fhir_adapter.issues import Issue, Where
from fhir_adapter.jobs.interlock import capabilities_of, may_push
from fhir_adapter.jobs.push import PushReport
from fhir_adapter.jobs.score import EVERYTHING, Known, ScoreOptions, ScoreReport, gather, score_known
from fhir_adapter.jobs.score_sources import ScoreSources, file_of
from fhir_adapter.mappers import Context, Resource, context_of
from fhir_adapter.mappers.r4.device import ADAPTER_NAME
from fhir_adapter.mappers.r4.provenance import Grounds, adapter_of
from fhir_adapter.mappers.r4.score import used_results
from fhir_adapter.mappers.r4.stored_score import CRITERIA, HSCORE_PAPER, own_score, referred_to
from fhir_adapter.scores import WindowScore
from fhir_adapter.store import FILE, Ledger, ResultStore, Sent, open_store
from fhir_adapter.sync import Action, Draft, Item, SyncPlan, apply_plan, existing, make_score_plan, recover
from fhir_adapter.trial import Result, Subject
from fhir_adapter.trial_folder import TrialFolder

log = logging.getLogger(__name__)

_PROVENANCES_PER_SEARCH = 20
_PLACING = ("subject", "dose")
"""The kinds of rows that say at which visit a result counts."""
_RESTS_ON = (*_PLACING, "measurement", "finding")
"""The kinds of rows that a score may rest on."""


@dataclass(frozen=True, slots=True)
class PushScoresOptions:
    """Which scores are sent and how; the cut-off is always the trial's own, because a server holds one score each."""

    subject: str | None = None
    window: str | None = None
    source: Path | None = None
    subjects: int | None = None
    dry_run: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class PushScoresReport:
    """The scores that were computed, and what their push planned and did."""

    scores: ScoreReport
    push: PushReport

    @property
    def outcome(self) -> Literal["done", "in part", "refused", "stopped"]:
        """How it ended: blocked scores are still computed and shown, so that is done in part."""
        refused = self.push.applied is None and not self.push.dry_run
        return "in part" if self.push.outcome == "refused" and not refused else self.push.outcome

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command: that of a push."""
        return self.push.to_dict()


def push_scores(
    folder: TrialFolder,
    settings: ServerSettings,
    state: Path,
    options: PushScoresOptions,
    show_plan: Callable[[SyncPlan], Callable[[int], None]],
) -> PushScoresReport:
    """Score, compare with what stands on the server, and apply exactly that plan.

    `show_plan` is given the plan before anything is written, and answers who is told of progress. Raises as `push` and
    `score` do.
    """
    may_push(folder, settings)
    with open_store(state, writer=not options.dry_run) as store, FhirServer(settings) as server:
        known = gather(folder, state, options.source)
        wanted = ScoreOptions(options.subject, options.window, options.source, subjects=options.subjects)
        scored = score_known(known, folder, wanted)
        trial, ledger = (Ledger(store, name, settings.base, folder.namespace) for name in (folder.id, _own(folder)))
        guarded = cache(partial(_checked, server))
        open_intents = recover(ledger, guarded()) if ledger.intents() else {}
        sources = ScoreSources(known.results, ResultStore(store, folder.id), settings.base)
        drafting = _Drafting(context_of(folder), settings, known, sources, frozenset(trial.sent()))
        plan = _plan(drafting, scored, options, ledger.sent(), guarded)
        log.info("planned", extra={"counts": plan.counts()})
        progress = show_plan(plan)
        if options.dry_run or (options.strict and plan.set_aside):
            return PushScoresReport(scored, PushReport(plan, None, server.requests, options.dry_run))
        applied = apply_plan(plan, server, ledger, drafting.context, known.reading.files, open_intents, progress)
        log.info("applied", extra={"counts": applied.to_dict()})
        return PushScoresReport(scored, PushReport(plan, applied, server.requests))


def _own(folder: TrialFolder) -> str:
    """Under which name the ledger of a trial's scores is kept; no trial's id has a slash."""
    return f"{folder.id}/scores"


def _checked(server: FhirServer) -> FhirServer:
    """The server, once it has said which FHIR it speaks."""
    capabilities_of(server)
    return server


@dataclass(frozen=True, slots=True)
class _Drafting:
    """What every score needs to be told to a server; `stands` is what the trial's own push put there."""

    context: Context
    settings: ServerSettings
    known: Known
    sources: ScoreSources
    stands: frozenset[str]

    @property
    def subjects(self) -> Mapping[str, Subject]:
        """The trial's subjects by number."""
        return {one.subject: one for one in self.known.reading.entities if isinstance(one, Subject)}


def _plan(
    drafting: _Drafting,
    scored: ScoreReport,
    options: PushScoresOptions,
    sent: Mapping[str, Sent],
    guarded: Callable[[], FhirServer],
) -> SyncPlan:
    subjects = drafting.subjects
    rule = _rule(drafting.context.folder)
    drafts = [
        _draft(drafting, one, subjects[mine.subject], rule, scored.cutoff)
        for mine in scored.subjects
        for one in mine.windows
    ]
    plan = make_score_plan(
        drafts,
        sent,
        drafting.stands,
        lambda names: existing(guarded(), names),
        lambda names: _provenances(guarded(), names),
    )
    asked = {mine.subject for mine in scored.subjects}
    mine = {name: one for name, one in sent.items() if _is_asked(one, options, subjects.keys() - asked)}
    gone = [one for name, one in mine.items() if name not in {draft.name for draft in drafts}]
    return SyncPlan((*plan.items, *(_gone(drafting.known, one) for one in gone)), plan.set_aside)


def _draft(drafting: _Drafting, one: WindowScore, subject: Subject, rule: Mapping[str, str], cutoff: int) -> Draft:
    context, sources = drafting.context, drafting.sources
    used = list(dict.fromkeys(used_results(one.score)))
    labels = [label for label in sources.labels(used) if not _is_known(label, context)]
    device = context.names.reference("Device", ADAPTER_NAME)["reference"]
    return Draft(
        name=f"Observation/{context.names.score_id(subject.subject, CRITERIA, one.window)}",
        subject=subject.subject,
        render=lambda stands: own_score(one, subject, context, stands=stands, labels=labels, refer=sources.refer),
        refers_to=referred_to(subject, context),
        grounds=Grounds(
            about=f"{CRITERIA}/{one.window}",
            author=adapter_of(context, stands=device in drafting.stands),
            sources=tuple(sorted({sources.read(result) for result in used})),
            files=rule,
            method=f"HScore by the rule of {', '.join(rule)}, cut-off {cutoff}",
            policy=HSCORE_PAPER,
        ),
        around=lambda name, digest: sources.stands(subject.subject, name, digest),
        said_of=sources.said_then,
        sources=_sources(used, context.folder),
        blocked=_why_not(drafting, subject.subject, labels),
    )


def _rule(folder: TrialFolder) -> dict[str, str]:
    """The file that states which result counts when, and from how many points on, with its SHA-256."""
    file = folder.path / "trial.yaml"
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}


def _is_known(label: Mapping[str, object], context: Context) -> bool:
    return any((one["system"], one["code"]) == (label.get("system"), label.get("code")) for one in context.security)


def _sources(used: Iterable[Result], folder: TrialFolder) -> tuple[str, ...]:
    """The trial's sources behind a score: of the results that sites typed, and of what places results at visits."""
    files = {file_of(result) for result in used if result.source == "typed"}
    return tuple(one.name for one in folder.sources if one.file in files or one.entity in _PLACING)


def _why_not(drafting: _Drafting, subject: str, labels: Sequence[Mapping[str, object]]) -> Issue | None:
    """Why the scores of a subject must not be sent now; None when they may."""
    known = drafting.known
    if drafting.context.folder.hospital is not None and not known.pulls:
        message = "no score is sent before the hospital's results were pulled once with this state"
        return Issue("error", "never-pulled", message)
    for pull in known.pulls:
        if not pull.complete and (pull.place == FILE or subject not in pull.subjects):
            message = f"{subject}: the last pull was incomplete: results may be missing, and no score is sent"
            return Issue("error", "incomplete-pull", message, Where(pull.place))
    if _is_in_part(known, subject):
        message = f"{subject}: a row that its scores may rest on was set aside; they are not sent until it is mended"
        return Issue("error", "score-in-part", message)
    if not drafting.settings.test and any(label.get("code") == "HTEST" for label in labels):
        message = f"{subject}: rests on made-up results (HTEST), which go only to a server marked `test: true`"
        return Issue("error", "test-data", message)
    return None


def _is_in_part(known: Known, subject: str | None) -> bool:
    asides = (one for one in known.reading.set_aside if one.kind in _RESTS_ON)
    return any(one.subject in (None, subject) for one in asides)


def _is_asked(one: Sent, options: PushScoresOptions, left_out: Collection[str]) -> bool:
    """True when this run would have computed it, if there still were such a score."""
    window = one.source.partition("/")[2]
    wanted = window != EVERYTHING if options.window is None else window == options.window
    return wanted and one.subject not in left_out and options.subject in (None, one.subject)


def _gone(known: Known, one: Sent) -> Item:
    """What once had a score: withdrawn, unless what it rested on may only be missing now."""
    uncertain = not known.complete or _is_in_part(known, one.subject)
    action: Action = "blocked" if uncertain else "withdrawn"
    return Item(action, one.name, one.subject, one.source, revision=one.revision, version=one.version)


def _provenances(server: FhirServer, names: Sequence[str]) -> list[Resource]:
    """The Provenances about these resources; none where the server cannot search them."""
    found: list[Resource] = []
    for start in range(0, len(names), _PROVENANCES_PER_SEARCH):
        targets = ",".join(names[start : start + _PROVENANCES_PER_SEARCH])
        try:
            found += server.search("Provenance", [("target", targets)]).resources
        except ServerRejected:
            log.info("the server does not search Provenances by target")
    return found

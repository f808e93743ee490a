"""push: bring the server in line with what the sites recorded, sending only what changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fhir_adapter.client import FhirServer, ServerSettings
from fhir_adapter.issues import Issue
from fhir_adapter.jobs.interlock import capabilities_of, may_push
from fhir_adapter.mappers import map_trial
from fhir_adapter.sources import read_trial
from fhir_adapter.store import Ledger, open_store
from fhir_adapter.sync import Applied, SyncPlan, apply_plan, existing, make_plan, recover
from fhir_adapter.trial_folder import TrialFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push planned and did; `applied` is None for a dry run and for a refusal."""

    plan: SyncPlan
    applied: Applied | None
    requests: int
    dry_run: bool = False

    @property
    def set_aside(self) -> list[Issue]:
        """Everything that was not written, with the reason."""
        return [*self.plan.set_aside, *(self.applied.issues if self.applied else [])]

    @property
    def outcome(self) -> Literal["done", "in part", "refused", "stopped"]:
        """How it ended: refused when there was something to write and nothing of it could be."""
        counts = self.plan.counts() if self.applied is None else self.applied.to_dict()
        if self.applied and self.applied.stopped:
            return "stopped"
        if not self.set_aside:
            return "done"
        written = counts["create"] + counts["update"] + counts["unchanged"]
        return "in part" if written and (self.applied is not None or self.dry_run) else "refused"

    @property
    def complete(self) -> bool:
        """True when the server is in line with the sources, or would be."""
        return not self.set_aside and not (self.applied and self.applied.stopped)

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        applied = self.applied or Applied()
        changes = [item.to_dict() for item in self.plan.items if item.action != "unchanged"]
        return {
            "complete": self.complete,
            "dry_run": self.dry_run,
            "plan": self.plan.counts(),
            "applied": applied.to_dict(),
            "provenance": applied.provenances,
            "set_aside": [issue.to_dict() for issue in self.set_aside],
            "warnings": [issue.to_dict() for issue in self.plan.warnings],
            "requests": self.requests,
            **({"items": changes} if self.dry_run else {}),
        }


@dataclass(frozen=True, slots=True)
class PushOptions:
    """How a push is to be done; `strict` writes nothing as long as anything is set aside."""

    dry_run: bool = False
    strict: bool = False
    source: Path | None = None
    subjects: int | None = None


def push(
    folder: TrialFolder,
    settings: ServerSettings,
    state: Path,
    options: PushOptions,
    show_plan: Callable[[SyncPlan], Callable[[int], None]],
) -> PushReport:
    """Read, map, check, plan, and apply exactly that plan.

    `show_plan` is given the plan before anything is written, and answers who is told of progress. Raises `Refused`
    when the data must not go to this server, and `Retriable` when the surroundings fail before anything was written.
    """
    may_push(folder, settings)
    reading = read_trial(folder, options.source).first_subjects(options.subjects)
    mapping = map_trial(reading.study, reading.entities, folder)
    log.info("read", extra={"resources": len(mapping.resources), "set_aside": len(reading.set_aside)})
    with open_store(state, writer=not options.dry_run) as store, FhirServer(settings) as server:
        ledger = Ledger(store, folder.id, settings.base, folder.namespace)
        guarded = _VersionGuard(server)
        open_intents = recover(ledger, guarded()) if ledger.intents() else {}
        plan = make_plan(reading, mapping, ledger.sent(), lambda names: existing(guarded(), names))
        log.info("planned", extra={"counts": plan.counts()})
        progress = show_plan(plan)
        if options.dry_run or (options.strict and plan.set_aside):
            return PushReport(plan, None, server.requests, options.dry_run)
        if any(plan.of("create", "update")):
            guarded()
        applied = apply_plan(plan, server, ledger, mapping.context, reading.files, open_intents, progress)
        log.info("applied", extra={"counts": applied.to_dict()})
        return PushReport(plan, applied, server.requests)


class _VersionGuard:
    """The server, asked once for its FHIR version before the first request that matters."""

    def __init__(self, server: FhirServer) -> None:
        self._server = server
        self._checked = False

    def __call__(self) -> FhirServer:
        if not self._checked:
            capabilities_of(self._server)
            self._checked = True
        return self._server

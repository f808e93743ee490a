"""How a plan and its end are shown: the same for a trial's resources and for its scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_adapter import fhirjson
from fhir_adapter.cli import exit_codes, show
from fhir_adapter.issues import Issue, Misconfigured, Where

if TYPE_CHECKING:
    from fhir_adapter.jobs.push import PushReport
    from fhir_adapter.sync import SyncPlan

PUSH_OUTCOMES = {
    "done": 0,
    "in part": exit_codes.IN_PART,
    "refused": exit_codes.REFUSED,
    "stopped": exit_codes.SURROUNDINGS,
}


def write_lines(path: Path, lines: list[bytes]) -> None:
    """Write a file as a whole or not at all; what is no ordinary file (a device, a folder) is left alone."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        message = f"{path.name} is no ordinary file; name another"
        raise Misconfigured(message, Issue("error", "unwritable", message, Where(str(path))))
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(b"".join(line + b"\n" for line in lines))
        temporary.replace(path)
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise Misconfigured(message, Issue("error", "unwritable", message, Where(str(path)))) from error


def plan_shower(path: Path | None, *, as_json: bool) -> Callable[[SyncPlan], Callable[[int], None]]:
    """Show the plan before it is applied, and answer who is told of progress."""

    def shower(plan: SyncPlan) -> Callable[[int], None]:
        show.print_plan(plan, to_stderr=as_json)
        if path is not None:
            write_lines(path, [fhirjson.dumps({"counts": plan.counts(), "items": [i.to_dict() for i in plan.items]})])
        return show.progress_bar(sum(1 for _ in plan.of("create", "update")))

    return shower


def say_how_it_ended(report: PushReport) -> None:
    """What was set aside, and what was done, on standard error."""
    show.print_issues(report.plan.warnings, "warnings")
    show.print_issues(report.set_aside, "set aside")
    if report.applied is None:
        show.hint("Dry run: nothing was written." if report.dry_run else "Nothing was written (--strict).")
        return
    done = report.applied.to_dict()
    show.hint(
        f"{done['create']} created, {done['update']} updated, {done['unchanged']} unchanged, "
        f"{done['blocked']} blocked, in {report.requests} requests."
    )
    if report.applied.stopped is not None:
        show.hint("Stopped by the surroundings: nothing is lost; run the same command again.")

"""The commands about results: pull them, write the report on them, print what is recorded nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.cli import exit_codes, show
from fhir_adapter.cli.options import (
    PREFIX,
    Config,
    Format,
    OutputFormat,
    Source,
    State,
    Trial,
    Verbose,
    settings_of,
    trial_folder,
)
from fhir_adapter.issues import Issue, Misconfigured, Where

_PULL_OUTCOMES = {
    "done": 0,
    "in part": exit_codes.IN_PART,
    "stopped": exit_codes.SURROUNDINGS,
}


def pull_command(
    context: typer.Context,
    trial: Trial,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", envvar=f"{PREFIX}SERVER", help="A server's name in the configuration, or its base URL."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="NDJSON or a Bundle instead of a server.", exists=True, dir_okay=False)
    ] = None,
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Fetch each subject's results from the hospital, keep them as received, and say what cannot be used."""
    from fhir_adapter.jobs.pull import PullOptions, pull  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    if (file is None) == (server is None):
        message = "name either a server or a file to pull from"
        raise Misconfigured(message, Issue("error", "no-door", message, Where("--server")))
    folder = trial_folder(trial)
    settings = settings_of(context).server(server) if server is not None else None
    report = pull(folder, settings, state_file(state, folder.id), PullOptions(file=file, source=source))
    told = report.to_dict()
    if output is OutputFormat.JSON:
        show.print_json(told)
    else:
        names = ("fetched", "new", "changed", "withdrawn", "measurements", "findings", "review")
        show.print_table("Pull", names, [[told[name] for name in names]])
        items = [(one.subject, one.kind, one.reference, one.why) for one in report.review_items]
        if items:
            show.print_table("To be reviewed by a person", ("subject", "what", "result", "why"), items)
    show.print_issues(report.set_aside, "not used")
    show.print_issues(report.why_incomplete, "reasons why this pull is incomplete")
    return _PULL_OUTCOMES[report.outcome]


def report_command(
    context: typer.Context,
    trial: Trial,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write the page that a clinician opens: scores, courses, evidence, what is missing, in one HTML file."""
    from fhir_adapter.jobs.report import ReportOptions, write_report  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    del context
    folder = trial_folder(trial)
    path = write_report(folder, state_file(state, folder.id), out, ReportOptions(source=source))
    if output is OutputFormat.JSON:
        show.print_json({"report": str(path)})
    else:
        show.hint(f"Report: {path}")
    return 0


def worksheet_command(
    context: typer.Context,
    trial: Trial,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write, to be printed.")],
    subject: Annotated[
        str | None, typer.Option("--subject", help="Whose sheet.", show_default="a blank sheet for anybody")
    ] = None,
    window: Annotated[str | None, typer.Option("--window", help="One visit of the trial's rule.")] = None,
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write a page to print and fill in: what of a score nobody has recorded, and what is known already."""
    from fhir_adapter.jobs.worksheet import write_worksheet  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    del context
    folder = trial_folder(trial)
    path = write_worksheet(folder, state_file(state, folder.id), out, subject, window, source)
    if output is OutputFormat.JSON:
        show.print_json({"worksheet": str(path)})
    else:
        show.hint(f"Worksheet: {path}")
    return 0

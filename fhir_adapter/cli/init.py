"""The command that starts a trial: a new folder, with every key and what the registry says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.cli import show
from fhir_adapter.cli.options import Format, OutputFormat, Verbose


def init_command(
    folder: Annotated[Path, typer.Argument(help="The folder to make; it must not exist, or be empty.")],
    start: Annotated[
        str | None,
        typer.Option("--from", help="An NCT number (the registry is asked), or a registry record saved as JSON."),
    ] = None,
    trial_id: Annotated[
        str | None,
        typer.Option("--id", help="The trial's id.", show_default="the NCT number, or the folder's name"),
    ] = None,
    output: Format = OutputFormat.TABLE,
    verbose: Verbose = 0,
) -> int:
    """Make a new trial folder with every key explained, filled from ClinicalTrials.gov if you like."""
    from fhir_adapter.jobs.init import init  # noqa: PLC0415

    report = init(folder, start, trial_id)
    if output is OutputFormat.JSON:
        show.print_json(report.to_dict())
    else:
        if report.taken:
            rows = [(row.about, row.value) for row in report.taken]
            show.print_table("Taken from the registry, to be confirmed by a person", ("key", "value"), rows)
        show.print_table("To be decided", ("what", "now"), [(row.about, row.value) for row in report.open])
        show.print_lines(f"made: {report.folder / name}" for name in report.files)
    show.print_issues(report.warnings, "warnings")
    show.hint(f"Look at it: fhir-adapter map --trial {shlex.quote(str(report.folder))}")
    return 0

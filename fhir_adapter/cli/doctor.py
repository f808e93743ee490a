"""doctor: is this set-up going to work, and what to do about it, one line a check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_adapter.cli import exit_codes, show
from fhir_adapter.cli.options import PREFIX, Format, OutputFormat, State

if TYPE_CHECKING:
    from fhir_adapter.jobs.doctor import Configuration, DoctorReport, Matter

_CODES: tuple[tuple[Matter, int], ...] = (
    ("set-up", exit_codes.USAGE),
    ("refused", exit_codes.REFUSED),
    ("surroundings", exit_codes.SURROUNDINGS),
)
_PARAMETERS = {"format": "output"}
"""Options whose parameter has another name, by which its default is found."""


def _load(context: typer.Context, path: Path | None) -> Path | None:
    """Read the configuration for the defaults of the other options; a wrong one is a finding, not the end."""
    from fhir_adapter.jobs.doctor import read_configuration  # noqa: PLC0415 - `--help` must stay fast

    if context.resilient_parsing:
        return path
    found = read_configuration(path)
    context.obj = found
    defaults = {_PARAMETERS.get(name, name): value for name, value in found.defaults.items()}
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def doctor_command(
    context: typer.Context,
    trial: Annotated[
        str | None,
        typer.Option("--trial", envvar=f"{PREFIX}TRIAL", help="A trial that comes with the program, or its folder."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", envvar=f"{PREFIX}SERVER", help="A server's name in the configuration, or its base URL."
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            envvar=f"{PREFIX}SOURCE",
            help="The folder with the exported files.",
            show_default="the trial's own data",
        ),
    ] = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            envvar=f"{PREFIX}CONFIG",
            is_eager=True,
            callback=_load,
            help="The configuration file.",
            show_default="config.yaml in the user's configuration folder",
        ),
    ] = None,
) -> int:
    """Look whether this set-up is going to work, and say what to do about whatever will not.

    Writes nothing. Exit codes: 0 nothing failed (warnings may stand); 2 configuration, trial folder, secrets or usage
    must be mended; else 4 the server may not be used so, or speaks another FHIR; else 5 the surroundings (Python,
    packages, state, disk, server, clock).
    """
    from fhir_adapter.jobs.doctor import DoctorOptions, examine  # noqa: PLC0415

    configuration: Configuration = context.obj
    report = examine(configuration, DoctorOptions(trial, server, source, state))
    if output is OutputFormat.JSON:
        show.print_json(report.to_dict())
    else:
        show.print_lines(_lines(report))
    return next((code for matter, code in _CODES if matter in report.matters), 0)


def _lines(report: DoctorReport) -> Iterator[str]:
    """One line a check, then what to do; plain text, because the package that draws tables may be what is missing."""
    width = max(len(check.id) for check in report.checks)
    for check in report.checks:
        yield f"{check.status:<8} {check.id:<{width}}  {f'{check.about}: ' if check.about else ''}{check.found}"
    to_do = [check for check in report.checks if check.status != "pass" and check.do]
    if to_do:
        yield ""
        yield "What to do"
    for check in to_do:
        yield f"{check.status:<8} {check.id:<{width}}  {f'{check.about}: ' if check.about else ''}{check.do}"
    yield ""
    yield _summary(report)


def _summary(report: DoctorReport) -> str:
    counts = {status: sum(check.status == status for check in report.checks) for status in ("fail", "warning")}
    if report.ok:
        return f"Nothing failed; {counts['warning']} warnings."
    return f"{counts['fail']} failed; {counts['warning']} warnings. Run doctor again when they are mended."

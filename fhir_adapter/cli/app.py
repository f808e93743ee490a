"""Which commands there are; each parses its options, calls one job, and shows what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter import __version__
from fhir_adapter.cli import doctor, exit_codes, init, results, scores, service, show, validate
from fhir_adapter.cli.options import (
    PREFIX,
    Config,
    Format,
    OutputFormat,
    Server,
    Source,
    State,
    Trial,
    Verbose,
    settings_of,
    trial_folder,
)
from fhir_adapter.cli.push import PUSH_OUTCOMES, plan_shower, say_how_it_ended, write_lines
from fhir_adapter.issues import Issue, Misconfigured, Where

app = typer.Typer(
    name="fhir-adapter",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Clinical trial data to a hospital's FHIR server: mapped, checked, sent once.",
    epilog="Start with: fhir-adapter demo",
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"fhir-adapter {__version__}\n")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command("map")
def map_command(
    context: typer.Context,
    trial: Trial,
    source: Source = None,
    out: Annotated[
        str | None, typer.Option("--out", help="Write the resources as NDJSON to this file; - is standard output.")
    ] = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Show what the exported files become: the resources, and what became of every column."""
    from fhir_adapter.jobs.map import map_sources  # noqa: PLC0415

    del context
    report = map_sources(trial_folder(trial), source)
    if out == "-":
        for resource in report.resources:
            sys.stdout.write(resource.decode() + "\n")
    elif out is not None:
        write_lines(Path(out), report.resources)
    if output is OutputFormat.JSON and out != "-":
        show.print_json(report.to_dict())
    else:
        uses = [(use.file, use.column, use.use, use.detail, use.filled) for use in report.reading.columns]
        head = ("file", "column", "use", "field or reason", "rows filled")
        show.print_table("What became of every column", head, uses, to_stderr=out == "-")
        types = report.to_dict()["resources"]
        assert isinstance(types, dict)
        show.print_table("Resources", ("resource", "count"), types.items(), to_stderr=out == "-")
    show.print_issues(report.plan.warnings, "warnings")
    show.print_issues(report.set_aside, "set aside")
    return 0 if not report.set_aside else exit_codes.IN_PART if report.resources else exit_codes.REFUSED


@app.command("push")
def push_command(
    context: typer.Context,
    trial: Trial,
    server: Server,
    source: Source = None,
    state: State = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", envvar=f"{PREFIX}STRICT", help="Write nothing while anything is set aside.")
    ] = False,
    plan: Annotated[Path | None, typer.Option("--plan", help="Write the plan to this file as JSON.")] = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Bring a FHIR server in line with what the sites recorded, sending only what changed."""
    from fhir_adapter.jobs.push import PushOptions, push  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    folder = trial_folder(trial)
    settings = settings_of(context).server(server)
    options = PushOptions(dry_run=dry_run, strict=strict, source=source)
    as_json = output is OutputFormat.JSON
    report = push(folder, settings, state_file(state, folder.id), options, plan_shower(plan, as_json=as_json))
    if as_json:
        show.print_json(report.to_dict())
    say_how_it_ended(report)
    return PUSH_OUTCOMES[report.outcome]


app.command("validate")(validate.validate_command)
app.command("init")(init.init_command)
app.command("pull")(results.pull_command)
app.command("score")(scores.score_command)
app.command("explain")(scores.explain_command)
app.command("report")(results.report_command)
app.command("worksheet")(results.worksheet_command)
app.command("doctor")(doctor.doctor_command)
app.command("serve")(service.serve_command)


@app.command("demo")
def demo_command(
    trial: Annotated[
        str | None, typer.Option("--trial", help="Another trial.", show_default="the one made for it")
    ] = None,
    subjects: Annotated[int | None, typer.Option("--subjects", min=1, help="Only the first N subjects.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep the server's database, our state and the report in this folder.")
    ] = None,
    output: Format = OutputFormat.TABLE,
    verbose: Verbose = 0,
) -> int:
    """Show the whole story offline: push, the hospital's results, pull, HScore and report, on an embedded server."""
    from fhir_adapter.jobs.demo import demo, demo_trial  # noqa: PLC0415

    folder = trial_folder(trial) if trial else demo_trial()
    as_json = output is OutputFormat.JSON
    show.hint(f"Trial {folder.id}: {folder.path.name}/ says what every column means.")
    if "HTEST" in folder.labels:
        show.hint("All patients of this trial are made up.")
    report = demo(folder, subjects, out, plan_shower(None, as_json=as_json), show.hint)
    first, second = report.pushes
    if as_json:
        show.print_json(report.to_dict())
    else:
        show.print_table("What stands on the server", ("resource", "count"), report.standing.items())
        if report.scores is not None:
            scores.show_scores(report.scores.subjects)
    show.hint(f"First push: {first.requests} requests. Second push: {second.requests} requests.")
    if report.report is not None:
        show.hint(f"Report: {report.report}")
    if out is not None:
        show.hint(f"To look at it: fhir-adapter sandbox --db {out / 'demo-server.sqlite'}")
    return 0 if report.complete else exit_codes.IN_PART


@app.command("sandbox")
def sandbox_command(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8080,
    db: Annotated[
        str, typer.Option("--db", help="Keep everything in this SQLite file.", show_default="in memory")
    ] = ":memory:",
    quirks: Annotated[str, typer.Option("--quirks", help="Imitate what some servers do: A,B.")] = "",
    load: Annotated[
        list[Path] | None, typer.Option("--load", exists=True, help="JSON, NDJSON or Bundle to start with.")
    ] = None,
    verbose: Verbose = 0,
) -> int:
    """Run the embedded FHIR R4 server on this machine's loopback address, until stopped."""
    from fhir_adapter.sandbox import serve  # noqa: PLC0415

    names = [name.strip() for name in quirks.split(",") if name.strip()]
    try:
        number = serve(port, db, names, load or [], lambda base: show.hint(f"sandbox at {base}"))
    except ValueError as error:
        raise Misconfigured(str(error), Issue("error", "unknown-quirk", str(error), Where("--quirks"))) from error
    return 128 + number

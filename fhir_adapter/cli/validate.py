"""validate: what is wrong with resources in files, folders and standard input, against FHIR R4 and profiles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fhir_adapter.cli import exit_codes, show
from fhir_adapter.cli.options import PREFIX, load_settings, log_to_standard_error, trial_folder
from fhir_adapter.issues import Issue, Misconfigured, Where

if TYPE_CHECKING:
    from fhir_adapter.cli.validate_shown import Shown
    from fhir_adapter.issues import Source
    from fhir_adapter.jobs.validate import Comparison, Tally
    from fhir_adapter.jobs.validate_checking import Checking

_MOST_JOBS: Final = 64


class ValidateFormat(StrEnum):
    """How findings are told on standard output."""

    TABLE = "table"
    JSON = "json"
    OUTCOME = "outcome"


def _load_if_there(context: typer.Context, path: Path | None) -> Path | None:
    """Read the configuration only where there is one: reading takes half a second, and few files need it."""
    from platformdirs import user_config_path  # noqa: PLC0415

    if path is None and not (user_config_path("fhir-adapter") / "config.yaml").is_file():
        return path
    return load_settings(context, path)


def _log_if_asked(verbose: int) -> int:
    return log_to_standard_error(verbose) if verbose else verbose


def validate_command(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="JSON, NDJSON, folders of them, .gz of them; - is standard input.",
            show_default=False,
        ),
    ],
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            envvar=f"{PREFIX}PROFILE",
            help="A profile's URL, beside those that resources name; repeatable.",
        ),
    ] = None,
    package: Annotated[
        list[Path] | None,
        typer.Option(
            "--package",
            envvar=f"{PREFIX}PACKAGE",
            help="A FHIR package (.tgz or folder) or a folder of definitions; repeatable.",
        ),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            "--backend", envvar=f"{PREFIX}BACKEND", help="Who is asked: native, server, hl7; several, to compare them."
        ),
    ] = "native",
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            envvar=f"{PREFIX}SERVER",
            help="For the backend server: a name in the configuration, or a base URL.",
        ),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", envvar=f"{PREFIX}JOBS", min=0, max=_MOST_JOBS, help="Processes; 0 is one for each core."
        ),
    ] = 1,
    trial: Annotated[
        str | None,
        typer.Option(
            "--trial",
            envvar=f"{PREFIX}TRIAL",
            help="A trial, or its folder: its rules are asked of all resources together.",
            show_default=False,
        ),
    ] = None,
    strict_extensions: Annotated[
        bool, typer.Option("--strict-extensions", help="An extension that no package defines is an error.")
    ] = False,
    structure_only: Annotated[
        bool, typer.Option("--structure-only", help="Neither invariants nor value sets: faster.")
    ] = False,
    no_vital_signs: Annotated[
        bool, typer.Option("--no-vital-signs", help="Do not apply the vital-sign profiles by LOINC code.")
    ] = False,
    best_practice: Annotated[
        bool, typer.Option("--best-practice", help="Also tell what the specification calls best practice.")
    ] = False,
    output: Annotated[
        ValidateFormat,
        typer.Option(
            "--format",
            envvar=f"{PREFIX}FORMAT",
            help="table for people, json for programs, outcome: an OperationOutcome.",
        ),
    ] = ValidateFormat.TABLE,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            envvar=f"{PREFIX}CONFIG",
            is_eager=True,
            callback=_load_if_there,
            help="The configuration file.",
            show_default="config.yaml in the user's configuration folder",
        ),
    ] = None,
    verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            callback=_log_if_asked,
            help="Say more on standard error.",
            show_default=False,
        ),
    ] = 0,
) -> int:
    """Check resources against FHIR R4 and profiles: JSON, NDJSON of any size, Bundles, folders, standard input.

    Exit codes: 0 no errors (warnings may stand); 4 there are errors, or a line that is no JSON; 3 no errors, but a file
    could not be read; 2 usage; 5 nothing could be read, or a server or engine that was asked is gone.
    """
    from fhir_adapter.jobs.validate_checking import Checking  # noqa: PLC0415 - `--help` must stay fast
    from fhir_adapter.jobs.validate_documents import files_in  # noqa: PLC0415

    options: dict[str, object] = {
        "unknown_extensions": "error" if strict_extensions else "warning",
        "structure_only": structure_only,
        "vital_signs": not no_vital_signs,
        "best_practice": best_practice,
    }
    backends = _backends(backend)
    asked = _server(context, server, backends)
    folder = trial_folder(trial) if trial else None
    checking = Checking(tuple(profile or ()), _packages(package), backends, asked, options, folder)
    return _run(files_in(paths), checking, jobs or _cores(), output)


def _run(files: list[str], checking: Checking, jobs: int, output: ValidateFormat) -> int:
    from fhir_adapter.cli.validate_shown import Progress  # noqa: PLC0415
    from fhir_adapter.jobs.validate import Comparison, Tally, validate  # noqa: PLC0415
    from fhir_adapter.jobs.validate_documents import Reading, documents_in  # noqa: PLC0415

    tally, reading = Tally(), Reading()
    comparison = Comparison(checking.backends) if len(checking.backends) > 1 else None
    with (
        closing(validate(documents_in(files, reading), checking, jobs, _tell_problems)) as found,
        _shown(output, tally, comparison) as shown,
        Progress(reading, tally) as progress,
    ):
        for checked in found:
            shown.show(tally.add(checked))
            if comparison is not None:
                comparison.add(checked)
            progress.step()
    show.print_issues(tally.set_aside, "files that could not be read")
    return _exit_code(tally)


def _exit_code(tally: Tally) -> int:
    if tally.errors:
        return exit_codes.REFUSED
    if not tally.set_aside:
        return 0
    return exit_codes.IN_PART if tally.resources else exit_codes.SURROUNDINGS


def _shown(output: ValidateFormat, tally: Tally, comparison: Comparison | None) -> Shown:
    from fhir_adapter.cli.validate_shown import JsonShown, OutcomeShown, TableShown  # noqa: PLC0415

    if output is ValidateFormat.JSON:
        return JsonShown(tally, comparison)
    return OutcomeShown(tally) if output is ValidateFormat.OUTCOME else TableShown(tally, comparison)


def _backends(stated: str) -> tuple[Source, ...]:
    from fhir_adapter.validation.backends import BACKENDS  # noqa: PLC0415

    named = [one.strip() for one in stated.split(",") if one.strip()]
    if not named or not set(named) <= set(BACKENDS):
        raise _wrong("--backend", f"there are {', '.join(BACKENDS)}; several are parted by commas")
    return tuple(one for one in BACKENDS if one in named)


def _packages(stated: list[Path] | None) -> tuple[Path, ...]:
    for path in stated or ():
        if not path.exists():
            raise _wrong(str(path), "there is no such package: a .tgz, a folder, or a JSON file")
    return tuple(stated or ())


def _server(context: typer.Context, stated: str | None, backends: tuple[Source, ...]) -> object:
    if "server" not in backends:
        return None
    if not stated:
        raise _wrong("--server", "the backend `server` needs to know which: a name in the configuration, or a base URL")
    from fhir_adapter.settings import Settings  # noqa: PLC0415 - half a second, for who asks a server

    settings = context.obj if isinstance(context.obj, Settings) else Settings()
    return settings.server(stated)


def _wrong(option: str, message: str) -> Misconfigured:
    return Misconfigured(message, Issue("error", "wrong-option", message, Where(option)))


def _cores() -> int:
    return min(_MOST_JOBS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _tell_problems(problems: Sequence[Issue]) -> None:
    show.print_issues(problems, "parts of packages that could not be read")

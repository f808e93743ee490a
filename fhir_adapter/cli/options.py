"""The options that commands share, each settable by the command line, the environment and the configuration file."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fhir_adapter.settings import Settings
    from fhir_adapter.trial_folder import TrialFolder

PREFIX = "FHIR_ADAPTER_"
"""How environment variables begin that set an option."""


_PARAMETERS = {"format": "output"}


class OutputFormat(StrEnum):
    """How a command answers on standard output."""

    TABLE = "table"
    JSON = "json"


def load_settings(context: typer.Context, path: Path | None) -> Path | None:
    """Read the configuration before the other options, so that it can give their defaults."""
    from fhir_adapter.settings import read_settings  # noqa: PLC0415 - `--help` must stay fast

    if context.resilient_parsing:
        return path
    settings = read_settings(path)
    context.obj = settings
    # Typer looks defaults up by the names of parameters; `format` is a word of Python.
    defaults = {_PARAMETERS.get(name, name): value for name, value in settings.defaults.items()}
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def log_to_standard_error(verbose: int) -> int:
    """Log to standard error, one JSON line an event whatever a value holds; libraries stay silent."""
    import structlog  # noqa: PLC0415 - only when a command really runs
    from structlog.typing import Processor  # noqa: PLC0415

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    ours = logging.getLogger("fhir_adapter")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])
    return verbose


def settings_of(context: typer.Context) -> Settings:
    """The configuration that `--config` (or its default) named."""
    settings: Settings = context.obj
    return settings


def trial_folder(trial: str) -> TrialFolder:
    """The trial's folder, read; raises `Misconfigured` as reading it does."""
    from fhir_adapter.trial_folder import read_trial_folder, trial_path  # noqa: PLC0415

    return read_trial_folder(trial_path(trial))


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar=f"{PREFIX}CONFIG",
        is_eager=True,
        callback=load_settings,
        help="The configuration file.",
        show_default="config.yaml in the user's configuration folder",
    ),
]
Trial = Annotated[
    str, typer.Option("--trial", envvar=f"{PREFIX}TRIAL", help="A trial that comes with the program, or its folder.")
]
Source = Annotated[
    Path | None,
    typer.Option(
        "--source",
        envvar=f"{PREFIX}SOURCE",
        help="The folder with the exported files.",
        show_default="the trial's own data",
        exists=True,
        file_okay=False,
    ),
]
Server = Annotated[
    str,
    typer.Option("--server", envvar=f"{PREFIX}SERVER", help="A server's name in the configuration, or its base URL."),
]
State = Annotated[
    str | None,
    typer.Option(
        "--state",
        envvar=f"{PREFIX}STATE",
        help="Where to remember what was sent: a file, or sqlite:///file.",
        show_default="one file per trial in the user's state folder",
    ),
]
Format = Annotated[
    OutputFormat,
    typer.Option("--format", envvar=f"{PREFIX}FORMAT", help="table for people, json for programs."),
]
Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        callback=log_to_standard_error,
        help="Say more on standard error.",
        show_default=False,
    ),
]

"""The command that serves: the HTTP service, until stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fhir_adapter.cli import show
from fhir_adapter.cli.options import PREFIX, Config, Source, State, Verbose, settings_of


def serve_command(
    context: typer.Context,
    trial: Annotated[
        str | None,
        typer.Option(
            "--trial",
            envvar=f"{PREFIX}TRIAL",
            help="A trial that comes with the program, or its folder.",
            show_default="none: only what is sent is scored and checked",
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            envvar=f"{PREFIX}SERVER",
            help="The hospital's server, by name or base URL: whose Patient ids the addresses hold.",
            show_default="every place that was pulled from",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            envvar=f"{PREFIX}SERVE_HOST",
            help="The address to listen on; anything but a loopback address needs a token.",
            show_default="127.0.0.1",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", envvar=f"{PREFIX}SERVE_PORT", min=0, max=65535, help="0 takes a free one.", show_default="8090"
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            envvar=f"{PREFIX}SERVE_TOKEN_FILE",
            help="The bearer token that callers must show.",
            show_default="as configured; none on a loopback address",
        ),
    ] = None,
    source: Source = None,
    state: State = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Run the HTTP service: scores from the store, validation, the report as a page. It pulls and changes nothing."""
    from fhir_adapter.service import serve  # noqa: PLC0415

    configured = settings_of(context)
    service = configured.service(token_file)
    service = replace(service, host=host or service.host, port=service.port if port is None else port)
    stated = {"trial": trial, "server": server, "state": state, "source": str(source) if source else None}
    settings = replace(configured, defaults={name: value for name, value in stated.items() if value})

    def announce(base: str) -> None:
        show.hint(f"service at {base}")
        if trial is None:
            show.hint("No trial is served: name one with --trial for scores of patients and the report.")
        show.hint("Callers must show the bearer token." if service.token else "No token is asked for: loopback only.")

    return 128 + serve(settings, service, announce)

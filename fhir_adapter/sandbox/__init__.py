"""An embedded FHIR R4 server for demos, tests and rehearsals: a sandbox, never a store for real patients' data.

`create_app` makes the application, `running` serves it beside the caller, `serve` serves until a signal comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from fastapi import FastAPI

__all__ = ["create_app", "running", "serve"]

# The imports stand inside: a command that needs no server must not pay for FastAPI and uvicorn.


def create_app(database: str = ":memory:", quirks: Sequence[str] = ()) -> FastAPI:
    """The server as an ASGI application with the FHIR base `/fhir`; `database` is `:memory:` or a file.

    Raises `ValueError` for an unknown quirk and `Misconfigured` for a file that cannot be its database.
    """
    from fhir_adapter.sandbox.app import make_app, open_sandbox  # noqa: PLC0415

    return make_app(open_sandbox(database, quirks))


def running(database: str = ":memory:", port: int = 0, quirks: Sequence[str] = ()) -> AbstractContextManager[str]:
    """Serve on the loopback address in a thread while the block runs; gives the base `http://127.0.0.1:P/fhir`.

    Port 0 takes a free one. Raises as `create_app` does, and `Misconfigured` for a port that cannot be had.
    """
    from fhir_adapter.sandbox.server import run_in_thread  # noqa: PLC0415

    return run_in_thread(database, port, quirks)


def serve(
    port: int = 0,
    database: str = ":memory:",
    quirks: Sequence[str] = (),
    load: Sequence[Path] = (),
    announce: Callable[[str], None] = lambda _base: None,
) -> int:
    """Serve on the loopback address until SIGINT or SIGTERM comes, and give that signal's number.

    `load` names JSON, NDJSON and Bundle files to be stored before; `announce` is called with the base URL once it
    listens. Raises as `running` does, and `Rejected` with the issues where a file holds what cannot be stored.
    """
    from fhir_adapter.sandbox.server import serve_until_signal  # noqa: PLC0415

    return serve_until_signal(port, database, quirks, load, announce)

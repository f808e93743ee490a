"""How the sandbox is served on the loopback address: in a thread for a while, or in the foreground until a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fhir_adapter.sandbox.app import make_app, open_sandbox
from fhir_adapter.sandbox.http import PATH
from fhir_adapter.sandbox.loading import load_files
from fhir_adapter.serving.listening import address_of, caught_signals, listening, served_in_thread
from fhir_adapter.serving.listening import serve_until_signal as serve_app

SHUTDOWN_SECONDS = 5


@contextmanager
def run_in_thread(database: str, port: int, quirks: Sequence[str]) -> Iterator[str]:
    """Serve while the block runs; gives the base URL."""
    with listening(port) as listener:
        app = make_app(open_sandbox(database, quirks))
        with served_in_thread(app, listener, SHUTDOWN_SECONDS):
            yield address_of(listener) + PATH


def serve_until_signal(
    port: int, database: str, quirks: Sequence[str], load: Sequence[Path], announce: Callable[[str], None]
) -> int:
    """Serve in the foreground; gives the number of the signal that ended it."""
    with listening(port) as listener, caught_signals() as caught:
        base = address_of(listener) + PATH
        sandbox = open_sandbox(database, quirks)
        load_files(load, sandbox, base)
        serve_app(make_app(sandbox), listener, lambda: announce(base), SHUTDOWN_SECONDS, caught)
    return caught[-1] if caught else 0

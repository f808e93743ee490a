"""The sandbox as a FHIR server to talk to: what it does is measured by its own tests, not once more in every story."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from fhir_adapter import sandbox


@contextmanager
def running(database: str = ":memory:", port: int = 0, quirks: Sequence[str] = ()) -> Iterator[str]:
    """As `fhir_adapter.sandbox.running`, in a thread whose coverage is not measured; gives the base URL."""
    with ExitStack() as ends:
        with _threads_unmeasured():
            base = ends.enter_context(sandbox.running(database, port, quirks))
        yield base


@contextmanager
def _threads_unmeasured() -> Iterator[None]:
    """Threads that begin meanwhile do not get the function that measures coverage."""
    measuring = threading.gettrace()
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(measuring)

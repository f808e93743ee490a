"""How the sandbox is served on the loopback address: in a thread for a while, or in the foreground until a signal."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from fhir_adapter.issues import Fatal, Misconfigured
from fhir_adapter.sandbox.app import make_app, open_sandbox
from fhir_adapter.sandbox.http import PATH
from fhir_adapter.sandbox.loading import load_files

HOST = "127.0.0.1"
SHUTDOWN_SECONDS = 5
LONGEST_HEAD = 256 * 1024
"""Long enough for a GET search with thousands of ids."""


class _Server(uvicorn.Server):
    """Calls `announce` once it really listens."""

    announce: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announce()


@contextmanager
def run_in_thread(database: str, port: int, quirks: Sequence[str]) -> Iterator[str]:
    """Serve while the block runs; gives the base URL."""
    with _listening(port) as listener:
        listens = threading.Event()
        server = _server(make_app(open_sandbox(database, quirks)), listens.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="fhir-sandbox", daemon=True)
        thread.start()
        try:
            _wait(listens, thread)
            yield _base(listener)
        finally:
            server.should_exit = True
            thread.join()


def serve_until_signal(
    port: int, database: str, quirks: Sequence[str], load: Sequence[Path], announce: Callable[[str], None]
) -> int:
    """Serve in the foreground; gives the number of the signal that ended it."""
    with _listening(port) as listener, _caught_signals() as caught:
        base = _base(listener)
        sandbox = open_sandbox(database, quirks)
        load_files(load, sandbox, base)
        _server(make_app(sandbox), lambda: announce(base)).run([listener])
    return caught[-1] if caught else 0


def _server(app: FastAPI, announce: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,  # queries hold identifiers
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    server = _Server(config)
    server.announce = announce
    return server


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A socket bound to the loopback address only; raises `Misconfigured` for a port that cannot be had."""
    # Named as TCP, so that asyncio switches Nagle's delay off: without it each answer waits 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise Misconfigured(f"port {port} on {HOST} cannot be had: {error}; 0 takes a free one") from error
        yield listener


def _base(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}{PATH}"


def _wait(listens: threading.Event, thread: threading.Thread) -> None:
    while not listens.wait(0.01):
        if not thread.is_alive():
            raise Fatal("the sandbox ended before it listened; its log says why")


@contextmanager
def _caught_signals() -> Iterator[list[int]]:
    """The signals that came: uvicorn raises them once more when it has shut down, and here that ends nothing."""
    caught: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

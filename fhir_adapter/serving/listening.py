"""How an application listens: on a socket of its own, in a thread for a while, or in the foreground until a signal.

A signal ends nothing that is under way: no new call is taken, those begun are finished, then the process ends.
"""

from __future__ import annotations

import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from fhir_adapter.issues import Fatal, Misconfigured

LOOPBACK = "127.0.0.1"
LONGEST_HEAD = 256 * 1024
"""Long enough for a GET search with thousands of ids."""


class _Server(uvicorn.Server):
    """Calls `announce` once it really listens."""

    announce: Callable[[], None]
    caught: Sequence[int] = ()
    """Signals that came before it listened: it then ends at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.should_exit = self.should_exit or bool(self.caught)
        self.announce()


@contextmanager
def listening(port: int, host: str = LOOPBACK) -> Iterator[socket.socket]:
    """A socket bound to one address; raises `Misconfigured` for an address or port that cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that asyncio switches Nagle's delay off: without it each answer waits 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise Misconfigured(f"port {port} on {host} cannot be had: {error}; 0 takes a free one") from error
        yield listener


def address_of(listener: socket.socket) -> str:
    """`http://host:port` of a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def served_in_thread(app: FastAPI, listener: socket.socket, shutdown_seconds: int) -> Iterator[None]:
    """Serve while the block runs."""
    listens = threading.Event()
    server = _server(app, listens.set, shutdown_seconds)
    thread = threading.Thread(target=server.run, args=([listener],), name="served", daemon=True)
    thread.start()
    try:
        _wait(listens, thread)
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def caught_signals() -> Iterator[list[int]]:
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


def serve_until_signal(
    app: FastAPI,
    listener: socket.socket,
    announce: Callable[[], None],
    shutdown_seconds: int,
    caught: Sequence[int] = (),
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; what is under way then has `shutdown_seconds` to end.

    `caught` is what `caught_signals` gives: a signal that came before the server's own handlers is not lost.
    """
    server = _server(app, announce, shutdown_seconds)
    server.caught = caught
    server.run([listener])


def is_loopback(host: str) -> bool:
    """True for an address or name that only this machine can reach."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _server(app: FastAPI, announce: Callable[[], None], shutdown_seconds: int) -> _Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,  # addresses hold identifiers
        server_header=False,
        timeout_graceful_shutdown=shutdown_seconds,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    server = _Server(config)
    server.announce = announce
    return server


def _wait(listens: threading.Event, thread: threading.Thread) -> None:
    while not listens.wait(0.01):
        if not thread.is_alive():
            raise Fatal("the server ended before it listened; its log says why")

"""How does a run of the command begin without waiting for Python to load it? It is forked from a process that has.

Loading takes longer than most of what a test asks for. One process loads the program once, does nothing with it, and is
copied for every run. What a run may change stays in its copy: nothing passes from one to the next.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

import coverage

_ROOT = Path(__file__).resolve().parents[2]
_RESOURCES = _ROOT / "tests" / "data" / "golden" / "cdisc-pilot-18.ndjson"
_LOADED_AS_WELL = ("rich.console", "rich.progress", "rich.table", "sqlalchemy.dialects.sqlite")
_LONGEST_MESSAGE = 1 << 17
_FOR_EVER = 1e9
_LOCK = threading.Lock()


class Process(Protocol):
    """What tests ask of a run that goes on beside them: `subprocess.Popen` has it, and so has `Begun`."""

    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives the exit code."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""

    def kill(self) -> None:
        """End it at once, unless it has ended."""


class Begun:
    """A run of the command that goes on beside the test."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str], out: int, err: int) -> None:
        """Begin it; `out` and `err` are the files that it writes on, which stay the caller's."""
        self._says, written = os.pipe()
        asked = {"words": words, "folder": str(folder), "environment": environment}
        with _LOCK:
            socket.send_fds(_ready(), [json.dumps(asked).encode()], [written, out, err])
        os.close(written)
        self.pid = int(_word(self._says, b" ", time.monotonic() + 60))
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with suppress(TimeoutError):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives the exit code. Raises `TimeoutError` when it goes on."""
        if self._code is None:
            self._code = int(_word(self._says, b".", time.monotonic() + (_FOR_EVER if timeout is None else timeout)))
            os.close(self._says)
        return self._code

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ends just now
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        self.send_signal(signal.SIGKILL)


def run_ready(words: list[str], folder: Path, environment: dict[str, str], seconds: float) -> tuple[int, bytes, bytes]:
    """Run the command to its end; gives its exit code and what it wrote on standard output and standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = Begun(words, folder, environment, out.fileno(), err.fileno())
        try:
            return begun.wait(seconds), _content(out), _content(err)
        finally:
            begun.kill()


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _word(says: int, end: bytes, until: float) -> bytes:
    word = b""
    while select.select([says], [], [], max(0, until - time.monotonic()))[0]:
        letter = os.read(says, 1)
        if letter in {end, b""}:
            return word
        word += letter
    raise TimeoutError("the command did not end")


@cache
def _ready() -> socket.socket:
    """The way to the process that has loaded the program; it ends when this end is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FHIR_ADAPTER_", "XDG_"))}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.stories.ready", str(theirs.fileno())],
            cwd=_ROOT,
            env=kept | {"HOME": os.devnull, "TZ": "Asia/Shanghai"},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    atexit.register(_end, ours, process)
    return ours


def _end(ours: socket.socket, process: subprocess.Popen[bytes]) -> None:
    ours.close()
    process.wait()


def _serve(asking: socket.socket) -> None:
    """Load the program, and begin a run for whoever asks, until nobody can ask any more."""
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(asking, _LONGEST_MESSAGE, 3)
        if not message:
            return
        if os.fork() == 0:
            asking.close()
            _watch(json.loads(message), *files)
        for file in files:
            os.close(file)


def _load() -> None:
    import fhir_adapter  # noqa: PLC0415 - in this process only

    ours = pkgutil.walk_packages(fhir_adapter.__path__, "fhir_adapter.")
    for name in (*(module.name for module in ours), *_LOADED_AS_WELL):
        importlib.import_module(name)
    _stop_measuring()
    _warm_the_validator()
    gc.collect()
    gc.freeze()  # what the copies share is not touched by their garbage collection


def _warm_the_validator() -> None:
    """Compile what most runs ask of their resources; it depends on nothing that a run may change."""
    from fhir_adapter import fhirjson  # noqa: PLC0415 - in this process only
    from fhir_adapter.validation import check  # noqa: PLC0415 - in this process only

    for line in _RESOURCES.read_bytes().splitlines():
        check(fhirjson.loads(line))


def _stop_measuring() -> None:
    """Keep what loading the program was measured to run: no copy loads it again."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.stop()
        measured.save()
        measured._auto_save = False  # else each copy would save it once more


def _watch(asked: dict[str, Any], written: int, out: int, err: int) -> None:
    """Begin the run in a process of its own, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(written)
        _run(asked, out, err)
    os.write(written, f"{process} ".encode())
    _, status = os.waitpid(process, 0)
    os.write(written, f"{os.waitstatus_to_exitcode(status)}.".encode())
    os._exit(0)


def _run(asked: dict[str, Any], out: int, err: int) -> None:
    """Be the process that a person at a terminal starts."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    _open_streams()
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    _measure()
    program = sys.modules["__main__"] = importlib.import_module("fhir_adapter.__main__")
    sys.argv = [str(program.__file__), *asked["words"]]
    program.main()


def _open_streams() -> None:
    """As Python's start would: those of the process that was copied know what they were opened on, a file or a pipe."""
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115


def _measure() -> None:
    """As Python's start would."""
    coverage.process_startup(force=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), socket.socket(fileno=int(sys.argv[1])) as connection:
        _serve(connection)

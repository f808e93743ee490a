"""What does a signal do to a command? It ends it with the code of the signal, also where closing hangs or hides it."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from fhir_adapter.cli import stopping
from fhir_adapter.cli.stopping import STOPPED, Stop, StoppedBySignal

PROGRAM = """\
import atexit, os, sys, threading, time
from fhir_adapter.cli import border, stopping
from fhir_adapter.issues import Fatal

stopping.GRACE_SECONDS = 0.3

def wait():
    print("waits", flush=True)
    time.sleep(60)

{command}

border._command = command
border.run()
"""

CLOSES = """
def command():
    try:
        wait()
    finally:
        print("closed", file=sys.stderr)
"""

CLOSING_HANGS = """
def command():
    lock = threading.Lock()
    lock.acquire()
    try:
        wait()
    finally:
        lock.acquire()
"""

SWALLOWED = """
class Last:
    def __del__(self):
        wait()

def command():
    Last()
    time.sleep(60)
"""

BECOMES_AN_ERROR = """
def command():
    try:
        wait()
    except BaseException as stop:
        raise RuntimeError("something on the way made an error of it") from stop
"""

AN_ERROR_IS_SHOWN = """
def command():
    raise Fatal("it failed")

border._show = lambda _error: wait()
"""

PYTHON_CLOSES_FOR_EVER = """
atexit.register(time.sleep, 60)

def command():
    wait()
"""

NOBODY_READS = """
os.set_blocking(2, False)
try:
    while True:
        os.write(2, bytes(1))
except BlockingIOError:
    os.set_blocking(2, True)
"""

LOGGED_ON_ITS_WAY = """
import logging

def command():
    try:
        wait()
    except BaseException:
        logging.getLogger("a library").exception("closing failed")
        raise
"""

IT_IS_DONE = """
settle = stopping.Stop.settle

def settle_and_wait(stop, code):
    settle(stop, code)
    wait()

stopping.Stop.settle = settle_and_wait

def command():
    return 3
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended that got signals while it waited."""

    code: int
    said: str
    seconds: float


def stopped(command: str, *numbers: int) -> Ended:
    """Run a program with this command, send it signals when it waits; kills it when that does not end it."""
    program = PROGRAM.format(command=textwrap.dedent(command))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"waits\n"
            began = time.monotonic()
            for number in numbers:
                process.send_signal(number)
            said = process.communicate(timeout=30)[1].decode()
            return Ended(process.returncode, said, time.monotonic() - began)
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_closes_what_is_under_way(number: int, code: int) -> None:
    """As an error would; then it says that it is safe to run again, and ends with the code of the signal."""
    ended = stopped(CLOSES, number)
    assert (ended.code, ended.said) == (code, f"closed\nfhir-adapter: {STOPPED}\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_closing_that_hangs_ends_with_the_grace(number: int, code: int) -> None:
    """A lock that stayed taken keeps nobody waiting; that it is safe to run again is said once."""
    ended = stopped(CLOSING_HANGS, number)
    assert (ended.code, ended.said) == (code, f"fhir-adapter: {STOPPED}\n")
    assert 0.2 < ended.seconds < 25


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_that_is_swallowed_ends_with_the_grace(number: int, code: int) -> None:
    """Where Python cannot raise it, it is shown as no traceback, and the run ends all the same."""
    ended = stopped(SWALLOWED, number)
    assert (ended.code, ended.said) == (code, f"fhir-adapter: {STOPPED}\n")


def test_impatience_does_not_break_the_closing() -> None:
    """More signals change nothing: the code is that of the first."""
    ended = stopped(CLOSING_HANGS, signal.SIGTERM, signal.SIGTERM, signal.SIGTERM)
    assert (ended.code, ended.said) == (143, f"fhir-adapter: {STOPPED}\n")


@pytest.mark.parametrize("command", [BECOMES_AN_ERROR, AN_ERROR_IS_SHOWN, LOGGED_ON_ITS_WAY])
def test_no_error_hides_a_stop(command: str) -> None:
    """What a stop becomes on its way is no bug, one while an error is shown is a stop, and no log calls it an error."""
    ended = stopped(command, signal.SIGTERM)
    assert (ended.code, ended.said) == (143, f"fhir-adapter: {STOPPED}\n")


def test_after_a_stop_nothing_waits_for_python_to_close() -> None:
    """What the closed command left behind cannot keep the process."""
    ended = stopped(PYTHON_CLOSES_FOR_EVER, signal.SIGTERM)
    assert (ended.code, ended.said) == (143, f"fhir-adapter: {STOPPED}\n")


@pytest.mark.parametrize("command", [CLOSING_HANGS, PYTHON_CLOSES_FOR_EVER])
def test_nobody_reads_what_is_said(command: str) -> None:
    """A full pipe on standard error does not keep the process either."""
    assert stopped(NOBODY_READS + command, signal.SIGTERM).code == 143


def test_a_signal_after_the_command_is_done() -> None:
    """It ends at once, with the code of what was done."""
    ended = stopped(IT_IS_DONE, signal.SIGTERM)
    assert (ended.code, ended.said) == (3, "")


def test_only_the_first_signal_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds that the first is being answered."""
    monkeypatch.setattr(stopping, "_thread", WithoutThreads)
    stop = Stop()
    with pytest.raises(StoppedBySignal):
        stop._raise(signal.SIGTERM, None)
    stop._raise(signal.SIGINT, None)
    assert stop.number == signal.SIGTERM


class WithoutThreads:
    """A machine on which no thread can be started any more."""

    @staticmethod
    def allocate_lock() -> None:
        """No lock is needed."""

    @staticmethod
    def start_new_thread(*_: object) -> None:
        """What Python raises then."""
        raise RuntimeError("can't start new thread")


def test_the_end_of_the_grace(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """It says so past Python's own streams, and ends the process with the code of the signal."""
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0)
    monkeypatch.setattr(os, "_exit", sys.exit)
    stop = Stop()
    stop.number = signal.SIGTERM
    with pytest.raises(SystemExit, match="143"):
        stop._end_after_the_grace()
    assert capfd.readouterr().err == f"fhir-adapter: {STOPPED}\n"


def test_what_cannot_be_raised_is_shown_unless_it_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors in a `__del__` are shown as ever."""
    seen: list[type] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: seen.append(error.exc_type))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    Stop().listen()
    sys.unraisablehook(unraisable(ValueError))
    sys.unraisablehook(unraisable(StoppedBySignal))
    assert seen == [ValueError]


def unraisable(kind: type[BaseException]) -> Any:
    """As much of what Python tells a hook as ours looks at."""
    return SimpleNamespace(exc_type=kind)


def test_when_all_is_done_a_signal_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both signals end the process with the code of what was done."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(signal, "signal", lambda number, answer: answer(number, None))
    Stop().settle(3)
    assert codes == [3, 3]


def test_what_was_put_off_is_done_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the process ends with its code."""
    done: list[object] = []
    monkeypatch.setattr(atexit, "_run_exitfuncs", lambda: done.append("put off"))
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit, match="3"):
        stopping.leave(3)
    assert done == ["put off"]

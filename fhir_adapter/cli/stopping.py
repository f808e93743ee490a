"""What does a signal do to a command? It closes what is under way, and ends the process even where closing hangs.

A signal is answered between any two instructions. Between the taking of a lock and the block that gives it back, the
exception leaves the lock taken, and closing waits for it for ever; inside a `__del__` or a weak reference's callback
Python swallows it, and the command goes on. So a stop has a few seconds. After those the process ends as if it had
been killed: the ledger and the guarded writes are made for that.
"""

from __future__ import annotations

import _thread
import atexit
import logging
import os
import select
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

GRACE_SECONDS = 5.0
STOPPED = "stopped by a signal; it is safe to run again"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedBySignal(BaseException):
    """SIGINT or SIGTERM arrived; what is under way is closed as an error would close it."""


class Stop:
    """The first signal, once it has come; a command that answers signals itself (`serve`) never makes one come."""

    def __init__(self) -> None:
        self.number = 0
        self._unsaid = _thread.allocate_lock()
        self._others = sys.unraisablehook

    def listen(self) -> None:
        """From now on a signal closes what is under way."""
        sys.unraisablehook = self._swallowed
        if logging.lastResort:
            logging.lastResort.addFilter(_is_no_stop)
        for number in _SIGNALS:
            signal.signal(number, self._raise)

    def settle(self, code: int) -> None:
        """From now on a signal raises nothing: all is done, and the process ends at once with the code of that."""
        for number in _SIGNALS:
            signal.signal(number, lambda _number, _frame: os._exit(code))

    def to_be_said(self) -> bool:
        """True once: the one line is said by whoever comes first, the command's edge or the end of the grace."""
        return self._unsaid.acquire(blocking=False)

    def _raise(self, number: int, _frame: FrameType | None) -> None:
        """The first signal closes what is under way; an impatient second one must not break into that."""
        if self.number:
            return
        self.number = number
        # A thread, because the main thread may wait in something that no alarm interrupts; a bare one, because what
        # `threading` does to start one takes locks that the interrupted instruction may hold.
        with suppress(RuntimeError):  # there is no room for one more
            _thread.start_new_thread(self._end_after_the_grace, ())
        raise StoppedBySignal

    def _end_after_the_grace(self) -> None:
        time.sleep(GRACE_SECONDS)
        if self.to_be_said():
            _say_without_waiting(f"fhir-adapter: {STOPPED}\n")
        os._exit(128 + self.number)

    def _swallowed(self, error: UnraisableHookArgs) -> None:
        """Where an exception cannot be raised; of a stop nothing is said there, the end of the grace does."""
        if not issubclass(error.exc_type, StoppedBySignal):
            self._others(error)


def leave(code: int) -> NoReturn:
    """Do what was put off to the end, and end the process.

    What Python would do after that waits for locks that a stop may have left taken, takes a tenth of a second, and
    meanwhile a signal would change the code of what is done.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to have them run before such an end
    with suppress(OSError, ValueError):  # nobody listens
        sys.stderr.flush()
    os._exit(code)


def _is_no_stop(record: logging.LogRecord) -> bool:
    """False for what a library tells of a stop on its way through it."""
    return not (record.exc_info and isinstance(record.exc_info[1], StoppedBySignal))


def _say_without_waiting(line: str) -> None:
    """Past Python's own buffers, whose lock may be taken, and only where somebody reads."""
    with suppress(OSError, ValueError):  # closed, or no file at all
        number = sys.stderr.fileno()
        if select.select([], [number], [], 0)[1]:
            os.write(number, line.encode())

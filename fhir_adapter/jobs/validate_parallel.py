"""How several cores share the work: each worker is a process that is handed some documents at a time.

What comes back is told in the order of the documents. A worker ends when its input does, so it ends with this process,
however that ends; signals of a terminal do not reach it.
"""

from __future__ import annotations

import pickle
import selectors
import subprocess
import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, Final

from fhir_adapter.issues import AdapterError, Issue, Retriable, Where
from fhir_adapter.jobs.validate_checking import Checked, Checking, opened
from fhir_adapter.jobs.validate_documents import Document

_DOCUMENTS: Final = 200
_BYTES: Final = 1 << 20
_AHEAD: Final = 4
"""How many times more parts than workers may be under way or wait for an earlier one."""
_START: Final = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    "from fhir_adapter.jobs.validate_parallel import work; work(sys.stdin.buffer, sys.stdout.buffer)"
)

Part = list[Document]


class WorkerBugError(Exception):
    """A bug in a worker: its kind and its place, never what it met."""


def checked_in_parallel(
    documents: Iterable[Document], checking: Checking, jobs: int, tell: Callable[[Sequence[Issue]], None]
) -> Generator[Checked]:
    """As one process would check them, by several; raises what a worker raised.

    `tell` hears what in the packages could not be read.
    """
    workers: list[_Worker] = []
    try:
        for _ in range(jobs):
            workers.append(_Worker(checking))  # noqa: PERF401 - each is to be ended, should the next one not start
        problems = [worker.answer() for worker in workers]
        tell(problems[0])
        yield from _in_order(_parts(documents), workers)
    finally:
        for worker in workers:
            worker.end()


def work(questions: IO[bytes], answers: IO[bytes]) -> None:
    """A worker: what is to be looked at comes first, then parts until there are no more."""
    sys.stdout = sys.stderr
    with suppress(BrokenPipeError):
        try:
            checking: Checking = pickle.load(questions)  # noqa: S301 - written by the process that started this one
            with opened(checking) as checker:
                _answer(answers, list(checker.problems))
                while True:
                    part: Part = pickle.load(questions)  # noqa: S301
                    _answer(answers, [checker.check(document) for document in part])
        except EOFError:
            return
        except AdapterError as error:
            _answer(answers, (type(error), str(error), error.issues))
        except Exception as error:  # noqa: BLE001 - Python would show it with the values that it met
            _answer(answers, (WorkerBugError, _place_of(error), ()))


def _place_of(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.filename}:{frame.lineno}"


def _answer(answers: IO[bytes], value: object) -> None:
    pickle.dump(value, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()


class _Worker:
    """A process that checks one part at a time."""

    def __init__(self, checking: Checking) -> None:
        command = [sys.executable, "-P", "-c", _START]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.questions, self.answers = self.process.stdin, self.process.stdout
        self.number = -1
        self._ask(sys.path)
        self._ask(checking)

    def take(self, number: int, part: Part) -> None:
        """Begin with this part."""
        self.number = number
        self._ask(part)

    def answer(self) -> Any:  # noqa: ANN401 - problems first, then what it found
        """What it found in its part, or first of all in the packages; raises what stopped it."""
        try:
            answer: Any = pickle.load(self.answers)  # noqa: S301 - written by a process that we started
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _lost() from error
        if isinstance(answer, tuple):
            kind, message, issues = answer
            raise kind(message, *issues)
        return answer

    def end(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        for pipe in (self.questions, self.answers):
            with suppress(OSError):  # what was left unsent goes nowhere
                pipe.close()
        self.process.wait()

    def _ask(self, value: object) -> None:
        with suppress(BrokenPipeError):  # it ended; its answer says why
            pickle.dump(value, self.questions, pickle.HIGHEST_PROTOCOL)
            self.questions.flush()


def _parts(documents: Iterable[Document]) -> Iterator[Part]:
    part: Part = []
    size = 0
    for document in documents:
        part.append(document)
        size += len(document.text)
        if len(part) >= _DOCUMENTS or size >= _BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _in_order(parts: Iterator[Part], workers: Sequence[_Worker]) -> Iterator[Checked]:
    numbered = enumerate(parts)
    finished: dict[int, Sequence[Checked]] = {}
    due = 0
    with selectors.DefaultSelector() as waiting:
        idle = list(workers)
        while True:
            while idle and len(finished) < _AHEAD * len(workers) and (following := next(numbered, None)) is not None:
                worker = idle.pop()
                worker.take(*following)
                waiting.register(worker.answers, selectors.EVENT_READ, worker)
            if not waiting.get_map():
                return
            for key, _ in waiting.select():
                worker = key.data
                finished[worker.number] = worker.answer()
                waiting.unregister(worker.answers)
                idle.append(worker)
            while due in finished:
                yield from finished.pop(due)
                due += 1


def _lost() -> Retriable:
    message = "a worker process ended in the middle: is there room in memory for so many? Try a smaller --jobs"
    return Retriable(message, Issue("error", "worker-ended", message, Where("--jobs")))

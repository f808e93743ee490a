"""How is a push killed? Without warning, in or after a seeded random transaction."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stories.commands import Person, Pushing
from tests.stories.fhir_server import Picture, Resource, Server
from tests.stories.ready import Process
from tests.stories.sandbox import running

_STEP = 0.01
_TICK = 0.002
_LONGEST = 120.0


@dataclass(frozen=True)
class Undisturbed:
    """What a push leaves when nobody kills it, and how long it works: from its first trace on disk, and in writing."""

    picture: Picture
    seconds: float
    writing: float


@contextmanager
def fresh(folder: Path, source: Path | None) -> Iterator[Pushing]:
    """A push to an empty sandbox, with nothing remembered."""
    with running(database=str(folder / "server.sqlite")) as base:
        yield Pushing(Person.at(folder / "home"), base, folder / "state.sqlite", source)


def undisturbed(folder: Path, source: Path | None) -> Undisturbed:
    """Push without a kill, and time it."""
    with fresh(folder, source) as pushing:
        process = start_working(pushing)
        began = time.monotonic()
        _wait_while(process, lambda: not written(pushing))
        first = time.monotonic()
        assert ended(process) == 0
        end = time.monotonic()
        return Undisturbed(Picture.of(pushing.server), end - began, end - first)


def start_working(pushing: Pushing) -> Process:
    """Start a push, and wait until it leaves a trace beside its state (or ends)."""
    before = _traces(pushing.state)
    process = pushing.start()
    _wait_while(process, lambda: _traces(pushing.state) == before)
    return process


def start_writing(pushing: Pushing, transactions: int = 1) -> Process:
    """Start a push, and wait until so many transactions in all stand on the server (or it ends)."""
    process = start_working(pushing)
    _wait_while(process, lambda: written(pushing) < transactions)
    return process


def ended(process: Process, within: float = _LONGEST) -> int:
    """Wait for its end; gives the exit code. Kills what does not end, so that one failure stays one."""
    try:
        return process.wait(within)
    finally:
        _kill(process)


def written(pushing: Pushing) -> int:
    """How many transactions stand on the server: each brings one Provenance."""
    return Server(pushing.server).count("Provenance")


def kill_at_random(pushing: Pushing, moments: random.Random, calm: Undisturbed) -> int:
    """Start a push and kill it in or after a random transaction; gives its exit code, -9 when it was still running."""
    transactions = len(calm.picture.provenances)
    done = written(pushing)
    wanted = moments.randint(done, max(done, transactions - 2))
    process = start_working(pushing)
    _work_while(process, lambda: written(pushing) < wanted)
    # Planning takes longer than all writing: what follows a transaction must leave the next ones to be killed.
    longest = calm.writing if wanted > done else calm.seconds
    until = time.monotonic() + moments.uniform(0, longest / transactions)
    _work_while(process, lambda: time.monotonic() < until)
    process.send_signal(signal.SIGKILL)
    return ended(process)


def _work_while(process: Process, holds: Callable[[], bool]) -> None:
    """Let a push go on by small steps, and stand still while we look: on a busy machine it would be done before."""
    process.send_signal(signal.SIGSTOP)
    while process.poll() is None and holds():
        process.send_signal(signal.SIGCONT)
        time.sleep(_STEP)
        process.send_signal(signal.SIGSTOP)


def bodies(picture: Picture) -> dict[str, Resource]:
    """What stands on a server but for the moments of writing."""
    return {
        reference: resource | {"meta": {key: value for key, value in resource["meta"].items() if key != "lastUpdated"}}
        for reference, resource in picture.without().items()
    }


def provenances_of(picture: Picture) -> Counter[str]:
    """How many Provenances are about each resource."""
    return Counter(target for each in picture.provenances for target in picture.targets(each))


def _wait_while(process: Process, holds: Callable[[], bool]) -> None:
    """Wait until it no longer holds, or the process has ended; kills it when that takes too long."""
    until = time.monotonic() + _LONGEST
    try:
        while process.poll() is None and holds():
            assert time.monotonic() < until, "the push works on and on"
            time.sleep(_TICK)
    except BaseException:
        _kill(process)
        raise


def _kill(process: Process) -> None:
    process.kill()
    process.wait()


def _traces(state: Path) -> set[tuple[str, int, int]]:
    found = set()
    for path in state.parent.glob(f"{state.name}*"):
        try:
            seen = path.stat()
        except FileNotFoundError:  # SQLite removes its journal when it closes
            continue
        found.add((path.name, seen.st_mtime_ns, seen.st_size))
    return found

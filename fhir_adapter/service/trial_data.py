"""What the service knows of its trial, read again when somebody changed it, and the answers made of it.

The state file is asked at every call (a few microseconds); the files of the trial at most once a second, by the thread
that would also read them. Nothing is made, upgraded or written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fhir_adapter.issues import AdapterError
from fhir_adapter.jobs.score import Known, gather
from fhir_adapter.service.metrics import Metrics
from fhir_adapter.store import Received, ResultStore, StateVersion, StateWatcher, open_store
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path

MOST_ANSWER_BYTES = 64 * 1024 * 1024
LOOK_SECONDS = 1.0
_TRIES = 3

_Files = tuple[tuple[str, int, int], ...]
_Version = tuple[StateVersion, _Files]
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """Where the trial that is served lies: its folder, its state, its sources, and the hospital's base URL."""

    trial: str
    state: Path
    source: Path | None = None
    hospital: str | None = None


@dataclass(slots=True)
class Answers:
    """Answers given at one version of the data, as long as they take no more room than they may."""

    kept: dict[object, bytes] = field(default_factory=dict)
    size: int = 0

    def keep(self, key: object, answer: bytes) -> None:
        """Remember an answer; when there is no room, all others are forgotten."""
        if self.size + len(answer) > MOST_ANSWER_BYTES:
            self.kept, self.size = {}, 0
        self.kept[key] = answer
        self.size += len(answer)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The trial at one version of its data, and the answers given from it."""

    folder: TrialFolder
    known: Known
    subjects: Mapping[str, str]
    """Subject by the id of the Patient at the hospital."""
    bodies: Mapping[str, Received]
    """What stands at the hospital, by the hash that each result carries."""
    answers: Answers = field(default_factory=Answers)


class TrialData:
    """The served trial; reading it is done by one thread, everybody else waits for that."""

    def __init__(self, served: Served, metrics: Metrics) -> None:
        self._served = served
        self._metrics = metrics
        self._path = trial_path(served.trial)
        self._watcher = StateWatcher(served.state)
        self._watching = threading.Lock()
        self._loading = threading.Lock()
        # One attribute, so that nobody meets a snapshot beside the version of another.
        self._current: tuple[StateVersion, Snapshot] | None = None
        self._files: _Files = ()
        self._looked = float("-inf")
        self._failed: tuple[float, StateVersion, AdapterError] | None = None

    def at_hand(self) -> Snapshot | None:
        """What was read before, if it is still what stands there; None also when the files must be looked at again."""
        current = self._current
        if current is None or time.monotonic() - self._looked >= LOOK_SECONDS:
            return None
        state, snapshot = current
        return snapshot if state is not None and self._state() == state else None

    def load(self) -> Snapshot:
        """What stands there now; raises `AdapterError` when it cannot be read. Not for an event loop: it takes time."""
        with self._loading:
            if self._failed is not None:
                when, version, error = self._failed
                if time.monotonic() - when < LOOK_SECONDS and self._state() == version:
                    raise error
            self._failed = None
            before, self._files = self._files, tuple(self._stamps())
            self._looked = time.monotonic()
            snapshot = self.at_hand() if before == self._files else None
            try:
                return snapshot or self._read_again()
            except AdapterError as error:
                self._failed, self._current = (time.monotonic(), self._state(), error), None
                self._metrics.not_loaded()
                _logger.warning("the trial cannot be read", extra={"codes": [issue.code for issue in error.issues]})
                raise

    def look_again(self) -> None:
        """Forget when the files were looked at: the next call looks."""
        self._looked, self._failed = float("-inf"), None

    def close(self) -> None:
        """Let go of the state file."""
        with self._watching:
            self._watcher.close()

    def _read_again(self) -> Snapshot:
        """Read everything, and once more when somebody wrote meanwhile: one answer is of one data cut."""
        for _ in range(_TRIES):
            version = self._state()  # before reading: a change meanwhile is seen now, or at the next call
            snapshot = self._read()
            if self._state() == version:
                break
        self._current = version, snapshot
        self._metrics.loaded(snapshot.known.pulls, len(snapshot.subjects))
        if not snapshot.subjects:
            _logger.warning("no Patient is known at the hospital's server; pull from it first")
        return snapshot

    def _state(self) -> StateVersion:
        with self._watching:
            return self._watcher.version()

    def _stamps(self) -> Iterator[tuple[str, int, int]]:
        for folder in {self._path, *([self._served.source] if self._served.source else [])}:
            try:
                for path in sorted(folder.rglob("*")):
                    found = path.stat()
                    yield str(path), found.st_mtime_ns, found.st_size
            except OSError as error:  # gone, or not to be reached: another stamp than before, and reading says why
                yield str(folder), error.errno or 0, 0

    def _read(self) -> Snapshot:
        served = self._served
        folder = read_trial_folder(self._path)
        known = gather(folder, served.state, served.source, existing=True)
        with open_store(served.state, writer=False, existing=True) as store:
            results = ResultStore(store, folder.id)
            patients = results.patients((served.hospital,) if served.hospital is not None else None)
            bodies = {one.sha256.hex(): one for one in results.current()}
        subjects = {
            name.removeprefix("Patient/"): next(iter(whose))
            for name, whose in patients.items()
            # The same id at two places may be two people: then it is nobody's until the hospital's server is named.
            if name.startswith("Patient/") and len(whose) == 1 and whose <= known.entities.keys()
        }
        return Snapshot(folder, known, subjects, bodies)

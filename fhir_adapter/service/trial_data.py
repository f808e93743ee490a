"""What the service knows of its trial, read again when somebody changed it, and the answers made of it.

The state file is asked at every call (a few microseconds); the files of the trial at most once a second.
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
from fhir_adapter.store import FILE, Received, ResultStore, StateVersion, StateWatcher, open_store
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path

MOST_ANSWERS = 10_000
FILES_SECONDS = 1.0

_Files = tuple[tuple[str, int, int], ...]
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """Where the trial that is served lies: its folder, its state, its sources, and the hospital's base URL."""

    trial: str
    state: Path
    source: Path | None = None
    hospital: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The trial at one version of its data, and the answers given from it."""

    folder: TrialFolder
    known: Known
    subjects: Mapping[str, str]
    """Subject by the id of the Patient at the hospital."""
    bodies: Mapping[str, Received]
    """What stands at the hospital, by subject and reference."""
    answers: dict[object, bytes] = field(default_factory=dict)

    def keep(self, key: object, answer: bytes) -> None:
        """Remember an answer as long as the data are these."""
        if len(self.answers) >= MOST_ANSWERS:
            self.answers.clear()
        self.answers[key] = answer


class TrialData:
    """The served trial; reading it is done by one thread, everybody else waits for that."""

    def __init__(self, served: Served, metrics: Metrics) -> None:
        self._served = served
        self._metrics = metrics
        self._watcher = StateWatcher(served.state)
        self._watching = threading.Lock()
        self._loading = threading.Lock()
        self._version: tuple[StateVersion, _Files] | None = None
        self._snapshot: Snapshot | None = None
        self._files: _Files = ()
        self._looked = float("-inf")
        read_trial_folder(trial_path(served.trial))  # a folder that cannot be read is said at once

    def at_hand(self) -> Snapshot | None:
        """What was read before, if it is still what stands there."""
        return self._snapshot if self._snapshot is not None and self._current() == self._version else None

    def load(self) -> Snapshot:
        """What stands there now; raises `AdapterError` when it cannot be read."""
        with self._loading:
            snapshot = self.at_hand()
            if snapshot is not None:
                return snapshot
            try:
                with open_store(self._served.state, writer=False):
                    pass  # made when it is not there, so that it has a version
                version = self._current()  # before reading: a change meanwhile is seen at the next call
                snapshot = self._read()
            except AdapterError as error:
                self._metrics.not_loaded()
                _logger.warning("the trial cannot be read", extra={"codes": [issue.code for issue in error.issues]})
                raise
            self._metrics.loaded(snapshot.known.pulls)
            self._version, self._snapshot = version, snapshot
            return snapshot

    def close(self) -> None:
        """Let go of the state file."""
        with self._watching:
            self._watcher.close()

    def _current(self) -> tuple[StateVersion, _Files]:
        with self._watching:
            now = time.monotonic()
            if now - self._looked >= FILES_SECONDS:
                self._files, self._looked = tuple(self._stamps()), now
            return self._watcher.version(), self._files

    def _stamps(self) -> Iterator[tuple[str, int, int]]:
        folders = {trial_path(self._served.trial), *([self._served.source] if self._served.source else [])}
        for path in sorted(path for folder in folders for path in folder.rglob("*")):
            try:
                found = path.stat()
            except OSError:
                continue  # gone since it was listed
            yield str(path), found.st_mtime_ns, found.st_size

    def _read(self) -> Snapshot:
        served = self._served
        folder = read_trial_folder(trial_path(served.trial))
        known = gather(folder, served.state, served.source)
        with open_store(served.state, writer=False) as store:
            results = ResultStore(store, folder.id)
            places = (served.hospital, FILE) if served.hospital is not None else None
            patients = results.patients(places)
            bodies = {f"{one.subject} {one.name}": one for one in results.current()}
        subjects = {
            name.removeprefix("Patient/"): next(iter(whose))
            for name, whose in patients.items()
            # The same id at two places may be two people: then it is nobody's until the hospital's server is named.
            if name.startswith("Patient/") and len(whose) == 1 and whose <= known.entities.keys()
        }
        return Snapshot(folder, known, subjects, bodies)

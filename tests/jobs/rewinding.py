"""One server for many tests, put back to a moment before each: starting one for every test takes most of its time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tests.intake.hospital import Hospital


@dataclass(frozen=True)
class Moment:
    """A hospital's server and our state as they were once."""

    hospital: Hospital
    live: Path
    database: Path

    @classmethod
    def of(cls, hospital: Hospital, live: Path, folder: Path, name: str) -> Moment:
        """Keep both as they are now; `live` is the database of the server that runs."""
        kept = replace(hospital, state=folder / f"{name}-state.sqlite")
        _copy(hospital.state, kept.state)
        _copy(live, folder / f"{name}.sqlite")
        return cls(kept, live, folder / f"{name}.sqlite")

    def again(self, folder: Path) -> Hospital:
        """Put the server back, and give it with a state of its own in a test's folder."""
        _copy(self.database, self.live)
        state = folder / "state.sqlite"
        _copy(self.hospital.state, state)
        return replace(self.hospital, state=state)


def _copy(source: Path, target: Path) -> None:
    """As SQLite copies a database that is in use."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)

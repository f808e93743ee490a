"""What can be said of a state file without making, upgrading or locking anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.issues import Fatal, Issue, Where
from fhir_adapter.store.database import SCHEMA_VERSION, about, metadata, storage_errors


@dataclass(frozen=True, slots=True)
class StateLook:
    """A state file as it stands: `version` is None for an empty one; `at_work` when a run is writing it now."""

    version: int | None
    known: int
    at_work: bool


def inspect_state(place: Path) -> StateLook:
    """Look at a state file that is there.

    Raises `Retriable` when it cannot be opened, and `Fatal` when it is no database of this program.
    """
    with storage_errors(str(place)):
        try:
            return StateLook(_version(place), SCHEMA_VERSION, _is_at_work(place))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise _strange(place) from error


def _version(place: Path) -> int | None:
    with closing(_open(place)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables <= set(metadata.tables):
            raise _strange(place)
        if about.name not in tables:
            return None
        found = connection.execute(f"SELECT value FROM {about.name} WHERE name = 'schema'").fetchone()  # noqa: S608 - our own name
    try:
        return None if found is None else int(found[0])
    except ValueError as error:
        raise _strange(place) from error


def _open(place: Path) -> sqlite3.Connection:
    """Open for reading alone; without a log of changes beside it, so that SQLite puts none there."""
    log = place.with_name(f"{place.name}-wal")
    way = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{place.absolute().as_uri()}?{way}", uri=True, timeout=1)


def _is_at_work(place: Path) -> bool:
    """True when another run holds the lock beside the state: then not even reading that file is let through."""
    lock = place.with_name(f"{place.name}.lock")
    if not lock.exists():
        return False
    with closing(sqlite3.connect(f"{lock.absolute().as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return True
            raise
    return False


def _strange(place: Path) -> Fatal:
    message = "the state file is no database of this program; move it away or name another with --state"
    return Fatal(message, Issue("fatal", "state-unusable", message, Where(str(place))))

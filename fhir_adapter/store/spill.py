"""What is too much for memory while one command runs: texts of many owners, read back owner by owner, and notes.

A temporary SQLite database (https://www.sqlite.org/inmemorydb.html): what is little stays in its cache; what is more
goes to a file in TMPDIR that only this user may open. SQLite takes its name away as soon as it is open, so nothing of
it is left behind, whatever ends the command.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, Self

from fhir_adapter.issues import Issue, Retriable

CACHE_BYTES = 16 * 1024 * 1024
"""How much stays in memory, some 10,000 results; more is written to the file."""

_AT_ONCE = 500
_SET_UP = f"""
PRAGMA temp_store = file;
PRAGMA cache_size = -{CACHE_BYTES // 1024};
ATTACH '' AS spill;
PRAGMA spill.cache_size = -{CACHE_BYTES // 1024};
PRAGMA spill.journal_mode = off;
CREATE TABLE spill.owner (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE spill.body (place INTEGER PRIMARY KEY, owner INTEGER NOT NULL, text BLOB NOT NULL);
CREATE TABLE spill.note (
    number INTEGER PRIMARY KEY, place INTEGER NOT NULL, kind TEXT NOT NULL, text BLOB NOT NULL, once BLOB
);
CREATE UNIQUE INDEX spill.noted_once ON note (once) WHERE once IS NOT NULL;
BEGIN;
"""
_ADD_OWNER = "INSERT OR IGNORE INTO owner (name) VALUES (?)"
_ADD_BODY = "INSERT INTO body VALUES (?, (SELECT number FROM owner WHERE name = ?), ?)"
_ADD_NOTE = "INSERT OR IGNORE INTO note (place, kind, text, once) VALUES (?, ?, ?, ?)"
# The index is made when all is written: sorted once, instead of kept in order all the time.
_SORT_BODIES = "CREATE INDEX IF NOT EXISTS spill.body_of_owner ON body (owner, place)"
_SORT_NOTES = "CREATE INDEX IF NOT EXISTS spill.note_at_place ON note (place, number)"
_BODIES = """
SELECT owner, (SELECT name FROM owner WHERE number = body.owner), place, text
FROM body INDEXED BY body_of_owner ORDER BY owner, place
"""
_NOTES = "SELECT text FROM note INDEXED BY note_at_place ORDER BY place, number"
_KINDS = "SELECT kind, count(*) FROM note GROUP BY kind ORDER BY count(*) DESC"


class Spill:
    """Texts and notes of one run; a context manager."""

    def __init__(self) -> None:
        self._bodies: list[tuple[int, str, bytes]] = []
        self._notes: list[tuple[int, str, bytes, bytes | None]] = []
        with _spill_errors():
            self._database = sqlite3.connect(":memory:", isolation_level=None)
            self._database.executescript(_SET_UP)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, owner: str, place: int, text: bytes) -> None:
        """Keep a text of an owner; `place` is where it stood among all, and no other's."""
        self._bodies.append((place, owner, text))
        if len(self._bodies) >= _AT_ONCE:
            self._write()

    def note(self, place: int, kind: str, text: bytes, once: bytes | None = None) -> None:
        """Keep a note under the place that it speaks of; of several that are the same `once` the first stands."""
        self._notes.append((place, kind, text, once))
        if len(self._notes) >= _AT_ONCE:
            self._write()

    def by_owner(self) -> Iterator[tuple[str, list[tuple[int, bytes]]]]:
        """Each owner with its texts in the order of their places; the owners in the order of their first ones."""
        for (_, name), rows in groupby(self._rows(_BODIES, _SORT_BODIES), itemgetter(0, 1)):
            yield name, [(place, text) for *_, place, text in rows]

    def notes(self) -> Iterator[bytes]:
        """Every note, in the order of their places, and at one place as they came."""
        return (text for (text,) in self._rows(_NOTES, _SORT_NOTES))

    def kinds(self) -> Mapping[str, int]:
        """How many notes there are of each kind, the most frequent first."""
        return dict(self._rows(_KINDS))

    def _rows(self, query: str, sort: str = "") -> Iterator[tuple[Any, ...]]:  # columns are of any type
        with _spill_errors():
            self._write()
            self._database.execute(sort)
            yield from self._database.execute(query)

    def _write(self) -> None:
        with _spill_errors():
            self._database.executemany(_ADD_OWNER, [(owner,) for _, owner, _ in self._bodies])
            self._database.executemany(_ADD_BODY, self._bodies)
            self._database.executemany(_ADD_NOTE, self._notes)
        self._bodies.clear()
        self._notes.clear()


@contextmanager
def _spill_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        message = f"the temporary folder cannot hold what is too much for memory: {error}"
        raise Retriable(message, Issue("error", "no-room", message)) from error

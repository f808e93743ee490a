"""Where resources lie: every version ever written, which one is current, and the rows that searches read.

One SQLite file or `:memory:`. Writers take turns (`BEGIN IMMEDIATE`, in this process and across processes); a write is
on the disk before its answer goes out (`synchronous = FULL`); readers see one unchanging state while they read (WAL).
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from fhir_adapter import fhirjson
from fhir_adapter.issues import Misconfigured
from fhir_adapter.sandbox.index import fingerprint, index_rows
from fhir_adapter.sandbox.moments import instant

SCHEMA_VERSION = 1
BUSY_SECONDS = 30
DELETE = "DELETE"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS version (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL, id TEXT NOT NULL, vid INTEGER NOT NULL,
    deleted INTEGER NOT NULL, body BLOB, last_updated INTEGER NOT NULL, method TEXT NOT NULL,
    UNIQUE (type, id, vid));
CREATE INDEX IF NOT EXISTS version_type ON version (type);
CREATE TABLE IF NOT EXISTS current (
    rid INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL, id TEXT NOT NULL, vid INTEGER NOT NULL,
    deleted INTEGER NOT NULL, version INTEGER NOT NULL REFERENCES version (pk), last_updated INTEGER NOT NULL,
    UNIQUE (type, id));
CREATE INDEX IF NOT EXISTS current_type ON current (type, deleted);
CREATE TABLE IF NOT EXISTS idx (
    rid INTEGER NOT NULL, n INTEGER NOT NULL, param TEXT NOT NULL,
    system TEXT, value TEXT, exact TEXT, low, high,
    PRIMARY KEY (rid, n)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idx_value ON idx (param, value, rid, system) WHERE value IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_range ON idx (param, low, high, rid) WHERE low IS NOT NULL;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_VERSION_COLUMNS = "v.type, v.id, v.vid, v.deleted, v.body, v.last_updated, v.method"
_INSERT_VERSION = (
    "INSERT INTO version (type, id, vid, deleted, body, last_updated, method) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_CURRENT = (
    "INSERT INTO current (vid, deleted, version, last_updated, type, id) VALUES (?, ?, ?, ?, ?, ?) RETURNING rid"
)
_UPDATE_CURRENT = (
    "UPDATE current SET vid = ?, deleted = ?, version = ?, last_updated = ? WHERE type = ? AND id = ? RETURNING rid"
)
_INSERT_INDEX = "INSERT INTO idx (rid, n, param, system, value, exact, low, high) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Stored(NamedTuple):
    """One version of a resource as it lies in the store; a deleted version has no body."""

    type: str
    id: str
    vid: int
    deleted: int
    body: bytes | None
    last_updated: int
    method: str

    @property
    def reference(self) -> str:
        """`Patient/1`."""
        return f"{self.type}/{self.id}"

    @property
    def etag(self) -> str:
        """The weak tag that names this version."""
        return f'W/"{self.vid}"'


class Session:
    """What can be read and written within one transaction; all writes of one session carry the same moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._moment: int | None = None

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(sql, arguments).fetchall()

    def current(self, resource_type: str, resource_id: str) -> Stored | None:
        """The newest version (perhaps a deletion), or None for an id never used."""
        sql = (
            f"SELECT {_VERSION_COLUMNS} FROM current c JOIN version v ON v.pk = c.version WHERE c.type = ? AND c.id = ?"  # noqa: S608
        )
        return self._one(sql, (resource_type, resource_id))

    def version(self, resource_type: str, resource_id: str, vid: int) -> Stored | None:
        """One version by its number."""
        sql = f"SELECT {_VERSION_COLUMNS} FROM version v WHERE v.type = ? AND v.id = ? AND v.vid = ?"  # noqa: S608
        return self._one(sql, (resource_type, resource_id, vid))

    def write(self, resource: dict[str, Any], resource_id: str, previous: Stored | None, method: str) -> Stored:
        """Store a new version; `previous` is what `current` said in this session."""
        vid, moment = _next(previous), self._now()
        resource_type = resource["resourceType"]
        body = fhirjson.dumps(stamped(resource, resource_id, vid, moment))
        stored = Stored(resource_type, resource_id, vid, 0, body, moment, method)
        rid = self._append(stored, previous)
        self._insert_index(rid, resource)
        return stored

    def delete(self, previous: Stored) -> Stored:
        """Store the deletion of a resource as its newest version."""
        stored = Stored(previous.type, previous.id, _next(previous), 1, None, self._now(), DELETE)
        self._append(stored, previous)
        return stored

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of the transaction that is undone alone when it fails."""
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO attempt")
            raise
        finally:
            self._connection.execute("RELEASE attempt")

    def rebuild_index(self) -> None:
        """Make all index rows anew where they were made from another table of search parameters."""
        made_with = fingerprint()
        if self.rows("SELECT 1 FROM about WHERE name = 'index' AND value = ?", (made_with,)):
            return
        self._connection.execute("DELETE FROM idx")
        sql = "SELECT c.rid, v.body FROM current c JOIN version v ON v.pk = c.version WHERE c.deleted = 0"
        for rid, body in self._connection.execute(sql):
            self._insert_index(rid, fhirjson.loads(body))
        self._connection.execute("INSERT OR REPLACE INTO about VALUES ('index', ?)", (made_with,))

    def _one(self, sql: str, arguments: tuple[object, ...]) -> Stored | None:
        row = self._connection.execute(sql, arguments).fetchone()
        return None if row is None else Stored(*row)

    def _append(self, stored: Stored, previous: Stored | None) -> int:
        """Add a version and make it the current one; gives the row number of the resource, freed of its index rows."""
        execute = self._connection.execute
        state = (stored.vid, stored.deleted, execute(_INSERT_VERSION, stored).lastrowid, stored.last_updated)
        sql = _UPDATE_CURRENT if previous else _INSERT_CURRENT
        (rid,) = execute(sql, (*state, stored.type, stored.id)).fetchone()
        if previous:
            execute("DELETE FROM idx WHERE rid = ?", (rid,))
        return int(rid)

    def _insert_index(self, rid: int, resource: dict[str, Any]) -> None:
        rows = index_rows(resource)
        self._connection.executemany(_INSERT_INDEX, [(rid, n, *row) for n, row in enumerate(rows)])

    def _now(self) -> int:
        """Milliseconds since 1970, never before what is stored already: clocks are set back, marks must not miss."""
        if self._moment is None:
            newest = self.rows("SELECT last_updated FROM version ORDER BY pk DESC LIMIT 1")
            self._moment = max(time.time_ns() // 1_000_000, newest[0][0] if newest else 0)
        return self._moment


class Store:
    """One database: hands out sessions to read (many at once) and to write (one at a time)."""

    def __init__(self, database: str) -> None:
        self._path = database
        self._in_memory = database == ":memory:"
        self._turn = threading.Lock()
        self._open: list[sqlite3.Connection] = []
        self.close = weakref.finalize(self, _close_all, self._open)
        self._writer = self._prepared()
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose writes are all kept, durably, when the block ends, or none when it raises."""
        with self._turn:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield Session(self._writer)
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one unchanging state."""
        if self._in_memory:
            with self._turn:
                yield Session(self._writer)
            return
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            try:
                yield Session(connection)
            finally:
                connection.execute("ROLLBACK")
        finally:
            self._readers.put(connection)

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._readers.get_nowait()
        except queue.Empty:
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._open.append(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        return connection

    def _prepared(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
            _refuse_newer(connection, self._path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            Session(connection).rebuild_index()
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise Misconfigured(f"{self._path}: cannot be used as the sandbox's database: {error}") from error
        return connection


def stamped(resource: dict[str, Any], resource_id: str, vid: int, moment: int) -> dict[str, Any]:
    """The resource with the server's id, version and moment; everything else, its order too, as received."""
    meta = {**resource.get("meta", {}), "versionId": str(vid), "lastUpdated": instant(moment)}
    if "id" in resource and "meta" in resource:
        return {**resource, "id": resource_id, "meta": meta}
    result: dict[str, Any] = {}
    for key, value in resource.items():
        result[key] = value
        if key == "resourceType":
            result |= {name: None for name in ("id", "meta") if name not in resource}
    return result | {"id": resource_id, "meta": meta}


def _next(previous: Stored | None) -> int:
    return 1 if previous is None else previous.vid + 1


def _refuse_newer(connection: sqlite3.Connection, path: str) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > SCHEMA_VERSION:
        raise Misconfigured(f"{path}: made by a newer sandbox (schema {found}, this one reads {SCHEMA_VERSION})")


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()

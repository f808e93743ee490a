"""Where our state is kept: one SQLite file per trial, one writer at a time, a schema that knows its version."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from fhir_adapter.issues import Fatal, Issue, Misconfigured, Retriable, Where

SCHEMA_VERSION = 2
"""1: what was sent. 2: also what was received; only tables were added, so a file of version 1 is upgraded in place."""

metadata = MetaData()
about = Table("about", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False))
target = Table(
    "target",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trial", String, nullable=False),
    Column("server", String, nullable=False),
    Column("namespace", String, nullable=False, comment="SHA-256: ids of another namespace are other resources"),
    UniqueConstraint("trial", "server"),
)
sent = Table(
    "sent",
    metadata,
    Column("target", ForeignKey("target.id"), primary_key=True),
    Column("name", String, primary_key=True, comment="Type/id"),
    Column("subject", String),
    Column("source", String, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False, comment="of the body as sent"),
    Column("version", String, comment="as the server answered"),
    Column("revision", Integer, nullable=False, comment="how often we wrote it"),
)
intent = Table(
    "intent",
    metadata,
    Column("target", ForeignKey("target.id"), primary_key=True),
    Column("provenance", String, primary_key=True, comment="id of the Provenance inside the transaction"),
    Column("recorded", String, nullable=False),
    Column("entries", LargeBinary, nullable=False, comment="JSON"),
)
pull = Table(
    "pull",
    metadata,
    Column("trial", String, primary_key=True),
    Column("place", String, primary_key=True, comment="base URL of the server, or `file`"),
    Column("number", Integer, primary_key=True, comment="the checkpoint"),
    Column("started", String, nullable=False, comment="by the clock of the server, never ours; empty when it has none"),
    Column("ended", Boolean, nullable=False, comment="false: it is at work, or was killed"),
    Column("complete", Boolean, nullable=False),
    Column("subjects", LargeBinary, nullable=False, comment="JSON: those whose window was read whole"),
    Column("why", LargeBinary, nullable=False, comment="JSON: issues that made it incomplete"),
)
received = Table(
    "received",
    metadata,
    Column("trial", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("name", String, primary_key=True, comment="Type/id"),
    Column("subject", String, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False, comment="of the body that stands there now"),
    Column("seen_first", Integer, nullable=False, comment="number of the pull"),
    Column("seen_last", Integer, nullable=False, comment="number of the pull"),
    Column("state", String, nullable=False, comment="current or withdrawn"),
)
received_version = Table(
    "received_version",
    metadata,
    Column("trial", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("version", String, comment="meta.versionId, where the server gives one"),
    Column("body", LargeBinary, nullable=False, comment="as received"),
    Column("seen_first", Integer, nullable=False, comment="number of the pull"),
)
patient = Table(
    "patient",
    metadata,
    Column("trial", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("name", String, primary_key=True, comment="Patient/id at the hospital; the resource itself is not kept"),
    Column("subject", String, nullable=False),
    Column("seen_last", Integer, nullable=False, comment="number of the pull"),
)


class Store:
    """The state of one trial, open in this process."""

    def __init__(self, engine: Engine, place: str, lock: sqlite3.Connection | None) -> None:
        self.engine = engine
        self._place = place
        self._lock = lock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()

    def target(self, trial: str, server: str, namespace: uuid.UUID) -> int:
        """The number under which this trial's records on this server are kept.

        Raises `Misconfigured` when they were made with another namespace: under it every id would be a new one.
        """
        digest = hashlib.sha256(namespace.bytes).hexdigest()
        with storage_errors(self._place), self.engine.begin() as connection:
            where = (target.c.trial == trial) & (target.c.server == server)
            found = connection.execute(select(target.c.id, target.c.namespace).where(where)).one_or_none()
            if found is None:
                connection.execute(insert(target).values(trial=trial, server=server, namespace=digest))
                found = connection.execute(select(target.c.id, target.c.namespace).where(where)).one()
        if found.namespace != digest:
            message = "id_namespace is not the one with which this trial was sent there; restore it"
            raise Misconfigured(message, Issue("error", "other-namespace", message, Where(self._place)))
        return int(found.id)

    @property
    def place(self) -> str:
        """Where the state is, for messages."""
        return self._place


def open_store(place: Path, *, writer: bool, existing: bool = False) -> Store:
    """Open the state file, made or upgraded when need be; as writer, keep every other writer out.

    `existing`: only read; a file that is not there or of an older version is left as it is. Raises `Retriable` for
    that, when another writer is at work or the disk fails, and `Fatal` for a file of a newer version.
    """
    if existing and not place.is_file():
        message = "there is no state file: name the one that pull and push use, or run pull first"
        raise Retriable(message, Issue("error", "state-missing", message, Where(str(place))))
    with storage_errors(str(place)):
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(place) if writer else None
        engine = create_engine(URL.create("sqlite", database=str(place)))
        event.listen(engine, "connect", _configure)
        try:
            _check_version(engine, place, locked=writer, existing=existing)
        except BaseException:
            engine.dispose()
            if lock is not None:
                lock.close()
            raise
        return Store(engine, str(place), lock)


@contextmanager
def storage_errors(place: str) -> Iterator[None]:
    """Turn what the disk or the database reports into `Retriable`: nothing is lost, and a run can be repeated."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError, OSError) as error:
        message = f"the state cannot be used: {_words(error)}"
        raise Retriable(message, Issue("error", "state-unusable", message, Where(place))) from error
    except SQLAlchemyError as error:
        message = "the state file is no database of this program; move it away or name another with --state"
        raise Fatal(message, Issue("fatal", "state-unusable", message, Where(place))) from error


def _words(error: Exception) -> str:
    text = str(error.orig) if isinstance(error, OperationalError) else str(error)
    return text.splitlines()[0][:120] if text else type(error).__name__


def _lock(place: Path) -> sqlite3.Connection:
    """Hold an exclusive transaction on a file beside the state: the system frees it even after kill -9."""
    connection = sqlite3.connect(place.with_name(place.name + ".lock"), timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        message = "another run is writing this trial's state; wait until it has ended"
        raise Retriable(message, Issue("error", "state-locked", message, Where(str(place)))) from error
    return connection


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an intent must be on the disk before the request goes out
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _check_version(engine: Engine, place: Path, *, locked: bool, existing: bool) -> None:
    found = _version(engine)
    if found is not None and found > SCHEMA_VERSION:
        message = f"the state has version {found}; this program knows {SCHEMA_VERSION}"
        raise Fatal(message, Issue("fatal", "state-version", message, Where(str(place))))
    if found == SCHEMA_VERSION:
        return
    if existing:
        message = f"the state has version {found}; a run of push or pull brings it to {SCHEMA_VERSION}"
        raise Retriable(message, Issue("error", "state-version", message, Where(str(place))))
    # Tables are made one by one: whoever makes them keeps every other run out until the version is written.
    with contextlib.nullcontext() if locked else contextlib.closing(_lock(place)):
        if found is not None:
            _back_up(place, place.with_name(f"{place.name}.v{found}.bak"))
        metadata.create_all(engine)
        with engine.begin() as connection:
            if found is None:
                connection.execute(insert(about).values(name="schema", value=str(SCHEMA_VERSION)))
            else:
                connection.execute(update(about).where(about.c.name == "schema").values(value=str(SCHEMA_VERSION)))


def _version(engine: Engine) -> int | None:
    """The version of the file; None for a new one, or one whose first opening was killed."""
    if not inspect(engine).has_table(about.name):
        return None
    with engine.connect() as connection:
        found = connection.execute(select(about.c.value).where(about.c.name == "schema")).scalar()
    return None if found is None else int(found)


def _back_up(place: Path, backup: Path) -> None:
    """Copy the file as its readers see it; a backup is there whole or not at all."""
    unfinished = backup.with_name(backup.name + ".part")
    unfinished.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(place)) as source,
        contextlib.closing(sqlite3.connect(unfinished)) as target_file,
    ):
        source.backup(target_file)
    unfinished.replace(backup)

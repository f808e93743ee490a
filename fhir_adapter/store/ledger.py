"""What was sent to one server, and what was about to be: an intent is written before a request, closed after it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from fhir_adapter import fhirjson
from fhir_adapter.store.database import Store, intent, sent, storage_errors

EDITED = "edited"
"""Instead of a version: somebody else wrote after us, so the version we made is not the one that stands there."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A resource as it stands on the server by our doing: hash of what we sent, version the server gave."""

    name: str
    subject: str | None
    source: str
    sha256: bytes
    version: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class IntentEntry:
    """One write of an intended transaction; `content` is the digest of what it says, in whatever order."""

    name: str
    subject: str | None
    source: str
    sha256: bytes
    revision: int
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that may have reached the server; its Provenance there proves that it did."""

    provenance: str
    recorded: str
    entries: tuple[IntentEntry, ...]


class Ledger:
    """The records of one trial on one server."""

    def __init__(self, store: Store, trial: str, server: str, namespace: uuid.UUID) -> None:
        self._store = store
        self._target = store.target(trial, server, namespace)

    def sent(self) -> dict[str, Sent]:
        """Everything we ever wrote there, by `Type/id`."""
        query = select(sent).where(sent.c.target == self._target)
        with storage_errors(self._store.place), self._store.engine.connect() as connection:
            return {
                row.name: Sent(row.name, row.subject, row.source, row.sha256, row.version, row.revision)
                for row in connection.execute(query)
            }

    def intents(self) -> list[Intent]:
        """Transactions of which we do not know whether they took place."""
        query = select(intent).where(intent.c.target == self._target)
        with storage_errors(self._store.place), self._store.engine.connect() as connection:
            return [
                Intent(row.provenance, row.recorded, _read_entries(row.entries)) for row in connection.execute(query)
            ]

    def intend(self, planned: Intent) -> None:
        """Note a transaction before it is sent; on the disk when this returns."""
        values = {
            "target": self._target,
            "provenance": planned.provenance,
            "recorded": planned.recorded,
            "entries": _write_entries(planned.entries),
        }
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            connection.execute(insert(intent).prefix_with("OR REPLACE").values(values))

    def acknowledge(self, done: Intent, versions: Mapping[str, str | None]) -> None:
        """The transaction took place: record every write with the version the server gave, and close the intent."""
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            self._record(connection, [self._row(entry, versions.get(entry.name)) for entry in done.entries])
            self._close(connection, done.provenance)

    def forget(self, undone: Intent) -> None:
        """The transaction did not take place: close the intent."""
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            self._close(connection, undone.provenance)

    def adopt(self, found: Sequence[Sent]) -> None:
        """Record resources that stand on the server as we would send them, although we had no record of them."""
        if found:
            with storage_errors(self._store.place), self._store.engine.begin() as connection:
                entries = [IntentEntry(one.name, one.subject, one.source, one.sha256, one.revision) for one in found]
                versions = {one.name: one.version for one in found}
                self._record(connection, [self._row(entry, versions[entry.name]) for entry in entries])

    def _record(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        statement = upsert(sent)
        changed = {name: statement.excluded[name] for name in ("subject", "source", "sha256", "version", "revision")}
        connection.execute(statement.on_conflict_do_update(index_elements=["target", "name"], set_=changed), rows)

    def _row(self, entry: IntentEntry, version: str | None) -> dict[str, object]:
        return {
            "target": self._target,
            "name": entry.name,
            "subject": entry.subject,
            "source": entry.source,
            "sha256": entry.sha256,
            "version": version,
            "revision": entry.revision,
        }

    def _close(self, connection: Connection, provenance: str) -> None:
        where = (intent.c.target == self._target) & (intent.c.provenance == provenance)
        connection.execute(delete(intent).where(where))


def _write_entries(entries: Sequence[IntentEntry]) -> bytes:
    return fhirjson.dumps([[e.name, e.subject, e.source, e.sha256.hex(), e.revision, e.content.hex()] for e in entries])


def _read_entries(text: bytes) -> tuple[IntentEntry, ...]:
    return tuple(
        IntentEntry(name, subject, source, bytes.fromhex(digest), revision, bytes.fromhex(content))
        for name, subject, source, digest, revision, content in fhirjson.loads(text)
    )

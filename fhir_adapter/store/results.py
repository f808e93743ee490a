"""What was received from a hospital: every body of every resource, which of them stand there now, and when we looked.

A subject's window is recorded in one transaction: after a kill it is there whole or as it was before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from fhir_adapter import fhirjson
from fhir_adapter.store.database import Store, patient, pull, received, received_version, storage_errors

FILE = "file"
"""The place of what came in a file instead of from a server."""


@dataclass(frozen=True, slots=True)
class Received:
    """A resource as it was received.

    `body` is its JSON text. What came inside a Bundle is written again by `fhirjson`: same keys, order and digits,
    blanks between them left out; so the hash says whether the content changed, whatever the server's blanks are.
    """

    name: str
    subject: str
    body: bytes
    version: str | None = None
    place: str = ""

    @property
    def sha256(self) -> bytes:
        """The hash of the body."""
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What recording a window changed, by `Type/id`."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull: `started` by the server's clock (empty when it has none), `subjects` those that were read whole."""

    place: str
    number: int
    started: str
    complete: bool
    subjects: tuple[str, ...]
    why: tuple[Mapping[str, object], ...]

    @property
    def checkpoint(self) -> str:
        """The data-cut mark that people and reports show."""
        return self.started or f"pull {self.number}"


class ResultStore:
    """What one trial received, from whatever place."""

    def __init__(self, store: Store, trial: str) -> None:
        self._store = store
        self._trial = trial

    def begin(self, place: str, started: str) -> int:
        """Open a pull and give its number; until `finish` it counts as incomplete."""
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            query = select(func.max(pull.c.number)).where(*self._of(pull, place))
            number = int(connection.execute(query).scalar() or 0) + 1
            opened = {"started": started, "ended": False, "complete": False, "subjects": b"[]", "why": b"[]"}
            connection.execute(insert(pull).values(trial=self._trial, place=place, number=number, **opened))
        return number

    def record(
        self,
        place: str,
        number: int,
        subject: str,
        found: Sequence[Received],
        *,
        patients: Iterable[str] = (),
        covers: Callable[[bytes], bool] | None = None,
    ) -> Recorded:
        """Record what was found for one subject, all or nothing.

        `covers` says whether a complete re-read would have found a body again: what is current, covered and not found
        is withdrawn. Without it nothing is.
        """
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            known = self._known(connection, place, [one.name for one in found])
            kinds = {one.name: _kind(known.get(one.name), one) for one in found}
            gone = self._gone(connection, place, subject, set(kinds), covers) if covers else ()
            self._write(connection, place, number, found)
            self._withdraw(connection, place, gone)
            self._note(connection, place, number, subject, patients)
        new = tuple(name for name, kind in kinds.items() if kind == "new")
        return Recorded(new, tuple(name for name, kind in kinds.items() if kind == "changed"), gone)

    def withdraw(self, place: str, number: int, subject: str, gone: Sequence[Received]) -> None:
        """Take results from the subject that holds them; `gone` is what was heard of each last."""
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            self._write(connection, place, number, gone)
            self._withdraw(connection, place, [one.name for one in gone])
            self._note(connection, place, number, subject, ())

    def finish(self, place: str, number: int, *, complete: bool, why: Sequence[Mapping[str, object]] = ()) -> None:
        """Close a pull: whether everything was read, and if not, why."""
        values = {"ended": True, "complete": complete, "why": fhirjson.dumps(list(why))}
        with storage_errors(self._store.place), self._store.engine.begin() as connection:
            connection.execute(update(pull).where(*self._of(pull, place), pull.c.number == number).values(**values))

    def current(self, subject: str | None = None) -> list[Received]:
        """What stands at its place now, of one subject or of all; in the order of place and name."""
        return self._in_state("current", subject)

    def withdrawn(self) -> list[Received]:
        """What stands nowhere any more, as it was heard of last."""
        return self._in_state("withdrawn")

    def versions(self, name: str) -> list[Received]:
        """Every body that was ever received under this `Type/id`, the oldest first; of a stranger's only its age."""
        query = (
            select(received.c.name, received.c.subject, received_version.c.body, received_version.c.version)
            .add_columns(received.c.place)
            .join(
                received_version,
                and_(*[received.c[key] == received_version.c[key] for key in ("trial", "place", "name")]),
            )
            .where(received.c.trial == self._trial, received.c.name == name)
            .order_by(received_version.c.seen_first)
        )
        return [Received(*row) for row in self._rows(query)]

    def last_pull(self, place: str | None = None) -> Pull | None:
        """The latest pull from a place, or the one with the latest mark of all places."""
        pulls = self.pulls(place)
        return max(pulls, key=lambda one: (one.started, one.number), default=None)

    def last_read(self, subject: str) -> Pull | None:
        """The latest pull that read this subject's window whole."""
        pulls = [one for one in self.pulls() if subject in one.subjects]
        return max(pulls, key=lambda one: (one.started, one.number), default=None)

    def pulls(self, place: str | None = None) -> list[Pull]:
        """Every pull of the trial, or of one place, in their order."""
        query = select(pull).where(pull.c.trial == self._trial).order_by(pull.c.place, pull.c.number)
        if place is not None:
            query = query.where(pull.c.place == place)
        return [
            Pull(
                row.place,
                row.number,
                row.started,
                row.complete,
                tuple(fhirjson.loads(row.subjects)),
                tuple(fhirjson.loads(row.why)),
            )
            for row in self._rows(query)
        ]

    def patients(self, places: Collection[str] | None = None) -> dict[str, set[str]]:
        """Whose Patient each `Patient/id` of the hospital is, by this and by its address on a server.

        Of all places or of these, as each place was read last: an id that was corrected since is nobody's. More than
        one subject when places disagree: the same id elsewhere may be somebody else.
        """
        latest: dict[tuple[str, str], int] = {}
        rows = self._rows(select(patient).where(patient.c.trial == self._trial))
        for row in rows:
            key = (row.place, row.subject)
            latest[key] = max(latest.get(key, row.seen_last), row.seen_last)
        found: dict[str, set[str]] = {}
        for row in rows:
            if row.seen_last == latest[row.place, row.subject] and (places is None or row.place in places):
                for address in (row.name, f"{row.place}/{row.name}"):
                    found.setdefault(address, set()).add(row.subject)
        return found

    def patient_of(self, subject: str) -> str | None:
        """The hospital's `Patient/id` of a subject, as the latest pull found it."""
        query = select(patient.c.name).where(patient.c.trial == self._trial, patient.c.subject == subject)
        rows = self._rows(query.order_by(patient.c.seen_last.desc(), patient.c.name).limit(1))
        return str(rows[0].name) if rows else None

    def _in_state(self, state: str, subject: str | None = None) -> list[Received]:
        same = [received.c[name] == received_version.c[name] for name in ("trial", "place", "name", "sha256")]
        query = (
            select(received.c.name, received.c.subject, received_version.c.body, received_version.c.version)
            .add_columns(received.c.place)
            .join(received_version, and_(*same))
            .where(received.c.trial == self._trial, received.c.state == state)
            .order_by(received.c.place, received.c.name)
        )
        if subject is not None:
            query = query.where(received.c.subject == subject)
        return [Received(*row) for row in self._rows(query)]

    def _rows(self, query: Any) -> list[Any]:  # noqa: ANN401 - a query of any columns
        with storage_errors(self._store.place), self._store.engine.connect() as connection:
            return list(connection.execute(query))

    def _of(self, table: Any, place: str) -> tuple[Any, Any]:  # noqa: ANN401 - SQLAlchemy's expressions
        return table.c.trial == self._trial, table.c.place == place

    def _known(self, connection: Connection, place: str, names: Sequence[str]) -> dict[str, tuple[bytes, str]]:
        query = select(received.c.name, received.c.sha256, received.c.state).where(*self._of(received, place))
        wanted = set(names)
        return {row.name: (row.sha256, row.state) for row in connection.execute(query) if row.name in wanted}

    def _gone(
        self, connection: Connection, place: str, subject: str, found: set[str], covers: Callable[[bytes], bool]
    ) -> tuple[str, ...]:
        same = [received.c[name] == received_version.c[name] for name in ("trial", "place", "name", "sha256")]
        query = (
            select(received.c.name, received_version.c.body)
            .join(received_version, and_(*same))
            .where(*self._of(received, place), received.c.subject == subject, received.c.state == "current")
            .order_by(received.c.name)
        )
        return tuple(row.name for row in connection.execute(query) if row.name not in found and covers(row.body))

    def _write(self, connection: Connection, place: str, number: int, found: Sequence[Received]) -> None:
        if not found:
            return
        rows = [
            {
                "trial": self._trial,
                "place": place,
                "name": one.name,
                "subject": one.subject,
                "sha256": one.sha256,
                "version": one.version,
                "body": one.body,
                "seen_first": number,
                "seen_last": number,
                "state": "current",
            }
            for one in found
        ]
        bodies = [{key: row[key] for key in received_version.c.keys()} for row in rows]  # noqa: SIM118 - its keys()
        connection.execute(upsert(received_version).on_conflict_do_nothing(), bodies)
        statement = upsert(received)
        changed = {key: statement.excluded[key] for key in ("subject", "sha256", "seen_last", "state")}
        states = [{key: row[key] for key in received.c.keys()} for row in rows]  # noqa: SIM118
        connection.execute(
            statement.on_conflict_do_update(index_elements=["trial", "place", "name"], set_=changed), states
        )

    def _withdraw(self, connection: Connection, place: str, names: Sequence[str]) -> None:
        for name in names:
            where = (*self._of(received, place), received.c.name == name)
            connection.execute(update(received).where(*where).values(state="withdrawn"))

    def _note(self, connection: Connection, place: str, number: int, subject: str, patients: Iterable[str]) -> None:
        """Note that this subject was read whole in this pull, and whose Patients its results were."""
        here = (*self._of(pull, place), pull.c.number == number)
        read = fhirjson.loads(connection.execute(select(pull.c.subjects).where(*here)).scalar_one())
        subjects = fhirjson.dumps(sorted({*read, subject}))
        connection.execute(update(pull).where(*here).values(subjects=subjects))
        for name in patients:
            statement = upsert(patient).values(
                trial=self._trial, place=place, name=name, subject=subject, seen_last=number
            )
            changed = {key: statement.excluded[key] for key in ("subject", "seen_last")}
            connection.execute(statement.on_conflict_do_update(index_elements=["trial", "place", "name"], set_=changed))


def _kind(known: tuple[bytes, str] | None, one: Received) -> str:
    if known is None or known[1] == "withdrawn":
        return "new"
    return "same" if known[0] == one.sha256 else "changed"

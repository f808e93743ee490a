"""What the store remembers of what was received, and how an older file is upgraded."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.issues import Fatal, Retriable
from fhir_adapter.store import Ledger, Received, Recorded, ResultStore, Store, open_store

PLACE = "https://hospital.test"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_store(tmp_path / "state.sqlite", writer=True) as opened:
        yield opened


@pytest.fixture
def results(store: Store) -> ResultStore:
    """What one trial received: nothing yet."""
    return ResultStore(store, "trial")


def body(name: str, text: bytes, subject: str = "S01") -> Received:
    """A resource as received."""
    return Received(f"Observation/{name}", subject, text, "1")


def everything(_body: bytes) -> bool:
    """The window covers all there is."""
    return True


def test_what_is_new_changed_and_gone_is_told(results: ResultStore) -> None:
    """By name and hash."""
    first = results.begin(PLACE, "2016-01-01T00:00:00+00:00")
    told = results.record(PLACE, first, "S01", [body("a", b"1"), body("b", b"1")], covers=everything)
    assert told == Recorded(("Observation/a", "Observation/b"))
    second = results.begin(PLACE, "2016-01-02T00:00:00+00:00")
    told = results.record(PLACE, second, "S01", [body("a", b"2"), body("c", b"1")], covers=everything)
    assert told == Recorded(("Observation/c",), ("Observation/a",), ("Observation/b",))
    assert [one.body for one in results.current()] == [b"2", b"1"]
    assert [one.body for one in results.versions("Observation/a")] == [b"1", b"2"]


def test_other_subjects_and_places_are_left_alone(results: ResultStore) -> None:
    """A window says nothing of them."""
    number = results.begin(PLACE, "")
    results.record(PLACE, number, "S02", [body("b", b"1", "S02")], covers=everything)
    elsewhere = results.begin("file", "")
    results.record("file", elsewhere, "S01", [body("a", b"1")])
    assert results.record(PLACE, number, "S01", [], covers=everything) == Recorded()
    assert len(results.current()) == 2
    assert [one.subject for one in results.current("S02")] == ["S02"]


def test_what_the_window_does_not_cover_is_not_withdrawn(results: ResultStore) -> None:
    """Nor anything at all without a window."""
    number = results.begin(PLACE, "")
    results.record(PLACE, number, "S01", [body("a", b"1"), body("b", b"2")])
    assert results.record(PLACE, number, "S01", []) == Recorded()
    told = results.record(PLACE, number, "S01", [], covers=lambda one: one == b"2")
    assert told.withdrawn == ("Observation/b",)


def test_trials_are_kept_apart(store: Store, results: ResultStore) -> None:
    """In one file too."""
    results.record(PLACE, results.begin(PLACE, ""), "S01", [body("a", b"1")])
    other = ResultStore(store, "other")
    assert (other.current(), other.pulls(), other.patients(), other.last_read("S01")) == ([], [], {}, None)


def test_an_open_pull_is_incomplete(results: ResultStore) -> None:
    """Until it is finished; then it says why, if it is not whole."""
    number = results.begin(PLACE, "2016-01-01T00:00:00+00:00")
    (opened,) = results.pulls()
    assert (opened.complete, opened.checkpoint) == (False, "2016-01-01T00:00:00+00:00")
    results.finish(PLACE, number, complete=False, why=[{"code": "server-failed"}])
    assert results.pulls(PLACE)[0].why == ({"code": "server-failed"},)
    again = results.begin(PLACE, "2016-01-02T00:00:00+00:00")
    results.finish(PLACE, again, complete=True)
    last = results.last_pull()
    assert last is not None
    assert (last.number, last.complete) == (2, True)


def test_patients_are_remembered_by_their_latest_name(results: ResultStore) -> None:
    """An id that was corrected since may be somebody else's: it is nobody's here."""
    for name in ("Patient/old", "Patient/new"):
        results.record(PLACE, results.begin(PLACE, ""), "S01", [], patients=[name])
    assert results.patient_of("S01") == "Patient/new"
    assert results.patients() == {name: {"S01"} for name in ("Patient/new", f"{PLACE}/Patient/new")}


def test_one_id_at_two_places_may_be_two_people(results: ResultStore) -> None:
    """Only the whole address tells."""
    results.record(PLACE, results.begin(PLACE, ""), "S01", [], patients=["Patient/1"])
    results.record("https://other.test", results.begin("https://other.test", ""), "S02", [], patients=["Patient/1"])
    known = results.patients()
    assert (known["Patient/1"], known[f"{PLACE}/Patient/1"]) == ({"S01", "S02"}, {"S01"})


def test_a_window_is_recorded_whole_or_not_at_all(
    store: Store, results: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks at the end leaves nothing behind."""
    number = results.begin(PLACE, "")

    def breaks(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "_note", breaks)
    with pytest.raises(KeyboardInterrupt):
        results.record(PLACE, number, "S01", [body("a", b"1")])
    assert ResultStore(store, "trial").current() == []


VERSION_1 = """
CREATE TABLE about (name VARCHAR NOT NULL PRIMARY KEY, value VARCHAR NOT NULL);
INSERT INTO about VALUES ('schema', '1');
CREATE TABLE target (id INTEGER NOT NULL PRIMARY KEY, trial VARCHAR NOT NULL, server VARCHAR NOT NULL,
  namespace VARCHAR NOT NULL, UNIQUE (trial, server));
CREATE TABLE sent (target INTEGER NOT NULL REFERENCES target(id), name VARCHAR NOT NULL, subject VARCHAR,
  source VARCHAR NOT NULL, sha256 BLOB NOT NULL, version VARCHAR, revision INTEGER NOT NULL,
  PRIMARY KEY (target, name));
CREATE TABLE intent (target INTEGER NOT NULL REFERENCES target(id), provenance VARCHAR NOT NULL,
  recorded VARCHAR NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (target, provenance));
INSERT INTO target VALUES (1, 'trial', 'https://one.test',
  'c6b3ae6d8cf1bb9a4bdd4d9f0a3ef7a1fbf1d0f3f3dc3e8ec3f1d7c2a6f3b1aa');
INSERT INTO sent VALUES (1, 'Patient/a', 'S01', 'dm', x'01', '7', 1);
"""


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """A state file of the program before it could pull."""
    place = tmp_path / "old.sqlite"
    connection = sqlite3.connect(place)
    connection.executescript(VERSION_1)
    connection.close()
    return place


def rows(place: Path, query: str) -> list[tuple[object, ...]]:
    """What stands in a file."""
    connection = sqlite3.connect(place)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("writer", [True, False])
def test_h121_an_older_file_is_upgraded_in_place_with_a_backup(version_1: Path, *, writer: bool) -> None:
    """What was sent is still known; the backup is of version 1."""
    with open_store(version_1, writer=writer) as store:
        assert ResultStore(store, "trial").current() == []
    assert rows(version_1, "SELECT value FROM about") == [("2",)]
    assert rows(version_1, "SELECT name FROM sent") == [("Patient/a",)]
    backup = version_1.with_name("old.sqlite.v1.bak")
    assert rows(backup, "SELECT value FROM about") == [("1",)]
    assert rows(backup, "SELECT name FROM sent") == [("Patient/a",)]


def test_h121_a_killed_upgrade_is_done_again(version_1: Path) -> None:
    """Half of the tables and half a backup are no obstacle."""
    connection = sqlite3.connect(version_1)
    connection.executescript(
        "CREATE TABLE patient (trial VARCHAR NOT NULL, place VARCHAR NOT NULL, name VARCHAR NOT NULL,"
        " subject VARCHAR NOT NULL, seen_last INTEGER NOT NULL, PRIMARY KEY (trial, place, name));"
    )
    connection.close()
    version_1.with_name("old.sqlite.v1.bak.part").write_bytes(b"half")
    with open_store(version_1, writer=True) as store:
        assert ResultStore(store, "trial").patients() == {}
    assert rows(version_1.with_name("old.sqlite.v1.bak"), "SELECT value FROM about") == [("1",)]


def test_an_upgrade_waits_for_the_writer(version_1: Path) -> None:
    """Whoever only reads does not change a file that is being written."""
    lock = sqlite3.connect(version_1.with_name("old.sqlite.lock"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Retriable):
            open_store(version_1, writer=False)
    finally:
        lock.close()
    assert rows(version_1, "SELECT value FROM about") == [("1",)]


def test_h121_a_newer_file_is_refused_and_not_touched(version_1: Path) -> None:
    """Not even a table is made."""
    connection = sqlite3.connect(version_1)
    connection.execute("UPDATE about SET value = '3'")
    connection.commit()
    connection.close()
    with pytest.raises(Fatal, match="version 3"):
        open_store(version_1, writer=True)
    tables = {name for (name,) in rows(version_1, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"about", "target", "sent", "intent"}


def test_a_new_file_has_no_backup(tmp_path: Path) -> None:
    """There was nothing to keep."""
    with open_store(tmp_path / "new.sqlite", writer=True) as store:
        assert Ledger(store, "trial", "https://one.test", uuid.UUID(int=1)).sent() == {}
    assert not list(tmp_path.glob("*.bak"))

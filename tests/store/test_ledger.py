"""What the ledger remembers, and what it refuses."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.issues import Fatal, Retriable
from fhir_adapter.store import Intent, IntentEntry, Ledger, Sent, open_store

NAMESPACE = uuid.UUID(int=1)
INTENT = Intent(
    "9d0c5c4f-0000-4000-8000-000000000001",
    "2026-11-23T10:00:00.000+00:00",
    (IntentEntry("Patient/a", "001", "dm", b"\x01" * 32, 1), IntentEntry("Device/d", None, "", b"\x02" * 32, 2)),
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the state is kept."""
    return tmp_path / "deep" / "state.sqlite"


@pytest.fixture
def ledger(state: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with open_store(state, writer=True) as store:
        yield Ledger(store, "trial", "https://fhir.test", NAMESPACE)


def test_an_intent_is_there_until_it_is_acknowledged(ledger: Ledger) -> None:
    """Then its writes are what was sent, with the versions of the server."""
    ledger.intend(INTENT)
    assert ledger.intents() == [INTENT]
    ledger.acknowledge(INTENT, {"Patient/a": "7"})
    assert ledger.intents() == []
    assert ledger.sent() == {
        "Patient/a": Sent("Patient/a", "001", "dm", b"\x01" * 32, "7", 1),
        "Device/d": Sent("Device/d", None, "", b"\x02" * 32, None, 2),
    }


def test_a_forgotten_intent_leaves_nothing(ledger: Ledger) -> None:
    """What did not take place is not remembered as sent."""
    ledger.intend(INTENT)
    ledger.forget(INTENT)
    assert (ledger.intents(), ledger.sent()) == ([], {})


def test_an_intent_survives_the_program(state: Path) -> None:
    """It is on the disk when `intend` returns."""
    with open_store(state, writer=True) as store:
        Ledger(store, "trial", "https://fhir.test", NAMESPACE).intend(INTENT)
    with open_store(state, writer=False) as store:
        assert Ledger(store, "trial", "https://fhir.test", NAMESPACE).intents() == [INTENT]


def test_the_same_intent_twice_is_one(ledger: Ledger) -> None:
    """A repeated transaction has the same Provenance."""
    ledger.intend(INTENT)
    ledger.intend(INTENT)
    assert ledger.intents() == [INTENT]


def test_a_later_write_replaces_the_earlier(ledger: Ledger) -> None:
    """The ledger knows the last state of each resource."""
    ledger.acknowledge(INTENT, {})
    later = Intent("other", INTENT.recorded, (IntentEntry("Patient/a", "001", "dm", b"\x03" * 32, 2),))
    ledger.acknowledge(later, {"Patient/a": "8"})
    assert ledger.sent()["Patient/a"] == Sent("Patient/a", "001", "dm", b"\x03" * 32, "8", 2)


def test_servers_and_trials_are_kept_apart(state: Path) -> None:
    """What was sent to one server says nothing of another."""
    with open_store(state, writer=True) as store:
        Ledger(store, "trial", "https://one.test", NAMESPACE).acknowledge(INTENT, {})
        assert Ledger(store, "trial", "https://two.test", NAMESPACE).sent() == {}
        assert Ledger(store, "other", "https://one.test", NAMESPACE).sent() == {}


def test_what_was_found_is_adopted(ledger: Ledger) -> None:
    """A lost ledger is filled again from the server."""
    found = Sent("Patient/a", "001", "dm", b"\x01" * 32, "7", 1)
    ledger.adopt([found])
    ledger.adopt([])
    assert ledger.sent() == {"Patient/a": found}


def test_only_one_may_write(state: Path) -> None:
    """A second writer is told to wait; a reader is let in; afterwards the next writer is."""
    with open_store(state, writer=True):
        with pytest.raises(Retriable, match="another run"):
            open_store(state, writer=True)
        open_store(state, writer=False).__exit__(None, None, None)
    open_store(state, writer=True).__exit__(None, None, None)


def test_a_state_of_another_version_is_refused(state: Path) -> None:
    """It is left as it is, and no lock stays behind."""
    open_store(state, writer=True).__exit__(None, None, None)
    connection = sqlite3.connect(state)
    connection.execute("UPDATE about SET value = '99'")
    connection.commit()
    connection.close()
    with pytest.raises(Fatal, match="version 99"):
        open_store(state, writer=True)
    with pytest.raises(Fatal, match="version 99"):
        open_store(state, writer=True)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    """A text file of that name is not overwritten."""
    path = tmp_path / "state.sqlite"
    path.write_text("notes of a nurse " * 100)
    with pytest.raises(Fatal, match="no database"):
        open_store(path, writer=False)
    assert path.read_text() == "notes of a nurse " * 100


def test_a_place_that_cannot_be_written_is_the_surroundings_failing(tmp_path: Path) -> None:
    """A folder that cannot be made: run again when it can."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Retriable, match="cannot be used"):
        open_store(tmp_path / "file" / "state.sqlite", writer=True)

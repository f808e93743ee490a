"""What the store promises: it survives, it takes writers in turn, and it keeps all of a transaction or none."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient

from fhir_adapter import fhirjson
from fhir_adapter.issues import Misconfigured
from fhir_adapter.sandbox import create_app, running
from fhir_adapter.sandbox.http import database_error
from fhir_adapter.sandbox.storage import Session, Store

Resource = dict[str, Any]
Make = Callable[..., Resource]

SERVE = """
import sys
from fhir_adapter.sandbox import serve
serve(database=sys.argv[1], announce=lambda base: print(base, flush=True))
"""


def opened(database: Path) -> TestClient:
    """A client of a sandbox on a file."""
    return TestClient(create_app(str(database)), base_url="http://testserver/fhir/")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "sandbox.db"


@pytest.fixture
def other_process(database: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own process on the same file, and its base."""
    command = [sys.executable, "-c", SERVE, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_file_survives_a_restart(database: Path, patient: Resource) -> None:
    """Versions, deletions and the index are there again."""
    with opened(database) as client:
        client.put("Patient/p1", json=patient)
        client.put("Patient/p1", json=patient | {"gender": "male"})
        client.put("Patient/p2", json=patient | {"id": "p2"})
        client.delete("Patient/p2")
    with opened(database) as client:
        assert client.get("Patient/p1").headers["ETag"] == 'W/"2"'
        assert client.get("Patient/p2").status_code == 410
        assert client.get("Patient?gender=male&identifier=urn:trial|S01").json()["total"] == 1


def test_memory_is_forgotten(patient: Resource) -> None:
    """Two sandboxes in memory share nothing."""
    with TestClient(create_app(), base_url="http://testserver/fhir/") as client:
        client.put("Patient/p1", json=patient)
    with TestClient(create_app(), base_url="http://testserver/fhir/") as client:
        assert client.get("Patient/p1").status_code == 404


@pytest.mark.parametrize("place", [":memory:", "file"])
def test_threads_writing_at_once_lose_nothing(
    tmp_path: Path, bundle: Make, post: Make, observation: Make, place: str
) -> None:
    """Transactions of several threads are done one after the other, and reads go on between them."""
    name = place if place == ":memory:" else str(tmp_path / place)
    with TestClient(create_app(name), base_url="http://testserver/fhir/") as client:
        content = bundle(*(post(observation()) for _ in range(20)))
        with ThreadPoolExecutor(8) as pool:
            written = [pool.submit(client.post, "", json=content) for _ in range(16)]
            read = [pool.submit(client.get, "Observation?code=2276-4&_summary=count") for _ in range(16)]
        totals = {task.result().json()["total"] for task in read}
        assert {task.result().status_code for task in written} == {200}
        assert {total % 20 for total in totals} == {0}
        assert client.get("Observation?_summary=count").json()["total"] == 320


def test_of_parallel_updates_with_one_tag_one_wins(database: Path, patient: Resource) -> None:
    """If-Match is compared and written in one step."""
    with opened(database) as client:
        client.put("Patient/p1", json=patient)
        with ThreadPoolExecutor(8) as pool:
            tasks = [
                pool.submit(
                    client.put, "Patient/p1", json=patient | {"birthDate": f"19{n}"}, headers={"If-Match": 'W/"1"'}
                )
                for n in range(50, 58)
            ]
        assert sorted(task.result().status_code for task in tasks) == [200] + [412] * 7


def test_two_processes_share_a_file(
    database: Path, patient: Resource, other_process: tuple[subprocess.Popen[str], str]
) -> None:
    """What one process wrote, the other finds, and they write at once without loss."""
    _, base = other_process
    with opened(database) as mine, _plain_client(base) as theirs:
        with ThreadPoolExecutor(4) as pool:
            tasks = [pool.submit(client.post, "Patient", json=patient) for client in [mine, theirs] * 20]
        assert {task.result().status_code for task in tasks} == {201}
        assert mine.get("Patient?identifier=S01&_summary=count").json()["total"] == 40
        assert theirs.get("Patient?identifier=S01&_summary=count").json()["total"] == 40


def test_a_killed_server_keeps_what_it_answered(
    database: Path, bundle: Make, post: Make, observation: Make, other_process: tuple[subprocess.Popen[str], str]
) -> None:
    """Killed in the middle of transactions: each answered one is there, and none is there in part."""
    process, base = other_process
    content = bundle(*(post(observation()) for _ in range(50)))
    answered: list[int] = []
    writer = threading.Thread(target=_write_until_broken, args=(base, content, answered))
    writer.start()
    threading.Event().wait(0.5)
    process.send_signal(signal.SIGKILL)
    writer.join()
    with opened(database) as client:
        total = client.get("Observation?code=2276-4&_summary=count").json()["total"]
    assert total % 50 == 0
    assert total // 50 in (len(answered), len(answered) + 1)
    assert len(answered) > 0


def test_half_a_request_does_nothing(database: Path, bundle: Make, post: Make, patient: Resource) -> None:
    """A client that dies while it sends leaves nothing behind."""
    body = fhirjson.dumps(bundle(post(patient)))
    with running(str(database)) as base:
        address = urlsplit(base)
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            head = f"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            connection.sendall(head + body[: len(body) // 2])
        with _plain_client(base) as client:
            assert client.get("_history").json()["total"] == 0


def test_a_failing_write_leaves_the_store_usable(database: Path, patient: Resource) -> None:
    """An error in the middle takes back what was written, and the next writer goes on."""
    store = Store(str(database))
    with pytest.raises(sqlite3.IntegrityError), store.writing() as session:
        _write_twice(session, patient)
    with store.writing() as session:
        assert session.current("Patient", "p1") is None
        session.write(patient, "p1", None, "PUT")
    with store.reading() as session:
        assert session.current("Patient", "p1") is not None
    store.close()


def test_an_index_of_another_table_is_made_anew(database: Path, patient: Resource) -> None:
    """A file of an older program is searched by today's parameters."""
    with opened(database) as client:
        client.put("Patient/p1", json=patient)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE about SET value = 'older'")
        connection.execute("DELETE FROM idx")
    connection.close()
    with opened(database) as client:
        assert client.get("Patient?identifier=S01").json()["total"] == 1


def test_a_locked_database_is_503(database: Path) -> None:
    """A writer that had to wait too long is told to try again; nothing was done."""
    with sqlite3.connect(database, isolation_level=None) as holder, sqlite3.connect(database, timeout=0) as waiting:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            waiting.execute("BEGIN IMMEDIATE")
    holder.close()
    waiting.close()
    error = database_error(locked.value)
    assert (error.status, error.headers) == (503, {"Retry-After": "1"})


def test_a_failing_disk_is_500_without_details() -> None:
    """Nothing but that nothing was done; the log has the rest."""
    error = database_error(sqlite3.OperationalError("disk I/O error"))
    assert (error.status, error.problems[0].code) == (500, "exception")


def test_a_file_of_a_newer_program_is_refused(database: Path) -> None:
    """What it holds may not be understood."""
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Misconfigured, match="newer sandbox"):
        create_app(str(database))


def test_a_file_that_is_no_database_is_refused(database: Path) -> None:
    """So is one in a folder that is not there."""
    database.write_text("a letter, not a database, and longer than a header of one would be " * 20)
    with pytest.raises(Misconfigured, match="cannot be used"):
        create_app(str(database))
    with pytest.raises(Misconfigured, match="cannot be used"):
        create_app(str(database.parent / "nowhere" / "x.db"))


def test_a_long_page_link_does_not_survive_a_restart(
    database: Path, bundle: Make, put: Make, observation: Make
) -> None:
    """A short link does; a long one is 410, and the client starts again."""
    wanted = ",".join(f"o{number}" for number in range(1000))
    with opened(database) as client:
        client.post("", json=bundle(*(put(observation(id=f"o{number}")) for number in range(60))))
        long = client.post("Observation/_search", data={"_id": wanted}).json()["link"][1]["url"]
        short = client.get("Observation?code=2276-4").json()["link"][1]["url"]
    with opened(database) as client:
        assert (client.get(long).status_code, client.get(short).status_code) == (410, 200)


def test_the_clock_set_back_makes_no_older_moment(database: Path, patient: Resource) -> None:
    """Moments never go back, so that a reader who keeps a mark misses nothing."""
    with opened(database) as client:
        client.put("Patient/p1", json=patient)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE version SET last_updated = 4000000000000")
    connection.close()
    with opened(database) as client:
        stored = client.post("Patient", json=patient).json()
    assert stored["meta"]["lastUpdated"] == "2096-10-02T07:06:40.000Z"


def _write_twice(session: Session, resource: Resource) -> None:
    session.write(resource, "p1", None, "PUT")
    session.write(resource, "p1", None, "PUT")


def _plain_client(base: str) -> httpx2.Client:
    return httpx2.Client(base_url=base + "/", trust_env=False, timeout=30)


def _write_until_broken(base: str, content: Resource, answered: list[int]) -> None:
    with _plain_client(base) as client:
        try:
            while True:
                answered.append(client.post("", json=content).raise_for_status().status_code)
        except httpx2.TransportError:
            return

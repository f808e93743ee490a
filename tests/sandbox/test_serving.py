"""How the sandbox is served: beside the caller, or in the foreground until a signal, with files put in before."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fhir_adapter.issues import Misconfigured, Rejected
from fhir_adapter.sandbox import running, serve

Resource = dict[str, Any]
Make = Callable[..., Resource]

SERVE = """
import sys
from pathlib import Path
from fhir_adapter.sandbox import serve
announce = lambda base: print(base, flush=True)
print("ended by", serve(load=[Path(name) for name in sys.argv[1:]], announce=announce), flush=True)
"""


def get(base: str, path: str) -> Resource:
    """What a GET answers."""
    answer: Resource = httpx2.get(f"{base}/{path}", trust_env=False).raise_for_status().json()
    return answer


def put(base: str, resource: Resource) -> int:
    """The status of storing a resource under its id."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return httpx2.put(url, json=resource, trust_env=False).status_code


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a server in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def starting(*files: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SERVE, *map(str, files)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield starting
    for process in started:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_running_serves_while_the_block_runs(patient: Resource) -> None:
    """It gives its base on a free port of the loopback address, and is gone afterwards."""
    with running() as base:
        assert base.startswith("http://127.0.0.1:")
        assert base.endswith("/fhir")
        assert put(base, patient) == 201
        assert get(base, "Patient?identifier=S01")["entry"][0]["fullUrl"] == f"{base}/Patient/p1"
    with pytest.raises(httpx2.ConnectError):
        get(base, "metadata")


def test_running_takes_quirks_and_a_file(tmp_path: Path, patient: Resource) -> None:
    """As create_app does."""
    with running(str(tmp_path / "x.db"), quirks=["no-create-on-update"]) as base:
        assert put(base, patient) == 405


def test_two_sandboxes_run_beside_each_other(patient: Resource) -> None:
    """A hospital's and a research server in one test."""
    with running() as hospital, running() as research:
        put(hospital, patient)
        assert get(research, "Patient")["total"] == 0


def test_a_taken_port_is_said() -> None:
    """What was asked for cannot be had, and 0 would be right."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Misconfigured, match="0 takes a free one"), running(port=taken.getsockname()[1]):
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(start: Callable[..., subprocess.Popen[str]], number: signal.Signals) -> None:
    """It announces its base, serves, and gives the signal's number to its caller."""
    process = start()
    base = line(process)
    assert get(base, "metadata")["fhirVersion"] == "4.0.1"
    process.send_signal(number)
    assert line(process) == f"ended by {int(number)}"
    assert process.wait(10) == 0


def test_files_are_there_when_it_listens(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], patient: Resource, observation: Make
) -> None:
    """NDJSON, a single resource and a Bundle; resources keep their ids, names in a Bundle are rewritten."""
    lines, single, collection = tmp_path / "a.ndjson", tmp_path / "b.json", tmp_path / "c.json"
    lines.write_text("\n".join(json.dumps(patient | {"id": f"p{number}"}) for number in range(1500)) + "\n\n")
    single.write_text(json.dumps({"resourceType": "Organization", "id": "site", "name": "Site"}))
    named = {"fullUrl": "urn:uuid:1", "resource": patient | {"id": "named"}}
    pointing = {"resource": observation(id="o1", subject={"reference": "urn:uuid:1"})}
    collection.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [named, pointing]}))
    base = line(start(lines, single, collection))
    assert get(base, "Patient?_summary=count")["total"] == 1501
    assert get(base, "Organization/site")["name"] == "Site"
    assert get(base, "Observation/o1")["subject"]["reference"] == "Patient/named"


def test_a_posted_bundle_in_a_file_is_done(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], patient: Resource, bundle: Make, post: Make
) -> None:
    """A transaction in a file is done as if a client had posted it."""
    file = tmp_path / "t.json"
    file.write_text(json.dumps(bundle(post(patient))))
    base = line(start(file))
    assert get(base, "Patient?identifier=S01")["total"] == 1


def test_a_file_that_cannot_be_stored_is_refused(tmp_path: Path, patient: Resource) -> None:
    """The issue names file, line and place, and the server does not start."""
    file = tmp_path / "bad.ndjson"
    file.write_text(json.dumps(patient) + "\n\n" + json.dumps(patient | {"id": "p2", "gender": "banana"}))
    with pytest.raises(Rejected) as error:
        serve(load=[file])
    (issue,) = error.value.issues
    assert (issue.where.file, issue.where.line, issue.where.expression) == (str(file), 3, "Patient.gender")


def test_a_batch_in_a_file_must_succeed_as_a_whole(tmp_path: Path, patient: Resource, bundle: Make, post: Make) -> None:
    """A server that lacks some of its data must not look as if it had all."""
    file = tmp_path / "batch.json"
    file.write_text(json.dumps(bundle(post(patient), post(patient | {"gender": "banana"}), type="batch")))
    with pytest.raises(Rejected) as error:
        serve(load=[file])
    assert [issue.where.expression for issue in error.value.issues] == ["Bundle.entry[1]"]


@pytest.mark.parametrize("content", ["{", "[1]", "7", '{"resourceType":"Patiant"}', '{"a":1}', '{"resourceType":[1]}'])
def test_a_file_without_resources_is_refused(tmp_path: Path, content: str) -> None:
    """What is no JSON or no resource is said."""
    file = tmp_path / "bad.json"
    file.write_text(content)
    with pytest.raises(Rejected, match=r"bad\.json"):
        serve(load=[file])


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(Misconfigured, match=r"none\.json: cannot be read"):
        serve(load=[tmp_path / "none.json"])


def test_importing_the_room_is_cheap() -> None:
    """Neither FastAPI nor uvicorn is loaded before a server is wanted."""
    program = "import sys, fhir_adapter.sandbox; print({'fastapi', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

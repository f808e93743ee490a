"""How `validate` ends when the surroundings are not as they should be, and what it never shows."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fhir_adapter.cli.exit_codes import PIPE_CLOSED
from tests.stories.commands import COMMAND, Person, surroundings, unmeasured

pytestmark = pytest.mark.measured_runs

CANARY = "Canary-Made-Up"
RIGHT = f'{{"resourceType":"Patient","id":"made-up","name":[{{"family":"{CANARY}"}}]}}'.encode()
WRONG = f"""{{"resourceType": "Patient", "birthDate": "{CANARY}", "gender": "{CANARY}",
  "deceasedBoolean": "{CANARY}", "name": [{{"family": 7, "given": ["{CANARY}"]}}, "{CANARY}"],
  "telecom": [{{"system": "{CANARY}", "value": "{CANARY}"}}], "contact": [{{"id": "{CANARY} {CANARY}"}}],
  "identifier": [{{"system": "{CANARY}", "value": "{CANARY}"}}], "managingOrganization": {{"reference": "{CANARY}"}},
  "maritalStatus": {{"coding": [{{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    "code": "M", "display": "{CANARY}"}}]}}
}}""".encode()


SOME_WRONG = b'{"resourceType":"Patient","gender":"odd"}\n' + b'{"resourceType":"Patient"}\n' * 9


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with one right resource and one wrong."""
    person = Person.at(tmp_path / "person")
    (person.home / "right.json").write_bytes(RIGHT)
    (person.home / "wrong.json").write_bytes(WRONG)
    return person


@contextmanager
def validating_server(status: int, outcome: object) -> Iterator[str]:
    """A server on this machine that answers every $validate so."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(outcome).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("form", ["table", "json", "outcome"])
def test_no_value_of_a_resource_is_shown(person: Person, form: str) -> None:
    """Whatever is wrong with it, in whatever form it is told."""
    run = person.runs("validate", "wrong.json", "--format", form)

    assert run.exit_code == 4
    assert CANARY not in run.out + run.err


def test_a_file_that_cannot_be_read_is_done_in_part(person: Person) -> None:
    """Exit code 3, and 5 where nothing else was read."""
    (person.home / "gone.json").symlink_to(person.home / "nowhere")

    part = person.runs("validate", ".", "right.json", "--format", "json")
    (person.home / "wrong.json").unlink()
    without_errors = person.runs("validate", ".", "--format", "json")
    (person.home / "right.json").unlink()
    nothing = person.runs("validate", ".", "--format", "json")

    assert (part.exit_code, without_errors.exit_code, nothing.exit_code) == (4, 3, 5)
    assert [one["code"] for one in nothing.set_aside] == ["file-unreadable"]
    assert "file-unreadable" in nothing.err


def test_an_engine_that_is_not_there_is_wrong_use(person: Person) -> None:
    """With how to get it, and how to do without."""
    run = person.runs("validate", "right.json", "--backend", "native,hl7", PATH="/nowhere")

    assert (run.exit_code, run.out) == (2, "")
    assert "leave `hl7` out of --backend" in run.err
    assert "build_hl7" in run.err


def test_a_server_is_asked_too_and_compared(person: Person) -> None:
    """Where one finds an error and the other does not, and no value in its words."""
    told = {"severity": "error", "code": "required", "diagnostics": f"{CANARY} is odd", "expression": ["Patient.link"]}
    with validating_server(200, {"resourceType": "OperationOutcome", "issue": [told]}) as base:
        options = ("--backend", "server,native", "--server", base)
        as_json = person.runs("validate", "right.json", "wrong.json", *options, "--format", "json")
        as_table = person.runs("validate", "right.json", "wrong.json", *options)

    comparison = as_json.report["comparison"]
    assert (as_json.exit_code, as_table.exit_code) == (4, 4)
    assert comparison["backends"] == ["native", "server"]
    assert (comparison["same_verdict"], comparison["other_verdict"]) == (1, 1)
    assert {"found_by": ["server"], "count": 2} in comparison["places"]
    assert "Where they differ" in as_table.out
    assert CANARY not in as_json.out + as_table.out + as_json.err + as_table.err


@pytest.mark.parametrize(
    ("status", "code", "words"), [(404, 2, "it does not validate"), (401, 5, "the token is missing")]
)
def test_a_server_that_cannot_be_asked_is_never_no_errors(person: Person, status: int, code: int, words: str) -> None:
    """One without $validate is wrong use; one that refuses us is of the surroundings."""
    with validating_server(status, {"resourceType": "OperationOutcome", "issue": []}) as base:
        run = person.runs("validate", "right.json", "--backend", "server", "--server", base)

    assert run.exit_code == code
    assert words in run.err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_signal_ends_it_quietly(person: Person, jobs: str) -> None:
    """With 143, one line, and no process left behind that holds its standard output."""
    (person.home / "many.ndjson").write_bytes(SOME_WRONG * 5_000)
    with subprocess.Popen(
        [*COMMAND, "validate", "many.ndjson", "--format", "json", "--jobs", jobs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=person.home,
        env=unmeasured(surroundings(person.home, PYTHONUNBUFFERED="1")),
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)

    assert process.returncode == 143
    assert said == b"fhir-adapter: stopped by a signal; it is safe to run again\n"


def test_a_reader_that_leaves_ends_it_quietly(person: Person) -> None:
    """As `| head` does: no words about it."""
    (person.home / "many.ndjson").write_bytes(b'{"resourceType":"Patient","gender":"odd"}\n' * 3_000)
    with subprocess.Popen(
        [*COMMAND, "validate", "many.ndjson", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=person.home,
        env=unmeasured(surroundings(person.home)),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()

    assert said == b""
    assert process.returncode == PIPE_CLOSED

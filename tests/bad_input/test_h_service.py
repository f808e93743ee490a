"""Group H of the bad-input list: signals during a push, the service's configuration, packages that are missing."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.bad_input.small_trial import SmallTrial
from tests.service.served import SEED, published, refused, secret_file, serve
from tests.stories.commands import COMMAND, Person, Pushing, Run, plan_of, surroundings
from tests.stories.export import Export
from tests.stories.fhir_server import Picture
from tests.stories.killing import (
    Undisturbed,
    bodies,
    ended,
    fresh,
    provenances_of,
    start_working,
    start_writing,
    undisturbed,
    written,
)
from tests.stories.ready import Process

# H 125: SIGTERM during a push


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """The export of three subjects."""
    return Export.of(tmp_path_factory.mktemp("three") / "export")


@pytest.fixture(scope="module")
def calm(three: Export, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The push of three subjects that nobody stops."""
    return undisturbed(tmp_path_factory.mktemp("calm"), three.folder)


DONE = (0, True)


def stopped(process: Process, number: int) -> int:
    """Send a signal to a push; gives its exit code."""
    process.send_signal(number)
    return ended(process, 60)


def assert_nothing_was_lost(pushing: Pushing, calm: Undisturbed) -> None:
    """One run more is complete, everything is there once and told once, and the run after that sends nothing."""
    last, again, picture = pushing.push(), pushing.push(), Picture.of(pushing.server)
    assert (last.exit_code, last.report["complete"], last.report["set_aside"]) == (0, True, [])
    assert bodies(picture) == bodies(calm.picture)
    assert set(picture.versions.values()) == {"1"}
    assert provenances_of(picture) == dict.fromkeys(calm.picture.records, 1)
    assert again.report["plan"] == plan_of(unchanged=len(calm.picture.records))
    assert (again.exit_code, again.report["requests"]) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_h125_a_push_that_is_stopped_twice(tmp_path: Path, three: Export, calm: Undisturbed, seed: int) -> None:
    """SIGTERM comes at any moment of a push and of the one that goes on: 143 (or it was done), and nothing is lost."""
    moments = random.Random(seed)
    with fresh(tmp_path, three.folder) as pushing:
        ends = set()
        for transactions in (1, 2):
            process = start_writing(pushing, transactions)
            time.sleep(moments.uniform(0, calm.seconds / 4))
            code = stopped(process, signal.SIGTERM)
            ends.add((code, written(pushing) == len(calm.picture.provenances)))
        assert ends <= {(143, False), (143, True), DONE}
        assert_nothing_was_lost(pushing, calm)


def test_h125_a_push_that_is_stopped_at_its_first_trace(tmp_path: Path, three: Export, calm: Undisturbed) -> None:
    """Before the first transaction: 143, and nothing stands half on the server."""
    with fresh(tmp_path, three.folder) as pushing:
        assert stopped(start_working(pushing), signal.SIGTERM) == 143
        assert_nothing_was_lost(pushing, calm)


@pytest.mark.parametrize("transactions", [1, 2, 3])
def test_h125_what_was_acknowledged_is_remembered(tmp_path: Path, three: Export, transactions: int) -> None:
    """The push after a stop sends what is missing; what already stands on the server keeps its version and moment."""
    with fresh(tmp_path, three.folder) as pushing:
        code = stopped(start_writing(pushing, transactions), signal.SIGTERM)
        before = Picture.of(pushing.server)
        assert pushing.push().exit_code == 0
        after = Picture.of(pushing.server)
        assert code in {143, 0}
        assert {reference: after.resources[reference] for reference in before.resources} == before.resources


def test_h125_an_impatient_person(tmp_path: Path, three: Export, calm: Undisturbed) -> None:
    """Several signals in a row, SIGINT among them: what the shell shows as a signal's code, and nothing is lost."""
    with fresh(tmp_path, three.folder) as pushing:
        process = start_writing(pushing)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
            time.sleep(0.01)
        assert ended(process, 60) in {130, 143, 0}
        assert_nothing_was_lost(pushing, calm)


def said_after(pushing: Pushing, *numbers: int) -> tuple[int, str, str]:
    """Start a push, send it signals once it has written something; gives its code and what it said."""
    with speaking(pushing) as process:
        until = time.monotonic() + 60
        while process.poll() is None and not written(pushing) and time.monotonic() < until:
            time.sleep(0.002)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.005)
        out, err = process.communicate(timeout=60)
        return process.returncode, out.decode(), err.decode()


@contextmanager
def speaking(pushing: Pushing) -> Iterator[subprocess.Popen[bytes]]:
    """A push that is listened to; killed at the end if it still runs, so that one failure stays one."""
    with subprocess.Popen(
        [*COMMAND, *map(str, pushing.arguments())],
        cwd=pushing.person.home,
        env=surroundings(pushing.person.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_h125_what_is_said(tmp_path: Path, three: Export) -> None:
    """One line that it is safe to run again: no traceback, and no half document on standard output."""
    with fresh(tmp_path, three.folder) as pushing:
        code, out, err = said_after(pushing, signal.SIGTERM)
    assert (code, out) == (143, ""), err
    assert "safe to run again" in err
    assert [word for word in ("Traceback", "a bug") if word in err] == []


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_h125_what_is_said_to_an_impatient_person(tmp_path: Path, three: Export, second: int) -> None:
    """A second signal while the first is being answered: no traceback either."""
    with fresh(tmp_path, three.folder) as pushing:
        code, out, err = said_after(pushing, signal.SIGTERM, second, second, second)
    assert code in {130, 143}
    assert out == ""
    assert [word for word in ("Traceback", "a bug") if word in err] == []


@contextmanager
def silent_server() -> Iterator[tuple[str, socket.socket]]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/fhir", listener


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_h125_a_server_that_does_not_answer(tmp_path: Path, three: Export, number: int, code: int) -> None:
    """Whoever waits for an answer can be stopped at once."""
    with silent_server() as (base, listener):
        pushing = Pushing(Person.at(tmp_path / "home"), base, tmp_path / "state.sqlite", three.folder)
        process = pushing.start()
        try:
            connection, _ = listener.accept()
            with connection:
                process.send_signal(number)
                assert process.wait(15) == code
        finally:
            process.kill()
            process.wait()


# H 126: the section `service` of the configuration

CONFIG = """\
# The service of the made-up trial.
format: json
service:
  host: 127.0.0.1
  port: 0
  token: canary-inline
  max_body_bytes: 1000000
  shutdown_seconds: 3
"""


def configured(person: Person, text: str, *options: str, **variables: str) -> Run:
    """Serve with a configuration of this text, which is wrong."""
    (person.home / "config.yaml").write_text(text, encoding="utf-8")
    return refused(person, "--config", "config.yaml", *options, **variables)


def assert_refused(run: Run, *named: str) -> None:
    """Exit 2, all that is named, and neither a bug nor a secret."""
    assert run.exit_code == 2
    assert [word for word in named if word not in run.err] == []
    assert [word for word in ("a bug", "Traceback", "canary", "service at") if word in run.err] == []


def line_of(text: str, start: str) -> int:
    """The line (from 1) that starts so."""
    return [line.strip().startswith(start) for line in text.splitlines()].index(True) + 1


def test_h126_the_section_as_it_should_be(person: Person) -> None:
    """The configuration that the others spoil: it serves, with its token."""
    (person.home / "config.yaml").write_text(CONFIG, encoding="utf-8")
    with serve(person, "--config", "config.yaml") as service:
        address = f"{service.base}/fhir/metadata"
        assert httpx2.get(address, timeout=30).status_code == 401
        header = {"Authorization": "Bearer canary-inline"}
        assert httpx2.get(address, headers=header, timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("shutdown_seconds: 3", "shutdown_second: 3", "shutdown_second"),
        ("max_body_bytes: 1000000", "max_body: 1000000", "max_body"),
        ("service:", "services:", "services"),
        ("token: canary-inline", "tokens: canary-inline", "tokens"),
        ("port: 0", "ports: 0", "ports"),
        ("host: 127.0.0.1", "Host: 127.0.0.1", "Host"),
    ],
)
def test_h126_an_unknown_key_of_the_service(person: Person, old: str, new: str, key: str) -> None:
    """A key that nobody reads: exit 2, with file, line and key."""
    text = CONFIG.replace(old, new)
    assert_refused(configured(person, text), f"config.yaml:{line_of(text, key)}", key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("port: 0", "port: http"),
        ("port: 0", "port: '8090'"),
        ("port: 0", "port: 65536"),
        ("port: 0", "port: -1"),
        ("port: 0", "port: 80.5"),
        ("port: 0", "port: true"),
        ("host: 127.0.0.1", "host: 127"),
        ("host: 127.0.0.1", "host: [127.0.0.1]"),
        ("host: 127.0.0.1", "host:"),
        ("max_body_bytes: 1000000", "max_body_bytes: 16 MiB"),
        ("max_body_bytes: 1000000", "max_body_bytes: 0"),
        ("max_body_bytes: 1000000", "max_body_bytes: -5"),
        ("shutdown_seconds: 3", "shutdown_seconds: soon"),
        ("shutdown_seconds: 3", "shutdown_seconds: -1"),
        ("shutdown_seconds: 3", "shutdown_seconds: 1.5"),
        ("token: canary-inline", "token: 4711"),
        ("token: canary-inline", "token: [canary-inline]"),
        ("token: canary-inline", "token: ''"),
        ("token: canary-inline", "token:"),
        ("token: canary-inline", "token_file: [token.txt]"),
        ("token: canary-inline", "token_environment: 7"),
    ],
)
def test_h126_a_wrong_type_in_the_service(person: Person, old: str, new: str) -> None:
    """A value of another type or outside its range: exit 2, with file and line."""
    text = CONFIG.replace(old, new)
    assert_refused(configured(person, text), f"config.yaml:{line_of(text, new.partition(':')[0])}")


@pytest.mark.parametrize("text", ["service: 8090\n", "service: []\n", "service: {port: 0, port: 1}\n", "service: [}\n"])
def test_h126_a_section_that_is_none(person: Person, text: str) -> None:
    """Not a mapping, a key twice, no YAML: exit 2, with file and line."""
    assert_refused(configured(person, text), "config.yaml:1")


def test_h126_the_services_token_twice(person: Person) -> None:
    """Inline and as a file: exit 2, with file and line; nobody guesses which is meant."""
    secret_file(person.home, "canary-file")
    text = CONFIG.replace("token: canary-inline", "token: canary-inline\n  token_file: token.txt")
    assert_refused(configured(person, text), f"config.yaml:{line_of(text, 'token_file')}", "token_file")


@pytest.mark.parametrize("variables", [{"FHIR_ADAPTER_SERVICE_TOKEN": "canary"}, {}])
def test_h126_the_services_token_twice_and_in_the_environment(person: Person, variables: dict[str, str]) -> None:
    """Two places of the file contradict each other whatever the environment holds."""
    secret_file(person.home, "canary-file")
    text = CONFIG.replace("token: canary-inline", "token: canary-inline\n  token_file: token.txt")
    assert_refused(configured(person, text, **variables), f"config.yaml:{line_of(text, 'token_file')}")


def test_h126_a_token_file_of_the_service_that_is_missing(person: Person) -> None:
    """Exit 2, with file, line and the name that was looked for."""
    text = CONFIG.replace("token: canary-inline", "token_file: not-there.txt")
    assert_refused(configured(person, text), f"config.yaml:{line_of(text, 'token_file')}", "not-there.txt")


@pytest.mark.parametrize("content", ["", "\n", " \t\n"])
def test_h126_a_token_file_of_the_service_that_is_empty(person: Person, content: str) -> None:
    """The same: an empty token would let everybody in."""
    (person.home / "token.txt").write_text(content, encoding="utf-8")
    text = CONFIG.replace("token: canary-inline", "token_file: token.txt")
    assert_refused(configured(person, text), f"config.yaml:{line_of(text, 'token_file')}", "token.txt", "empty")


@pytest.mark.parametrize("content", ["canary\none more", "canary\x7f", "canäry"])
def test_h126_a_token_file_of_the_service_that_holds_no_token(person: Person, content: str) -> None:
    """Nor one that cannot stand in a header."""
    (person.home / "token.txt").write_text(content, encoding="utf-8")
    text = CONFIG.replace("token: canary-inline", "token_file: token.txt")
    assert_refused(configured(person, text), f"config.yaml:{line_of(text, 'token_file')}")


@pytest.mark.parametrize("variables", [{}, {"SERVICE_SECRET": ""}])
def test_h126_a_token_of_the_service_that_is_not_in_the_environment(person: Person, variables: dict[str, str]) -> None:
    """A variable that is not set, or set to nothing: exit 2, with file, line and variable."""
    text = CONFIG.replace("token: canary-inline", "token_environment: SERVICE_SECRET")
    place = f"config.yaml:{line_of(text, 'token_environment')}"
    assert_refused(configured(person, text, **variables), place, "SERVICE_SECRET")


def test_h126_the_environment_stands_before_the_file(person: Person) -> None:
    """The variable's token is the one that opens; the file's does not."""
    (person.home / "config.yaml").write_text(CONFIG, encoding="utf-8")
    with serve(person, "--config", "config.yaml", FHIR_ADAPTER_SERVICE_TOKEN="canary-environment") as service:
        tokens = ("canary-environment", "canary-inline")
        headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
        answers = [httpx2.get(f"{service.base}/fhir/metadata", headers=one, timeout=30) for one in headers]
    assert [answer.status_code for answer in answers] == [200, 401]


@pytest.mark.parametrize("token", ["\t", "canäry", "canary\x1b[31m"])
def test_h126_a_wrong_token_in_the_environment(person: Person, token: str) -> None:
    """Exit 2, by the name of the variable."""
    run = refused(person, FHIR_ADAPTER_SERVICE_TOKEN=token)
    assert_refused(run, "FHIR_ADAPTER_SERVICE_TOKEN")


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "65536"),
        ("--port", "-1"),
        ("--port", "http"),
        ("--trial", "no-such-trial"),
        ("--server", "no-such-server"),
        ("--source", "no-such-folder"),
        ("--state", "postgresql://host/state"),
        ("--server", "http://canary-user:canary-word@127.0.0.1:1/fhir"),
    ],
)
def test_h126_an_option_that_is_wrong(person: Person, options: tuple[str, str]) -> None:
    """Exit 2 before it listens, with the option; nothing is repeated that may be a secret."""
    trial = () if "--trial" in options else ("--trial", str(SEED))
    run = refused(person, *trial, *options)
    assert_refused(run, options[0].removeprefix("--"))


# H 131: a package that is missing

BLOCKER = """\
import os, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        missing = os.environ["MISSING"].split()
        if name in missing or name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""

HOSPITAL = "hospital.ndjson"


@pytest.fixture
def without(river: SmallTrial) -> SmallTrial:
    """Somebody whose Python lacks what the variable MISSING names, beside the hospital's file."""
    (river.folder / "blocker").mkdir()
    (river.folder / "blocker" / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    (river.person.home / HOSPITAL).write_bytes(published("patients", "results"))
    return river


def run_without(river: SmallTrial, missing: str, *arguments: str | Path) -> Run:
    """Run a command where these packages are missing."""
    return river.person.runs(*arguments, PYTHONPATH=str(river.folder / "blocker"), MISSING=missing)


def test_h131_the_blocker_blocks(without: SmallTrial) -> None:
    """What the other tests rely on: Python itself no longer finds the package."""
    done = subprocess.run(
        [COMMAND[0], "-c", "import fastapi"],
        capture_output=True,
        check=False,
        env=surroundings(without.person.home, PYTHONPATH=str(without.folder / "blocker"), MISSING="fastapi"),
        timeout=60,
    )
    assert b"ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize(
    ("missing", "package", "arguments"),
    [
        ("fastapi", "fastapi", ("serve", "--port", "0")),
        ("uvicorn", "uvicorn", ("serve", "--port", "0")),
        ("starlette", "starlette", ("serve", "--port", "0")),
        ("prometheus_client", "prometheus-client", ("serve", "--port", "0")),
        ("jinja2", "jinja2", ("serve", "--port", "0", "--trial", str(SEED))),
        ("requests", "requests", ("init", "new-trial", "--from", "NCT00000102")),
        ("jinja2", "jinja2", ("report", "--trial", str(SEED), "--out", "report.html")),
        ("fastapi", "fastapi", ("sandbox", "--port", "0")),
        ("fastapi", "fastapi", ("demo",)),
        ("httpx2", "httpx2", ("push", "--trial", str(SEED), "--server", "http://127.0.0.1:1/fhir")),
    ],
)
def test_h131_a_package_that_is_missing(
    without: SmallTrial, missing: str, package: str, arguments: tuple[str, ...]
) -> None:
    """The last line says which package, and how to get it. Exit 2, no standard output, no bug, nothing half done."""
    run = run_without(without, missing, *arguments)
    line = run.err.splitlines()[-1]
    assert (run.exit_code, run.out) == (2, "")
    assert f"the package {package} is missing" in line
    assert f"pip install {package}" in line
    assert [word for word in ("a bug", "Traceback", "Error") if word in run.err] == []
    assert not (without.person.home / "new-trial").exists()
    assert not (without.person.home / "report.html").exists()


EXTRAS = "fastapi prometheus_client requests jinja2 uvicorn starlette"


def test_h131_the_rest_still_works(without: SmallTrial) -> None:
    """Help, map, pull, score and explain need none of them: all are missing."""
    state = without.person.home / "state.sqlite"
    named = ("--trial", SEED, "--state", state)
    runs = {
        "--help": run_without(without, EXTRAS, "--help"),
        "serve --help": run_without(without, EXTRAS, "serve", "--help"),
        "--version": run_without(without, EXTRAS, "--version"),
        "map": run_without(without, EXTRAS, "map", "--trial", without.trial),
        "pull": run_without(without, EXTRAS, "pull", *named, "--file", HOSPITAL),
        "score": run_without(without, EXTRAS, "score", *named),
        "score --input": run_without(without, EXTRAS, "score", "--input", HOSPITAL),
        "explain": run_without(without, EXTRAS, "explain", *named, "--subject", "S01"),
    }
    with_remarks = {"pull", "score --input"}
    codes = {name: run.exit_code for name, run in runs.items()}
    assert {name: code for name, code in codes.items() if code not in {0, 3 if name in with_remarks else 0}} == {}
    assert [name for name, run in runs.items() if "missing, and" in run.err] == []


def test_h131_the_report_needs_jinja_only(without: SmallTrial) -> None:
    """The page is written where the service's packages are missing."""
    missing = EXTRAS.replace("jinja2", "")
    named = ("--trial", SEED, "--state", without.person.home / "state.sqlite")
    run_without(without, missing, "pull", *named, "--file", HOSPITAL)
    run = run_without(without, missing, "report", *named, "--out", "report.html")
    assert run.exit_code == 0
    assert (without.person.home / "report.html").stat().st_size > 1000


def test_h131_the_service_needs_no_requests(without: SmallTrial) -> None:
    """It serves where the package for the registry is missing."""
    variables = {"PYTHONPATH": str(without.folder / "blocker"), "MISSING": "requests"}
    with serve(without.person, **variables) as service:
        assert httpx2.get(f"{service.base}/fhir/metadata", timeout=30).status_code == 200


def test_h131_an_error_of_our_own_is_no_missing_package(without: SmallTrial) -> None:
    """A module of the program itself that is not there is a bug: nobody is told to install a package of that name."""
    run = run_without(without, "fhir_adapter.scores", "score", "--input", HOSPITAL)
    assert run.exit_code == 1
    assert "a bug" in run.err
    assert "pip install" not in run.err

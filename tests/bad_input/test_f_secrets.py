"""Group F of the bad-input list: no secret leaves the place where a person put it, but to its server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import Run
from tests.stories.sandbox import running
from tests.stories.telling import free_port

TOKEN = "canary-token-3f9d1c"
USER, PASSWORD = "canary-user-77aa", "canary-password-b01e"
HEADER = "canary-header-5512"
SECRETS = (TOKEN, USER, PASSWORD, HEADER)

Traces = dict[str, list[str]]


@dataclass(frozen=True)
class Teapot:
    """A server that refuses everything, repeats in its refusal what it was sent, and remembers it."""

    port: int
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture(params=[401, 403, 500])
def teapot(request: pytest.FixtureRequest) -> Iterator[Teapot]:
    """A server that echoes the credentials it was given in the body of its refusal."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            seen.headers.append(dict(self.headers))
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = f"no entry with {self.headers.get('Authorization')} {self.headers.get('X-Api-Key')}".encode()
            self.send_response(request.param)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        seen = Teapot(server.server_address[1])
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield seen
        server.shutdown()
        serving.join()


def config(river: SmallTrial, base: str, auth: str = f"token: {TOKEN}") -> Path:
    """A configuration with a secret of every kind."""
    path = river.folder / "config.yaml"
    path.write_text(
        f"servers:\n  place:\n    base: {base}\n    test: true\n    timeout_seconds: 5\n"
        f"    auth:\n      {auth}\n    headers:\n      X-Api-Key: {HEADER}\n",
        encoding="utf-8",
    )
    return path


def push(river: SmallTrial, path: Path, *options: str, **variables: str) -> Run:
    """Push with as much said as can be said, everything written that can be written."""
    named = ("--trial", river.trial, "--server", "place", "--config", path, "--state", river.folder / "state.sqlite")
    return river.person.runs(
        "push", *named, "--plan", river.folder / "plan.json", "-v", "-v", "--format", "json", *options, **variables
    )


def traces(river: SmallTrial, run: Run) -> Traces:
    """Where each secret was found, but in the files where this test put it."""
    put = {river.folder / "config.yaml", river.folder / "token.txt"}
    files = [path for path in river.folder.rglob("*") if path.is_file() and path not in put]
    told = {"stdout": run.out.encode(), "stderr": run.err.encode()} | {path.name: path.read_bytes() for path in files}
    return {secret: [name for name, text in told.items() if secret.encode() in text] for secret in SECRETS}


NOWHERE: Traces = {secret: [] for secret in SECRETS}


def test_f103_secrets_of_a_push_that_succeeds(river: SmallTrial) -> None:
    """A token and a header are in no output, log, state or plan of a push that ends well."""
    with river.pushing() as pushing:
        run = push(river, config(river, pushing.server))
    assert run.exit_code == 0
    assert (river.folder / "plan.json").exists()
    assert traces(river, run) == NOWHERE


def test_f103_secrets_of_a_push_that_is_refused(river: SmallTrial, teapot: Teapot) -> None:
    """Nor when the server sends them back in its refusal; they did go to the server."""
    run = push(river, config(river, f"http://127.0.0.1:{teapot.port}/fhir"))
    first = teapot.headers[0]
    assert run.exit_code == 5
    assert (first.get("Authorization"), first.get("X-Api-Key")) == (f"Bearer {TOKEN}", HEADER)
    assert traces(river, run) == NOWHERE


def test_f103_secrets_of_a_push_to_nobody(river: SmallTrial) -> None:
    """Nor when nothing listens at the address."""
    run = push(river, config(river, f"http://127.0.0.1:{free_port()}/fhir"))
    assert run.exit_code == 5
    assert traces(river, run) == NOWHERE


@pytest.mark.parametrize("auth", ["token_file: token.txt", "token_environment: RIVER_TOKEN"])
def test_f103_secrets_from_a_file_or_the_environment(river: SmallTrial, teapot: Teapot, auth: str) -> None:
    """Nor when they come from a file or from the environment."""
    (river.folder / "token.txt").write_text(f"{TOKEN}\n", encoding="utf-8")
    run = push(river, config(river, f"http://127.0.0.1:{teapot.port}/fhir", auth), RIVER_TOKEN=TOKEN)
    assert teapot.headers[0].get("Authorization") == f"Bearer {TOKEN}"
    assert traces(river, run) == NOWHERE


@pytest.mark.parametrize("how", ["configuration", "option"])
def test_f103_user_and_password_in_an_address(river: SmallTrial, how: str) -> None:
    """Nor when they stand in the address itself, used or refused."""
    with river.pushing() as pushing:
        base = pushing.server.replace("http://", f"http://{USER}:{PASSWORD}@")
        server = {"configuration": "place", "option": base}[how]
        run = push(river, config(river, base), "--server", server)
    assert run.exit_code == 2
    assert traces(river, run) == NOWHERE


def test_f103_user_and_password_in_the_address_of_nobody(river: SmallTrial) -> None:
    """Nor in the error when nothing listens at such an address."""
    base = f"http://{USER}:{PASSWORD}@127.0.0.1:{free_port()}/fhir"
    run = push(river, config(river, base), "--server", base)
    assert run.exit_code in {2, 5}
    assert traces(river, run) == NOWHERE


def test_f103_user_and_password_of_a_proxy(river: SmallTrial) -> None:
    """Nor in the error when the proxy of a server cannot be reached."""
    path = config(river, "http://fhir.example/r4")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"    proxy: http://{USER}:{PASSWORD}@127.0.0.1:{free_port()}\n")
    run = push(river, path)
    assert run.exit_code in {2, 5}
    assert traces(river, run) == NOWHERE


@pytest.mark.parametrize("auth", [f"tokn: {TOKEN}", f"token: [{TOKEN}]", f"token: {TOKEN}\n      token: {TOKEN}"])
def test_f103_secrets_in_a_configuration_that_is_wrong(river: SmallTrial, auth: str) -> None:
    """Nor when a mistake in the configuration is shown."""
    run = push(river, config(river, "http://127.0.0.1:1/fhir", auth))
    assert run.exit_code == 2
    assert traces(river, run) == NOWHERE


def test_f103_the_id_namespace_of_a_trial(river: SmallTrial) -> None:
    """The secret that makes resource ids is shown nowhere either, right or wrong."""
    river.replace(
        "trial.yaml", "id_namespace: 5b0f3f9e-6c0a-4d0e-9b61-7a4f1f6a2c11", "id_namespace: {environment: RIVER_IDS}"
    )
    with river.pushing() as pushing:
        right = push(river, config(river, pushing.server), RIVER_IDS="5b0f3f9e-6c0a-4d0e-9b61-7a4f1f6a2c11")
        wrong = push(river, config(river, pushing.server), RIVER_IDS=TOKEN)
    assert (right.exit_code, wrong.exit_code) == (0, 2)
    assert "5b0f3f9e" not in right.out + right.err
    assert traces(river, wrong) == NOWHERE


SEED = "nct02569463"


def with_seed(river: SmallTrial, command: str, *options: str | Path) -> Run:
    """Run a command on the seed trial, with a configuration that holds secrets and as much said as can be said."""
    named = ("--trial", SEED, "--config", river.folder / "config.yaml", "--state", river.folder / "state.sqlite")
    return river.person.runs(command, *named, "-v", "-v", "--format", "json", *options)


@pytest.fixture
def gossip() -> Iterator[Teapot]:
    """A FHIR server that succeeds, and repeats the credentials in outcomes, links and ids of its answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.headers.append(dict(self.headers))
            told = f"{self.headers.get('Authorization')} {self.headers.get('X-Api-Key')}"
            outcome = {
                "resourceType": "OperationOutcome",
                "issue": [
                    {"severity": "warning", "code": "processing", "diagnostics": told, "details": {"text": told}}
                ],
            }
            link = {"relation": "self", "url": f"http://127.0.0.1:{seen.port}/fhir/Patient?token={TOKEN}&key={HEADER}"}
            entries = [{"resource": outcome, "search": {"mode": "outcome"}}]
            found = {"resourceType": "Bundle", "type": "searchset", "total": 0, "link": [link], "entry": entries}
            statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active"}
            body = json.dumps(statement if "metadata" in self.path else found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        seen = Teapot(server.server_address[1])
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield seen
        server.shutdown()
        serving.join()


def test_f103_secrets_of_a_pull_that_succeeds(river: SmallTrial) -> None:
    """A token and a header are in no output, log or state of a pull, nor in the scores and the page made after it."""
    with running() as base:
        config(river, base)
        pulled = with_seed(river, "pull", "--server", "place")
    after = [
        with_seed(river, "score"),
        with_seed(river, "explain", "--subject", "S01"),
        with_seed(river, "report", "--out", river.folder / "report.html"),
    ]
    assert pulled.report["requests"] > 0
    assert (river.folder / "report.html").exists()
    assert [traces(river, run) for run in (pulled, *after)] == [NOWHERE] * 4


def test_f103_secrets_of_a_pull_that_is_refused(river: SmallTrial, teapot: Teapot) -> None:
    """Nor when the server sends them back in its refusal."""
    config(river, f"http://127.0.0.1:{teapot.port}/fhir")
    run = with_seed(river, "pull", "--server", "place")
    first = teapot.headers[0]
    assert run.exit_code in {3, 5}
    assert (first.get("Authorization"), first.get("X-Api-Key")) == (f"Bearer {TOKEN}", HEADER)
    assert traces(river, run) == NOWHERE


def test_f103_secrets_in_the_words_of_a_server(river: SmallTrial, gossip: Teapot) -> None:
    """Nor when a server that answers well repeats them in what it has to say."""
    config(river, f"http://127.0.0.1:{gossip.port}/fhir")
    run = with_seed(river, "pull", "--server", "place")
    assert gossip.headers[-1].get("X-Api-Key") == HEADER
    assert "a bug" not in run.err
    assert traces(river, run) == NOWHERE


def test_f103_secrets_of_a_pull_from_nobody(river: SmallTrial) -> None:
    """Nor when nothing listens, with and without a user in the address."""
    config(river, f"http://127.0.0.1:{free_port()}/fhir")
    unheard = with_seed(river, "pull", "--server", "place")
    named = with_seed(river, "pull", "--server", f"http://{USER}:{PASSWORD}@127.0.0.1:{free_port()}/fhir")
    assert unheard.exit_code == 5
    assert named.exit_code in {2, 5}
    assert [traces(river, run) for run in (unheard, named)] == [NOWHERE] * 2


@pytest.mark.parametrize("command", ["pull", "score", "explain", "report"])
def test_f103_secrets_in_a_wrong_configuration_of_results(river: SmallTrial, command: str) -> None:
    """Nor when a mistake beside them is shown."""
    more: dict[str, tuple[str | Path, ...]] = {
        "pull": ("--server", "place"),
        "score": (),
        "explain": ("--subject", "S01"),
        "report": ("--out", river.folder / "report.html"),
    }
    config(river, f"http://{USER}:{PASSWORD}@127.0.0.1:1/fhir", f"tokn: {TOKEN}")
    run = with_seed(river, command, *more[command])
    assert run.exit_code == 2
    assert traces(river, run) == NOWHERE

"""`make lint` reads the container files: each way of weakening them is found, and told with what would be right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The container files, to be spoilt."""
    shutil.copytree(DOCKER, tmp_path / "docker", ignore=shutil.ignore_patterns("__pycache__", "secrets", ".env"))
    return tmp_path / "docker"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the check there as `make lint` runs it here."""
    command = [sys.executable, str(DOCKER / "check.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def weaken(path: Path, old: str, new: str) -> None:
    """Replace that text wherever it stands in the file, where it must stand."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} no longer says {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_files_pass_as_they_stand(copy: Path) -> None:
    """Without a weakening the check passes, with no secret and no .env there, so a failure below is the weakening's."""
    answer = check(copy)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("USER 10001:10001", "USER root", "DL3002"),
        ("USER 10001:10001", "USER adapter", "runs as adapter -> USER with numbers"),
        ("USER 10001:10001\n", "", "runs as root -> USER with numbers"),
        ("COPY mappings", "ADD mappings", "DL3020"),
        ("=python:3.13-slim\n", "=python\n", "the base 'python' is no ARG with an image and its tag"),
        ("=python:3.13-slim\n", "=python:latest\n", "the base 'python:latest' is no ARG"),
        ("=python:3.13-slim\n", f"=python:3.13-slim@sha256:{'0' * 64}\n", "no digest"),
        ("FROM ${PYTHON_IMAGE}\n", "FROM python:3.13\n", "the base 'python:3.13' is no ARG"),
        ("HEALTHCHECK", "HEALTHCHECK NONE\n# ", "no HEALTHCHECK"),
        ('ENTRYPOINT ["fhir-adapter"]', "ENTRYPOINT fhir-adapter", "DL3025"),
        ('ENTRYPOINT ["fhir-adapter"]', "", "no ENTRYPOINT"),
        (" --require-hashes", "", "no hash was checked"),
        ("RUN python -m pip uninstall", "RUN echo", "keeps the base image's pip"),
        ("USER 10001", "RUN apt-get install -y --no-install-recommends gcc=1\nUSER 10001", "the last stage installs"),
    ],
)
def test_a_weakened_dockerfile_is_found(copy: Path, old: str, new: str, told: str) -> None:
    """Each by a word of what is wrong."""
    weaken(copy / "Dockerfile", old, new)
    answer = check(copy)
    assert answer.returncode == 1
    assert told in answer.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("pids_limit: 100\n", "pids_limit: 100\n    privileged: true\n", "service adapter: CL-0002"),
        ("- 127.0.0.1:${ADAPTER_PORT", "- ${ADAPTER_PORT", "service adapter: port 8090 leaves the loopback address"),
        ("- 127.0.0.1:${HAPI_PORT", "- 0.0.0.0:${HAPI_PORT", "service hapi: port 8080 leaves the loopback address"),
        ("  cap_drop: [ALL]\n", "", "CL-0006"),
        ('  security_opt: ["no-new-privileges:true"]\n', "", "CL-0003"),
        ("  read_only: true\n  cap", "  cap", "CL-0007"),
        ("    mem_limit: 512m\n", "", "service adapter: CL-0026"),
        ("    cpus: 1\n", "", "service adapter: CL-0026"),
        ("    pids_limit: 100\n", "", "service adapter: it may start any number of processes"),
        ('    user: "10001:10001"\n', "", "service adapter: its user is 'the one of the image'"),
        ('    user: "70:70"\n', "    user: root\n", "service database: its user is 'root'"),
        ("database: {condition: service_healthy}", "database: {condition: service_helthy}", "condition value must be"),
        ("database: {condition: service_healthy}", "database: {condition: service_started}", "until database is well"),
        ("_PASSWORD_FILE: /run/secrets/postgres_password", "_PASSWORD: made-up", "service database: CL-0020"),
        ('postgres_password: {file: "${SECRETS_FOLDER:?copy .env.example to .env}/postgres_password"}',
         "postgres_password: {environment: PASSWORD}", "secret postgres_password: it is not read from a file"),
        ("test: [CMD, java, -cp, /app, HealthCheck]", "disable: true", "service hapi: nobody sees whether it is well"),
        ("networks: [storage]\n", "network_mode: host\n", "CL-0008"),
        ("- state:/var/lib/fhir-adapter", "- /var/run/docker.sock:/var/run/docker.sock", "CL-0001"),
        ("${HAPI_PORT:?", "${HAPI_DOOR:-1}${HAPI_PORT:?", "HAPI_DOOR is asked for but not stated"),
        ("    driver: json-file\n", "    driver: none\n", "CL-0014"),
    ],
)  # fmt: skip
def test_a_weakened_composition_is_found(copy: Path, old: str, new: str, told: str) -> None:
    """Each by the service and a word of what is wrong."""
    weaken(copy / "compose.yaml", old, new)
    answer = check(copy)
    assert answer.returncode == 1
    assert told in answer.stderr


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("postgres:17-alpine", "postgres:latest", "POSTGRES_IMAGE is 'postgres:latest'"),
        ("postgres:17-alpine", "postgres", "POSTGRES_IMAGE is 'postgres'"),
        ("postgres:17-alpine", f"postgres:17-alpine@sha256:{'0' * 64}", "digests are the operator's"),
        ("HAPI_PORT=8080\n", "", "HAPI_PORT is asked for but not stated"),
        ("HAPI_PORT=8080\n", "HAPI_PORT=8080\nHAPI_DOOR=1\n", "HAPI_DOOR is stated but never asked for"),
    ],
)
def test_weakened_settings_are_found(copy: Path, old: str, new: str, told: str) -> None:
    """Images by tag; every setting named in both places."""
    weaken(copy / ".env.example", old, new)
    answer = check(copy)
    assert answer.returncode == 1
    assert told in answer.stderr


def test_a_weakened_overlay_is_found(copy: Path) -> None:
    """The overlay is judged as Compose merges it, with the file named."""
    weaken(copy / "compose.test.yaml", "127.0.0.1::8080", "8080")
    answer = check(copy)
    assert answer.returncode == 1
    assert "compose.test.yaml: service hapi: port 8080 leaves the loopback address" in answer.stderr


def test_every_setting_of_the_example_is_explained() -> None:
    """Each block of settings stands below a comment."""
    blocks = (DOCKER / ".env.example").read_text(encoding="utf-8").strip().split("\n\n")
    assert [block for block in blocks if not block.startswith("#")] == []


def test_the_guide_makes_settings_and_secrets(copy: Path) -> None:
    """Its shell block, as it stands: two secrets that differ, in a folder only their owner enters."""
    page = (ROOT / "docs" / "how-to" / "containers.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (copy / "secrets").mkdir()
    subprocess.run(["/bin/sh", "-euc", block], cwd=copy.parent, check=True, timeout=30)
    password, token = copy / "secrets" / "postgres_password", copy / "secrets" / "service_token"
    assert len(password.read_text(encoding="utf-8").strip()) == 43
    assert password.read_bytes() != token.read_bytes()
    assert [oct(path.stat().st_mode & 0o777) for path in (copy / "secrets", password, token)] == [
        "0o700",
        *["0o440"] * 2,
    ]
    assert f"\nSECRETS_GROUP={os.getgid()}\n" in (copy / ".env").read_text(encoding="utf-8")


def test_make_lint_checks_the_container_files() -> None:
    """One line of the recipe."""
    assert "docker/check.py" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_no_secret_can_be_committed_or_sent_to_the_engine() -> None:
    """What holds secrets is ignored by git, and the build is sent only what is listed."""
    ignored = (DOCKER / ".gitignore").read_text(encoding="utf-8").splitlines()
    sent = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "secrets/*", "!secrets/README.md"} <= set(ignored)
    assert sent[1] == "*"
    assert [line for line in sent if "secret" in line or ".env" in line] == []


# What is installed


def pins(path: Path) -> dict[str, str]:
    """The pinned packages of a lock file, with their versions."""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.txt", "build-requirements.txt"])
def test_the_image_installs_what_the_tests_ran_with(name: str) -> None:
    """The image's lock files pin a part of the main one, at the same versions, with hashes and no host."""
    image = pins(DOCKER / name)
    assert image
    assert image.items() <= pins(ROOT / "requirements.txt").items()
    assert "--hash=sha256:" in (DOCKER / name).read_text(encoding="utf-8")
    assert "://" not in (DOCKER / name).read_text(encoding="utf-8")


def test_no_tool_of_the_developers_is_installed() -> None:
    """Neither tests nor linters nor what builds the wheel."""
    tools = {"pytest", "ruff", "mypy", "fhirpy", "hatchling", "coverage", "hypothesis", "respx", "httpx", "playwright"}
    assert tools & pins(DOCKER / "requirements.txt").keys() == set()


# The health check of the image


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server on a free loopback port that answers everything with this status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/health/ready"
        finally:
            server.shutdown()
            thread.join()


def is_healthy(url: str) -> subprocess.CompletedProcess[str]:
    """Run the health check as the engine does, with a proxy around that it must not ask."""
    command = [sys.executable, "-I", str(DOCKER / "healthcheck.py"), url]
    surroundings = {"http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False, timeout=30)


def test_a_ready_service_is_healthy() -> None:
    """200 is 0, and nothing is said."""
    with answering(200) as url:
        answer = is_healthy(url)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_service_that_is_not_ready_is_not_healthy() -> None:
    """503 is 1, with the status for the engine's log."""
    with answering(503) as url:
        answer = is_healthy(url)
    assert (answer.returncode, "it answers 503" in answer.stderr) == (1, True)


def test_no_service_is_not_healthy() -> None:
    """Nobody listening is 1, not a traceback."""
    with answering(200) as url:
        pass
    answer = is_healthy(url)
    assert answer.returncode == 1
    assert "no answer" in answer.stderr
    assert "Traceback" not in answer.stderr

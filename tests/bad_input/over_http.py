"""How does a test speak to the HTTP service? In process, or byte by byte; a canary in each request tells what leaks."""

from __future__ import annotations

import io
import logging
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from fhir_adapter.jobs.pull import PullOptions, pull
from fhir_adapter.service import create_app
from fhir_adapter.settings import Settings
from fhir_adapter.trial_folder import read_trial_folder, trial_path
from tests.stories.commands import COMMAND, surroundings

TRIAL = "nct02569463"
HOSPITAL = trial_path(TRIAL) / "hospital"
CANARY = "CANARY-Zhang"
"""A made-up name that stands in every request; no error and no log may hold it."""

FHIR = {"Content-Type": "application/fhir+json"}
SENT, CHECKED, KNOWN = "/fhir/Observation/$hscore", "/fhir/Observation/$validate", "/fhir/Patient/hp-a417/$hscore"

FERRITIN = (
    '{"resourceType":"Observation","id":"f1","status":"final",'
    '"code":{"coding":[{"system":"http://loinc.org","code":"2276-4"}],"text":"CANARY-Zhang"},'
    '"subject":{"reference":"Patient/hp-a417"},"effectiveDateTime":"2015-11-10T07:00:00+08:00",'
    '"valueQuantity":{"value":24560,"unit":"ng/mL","system":"http://unitsofmeasure.org","code":"ng/mL"}}'
)
AST = (
    FERRITIN.replace('"f1"', '"a1"').replace("2276-4", "1920-8").replace("24560", "900").replace("ng/mL", "U/L")
)  # 19 points
_CLIENTS = ("asyncio", "httpcore", "httpx")


def parameters(*observations: str, more: str = "") -> bytes:
    """Parameters with these Observations, and with more parameters as JSON behind them."""
    each = [f'{{"name":"observation","resource":{one}}}' for one in observations]
    return f'{{"resourceType":"Parameters","parameter":[{",".join([*each, *([more] if more else [])])}]}}'.encode()


def bundle(*resources: str) -> bytes:
    """A Bundle of these resources."""
    entries = ",".join(f'{{"resource":{one}}}' for one in resources)
    return f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}'.encode()


EVIDENCE = '{"name":"evidence","valueBoolean":true}'


def refused(answer: Any, status: int) -> list[dict[str, Any]]:
    """The issues of a refusal; fails when it has another status, is no OperationOutcome, or repeats the canary."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/fhir+json")
    return told_wrong(answer.json(), answer.text + str(answer.headers))


def told_wrong(outcome: Any, everything: str) -> list[dict[str, Any]]:
    """The issues of an OperationOutcome with an error."""
    assert "canary" not in everything.lower()
    assert outcome["resourceType"] == "OperationOutcome"
    issues: list[dict[str, Any]] = outcome["issue"]
    assert issues[0]["severity"] in {"error", "fatal"}
    assert all(issue["diagnostics"] for issue in issues)
    return issues


def refused_everywhere(service: TestClient, observation: str, status: int = 400) -> None:
    """Send an Observation in every way there is; each is a refusal with this status."""
    refused(service.post(SENT, content=parameters(observation), headers=FHIR), status)
    refused(service.post(SENT, content=bundle(AST, observation), headers=FHIR), status)
    refused(service.post(SENT, content=observation.encode(), headers=FHIR), status)
    refused(service.post(CHECKED, content=observation.encode(), headers=FHIR), status)
    refused(service.post(KNOWN, content=parameters(observation), headers=FHIR), status)


def points(answer: Any) -> dict[str, Any]:
    """The points of every item that has some, of the only score in an answer."""
    (score,) = scores(answer)
    known = (one for one in score["component"] if "valueQuantity" in one)
    return {one["code"]["coding"][0]["code"]: one["valueQuantity"]["value"] for one in known}


def scores(answer: Any) -> list[dict[str, Any]]:
    """The scores in an answer."""
    assert (answer.status_code, answer.json()["resourceType"]) == (200, "Bundle")
    resources = (entry["resource"] for entry in answer.json()["entry"])
    return [one for one in resources if one["resourceType"] == "Observation" and "component" in one]


def set_aside(answer: Any) -> list[dict[str, Any]]:
    """What an answer with scores says it could not use; without the canary."""
    resources = (entry["resource"] for entry in answer.json()["entry"])
    outcomes = [one for one in resources if one["resourceType"] == "OperationOutcome"]
    assert "canary" not in str(outcomes).lower()
    return [issue for outcome in outcomes for issue in outcome["issue"]]


def goes_on_without(service: TestClient, spoilt: str) -> list[dict[str, Any]]:
    """Send a spoilt result beside a good one: the good one counts, and what is said names the place of the other."""
    answer = service.post(SENT, content=bundle(spoilt, AST), headers=FHIR)
    found = points(answer)
    assert (found.get("ferritin"), found["ast"]) == (None, 19)
    issues = set_aside(answer)
    assert issues
    assert all(issue["expression"][0].startswith("Bundle.entry[0]") for issue in issues)
    return issues


def pulled(folder: Path, *results: str) -> Path:
    """A state in which the made-up hospital handed over its Patients and these results."""
    handed, state = folder / "results.ndjson", folder / "state.sqlite"
    handed.write_text((HOSPITAL / "patients.ndjson").read_text("utf-8") + "\n".join(results) + "\n", "utf-8")
    pull(read_trial_folder(trial_path(TRIAL)), None, state, PullOptions(file=handed))
    return state


def serving(state: Path, **service: Any) -> TestClient:
    """A client of the service over this state; an exception inside becomes the answer that a caller sees."""
    settings = Settings(defaults={"trial": TRIAL, "state": str(state)}, service_stated=service)
    return TestClient(create_app(settings), raise_server_exceptions=False)


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Everything that is logged in this process meanwhile, but by the client of the test."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.addFilter(lambda record: not record.name.startswith(_CLIENTS))
    heard = [logging.getLogger(), logging.getLogger("fhir_adapter")]
    levels = [logger.level for logger in heard]
    for logger in heard:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield told
    for logger, level in zip(heard, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@dataclass(frozen=True)
class Process:
    """The service in another process, as `serve` starts it, and what it says on standard error."""

    port: int
    said: Path

    def answers(self, request: bytes) -> bytes:
        """Send bytes as they are and read until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            line.sendall(request)
            return b"".join(iter(lambda: line.recv(65536), b""))

    def get(self, target: bytes) -> bytes:
        """The whole answer to a GET of this target, which nothing has tidied."""
        return self.answers(b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")


@contextmanager
def process(folder: Path, state: Path) -> Iterator[Process]:
    """Start `serve` on a free port, with as much said as can be said, and stop it at the end."""
    said = folder / "said.txt"
    arguments = ("serve", "--trial", TRIAL, "--state", state, "--port", "0", "-v", "-v")
    with said.open("wb") as errors:
        running = subprocess.Popen([*COMMAND, *map(str, arguments)], stderr=errors, env=surroundings(folder))
        try:
            yield Process(_port(said, running), said)
        finally:
            running.terminate()
            running.wait(timeout=60)


def _port(said: Path, running: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", said.read_text("utf-8")):
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError("the service does not listen")

"""Group G of the bad-input list: whom the HTTP service knows, what an address may not smuggle in, what errors say."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fhir_adapter.jobs.pull import PullOptions, pull
from tests.bad_input.over_http import (
    AST,
    CANARY,
    CHECKED,
    FERRITIN,
    FHIR,
    HOSPITAL,
    KNOWN,
    SENT,
    Process,
    listening,
    parameters,
    process,
    pulled,
    refused,
    serving,
    told_wrong,
)
from tests.intake.hospital import NOW, patient, result, trial, write_lines

OTHER_TRIAL, TREATED_ELSEWHERE = "hp-1", "hp-k233"
NOBODY = "hp-zzzz"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state of the served trial, and of another one, whose hospital knows its subject as Patient/hp-1."""
    folder = tmp_path_factory.mktemp("g-service")
    stranger = FERRITIN.replace("hp-a417", TREATED_ELSEWHERE).replace('"f1"', '"f9"')
    path = pulled(folder, *(HOSPITAL / "results.ndjson").read_text("utf-8").splitlines(), stranger)
    elsewhere = write_lines(folder / "elsewhere.ndjson", patient(OTHER_TRIAL), result("e1"))
    pull(trial(), None, path, PullOptions(file=elsewhere, subjects=1), now=NOW)
    return path


@pytest.fixture(scope="module")
def service(state: Path) -> TestClient:
    """The service in this process."""
    return serving(state)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, state: Path) -> Iterator[Process]:
    """The service in a process of its own; what it said until its end does not hold the canary either."""
    with process(tmp_path_factory.mktemp("serve"), state) as running:
        yield running
    assert "canary" not in running.said.read_text("utf-8").lower()


@pytest.fixture(autouse=True)
def _nothing_told(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No log and no output of any test here holds the canary."""
    with listening() as told:
        yield
    assert "canary" not in (told.getvalue() + "".join(capfd.readouterr())).lower()


def status_of(answer: bytes) -> int:
    """The status of a whole answer."""
    return int(answer.split(b" ", 2)[1])


def refused_raw(answer: bytes, status: int) -> None:
    """Fail when an answer is no OperationOutcome with this status, or repeats the canary in body or headers."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == status, answer[:300]
    assert b"content-type: application/fhir+json" in head.lower()
    told_wrong(json.loads(body), answer.decode("latin-1"))


def undated(answer: bytes) -> list[bytes]:
    """An answer line by line, without its Date."""
    return [line for line in answer.split(b"\r\n") if not line.lower().startswith(b"date:")]


@pytest.mark.parametrize("query", [b"", b"?window=baseline", b"?window=CANARY", b"?cutoff=100&evidence=true"])
@pytest.mark.parametrize("stranger", [OTHER_TRIAL, TREATED_ELSEWHERE, "hp-a41", "HP-A417", "S01", "HP0041732"])
def test_g113_whom_the_trial_does_not_know(serve: Process, stranger: str, query: bytes) -> None:
    """A Patient of another trial, of no trial, and nobody get the same bytes, whatever else is asked."""
    asked = b"/fhir/Patient/%b/$hscore" + query
    answer = serve.get(asked % stranger.encode())
    refused_raw(answer, 404)
    assert undated(answer) == undated(serve.get(asked % NOBODY.encode()))


@pytest.mark.parametrize("body", [b"", parameters(more='{"name":"window","valueString":"CANARY"}')])
@pytest.mark.parametrize("stranger", [OTHER_TRIAL, TREATED_ELSEWHERE])
def test_g113_whom_the_trial_does_not_know_by_post(service: TestClient, stranger: str, body: bytes) -> None:
    """The same for a POST."""
    answer = service.post(f"/fhir/Patient/{stranger}/$hscore", content=body, headers=FHIR)
    nobody = service.post(f"/fhir/Patient/{NOBODY}/$hscore", content=body, headers=FHIR)
    refused(answer, 404)
    assert (answer.content, answer.headers) == (nobody.content, nobody.headers)


def test_g113_whom_the_trial_knows(serve: Process) -> None:
    """A subject of the served trial is answered: the tests above ask the right address."""
    assert status_of(serve.get(b"/fhir/Patient/hp-a417/$hscore?window=baseline")) == 200


def test_g113_a_stranger_right_after_a_subject(serve: Process) -> None:
    """What was answered before, of another Patient, is not remembered for a stranger."""
    serve.get(b"/fhir/Patient/hp-a417/$hscore")
    refused_raw(serve.get(b"/fhir/Patient/hp-1/$hscore"), 404)


def test_g113_the_subject_of_the_other_trial(state: Path) -> None:
    """The result of the other trial's subject, of 2024-01-10, is not in the report; nobody at all is in the metrics."""
    service = serving(state)
    service.get(f"/fhir/Patient/{OTHER_TRIAL}/$hscore")
    service.get(KNOWN)
    measured = service.get("/metrics").text
    page = service.get("/report").text
    assert ("2015-11-10" in page, "2024-01-10" in page) == (True, False)
    assert [name for name in (OTHER_TRIAL, "hp-a417", "S01", CANARY) if name in measured] == []


INJECTED = [
    b"/fhir/Patient/..%2fCANARY/$hscore",
    b"/fhir/Patient/..%2FCANARY/$hscore",
    b"/fhir/Patient/..%5cCANARY/$hscore",
    b"/fhir/Patient/..\\CANARY/$hscore",
    b"/fhir/Patient/%2e%2e/CANARY/$hscore",
    b"/fhir/Patient/../CANARY/$hscore",
    b"/fhir/Patient/%252e%252e%252fCANARY/$hscore",
    b"/fhir/Patient/hp-a417;CANARY/$hscore",
    b"/fhir/Patient/hp-a417%3bCANARY/$hscore",
    b"/fhir/Patient/hp-a417/$hscore;CANARY=1",
    b"/fhir/Patient;CANARY/hp-a417/$hscore",
    b"/fhir/Patient/hp-a417%00CANARY/$hscore",
    b"/fhir/Patient/hp-a417%0d%0aX-CANARY:%201/$hscore",
    b"/fhir/Patient/hp-a417%0aCANARY/$hscore",
    b"/fhir/Patient/hp-a417%1b[31mCANARY/$hscore",
    b"/fhir/Patient/hp-a417%2f..%2fCANARY/$hscore",
    b"/fhir/Patient/hp-a417%20CANARY/$hscore",
    b"/fhir/Patient/hp-a417%23CANARY/$hscore",
    b"/fhir/Patient/hp-a417%3fCANARY/$hscore",
    b"/fhir/Patient/%ffCANARY/$hscore",
    b"/fhir/Patient/%zzCANARY/$hscore",
    b"/fhir/Patient/'%20OR%201=1--CANARY/$hscore",
    b"/fhir//Patient/hp-a417/$hscore",
    b"/fhir/Patient//$hscore",
    b"/fhir/Observation;CANARY/$validate",
    b"/fhir/..%2f..%2fetc%2fCANARY",
]


@pytest.mark.parametrize("target", INJECTED)
def test_g114_an_address_with_something_inside(serve: Process, target: bytes) -> None:
    """A way up, a parameter, a line end, a null byte, a control character in a path: 400, and nothing is repeated."""
    refused_raw(serve.get(target), 400)


@pytest.mark.parametrize(
    "query",
    [
        b"window=baseline%00CANARY",
        b"window=baseline%0d%0aX-CANARY:%201",
        b"window=baseline;CANARY=1",
        b"window=..%2f..%2fCANARY",
        b"window=%ffCANARY",
        b"window=baseline%1b[31mCANARY",
        b"window=baseline&window=CANARY",
        b"window[]=CANARY",
        b"window%00=CANARY",
        b"CANARY%0d%0a=1",
        b"cutoff=169%00CANARY",
        b"cutoff=169%0d%0aX-CANARY:%201",
        b"cutoff=169;CANARY=1",
        b"evidence=true%0aCANARY",
        b"&".join(b"CANARY%d=1" % number for number in range(2000)),
    ],
    ids=lambda query: query[:30].decode(),
)
def test_g114_a_query_with_something_inside(serve: Process, query: bytes) -> None:
    """The same in a query: 400, and nothing is repeated, neither in a header nor in the content."""
    refused_raw(serve.get(b"/fhir/Patient/hp-a417/$hscore?" + query), 400)


@pytest.mark.parametrize("name", ["baseline\\u0000CANARY", "baseline\\r\\nX-CANARY: 1", "../../CANARY", ""])
def test_g114_a_parameter_with_something_inside(service: TestClient, name: str) -> None:
    """A window in the content that no window can be is refused and not repeated."""
    body = parameters(more=f'{{"name":"window","valueString":"{name}"}}')
    answer = service.post(KNOWN, content=body, headers=FHIR)
    assert answer.status_code in {400, 422}
    refused(answer, answer.status_code)


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /fhir/Patient/hp-a417\x00CANARY/$hscore HTTP/1.1",
        b"GET /fhir/Patient/hp-a417 CANARY/$hscore HTTP/1.1",
        b"GET /fhir/Patient/\xffCANARY/$hscore HTTP/1.1",
        b"GET /fhir/Patient/hp-a417/$hscore\r\nX-CANARY: 1 HTTP/1.1",
        b"GET /fhir/metadata HTTP/1.1\r\nHost: CANARY.example",
        b"GET /fhir/metadata HTTP/1.1\r\nX-CANARY\x00: 1",
        b"POST /fhir/Observation/$hscore HTTP/1.1\r\nContent-Length: -1\r\nX-Canary: 1",
        b"POST /fhir/Observation/$hscore HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nX-Canary: 1",
    ],
)
def test_g114_a_request_that_is_no_http(serve: Process, request_line: bytes) -> None:
    """What is no HTTP is 400 before the service sees it; nothing is repeated, and the next caller is answered."""
    answer = serve.answers(request_line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 400
    assert b"canary" not in answer.lower()
    assert status_of(serve.get(b"/health/live")) == 200


@pytest.mark.parametrize("target", [b"/..%2f..%2fCANARY", b"/report%00CANARY", b"/report;CANARY", b"/%2e%2e/CANARY"])
def test_g114_an_address_elsewhere_with_something_inside(serve: Process, target: bytes) -> None:
    """Outside the FHIR paths too nothing is found and nothing is repeated."""
    answer = serve.get(target)
    assert status_of(answer) in {400, 404}
    assert b"canary" not in answer.lower()


@pytest.mark.parametrize(
    "target",
    [f"/fhir/{CANARY}", f"/fhir/Observation/{CANARY}", f"/fhir/OperationDefinition/{CANARY}", f"{KNOWN}/{CANARY}"],
)
def test_404_is_an_outcome(service: TestClient, target: str) -> None:
    """An address at which nothing is."""
    refused(service.get(target), 404)


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", SENT, {"POST"}),
        ("PUT", SENT, {"POST"}),
        ("GET", CHECKED, {"POST"}),
        ("DELETE", KNOWN, {"GET", "POST"}),
        ("PATCH", KNOWN, {"GET", "POST"}),
        ("POST", "/fhir/metadata", {"GET"}),
        ("CANARY", "/fhir/OperationDefinition/hscore", {"GET"}),
    ],
)
def test_405_is_an_outcome(service: TestClient, method: str, target: str, allowed: set[str]) -> None:
    """A method that an address does not answer; those that it does stand in Allow."""
    answer = service.request(method, target, content=FERRITIN.encode(), headers=FHIR)
    refused(answer, 405)
    assert allowed <= {one.strip() for one in answer.headers["allow"].split(",")}


@pytest.mark.parametrize("door", [SENT, CHECKED, KNOWN])
def test_413_is_an_outcome(state: Path, door: str) -> None:
    """More than the limit, said beforehand or not."""
    small = serving(state, max_body_bytes=600)
    body = parameters(FERRITIN, AST)
    refused(small.post(door, content=body, headers=FHIR), 413)
    refused(small.post(door, content=iter([body[:400], body[400:]]), headers=FHIR), 413)


def test_413_by_what_is_announced(serve: Process) -> None:
    """Nobody waits for content that is too long anyway."""
    head = b"POST /fhir/Observation/$hscore HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\n"
    refused_raw(serve.answers(head + b"Content-Length: 99999999999\r\nConnection: close\r\n\r\nCANARY"), 413)


@pytest.mark.parametrize("door", [SENT, CHECKED, KNOWN])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/fhir+xml", "application/x-www-form-urlencoded", f"{CANARY}/x", CANARY]
)
def test_415_is_an_outcome(service: TestClient, door: str, content_type: str) -> None:
    """Content that says it is something else than FHIR JSON."""
    body = parameters(FERRITIN) if door == SENT else FERRITIN.encode()
    refused(service.post(door, content=body, headers={"Content-Type": content_type}), 415)


def test_415_for_content_that_is_packed(service: TestClient) -> None:
    """Nothing is unpacked, so no small request becomes a large one."""
    headers = FHIR | {"Content-Encoding": "gzip"}
    refused(service.post(SENT, content=gzip.compress(parameters(FERRITIN)), headers=headers), 415)


def test_415_for_a_packing_nobody_knows(service: TestClient) -> None:
    """Its name is not repeated."""
    refused(service.post(SENT, content=parameters(FERRITIN), headers=FHIR | {"Content-Encoding": CANARY}), 415)


@pytest.mark.parametrize("accepted", ["application/fhir+xml", "text/html", f"{CANARY}/x"])
def test_406_is_an_outcome(service: TestClient, accepted: str) -> None:
    """Nothing but JSON is spoken."""
    refused(service.get(KNOWN, headers={"Accept": accepted}), 406)


@pytest.mark.parametrize("query", [f"window={CANARY}", "cutoff=338"])
def test_422_is_an_outcome(service: TestClient, query: str) -> None:
    """A window that the trial does not have, a cut-off that no score reaches."""
    refused(service.get(f"{KNOWN}?{query}"), 422)


def test_422_for_results_without_any_that_can_be_used(service: TestClient) -> None:
    """When every result is refused there is no score."""
    wrong = FERRITIN.replace('"final"', '"banana"')
    assert len(refused(service.post(SENT, content=parameters(wrong, wrong), headers=FHIR), 422)) == 2


EXPLODING = {
    SENT: "fhir_adapter.service.sent_scores.score_observations",
    KNOWN: "fhir_adapter.service.patient_scores.score_known",
    CHECKED: "fhir_adapter.service.validate.check",
}


def explodes(*_: Any, **__: Any) -> None:
    """Fail with an error that holds the canary, and was caused by one that does."""
    raise RuntimeError(f"no row for {CANARY}") from KeyError(CANARY)


@pytest.mark.parametrize("door", EXPLODING)
def test_500_is_an_outcome(state: Path, monkeypatch: pytest.MonkeyPatch, door: str) -> None:
    """An error of ours: an outcome that says nothing of whom it met, and a log that says where, not of whom."""
    monkeypatch.setattr(EXPLODING[door], explodes)
    body = parameters(more=f'{{"name":"cutoff","valueInteger":100,"id":"{CANARY}"}}') if door == KNOWN else FERRITIN
    with listening() as told:
        answer = serving(state).post(door, content=body, headers=FHIR)
    refused(answer, 500)
    assert told.getvalue()
    assert "canary" not in told.getvalue().lower()


def test_500_outside_the_fhir_paths(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a page that fails repeat it."""
    monkeypatch.setattr("fhir_adapter.service.pages.page_of", explodes)
    answer = serving(state).get("/report")
    assert answer.status_code == 500
    assert "canary" not in answer.text.lower()


def test_the_service_goes_on_after_a_500(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is nobody else's error: the same question is answered once its cause is gone."""
    service = serving(state)
    with monkeypatch.context() as broken:
        broken.setattr(EXPLODING[KNOWN], explodes)
        assert service.get(KNOWN).status_code == 500
    assert service.get(KNOWN).status_code == 200

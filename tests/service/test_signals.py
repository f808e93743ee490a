"""What does a signal do to the service? Nothing to what is under way; no new call is taken; the exit code names it."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

import httpx2
import pytest

from tests.service.served import (
    FHIR_JSON,
    SEED,
    Service,
    Slowly,
    bounds_of,
    bundle_of,
    many_results,
    observations,
    refuses_connections_soon,
    secret_file,
    serve,
    serve_from_the_start,
)
from tests.stories.commands import Person

SENT = "/fhir/Observation/$hscore"
SCORE = "/fhir/Patient/hp-a417/$hscore"
BODY = json.dumps(bundle_of(observations("hp-a417", 20))).encode()
HALF = len(BODY) // 2


@pytest.fixture
def service(person: Person) -> Iterator[Service]:
    """The service, as it is without any configuration."""
    with serve(person) as started:
        yield started


def configured(person: Person, seconds: int) -> Path:
    """A configuration with so many seconds to end in, and room for the large Bundles."""
    path = person.home / "config.yaml"
    path.write_text(f"service:\n  shutdown_seconds: {seconds}\n  max_body_bytes: 64000000\n", encoding="utf-8")
    return path


def post(base: str, content: bytes) -> httpx2.Response:
    """Send results to be scored."""
    return httpx2.post(f"{base}{SENT}", content=content, headers=FHIR_JSON, timeout=60)


def is_whole(answer: tuple[int, bytes]) -> bool:
    """True for 200 with a Bundle that holds a score."""
    return answer[0] == 200 and "all" in bounds_of(json.loads(answer[1]))


@pytest.mark.measured_runs
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_nothing_is_under_way(service: Service, number: int, code: int) -> None:
    """It ends at once, and its exit code names the signal."""
    assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200
    assert service.signalled(number, within=30) == code
    assert "Traceback" not in service.err
    assert "a bug" not in service.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_half_sent_requests_are_finished(service: Service, number: int, code: int) -> None:
    """Three requests are half sent when the signal comes: nobody new gets in, they are answered whole, then it ends."""
    begun = [Slowly.begun(service.address, SENT, BODY, HALF) for _ in range(3)]
    assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200  # all have been taken
    service.process.send_signal(number)
    assert refuses_connections_soon(service.address)
    assert service.process.poll() is None
    for one in begun:
        one.goes_on(BODY[HALF:])
    assert [is_whole(one.answered()) for one in begun] == [True] * 3
    assert service.ended(within=30) == code


def test_scores_that_are_being_computed_are_finished(person: Person) -> None:
    """Two large Bundles are being scored when the signal comes: both answers are whole."""
    content = many_results(2500)
    with serve(person, "--config", configured(person, 30)) as service, ThreadPoolExecutor(2) as callers:
        calls = [callers.submit(post, service.base, content) for _ in range(2)]
        until_it_works(service)
        code = service.signalled(signal.SIGTERM)
        answers = [call.result() for call in calls]
    assert [is_whole((one.status_code, one.content)) for one in answers] == [True] * 2
    assert code == 143


def until_it_works(service: Service) -> None:
    """Wait until the process has been busy for a while: the sent results have arrived and are being read."""
    stat = Path(f"/proc/{service.process.pid}/stat")
    before = ticks(stat)
    until = time.monotonic() + 20
    while ticks(stat) < before + 30 and time.monotonic() < until:
        time.sleep(0.01)


def ticks(stat: Path) -> int:
    """How long a process has worked, in hundredths of a second."""
    return int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[11])


def test_scores_from_the_store_are_finished(person: Person, state: Path) -> None:
    """Calls about patients come in all the time: each that was taken is answered whole, and the exit code is 143."""
    answers: Queue[httpx2.Response] = Queue()
    with serve(person, "--trial", SEED, "--state", state) as service, ThreadPoolExecutor(4) as callers:
        url = f"{service.base}{SCORE}"
        calls = [callers.submit(get_until_refused, url, answers) for _ in range(4)]
        before = [answers.get(timeout=60) for _ in range(8)]
        code = service.signalled(signal.SIGTERM, within=30)
        for call in calls:
            call.result()
    assert code == 143
    everything = [*before, *answers.queue]
    assert {answer.status_code for answer in everything} == {200}
    assert len({answer.content for answer in everything}) == 1


def get_until_refused(url: str, answers: Queue[httpx2.Response]) -> None:
    """Get it over a new connection each time, until nobody listens; half an answer is an error of the test."""
    while True:
        try:
            answers.put(httpx2.get(url, timeout=30))
        except httpx2.ConnectError:
            return
        except httpx2.ReadError:  # accepted by the system, never taken by the service
            return
        except httpx2.RemoteProtocolError as error:
            if "without sending a response" in str(error):  # the same, a moment later
                return
            raise


def test_the_last_answer_says_that_the_connection_ends(service: Service) -> None:
    """A client that keeps its connection learns not to send more over it."""
    begun = Slowly.begun(service.address, SENT, BODY, HALF, "Connection: keep-alive")
    assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200  # the other has been taken
    assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200  # it has been taken
    service.process.send_signal(signal.SIGTERM)
    assert refuses_connections_soon(service.address)
    begun.goes_on(BODY[HALF:])
    assert is_whole(begun.answered())
    assert service.ended(within=30) == 143


def test_idle_connections_keep_nobody_waiting(service: Service) -> None:
    """One that was used and kept, one that said nothing, one with half a head: it ends at once all the same."""
    with ExitStack() as kept:
        client = kept.enter_context(httpx2.Client(base_url=service.base, timeout=30))
        assert client.get("/health/live").status_code == 200
        for said in (b"", b"GET /health/li", b"POST /fhir/Observation/$hscore HTTP/1.1\r\nHost: localhost\r\n"):
            silent = kept.enter_context(socket.create_connection(service.address, timeout=30))
            silent.sendall(said)
        assert client.get("/health/live").status_code == 200
        assert service.signalled(signal.SIGTERM, within=30) == 143


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_request_that_never_ends_is_cut(person: Person, number: int, code: int) -> None:
    """After `shutdown_seconds` nobody waits for it any more, and the process ends with its code."""
    with serve(person, "--config", configured(person, 1)) as service:
        with Slowly.begun(service.address, SENT, BODY, HALF):
            assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200
            began = time.monotonic()
            assert service.signalled(number, within=60) == code
        assert 0.9 <= time.monotonic() - began < 25


def test_what_is_said_of_a_request_that_is_cut(person: Person) -> None:
    """Its client gets an OperationOutcome or nothing; the log is no traceback, for nobody made a mistake."""
    with serve(person, "--config", configured(person, 1)) as service:
        never = Slowly.begun(service.address, SENT, BODY, HALF)
        assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200
        assert service.signalled(signal.SIGTERM, within=60) == 143
        status, body = never.answered()
    assert (status, b"OperationOutcome" in body) in {(0, False), (408, True), (500, True), (503, True)}
    assert "Traceback" not in service.err


def test_one_that_never_ends_costs_the_others_nothing(person: Person) -> None:
    """Beside it, one that goes on within the time is answered whole."""
    with ExitStack() as opened, serve(person, "--config", configured(person, 4)) as service:
        opened.enter_context(Slowly.begun(service.address, SENT, BODY, HALF))
        other = Slowly.begun(service.address, SENT, BODY, HALF)
        assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert refuses_connections_soon(service.address)
        other.goes_on(BODY[HALF:])
        assert is_whole(other.answered())
        assert service.ended(within=60) == 143


def test_a_long_score_is_cut(person: Person) -> None:
    """A Bundle that takes longer than `shutdown_seconds` to score does not keep the process for ever."""
    content = many_results(6000)
    with serve(person, "--config", configured(person, 1)) as service, ThreadPoolExecutor(1) as callers:
        call = callers.submit(cut_or_answered, service.base, content)
        until_it_works(service)
        assert service.signalled(signal.SIGTERM, within=60) == 143
        assert call.result() in {0, 200, 500, 503}
    assert "a bug" not in service.err


def cut_or_answered(base: str, content: bytes) -> int:
    """The status, or 0 when the connection was cut."""
    try:
        return post(base, content).status_code
    except httpx2.TransportError:
        return 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal(person: Person, second: int) -> None:
    """Whoever asks twice is not called a bug; the exit code is that of a signal."""
    with ExitStack() as opened, serve(person, "--config", configured(person, 3)) as service:
        opened.enter_context(Slowly.begun(service.address, SENT, BODY, HALF))
        assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert refuses_connections_soon(service.address)
        assert service.signalled(second, within=60) in {130, 143}
    assert "a bug" not in service.err


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.25, 0.5])
def test_a_signal_before_it_listens(person: Person, state: Path, moment: float) -> None:
    """At any moment of the start: no traceback, and the exit code of a signal."""
    with serve_from_the_start(person, "--trial", SEED, "--state", state) as service:
        time.sleep(0.15 + moment)
        assert service.signalled(signal.SIGTERM, within=60) in {-signal.SIGTERM, 143}
    assert "Traceback" not in service.err
    assert "a bug" not in service.err


def test_the_port_is_free_at_once(person: Person) -> None:
    """The next service can take the same port, though connections were open at the end."""
    with serve(person) as first:
        port = first.address[1]
        assert httpx2.get(f"{first.base}/health/live", timeout=30).status_code == 200
        assert first.signalled(signal.SIGTERM, within=30) == 143
    with serve(person, "--port", str(port)) as second:
        assert second.address[1] == port
        assert httpx2.get(f"{second.base}/health/live", timeout=30).status_code == 200


def test_health_until_the_end(person: Person) -> None:
    """The connection that a request keeps open is not used for another one after the signal."""
    with serve(person, "--token-file", secret_file(person.home, "canary")) as service:
        begun = Slowly.begun(service.address, SENT, BODY, HALF, "Authorization: Bearer canary")
        assert httpx2.get(f"{service.base}/health/live", timeout=30).status_code == 200  # the other has been taken
        service.process.send_signal(signal.SIGTERM)
        assert refuses_connections_soon(service.address)
        begun.goes_on(BODY[HALF:] + b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, body = begun.answered()
        assert is_whole((status, body))
        assert service.ended(within=30) == 143

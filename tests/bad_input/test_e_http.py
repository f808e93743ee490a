"""Group E of the bad-input list: what the client does with an answer that is no FHIR."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import Pushing, Run

LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>"


@dataclass(frozen=True)
class LoginPage:
    """A server that answers everything with a login page and status 200, and remembers what it was asked."""

    base: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture(params=["text/html; charset=utf-8", "application/fhir+json"])
def login_page(request: pytest.FixtureRequest) -> Iterator[LoginPage]:
    """A login page where a FHIR server should be; the second one even lies about its type."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            page.asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", request.param)
            self.send_header("Content-Length", str(len(LOGIN)))
            self.end_headers()
            self.wfile.write(LOGIN)

        do_GET = do_POST = do_PUT = do_HEAD = do_OPTIONS = answer  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        page = LoginPage(f"http://127.0.0.1:{server.server_address[1]}/fhir")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield page
        server.shutdown()
        serving.join()


@pytest.fixture
def pushed(river: SmallTrial, login_page: LoginPage) -> Run:
    """What a push to the login page says."""
    return Pushing(river.person, login_page.base, river.folder / "state.sqlite", trial=river.trial).push()


def test_e81_a_login_page_is_not_fhir(pushed: Run, login_page: LoginPage) -> None:
    """An HTML page with status 200: exit 5, the words "not FHIR", the address, and no traceback."""
    assert pushed.exit_code == 5
    assert "not fhir" in pushed.err.lower()
    assert login_page.base in pushed.err
    assert "a bug" not in pushed.err


def test_e81_a_login_page_is_not_asked_again_and_again(pushed: Run, login_page: LoginPage) -> None:
    """Asking again does not turn a page into FHIR: at most two requests, and none that writes."""
    assert pushed.exit_code == 5
    assert len(login_page.asked) == 1
    assert [request for request in login_page.asked if not request.startswith("GET ")] == []

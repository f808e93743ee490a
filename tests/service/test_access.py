"""Who may call the service? On a loopback address everybody here; from elsewhere whoever has the token."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fhir_adapter.client import Secret
from fhir_adapter.service import create_app
from fhir_adapter.settings import ServiceSettings, Settings
from tests.service.served import FHIR_JSON, calling, refused, secret_file, serve
from tests.stories.commands import Person, Run

TOKEN = "canary-token-81d2"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - every test of it needs the token, or is refused
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SCORE = "/fhir/Patient/hp-a417/$hscore"
BELOW_FHIR = (SCORE, "/fhir/metadata", "/fhir/OperationDefinition/hscore", "/fhir/Patient/hp-a417", "/fhir", "/fhir/")
PAGES = ("/", "/report")
OTHERS = ("/metrics", "/openapi.json", "/nothing", "/docs")


@pytest.fixture(scope="module")
def seed_settings(pulled: Path) -> Settings:
    """The seed trial with the hospital's first results."""
    return Settings(defaults={"trial": "nct02569463", "state": str(pulled)})


@pytest.fixture(scope="module")
def client(seed_settings: Settings) -> Iterator[httpx2.Client]:
    """A client of a service that asks for no token."""
    with calling(create_app(seed_settings)) as opened:
        yield opened


@pytest.fixture(scope="module")
def guarded(seed_settings: Settings) -> Iterator[httpx2.Client]:
    """A client of a service that asks for a token; the client shows none by itself."""
    with calling(create_app(seed_settings, ServiceSettings(token=Secret(TOKEN)))) as opened:
        yield opened


def basic(password: str, user: str = "anyone") -> dict[str, str]:
    """What a browser sends after its dialogue."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.0.2.1"])
def test_another_address_needs_a_token(person: Person, host: str) -> None:
    """Exit 2 before anything listens, with what to do about it."""
    run = refused(person, "--host", host)
    assert run.exit_code == 2
    assert "token" in run.err
    assert "FHIR_ADAPTER_SERVICE_TOKEN" in run.err or "--token-file" in run.err
    assert "service at" not in run.err


@pytest.mark.parametrize("host", [EVERYWHERE, "fhir.invalid", "", "127.0.0.1 "])
def test_another_address_in_the_configuration_needs_a_token(person: Person, host: str) -> None:
    """There, and by the variable, too; a name that is no address is refused as well."""
    (person.home / "config.yaml").write_text(f"service:\n  host: '{host}'\n  port: 0\n", encoding="utf-8")
    stated = refused(person, "--config", "config.yaml")
    by_variable = refused(person, FHIR_ADAPTER_SERVE_HOST=host or EVERYWHERE)
    assert [(run.exit_code, "service at" in run.err, "a bug" in run.err) for run in (stated, by_variable)] == [
        (2, False, False)
    ] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_a_loopback_address_needs_none(person: Person, host: str) -> None:
    """The whole of 127.0.0.0/8, ::1 and the name of both; and it answers at the address it announced."""
    with serve(person, "--host", host) as service:
        assert httpx2.get(f"{service.base}/fhir/metadata", timeout=30).status_code == 200


def test_another_address_with_a_token(person: Person) -> None:
    """With a token from a file it listens on all addresses, and asks for it."""
    with serve(person, "--host", EVERYWHERE, "--token-file", secret_file(person.home, TOKEN)) as service:
        address = f"http://127.0.0.1:{service.address[1]}/fhir/metadata"
        assert httpx2.get(address, timeout=30).status_code == 401
        assert httpx2.get(address, headers=BEARER, timeout=30).status_code == 200


def test_another_address_with_a_token_of_the_environment(person: Person) -> None:
    """Or from the environment."""
    with serve(person, "--host", EVERYWHERE, FHIR_ADAPTER_SERVICE_TOKEN=TOKEN) as service:
        address = f"http://127.0.0.1:{service.address[1]}/fhir/metadata"
        assert httpx2.get(address, timeout=30).status_code == 401
        assert httpx2.get(address, headers=BEARER, timeout=30).status_code == 200


@pytest.mark.parametrize("path", BELOW_FHIR)
def test_below_fhir_no_token_is_an_operation_outcome(guarded: httpx2.Client, path: str) -> None:
    """401, how to come in, and an OperationOutcome: whether the address exists or not."""
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/fhir+json")
    assert answer.headers["www-authenticate"].lower().startswith("bearer")
    assert (answer.json()["resourceType"], answer.json()["issue"][0]["code"]) == ("OperationOutcome", "login")


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
def test_elsewhere_no_token_is_401(guarded: httpx2.Client, path: str) -> None:
    """With how to come in; nothing of the trial."""
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    assert "nct02569463" not in answer.text
    assert "S01" not in answer.text


def test_no_token_and_a_body(guarded: httpx2.Client) -> None:
    """The token comes first: what is sent is not looked at."""
    answer = guarded.post("/fhir/Observation/$hscore", content=b"{", headers=FHIR_JSON)
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_open(guarded: httpx2.Client, path: str) -> None:
    """Those who watch need no token, and learn no path and nothing of a subject."""
    answer = guarded.get(path)
    assert answer.status_code == 200
    assert "/" not in answer.text
    assert "nct02569463" not in answer.text


@pytest.mark.parametrize("path", [SCORE, "/fhir/metadata", *PAGES, "/metrics", "/openapi.json"])
def test_with_the_token(guarded: httpx2.Client, path: str) -> None:
    """Everything is answered."""
    assert guarded.get(path, headers=BEARER).status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_in_any_letters(guarded: httpx2.Client, scheme: str) -> None:
    """The name of a scheme has no case (RFC 9110, 11.1)."""
    assert guarded.get(SCORE, headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer {TOKEN},",
        f"Bearer{TOKEN}",
        f"Token {TOKEN}",
        f'Digest username="{TOKEN}"',
        TOKEN,
        f"Bearer {'x' * 60000}",
    ],
)
def test_a_wrong_token(guarded: httpx2.Client, authorization: str) -> None:
    """Anything but the token: 401."""
    answer = guarded.get(SCORE, headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert TOKEN not in answer.text


@pytest.mark.parametrize("token", [b"Bearer \xff\xfe", "Bearer canary-tökén".encode(), b"Basic \xff\xff", b"Basic YQ"])
def test_a_token_of_odd_bytes(guarded: httpx2.Client, token: bytes) -> None:
    """Bytes that are no ASCII, or no base64, are a wrong token, not a bug."""
    answers = [guarded.get(path, headers=[(b"Authorization", token)]) for path in (SCORE, "/report")]
    assert [answer.status_code for answer in answers] == [401] * 2


def test_two_authorizations(guarded: httpx2.Client) -> None:
    """A right and a wrong one together are not let in."""
    both = [("Authorization", "Bearer wrong"), ("Authorization", f"Bearer {TOKEN}")]
    assert guarded.get(SCORE, headers=both).status_code in {400, 401}


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "authorization", "api_key"])
@pytest.mark.parametrize("path", [SCORE, "/report", "/metrics"])
def test_a_token_in_the_address(guarded: httpx2.Client, path: str, name: str) -> None:
    """Addresses are logged by others: there the token counts for nothing."""
    assert guarded.get(path, params={name: TOKEN}).status_code == 401


def test_a_token_in_a_cookie_or_another_header(guarded: httpx2.Client) -> None:
    """Nor there."""
    elsewhere = {"Cookie": f"token={TOKEN}", "X-Api-Key": TOKEN, "Proxy-Authorization": f"Bearer {TOKEN}"}
    assert guarded.get(SCORE, headers=elsewhere).status_code == 401


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_may_show_the_token_as_password(guarded: httpx2.Client, path: str) -> None:
    """The pages ask for Basic, and take any user with the token as password."""
    assert "basic" in guarded.get(path).headers["www-authenticate"].lower()
    assert guarded.get(path, headers=basic(TOKEN)).status_code == 200
    assert guarded.get(path, headers=basic("wrong")).status_code == 401
    assert guarded.get(path, headers=basic("", user=TOKEN)).status_code == 401


@pytest.mark.parametrize("path", [SCORE, "/fhir/metadata", "/metrics", "/openapi.json"])
def test_a_password_opens_nothing_else(guarded: httpx2.Client, path: str) -> None:
    """A browser that keeps it cannot be made to call the operations."""
    answer = guarded.get(path, headers=basic(TOKEN))
    assert answer.status_code == 401
    assert "basic" not in answer.headers["www-authenticate"].lower()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example"]
)
@pytest.mark.parametrize("path", [SCORE, "/report", "/", "/metrics", "/openapi.json", "/fhir/metadata"])
def test_a_foreign_name_without_a_token(client: httpx2.Client, host: str, path: str) -> None:
    """A page of another site cannot read the service through a name that it points here (DNS rebinding)."""
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code in {400, 403, 421}
    assert "S01" not in answer.text
    assert "evil" not in answer.text


def test_a_foreign_name_below_fhir_is_an_operation_outcome(client: httpx2.Client) -> None:
    """As every error there."""
    answer = client.get(SCORE, headers={"Host": "evil.example"})
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_the_names_of_this_machine(client: httpx2.Client, host: str) -> None:
    """With the port that was announced, or another in front of it."""
    port = client.base_url.port
    answers = [client.get(SCORE, headers={"Host": name}) for name in (f"{host}:{port}", f"{host}:8080", host)]
    assert [answer.status_code for answer in answers] == [200] * 3


@pytest.mark.parametrize("host", ["", "localhost:evil.example", "[::1", "a b", "localhost@evil.example", "x" * 5000])
def test_a_broken_name(client: httpx2.Client, host: str) -> None:
    """A Host that names nobody is refused, not a bug."""
    assert raw(client, f"GET {SCORE} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n") in {400, 403, 421}


def test_two_names(client: httpx2.Client) -> None:
    """Two of them: refused (RFC 9112, 3.2)."""
    both = f"GET {SCORE} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert raw(client, both) in {400, 403, 421}


def test_a_foreign_name_in_the_request_line(client: httpx2.Client) -> None:
    """The absolute form of the target does not go round it; what is said of the base is not the stranger's."""
    text = f"GET http://evil.example{SCORE} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert raw(client, text) in {400, 403, 404, 421}


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_a_foreign_name_in_the_capability_statement(client: httpx2.Client, header: str) -> None:
    """No header of a stranger decides which address the service says it has."""
    answer = client.get("/fhir/metadata", headers={header: "host=evil.example"})
    assert "evil.example" not in answer.text


def test_a_foreign_name_with_the_token(guarded: httpx2.Client) -> None:
    """Whoever shows the token may call by any name: behind a proxy it is not ours."""
    assert guarded.get(SCORE, headers=BEARER | {"Host": "scores.hospital.example"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_no_page_of_another_site_may_read(client: httpx2.Client, origin: str) -> None:
    """No CORS header is ever sent, and a preflight is not granted."""
    plain = client.get(SCORE, headers={"Origin": origin})
    preflight = client.request(
        "OPTIONS",
        "/fhir/Observation/$hscore",
        headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
    )
    assert [name for one in (plain, preflight) for name in one.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"])
@pytest.mark.parametrize("path", [SCORE, "/report", "/metrics"])
def test_no_method_goes_round_the_token(guarded: httpx2.Client, method: str, path: str) -> None:
    """Every method is asked for it."""
    assert guarded.request(method, path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/health/live/../../report",
        "/health/../fhir/metadata",
        "//report",
        "/health%2f..%2freport",
        "/health/live/",
        "/health/livex",
        "/HEALTH/LIVE",
        "/health/live;/report",
    ],
)
def test_no_path_goes_round_the_token(guarded: httpx2.Client, path: str) -> None:
    """Only the two addresses themselves are open."""
    status = raw(guarded, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert status in {400, 401, 404}


def test_the_secret_is_in_no_answer(guarded: httpx2.Client) -> None:
    """Not with the token, not without it, not when it is sent in a wrong place; not in figures or OpenAPI."""
    paths = (*BELOW_FHIR, *PAGES, *OTHERS, "/health/live", "/health/ready")
    ways = [({}, {}), (BEARER, {}), (basic(TOKEN), {}), ({}, {"token": TOKEN}), (BEARER, {"token": TOKEN})]
    answers = [guarded.get(path, headers=headers, params=query) for path in paths for headers, query in ways]
    assert [str(one.url.path) for one in answers if TOKEN in one.text + str(one.headers)] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_token_file_that_may_not_be_read(person: Person) -> None:
    """Exit 2, by name."""
    path = secret_file(person.home, TOKEN)
    path.chmod(0)
    run = refused(person, "--host", EVERYWHERE, "--token-file", path)
    assert run.exit_code == 2
    assert path.name in run.err


@pytest.mark.parametrize("content", ["", " \n", "canary\ntoken", "canary\x00token", "tökén", "\x1b[31mred"])
def test_a_token_file_that_holds_none(person: Person, content: str) -> None:
    """Empty, two lines, or not fit for a header: exit 2, by the name of the file and without its content."""
    path = person.home / "token.txt"
    path.write_text(content, encoding="utf-8")
    run = refused(person, "--host", EVERYWHERE, "--token-file", path)
    assert_refused(run, "token.txt")
    assert "canary" not in run.err


@pytest.mark.parametrize("host", [EVERYWHERE, "127.0.0.1"])
@pytest.mark.parametrize("token", ["\t", " ", "\n"])
def test_a_token_of_blanks(person: Person, host: str, token: str) -> None:
    """A variable of blanks only is no token: with an empty one everybody would be let in."""
    assert_refused(refused(person, "--host", host, FHIR_ADAPTER_SERVICE_TOKEN=token), "FHIR_ADAPTER_SERVICE_TOKEN")


def test_an_empty_token(person: Person) -> None:
    """An empty variable is as none: loopback only, and nothing is asked for."""
    run = refused(person, "--host", EVERYWHERE, FHIR_ADAPTER_SERVICE_TOKEN="")
    assert_refused(run, "token")


def test_a_token_file_that_is_not_there(person: Person) -> None:
    """A folder, and nothing."""
    nothing = refused(person, "--token-file", "not-there.txt")
    folder = refused(person, "--token-file", person.home)
    assert_refused(nothing, "not-there.txt")
    assert_refused(folder, person.home.name)


def test_a_port_that_is_taken(person: Person) -> None:
    """Exit 2, and which port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = refused(person, "--port", str(port))
    assert_refused(run, str(port))


def test_path_of_the_state_is_told_to_nobody(client: httpx2.Client, pulled: Path) -> None:
    """No answer names a folder of this machine."""
    paths = (*BELOW_FHIR, *PAGES, *OTHERS, "/health/ready")
    assert [path for path in paths if str(pulled.parent) in client.get(path).text] == []


def assert_refused(run: Run, named: str) -> None:
    """Exit 2 with one line that names what is meant, and nothing of a bug."""
    assert run.exit_code == 2
    assert named in run.err
    assert "a bug" not in run.err
    assert "service at" not in run.err


def raw(client: httpx2.Client, text: str) -> int:
    """The status of an answer to these very bytes."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 80), timeout=30) as connection:
        connection.sendall(text.encode())
        answer = connection.recv(65536)
    return int(answer.split()[1])

"""How the client meets servers: retries, refusals, answers that are not FHIR."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpcore2
import httpx
import pytest
import respx

from fhir_adapter.client import FhirServer, NotFhirError, Secret, ServerRejected, ServerSettings, TransactionEntry
from fhir_adapter.issues import Misconfigured, Retriable
from tests.conftest import BASE

ENTRIES = [TransactionEntry("Patient/a", b'{"resourceType":"Patient","id":"a"}', "3")]
DONE = {
    "resourceType": "Bundle",
    "type": "transaction-response",
    "entry": [{"response": {"status": "200 OK", "location": "Patient/a/_history/4", "etag": 'W/"4"'}}],
}
CAPABILITIES = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


def server(waits: list[float] | None = None, **settings: object) -> FhirServer:
    """A client of the mocked server that notes how long it would have waited."""
    noted = waits if waits is not None else []
    return FhirServer(ServerSettings(BASE, **settings), sleep=noted.append)  # type: ignore[arg-type]


def answer(route: respx.Route, *answers: httpx.Response | type[Exception]) -> None:
    route.mock(side_effect=list(answers))


def test_a_transaction_tells_the_version_of_every_entry(fhir_mock: respx.MockRouter) -> None:
    """The version comes from the ETag."""
    fhir_mock.post("").respond(200, json=DONE)
    assert [(one.name, one.status, one.version) for one in server().transaction(ENTRIES)] == [("Patient/a", 200, "4")]


def test_an_update_is_guarded_by_the_version_it_is_based_on(fhir_mock: respx.MockRouter) -> None:
    """The entry carries ifMatch, and its body byte for byte."""
    route = fhir_mock.post("").respond(200, json=DONE)
    server().transaction(ENTRIES)
    sent = route.calls.last.request.content
    assert b'"ifMatch":"W/\\"3\\""' in sent
    assert ENTRIES[0].body in sent


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(fhir_mock: respx.MockRouter, status: int) -> None:
    """What it asks for in Retry-After is waited for."""
    waits: list[float] = []
    busy = httpx.Response(status, headers={"Retry-After": "7"})
    answer(fhir_mock.post(""), busy, httpx.Response(200, json=DONE))
    server(waits).transaction(ENTRIES)
    assert waits == [7.0]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("1000000000", 60.0), ("-5", 0.5), ("soon", 0.5), ("nan", 0.5), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.5)],
)
def test_what_a_server_asks_for_is_kept_within_bounds(fhir_mock: respx.MockRouter, asked: str, waited: float) -> None:
    """A billion seconds, a date of the past and nonsense are no reason to hang or to hurry."""
    waits: list[float] = []
    answer(fhir_mock.get("/metadata"), httpx.Response(503, headers={"Retry-After": asked}), _capable())
    server(waits).capabilities()
    assert waits == [waited]


def _capable() -> httpx.Response:
    return httpx.Response(200, json=CAPABILITIES)


def test_a_lost_connection_is_tried_again(fhir_mock: respx.MockRouter) -> None:
    """Reads and transactions under our own ids may be repeated."""
    waits: list[float] = []
    answer(fhir_mock.get("/metadata"), httpcore2.ReadTimeout, httpcore2.ConnectError, _capable())
    client = server(waits)
    assert client.capabilities() == CAPABILITIES
    assert (waits, client.requests) == ([0.5, 1.0], 3)


def test_a_server_that_never_answers_ends_the_run(fhir_mock: respx.MockRouter) -> None:
    """After the last attempt the surroundings have failed; nothing of the error's own text is shown."""
    fhir_mock.get("/metadata").mock(side_effect=httpcore2.ConnectError("password=canary"))
    with pytest.raises(Retriable, match="no connection") as caught:
        server().capabilities()
    assert "canary" not in str(caught.value)


def test_e81_a_login_page_is_not_fhir_and_is_asked_once(fhir_mock: respx.MockRouter) -> None:
    """HTML with 200 is no answer, and asking again would not help."""
    page = httpx.Response(200, text="<html>Please log in</html>", headers={"Content-Type": "text/html"})
    route = fhir_mock.get("/metadata").mock(return_value=page)
    with pytest.raises(NotFhirError, match="text/html instead of FHIR JSON"):
        server().capabilities()
    assert route.call_count == 1


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "OperationOutcome"},
        {**DONE, "type": "batch-response"},
        {**DONE, "entry": []},
        {**DONE, "entry": [{"response": {"status": "404 Not Found"}}]},
        {**DONE, "entry": [{"response": {"status": "200 OK", "location": "Patient/b/_history/1"}}]},
        {**DONE, "entry": [{}]},
    ],
)
def test_an_answer_that_does_not_account_for_every_entry_does_not_count(
    fhir_mock: respx.MockRouter, body: object
) -> None:
    """Better run again than believe half an answer."""
    fhir_mock.post("").respond(200, json=body)
    with pytest.raises(NotFhirError):
        server().transaction(ENTRIES)


def test_a_refusal_names_the_entries_that_are_to_blame(fhir_mock: respx.MockRouter) -> None:
    """The place in the Bundle leads back to the resource; the server's free text is not repeated."""
    issue = {
        "severity": "error",
        "code": "value",
        "expression": ["Bundle.entry[2].resource.status"],
        "diagnostics": "secret of a patient",
    }
    warning = {"severity": "warning", "code": "informational"}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue, warning]}
    fhir_mock.post("").respond(422, json=outcome)
    with pytest.raises(ServerRejected) as caught:
        server().transaction(ENTRIES)
    (found,) = caught.value.issues
    assert (caught.value.blamed, found.source, found.where.expression) == (
        {2},
        "server",
        "Bundle.entry[2].resource.status",
    )
    assert "secret" not in found.message


@pytest.mark.parametrize(("status", "conflict"), [(409, True), (412, True), (400, False), (404, False)])
def test_a_conflict_is_told_from_other_refusals(fhir_mock: respx.MockRouter, status: int, *, conflict: bool) -> None:
    """409 and 412 both say that somebody else was faster."""
    fhir_mock.post("").respond(status, text="no JSON")
    with pytest.raises(ServerRejected) as caught:
        server().transaction(ENTRIES)
    assert caught.value.conflict is conflict


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_not_tried_again(fhir_mock: respx.MockRouter, status: int) -> None:
    """The person must act; the hint says where."""
    route = fhir_mock.get("/metadata").respond(status)
    with pytest.raises(Retriable, match="token"):
        server(token=Secret("canary")).capabilities()
    assert route.call_count == 1


def test_a_broken_server_ends_the_run(fhir_mock: respx.MockRouter) -> None:
    """500 may have written or not: the intent stays open."""
    fhir_mock.post("").respond(500)
    with pytest.raises(Retriable, match="500"):
        server().transaction(ENTRIES)


def test_a_redirect_is_refused(fhir_mock: respx.MockRouter) -> None:
    """A token never follows to another host."""
    fhir_mock.get("/metadata").respond(307, headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(NotFhirError, match="redirect"):
        server(token=Secret("canary")).capabilities()


def test_f103_the_token_goes_into_the_header_and_nowhere_else(fhir_mock: respx.MockRouter) -> None:
    """It is sent, and no text form of the settings shows it."""
    route = fhir_mock.get("/metadata").mock(return_value=_capable())
    settings = ServerSettings(BASE, token=Secret("canary"), headers={"X-Key": Secret("canary2")})
    with FhirServer(settings) as client:
        client.capabilities()
    sent = route.calls.last.request.headers
    assert (sent["Authorization"], sent["X-Key"]) == ("Bearer canary", "canary2")
    assert "canary" not in f"{settings!r} {settings}"


def test_a_capability_statement_is_wanted(fhir_mock: respx.MockRouter) -> None:
    """Another resource at /metadata is not what we asked for."""
    fhir_mock.get("/metadata").respond(200, json={"resourceType": "Patient"})
    with pytest.raises(NotFhirError, match="CapabilityStatement"):
        server().capabilities()


def _page(link: str | None, *ids: str) -> httpx.Response:
    entries: list[object] = [{"resource": {"resourceType": "Patient", "id": one}} for one in ids]
    entries.append({"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}})
    body = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    if link is not None:
        body["link"] = [{"relation": "self", "url": "x"}, {"relation": "next", "url": link}]
    return httpx.Response(200, json=body)


def test_resources_are_read_page_by_page(fhir_mock: respx.MockRouter) -> None:
    """A relative next link is resolved; outcomes and strangers among the matches are left out."""
    fhir_mock.post("/Patient/_search").mock(return_value=_page("?page=2", "a", "z"))
    fhir_mock.get("/?page=2").mock(return_value=_page(None, "b"))
    assert sorted(server().read_many("Patient", ["a", "b", "c"])) == ["a", "b"]


@pytest.mark.parametrize("link", ["https://elsewhere.test/r4?page=2", "http://fhir.test/r4?page=2", "file:///etc"])
def test_a_page_on_another_server_is_not_fetched(fhir_mock: respx.MockRouter, link: str) -> None:
    """Neither another host nor another scheme."""
    fhir_mock.post("/Patient/_search").mock(return_value=_page(link, "a"))
    with pytest.raises(NotFhirError, match="another server"):
        server().read_many("Patient", ["a"])


def test_pages_that_go_round_are_stopped(fhir_mock: respx.MockRouter) -> None:
    """The same next link twice is a loop."""
    fhir_mock.post("/Patient/_search").mock(return_value=_page("?page=2", "a"))
    fhir_mock.get("/?page=2").mock(return_value=_page("?page=2", "a"))
    with pytest.raises(NotFhirError, match="repeats"):
        server().read_many("Patient", ["a"])


def test_what_is_no_searchset_is_refused(fhir_mock: respx.MockRouter) -> None:
    """A search is answered by a searchset or not at all."""
    fhir_mock.post("/Patient/_search").respond(200, json={"resourceType": "Bundle", "type": "batch-response"})
    with pytest.raises(NotFhirError, match="searchset"):
        server().read_many("Patient", ["a"])


def test_resources_are_counted_by_the_server(fhir_mock: respx.MockRouter) -> None:
    """Only a number counts as a count."""
    answer(
        fhir_mock.get("/Patient", params={"_summary": "count"}),
        httpx.Response(200, json={"total": 18}),
        httpx.Response(200, json={}),
    )
    assert server().count("Patient") == 18
    with pytest.raises(NotFhirError, match="total"):
        server().count("Patient")


def test_a_server_that_cannot_be_searched_is_named_as_that(fhir_mock: respx.MockRouter) -> None:
    """The search is what failed, not what was sent."""
    fhir_mock.post("/Patient/_search").respond(405)
    with pytest.raises(NotFhirError, match="search of Patient by _id was answered 405"):
        server().read_many("Patient", ["a"])


class _Garbage(BaseHTTPRequestHandler):
    """Says gzip and sends something else."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"garbage")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def test_an_answer_that_cannot_be_decoded_is_not_fhir() -> None:
    """Garbage under gzip is not tried again."""
    with HTTPServer(("127.0.0.1", 0), _Garbage) as garbage:
        threading.Thread(target=garbage.serve_forever, daemon=True).start()
        client = FhirServer(ServerSettings(f"http://127.0.0.1:{garbage.server_port}", test=True))
        with client, pytest.raises(NotFhirError, match="decoded"):
            client.capabilities()
        garbage.shutdown()
    assert client.requests == 1


def test_answers_in_another_order_are_told_by_their_locations(fhir_mock: respx.MockRouter) -> None:
    """Position counts only where there is no location."""
    two = [*ENTRIES, TransactionEntry("Patient/b", b'{"resourceType":"Patient","id":"b"}')]
    entries = [
        {"response": {"status": "201 Created", "location": "Patient/b/_history/1"}},
        {"response": {"status": "200 OK", "location": "https://fhir.test/r4/Patient/a/_history/4"}},
    ]
    fhir_mock.post("").respond(200, json={**DONE, "entry": entries})
    assert [(one.name, one.version) for one in server().transaction(two)] == [("Patient/a", "4"), ("Patient/b", "1")]


def test_a_proxy_of_the_environment_that_is_no_url_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by what to mend, without its value: it may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", "ftp://bob:canary@proxy.test")
    with pytest.raises(Misconfigured) as caught:
        server().capabilities()
    assert [issue.code for issue in caught.value.issues] == ["wrong-url"]
    assert "canary" not in str(caught.value)

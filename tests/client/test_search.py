"""How the client searches: what it sends, how it reads pages, what it finds out about the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from fhir_adapter.client import FhirServer, Found, ServerRejected, ServerSettings, token
from fhir_adapter.issues import Retriable
from tests.conftest import BASE

NEXT = f"{BASE}/Observation?page=2"


def server() -> FhirServer:
    """A client of the mocked server that does not wait."""
    return FhirServer(ServerSettings(BASE, attempts=1))


def search(*parameters: tuple[str, str]) -> Found:
    """Search the mocked server for Observations."""
    return server().search("Observation", parameters or [("patient", "Patient/a")])


def entry(name: str, version: str | None = None, **more: Any) -> dict[str, Any]:
    """A match."""
    meta = {"meta": {"versionId": version}} if version else {}
    return {"resource": {"resourceType": "Observation", "id": name, **meta, **more}, "search": {"mode": "match"}}


def page(*entries: dict[str, Any], following: str | None = None, self_link: str = "", **more: Any) -> httpx.Response:
    """One page of a searchset."""
    links = [{"relation": "self", "url": self_link}] if self_link else []
    links += [{"relation": "next", "url": following}] if following else []
    body = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": list(entries), **more}
    return httpx.Response(200, json=body)


def ids(found: Found) -> list[object]:
    """The ids of what was found."""
    return [one["id"] for one in found.resources]


def codes(found: Found) -> list[str]:
    """The codes of what the server is said to do."""
    return [issue.code for issue in found.issues]


def test_values_are_escaped_as_tokens_and_encoded_once(fhir_mock: respx.MockRouter) -> None:
    r"""`\ , | $` in either part; the bar between them stays a bar."""
    route = fhir_mock.post("/Observation/_search").mock(return_value=page())
    search(("identifier", token("https://a.test/x|y", "1,2$3\\4 5")))
    sent = route.calls.last.request
    assert sent.content == b"identifier=https%3A%2F%2Fa.test%2Fx%5C%7Cy%7C1%5C%2C2%5C%243%5C%5C4%205"
    assert sent.headers["Prefer"] == "handling=strict"
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_pages_are_followed_and_each_resource_is_found_once(fhir_mock: respx.MockRouter) -> None:
    """A page that shifts repeats one; of two versions the later counts, wherever it stands."""
    fhir_mock.post("/Observation/_search").mock(return_value=page(entry("a", "2", note=1), entry("b"), following=NEXT))
    fhir_mock.get(NEXT).mock(return_value=page(entry("b"), entry("a", "1"), entry("c")))
    found = search()
    assert ids(found) == ["a", "b", "c"]
    assert found.resources[0]["note"] == 1


def test_e75_a_page_that_is_gone_starts_the_search_again(fhir_mock: respx.MockRouter) -> None:
    """Once: no gap, no duplicate."""
    fhir_mock.post("/Observation/_search").mock(return_value=page(entry("a"), following=NEXT))
    fhir_mock.get(NEXT).mock(side_effect=[httpx.Response(410), page(entry("b"))])
    assert ids(search()) == ["a", "b"]


@pytest.mark.parametrize("status", [404, 410])
def test_e75_a_page_that_is_gone_twice_ends_the_search(fhir_mock: respx.MockRouter, status: int) -> None:
    """Better nothing than a part."""
    fhir_mock.post("/Observation/_search").mock(return_value=page(entry("a"), following=NEXT))
    fhir_mock.get(NEXT).respond(status)
    with pytest.raises(Retriable, match="twice"):
        search()


def test_a_search_that_is_refused_is_a_refusal(fhir_mock: respx.MockRouter) -> None:
    """404 for the search itself is no page that is gone."""
    fhir_mock.post("/Observation/_search").respond(404)
    with pytest.raises(ServerRejected):
        search()


def test_e77_a_total_that_disagrees_is_only_said(fhir_mock: respx.MockRouter) -> None:
    """The pages decide."""
    fhir_mock.post("/Observation/_search").mock(return_value=page(entry("a"), total=7))
    assert (ids(found := search()), codes(found)) == (["a"], ["total-differs"])


def test_e78_outcomes_and_included_resources_are_no_matches(fhir_mock: respx.MockRouter) -> None:
    """A warning is surfaced by its code; its text may repeat what was asked."""
    warning = {"severity": "warning", "code": "not-found", "diagnostics": "secret"}
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": [warning]}, "search": {"mode": "outcome"}}
    included = entry("z") | {"search": {"mode": "include"}}
    fhir_mock.post("/Observation/_search").mock(return_value=page(entry("a"), outcome, included))
    found = search()
    assert (ids(found), codes(found)) == (["a"], ["search-outcome"])
    assert "not-found" in found.issues[0].message
    assert "secret" not in found.issues[0].message


@pytest.mark.parametrize(
    ("self_link", "said"),
    [
        (f"{BASE}/Observation?patient=Patient/a&code=x", []),
        (f"{BASE}/Observation?patient:Patient=a&code=x", []),
        (f"{BASE}/Observation?patient=Patient/a", ["search-ignored"]),
        (f"{BASE}/Observation", []),
        ("", []),
    ],
)
def test_e94_a_dropped_parameter_is_seen_in_the_self_link(
    fhir_mock: respx.MockRouter, self_link: str, said: list[str]
) -> None:
    """Where the link shows a query at all."""
    fhir_mock.post("/Observation/_search").mock(return_value=page(self_link=self_link))
    assert codes(search(("patient", "Patient/a"), ("code", "x"), ("_count", "5"))) == said


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Tue, 16 Jan 2024 02:00:00 GMT", datetime(2024, 1, 16, 2, tzinfo=UTC)),
        ("soon", None),
        (None, None),
    ],
)
def test_the_servers_own_clock_is_remembered(
    fhir_mock: respx.MockRouter, header: str | None, moment: datetime | None
) -> None:
    """Of its last answer, in UTC."""
    headers = {"Date": header} if header else {}
    fhir_mock.get("/metadata").respond(200, json={"resourceType": "CapabilityStatement"}, headers=headers)
    client = server()
    client.capabilities()
    assert client.date == moment

"""pull from a server that fails, answers too much, or pages badly: one subject's trouble is not the others'."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from fhir_adapter import fhirjson
from fhir_adapter.client import ServerSettings
from fhir_adapter.jobs.pull import PullOptions, PullReport, pull
from fhir_adapter.store import ResultStore, open_store
from tests.conftest import BASE
from tests.intake.hospital import NOW, Resource, codes, counts, patient, result, trial
from tests.made_up import add, copy_trial

CAPABLE = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


def searchset(*resources: Resource, link: list[Resource] | None = None) -> httpx.Response:
    """One page of matches."""
    body: Resource = {"resourceType": "Bundle", "type": "searchset", "link": link or []}
    body["entry"] = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return httpx.Response(200, content=fhirjson.dumps(body))


def two_subjects(folder: Path) -> Path:
    """The export of the made-up trial, whose second subject was dosed too."""
    copied = copy_trial(folder)
    add(copied, "data/ec.csv", "002,DRUG,Y,5,mL,10.8,g/L,2024-01-11")
    return copied / "data"


def hospital(
    router: respx.MockRouter,
    results: Callable[[str], httpx.Response],
    find: Callable[[str], httpx.Response] | None = None,
) -> None:
    """A server with a Patient hp-1 for 001 and hp-2 for 002; `results` answers for each."""

    def patients(request: httpx.Request) -> httpx.Response:
        (asked,) = parse_qs(request.content.decode())["identifier"]
        value = asked.rpartition("|")[2]
        return find(value) if find else searchset(patient(f"hp-{int(value)}", value))

    def observations(request: httpx.Request) -> httpx.Response:
        (asked,) = parse_qs(request.content.decode())["patient"]
        return results(asked)

    router.get("/metadata").respond(200, json=CAPABLE, headers={"Date": "Tue, 16 Jan 2024 02:00:00 GMT"})
    router.post("/Patient/_search").mock(side_effect=patients)
    router.post("/Observation/_search", name="results").mock(side_effect=observations)


def pulled(tmp_path: Path, source: Path | None = None, **settings: Any) -> PullReport:
    """Pull from the mocked server; one subject unless a source is named."""
    options = PullOptions(source=source, subjects=None if source else 1)
    server = ServerSettings(BASE, test=True, attempts=1, **settings)
    return pull(trial(), server, tmp_path / "state.sqlite", options, now=NOW)


def test_a_failure_for_one_subject_leaves_the_others(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """The pull is incomplete and says for whom; the other subject is stored."""
    of_second = result("f2", subject={"reference": "Patient/hp-2"})
    hospital(fhir_mock, lambda asked: httpx.Response(500) if asked == "Patient/hp-1" else searchset(of_second))
    report = pulled(tmp_path, two_subjects(tmp_path))
    assert (report.complete, report.outcome, counts(report)) == (False, "in part", (1, 1, 0, 0))
    assert [issue.message.partition(":")[0] for issue in report.why_incomplete] == ["001"]
    with open_store(tmp_path / "state.sqlite", writer=False) as store:
        last = ResultStore(store, "made-up").last_pull(BASE)
    assert last is not None
    assert (last.complete, last.subjects, last.started) == (False, ("002",), "2024-01-16T02:00:00+00:00")


def test_a_failed_subject_loses_nothing(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """What was known of it stays as it was: nothing is withdrawn by an error."""
    hospital(fhir_mock, lambda _asked: searchset(result("f1")))
    pulled(tmp_path)
    hospital(fhir_mock, lambda _asked: httpx.Response(500))
    report = pulled(tmp_path)
    assert (report.withdrawn, report.measurements, report.outcome) == (0, 1, "stopped")


def test_e94_a_server_that_ignores_a_parameter_is_found_out(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """Strict handling was asked for; the self link shows what was dropped, and strangers' results are not kept."""
    stranger = result("f9", subject={"reference": "Patient/hp-9"})
    link = [{"relation": "self", "url": f"{BASE}/Observation?code=x&date=y"}]
    hospital(fhir_mock, lambda _asked: searchset(result("f1"), stranger, link=link))
    report = pulled(tmp_path)
    said = ["conditions-not-searched", "foreign-result", "search-ignored"]
    assert (report.fetched, sorted(codes(report.set_aside))) == (1, said)
    assert {call.request.headers.get("Prefer") for call in fhir_mock.calls} == {None, "handling=strict"}


def test_what_does_not_match_the_search_is_not_kept(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """Another code, another time: checked here too."""
    late = result("f2", effectiveDateTime="2030-01-01T00:00:00+08:00")
    hospital(fhir_mock, lambda _asked: searchset(result("f1"), result("x1", code="2951-2"), late))
    assert pulled(tmp_path).fetched == 1


def test_a_patient_that_only_resembles_the_identifier_is_nobody(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """A server may match less strictly than it was asked."""
    hospital(fhir_mock, lambda _asked: searchset(), lambda _value: searchset(patient(value="0010")))
    fhir_mock.pop("results")
    assert codes(pulled(tmp_path).why_incomplete) == ["patient-not-found"]


def test_absolute_references_to_the_same_server_count(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """And those of a version."""
    mine = [f"{BASE}/Patient/hp-1", "Patient/hp-1/_history/3"]
    found = [result(f"f{place}", subject={"reference": one}) for place, one in enumerate(mine)]
    hospital(fhir_mock, lambda _asked: searchset(*found))
    assert pulled(tmp_path).fetched == 2


def test_a_patient_under_another_base_makes_the_window_incomplete(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """Behind a proxy the server states its own address: nobody knows whose these are, and nothing is withdrawn."""
    hospital(fhir_mock, lambda _asked: searchset(result("f1"), result("f2", "1")))
    pulled(tmp_path)
    moved = result("f1", subject={"reference": "http://inside.hospital.test/fhir/Patient/hp-1"})
    hospital(fhir_mock, lambda _asked: searchset(moved))
    report = pulled(tmp_path)
    assert (codes(report.why_incomplete), report.outcome) == (["foreign-base"], "in part")
    assert (counts(report), report.measurements) == ((0, 0, 0, 0), 2)


def test_a_killed_pull_counts_as_incomplete(fhir_mock: respx.MockRouter, tmp_path: Path) -> None:
    """What was recorded before the kill is there whole, and the next pull converges."""

    def killed(asked: str) -> httpx.Response:
        if asked == "Patient/hp-2":
            raise KeyboardInterrupt
        return searchset(result("f1"))

    hospital(fhir_mock, killed)
    source = two_subjects(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        pulled(tmp_path, source)
    with open_store(tmp_path / "state.sqlite", writer=False) as store:
        results = ResultStore(store, "made-up")
        last = results.last_pull()
        assert last is not None
        assert (last.complete, last.subjects, len(results.current())) == (False, ("001",), 1)
    hospital(fhir_mock, lambda asked: searchset(*([result("f1")] if asked == "Patient/hp-1" else [])))
    assert counts(pulled(tmp_path, source)) == (1, 0, 0, 0)

"""push against the embedded server and against servers that misbehave: what is planned, written, and set aside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import httpx2
import pytest
import respx

from fhir_adapter import fhirjson
from fhir_adapter.client import ServerSettings, loopback_server
from fhir_adapter.issues import Refused
from fhir_adapter.jobs.push import PushOptions, PushReport, push
from fhir_adapter.sync import SyncPlan
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from tests.conftest import BASE
from tests.stories.sandbox import running

ONE_SUBJECT = PushOptions(subjects=1)


def quiet(_plan: SyncPlan) -> Callable[[int], None]:
    return lambda _done: None


@pytest.fixture
def trial() -> TrialFolder:
    """The public study."""
    return read_trial_folder(trial_path("cdisc-pilot-18"))


@pytest.fixture
def base() -> Iterator[str]:
    """An empty server."""
    with running() as address:
        yield address


@pytest.fixture
def changed(tmp_path: Path, trial: TrialFolder) -> Path:
    """A copy of the study's files, to be changed."""
    return Path(shutil.copytree(trial.source_folder, tmp_path / "export"))


def change_result(export: Path, value: str) -> None:
    """Give the first subject's first laboratory result another value."""
    document = json.loads((export / "lb.json").read_text(encoding="utf-8"))
    document["rows"][0][7] = value
    (export / "lb.json").write_text(json.dumps(document), encoding="utf-8")


def resources(base: str, query: str) -> list[dict[str, object]]:
    """What a search finds, first page."""
    body = fhirjson.loads(httpx2.get(f"{base}/{query}").content)
    return [entry["resource"] for entry in body.get("entry", [])]


def test_a_lost_state_is_found_again_on_the_server(trial: TrialFolder, base: str, tmp_path: Path) -> None:
    """Without a ledger everything is adopted: nothing is written, and the next run needs no request."""
    push(trial, loopback_server(base), tmp_path / "a.sqlite", ONE_SUBJECT, quiet)
    second = push(trial, loopback_server(base), tmp_path / "b.sqlite", ONE_SUBJECT, quiet)
    third = push(trial, loopback_server(base), tmp_path / "b.sqlite", ONE_SUBJECT, quiet)
    counts = second.plan.counts()
    assert (counts["create"], counts["update"], counts["unchanged"] > 300) == (0, 0, True)
    assert (second.complete, third.requests) == (True, 0)


def test_a_lost_state_and_a_changed_source_make_one_update(
    trial: TrialFolder, base: str, tmp_path: Path, changed: Path
) -> None:
    """What stands there under our id is ours, so it is brought in line."""
    push(trial, loopback_server(base), tmp_path / "a.sqlite", ONE_SUBJECT, quiet)
    change_result(changed, "4.1")
    options = replace(ONE_SUBJECT, source=changed)
    report = push(trial, loopback_server(base), tmp_path / "b.sqlite", options, quiet)
    assert report.plan.counts()["update"] == 1
    assert report.complete


def test_somebody_elses_resource_under_our_id_is_left_alone(trial: TrialFolder, base: str, tmp_path: Path) -> None:
    """A conflict; what refers to it is blocked, the rest is written."""
    plan = push(trial, loopback_server(base), tmp_path / "a.sqlite", PushOptions(dry_run=True, subjects=1), quiet).plan
    name = next(item.name for item in plan.items if item.name.startswith("Encounter/"))
    foreign = {"resourceType": "Encounter", "id": name.split("/")[1], "status": "planned", "class": {"code": "AMB"}}
    httpx2.put(f"{base}/{name}", json=foreign).raise_for_status()
    report = push(trial, loopback_server(base), tmp_path / "a.sqlite", ONE_SUBJECT, quiet)
    counts = report.plan.counts()
    assert (counts["conflict"], report.outcome) == (1, "in part")
    assert {issue.code for issue in report.set_aside} == {"foreign-resource", "unresolved-reference"}
    assert fhirjson.loads(httpx2.get(f"{base}/{name}").content)["status"] == "planned"


def test_an_edit_on_the_server_is_not_overwritten(trial: TrialFolder, base: str, tmp_path: Path, changed: Path) -> None:
    """The edited resource is a conflict and keeps the edit; other changes of the subject are written."""
    state, options = tmp_path / "state.sqlite", replace(ONE_SUBJECT, source=changed)
    push(trial, loopback_server(base), state, ONE_SUBJECT, quiet)
    (found,) = resources(base, "Observation?identifier=CDISC001/ALB/1/2012-11-23T11:20")
    edited = {**found, "status": "entered-in-error"}
    httpx2.put(f"{base}/Observation/{found['id']}", content=fhirjson.dumps(edited)).raise_for_status()
    change_result(changed, "4.1")
    report = push(trial, loopback_server(base), state, options, quiet)
    assert report.applied is not None
    assert (report.applied.to_dict()["conflict"], report.applied.to_dict()["update"]) == (1, 0)
    assert [issue.code for issue in report.set_aside] == ["edited-on-server"]
    (there,) = resources(base, "Observation?identifier=CDISC001/ALB/1/2012-11-23T11:20")
    assert there["status"] == "entered-in-error"


def test_a_server_with_a_limit_gets_smaller_transactions(trial: TrialFolder, base: str, tmp_path: Path) -> None:
    """Each part carries its own Provenance, and each refers only to earlier ones."""
    settings = replace(loopback_server(base), max_entries=50)
    report = push(trial, settings, tmp_path / "state.sqlite", ONE_SUBJECT, quiet)
    assert report.applied is not None
    written = report.applied.to_dict()["create"]
    assert (report.complete, report.applied.provenances) == (True, 1 + -(-(written - 23) // 49))


def test_a_dry_run_writes_nothing(trial: TrialFolder, base: str, tmp_path: Path) -> None:
    """Neither on the server nor in the ledger."""
    options = PushOptions(dry_run=True, subjects=1)
    report = push(trial, loopback_server(base), tmp_path / "state.sqlite", options, quiet)
    assert (report.dry_run, report.applied, report.outcome) == (True, None, "done")
    assert resources(base, "Patient") == []


def capable(router: respx.MockRouter, version: str = "4.0.1") -> respx.Route:
    """The mocked server says which FHIR it speaks."""
    body = {"resourceType": "CapabilityStatement", "fhirVersion": version}
    return router.get("/metadata").respond(200, json=body)


def empty(router: respx.MockRouter) -> None:
    """The mocked server holds nothing."""
    router.post(path__regex=r".*/_search").respond(200, json={"resourceType": "Bundle", "type": "searchset"})


def mocked_push(trial: TrialFolder, tmp_path: Path, *, test: bool = True) -> PushReport:
    """Push one subject to the mocked server."""
    settings = ServerSettings(BASE, test=test, attempts=1)
    return push(trial, settings, tmp_path / "state.sqlite", ONE_SUBJECT, quiet)


def refusal(place: int) -> httpx.Response:
    """A 422 that blames one entry."""
    issue = {"severity": "error", "code": "invariant", "expression": [f"Bundle.entry[{place}].resource"]}
    return httpx.Response(422, json={"resourceType": "OperationOutcome", "issue": [issue]})


def accept(request: httpx.Request) -> httpx.Response:
    """Every entry of a transaction is written."""
    entries = fhirjson.loads(request.content)["entry"]
    answers = [
        {"response": {"status": "201 Created", "location": f"{one['request']['url']}/_history/1"}} for one in entries
    ]
    return httpx.Response(200, json={"resourceType": "Bundle", "type": "transaction-response", "entry": answers})


Reply = httpx.Response | Callable[[httpx.Request], httpx.Response]


def replies(router: respx.MockRouter, *given: Reply) -> respx.Route:
    """Transactions are answered in this order."""
    waiting = list(given)

    def reply(request: httpx.Request) -> httpx.Response:
        one = waiting.pop(0)
        return one if isinstance(one, httpx.Response) else one(request)

    return router.post("").mock(side_effect=reply)


def test_an_entry_that_the_server_refuses_is_set_aside_with_what_refers_to_it(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path
) -> None:
    """The Patient is refused: the study stands, and nothing of the subject is sent again."""
    capable(fhir_mock)
    empty(fhir_mock)
    replies(fhir_mock, accept, refusal(0))
    report = mocked_push(trial, tmp_path)
    assert report.applied is not None
    assert (report.outcome, report.applied.to_dict()["create"]) == ("in part", 23)
    assert report.set_aside[0].where.resource is not None
    assert report.set_aside[0].where.resource.startswith("Patient/")
    assert {issue.code for issue in report.set_aside[1:]} == {"unresolved-reference"}


def test_a_refusal_that_names_nobody_sets_the_whole_transaction_aside(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path
) -> None:
    """Nobody knows which entry is bad, and all of them were refused."""
    capable(fhir_mock)
    empty(fhir_mock)
    fhir_mock.post("").respond(400, json={})
    report = mocked_push(trial, tmp_path)
    assert report.applied is not None
    assert (report.outcome, report.applied.to_dict()["create"]) == ("refused", 0)


def test_a_transaction_that_is_too_large_is_halved(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path
) -> None:
    """413 once, then both halves are written."""
    capable(fhir_mock)
    empty(fhir_mock)
    replies(fhir_mock, httpx.Response(413), accept, accept, accept)
    report = mocked_push(trial, tmp_path)
    assert report.applied is not None
    assert (report.complete, report.applied.provenances) == (True, 3)


def test_a_server_that_breaks_in_the_middle_stops_the_run(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path
) -> None:
    """What was written before is known; the open transaction is asked for in the next run."""
    capable(fhir_mock)
    empty(fhir_mock)
    replies(fhir_mock, accept, httpx.Response(500))
    report = mocked_push(trial, tmp_path)
    assert report.applied is not None
    assert (report.outcome, report.applied.to_dict()["create"]) == ("stopped", 23)
    fhir_mock.post("").mock(side_effect=accept)
    assert mocked_push(trial, tmp_path).complete


def test_a_repeated_transaction_is_the_same_to_the_byte(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path
) -> None:
    """After a lost answer the second sending carries the same Provenance and the same recorded time."""
    capable(fhir_mock)
    empty(fhir_mock)
    route = replies(fhir_mock, httpx.Response(500), accept, accept)
    mocked_push(trial, tmp_path)
    mocked_push(trial, tmp_path)
    assert route.calls[0].request.content == route.calls[1].request.content


@pytest.mark.parametrize("version", ["5.0.0", "4.3.0", "3.0.2", "4.1.0"])
def test_a_server_of_another_version_is_refused(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path, version: str
) -> None:
    """Before anything is asked for or sent."""
    capable(fhir_mock, version)
    with pytest.raises(Refused, match=version):
        mocked_push(trial, tmp_path)
    assert len(fhir_mock.calls) == 1


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (ServerSettings(BASE, test=False), "test-data"),
        (ServerSettings(BASE, test=True, role="read"), "read-only-server"),
        (ServerSettings(BASE, test=True, kind="ehr"), "patients-not-ours"),
    ],
)
def test_what_must_not_go_to_a_server_does_not(
    fhir_mock: respx.MockRouter, trial: TrialFolder, tmp_path: Path, settings: ServerSettings, code: str
) -> None:
    """Made-up data, a server to read from, an EHR: refused before any request."""
    made_up = replace(trial, labels=("HTEST",))
    with pytest.raises(Refused) as caught:
        push(made_up, settings, tmp_path / "state.sqlite", ONE_SUBJECT, quiet)
    assert [issue.code for issue in caught.value.issues] == [code]
    assert len(fhir_mock.calls) == 0

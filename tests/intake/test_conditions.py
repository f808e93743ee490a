"""pull and Conditions: what is asked for, what is kept, what is withdrawn, and what they say of a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from fhir_adapter.client import ServerSettings
from fhir_adapter.intake import results_of
from fhir_adapter.jobs.pull import PullOptions, PullReport, pull
from fhir_adapter.store import ResultStore, open_store
from fhir_adapter.terminology import SiteCodes
from fhir_adapter.trial import Result
from fhir_adapter.trial_folder import TrialFolder
from tests.conftest import BASE
from tests.intake.diagnoses import condition
from tests.intake.hospital import NOW, Hospital, Resource, codes, counts, patient, result, trial, write_lines

LAB = "https://hospital.example/lab"
DIABETES: Resource = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "73211009"}]}}
LOCAL: Resource = {"code": {"coding": [{"system": LAB, "code": "SPLEEN"}]}}


def known(hospital: Hospital, folder: TrialFolder | None = None) -> list[Result]:
    """What counts of everything that stands now."""
    with open_store(hospital.state, writer=False) as store:
        return results_of(store, folder or trial(), now=NOW)[0]


def names(hospital: Hospital) -> list[str]:
    """What stands now."""
    with open_store(hospital.state, writer=False) as store:
        return [one.name for one in ResultStore(store, "made-up").current()]


def test_conditions_come_with_the_results(hospital: Hospital) -> None:
    """Of the subject, with a code that the score asks for, and known until the server was asked."""
    hospital.publishes(result("f1"), condition("c1"), condition("c2", **DIABETES))
    report = hospital.pull()
    assert (counts(report), report.measurements, report.findings) == ((2, 2, 0, 0), 1, 1)
    assert (report.set_aside, report.outcome, report.requests) == ([], "done", 4)
    diagnosis = next(one for one in known(hospital) if one.present)
    assert diagnosis.until is not None
    assert (diagnosis.reference, diagnosis.until.iso) == ("Condition/c1", report.checkpoint)


def test_conditions_of_somebody_else_are_not_asked_for(hospital: Hospital) -> None:
    """Nor kept."""
    hospital.publishes(patient("hp-9", "999"), condition("c9", subject={"reference": "Patient/hp-9"}))
    assert counts(hospital.pull()) == (0, 0, 0, 0)


def test_what_may_last_into_the_window_is_kept(hospital: Hospital) -> None:
    """However long ago it began; days -14 and 40 are 2023-12-27 and 2024-02-18."""
    hospital.publishes(
        condition("long-ago", onsetDateTime="2010"),
        condition("day-40", onsetDateTime="2024-02-18"),
        condition("day-41", onsetDateTime="2024-02-19"),
        condition("until-day-14", clinical="resolved", abatementDateTime="2023-12-27"),
        condition("until-day-15", clinical="resolved", abatementDateTime="2023-12-26"),
        condition("recorded-later", recordedDate="2024-06-01"),
    )
    hospital.pull()
    kept = [name.removeprefix("Condition/") for name in names(hospital)]
    assert kept == ["day-40", "long-ago", "recorded-later", "until-day-14"]


def test_a_correction_and_a_disappearance_are_found(hospital: Hospital) -> None:
    """The same rules as for results: changed, withdrawn, new again."""
    hospital.publishes(condition("c1"))
    hospital.pull()
    hospital.publishes(condition("c1", "refuted"))
    assert counts(hospital.pull()) == (1, 0, 1, 0)
    assert [one.present for one in known(hospital)] == [False]
    hospital.deletes("Condition/c1")
    assert counts(hospital.pull()) == (0, 0, 0, 1)
    assert known(hospital) == []


def test_entered_in_error_withdraws_it(hospital: Hospital) -> None:
    """It stays listed with its reason."""
    hospital.publishes(condition("c1"))
    hospital.pull()
    wrong = condition("c1", "entered-in-error")
    del wrong["clinicalStatus"]  # R4's rule con-5
    hospital.publishes(wrong)
    report = hospital.pull()
    assert (counts(report), report.findings, codes(report.set_aside)) == ((1, 0, 0, 1), 0, ["result-status"])


def test_local_codes_of_the_folder_are_searched_too(hospital: Hospital) -> None:
    """And mean what the folder says."""
    folder = trial(codes=SiteCodes(local={(LAB, "SPLEEN"): "splenomegaly", (LAB, "FER"): "ferritin"}))
    own = {"code": {"coding": [{"system": LAB, "code": "FER"}]}}
    hospital.publishes(condition("c1", **LOCAL), result("f1") | own)
    assert hospital.pull().fetched == 0
    report = hospital.pull(folder)
    assert (report.fetched, report.measurements, report.findings) == (2, 1, 1)


def searchset(*resources: dict[str, Any]) -> httpx.Response:
    """A page that is the whole answer."""
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return httpx.Response(200, json={"resourceType": "Bundle", "type": "searchset", "entry": entries})


def pulled(state: Path, fhir_mock: respx.MockRouter, conditions: httpx.Response | None, *parameters: str) -> PullReport:
    """Pull from a server that declares these search parameters of Conditions, and answers so."""
    declared = [
        {"type": "Observation", "searchParam": [{"name": "code", "type": "token"}]},
        {"type": "Condition", "searchParam": [{"name": name, "type": "token"} for name in parameters]},
    ]
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": declared}]}
    fhir_mock.get("/metadata").mock(httpx.Response(200, json=statement))
    fhir_mock.post("/Patient/_search").mock(searchset(patient()))
    fhir_mock.post("/Observation/_search").mock(searchset(result("f1", valueQuantity={"value": 5, "unit": "ng/mL"})))
    if conditions is not None:
        fhir_mock.post("/Condition/_search").mock(conditions)
    server = ServerSettings(base=BASE, name="hospital", test=True, attempts=1)
    return pull(trial(), server, state, PullOptions(subjects=1), now=NOW)


@pytest.mark.parametrize("parameters", [(), ("patient", "category")])
def test_a_server_without_the_search_is_read_without_conditions(
    fhir_mock: respx.MockRouter, tmp_path: Path, parameters: tuple[str, ...]
) -> None:
    """Said once, and no error; a whole list of diagnoses is never asked for: the mock would not answer."""
    report = pulled(tmp_path / "state.sqlite", fhir_mock, None, *parameters)
    assert [(one.severity, one.code) for one in report.set_aside] == [("information", "conditions-not-searched")]
    assert (report.fetched, report.outcome) == (1, "done")


@pytest.mark.parametrize("status", [403, 400])
def test_a_search_that_is_not_allowed_is_said_and_results_are_read(
    fhir_mock: respx.MockRouter, tmp_path: Path, status: int
) -> None:
    """A token for results alone is a usual one; what was known of Conditions stays."""
    state = tmp_path / "state.sqlite"
    active = condition("c1")
    first = pulled(state, fhir_mock, searchset(active), "patient", "code")
    assert (first.fetched, first.set_aside) == (2, [])
    report = pulled(state, fhir_mock, httpx.Response(status, json={}), "patient", "code")
    assert [(one.severity, one.code) for one in report.set_aside] == [("warning", "conditions-not-searched")]
    assert (counts(report), report.outcome, report.findings) == ((1, 0, 0, 0), "done", 1)


@pytest.mark.parametrize("status", [401, 500])
def test_a_search_that_fails_leaves_the_window_unread(fhir_mock: respx.MockRouter, tmp_path: Path, status: int) -> None:
    """Nothing incomplete feeds a score in silence."""
    report = pulled(tmp_path / "state.sqlite", fhir_mock, httpx.Response(status, json={}), "patient", "code")
    assert (report.fetched, report.complete) == (0, False)


@pytest.fixture
def laboratory(tmp_path: Path) -> Hospital:
    """A hospital without a server."""
    return Hospital("", tmp_path / "state.sqlite")


def from_file(laboratory: Hospital, path: Path, *lines: Any) -> PullReport:
    """Pull a file of these resources."""
    return laboratory.pull(options=PullOptions(file=write_lines(path, patient(), *lines), subjects=1))


def test_a_file_brings_conditions_that_the_score_asks_for(laboratory: Hospital, tmp_path: Path) -> None:
    """And nothing else of a list of diagnoses, which is not counted either."""
    report = from_file(laboratory, tmp_path / "a.ndjson", condition("c1"), condition("c2", **DIABETES), result("f1"))
    assert (counts(report), report.findings, report.set_aside) == ((2, 2, 0, 0), 1, [])
    assert names(laboratory) == ["Condition/c1", "Observation/f1"]


def test_one_that_cannot_be_placed_is_kept_and_said(laboratory: Hospital, tmp_path: Path) -> None:
    """So that a person hears of it."""
    report = from_file(laboratory, tmp_path / "a.ndjson", condition("c1", onsetDateTime="someday"))
    assert (report.fetched, codes(report.set_aside), report.outcome) == (1, ["result-time"], "in part")


def test_a_file_brings_what_the_folder_adds(laboratory: Hospital, tmp_path: Path) -> None:
    """A local code of a diagnosis."""
    folder = trial(codes=SiteCodes(local={(LAB, "SPLEEN"): "splenomegaly"}))
    path = write_lines(tmp_path / "a.ndjson", patient(), condition("c1", **LOCAL))
    report = laboratory.pull(folder, PullOptions(file=path, subjects=1))
    assert (report.fetched, report.findings) == (1, 1)


def test_a_file_withdraws_no_condition_that_it_does_not_mention(laboratory: Hospital, tmp_path: Path) -> None:
    """What it mentions as an error it does."""
    from_file(laboratory, tmp_path / "a.ndjson", condition("c1"), condition("c2"))
    report = from_file(laboratory, tmp_path / "b.ndjson", condition("c2", "entered-in-error"))
    assert (counts(report), [one.reference for one in known(laboratory)]) == ((1, 0, 0, 1), ["Condition/c1"])


def test_a_condition_that_became_another_one_is_withdrawn(laboratory: Hospital, tmp_path: Path) -> None:
    """Its newer version is a diagnosis that no score asks for: nothing of that is kept but its age."""
    first, second = ({"versionId": number} for number in "12")
    from_file(laboratory, tmp_path / "a.ndjson", condition("c1", meta=first))
    report = from_file(laboratory, tmp_path / "b.ndjson", condition("c1", meta=second, **DIABETES))
    assert (report.withdrawn, names(laboratory)) == (1, [])
    with open_store(laboratory.state, writer=False) as store:
        bodies = [one.body for one in ResultStore(store, "made-up").versions("Condition/c1")]
    assert [b"73211009" in body for body in bodies] == [False, False]


def test_one_that_ended_before_the_window_is_withdrawn(laboratory: Hospital, tmp_path: Path) -> None:
    """Its newer version is outside the days read."""
    from_file(laboratory, tmp_path / "a.ndjson", condition("c1", meta={"versionId": "1"}))
    over = condition("c1", clinical="resolved", abatementDateTime="2023-06-01", meta={"versionId": "2"})
    report = from_file(laboratory, tmp_path / "b.ndjson", over)
    assert (report.withdrawn, codes(report.set_aside)) == (1, ["outside-window"])


def test_an_older_file_does_not_undo_a_refutation(laboratory: Hospital, tmp_path: Path) -> None:
    """Versions tell which is newer."""
    older, newer = ({"versionId": number} for number in "12")
    from_file(laboratory, tmp_path / "b.ndjson", condition("c1", "refuted", meta=newer))
    from_file(laboratory, tmp_path / "a.ndjson", condition("c1", meta=older))
    assert [one.present for one in known(laboratory)] == [False]


def test_of_a_file_it_lasts_no_longer_than_it_says(laboratory: Hospital, tmp_path: Path) -> None:
    """Nobody knows what the hospital says today."""
    from_file(laboratory, tmp_path / "a.ndjson", condition("c1", meta={"lastUpdated": "2024-01-20T08:00:00Z"}))
    (one,) = known(laboratory)
    assert one.until is not None
    assert one.until.iso == "2024-01-20T08:00:00Z"

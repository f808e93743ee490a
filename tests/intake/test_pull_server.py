"""pull from a server: each subject's window again, with corrections, late results and disappearances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fhir_adapter import fhirjson
from fhir_adapter.client import loopback_server
from fhir_adapter.intake import results_of, search_window
from fhir_adapter.issues import Misconfigured, Refused, Retriable
from fhir_adapter.jobs.pull import PullOptions, pull
from fhir_adapter.store import Received, ResultStore, open_store
from tests.intake.hospital import (
    AST,
    FERRITIN,
    HEMOGLOBIN,
    LOINC,
    NOW,
    PLATELETS,
    Hospital,
    as_json,
    codes,
    counts,
    kinds,
    numbered,
    patient,
    result,
    trial,
)


def stored(hospital: Hospital, name: str) -> list[Received]:
    """Every body of a resource, the oldest first."""
    with open_store(hospital.state, writer=False) as store:
        return ResultStore(store, "made-up").versions(name)


def test_a_pull_fetches_what_the_hospital_published(hospital: Hospital) -> None:
    """Results of the window, with their digits, versions and hashes."""
    hospital.publishes(result("f1", "24560.00"), result("h1", "92", HEMOGLOBIN, "g/L"))
    report = hospital.pull()
    assert (counts(report), report.measurements, report.outcome) == ((2, 2, 0, 0), 2, "done")
    (body,) = stored(hospital, "Observation/f1")
    assert (b"24560.00" in body.body, body.version, len(body.sha256)) == (True, "1", 32)


def test_a_second_pull_changes_nothing(hospital: Hospital) -> None:
    """The window is read again and found as it was; the checkpoint is the server's time."""
    hospital.publishes(result("f1"))
    first, second = hospital.pull(), hospital.pull()
    assert counts(second) == (1, 0, 0, 0)
    assert first.checkpoint <= second.checkpoint
    assert second.checkpoint.endswith("+00:00")


def test_a_long_course_is_read_page_by_page(hospital: Hospital) -> None:
    """More results than a page holds all arrive."""
    entries = [
        {
            "resource": result(f"f{number}", effectiveDateTime=f"2024-01-10T06:{number % 60:02}:00+08:00"),
            "request": {"method": "PUT", "url": f"Observation/f{number}"},
        }
        for number in range(450)
    ]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    headers = {"Content-Type": "application/fhir+json"}
    httpx2.post(hospital.base, content=fhirjson.dumps(body), headers=headers, timeout=60).raise_for_status()
    assert counts(hospital.pull()) == (450, 450, 0, 0)


def test_a_correction_is_a_change_and_both_bodies_are_kept(hospital: Hospital) -> None:
    """The same id with another value: the new one counts, the old one can still be shown."""
    hospital.publishes(result("f1", "100"))
    hospital.pull()
    hospital.publishes(result("f1", "200", status="corrected"))
    report = hospital.pull()
    assert (counts(report), report.measurements) == ((1, 0, 1, 0), 1)
    assert [one.version for one in stored(hospital, "Observation/f1")] == ["1", "2"]
    with open_store(hospital.state, writer=False) as store:
        (found,), _ = results_of(store, trial(), now=NOW)
    assert (found.value, found.status, found.version) == ("200", "corrected", "2")


def test_entered_in_error_withdraws_the_value(hospital: Hospital) -> None:
    """It counts as withdrawn, stays listed with its reason, and gives no value."""
    hospital.publishes(result("f1"))
    hospital.pull()
    hospital.publishes(result("f1", status="entered-in-error"))
    report = hospital.pull()
    assert (counts(report), report.measurements) == ((1, 0, 0, 1), 0)
    assert (codes(report.set_aside), report.outcome) == (["result-status"], "done")


def test_e97_a_result_that_disappeared_is_withdrawn(hospital: Hospital) -> None:
    """Its body is kept; when it comes back it is new."""
    hospital.publishes(result("f1"), result("f2", effectiveDateTime="2024-01-11T06:30:00+08:00"))
    hospital.pull()
    hospital.deletes("Observation/f1")
    report = hospital.pull()
    assert (counts(report), report.measurements) == ((1, 0, 0, 1), 1)
    assert len(stored(hospital, "Observation/f1")) == 1
    hospital.publishes(result("f1"))
    assert hospital.pull().new == 1


def test_another_window_withdraws_nothing(hospital: Hospital) -> None:
    """What is no longer asked for did not disappear."""
    hospital.publishes(result("f1", effectiveDateTime="2024-02-10T06:30:00+08:00"))
    hospital.pull()
    report = hospital.pull(trial(last_day=5))
    assert (counts(report), report.measurements) == ((0, 0, 0, 0), 1)


@pytest.mark.parametrize(
    ("collected", "read"),
    [
        ("2023-12-27T00:00:00+08:00", 1),  # day -14 begins
        ("2023-12-26T23:59:59+08:00", 0),
        ("2024-02-18T23:59:59+08:00", 1),  # day 40 ends
        ("2024-02-19T00:00:00+08:00", 0),
        ("2023-12-27", 1),
        ("2023-12-26", 0),
        ("2024-02", 1),
    ],
)
def test_the_window_is_counted_in_study_days_at_the_site(hospital: Hospital, collected: str, read: int) -> None:
    """Days begin at midnight in Shanghai; a partial date that overlaps is kept."""
    hospital.publishes(result("f1", effectiveDateTime=collected))
    assert hospital.pull().fetched == read


def test_b38_a_result_sent_again_under_another_id_counts_once(hospital: Hospital) -> None:
    """The same business identifier, analyte and time: the latest issued counts, the other is named."""
    first = result("f1", identifier=numbered("N1"), issued="2024-01-10T09:00:00+08:00")
    again = result("f1-again", identifier=numbered("N1"), issued="2024-01-10T11:00:00+08:00")
    hospital.publishes(first, again)
    report = hospital.pull()
    assert (report.fetched, report.measurements, codes(report.set_aside)) == (2, 1, ["resent"])
    assert report.set_aside[0].where.resource == "Observation/f1"


def test_one_number_of_a_sample_is_not_one_result(hospital: Hospital) -> None:
    """Two analytes under the sample's number are two results."""
    hospital.publishes(
        result("f1", identifier=numbered("N1")), result("h1", "9", HEMOGLOBIN, "g/dL", identifier=numbered("N1"))
    )
    assert hospital.pull().measurements == 2


def test_one_number_of_two_specimens_is_not_one_result(hospital: Hospital) -> None:
    """They contradict each other, and both stand."""
    first, second = (
        result(name, value, identifier=numbered("N1"), specimen={"reference": f"Specimen/{name}"})
        for name, value in (("f1", "1320"), ("f2", "13200"))
    )
    hospital.publishes(first, second)
    report = hospital.pull()
    assert (report.measurements, "resent" in codes(report.set_aside)) == (2, False)


def test_b38_a_twin_without_an_identifier_is_flagged(hospital: Hospital) -> None:
    """Nobody knows whether it is a second result."""
    hospital.publishes(result("f1"), result("f2"))
    hospital.pull()
    with open_store(hospital.state, writer=False) as store:
        found, _ = results_of(store, trial(), now=NOW)
    assert [one.flags for one in found] == [(), ("same value and time as Observation/f1: sent twice?",)]


def test_results_of_other_patients_stay_where_they_are(hospital: Hospital) -> None:
    """A patient who is not in the trial is never asked for."""
    hospital.publishes(patient("hp-9", "999"), result("f9", subject={"reference": "Patient/hp-9"}))
    assert counts(hospital.pull()) == (0, 0, 0, 0)


def test_b46_the_same_number_in_another_system_is_somebody_else(hospital: Hospital) -> None:
    """Identifier systems are compared, not only values."""
    hospital.publishes(patient(system="https://other.example/id"))
    report = hospital.pull()
    assert (codes(report.why_incomplete), report.outcome) == (["patient-not-found"], "in part")


def test_two_patients_that_match_stop_that_subject(hospital: Hospital) -> None:
    """A person must decide; nothing is read."""
    hospital.publishes(patient("hp-2"), result("f1"))
    report = hospital.pull()
    assert (codes(report.why_incomplete), kinds(report), report.fetched) == (
        ["patient-ambiguous"],
        ["two-patients"],
        0,
    )
    assert report.review_items[0].subject == "001"


@pytest.mark.parametrize(
    "change", [{"active": False}, {"link": [{"type": "replaced-by", "other": {"reference": "Patient/hp-2"}}]}]
)
def test_b47_a_merged_patient_stops_that_subject(hospital: Hospital, change: dict[str, Any]) -> None:
    """What was read before stays; nothing is followed without a person."""
    hospital.publishes(result("f1"))
    hospital.pull()
    hospital.publishes(patient("hp-2", "xxx"), patient(**change))
    report = hospital.pull()
    assert (codes(report.why_incomplete), counts(report), report.measurements) == (["patient-merged"], (0, 0, 0, 0), 1)


def test_a_subject_without_a_dose_is_passed_over(hospital: Hospital) -> None:
    """There are no study days; the pull is complete all the same."""
    report = hospital.pull(options=PullOptions())
    assert [(one.severity, one.code) for one in report.set_aside] == [("information", "no-first-dose")]
    assert (report.complete, report.outcome) == (True, "done")


def test_a_component_is_found_like_a_result_of_its_own(hospital: Hospital) -> None:
    """B 39: the panel's code is no analyte, its components are."""
    code = {"coding": [{"system": LOINC, "code": "58410-2"}]}
    parts = [result("", "84", HEMOGLOBIN, "g/L"), result("", "62", PLATELETS, "10*9/L")]
    components = [{key: part[key] for key in ("code", "valueQuantity")} for part in parts]
    hospital.publishes(result("cbc", component=components) | {"code": code})
    report = hospital.pull()
    assert (report.fetched, report.measurements) == (1, 2)


def test_a_server_that_fails_ends_before_anything_is_read(tmp_path: Path) -> None:
    """Nothing is lost; the next run reads everything."""
    settings = replace(loopback_server("http://127.0.0.1:9/fhir"), attempts=1)
    with pytest.raises(Retriable):
        pull(trial(), settings, tmp_path / "state.sqlite", PullOptions(), now=NOW)


def test_made_up_subjects_are_not_looked_for_in_production(tmp_path: Path) -> None:
    """Refused before any request."""
    settings = replace(loopback_server("http://127.0.0.1:9/fhir"), test=False)
    with pytest.raises(Refused, match="HTEST"):
        pull(trial(), settings, tmp_path / "state.sqlite", PullOptions())


def test_a_server_to_write_to_is_not_read_from(tmp_path: Path) -> None:
    """Its role says so."""
    settings = replace(loopback_server("http://127.0.0.1:9/fhir"), role="write")
    with pytest.raises(Refused, match="role write"):
        pull(trial(), settings, tmp_path / "state.sqlite", PullOptions())


def test_a_trial_without_a_hospital_cannot_be_pulled(hospital: Hospital) -> None:
    """The folder must say how Patients are found."""
    with pytest.raises(Misconfigured, match="hospital"):
        hospital.pull(replace(trial(), hospital=None))


def test_neither_server_nor_file_is_no_place(tmp_path: Path) -> None:
    """One of the two must be named."""
    with pytest.raises(Misconfigured, match="either"):
        pull(trial(), None, tmp_path / "state.sqlite", PullOptions())


def test_an_r5_server_is_refused(tmp_path: Path) -> None:
    """Nothing of it is read as if it were R4."""
    from tests.stories.sandbox import running  # noqa: PLC0415 - a server of its own

    with running(quirks=("r5",)) as base, pytest.raises(Refused, match=r"5\.0\.0"):
        pull(trial(), loopback_server(base), tmp_path / "state.sqlite", PullOptions())


def test_a_report_holds_no_value_of_a_subject(hospital: Hospital) -> None:
    """Neither a value nor the hospital's number, whatever was refused."""
    hospital.publishes(
        result("f1", "424242", unit="furlong"),
        result("f2", valueString="424242 or so", effectiveDateTime="2024-01-12T06:30:00+08:00"),
    )
    report = hospital.pull()
    assert "424242" not in as_json(report.to_dict())
    assert (report.outcome, report.measurements) == ("in part", 0)


def test_the_report_says_what_its_page_promises(hospital: Hospital) -> None:
    """The keys of the JSON."""
    hospital.publishes(result("f1"))
    told = hospital.pull().to_dict()
    assert {
        *("complete", "why_incomplete", "fetched", "new", "changed", "withdrawn", "measurements", "findings"),
        *("review", "set_aside", "requests", "checkpoint"),
    } <= set(told)
    assert (told["requests"], told["review"]) == (4, 0)


def test_what_is_published_of_the_hospital_is_known_by_its_patient(hospital: Hospital) -> None:
    """The store remembers under which Patient a subject was found, and who was read whole."""
    hospital.publishes(result("f1"), result("a1", "30", AST, "U/L"))
    hospital.pull()
    with open_store(hospital.state, writer=False) as store:
        results = ResultStore(store, "made-up")
        (last,) = results.pulls()
        assert (results.patient_of("001"), results.patient_of("002")) == ("Patient/hp-1", None)
        assert (last.complete, last.subjects, last.place) == (True, ("001",), hospital.base)
        assert results.last_read("001") == results.last_pull() == last


def test_the_search_asks_for_ferritin_among_others() -> None:
    """The codes come from the terminology room."""
    from fhir_adapter.terminology import search_codes  # noqa: PLC0415

    assert (LOINC, FERRITIN) in search_codes()
    assert callable(search_window)

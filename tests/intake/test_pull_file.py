"""pull --file: what a laboratory without a FHIR server hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.intake import resources_in
from fhir_adapter.issues import Misconfigured, Rejected
from fhir_adapter.jobs.pull import PullOptions, PullReport
from tests.intake.hospital import (
    AST,
    SYSTEM,
    Hospital,
    bundle,
    codes,
    counts,
    kinds,
    numbered,
    patient,
    result,
    trial,
    write_lines,
)
from tests.made_up import add, copy_trial

BY_IDENTIFIER = {"identifier": {"system": SYSTEM, "value": "001"}}


@pytest.fixture
def laboratory(tmp_path: Path) -> Hospital:
    """A laboratory without a server."""
    return Hospital("", tmp_path / "state.sqlite")


def pulled(laboratory: Hospital, path: Path) -> PullReport:
    """Pull a file for the first subject."""
    return laboratory.pull(options=PullOptions(file=path, subjects=1))


def test_ndjson_is_read_line_by_line(laboratory: Hospital, tmp_path: Path) -> None:
    """Patients may stand behind their results."""
    path = write_lines(tmp_path / "results.ndjson", result("f1"), "", patient())
    report = pulled(laboratory, path)
    assert (counts(report), report.measurements, report.outcome, report.requests) == ((1, 1, 0, 0), 1, "done", 0)


def test_a_bad_line_is_set_aside_with_its_number(laboratory: Hospital, tmp_path: Path) -> None:
    """The rest is read; the pull is incomplete."""
    path = write_lines(tmp_path / "results.ndjson", patient(), '{"resourceType": "Observation", NaN', result("f1"))
    report = pulled(laboratory, path)
    (why,) = report.why_incomplete
    assert (why.code, why.where.file, why.where.line) == ("not-json", "results.ndjson", 2)
    assert (report.fetched, report.outcome) == (1, "in part")


def test_a_bundle_is_read(laboratory: Hospital, tmp_path: Path) -> None:
    """Results may refer to a Patient by the address of its entry."""
    by_address = result("f2", subject={"reference": "urn:uuid:p"}, effectiveDateTime="2024-01-11T06:00:00+08:00")
    path = write_lines(tmp_path / "results.json", bundle(result("f1"), by_address, p=patient()))
    assert counts(pulled(laboratory, path)) == (2, 2, 0, 0)


def test_a_single_resource_is_read(laboratory: Hospital, tmp_path: Path) -> None:
    """Whose it is stands in its own identifier."""
    path = write_lines(tmp_path / "one.json", result("f1", subject=BY_IDENTIFIER))
    assert counts(pulled(laboratory, path)) == (1, 1, 0, 0)


def test_lines_under_another_name_are_lines(laboratory: Hospital, tmp_path: Path) -> None:
    """NDJSON is known by its first line too."""
    path = write_lines(tmp_path / "results.txt", patient(), result("f1"))
    assert counts(pulled(laboratory, path)) == (1, 1, 0, 0)


def test_results_of_other_patients_are_counted_and_not_kept(laboratory: Hospital, tmp_path: Path) -> None:
    """Known or unknown, identified or not: they are none of the trial's business."""
    path = write_lines(
        tmp_path / "results.ndjson",
        patient("hp-9", "999"),
        result("f9", subject={"reference": "Patient/hp-9"}),
        result("f8", subject={"identifier": {"system": "https://other.example", "value": "001"}}),
        result("f7"),
    )
    report = pulled(laboratory, path)
    assert ([(one.severity, one.code) for one in report.set_aside], report.fetched) == (
        [("information", "foreign-result")],
        0,
    )
    assert report.set_aside[0].message.startswith("3 results")


def test_a_result_that_names_two_people_is_nobodys(laboratory: Hospital, tmp_path: Path) -> None:
    """Reference and identifier must agree."""
    contradicting = {"reference": "Patient/hp-9", **BY_IDENTIFIER}
    path = write_lines(tmp_path / "r.ndjson", patient("hp-9", "999"), result("f1", subject=contradicting))
    assert codes(pulled(laboratory, path).set_aside) == ["foreign-result"]


def test_a_patient_of_an_earlier_pull_is_known(laboratory: Hospital, tmp_path: Path) -> None:
    """The second file needs no Patient."""
    pulled(laboratory, write_lines(tmp_path / "first.ndjson", patient(), result("f1")))
    report = pulled(laboratory, write_lines(tmp_path / "later.ndjson", result("f1", "25000", status="corrected")))
    assert (counts(report), report.measurements) == ((1, 0, 1, 0), 1)


def test_a_file_withdraws_nothing_by_silence(laboratory: Hospital, tmp_path: Path) -> None:
    """It says what is there; entered in error is said in words."""
    pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), result("f1"), result("f2", "1")))
    silent = pulled(laboratory, write_lines(tmp_path / "b.ndjson", patient(), result("f2", "1")))
    assert (counts(silent), silent.measurements) == ((1, 0, 0, 0), 2)
    spoken = pulled(laboratory, write_lines(tmp_path / "c.ndjson", result("f1", status="entered-in-error")))
    assert (counts(spoken), spoken.measurements) == ((1, 0, 0, 1), 1)


def test_an_old_file_does_not_undo_a_correction(laboratory: Hospital, tmp_path: Path) -> None:
    """Versions tell which is newer; the same file twice changes nothing."""
    first = write_lines(tmp_path / "a.ndjson", patient(), result("f1", "1", meta={"versionId": "1"}))
    later = write_lines(tmp_path / "b.ndjson", result("f1", "2", meta={"versionId": "2"}))
    pulled(laboratory, first)
    assert pulled(laboratory, later).changed == 1
    assert counts(pulled(laboratory, first)) == (0, 0, 0, 0)
    assert counts(pulled(laboratory, later)) == (1, 0, 0, 0)


def test_the_time_of_issue_tells_where_no_server_did(laboratory: Hospital, tmp_path: Path) -> None:
    """Files of a laboratory have no versions; what it took back stays taken back."""
    issued = result("f1", issued="2024-01-10T09:00:00+08:00")
    withdrawn = result("f1", status="entered-in-error", issued="2024-01-12T09:00:00+08:00")
    first = write_lines(tmp_path / "a.ndjson", patient(), issued)
    pulled(laboratory, first)
    assert pulled(laboratory, write_lines(tmp_path / "b.ndjson", withdrawn)).withdrawn == 1
    assert (counts(report := pulled(laboratory, first)), report.measurements) == ((0, 0, 0, 0), 0)


def test_a_retraction_without_an_issue_time_wins(laboratory: Hospital, tmp_path: Path) -> None:
    """Its version tells, whatever the first body says of its issue; without any age, what was taken back stays so."""
    first = result("f1", meta={"versionId": "1"}, issued="2024-01-10T09:00:00+08:00")
    retracted = result("f1", status="entered-in-error", meta={"versionId": "2"})
    ageless = [result("f2", "1", status="entered-in-error"), result("f2", "1")]
    path = write_lines(tmp_path / "a.ndjson", patient(), retracted, first, *ageless)
    assert [one["status"] for one in resources_in(path).resources[1:]] == ["entered-in-error", "entered-in-error"]
    assert pulled(laboratory, path).measurements == 0


def test_a_body_without_an_age_does_not_hide_which_version_is_newer(tmp_path: Path) -> None:
    """It stands between any two."""
    bodies = [result("f1", "2", meta={"versionId": "2"}), result("f1", "3"), result("f1", "1", meta={"versionId": "1"})]
    (read,) = resources_in(write_lines(tmp_path / "a.ndjson", *bodies)).resources
    assert read["meta"] == {"versionId": "2"}


@pytest.mark.parametrize(
    "moved",
    [
        {"subject": {"reference": "Patient/hp-9"}},
        {"subject": {"reference": "Patient/never-heard-of"}},
        {"effectiveDateTime": "2025-01-10T06:30:00+08:00"},
    ],
)
@pytest.mark.parametrize(("before", "after"), [({"versionId": "1"}, {"versionId": "2"}), ({}, {})])
def test_a_result_that_moves_away_is_withdrawn(
    laboratory: Hospital, tmp_path: Path, moved: dict[str, Any], before: dict[str, str], after: dict[str, str]
) -> None:
    """A mislabelled tube, a wrong day: the old body counts no more, and the old file does not bring it back."""
    old = write_lines(tmp_path / "a.ndjson", patient(), result("f1", meta=before), result("f2", "1"))
    new = write_lines(tmp_path / "b.ndjson", patient("hp-9", "999"), result("f1", meta=after, **moved))
    pulled(laboratory, old)
    report = pulled(laboratory, new)
    assert (counts(report), report.measurements) == ((0, 0, 0, 1), 1)
    assert counts(pulled(laboratory, new)) == (0, 0, 0, 0)
    report = pulled(laboratory, old)
    assert (counts(report), report.measurements) == ((1, 0, 0, 0), 1)
    back = write_lines(tmp_path / "c.ndjson", result("f1", "7", meta={"versionId": "3"}))
    assert counts(pulled(laboratory, back)) == (1, 1, 0, 0)


def deletion(name: str, **response: str) -> dict[str, Any]:
    """A history that tells of a deletion."""
    entry = {"request": {"method": "DELETE", "url": f"Observation/{name}"}, "response": {"status": "204", **response}}
    return {"resourceType": "Bundle", "type": "history", "entry": [entry]}


def test_a_result_that_was_deleted_is_withdrawn(laboratory: Hospital, tmp_path: Path) -> None:
    """By a deletion that says when; the old file does not bring it back."""
    old = write_lines(tmp_path / "a.ndjson", patient(), result("f1", meta={"versionId": "1"}), result("f2", "1"))
    pulled(laboratory, old)
    report = pulled(laboratory, write_lines(tmp_path / "b.ndjson", deletion("f1", etag='W/"2"')))
    assert (counts(report), report.measurements, report.outcome) == ((0, 0, 0, 1), 1, "done")
    assert pulled(laboratory, old).measurements == 1


def test_a_deletion_without_an_age_changes_nothing_and_is_said(laboratory: Hospital, tmp_path: Path) -> None:
    """Whether the result was written again since, nobody knows: the pull is incomplete."""
    pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), result("f1", meta={"versionId": "1"})))
    report = pulled(laboratory, write_lines(tmp_path / "b.ndjson", deletion("f1"), deletion("f2", etag="2")))
    assert (counts(report), report.measurements) == ((0, 0, 0, 0), 1)
    assert [(one.code, one.where.resource) for one in report.why_incomplete] == [
        ("deletion-unclear", "Observation/f1"),
        ("deletion-unclear", "Observation/f2"),
    ]


def test_a_page_of_a_search_alone_makes_the_pull_incomplete(laboratory: Hospital, tmp_path: Path) -> None:
    """What the other pages hold may be missing."""
    page = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "https://a.test?p=2"}]}
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), result("f1"), page))
    assert ([one.code for one in report.why_incomplete], report.measurements) == (["bundle-page"], 1)


def test_nothing_of_a_stranger_is_kept_when_a_result_moves_to_one(laboratory: Hospital, tmp_path: Path) -> None:
    """The store remembers how old that body was, not what it says."""
    pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), result("f1")))
    theirs = result("f1", "777123", subject={"reference": "Patient/hp-9"}, meta={"versionId": "2"})
    assert pulled(laboratory, write_lines(tmp_path / "b.ndjson", theirs)).withdrawn == 1
    assert [text for text in (b"777123", b"hp-9") if text in laboratory.state.read_bytes()] == []


def test_a_result_that_moves_to_another_subject_counts_there(laboratory: Hospital, tmp_path: Path) -> None:
    """Taken from the one, new for the other; the old file changes nothing, whoever is read first."""
    folder = copy_trial(tmp_path)
    add(folder, "data/ec.csv", "002,DRUG,Y,5,mL,10.8,g/L,2024-01-11")
    people = [patient(), patient("hp-2", "002")]
    old = write_lines(tmp_path / "a.ndjson", *people, result("f1"))
    new = write_lines(tmp_path / "b.ndjson", *people, result("f1", "2", subject={"reference": "Patient/hp-2"}))
    reports = [laboratory.pull(options=PullOptions(file=file, source=folder / "data")) for file in (old, new, new, old)]
    assert [counts(one) for one in reports] == [(1, 1, 0, 0), (1, 1, 0, 1), (1, 0, 0, 0), (0, 0, 0, 0)]
    both = write_lines(
        tmp_path / "c.ndjson",
        *people,
        result("f1", "3", meta={"versionId": "5"}),
        result("f1", "4", meta={"versionId": "4"}, subject={"reference": "Patient/hp-2"}),
    )
    assert counts(laboratory.pull(options=PullOptions(file=both, source=folder / "data"))) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    "lines",
    [
        [result("f1", meta={"versionId": "1"}, subject={"reference": "Patient/hp-9"})],
        [result("f1", meta={"versionId": "3"}, subject={"reference": "https://proxy.test/fhir/Patient/hp-1"})],
        [patient("hp-9", "999"), result("x1", subject={"reference": "Patient/hp-9"})],
        [patient(active=False), result("f1", meta={"versionId": "3"}, subject={"reference": "Patient/hp-9"})],
        [patient(active=False), result("f1", meta={"versionId": "3"})],
    ],
)
def test_what_does_not_surely_move_stays(laboratory: Hospital, tmp_path: Path, lines: list[dict[str, object]]) -> None:
    """An older body, the same Patient by way of a proxy, another result, a subject about whom a person must decide."""
    first = write_lines(tmp_path / "a.ndjson", patient(), result("f1", meta={"versionId": "2"}))
    pulled(laboratory, first)
    report = pulled(laboratory, write_lines(tmp_path / "b.ndjson", *lines))
    assert (counts(report), report.measurements) == ((0, 0, 0, 0), 1)


def test_a_narrower_window_withdraws_nothing_of_a_file(laboratory: Hospital, tmp_path: Path) -> None:
    """The result did not move; the trial asks for fewer days."""
    late = result("f1", effectiveDateTime="2024-02-10T06:30:00+08:00")
    path = write_lines(tmp_path / "a.ndjson", patient(), late)
    pulled(laboratory, path)
    report = laboratory.pull(trial(last_day=5), PullOptions(file=path, subjects=1))
    assert (counts(report), report.measurements) == ((0, 0, 0, 0), 1)


def test_rows_that_move_a_window_are_named(laboratory: Hospital, tmp_path: Path) -> None:
    """Without a dose that was set aside the days may be counted from another one."""
    folder = copy_trial(tmp_path)
    add(folder, "data/ec.csv", "001,DRUG,Y,5,mL,10.8,g/L,2024-01-99")
    path = write_lines(tmp_path / "a.ndjson", patient(), result("f1"))
    report = laboratory.pull(options=PullOptions(file=path, source=folder / "data", subjects=1))
    assert [(one.code, one.where.file) for one in report.set_aside] == [("invalid-date", "ec.csv")]
    assert (report.outcome, report.fetched) == ("in part", 1)


def test_a_value_in_words_is_shown_to_a_person(laboratory: Hospital, tmp_path: Path) -> None:
    """It may say more than a number."""
    words = result("b1", code="3255-7", valueString="不凝")
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), words))
    assert (kinds(report), report.review_items[0].subject, report.outcome) == (["text-value"], "001", "in part")


def test_both_versions_in_one_file_end_as_the_newer(laboratory: Hospital, tmp_path: Path) -> None:
    """Whatever their order."""
    newer, older = result("f1", "2", meta={"versionId": "2"}), result("f1", "1", meta={"versionId": "1"})
    path = write_lines(tmp_path / "a.ndjson", patient(), newer, older)
    assert counts(pulled(laboratory, path)) == (1, 1, 0, 0)
    assert counts(pulled(laboratory, path)) == (1, 0, 0, 0)


def test_results_outside_the_trials_days_are_not_kept(laboratory: Hospital, tmp_path: Path) -> None:
    """They are counted."""
    late = result("f1", effectiveDateTime="2025-01-10T06:30:00+08:00")
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), late))
    assert (codes(report.set_aside), report.fetched) == (["outside-window"], 0)


@pytest.mark.parametrize(
    ("others", "code", "asked"),
    [
        ([patient("hp-2")], "patient-ambiguous", ["two-patients"]),
        ([patient(active=False)], "patient-merged", []),
    ],
)
def test_doubt_about_a_patient_stops_that_subject(
    laboratory: Hospital, tmp_path: Path, others: list[dict[str, object]], code: str, asked: list[str]
) -> None:
    """As it does on a server."""
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), *others, result("f1")))
    assert (codes(report.why_incomplete), kinds(report), report.fetched) == ([code], asked, 0)


def test_a_result_without_an_id_is_left_out(laboratory: Hospital, tmp_path: Path) -> None:
    """Nothing could correct it later."""
    nameless = result("x", subject=BY_IDENTIFIER)
    del nameless["id"]
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", nameless))
    assert [(one.code, one.where.line) for one in report.why_incomplete] == [("no-id", 1)]


def test_a_local_code_is_shown_to_a_person_once(laboratory: Hospital, tmp_path: Path) -> None:
    """It means nothing here until somebody has decided."""
    code = {"coding": [{"system": "https://hospital.example/codes", "code": "FER"}]}
    lines = [result(f"f{day}", subject=BY_IDENTIFIER) | {"code": code} for day in range(3)]
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", *lines))
    assert (kinds(report), report.measurements, report.outcome) == (["local-code"], 0, "done")
    assert report.review_items[0].subject == "001"


def test_the_mark_is_the_latest_time_that_the_file_tells(laboratory: Hospital, tmp_path: Path) -> None:
    """Never the clock of this machine."""
    stamped = result("f1", meta={"lastUpdated": "2024-01-12T08:00:00+08:00"}, identifier=numbered("1"))
    report = pulled(laboratory, write_lines(tmp_path / "a.ndjson", patient(), stamped))
    assert report.checkpoint == "2024-01-12T00:00:00+00:00"
    unstamped = pulled(laboratory, write_lines(tmp_path / "b.ndjson", patient(), result("f2", "3")))
    assert unstamped.checkpoint == "pull 2"


def test_a_file_that_is_no_json_is_refused(laboratory: Hospital, tmp_path: Path) -> None:
    """Nothing of it is read."""
    with pytest.raises(Rejected):
        pulled(laboratory, write_lines(tmp_path / "a.json", "not json"))


def test_a_file_that_is_not_there_is_a_mistake(laboratory: Hospital, tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(Misconfigured, match="cannot be read"):
        pulled(laboratory, tmp_path / "a.ndjson")


def test_what_came_from_server_and_file_counts_once(hospital: Hospital, tmp_path: Path) -> None:
    """The same id in two places is one result, in its newest version."""
    hospital.publishes(result("f1"))
    hospital.pull()
    path = write_lines(tmp_path / "a.ndjson", result("f1", "25000", meta={"versionId": "2"}))
    report = hospital.pull(trial(), PullOptions(file=path, subjects=1))
    assert (counts(report), report.measurements) == ((1, 1, 0, 0), 1)


def test_one_id_at_two_places_may_be_two_results(hospital: Hospital, tmp_path: Path) -> None:
    """Ids are a place's own: Observation/1 is ferritin here and AST there, or ferritin of another day."""
    hospital.publishes(result("1"), result("2"))
    hospital.pull()
    others = [result("1", "30", AST, "U/L"), result("2", effectiveDateTime="2024-01-12T06:30:00+08:00")]
    report = hospital.pull(trial(), PullOptions(file=write_lines(tmp_path / "a.ndjson", *others), subjects=1))
    assert (counts(report), report.measurements) == ((2, 2, 0, 0), 4)


def test_all_resources_of_a_file_can_be_had_without_a_trial(tmp_path: Path) -> None:
    """Of whomever; of several with one id the newest, and bad lines are named."""
    newer, older = result("f1", "2", meta={"versionId": "2"}), result("f1", "1", meta={"versionId": "1"})
    nameless = {key: value for key, value in result("x").items() if key != "id"}
    read = resources_in(write_lines(tmp_path / "a.ndjson", newer, older, "{", nameless, nameless))
    assert [one.get("id") for one in read.resources] == ["f1", None, None]
    assert read.resources[0]["meta"] == {"versionId": "2"}
    assert [issue.where.line for issue in read.issues] == [3]


@pytest.mark.parametrize("strange", [["x"], {"value": {"a": 1}}, [{"system": {}, "value": ["1"]}], 7])
def test_identifiers_of_a_wrong_form_are_none(laboratory: Hospital, tmp_path: Path, strange: object) -> None:
    """The result counts; it only cannot be told from one that is sent again."""
    path = write_lines(tmp_path / "a.ndjson", patient(), result("f1", identifier=strange))
    assert pulled(laboratory, path).measurements == 1

"""Whose a result of a file is, what a file of any kind says, at once or in pieces; a trial without a rule."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.intake import resources_in
from fhir_adapter.intake.whose import whose
from fhir_adapter.issues import Misconfigured, Rejected
from fhir_adapter.jobs.score import ScoreOptions, rules_of
from fhir_adapter.jobs.score_observations import score_file, score_observations, scoring_of
from fhir_adapter.trial_folder import read_trial_folder, trial_path


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        ({"reference": "Patient/a"}, "Patient/a"),
        ({"reference": "Patient/a/_history/2"}, "Patient/a"),
        ({"identifier": {"system": "urn:x", "value": "7"}}, "urn:x|7"),
        ({"reference": "https://a.test/fhir/Patient/a"}, "https://a.test/fhir/Patient/a"),
        (
            {"reference": "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
            "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        ),
        ({"reference": "#p"}, None),
        ({"reference": "Group/a"}, None),
        ({"reference": "Patient?identifier=http://s|1"}, None),
        ({"identifier": {"value": "7"}}, None),
        ({"display": "测试一"}, None),
        ("Patient/a", None),
    ],
)
def test_a_result_belongs_to_whom_it_refers_to(subject: object, named: str | None) -> None:
    """By reference, or by a logical one; a name alone is nobody."""
    patient = whose({"resourceType": "Observation", "subject": subject})
    assert (patient.key if patient else None) == named


def test_a_trial_without_a_rule_is_not_scored() -> None:
    """Which result counts is never a default."""
    folder = replace(read_trial_folder(trial_path("nct02569463")), scores=None)
    with pytest.raises(Misconfigured) as error:
        rules_of(folder, ScoreOptions())
    assert [issue.code for issue in error.value.issues] == ["no-score-rule"]


def result(name: str, value: str, patient: str = "Patient/made-up-1", **more: Any) -> dict[str, Any]:
    """A made-up AST."""
    quantity = {"value": Decimal(value), "unit": "U/L", "system": "http://unitsofmeasure.org", "code": "U/L"}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "1920-8"}]},
        "subject": {"reference": patient},
        "effectiveDateTime": "2024-01-10T06:30:00+08:00",
        "valueQuantity": quantity,
        **more,
    }


NAMELESS = {key: value for key, value in result("x", "12.50").items() if key != "id"}
OF_NOBODY = {key: value for key, value in result("n", "40").items() if key != "subject"}
MIXED: list[dict[str, Any] | str] = [
    result("a", "20", meta={"versionId": "1"}),
    result("b", "31", "Patient/made-up-2"),
    "{",
    OF_NOBODY,
    result("c", "25", subject={"identifier": {"system": "urn:made-up", "value": "\u5f20 3"}}),
    result("a", "40", meta={"versionId": "2"}, code={"text": "AST"}),
    result("a", "50", "Patient/made-up-2", status="preliminary"),
    NAMELESS,
    NAMELESS,
    {"resourceType": "Patient", "id": "made-up-1"},
    {"resourceType": "Bundle", "timestamp": "2024-01-11", "entry": [{"resource": result("d", "1.2e1")}, {}]},
    OF_NOBODY,
    OF_NOBODY | {"status": "entered-in-error"},
    {"resourceType": "Gossip"},
]


def write(path: Path, *values: object) -> Path:
    """A file of one line a value; a text goes in as it is."""
    path.write_bytes(b"".join((v.encode() if isinstance(v, str) else fhirjson.dumps(v)) + b"\n" for v in values))
    return path


def in_pieces(path: Path) -> bytes:
    """The JSON of a file, joined."""
    with scoring_of(path, 100) as scoring:
        return b"".join(scoring.chunks())


@pytest.mark.parametrize("name", ["a.ndjson", "a.txt"])
def test_a_file_in_pieces_says_what_all_of_it_says_at_once(tmp_path: Path, name: str) -> None:
    """The same bytes: subjects, scores, evidence and issues, in the same order."""
    path = write(tmp_path / name, *MIXED)
    read = resources_in(path)
    whole = score_observations(read.resources, 100, read.issues)
    assert in_pieces(path) == fhirjson.dumps(whole.to_dict())
    assert score_file(path, 100) == whole


@pytest.mark.parametrize("values", [[], [result("a", "20")], [OF_NOBODY], [{"resourceType": "Bundle"}]])
def test_few_or_none_are_one_document_too(tmp_path: Path, values: list[object]) -> None:
    """No comma too many; where there is nothing to score, that is said."""
    told = fhirjson.loads(in_pieces(write(tmp_path / "a.ndjson", *values)))
    assert list(told) == ["criteria", "cutoff", "scores", "changes", "issues"]
    assert len(told["scores"]) + len(told["issues"]) == 1


def test_of_several_bodies_of_one_result_the_newest_counts(tmp_path: Path) -> None:
    """Wherever it stands in the file, and whoever else has a result of that id."""
    bodies = [result("a", "20", meta={"versionId": "2"}), result("a", "40", meta={"versionId": "1"})]
    path = write(tmp_path / "a.ndjson", bodies[0], result("a", "40", "Patient/made-up-2"), bodies[1])
    values = [
        [evidence.result.value for item in window.score.items for evidence in item.evidence]
        for one in score_file(path).subjects
        for window in one.windows
    ]
    assert values == [["20"], ["40"]]


def test_the_first_scores_come_with_the_number_of_all(tmp_path: Path) -> None:
    """A screen shows some of them, and how many there are."""
    with scoring_of(write(tmp_path / "a.ndjson", *MIXED)) as scoring:
        assert [one.subject for one in scoring.first(2)] == ["Patient/made-up-1", "Patient/made-up-2"]
        assert (scoring.scored, scoring.in_part) == (3, True)
        assert [issue.code for issue in scoring.issues(2)] == ["not-json", "unknown-resource"]
        assert scoring.kinds()["no-subject"] == 1


def test_a_bundle_and_a_single_resource_are_read_whole(tmp_path: Path) -> None:
    """Written over several lines or on one."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": result("a", "20")}]}
    pretty = fhirjson.dumps(bundle).decode().replace(",", ",\n")
    paths = [write(tmp_path / f"{place}.json", one) for place, one in enumerate([bundle, pretty, result("a", "20")])]
    assert len({in_pieces(path) for path in paths}) == 1


def test_lines_without_a_name_that_says_so_are_read_once(tmp_path: Path) -> None:
    """A pipe cannot be read twice, and a long file is never held whole."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = ["", result("a", "20"), "", result("b", "31", "Patient/made-up-2")]
    writer = threading.Thread(target=write, args=(pipe, *lines))
    writer.start()
    assert [one.subject for one in score_file(pipe).subjects] == ["Patient/made-up-1", "Patient/made-up-2"]
    writer.join()


@pytest.mark.parametrize("text", ["", "[", "ferritin,40000", '{"resourceType": "Observation"'])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    """Before anything is written."""
    with pytest.raises(Rejected) as error, scoring_of(write(tmp_path / "a.json", text)):
        pass
    assert [issue.code for issue in error.value.issues] == ["not-json"]


def test_a_file_that_cannot_be_opened_is_a_mistake_of_the_command(tmp_path: Path) -> None:
    """Its name is said."""
    with pytest.raises(Misconfigured) as error, scoring_of(tmp_path):
        pass
    assert [(issue.code, issue.where.file) for issue in error.value.issues] == [("file-unreadable", tmp_path.name)]


def test_the_same_id_on_two_servers_is_two_people(tmp_path: Path) -> None:
    """A relative reference is of the server in the entry's address; of one server the name alone is shown."""
    one, other = result("a", "20"), result("b", "40")
    for addresses, subjects in (
        (("https://a.test/fhir", "https://a.test/fhir"), ["Patient/made-up-1"]),
        (
            ("https://a.test/fhir", "https://b.test/fhir"),
            [f"https://{name}.test/fhir/Patient/made-up-1" for name in "ab"],
        ),
    ):
        entries = [
            {"fullUrl": f"{address}/Observation/{each['id']}", "resource": each}
            for address, each in zip(addresses, (one, other), strict=True)
        ]
        path = tmp_path / "bundle.json"
        path.write_bytes(fhirjson.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}))
        assert [each.subject for each in score_file(path).subjects] == subjects


@pytest.mark.parametrize(
    "spoilt", [{"status": "banana"}, {"valueQuantity": {"value": Decimal(900), "unit": "furlong"}}]
)
def test_a_result_that_cannot_be_read_leaves_its_item_open(spoilt: dict[str, Any]) -> None:
    """The worst of all results decides: without this one the others would look like all."""
    answer = score_observations([result("a", "20"), result("b", "900", **spoilt)])
    (window,) = answer.subjects[0].windows
    item = window.score.item("ast")
    assert (item.low, item.high, item.state) == (0, 19, "partial")
    (alone,) = score_observations([result("b", "900", **spoilt)]).subjects[0].windows
    assert alone.score.item("ast").state == "unknown"

"""What `fhir-adapter validate` says of files, and how it ends."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.stories.commands import Person

pytestmark = pytest.mark.measured_runs

RIGHT = b'{"resourceType":"Patient","id":"made-up","birthDate":"1980"}'
CANARY = "Canary-Made-Up"
WRONG = f'{{"resourceType":"Patient","name":[{{"family":"{CANARY}"}}],"birthDate":"1980-02-30"}}'.encode()
UNKNOWN = "https://w3id.org/fhir-adapter/StructureDefinition/of-nobody"


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with an empty home."""
    return Person.at(tmp_path / "person")


def errors_of(report: Any) -> list[tuple[str, int, str]]:
    """Code, line and expression of each error."""
    found = [issue for issue in report["issues"] if issue["severity"] == "error"]
    return [(one["code"], one["where"]["line"], one["where"]["expression"]) for one in found]


def test_what_is_right_ends_with_0(person: Person) -> None:
    """One file, nothing to say."""
    (person.home / "one.json").write_bytes(RIGHT)

    run = person.runs("validate", "one.json", "--format", "json")

    report = run.report
    counts = {key: report[key] for key in ("resources", "errors", "warnings", "not_evaluated", "issues")}
    assert (run.exit_code, run.err) == (0, "")
    assert counts == {"resources": 1, "errors": 0, "warnings": 0, "not_evaluated": 0, "issues": []}


def test_an_error_has_its_line_and_ends_with_4(person: Person) -> None:
    """The issue of every line that is wrong; the lines after it are looked at too, and no value is shown."""
    (person.home / "many.ndjson").write_bytes(b"\n".join([RIGHT, WRONG, b"", b"{broken", RIGHT, WRONG]) + b"\n")

    run = person.runs("validate", "many.ndjson", "--format", "json")

    assert run.exit_code == 4
    assert run.report["resources"] == 4
    assert sorted(errors_of(run.report), key=lambda one: one[1]) == [
        ("format", 2, "Patient.birthDate"),
        ("not-json", 4, None),
        ("format", 6, "Patient.birthDate"),
    ]
    assert CANARY not in run.out + run.err


def test_a_table_tells_rules_and_counts(person: Person) -> None:
    """For people: each rule once, with how often."""
    (person.home / "many.ndjson").write_bytes(b"\n".join([WRONG] * 3))

    run = person.runs("validate", "many.ndjson")

    assert run.exit_code == 4
    assert "Patient.birthDate" in run.out
    assert run.out.rstrip().endswith("3 resources: 3 errors, 0 warnings, 0 not evaluated")
    assert CANARY not in run.out + run.err


def test_an_outcome_is_a_resource(person: Person) -> None:
    """`--format outcome` is an OperationOutcome that the validator finds right."""
    (person.home / "wrong.json").write_bytes(WRONG)

    told = person.runs("validate", "wrong.json", "--format", "outcome")
    (person.home / "outcome.json").write_text(told.out, encoding="utf-8")
    again = person.runs("validate", "outcome.json", "--format", "json")

    assert (told.exit_code, json.loads(told.out)["resourceType"]) == (4, "OperationOutcome")
    assert (again.exit_code, again.report["errors"]) == (0, 0)


def test_folders_bundles_and_compressed_files_are_read(person: Person) -> None:
    """A folder's files one after the other, whatever holds the resources."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": json.loads(RIGHT)}]}
    folder = person.home / "folder" / "below"
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    (folder / "packed.ndjson.gz").write_bytes(gzip.compress(RIGHT + b"\n" + WRONG + b"\n"))

    run = person.runs("validate", "folder", "--format", "json")

    assert (run.exit_code, run.report["resources"]) == (4, 3)
    assert sorted(code for code, *_ in errors_of(run.report)) == ["format", "full-url"]


def test_more_processes_find_the_same(person: Person) -> None:
    """In the same order."""
    (person.home / "many.ndjson").write_bytes(b"\n".join([RIGHT, WRONG] * 300))

    one = person.runs("validate", "many.ndjson", "--format", "json")
    two = person.runs("validate", "many.ndjson", "--format", "json", "--jobs", "2")

    assert (two.exit_code, two.report) == (one.exit_code, one.report)
    assert one.report["errors"] == 300


def test_a_profile_may_be_named(person: Person) -> None:
    """Beside those that the resource names; one that nobody knows is a warning with its address."""
    profile = "https://w3id.org/fhir-adapter/StructureDefinition/trial-patient"
    (person.home / "one.json").write_bytes(RIGHT)

    ours = person.runs("validate", "one.json", "--profile", profile, "--format", "json")
    unknown = person.runs("validate", "one.json", "--profile", UNKNOWN, "--format", "json")

    assert (ours.exit_code, ("missing-element", 1, "Patient") in errors_of(ours.report)) == (4, True)
    [warning] = unknown.report["issues"]
    assert (unknown.exit_code, warning["code"], warning["severity"]) == (0, "profile-unknown", "warning")
    assert UNKNOWN in warning["message"]


def test_a_package_brings_its_profiles(person: Person) -> None:
    """A definition with nothing but a differential, in a file of its own."""
    definition = {
        "resourceType": "StructureDefinition",
        "url": "https://w3id.org/fhir-adapter/made-up/StructureDefinition/named",
        "name": "Named",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
    }
    (person.home / "named.json").write_text(json.dumps(definition), encoding="utf-8")
    (person.home / "one.json").write_bytes(RIGHT)

    options = ("--package", "named.json", "--profile", definition["url"], "--format", "json")
    run = person.runs("validate", "one.json", *map(str, options))

    assert errors_of(run.report) == [("missing-element", 1, "Patient")]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("validate", "nowhere.json"), 2),
        (("validate", "one.json", "--package", "nowhere.tgz"), 2),
        (("validate", "one.json", "--backend", "oracle"), 2),
        (("validate", "one.json", "--backend", "server"), 2),
        (("validate",), 2),
    ],
)
def test_wrong_use_ends_with_2(person: Person, arguments: tuple[str, ...], code: int) -> None:
    """With one sentence that says what is right."""
    (person.home / "one.json").write_bytes(RIGHT)

    run = person.runs(*arguments)

    assert (run.exit_code, run.out) == (code, "")
    assert "Traceback" not in run.err
    assert run.err.strip()


def test_the_rules_of_the_trial_are_asked_too(person: Person) -> None:
    """Of the seed trial's made-up subjects one came outside a visit's window; a dose on a day of rest is found."""
    mapped = person.runs("map", "--trial", "nct02569463", "--out", "-").out.encode().splitlines()
    doses = [json.loads(line) for line in mapped if b"trial-dose" in line]
    extra = {**doses[0], "id": "made-up-extra", "effectiveDateTime": "2015-11-11T09:00:00+08:00"}
    extra.pop("_effectiveDateTime")
    (person.home / "trial.ndjson").write_bytes(b"\n".join([*mapped, json.dumps(extra).encode()]) + b"\n")

    run = person.runs("validate", "trial.ndjson", "--trial", "nct02569463", "--format", "json")

    broken = [issue for issue in run.report["issues"] if (issue["rule"] or "").startswith("rules.")]
    assert sorted((one["code"], one["severity"]) for one in broken) == [
        ("dose-day", "warning"),
        ("visit-window", "warning"),
    ]
    assert [one["where"]["resource"] for one in broken if one["code"] == "dose-day"] == [
        "MedicationAdministration/made-up-extra"
    ]

"""What is done to one document: read, asked about, and each finding given its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.validate_checking import Checked, Checking, opened
from fhir_adapter.jobs.validate_documents import Document

RESULT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
}


def checked(*texts: bytes) -> list[Checked]:
    """What comes of the lines of a file."""
    with opened(Checking()) as checker:
        return [checker.check(Document("a.ndjson", number, text)) for number, text in enumerate(texts, 1)]


@pytest.mark.parametrize("text", [b"[1]", b'"Canary-Made-Up"', b"null", b"1.50"])
def test_what_is_no_object_is_an_error_of_one_resource(text: bytes) -> None:
    """It is JSON, so it was looked at."""
    [found] = checked(text)

    [issue] = found.issues
    assert (issue.code, str(issue.where), found.looked_at) == ("wrong-json-type", "a.ndjson:1", True)
    assert "Canary" not in issue.message


@pytest.mark.parametrize("text", [b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[" * 300])
def test_what_cannot_be_trusted_as_json_is_no_resource(text: bytes) -> None:
    """Keys said twice, numbers that are none, other encodings, endless nesting."""
    [found] = checked(text)

    [issue] = found.issues
    assert (issue.code, issue.is_error, found.looked_at) == ("not-json", True, False)


def test_a_finding_in_a_resource_over_several_lines_has_the_line_of_the_file() -> None:
    """Counted from where the document begins."""
    text = b'{\n "resourceType": "Patient",\n "birthDate": "1980-02-30"\n}'

    with opened(Checking()) as checker:
        found = checker.check(Document("a.json", 11, text))

    assert [str(issue.where) for issue in found.issues] == ["a.json:13:2 Patient Patient.birthDate"]


def test_what_is_not_evaluated_is_placed_as_often_as_it_is_told() -> None:
    """Three times for each rule; looking up the place of a million would take longer than finding them."""
    found = checked(*[fhirjson.dumps(RESULT)] * 5)

    columns = [issue.where.column is not None for one in found for issue in one.issues if issue.rule == "LOINC"]
    assert columns == [True, True, True, False, False]


def test_a_package_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """Before anything is looked at."""
    package = tmp_path / "no-package.tgz"
    package.write_bytes(b"no archive")

    with pytest.raises(Misconfigured) as refused, opened(Checking(packages=(package,))):
        pass

    [issue] = refused.value.issues
    assert issue.code == "package-unreadable"
    assert str(package) in str(issue.where)

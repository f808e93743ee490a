"""Findings as an OperationOutcome, and the OperationOutcome of others as findings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.issues import Issue, Where
from fhir_adapter.validation import check
from fhir_adapter.validation.outcomes import expression_of, issues_of, outcome_issue, values_of, without_values

PATIENT = {"resourceType": "Patient", "id": "made-up"}
FINDINGS = (
    Issue("error", "format", "wrong", Where("a file.json", 3, "Patient/made-up", "Patient.birthDate", 5), "Patient"),
    Issue("information", "not-evaluated", "nobody knows", Where(resource="Patient")),
    Issue("warning", "other-business-rule", "odd", Where("-"), "us-core-1", "https://a.example/p", "server"),
    Issue("fatal", "not-json", "not JSON", Where("b.json", 1)),
    Issue("error", "other-finding", "odd", source="hl7"),
)


def issues(*stated: dict[str, Any]) -> list[Issue]:
    """What a server's outcome of these becomes."""
    return issues_of({"resourceType": "OperationOutcome", "issue": list(stated)}, "server", PATIENT)


def test_every_kind_of_finding_makes_a_right_outcome() -> None:
    """By this program's own validator."""
    outcome = {"resourceType": "OperationOutcome", "issue": [outcome_issue(one) for one in FINDINGS]}

    assert [issue.message for issue in check(outcome) if issue.is_error] == []


@pytest.mark.parametrize("finding", FINDINGS)
def test_our_own_outcome_comes_back_as_it_was(finding: Issue) -> None:
    """Severity, line, column and expression; asked as a server, this program answers with its own codes."""
    (again,) = issues(outcome_issue(finding))

    assert (again.severity, again.code, again.message) == (finding.severity, finding.code, finding.message)
    assert (again.where.line, again.where.column) == (finding.where.line, finding.where.column)
    assert again.where.expression == finding.where.expression


@pytest.mark.parametrize(
    "stated",
    [
        {"location": ["Patient.name", "Line[7] Col[12]"]},
        {"location": ["Patient.name"], "diagnostics": "[7,12]"},
    ],
)
def test_lines_are_read_as_hapi_writes_them(stated: dict[str, Any]) -> None:
    """Among locations, or as the diagnostics."""
    (issue,) = issues({"severity": "error", "code": "invalid", **stated})

    assert (issue.where.line, issue.where.column, issue.where.expression) == (7, 12, "Patient.name")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("Patient.name[0]", "Patient.name[0]"),
        ("Bundle.entry[0].resource/*Patient/x*/.name", "Bundle.entry[0].resource.name"),
        ("Patient.extension('http://a.example/x').value", "Patient.extension('http://a.example/x').value"),
        ("Patient.name.where(family = 'Canary')", "Patient.name.where(family = '…')"),
        ("Line[1] Col[2]", None),
        ("", None),
        (["Patient"], None),
    ],
)
def test_a_path_holds_no_text_of_the_resource(path: object, shown: str | None) -> None:
    """Addresses stay: they belong to definitions."""
    assert expression_of(path) == shown


def test_words_of_others_repeat_no_value() -> None:
    """Texts and numbers go, whole words of them; codes, addresses and parts of other words stay."""
    values = values_of({"name": [{"family": "Made"}], "valueDecimal": Decimal("12.5"), "code": "final", "id": "x"})

    told = without_values("Made 12.5 112.5 MadeUp final x", values)

    assert told == "… … 112.5 MadeUp final x"


def test_a_message_without_end_is_cut() -> None:
    """Nobody reads a megabyte."""
    assert len(without_values("a" * 1_000_000, [])) == 1001


INVARIANT = "http://hl7.org/fhir/StructureDefinition/Patient|4.0.1#pat-1"
MESSAGE_ID = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
CONTACT = "http://hl7.org/fhir/StructureDefinition/Patient"


@pytest.mark.parametrize(
    ("stated", "rule", "profile"),
    [
        ({"details": {"coding": [{"system": "http://a.example", "code": INVARIANT}]}}, "pat-1", CONTACT),
        ({"extension": [{"url": MESSAGE_ID, "valueCode": "Validation_VAL_Minimum"}]}, "Validation_VAL_Minimum", None),
        ({"details": {"coding": [{"system": "http://a.example", "code": "no rule"}]}}, None, None),
        ({"diagnostics": "Constraint failed: pat-1: 'a contact has details'"}, "pat-1", None),
        ({"diagnostics": f"minimum required = 1, but only found 0 (from {CONTACT}|4.0.1)"}, None, CONTACT),
        ({}, None, None),
    ],
)
def test_the_rule_is_the_one_that_the_other_names(
    stated: dict[str, Any], rule: str | None, profile: str | None
) -> None:
    """An invariant by its key, with the profile that has it; else by the other's own name of the message."""
    (issue,) = issues({"severity": "error", "code": "invariant", **stated})

    assert (issue.rule, issue.profile, issue.code) == (rule, profile, "other-invariant")

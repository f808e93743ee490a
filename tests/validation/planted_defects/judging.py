"""In what a validator's answer to a planted defect differs from what the corpus expects."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.issues import Issue
from fhir_adapter.validation import Validator
from tests.validation.planted_defects.loading import Case, Expected, resource_of


def differences(validator: Validator, cases: Iterable[Case]) -> dict[str, list[str]]:
    """By the id of a case: what was expected and not found, and which errors were found and not expected."""
    found = {case.id: _difference(case, validator.check(resource_of(case), case.profiles)) for case in cases}
    return {name: lines for name, lines in found.items() if lines}


def _difference(case: Case, issues: list[Issue]) -> list[str]:
    expected = case.expect
    errors = [issue for issue in issues if issue.is_error]
    if expected is None:
        return [f"not expected: {_said(issue)}" for issue in errors]
    missed = [] if any(_is(issue, expected) for issue in issues) else [f"not found: {expected}"]
    return missed + [f"not expected: {_said(issue)}" for issue in errors if not _is_part(issue, expected)]


def _is(issue: Issue, expected: Expected) -> bool:
    """Whether it is the expected finding."""
    said = (issue.severity, issue.where.expression, issue.code)
    wanted = (expected.severity, expected.expression, expected.code)
    return said == wanted and expected.rule in (None, issue.rule)


def _is_part(issue: Issue, expected: Expected) -> bool:
    """Whether it is the expected finding, or another rule that the same defect breaks there."""
    is_there = issue.where.expression == expected.expression
    return _is(issue, expected) or (is_there and issue.code in expected.also)


def _said(issue: Issue) -> str:
    return f"{issue.severity} {issue.where.expression} {issue.code} {issue.rule}"

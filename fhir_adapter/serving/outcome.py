"""How an answer over HTTP says that something is wrong in FHIR: an HTTP status and an OperationOutcome.

Source: https://hl7.org/fhir/R4/operationoutcome.html and the statuses of https://hl7.org/fhir/R4/http.html#summary
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_adapter import fhirjson
from fhir_adapter.issues import AdapterError, Issue, Severity

ISSUE_CODES = "https://w3id.org/fhir-adapter/CodeSystem/issue-code"
"""The system of our stable codes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One issue of an OperationOutcome; `detail` is the stable code of the check that found it, if there is one."""

    code: str
    message: str
    expression: str | None = None
    severity: Severity = "error"
    detail: str | None = None

    def to_dict(self) -> dict[str, object]:
        """The element `OperationOutcome.issue`."""
        issue: dict[str, object] = {"severity": self.severity, "code": self.code}
        if self.detail:
            issue["details"] = {"coding": [{"system": ISSUE_CODES, "code": self.detail}]}
        issue["diagnostics"] = self.message
        if self.expression:
            issue["expression"] = [self.expression]
        return issue

    def inside(self, place: str) -> Problem:
        """The same problem, seen from the Bundle: `Bundle.entry[2].resource.status` for `Observation.status`."""
        if not self.expression:
            return replace(self, expression=place)
        _, dot, rest = self.expression.partition(".")
        return replace(self, expression=f"{place}.resource{dot}{rest}")


class FhirError(AdapterError):
    """The request is refused with this status; `problems` become the OperationOutcome."""

    def __init__(self, status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})

    def inside(self, place: str) -> FhirError:
        """The same refusal, with the place of its Bundle entry."""
        return FhirError(self.status, [problem.inside(place) for problem in self.problems], self.headers)


def refusal(status: int, code: str, message: str, expression: str | None = None) -> FhirError:
    """The error for one problem."""
    return FhirError(status, [Problem(code, message, expression)])


_KINDS = {
    "code-not-allowed": "code-invalid",
    "empty": "structure",
    "format": "value",
    "invariant": "invariant",
    "missing-element": "required",
    "profile-not-evaluated": "informational",
    "reference-type": "value",
    "too-deep": "too-long",
    "type-not-evaluated": "informational",
    "unresolved-fragment": "not-found",
}
"""Which of FHIR's kinds of issue (http://hl7.org/fhir/issue-type) a code of ours is; any other is `structure`."""


def problem_of(issue: Issue, otherwise: str = "structure") -> Problem:
    """A finding, as an issue of an OperationOutcome; `otherwise` is its kind where the table names none."""
    kind = _KINDS.get(issue.code, otherwise)
    return Problem(kind, issue.message, issue.where.expression or None, issue.severity, issue.code)


def outcome(problems: Iterable[Problem]) -> dict[str, object]:
    """The OperationOutcome as a JSON value."""
    return {"resourceType": "OperationOutcome", "issue": [problem.to_dict() for problem in problems]}


def outcome_body(problems: Iterable[Problem]) -> bytes:
    """The OperationOutcome as it goes over the wire."""
    return fhirjson.dumps(outcome(problems))


def all_well(message: str) -> Problem:
    """What `Prefer: return=OperationOutcome` is answered with when all went well."""
    return Problem("informational", message, severity="information")

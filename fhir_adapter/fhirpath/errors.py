"""What can go wrong with a FHIRPath expression, and where in its text.

`ExpressionError` comes from `compile` (the text, a name, a type), `EvaluationError` from evaluating what was compiled.
No other exception leaves a valid call.
"""

from __future__ import annotations

from fhir_adapter.issues import Rejected


class FhirPathError(Rejected):
    """An expression cannot be compiled or has no answer; `position` counts characters of its text from 0."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class ExpressionError(FhirPathError):
    """The expression itself is wrong: its syntax, a name, a type; the message says what was expected."""


class EvaluationError(FhirPathError):
    """The expression has no answer for this resource: too many items, a type that does not fit, a limit reached."""

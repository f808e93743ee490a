"""What can be said about a problem: one issue for a person to mend, and the errors that stop a run.

The fields of `Issue` are the promise of the command line and the HTTP service; `to_dict` is their JSON form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]
Source = Literal["native", "server", "hl7"]


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a problem: a file with line or row (and column), or a resource with a FHIRPath expression."""

    file: str | None = None
    line: int | None = None
    resource: str | None = None
    expression: str | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}" if self.column is None else f":{self.line}:{self.column}"
        return " ".join(part for part in (place, self.resource, self.expression) if part)


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a person must mend or know: what was found, where, and what would be right.

    `code` is stable (documented in `docs/reference/issue-codes.md`). `rule` names the profile element, invariant or
    mapping key that was broken. The message never holds a subject's data beyond the subject identifier.
    """

    severity: Severity
    code: str
    message: str
    where: Where = field(default_factory=Where)
    rule: str | None = None
    profile: str | None = None
    source: Source = "native"

    @property
    def is_error(self) -> bool:
        """True when the item that the issue speaks of must not be used."""
        return self.severity in ("fatal", "error")

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the commands and the service."""
        return {
            "severity": self.severity,
            "code": self.code,
            "where": {
                "file": self.where.file,
                "line": self.where.line,
                "resource": self.where.resource,
                "expression": self.where.expression,
                **({} if self.where.column is None else {"column": self.where.column}),
            },
            "rule": self.rule,
            "profile": self.profile,
            "message": self.message,
            "source": self.source,
        }


class AdapterError(Exception):
    """An error of this program, with the issues that a person should read."""

    def __init__(self, message: str, *issues: Issue) -> None:
        super().__init__(message)
        self.issues = issues


class Retriable(AdapterError):
    """The surroundings failed (server, network, disk, database): wait and run again, nothing is lost."""


class Rejected(AdapterError):
    """One record cannot be used: set it aside, go on with the others."""


class Fatal(AdapterError):
    """The run cannot go on: a person must act first."""


class Misconfigured(Fatal):
    """Usage or configuration is wrong: file, line and key are in the issues."""


class Refused(Fatal):
    """Nothing may be written: the target or the data forbid it."""

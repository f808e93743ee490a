"""One walk over one resource: where it is, what can be seen from there, and what was found wrong so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.issues import Issue, Severity, Where
from fhir_adapter.validation.findings import MOST_ISSUES, TooManyError

if TYPE_CHECKING:
    from fhir_adapter.validation.surroundings import Surroundings

Json = Mapping[str, Any]

NOT_EVALUATED: Final = "not-evaluated"
"""The code of what was not looked at: said, and never an error."""


class Run:
    """What a check is handed beside the value and its path.

    `resource` is the resource that is looked at (`%resource`), `root` the one that contains it (`%rootResource`), and
    `environment` what an invariant may ask for. The same finding at the same place is told once, however many profiles
    lead to it.
    """

    __slots__ = (
        *("depth", "environment", "issues", "label", "owner", "profile", "resource", "root", "surroundings"),
        *("_errors", "_seen", "_warnings"),
    )

    def __init__(self, label: str, resource: Json, surroundings: Surroundings, environment: dict[str, Any]) -> None:
        self.label = label
        self.resource = resource
        self.root = resource
        self.owner: tuple[str, str] = ("", "")
        """The type of `resource` and its path, from which the paths below it begin."""
        self.surroundings = surroundings
        self.environment = environment
        self.profile: str | None = None
        self.depth = 0
        """Through how many references the walk has gone."""
        self.issues: list[Issue] = []
        self._seen: set[tuple[str, str, str, str]] = set()
        self._errors = 0
        self._warnings = 0

    def report(self, severity: Severity, code: str, message: str, path: str, rule: str) -> None:
        """Note one finding at the FHIRPath `path`; raises `TooManyError` where there are enough."""
        key = (severity, code, "" if code == NOT_EVALUATED else path, rule)
        if key in self._seen:
            return
        if severity == "warning":
            self._warnings += 1
            if self._warnings > MOST_ISSUES:
                return
        elif severity != "information":
            if self._errors >= MOST_ISSUES:
                raise TooManyError
            self._errors += 1
        self._seen.add(key)
        shown = f"{self.profile}#{rule}" if self.profile and "." in rule else rule
        self.issues.append(
            Issue(severity, code, message, Where(resource=self.label, expression=path), shown, self.profile)
        )

    def error(self, code: str, message: str, path: str, rule: str) -> None:
        """Note an error."""
        self.report("error", code, message, path, rule)

    def not_evaluated(self, message: str, path: str, rule: str) -> None:
        """Say what could not be looked at, for each rule once."""
        self.report("information", NOT_EVALUATED, message, path, rule)

    @property
    def warnings_left_out(self) -> int:
        """How many warnings were found beyond those that are told."""
        return max(0, self._warnings - MOST_ISSUES)

    def silently(self, check: Callable[[Any, str, Run], None], value: Any, path: str) -> bool:  # noqa: ANN401 - JSON
        """Whether a check finds no error, without telling anybody."""
        inner = Run(self.label, self.resource, self.surroundings, self.environment)
        inner.root, inner.owner, inner.profile, inner.depth = self.root, self.owner, self.profile, self.depth
        try:
            check(value, path, inner)
        except TooManyError:
            return False
        return not inner._errors

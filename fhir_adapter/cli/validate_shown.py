"""How findings are shown while they come: a table at the end, or one JSON document that is written piece by piece."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from fhir_adapter import fhirjson
from fhir_adapter.cli import show
from fhir_adapter.issues import Issue
from fhir_adapter.jobs.validate import Broken, Comparison, Tally
from fhir_adapter.jobs.validate_documents import Reading

MOST_RULES: Final = 50
MOST_DIFFERENCES: Final = 20
_RANKS: Final = ("fatal", "error", "warning", "information")
_TICK_SECONDS: Final = 0.2


class Shown(Protocol):
    """What is told of each document's issues as they come, and of all of them at the end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, issues: Sequence[Issue]) -> None:
        """Tell of one document's issues."""
        ...


class TableShown:
    """For people: one row a rule, with how often and where first."""

    def __init__(self, tally: Tally, comparison: Comparison | None) -> None:
        self._tally = tally
        self._comparison = comparison

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, BrokenPipeError) or (error is not None and not self._tally.resources):
            return
        _print_rules(self._tally, self._comparison)
        if self._comparison is not None:
            _print_comparison(self._comparison)
        tally = self._tally
        counts = [
            show.counted(tally.errors, "errors"),
            show.counted(tally.warnings, "warnings"),
            f"{tally.not_evaluated} not evaluated",
        ]
        unfinished = "" if error is None else " (not finished)"
        show.print_lines([f"{show.counted(tally.resources, 'resources')}: {', '.join(counts)}{unfinished}"])

    def show(self, issues: Sequence[Issue]) -> None:
        """The tally has them; there is nothing to tell yet."""


def _print_rules(tally: Tally, comparison: Comparison | None) -> None:
    rules = sorted(tally.rules.values(), key=lambda one: (_RANKS.index(one.issue.severity), -one.count))
    if not rules:
        return
    head = ["severity", *(["found by"] if comparison else []), "rule", "count", "what", "first at"]
    show.print_table("Findings by rule", head, [_row(one, comparison) for one in rules[:MOST_RULES]])
    hidden = len(rules) - MOST_RULES
    if hidden > 0 or tally.rules_left_out:
        more = f"{max(hidden, 0)} more rules" + (
            f", {tally.rules_left_out} findings of others" * bool(tally.rules_left_out)
        )
        show.print_lines([f"and {more}; --format json lists all"])


def _row(one: Broken, comparison: Comparison | None) -> list[object]:
    issue = one.issue
    by = [issue.source] if comparison else []
    rule = (issue.rule or issue.code).rpartition("/")[2]
    places = ", ".join(one.places) + (", …" if one.count > len(one.places) else "")
    return [issue.severity, *by, rule, one.count, f"{issue.message} [{issue.code}]", places]


def _print_comparison(comparison: Comparison) -> None:
    rows = [(_names(by, comparison), count) for by, count in comparison.places.most_common()]
    if rows:
        show.print_table("Places with an error, by who finds it", ("found by", "places"), rows)
    if comparison.differences:
        differing = comparison.differences[:MOST_DIFFERENCES]
        body = [(one.where, _names(one.found_by, comparison), "; ".join(one.messages)) for one in differing]
        show.print_table("Where they differ", ("where", "found by", "what"), body)
    hidden = len(comparison.differences) - MOST_DIFFERENCES + comparison.differences_left_out
    if hidden > 0:
        show.print_lines([f"and {hidden} more places; --format json lists {len(comparison.differences)}"])
    verdicts = (
        f"error or no error: the same for {show.counted(comparison.same_verdict, 'resources')}, "
        f"not for {comparison.other_verdict}"
    )
    show.print_lines([f"{', '.join(comparison.backends)}: {verdicts}"])


def _names(by: Sequence[str], comparison: Comparison) -> str:
    return "all" if len(by) == len(comparison.backends) else f"only {', '.join(by)}"


class JsonShown:
    """For programs: one JSON document, whose issues are written as they are found; the counts come last."""

    def __init__(self, tally: Tally, comparison: Comparison | None) -> None:
        self._tally = tally
        self._comparison = comparison
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, BrokenPipeError) or (error is not None and not self._begun):
            return
        self._begin()
        rest: dict[str, object] = {**self._tally.counts(), "complete": error is None}
        if self._comparison is not None:
            rest["comparison"] = self._comparison.to_dict()
        sys.stdout.write("]," + fhirjson.dumps(rest).decode()[1:] + "\n")

    def show(self, issues: Sequence[Issue]) -> None:
        """Write these issues."""
        for issue in issues:
            separator = "," if self._begun else ""
            self._begin()
            sys.stdout.write(separator + fhirjson.dumps(issue.to_dict()).decode())

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            sys.stdout.write('{"issues":[')


class OutcomeShown:
    """For FHIR: one OperationOutcome, whose issues are written as they are found."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, BrokenPipeError) or (error is not None and not self._begun):
            return
        self.show(self._tally.set_aside)
        if not self._begun:
            told = {"severity": "information", "code": "informational", "diagnostics": "nothing wrong was found"}
            self._write(fhirjson.dumps(told))
        sys.stdout.write("]}\n")

    def show(self, issues: Sequence[Issue]) -> None:
        """Write these issues."""
        from fhir_adapter.validation.outcomes import outcome_issue  # noqa: PLC0415 - for who asks for an outcome

        for issue in issues:
            self._write(fhirjson.dumps(outcome_issue(issue)))

    def _write(self, issue: bytes) -> None:
        head = "," if self._begun else '{"resourceType":"OperationOutcome","issue":['
        self._begun = True
        sys.stdout.write(head + issue.decode())


class Progress:
    """How far the run is, on standard error when that is a terminal."""

    def __init__(self, reading: Reading, tally: Tally, clock: Callable[[], float] = time.monotonic) -> None:
        self._reading = reading
        self._tally = tally
        self._clock = clock
        self._wanted = sys.stderr.isatty()
        self._next = clock() + _TICK_SECONDS
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")

    def step(self) -> None:
        """One more document is done."""
        if not self._wanted or self._clock() < self._next:
            return
        self._next = self._clock() + _TICK_SECONDS
        self._shown = True
        reading = self._reading
        part = f", {min(100 * reading.done // reading.total, 100)} %" if reading.total else ""
        sys.stderr.write(f"\r\x1b[K{self._tally.resources:,} resources{part}, {self._tally.errors:,} errors")
        sys.stderr.flush()

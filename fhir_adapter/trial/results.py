"""What a result says about a subject, wherever it came from: an interval in one unit, or a finding present or absent.

A number is a point, `>40000` a half-line, a missing result everything: gaps and capped results become one mechanism.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from fhir_adapter.trial.moments import Moment

ResultSource = Literal["hospital", "typed"]
"""Who says it: the hospital's own system, or a person who typed it into the trial's records."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All values that a result may stand for; None is unbounded, `open` ends do not belong to it."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def of(cls, value: Fraction, comparator: str | None = None) -> Interval:
        """A number with the comparator that FHIR and laboratories write before it."""
        if comparator is None:
            return cls(value, value)
        if comparator in ("<", "<="):
            return cls(None, value, high_open=comparator == "<")
        if comparator in (">", ">="):
            return cls(value, None, low_open=comparator == ">")
        raise ValueError(f"{comparator!r} is no comparator: < <= > >=")

    @property
    def point(self) -> Fraction | None:
        """The number, when the interval is one."""
        return self.low if self.low is not None and self.low == self.high else None

    def overlaps(self, other: Interval) -> bool:
        """True when some value lies in both."""
        return not (self._ends_before(other) or other._ends_before(self))

    def _ends_before(self, other: Interval) -> bool:
        if self.high is None or other.low is None:
            return False
        return self.high < other.low or (self.high == other.low and (self.high_open or other.low_open))

    def contains(self, other: Interval) -> bool:
        """True when every value of the other lies inside."""
        above = self.low is None or (
            other.low is not None
            and (other.low > self.low or (other.low == self.low and (other.low_open or not self.low_open)))
        )
        below = self.high is None or (
            other.high is not None
            and (other.high < self.high or (other.high == self.high and (other.high_open or not self.high_open)))
        )
        return above and below


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result as it was received and as it counts.

    `name` is an analyte or an item of a score (snake_case). `interval` is in the analyte's canonical unit; `value`,
    `unit` and `comparator` are as received. `present` answers for findings; None there and in `interval` with
    `not_done` means that it was not examined. `reference` says where a person finds it: `Observation/f1`, or a file
    with its row. `until` is set for what lasts, such as a diagnosis: it is known from `effective` to then. `flags` are
    short sentences for people: an alias of a unit was read, a result is capped, ...
    """

    subject: str
    name: str
    source: ResultSource
    interval: Interval | None = None
    present: bool | None = None
    not_done: bool = False
    value: str = ""
    unit: str = ""
    comparator: str | None = None
    effective: Moment | None = None
    until: Moment | None = None
    issued: Moment | None = None
    reference: str = ""
    version: str | None = None
    sha256: str | None = None
    status: str = "final"
    specimen: str = ""
    method: str = ""
    body_site: str = ""
    code: str = ""
    flags: tuple[str, ...] = ()

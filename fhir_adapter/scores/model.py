"""What a score says: points as bounds, the evidence of each, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fhir_adapter.issues import Issue
from fhir_adapter.trial import Result

State = Literal["measured", "partial", "not_done", "unknown", "conflicting"]
Status = Literal["met", "not met", "undetermined"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A result that was looked at for an item: whether it counts, and why or why not, in words for people."""

    result: Result
    used: bool
    why: str


@dataclass(frozen=True, slots=True)
class ItemScore:
    """The points of one item, as bounds that are equal when everything is known."""

    item: str
    low: int
    high: int
    state: State
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """True when the points are one number."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class HScore:
    """The HScore (0 to 337 points) as bounds, against a cut-off."""

    items: tuple[ItemScore, ...]
    cutoff: int = 169
    issues: tuple[Issue, ...] = ()

    @property
    def low(self) -> int:
        """The least that it can be."""
        return sum(item.low for item in self.items)

    @property
    def high(self) -> int:
        """The most that it can be."""
        return sum(item.high for item in self.items)

    @property
    def complete(self) -> bool:
        """True when the score is one number."""
        return self.low == self.high

    @property
    def status(self) -> Status:
        """Against the cut-off: `met` is at or above it."""
        if self.low >= self.cutoff:
            return "met"
        return "not met" if self.high < self.cutoff else "undetermined"

    @property
    def undecided(self) -> list[str]:
        """The items whose points are not one number."""
        return [item.item for item in self.items if not item.known]

    def item(self, name: str) -> ItemScore:
        """One item by its name."""
        return next(item for item in self.items if item.item == name)


@dataclass(frozen=True, slots=True)
class WindowScore:
    """The score of a subject at a visit; `as_of` is the data cut, `day` the study day of the blood count."""

    subject: str
    window: str
    score: HScore
    patient: str | None = None
    as_of: str | None = None
    sensitivity: tuple[tuple[str, int, int], ...] = ()
    """Other readings beside it: (name, low, high)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a difference can be, and the items it was made of where not all were."""

    low: int
    high: int
    items: tuple[str, ...] = ()


Direction = Literal["improved", "worsened", "unchanged", "undetermined", "not improved (died)"]


@dataclass(frozen=True, slots=True)
class Change:
    """How the score changed between two visits; negative is improvement.

    `full` counts every item; `without_marrow` leaves the marrow out at both visits; `common` counts items known at
    both. All three are None when the subject died before the second visit.
    """

    subject: str
    first: str
    second: str
    full: Bounds | None
    without_marrow: Bounds | None
    common: Bounds | None
    direction: Direction
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectScores:
    """Everything computed for one subject; `issues` say why something was not."""

    subject: str
    windows: tuple[WindowScore, ...]
    change: Change | None = None
    issues: tuple[Issue, ...] = field(default=())

    def at(self, window: str) -> WindowScore | None:
        """The score of one visit, when there is one."""
        return next((one for one in self.windows if one.window == window), None)

"""How two pieces of work are timed beside each other: in turn, so that a drifting machine drifts for both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

PAIRS = 5


@dataclass(frozen=True)
class Figure:
    """One measured work beside its anchor: units per CPU second of each, and the ratio of ours to the anchor."""

    what: str
    unit: str
    ours: float
    anchor: float
    anchor_is: str
    ratio: float

    def row(self) -> tuple[str, str, str, str, str]:
        """The figure as cells of a table."""
        ours, anchor = f"{self.ours:,.0f} {self.unit}/s", f"{self.anchor:,.0f} {self.unit}/s"
        return self.what, ours, anchor, self.anchor_is, f"{self.ratio:.3f}x"

    def to_dict(self) -> dict[str, object]:
        """The figure as JSON."""
        return dict(vars(self))


def compare(
    what: str, unit: str, count: int, ours: Callable[[], object], anchor: Callable[[], object], anchor_is: str
) -> Figure:
    """Time both in turn, `PAIRS` times after one warm-up; the ratio is the median over the pairs."""
    ours()
    anchor()
    pairs = [(_cpu_seconds(ours), _cpu_seconds(anchor)) for _ in range(PAIRS)]
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(second / first for first, second in pairs)
    return Figure(what, unit, count / mine, count / theirs, anchor_is, ratio)


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start

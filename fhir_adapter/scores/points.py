"""How many points a result can give: the bands that its interval touches."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_adapter.scores.hscore_table import BANDS, COUNTED, LINEAGES, PRESENT
from fhir_adapter.trial import Interval, Result

Range = tuple[int, int]
"""The least and the most points (or positive parts)."""


def full_range(part: str) -> Range:
    """What is possible when nothing is known."""
    if part in BANDS:
        points = [band.points for band in BANDS[part]]
        return min(points), max(points)
    return 0, PRESENT.get(part, 1)


def result_range(part: str, result: Result) -> Range:
    """The points that one usable result of a part allows; for a lineage or an organ 0 to 1 positive parts."""
    if part in BANDS:
        assert result.interval is not None
        touched = [band.points for band in BANDS[part] if band.values.overlaps(result.interval)]
        return min(touched), max(touched)
    if part in LINEAGES:
        assert result.interval is not None
        return _low_lineage(LINEAGES[part], result.interval)
    most = PRESENT.get(part, 1)
    return (most, most) if result.present else (0, 0)


def worst(ranges: Iterable[Range]) -> Range:
    """Of several results the one with the most points; of intervals the most of both ends."""
    known = list(ranges)
    return max(low for low, _ in known), max(high for _, high in known)


def conflict(ranges: Iterable[Range]) -> Range:
    """Results that contradict each other: from the least to the most points."""
    known = list(ranges)
    return min(low for low, _ in known), max(high for _, high in known)


def counted_range(item: str, parts: Iterable[Range], *, not_all: bool = False, contradicted: bool = False) -> Range:
    """The points of an item that counts positive parts.

    `not_all`: a result says that not all of them are positive; `contradicted`: the parts say that all are.
    """
    points = COUNTED[item].points
    known = list(parts)
    low, high = sum(low for low, _ in known), sum(high for _, high in known)
    if contradicted:
        low = 0
    elif not_all:
        high = min(high, len(known) - 1)
    return points[low], points[high]


def _low_lineage(limit: Interval, interval: Interval) -> Range:
    if limit.contains(interval):
        return 1, 1
    return 0, 1 if limit.overlaps(interval) else 0

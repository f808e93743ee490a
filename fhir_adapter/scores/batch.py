"""How many points each of many rows of normalised values can give: bounds alone, no evidence, as fast as it goes.

Everything comes from the table of the score, read once into edges and small tables; values stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import lcm

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.scores.hscore_table import BANDS, BOTH_ORGANS, LINEAGES, PARTS, PRESENT, SCORED_PARTS
from fhir_adapter.scores.points import Range, counted_range, full_range
from fhir_adapter.trial import Interval

Value = Interval | bool | None
"""Of an analyte all values that it may have, in its canonical unit; of a finding whether it is present."""

_Reader = Callable[[Interval | None], Range]
_ANSWERS = (None, False, True)
_LIVER, _SPLEEN = PARTS["organomegaly"]


def hscore_bounds(rows: Iterable[Mapping[str, Value]]) -> list[Range]:
    """The least and the most points of each row; the names are those of `SCORED_PARTS`, what is not there is not known.

    Equal to the bounds of `hscore` for the same values. Raises `Rejected`, with the number of the row, for a name that
    is no part of the score, for a value that is neither an interval nor a finding where one belongs, and for an
    interval without any value.
    """
    compiled = _compiled()
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(compiled.bounds(row))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unreadable(number, row) from error
    return found


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The table, ready to be looked up in."""

    analytes: tuple[tuple[str, _Reader], ...]
    findings: tuple[tuple[str, Mapping[object, Range]], ...]
    lineages: tuple[tuple[str, _Reader], ...]
    cytopenias: Mapping[tuple[Range, ...], Range]
    organs: Mapping[tuple[object, ...], Range]

    def bounds(self, row: Mapping[str, Value]) -> Range:
        """The least and the most points of one row."""
        if not SCORED_PARTS.issuperset(row):
            raise KeyError
        of = row.get
        # A finding where an interval belongs has no ends, and is refused as unreadable.
        low, high = self.cytopenias[tuple([read(of(part)) for part, read in self.lineages])]  # type: ignore[arg-type]
        least, most = self.organs[of(_LIVER), of(_SPLEEN), of(BOTH_ORGANS)]
        low, high = low + least, high + most
        for part, points in self.findings:
            least, most = points[of(part)]
            low, high = low + least, high + most
        for part, read in self.analytes:
            least, most = read(of(part))  # type: ignore[arg-type]
            low, high = low + least, high + most
        return low, high


@cache
def _compiled() -> _Compiled:
    lineages = {part: ((1, limit), (0, _above(limit))) for part, limit in LINEAGES.items()}
    counts = product(((0, 0), (0, 1), (1, 1)), repeat=len(lineages))
    return _Compiled(
        analytes=tuple(
            (part, _reader([(band.points, band.values) for band in bands], full_range(part)))
            for part, bands in BANDS.items()
        ),
        findings=tuple((part, {answer: _found(part, answer) for answer in _ANSWERS}) for part in PRESENT),
        lineages=tuple((part, _reader(bands, full_range(part))) for part, bands in lineages.items()),
        cytopenias={count: counted_range("cytopenias", count) for count in counts},
        organs={answers: _organs(*answers) for answers in product(_ANSWERS, repeat=3)},
    )


def _above(limit: Interval) -> Interval:
    """Every value above a limit that belongs to the values below it."""
    return Interval(limit.high, None, low_open=not limit.high_open)


def _found(part: str, present: bool | None) -> Range:
    low, high = full_range(part)
    return (low, high) if present is None else (high, high) if present else (low, low)


def _organs(liver: bool | None, spleen: bool | None, both: bool | None) -> Range:
    """Both organs enlarged tells of each; that not both are excludes only both together."""
    parts = [_found(part, answer) for part, answer in zip(PARTS["organomegaly"], (liver, spleen), strict=True)]
    if both:
        parts = [(1, 1) for _ in parts]
    no_longer_both = both is False
    contradicted = no_longer_both and all(low for low, _ in parts)
    return counted_range("organomegaly", parts, not_all=no_longer_both, contradicted=contradicted)


def _reader(bands: Sequence[tuple[int, Interval]], unknown: Range) -> _Reader:
    """A function from an interval to the points of the bands that it touches: those from its low to its high end."""
    at, scale = _edges([values for _, values in bands])
    above = tuple((edge, 0) for edge, _ in at)
    below = tuple((edge, 1) for edge, _ in at)
    points = [value for value, _ in bands]
    last = len(points) - 1
    of_band = [(value, value) for value in points]
    touched = {
        (first, end): (min(points[first : end + 1]), max(points[first : end + 1]))
        for first in range(len(points))
        for end in range(first, len(points))
    }

    def read(value: Interval | None) -> Range:
        if value is None:
            return unknown
        low = value.low
        if low is None or low is not value.high or value.low_open or value.high_open:
            return between(value)
        # A number, as most are: the same as band_of, without the price of another call.
        numerator, denominator = low.as_integer_ratio()
        scaled = numerator * scale
        band = 0
        for edge, after in at:
            if scaled < edge * denominator + after:
                break
            band += 1
        return of_band[band]

    def between(value: Interval) -> Range:
        if _is_empty(value):
            raise ValueError
        low, high = value.low, value.high
        first = 0 if low is None else band_of(low, above if value.low_open else at)
        end = last if high is None else band_of(high, below if value.high_open else at)
        return touched[first, end]

    def band_of(value: Fraction, edges: tuple[tuple[int, int], ...]) -> int:
        numerator, denominator = value.as_integer_ratio()
        return sum(numerator * scale >= edge * denominator + after for edge, after in edges)

    return read


def _edges(bands: Sequence[Interval]) -> tuple[tuple[tuple[int, int], ...], int]:
    """Where one band ends and the next begins, as whole numbers of a common fraction; 1 with it: it ends the lower.

    `value > edge` is then `value * scale >= edge + 1`, so that one comparison does for both kinds of edges.
    """
    assert bands[0].low is None
    assert bands[-1].high is None
    edges = []
    for lower, upper in pairwise(bands):
        assert lower.high is not None
        assert lower.high == upper.low, "the bands must leave nothing between them"
        assert lower.high_open != upper.low_open, "an edge belongs to one band"
        edges.append((lower.high, upper.low_open))
    scale = lcm(*(edge.denominator for edge, _ in edges))
    return tuple((int(edge * scale), int(after)) for edge, after in edges), scale


def _is_empty(interval: Interval) -> bool:
    low, high = interval.low, interval.high
    if low is None or high is None:
        return False
    return low > high or (low == high and (interval.low_open or interval.high_open))


def _unreadable(number: int, row: Mapping[str, Value]) -> Rejected:
    strange = sorted(str(name)[:40] for name in row if name not in SCORED_PARTS)
    wrong = "a value is neither an interval with values in it nor, of a finding, True, False or None"
    if strange:
        wrong = f"{strange[0]!r} is no part of the HScore; its parts are {', '.join(sorted(SCORED_PARTS))}"
    message = f"row {number}: {wrong}"
    return Rejected(message, Issue("error", "batch-row", message, Where(expression=f"rows[{number - 1}]")))

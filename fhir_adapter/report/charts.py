"""The pictures of the page as inline SVG: score ranges on one axis, and a subject's course on one time axis.

Every text goes through `Markup.format`, which escapes it. Colours are classes of the page's style sheet, so that light,
dark and paper have their own; no meaning hangs on a colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from markupsafe import Markup

from fhir_adapter.report.words import MAXIMUM, points

_WIDTH, _RIGHT, _GLYPH, _SPACE = 680, 104, 10, 16
_ROW, _HEAD, _FOOT, _BAR, _TICK = 28, 30, 26, 12, 3
_TICKS = (0, 50, 100, 150, 200, 250, 300, MAXIMUM)


@dataclass(frozen=True, slots=True)
class Row:
    """One score on the axis; without bounds `said` stands in its place. A hollow bar is a first visit."""

    label: str
    low: int | None = None
    high: int | None = None
    said: str = ""
    hollow: bool = False
    group: str = ""


def range_chart(rows: Sequence[Row], cutoff: int, name: str, title: str) -> Markup:
    """Scores as bars from the least to the most that they can be; a tick where both are one number."""
    height = _HEAD + _ROW * len(rows) + _FOOT
    scale = _Scale(_left(rows))
    drawn = [_range_row(row, scale, _HEAD + _ROW * index, first=index == 0) for index, row in enumerate(rows)]
    return Markup(
        '<svg class="chart ranges" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{desc}</desc>{axis}{cutoff}{rows}</svg>'
    ).format(
        width=_WIDTH,
        height=height,
        name=name,
        title=title,
        desc=_described(rows, cutoff),
        axis=_join(_axis(scale, height - _FOOT)),
        cutoff=_cutoff_line(scale, cutoff, height - _FOOT),
        rows=_join(drawn),
    )


def place(number: float) -> str:
    """A coordinate, always written the same way."""
    return f"{number:.1f}".rstrip("0").rstrip(".")


def text(x: float, y: float, words: str, *, style: str = "", anchor: str = "start") -> Markup:
    """A text at a point."""
    template = Markup('<text x="{x}" y="{y}" class="{style}" text-anchor="{anchor}">{words}</text>')
    return template.format(x=place(x), y=place(y), style=style, anchor=anchor, words=words)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> Markup:
    """A straight line."""
    template = Markup('<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{style}"/>')
    return template.format(x1=place(x1), y1=place(y1), x2=place(x2), y2=place(y2), style=style)


def box(x: float, y: float, width: float, height: float, style: str) -> Markup:
    """A rectangle."""
    template = Markup('<rect x="{x}" y="{y}" width="{width}" height="{height}" class="{style}"/>')
    return template.format(x=place(x), y=place(y), width=place(width), height=place(height), style=style)


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a score lies on the axis, which begins right of the labels."""

    left: int

    def x(self, score: int) -> float:
        """The place of a score."""
        return self.left + (_WIDTH - self.left - _RIGHT) * score / MAXIMUM


def _left(rows: Sequence[Row]) -> int:
    """Room for the longest labels, as large as a phone shows them; at most half of the picture."""
    group = max((_glyphs(row.group) for row in rows), default=0)
    label = max((_glyphs(row.label) for row in rows), default=0)
    return min(_GLYPH * (group + label) + _SPACE + (_SPACE if group else 0), _WIDTH // 2)


def _glyphs(words: str) -> int:
    """The width of a text in Latin letters; East Asian ones are twice as wide."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in words)


def _axis(scale: _Scale, bottom: int) -> Iterator[Markup]:
    for tick in _TICKS:
        yield line(scale.x(tick), _HEAD - 4, scale.x(tick), bottom, "grid")
        yield text(scale.x(tick), bottom + 17, str(tick), style="tick", anchor="middle")


def _cutoff_line(scale: _Scale, cutoff: int, bottom: int) -> Markup:
    x = scale.x(cutoff)
    named = text(x, _HEAD - 14, f"cut-off {cutoff}", style="tick", anchor="middle")
    return line(x, _HEAD - 8, x, bottom, "cutoff") + named


def _range_row(row: Row, scale: _Scale, top: int, *, first: bool) -> Markup:
    middle = top + _ROW / 2
    drawn = []
    if row.group and not first:
        drawn.append(line(0, top, _WIDTH, top, "grid"))
    if row.group:
        drawn.append(text(0, middle + 4, row.group, style="group"))
    drawn.append(text(scale.left - 14, middle + 4, row.label, style="label", anchor="end"))
    if row.low is None or row.high is None:
        drawn.append(text(scale.left + 6, middle + 4, row.said, style="said"))
        return _join(drawn)
    style = "bar hollow" if row.hollow else "bar"
    if row.low == row.high:
        drawn.append(box(scale.x(row.low) - _TICK / 2, middle - _BAR * 0.75, _TICK, _BAR * 1.5, style))
    else:
        drawn.append(box(scale.x(row.low), middle - _BAR / 2, scale.x(row.high) - scale.x(row.low), _BAR, style))
    drawn.append(text(_WIDTH - _RIGHT + 14, middle + 4, points(row.low, row.high), style="number"))
    return _join(drawn)


def _described(rows: Sequence[Row], cutoff: int) -> str:
    group, said = "", []
    for row in rows:
        group = row.group or group
        label = f"{group} {row.label}".strip()
        score = row.said if row.low is None or row.high is None else points(row.low, row.high)
        said.append(f"{label}: {score}")
    return f"HScore from 0 to {MAXIMUM}, cut-off at {cutoff}. {'; '.join(said) or 'No score'}."

"""What the published table says of a score's probability at diagnosis: the rows on both sides of it, and no curve.

Fardet L et al., Arthritis Rheumatol 2014;66(9):2613-20, doi 10.1002/art.38690, read in the open-access copy Case Rep
Rheumatol 2017;5304180, table 3; the two ends are in the abstract too. No source states the coefficients of a curve, and
no logistic curve reproduces all printed rows, so nothing is computed between them.

The cohort: 312 patients, 162 with the syndrome, 104 without, 46 undecided. Of the decided ones 61 % had it.
"""

from __future__ import annotations

from dataclasses import dataclass

CITATION = "Fardet L et al., Arthritis Rheumatol 2014;66(9):2613-20"
NOT_AN_ACTIVITY_MEASURE = (
    "It is a diagnostic probability, from a cohort of which about 60 % had the syndrome; "
    "it was never validated as a measure of activity."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One printed row: a score, and the probability as printed."""

    score: int
    percent: str


ROWS = (
    Row(90, "<1"),
    Row(100, "1"),
    Row(110, "3"),
    Row(120, "5"),
    Row(130, "9"),
    Row(140, "16"),
    Row(150, "25"),
    Row(160, "40"),
    Row(170, "54"),
    Row(180, "70"),
    Row(190, "80"),
    Row(200, "88"),
    Row(210, "93"),
    Row(220, "96"),
    Row(230, "98"),
    Row(240, "99"),
    Row(250, ">99"),
)
"""The table as printed. The first row holds for every score up to it, the last for every score from it on."""


def bracket(score: int) -> tuple[Row, Row]:
    """The last row at or below a score and the first at or above it; twice the same row on a row and past the ends."""
    below = [row for row in ROWS if row.score <= score]
    above = [row for row in ROWS if row.score >= score]
    return (below or above)[-1 if below else 0], (above or below)[0 if above else -1]


def bracket_words(score: int) -> str:
    """The bracket of a score in words."""
    lower, upper = bracket(score)
    if lower != upper:
        return f"{score} lies between {lower.score} ({lower.percent} %) and {upper.score} ({upper.percent} %)"
    if lower.score == score:
        return f"{score} ({lower.percent} %)"
    side = "below" if score < lower.score else "above"
    return f"{score} lies {side} {lower.score} ({lower.percent} %)"

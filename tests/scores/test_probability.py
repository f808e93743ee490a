"""The published table of probabilities: brackets of printed rows, never a number in between."""

from __future__ import annotations

import pytest

from fhir_adapter.scores.probability import ROWS, bracket, bracket_words


def test_the_table_is_the_printed_one() -> None:
    """All 17 rows, as Fardet 2014 is copied in Case Rep Rheumatol 2017;5304180, table 3."""
    printed = "90 <1 100 1 110 3 120 5 130 9 140 16 150 25 160 40 170 54 180 70 190 80 200 88 210 93 220 96 230 98"
    assert " ".join(f"{row.score} {row.percent}" for row in ROWS) == f"{printed} 240 99 250 >99"


@pytest.mark.parametrize(
    ("score", "rows"),
    [
        pytest.param(0, (90, 90), id="the least that a score can be"),
        pytest.param(89, (90, 90), id="just below the first row"),
        pytest.param(90, (90, 90), id="the first row"),
        pytest.param(91, (90, 100), id="just above the first row"),
        pytest.param(169, (160, 170), id="the cut-off lies between two rows: 54 % is of 170"),
        pytest.param(170, (170, 170), id="a row"),
        pytest.param(249, (240, 250), id="just below the last row"),
        pytest.param(250, (250, 250), id="the last row"),
        pytest.param(337, (250, 250), id="the most that a score can be"),
    ],
)
def test_a_score_lies_between_two_printed_rows(score: int, rows: tuple[int, int]) -> None:
    """The lower and the upper row; the same one where the score is a row, or past the ends of the table."""
    lower, upper = bracket(score)
    assert (lower.score, upper.score) == rows


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (45, "45 lies below 90 (<1 %)"),
        (169, "169 lies between 160 (40 %) and 170 (54 %)"),
        (170, "170 (54 %)"),
        (302, "302 lies above 250 (>99 %)"),
    ],
)
def test_a_bracket_in_words_names_its_rows(score: int, words: str) -> None:
    """Printed percentages only, each with the row that it belongs to."""
    assert bracket_words(score) == words

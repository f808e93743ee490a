"""The reference page lists what is really read."""

from __future__ import annotations

import re
from pathlib import Path

from fhir_adapter.terminology import analytes, search_codes
from fhir_adapter.terminology.tables import findings

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`]+)`", PAGE))


def test_every_accepted_code_is_listed() -> None:
    """A data manager finds each code that is read, and each look-alike that is not."""
    codes = {code for one in analytes().values() for code in (*one.codes, *one.configured, *one.rejected)}
    assert codes | {code for _, code in search_codes()} <= NAMED


def test_no_other_loinc_code_is_listed() -> None:
    """A code that was taken out of the table is taken off the page."""
    codes = {code for one in analytes().values() for code in (*one.codes, *one.configured, *one.rejected)}
    assert {code for code in NAMED if re.fullmatch(r"\d+-\d", code)} == codes


def test_every_unit_and_alias_is_listed() -> None:
    """Each way of writing a unit is on the page."""
    units = {unit for one in analytes().values() for unit in (*one.units, *one.aliases)}
    assert units <= NAMED


def test_every_factor_and_limit_is_listed() -> None:
    """The numbers of the page are those of the table."""
    factors = {str(float(unit.factor)) for one in analytes().values() for unit in one.units.values()}
    stated = {str(_number(text)) for text in re.findall(r"x ([0-9./]+)", PAGE)}
    assert factors <= stated
    for one in analytes().values():
        if one.scored and one.limits.low is not None and one.limits.high is not None:
            low, high = (f"{float(end):g}" if end < 1 else str(end) for end in (one.limits.low, one.limits.high))
            assert f"limits {low} to {high} {one.unit}." in PAGE


def test_every_answer_is_listed() -> None:
    """Codes and words that say present or absent."""
    assert {code for _, code in findings().answers} <= NAMED


def _number(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return int(numerator) / int(denominator) if denominator else float(numerator)

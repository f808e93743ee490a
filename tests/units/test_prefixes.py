"""Every prefix of the metric system, against its power of ten."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from fhir_adapter.units import convert


@pytest.mark.parametrize(
    ("unit", "factor"), [("fg", 10**15), ("pg", 10**12), ("ng", 10**9), ("ug", 10**6), ("mg", 10**3)]
)
def test_a_gram_is_so_many_of_a_smaller_unit(unit: str, factor: int) -> None:
    """There and back compares a prefix only with itself."""
    assert convert(Decimal(1), "g", unit) == Fraction(factor)

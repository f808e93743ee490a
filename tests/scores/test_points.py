"""The functions that turn one result into points, asked directly."""

from __future__ import annotations

import pytest

from fhir_adapter.scores.points import Range, counted_range


@pytest.mark.parametrize(
    ("parts", "points"), [([(1, 1), (1, 1)], (38, 38)), ([(0, 1), (1, 1)], (23, 38)), ([(0, 0), (0, 0)], (0, 0))]
)
def test_parts_are_counted_when_nothing_else_is_said(parts: list[Range], points: Range) -> None:
    """Without a combined finding every part stands for itself."""
    assert counted_range("organomegaly", parts) == points

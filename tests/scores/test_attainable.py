"""Totals that the table can give, and what is said of one that it cannot."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_adapter.issues import Where
from fhir_adapter.scores.attainable import attainable, impossible_total, possible_points
from fhir_adapter.scores.hscore_table import ITEMS, MAXIMUM
from tests.scores import oracle

PLACE = Where(file="lb.csv", line=3, expression="HSCORE")


def test_284_totals_are_possible() -> None:
    """3,888 combinations give 284 different totals from 0 to 337; 54 cannot be."""
    assert len(attainable()) == 284
    assert (min(attainable()), max(attainable())) == (0, MAXIMUM)
    assert len(set(range(MAXIMUM + 1)) - attainable()) == 54


def test_they_are_the_totals_of_the_published_table() -> None:
    """Adding up every combination of the printed bands gives the same set."""
    assert attainable() == set(oracle.all_totals())


def test_the_most_of_every_item_makes_the_maximum() -> None:
    """The maximum that is told everywhere is the sum of the table."""
    assert sum(possible_points(item)[-1] for item in ITEMS) == MAXIMUM


@pytest.mark.parametrize("total", ["0", "18", "169.0", "302", "337"])
def test_a_total_of_the_table_is_believed(total: str) -> None:
    """However its decimals are written."""
    assert impossible_total(Decimal(total)) is None


@pytest.mark.parametrize("total", ["-18", "1", "168.5", "336", "338"])
def test_a_total_that_cannot_be_is_named(total: str) -> None:
    """It is set aside at its place, and the message does not repeat it."""
    issue = impossible_total(Decimal(total), PLACE)
    assert issue is not None
    assert (issue.code, issue.is_error, issue.where) == ("impossible-total", True, PLACE)
    assert issue.message == (
        "no choice of bands gives this HScore: 284 whole numbers from 0 to 337 are possible; "
        "add up the nine items again, or send what was measured"
    )


def test_without_a_place_none_is_told() -> None:
    """A caller that knows no place gives none."""
    issue = impossible_total(Decimal(1))
    assert issue is not None
    assert issue.where == Where()

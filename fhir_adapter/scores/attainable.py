"""Which totals the table of the HScore can give, and what is said of an imported total that it cannot.

The nine items are added up once per set of totals, not per combination: 3,888 combinations give 284 totals of 0 to 337.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from fhir_adapter.issues import Issue, Where
from fhir_adapter.scores.hscore_table import BANDS, COUNTED, ITEMS, MAXIMUM, PRESENT


@cache
def attainable() -> frozenset[int]:
    """Every total that one band of each item gives."""
    totals = {0}
    for item in ITEMS:
        totals = {total + points for total in totals for points in possible_points(item)}
    return frozenset(totals)


def possible_points(item: str) -> tuple[int, ...]:
    """The points that an item can give when everything is known of it, least first."""
    if item in BANDS:
        points = {band.points for band in BANDS[item]}
    elif item in COUNTED:
        points = set(COUNTED[item].points)
    else:
        points = {0, PRESENT[item]}
    return tuple(sorted(points))


def impossible_total(total: Decimal, where: Where | None = None) -> Issue | None:
    """What is wrong with an HScore that comes from elsewhere; None when the table can give it.

    A wrong sum or another table is behind such a number; which of the items is wrong, it does not tell.
    """
    if total in attainable():
        return None
    message = (
        f"no choice of bands gives this HScore: {len(attainable())} whole numbers from 0 to {MAXIMUM} are possible; "
        "add up the nine items again, or send what was measured"
    )
    return Issue("error", "impossible-total", message, where or Where())

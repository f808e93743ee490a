"""When a resource on a server counts as what we would send."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.sync.content import same_content

OURS: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "a",
    "meta": {"profile": ["https://b.test", "https://a.test"], "security": [{"system": "s", "code": "HTEST"}]},
    "status": "final",
    "valueQuantity": {"value": Decimal("1.50"), "unit": "g/dL"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"meta": {**OURS["meta"], "versionId": "3", "lastUpdated": "2026-11-23T10:00:00Z", "source": "#x"}},
        {"meta": {**OURS["meta"], "profile": ["https://a.test", "https://b.test"]}},
        {"text": {"status": "generated", "div": "<div/>"}},
    ],
)
def test_what_servers_set_themselves_is_no_difference(change: dict[str, Any]) -> None:
    """Versions, the order of profiles, a narrative."""
    assert same_content(OURS, {**OURS, **change})


def test_the_order_of_elements_is_no_difference() -> None:
    """Servers write elements in the order of the specification."""
    assert same_content(OURS, dict(reversed(OURS.items())))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "amended"},
        {"valueQuantity": {"value": Decimal("1.5"), "unit": "g/dL"}},
        {"meta": {**OURS["meta"], "security": []}},
        {"note": [{"text": "added"}]},
    ],
)
def test_everything_else_is(change: dict[str, Any]) -> None:
    """Also a digit that was lost."""
    assert not same_content(OURS, {**OURS, **change})

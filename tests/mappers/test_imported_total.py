"""An HScore that comes from elsewhere is no result, and one that the table cannot give is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.mappers.canonical import HSCORE_ITEM
from fhir_adapter.mappers.r4.read_observation import read_observation


def imported(**value: Any) -> dict[str, Any]:
    """A made-up HScore of another program."""
    coding = {"system": HSCORE_ITEM, "code": "hscore"}
    return {"resourceType": "Observation", "id": "h1", "status": "final", "code": {"coding": [coding]}, **value}


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ({"valueQuantity": {"value": 169}}, ["rejected-code"]),
        ({"valueQuantity": {"value": Decimal(337)}}, ["rejected-code"]),
        ({"valueQuantity": {"value": 1}}, ["rejected-code", "impossible-total"]),
        ({"valueQuantity": {"value": Decimal("169.5")}}, ["rejected-code", "impossible-total"]),
        ({"valueInteger": 338}, ["rejected-code", "impossible-total"]),
        ({}, ["rejected-code"]),
    ],
)
def test_a_total_that_cannot_be_is_named(value: dict[str, Any], codes: list[str]) -> None:
    """Nothing of it counts; what the table cannot give says that somebody added up wrongly."""
    answer = read_observation(imported(**value), "S01")
    assert [issue.code for issue in answer.issues] == codes
    assert answer.results == ()

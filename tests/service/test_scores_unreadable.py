"""A result that is sent to `$hscore` and is no valid R4 is set aside, and its item is not closed without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fhir_adapter.service import create_app
from fhir_adapter.settings import Settings
from tests.service.test_certainty import SENT, bundle, codes, observation, points, resources

HIGH = observation("2276-4", 9000, "ng/mL", name="o2")


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The service without a trial."""
    with TestClient(create_app(Settings())) as opened:
        yield opened


def ferritin(answer: Any) -> Any:
    """The points of ferritin in the only score of an answer: a number, or the least and the most."""
    (score,) = resources(answer, "Observation")
    told = points(score, "ferritin")
    return (told["low"]["value"], told["high"]["value"]) if isinstance(told, dict) else told


@pytest.mark.parametrize(
    "spoilt", [{"status": "banana"}, {"id": "a b"}, {"component": 7}, {"valueQuantity": {"value": "9000"}}]
)
def test_a_result_that_is_not_valid_holds_its_item_open(client: TestClient, spoilt: dict[str, Any]) -> None:
    """The other ferritin alone would say 0, as if it were all."""
    answer = client.post(SENT, json=bundle(observation("2276-4", 100, "ng/mL"), HIGH | spoilt))
    assert ferritin(answer) == (0, 50)
    assert codes(answer) != []


def test_alone_it_leaves_its_item_unknown(client: TestClient) -> None:
    """Another item of the Patient is known."""
    answer = client.post(SENT, json=bundle(observation("1920-8", 900, "U/L"), HIGH | {"status": "banana"}))
    assert ferritin(answer) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        {"status": "entered-in-error", "bogus": 1},
        {"subject": {"reference": "Patient/q"}, "status": "banana"},
        {"code": {"text": "made-up"}, "status": "banana"},
    ],
)
def test_what_says_nothing_of_it_holds_nothing_open(client: TestClient, spoilt: dict[str, Any]) -> None:
    """Taken back by its own word, of somebody else, or of a code that nobody knows."""
    answer = client.post(SENT, json=bundle(observation("2276-4", 3000, "ng/mL"), HIGH | spoilt))
    assert ferritin(answer) == 35

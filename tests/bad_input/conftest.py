"""What the tests of bad input share: a made-up trial to spoil, and an empty server to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fhir_adapter.sandbox import running
from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import Person


@pytest.fixture
def river(tmp_path: Path) -> SmallTrial:
    """A copy of the made-up trial."""
    return SmallTrial.copied(tmp_path / "river")


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with an empty home."""
    return Person.at(tmp_path / "home")


@pytest.fixture
def sandbox() -> Iterator[httpx2.Client]:
    """A client of an empty sandbox; paths are relative to its base."""
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    with running() as base, httpx2.Client(base_url=f"{base}/", headers=headers, timeout=30) as client:
        yield client

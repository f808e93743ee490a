"""What the tests of the service share: a state with the made-up hospital's results, and a service that knows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fhir_adapter.service import create_app
from fhir_adapter.settings import Settings
from tests.service.served import calling, copied, pull
from tests.stories.commands import Person


@pytest.fixture(scope="session")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state file after the hospital's first results, which no test changes."""
    folder = tmp_path_factory.mktemp("pulled")
    state = folder / "state.sqlite"
    pull(Person.at(folder / "home"), state, "patients", "results")
    return state


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with an empty home."""
    return Person.at(tmp_path / "person")


@pytest.fixture
def state(pulled: Path, tmp_path: Path) -> Path:
    """A state file of the test's own."""
    return copied(pulled, tmp_path / "state")


@pytest.fixture
def settings(state: Path) -> Settings:
    """The seed trial with this state."""
    return Settings(defaults={"trial": "nct02569463", "state": str(state)})


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx2.Client]:
    """A client of the service, which needs no token."""
    with calling(create_app(settings)) as opened:
        yield opened

"""What the stories share: somebody at a terminal, an empty server, an export of three subjects that may change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.commands import Person, Pushing
from tests.stories.export import Export
from tests.stories.sandbox import running
from tests.stories.telling import Pushed


@pytest.fixture(scope="session")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    """Three subjects of the public study, pushed once."""
    return Pushed.once(tmp_path_factory.mktemp("three-subjects"))


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with an empty home."""
    return Person.at(tmp_path / "home")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The base URL of an empty sandbox."""
    with running(database=str(tmp_path / "server.sqlite")) as base:
        yield base


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """The export of three subjects of the public study."""
    return Export.of(tmp_path / "export")


@pytest.fixture
def pushing(person: Person, server: str, export: Export, tmp_path: Path) -> Pushing:
    """The push of three subjects to the empty sandbox."""
    return Pushing(person, server, tmp_path / "state.sqlite", export.folder)

"""What the tests of intake share: a hospital with one Patient of the trial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.hospital import Hospital, patient
from tests.stories.sandbox import running


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    """A hospital that knows subject 001 as Patient/hp-1."""
    with running() as base:
        found = Hospital(base, tmp_path / "state.sqlite")
        found.publishes(patient())
        yield found

"""Where does nothing go? To the wrong kind of server, to one of another FHIR version, to one that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stories.commands import Pushing
from tests.stories.export import trial_folder
from tests.stories.fhir_server import Picture, Server
from tests.stories.sandbox import running
from tests.stories.telling import free_port

pytestmark = pytest.mark.measured_runs


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """The public study's mapping with its data labelled as made up."""
    return trial_folder(tmp_path / "trials", labels="[HTEST]")


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[str]:
    """The base URL of an empty server that speaks FHIR R5."""
    with running(database=str(tmp_path / "r5.sqlite"), quirks=("r5",)) as base:
        yield base


@pytest.fixture
def nobody() -> str:
    """A base URL on a port of this machine where nothing listens."""
    return f"http://127.0.0.1:{free_port()}/fhir"


@pytest.fixture
def clinic(tmp_path: Path, server: str) -> Path:
    """A configuration that names the empty sandbox as a server which is not for tests."""
    path = tmp_path / "config.yaml"
    path.write_text(f"servers:\n  clinic:\n    base: {server}\n    role: write\n    test: false\n", encoding="utf-8")
    return path


def test_made_up_data_do_not_go_to_a_server_that_is_not_for_tests(
    pushing: Pushing, made_up: Path, clinic: Path
) -> None:
    """Data labelled HTEST to a server not marked as test: exit 4, the reason, and nothing sent."""
    run = replace(pushing, trial=made_up, server="clinic").push("--config", clinic)
    assert run.exit_code == 4
    assert "HTEST" in run.err
    assert "clinic" in run.err
    assert Picture.of(pushing.server).resources == {}


def test_not_even_a_dry_run_of_made_up_data_goes_there(pushing: Pushing, made_up: Path, clinic: Path) -> None:
    """A dry run is refused like the push it stands for."""
    run = replace(pushing, trial=made_up, server="clinic").push("--config", clinic, "--dry-run")
    assert run.exit_code == 4


def test_made_up_data_go_to_a_loopback_address(pushing: Pushing, made_up: Path) -> None:
    """A bare loopback URL counts as a test server."""
    run = replace(pushing, trial=made_up).push()
    assert run.exit_code == 0
    assert Server(pushing.server).count("Patient?_security=HTEST") == 3


def test_public_data_go_to_a_server_that_is_not_for_tests(pushing: Pushing, clinic: Path) -> None:
    """Only made-up data are refused there."""
    run = replace(pushing, server="clinic").push("--config", clinic)
    assert run.exit_code == 0
    assert Server(pushing.server).count("Patient") == 3


def test_nothing_goes_to_a_server_of_another_fhir_version(pushing: Pushing, newer: str) -> None:
    """A server that speaks R5: exit 4, both versions are named, and nothing is sent."""
    run = replace(pushing, server=newer).push()
    assert run.exit_code == 4
    assert "5.0.0" in run.err
    assert "4.0" in run.err
    assert Picture.of(newer).resources == {}


def test_after_a_server_was_away_the_same_push_completes(pushing: Pushing, nobody: str) -> None:
    """Nothing listens: exit 5 and one line that names the server; once there is one, the push is complete."""
    away = replace(pushing, server=nobody).push()
    back = pushing.push()
    assert (away.exit_code, back.exit_code) == (5, 0)
    assert nobody in away.err
    assert "a bug" not in away.err
    assert len(Picture.of(pushing.server).records) == back.report["plan"]["create"]


def test_a_server_name_that_the_configuration_does_not_have(pushing: Pushing, clinic: Path) -> None:
    """A mistyped server name is a mistake of usage: exit 2, and the names that would be right."""
    run = replace(pushing, server="klinik").push("--config", clinic)
    assert run.exit_code == 2
    assert "clinic" in run.err

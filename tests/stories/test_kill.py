"""A push that was killed at any moment, or met another one, is complete after one run more."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.stories.commands import Pushing, plan_of
from tests.stories.export import Export
from tests.stories.fhir_server import Picture
from tests.stories.killing import (
    Undisturbed,
    bodies,
    fresh,
    kill_at_random,
    provenances_of,
    start_writing,
    undisturbed,
)

# Each round kills a first push and then the push that recovers from it: 20 moments.
ROUNDS = range(10)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """The export of three subjects."""
    return Export.of(tmp_path_factory.mktemp("three") / "export")


@pytest.fixture(scope="module")
def calm(three: Export, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The push of three subjects that nobody kills."""
    return undisturbed(tmp_path_factory.mktemp("calm"), three.folder)


@pytest.fixture(scope="module")
def calm_whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The push of the whole study that nobody kills."""
    return undisturbed(tmp_path_factory.mktemp("calm-whole"), None)


def assert_as_if_nothing_happened(pushing: Pushing, calm: Undisturbed) -> None:
    """One run more is complete; every resource is there once, in its first version, in one Provenance."""
    last = pushing.push()
    assert (last.exit_code, last.report["complete"], last.report["set_aside"]) == (0, True, [])
    picture = Picture.of(pushing.server)
    assert bodies(picture) == bodies(calm.picture)
    assert set(picture.versions.values()) == {"1"}
    assert provenances_of(picture) == dict.fromkeys(calm.picture.records, 1)


def assert_nothing_left_to_do(pushing: Pushing, calm: Undisturbed) -> None:
    """The run after that sends nothing."""
    again = pushing.push()
    assert again.report["plan"] == plan_of(unchanged=len(calm.picture.records))
    assert (again.exit_code, again.report["requests"]) == (0, 0)


@pytest.mark.parametrize("seed", ROUNDS)
def test_a_push_killed_twice_is_complete_after_one_run_more(
    tmp_path: Path, three: Export, calm: Undisturbed, seed: int
) -> None:
    """A first push and its recovery are killed; the third run leaves what an undisturbed push leaves."""
    moments = random.Random(seed)
    with fresh(tmp_path, three.folder) as pushing:
        codes = {kill_at_random(pushing, moments, calm) for _ in range(2)}
        assert codes <= {-signal.SIGKILL, 0}
        assert_as_if_nothing_happened(pushing, calm)
        assert_nothing_left_to_do(pushing, calm)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", ROUNDS)
def test_a_push_of_the_whole_study_killed_twice_is_complete_after_one_run_more(
    tmp_path: Path, calm_whole: Undisturbed, seed: int
) -> None:
    """The same with all 18 subjects."""
    moments = random.Random(seed)
    with fresh(tmp_path, None) as pushing:
        codes = {kill_at_random(pushing, moments, calm_whole) for _ in range(2)}
        assert codes <= {-signal.SIGKILL, 0}
        assert_as_if_nothing_happened(pushing, calm_whole)
        assert_nothing_left_to_do(pushing, calm_whole)


def test_two_pushes_at_once_leave_no_duplicates(tmp_path: Path, three: Export, calm: Undisturbed) -> None:
    """Of two pushes with one state, both end well or one of them stops with exit 5."""
    with fresh(tmp_path, three.folder) as pushing:
        both = [pushing.start(), pushing.start()]
        codes = {process.wait(60) for process in both}
        assert codes in ({0}, {0, 5})
        assert_as_if_nothing_happened(pushing, calm)


def test_a_push_beside_a_paused_one_does_no_harm(tmp_path: Path, three: Export, calm: Undisturbed) -> None:
    """A push paused between two transactions goes on after another one came: no duplicates, and no traceback."""
    with fresh(tmp_path, three.folder) as pushing:
        paused = start_writing(pushing)
        paused.send_signal(signal.SIGSTOP)
        second = pushing.push()
        paused.send_signal(signal.SIGCONT)
        assert {paused.wait(60), second.exit_code} in ({0}, {0, 5})
        assert "Traceback" not in second.err
        assert_as_if_nothing_happened(pushing, calm)

"""A push that was killed at any moment, or met another one, is complete after one run more."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stories.commands import Pushing, plan_of
from tests.stories.export import Export
from tests.stories.fhir_server import Picture
from tests.stories.killing import (
    Undisturbed,
    bodies,
    ended,
    fresh,
    kill_at_random,
    provenances_of,
    start_working,
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
        assert -signal.SIGKILL in codes
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
        assert -signal.SIGKILL in codes
        assert_as_if_nothing_happened(pushing, calm_whole)
        assert_nothing_left_to_do(pushing, calm_whole)


def test_two_pushes_at_once_leave_no_duplicates(tmp_path: Path, three: Export, calm: Undisturbed) -> None:
    """Of two pushes with one state, both end well or one of them stops with exit 5."""
    with fresh(tmp_path, three.folder) as pushing:
        both = [pushing.start(), pushing.start()]
        codes = {ended(process, 60) for process in both}
        assert codes in ({0}, {0, 5})
        assert_as_if_nothing_happened(pushing, calm)


def test_a_push_beside_a_paused_one_does_no_harm(tmp_path: Path, three: Export, calm: Undisturbed) -> None:
    """A push paused between two transactions goes on after another one came: no duplicates, and no traceback."""
    with fresh(tmp_path, three.folder) as pushing:
        paused = start_writing(pushing)
        paused.send_signal(signal.SIGSTOP)
        second = pushing.push()
        paused.send_signal(signal.SIGCONT)
        assert {ended(paused, 60), second.exit_code} in ({0}, {0, 5})
        assert "a bug" not in second.err
        assert_as_if_nothing_happened(pushing, calm)


@pytest.mark.parametrize("seed", [21, 22, 23, 24])
def test_updates_that_are_killed_twice_are_made_once(tmp_path: Path, three: Export, seed: int) -> None:
    """Every changed result ends at version 2 with the new value: none is lost, doubled or taken for an edit."""
    moments = random.Random(seed)
    with fresh(tmp_path, three.folder) as first:
        assert first.push().exit_code == 0
        pushing = replace(first, source=with_other_results(three.folder, tmp_path / "changed"))
        for _ in range(2):
            process = start_working(pushing)
            time.sleep(moments.uniform(0, 0.5))
            process.kill()
            ended(process, 60)
        last, again = pushing.push(), pushing.push()
        assert (last.exit_code, again.exit_code, again.report["requests"]) == (0, 0, 0)
        there = Picture.of(pushing.server).resources.values()
        results = [one for one in there if "trial-laboratory" in str(one["meta"].get("profile"))]
        numbers = [one for one in results if "comparator" not in one.get("valueQuantity", {"comparator": "a word"})]
        assert {one["meta"]["versionId"] for one in numbers} == {"2"}
        assert all(str(one["valueQuantity"]["value"]).startswith("9") for one in numbers)


def with_other_results(export: Path, changed: Path) -> Path:
    """The same export with a 9 before every numeric laboratory result."""
    shutil.copytree(export, changed)
    document = json.loads((changed / "lb.json").read_text(encoding="utf-8"))
    place = [column["name"] for column in document["columns"]].index("LBORRES")
    for row in document["rows"]:
        row[place] = "9" + row[place] if row[place][0].isdigit() else row[place]
    (changed / "lb.json").write_text(json.dumps(document), encoding="utf-8")
    return changed

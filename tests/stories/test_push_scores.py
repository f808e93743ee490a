"""The seed trial's scores on a server: sent once, brought in line after the hospital corrects, never lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fhir_adapter import fhirjson
from fhir_adapter.client import ServerSettings, loopback_server
from fhir_adapter.jobs.demo import publish
from fhir_adapter.jobs.pull import PullOptions, PullReport, pull
from fhir_adapter.jobs.push import PushOptions, PushReport, push
from fhir_adapter.jobs.push_scores import PushScoresOptions, PushScoresReport, push_scores
from fhir_adapter.sync import Item, SyncPlan
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from tests.stories.sandbox import running

pytestmark = pytest.mark.xdist_group("pushed-scores")


def quiet(_plan: SyncPlan) -> Callable[[int], None]:
    return lambda _done: None


@dataclass(frozen=True)
class Sending:
    """Somebody who runs a trial's jobs against one server."""

    folder: TrialFolder
    server: ServerSettings
    state: Path

    def publish(self, *files: str) -> None:
        """The hospital publishes files of the trial's folder."""
        for file in files:
            lines = (self.folder.path / "hospital" / file).read_bytes().splitlines()
            publish(self.server, [line for line in lines if line.strip()])

    def push(self) -> PushReport:
        """Send the trial's own records."""
        return push(self.folder, self.server, self.state, PushOptions(), quiet)

    def pull(self) -> PullReport:
        """Fetch the hospital's results."""
        return pull(self.folder, self.server, self.state, PullOptions())

    def scores(self) -> PushScoresReport:
        """Send the scores."""
        return push_scores(self.folder, self.server, self.state, PushScoresOptions(), quiet)

    def read(self, path: str) -> Any:
        """What the server answers."""
        return fhirjson.loads(httpx2.get(f"{self.server.base}/{path}").raise_for_status().content)


@dataclass(frozen=True)
class Story:
    """Pushed, pulled, scores sent twice; then the hospital corrects, and everything is done again."""

    first: PushScoresReport
    again: PushScoresReport
    pulled: PullReport
    corrected: PushScoresReport
    unchanged: PushScoresReport
    trial: PushReport
    histories: dict[str, list[dict[str, Any]]]

    def update(self, subject: str, window: str) -> Item:
        """The new version of one score."""
        updates = self.corrected.push.plan.of("update")
        return next(one for one in updates if (one.subject, one.source) == (subject, f"hscore/{window}"))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """All of it, on one server that is the hospital's and ours."""
    place = tmp_path_factory.mktemp("pushed-scores")
    with running(str(place / "server.sqlite")) as base:
        sending = Sending(read_trial_folder(trial_path("nct02569463")), loopback_server(base), place / "state.sqlite")
        sending.push()
        sending.publish("patients.ndjson", "results.ndjson")
        sending.pull()
        first, again = sending.scores(), sending.scores()
        sending.publish("later.ndjson")
        pulled, corrected, unchanged = sending.pull(), sending.scores(), sending.scores()
        names = [item.name for item in corrected.push.plan.of("update")]
        histories = {name: sending.read(f"{name}/_history")["entry"] for name in names}
        return Story(first, again, pulled, corrected, unchanged, sending.push(), histories)


def body(item: Item) -> dict[str, Any]:
    """What was sent."""
    return dict(fhirjson.loads(item.body))


def reasons(item: Item) -> tuple[str, ...]:
    """Why it was written."""
    assert item.grounds is not None
    return item.grounds.reasons


def test_every_subject_and_visit_has_one_score(story: Story) -> None:
    """34 scores of 6 subjects, in 6 transactions with one Provenance each."""
    applied = story.first.push.applied
    assert applied is not None
    assert (story.first.outcome, applied.to_dict()["create"], applied.provenances) == ("done", 34, 6)
    items = list(story.first.push.plan.of("create"))
    assert len({item.name for item in items}) == len({(item.subject, item.source) for item in items}) == 34


def test_the_second_time_sends_nothing(story: Story) -> None:
    """34 unchanged, 0 requests."""
    assert (story.again.push.plan.counts()["unchanged"], story.again.push.requests) == (34, 0)


def test_a_correction_makes_exactly_the_affected_scores_new_versions(story: Story) -> None:
    """Of 34, seven rest on what the hospital corrected, took back or added."""
    counts = story.corrected.push.plan.counts()
    updates = {(item.subject, item.source) for item in story.corrected.push.plan.of("update")}
    assert (counts["update"], counts["unchanged"], story.pulled.complete) == (7, 27, True)
    assert updates == {
        *(("S01", "hscore/screening"), ("S01", "hscore/month-1"), ("S03", "hscore/week-1")),
        *(("S04", "hscore/baseline"), ("S05", "hscore/baseline"), ("S05", "hscore/week-1")),
        ("S06", "hscore/month-1"),
    }


def test_a_corrected_triglyceride_corrects_month_1(story: Story) -> None:
    """The reason names the Observation with the hash of before and of now."""
    item = story.update("S01", "month-1")
    (why,) = reasons(item)
    assert body(item)["status"] == "corrected"
    assert why.startswith("Observation/lr-151208-0412-trig changed from sha-256 ")


def test_a_diluted_ferritin_amends_screening(story: Story) -> None:
    """The capped result was right and stands; a number counts instead."""
    item = story.update("S01", "screening")
    added, superseded = reasons(item)
    assert body(item)["status"] == "amended"
    assert added.startswith("Observation/lr-151105-0412-ferr-dil counts now (sha-256 ")
    assert superseded == "Observation/lr-151105-0412-ferr does not count any more; it stands unchanged"


def test_a_result_entered_in_error_corrects_month_1(story: Story) -> None:
    """The mislabelled ferritin of S06 counts no more."""
    item = story.update("S06", "month-1")
    assert body(item)["status"] == "corrected"
    assert reasons(item)[0].startswith("Observation/lr-171107-0381-ferr-b was taken back or changed at its source ")


def test_the_versions_of_before_are_in_the_history(story: Story) -> None:
    """Each of the seven has two versions; the first is final."""
    versions = {
        name: [entry["resource"]["status"] for entry in history][::-1] for name, history in story.histories.items()
    }
    assert len(versions) == 7
    assert {first for first, _ in versions.values()} == {"final"}
    assert {second for _, second in versions.values()} == {"amended", "corrected"}


def test_after_it_nothing_is_left_to_do(story: Story) -> None:
    """Neither for the scores nor for the trial's own push, and none takes the other's resources for gone."""
    assert (story.unchanged.push.plan.counts()["unchanged"], story.unchanged.push.requests) == (34, 0)
    assert (story.trial.plan.counts()["withdrawn"], story.trial.requests) == (0, 0)

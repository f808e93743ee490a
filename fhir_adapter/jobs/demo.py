"""demo: a trial goes to an embedded server, its hospital publishes results, they are pulled, scored and reported."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, ServerSettings, TransactionEntry, loopback_server
from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.pull import PullOptions, PullReport, pull
from fhir_adapter.jobs.push import PushOptions, PushReport, push
from fhir_adapter.jobs.report import ReportOptions, write_report
from fhir_adapter.jobs.score import ScoreOptions, ScoreReport, score
from fhir_adapter.sandbox import running
from fhir_adapter.scores import written
from fhir_adapter.sync import SyncPlan
from fhir_adapter.trial_folder import TrialFolder, known_trials, read_trial_folder, read_yaml, trial_path

PUBLISHED = (("patients.ndjson", "results.ndjson"), ("later.ndjson",))
"""What the demo's hospital publishes, in the trial folder below `hospital/`: first, and later."""

_ENTRIES = 100


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What happened, step by step, and what stands on the server now."""

    trial: str
    server: str
    pushes: tuple[PushReport, PushReport]
    published: tuple[int, ...]
    pulls: tuple[PullReport, ...]
    scores: ScoreReport | None
    report: Path | None
    standing: dict[str, int]

    @property
    def complete(self) -> bool:
        """True when everything went as a demo should."""
        again = self.pushes[1]
        done = all(push.complete for push in self.pushes) and again.requests == 0
        return done and all(pull.complete for pull in self.pulls)

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        told = written(self.scores.subjects, self.scores.cutoff) if self.scores else {"scores": [], "changes": []}
        return {
            "trial": self.trial,
            "complete": self.complete,
            "steps": [
                {"step": "push", **self.pushes[0].to_dict()},
                {"step": "push again", **self.pushes[1].to_dict()},
                *self._pull_steps(),
                {"step": "what stands on the server", "resources": self.standing},
            ],
            "report": str(self.report) if self.report else None,
            "scores": told["scores"],
            "changes": told["changes"],
        }

    def _pull_steps(self) -> Iterator[dict[str, object]]:
        for count, one in zip_longest(self.published, self.pulls):
            if count is not None:
                yield {"step": "the hospital publishes", "resources": count}
            if one is not None:
                yield {"step": "pull", **one.to_dict()}


def demo_trial() -> TrialFolder:
    """The trial whose folder says that it is shown; raises `Misconfigured` when none does."""
    for name in known_trials():
        path = trial_path(name)
        if read_yaml(path / "trial.yaml").value.get("demo"):
            return read_trial_folder(path)
    raise Misconfigured("no trial folder says `demo: true`")


def demo(
    folder: TrialFolder,
    subjects: int | None,
    keep: Path | None,
    show_plan: Callable[[SyncPlan], Callable[[int], None]],
    say: Callable[[str], None],
) -> DemoReport:
    """Tell the whole story on a fresh server in this process.

    `keep` is a folder for the server's database, our state and the report; without it the first two are gone at the
    end, and the report stays in a temporary folder of its own.
    """
    with _place(keep) as place, running(str(place / "demo-server.sqlite")) as base:
        say(f"1. A FHIR server of our own runs at {base}; it is empty.")
        settings, state = loopback_server(base), place / "demo-state.sqlite"
        options = PushOptions(subjects=subjects)
        say("2. Push: what the site recorded becomes FHIR resources.")
        first = push(folder, settings, state, options, show_plan)
        say("3. The same push again: what has not changed costs nothing.")
        second = push(folder, settings, state, options, show_plan)
        published, pulls = _hospital(folder, settings, state, subjects, say)
        scores = report = None
        if folder.scores is not None:
            say("6. HScore at every visit, from what came back and what the site examined.")
            scores = score(folder, state, ScoreOptions(subjects=subjects))
            report = (keep or Path(tempfile.mkdtemp(prefix="fhir-adapter-report-"))) / "report.html"
            write_report(folder, state, report, ReportOptions(subjects=subjects))
        standing = _standing(settings, first)
        return DemoReport(folder.id, base, (first, second), published, pulls, scores, report, standing)


def _hospital(
    folder: TrialFolder, settings: ServerSettings, state: Path, subjects: int | None, say: Callable[[str], None]
) -> tuple[tuple[int, ...], tuple[PullReport, ...]]:
    """The hospital publishes in its own time, and we pull after each."""
    published: list[int] = []
    pulls: list[PullReport] = []
    for step, files in zip((4, 5), PUBLISHED, strict=True):
        paths = [folder.path / "hospital" / name for name in files]
        lines = [line for path in paths if path.is_file() for line in path.read_bytes().splitlines() if line.strip()]
        if lines:
            what = "publishes patients and results" if not published else "corrects, withdraws and adds results"
            say(f"{step}. The hospital {what} ({len(lines)} resources); nobody types them. Pull.")
            publish(settings, lines)
            published.append(len(lines))
        elif published or step > 4:  # noqa: PLR2004 - without a hospital one pull reads what we pushed
            continue
        if folder.hospital is not None:
            pulls.append(pull(folder, settings, state, PullOptions(subjects=subjects)))
            told = pulls[-1]
            changes = f"{told.new} new, {told.changed} changed, {told.withdrawn} withdrawn"
            say(f"   {changes}; {len(told.review_items)} to review.")
    return tuple(published), tuple(pulls)


def publish(settings: ServerSettings, lines: Sequence[bytes]) -> None:
    """Put resources on the demo's server as its hospital would, under the hospital's own ids."""
    entries = []
    for line in lines:
        resource = fhirjson.loads(line)
        entries.append(TransactionEntry(f"{resource['resourceType']}/{resource['id']}", fhirjson.dumps(resource)))
    with FhirServer(settings) as server:
        for start in range(0, len(entries), _ENTRIES):
            server.transaction(entries[start : start + _ENTRIES])


def _standing(settings: ServerSettings, first: PushReport) -> dict[str, int]:
    types = dict.fromkeys(item.name.partition("/")[0] for item in first.plan.of("create", "unchanged"))
    with FhirServer(settings) as server:
        return {name: server.count(name) for name in [*types, "Provenance"]}


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="fhir-adapter-demo-") as folder:
            yield Path(folder)
        return
    keep.mkdir(parents=True, exist_ok=True)
    for name in ("demo-server.sqlite", "demo-state.sqlite"):
        for file in keep.glob(f"{name}*"):
            file.unlink()
    yield keep

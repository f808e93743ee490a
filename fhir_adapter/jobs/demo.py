"""demo: a whole study goes to an embedded server, once; the second time there is nothing to do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.client import FhirServer, loopback_server
from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.push import PushOptions, PushReport, push
from fhir_adapter.sandbox import running
from fhir_adapter.sync import SyncPlan
from fhir_adapter.trial_folder import TrialFolder, known_trials, read_trial_folder, read_yaml, trial_path


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What happened, step by step, and what stands on the server now."""

    trial: str
    server: str
    first: PushReport
    second: PushReport
    standing: dict[str, int]

    @property
    def complete(self) -> bool:
        """True when everything went as a demo should."""
        return self.first.complete and self.second.complete and self.second.requests == 0

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {
            "trial": self.trial,
            "complete": self.complete,
            "steps": [
                {"step": "push", **self.first.to_dict()},
                {"step": "push again", **self.second.to_dict()},
                {"step": "what stands on the server", "resources": self.standing},
            ],
        }


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
    """Push the trial to a fresh server in this process, push it again, and count what stands there.

    `keep` is a folder for the server's database and our state; without it both are gone at the end.
    """
    with _place(keep) as place, running(str(place / "demo-server.sqlite")) as base:
        say(f"A FHIR server of our own runs at {base}; it is empty.")
        settings, state = loopback_server(base), place / "demo-state.sqlite"
        options = PushOptions(subjects=subjects)
        first = push(folder, settings, state, options, show_plan)
        say("The same push again: what has not changed costs nothing.")
        second = push(folder, settings, state, options, show_plan)
        types = dict.fromkeys(item.name.partition("/")[0] for item in first.plan.of("create", "unchanged"))
        with FhirServer(settings) as server:
            standing = {name: server.count(name) for name in [*types, "Provenance"]}
        return DemoReport(folder.id, base, first, second, standing)


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

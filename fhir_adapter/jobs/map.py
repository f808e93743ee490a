"""map: what the sources become, without any server: the resources, and what became of every column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.issues import Issue
from fhir_adapter.mappers import map_trial
from fhir_adapter.sources import Reading, read_trial
from fhir_adapter.sync import SyncPlan, make_plan
from fhir_adapter.trial_folder import TrialFolder


@dataclass(frozen=True, slots=True)
class MapReport:
    """The resources that a push to an empty server would create, and the reports on columns and rows."""

    reading: Reading
    plan: SyncPlan

    @property
    def resources(self) -> list[bytes]:
        """Each resource as JSON."""
        return [item.body for item in self.plan.of("create")]

    @property
    def set_aside(self) -> tuple[Issue, ...]:
        """What is not among the resources, with the reason."""
        return self.plan.set_aside

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        types = Counter(item.name.partition("/")[0] for item in self.plan.of("create"))
        return {
            "columns": [use.to_dict() for use in self.reading.columns],
            "rows": [count.to_dict() for count in self.reading.rows],
            "resources": dict(types),
            "set_aside": [issue.to_dict() for issue in self.set_aside],
            "warnings": [issue.to_dict() for issue in self.plan.warnings],
        }


def map_sources(folder: TrialFolder, source: Path | None = None) -> MapReport:
    """Read, map and check a trial; raises `Misconfigured` as reading does."""
    reading = read_trial(folder, source)
    mapping = map_trial(reading.study, reading.entities, folder)
    return MapReport(reading, make_plan(reading, mapping, {}, lambda _names: {}))

"""What trial.yaml asks of the trial's resources beyond FHIR: when doses are planned, and how serious each rule is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RuleName = Literal[
    "dose-day", "dose-window", "hard-limits", "subject-in-study", "unit-possible", "visit-order", "visit-window"
]
Seriousness = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The study days on which doses are planned: `every` days from `first`, each with a tolerance, until `last`."""

    first: int
    every: int
    last: int
    before: int = 0
    after: int = 0

    def days(self) -> Iterator[int]:
        """The planned study days; there is no day 0."""
        linear = self.first if self.first < 0 else self.first - 1
        last = self.last if self.last < 0 else self.last - 1
        for day in range(linear, last + 1, self.every):
            yield day if day < 0 else day + 1


@dataclass(frozen=True, slots=True)
class TrialRuleSettings:
    """The rules that this trial turned on, each with how serious a breach is, and the schedule of its doses."""

    severities: Mapping[str, Seriousness] = field(default_factory=dict)
    schedule: Schedule | None = None


def rule_settings(trial: Mapping[str, Any]) -> TrialRuleSettings:
    """Read `rules` and `doses.schedule` of trial.yaml."""
    schedule = trial.get("doses", {}).get("schedule")
    severities = {name: stated for name, stated in trial.get("rules", {}).items() if stated != "off"}
    return TrialRuleSettings(severities, Schedule(**schedule) if schedule else None)

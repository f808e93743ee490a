"""Which results count for a score at a visit: the rule that a trial states beforehand, per kind of item.

No standard exists; the window alone more than doubles positives (Clin Med 2021), so it is never a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Choice = Literal["first", "last", "nearest", "worst"]


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of several results counts, among those of the study days `first_day` to `last_day` (both included)."""

    choice: Choice
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class ScoreWindow:
    """A visit at which a score is computed.

    `target` is its study day. `before_first_dose`: only what was collected before the first dose counts.
    `temperature_days`: the highest reading of so many calendar days ending on the day of the blood count; without it
    `temperature` picks like any other item.
    """

    name: str
    target: int
    blood: Pick
    temperature: Pick
    organs: Pick
    marrow: Pick
    before_first_dose: bool = False
    temperature_days: int | None = None

    def pick(self, kind: str) -> Pick:
        """The rule of one kind of item: blood, temperature, organs, marrow."""
        return {"blood": self.blood, "temperature": self.temperature, "organs": self.organs, "marrow": self.marrow}[
            kind
        ]


@dataclass(frozen=True, slots=True)
class ScoreRules:
    """How a trial scores: its windows in order of time, the change it looks at, the cut-off.

    `rescue` names the kinds of medication that count as rescue; `dose_note` is what must be known of a temperature
    taken less than 24 hours after a dose.
    """

    windows: tuple[ScoreWindow, ...]
    change_from: str
    change_to: str
    cutoff: int = 169
    day_one_dates_before_dose: bool = False
    rescue: tuple[str, ...] = ()
    dose_note: str = ""

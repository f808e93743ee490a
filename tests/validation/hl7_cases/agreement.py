"""How far our validator's answers to HL7's cases agree with those of HL7's Java engine, counted in three ways.

The ways are defined in `docs/validator-cases.md`, which also names the runs that are left out and every disagreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.validation.hl7_cases.asking import Answer


@dataclass(frozen=True, slots=True)
class Figure:
    """So many of so many."""

    holds: int
    of: int

    @property
    def percent(self) -> float:
        """With one digit, rounded down: 95.96 is not 96."""
        return (1000 * self.holds // self.of) / 10 if self.of else 100.0

    def __str__(self) -> str:
        return f"{self.holds} of {self.of} ({self.percent} %)"


@dataclass(frozen=True, slots=True)
class Agreement:
    """The three figures over a set of answers."""

    verdicts: Figure
    """Runs of which both say that there is an error, or both that there is none."""
    places: Figure
    """Runs in which both find their errors at the same elements."""
    findings: Figure
    """Errors and warnings of either, each as severity and place, that both have."""

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Agreement:
        """Count."""
        return cls(
            verdicts=_share(answers, lambda answer: answer.agrees),
            places=_share(answers, lambda answer: answer.agrees_in_places),
            findings=Figure(
                sum(len(answer.run.answered & answer.places) for answer in answers),
                sum(len((answer.run.answered - answer.run.external) | answer.places) for answer in answers),
            ),
        )


def _share(answers: Iterable[Answer], holds: Callable[[Answer], bool]) -> Figure:
    each = [holds(answer) for answer in answers]
    return Figure(sum(each), len(each))

"""On which study day something happened, and which planned visit a day belongs to.

Study days follow SDTM (SDTMIG 3.3, section 4.4.4): day 1 is the reference start, the day before it is day -1, and there
is no day 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from fhir_adapter.trial.entities import Dose, Entity, Subject
from fhir_adapter.trial.moments import Moment


@dataclass(frozen=True, slots=True)
class Window:
    """The study days on which a visit counts as done in time; both ends belong to it."""

    visit: str
    day: int
    before: int = 0
    after: int = 0

    def contains(self, day: int) -> bool:
        """True when the study day lies inside, counted without the missing day 0."""
        return -self.before <= _linear(day) - _linear(self.day) <= self.after


def study_day(day: date, reference: date) -> int:
    """The study day of a calendar day; never 0."""
    distance = (day - reference).days
    return distance + 1 if distance >= 0 else distance


def calendar_day(day: int, reference: date) -> date:
    """The calendar day of a study day, counted from day 1; there is no day 0."""
    return reference + timedelta(days=_linear(day))


def study_days_before(day: int, days: int) -> int:
    """The study day so many calendar days earlier."""
    linear = _linear(day) - days
    return linear if linear < 0 else linear + 1


def _linear(day: int) -> int:
    return day if day < 0 else day - 1


def injections(entities: Iterable[Entity], zone: tzinfo | None) -> list[Moment]:
    """When a subject's doses were given, in order; one of an uncertain day is none that days can be counted from."""
    given = [one.start for one in entities if isinstance(one, Dose) and one.given and one.start.day is not None]
    return sorted(given, key=lambda start: start.bounds(zone) if zone else start.bounds())


def first_dose(subject: Subject, given: Sequence[Moment]) -> Moment | None:
    """The dose that study days are counted from: the first as collected, else the one that the subject's row states."""
    return given[0] if given else subject.first_dose

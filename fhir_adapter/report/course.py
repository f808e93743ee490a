"""What happened to a subject day by day: the numbers behind the picture of the course."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from fhir_adapter.report.page import SubjectPage

_NOON = Fraction(1, 2)
_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Reading:
    """A temperature as drawn: days since the midnight of day 1, and degrees. Drawing needs no more digits."""

    day: float
    celsius: float


@dataclass(frozen=True, slots=True)
class Step:
    """A steroid dose that stayed the same; both days belong to it."""

    first: date
    last: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DailyRow:
    """One study day on which something was recorded."""

    day: int
    date: date
    readings: int
    highest: Fraction | None
    doses: str
    steroid: Decimal | None
    events: tuple[str, ...]


def readings(subject: SubjectPage) -> list[Reading]:
    """All temperature readings that are one number, in order of time; a day without time is drawn at noon.

    Only for a subject with a first dose.
    """
    day_one = subject.day_one
    assert day_one is not None
    found = [(place, celsius) for _, place, celsius in _temperatures(subject)]
    return [Reading(float(place - day_one.toordinal()), float(celsius)) for place, celsius in sorted(found)]


def dose_steps(subject: SubjectPage) -> list[Step]:
    """The steroid dose of each day, courses that overlap added up, as steps."""
    one_day = timedelta(days=1)
    turns = {first for first, _, _ in subject.steroids} | {last + one_day for _, last, _ in subject.steroids}
    bounds = sorted(turns)
    steps = []
    for first, following in pairwise(bounds):
        last = following - one_day
        amount = sum((mg for start, end, mg in subject.steroids if start <= first and last <= end), Decimal(0))
        if amount:
            steps.append(Step(first, last, amount))
    return steps


def daily_rows(subject: SubjectPage) -> list[DailyRow]:
    """Every day with a temperature, a dose, a rescue, a transfusion or a change of the steroid dose."""
    day_one = subject.day_one
    if day_one is None:
        return []
    heat: dict[date, list[Fraction]] = {}
    for day, _, celsius in _temperatures(subject):
        heat.setdefault(day, []).append(celsius)
    doses = _doses(subject)
    events = _events(subject)
    steps = dose_steps(subject)
    days = sorted({*heat, *doses, *events, *(step.first for step in steps)})
    return [_row(subject, day, heat.get(day, []), doses.get(day, ""), steps, events.get(day, ())) for day in days]


def _row(
    subject: SubjectPage, day: date, heat: list[Fraction], dose: str, steps: list[Step], events: tuple[str, ...]
) -> DailyRow:
    number = subject.study_day(day)
    assert number is not None
    steroid = next((step.amount for step in steps if step.first <= day <= step.last), None)
    return DailyRow(number, day, len(heat), max(heat, default=None), dose, steroid, events)


def _temperatures(subject: SubjectPage) -> Iterator[tuple[date, Fraction, Fraction]]:
    """Day, place on the calendar (days with their fraction), degrees Celsius."""
    for one in subject.temperatures:
        celsius = one.interval.point if one.interval else None
        day = subject.day_of(one.effective) if one.effective else None
        if celsius is None or day is None or one.effective is None:
            continue
        local = subject.local(one.effective)
        part = Fraction(local.hour * 60 + local.minute, _MINUTES) if local else _NOON
        yield day, day.toordinal() + part, celsius


def _doses(subject: SubjectPage) -> dict[date, str]:
    said: dict[date, str] = {}
    for dose in subject.doses:
        words = "given" if dose.given else f"not given ({dose.reason_missed or 'no reason recorded'})"
        if day := subject.day_of(dose.start):
            said[day] = f"{said[day]}, {words}" if day in said else words
    return said


def _events(subject: SubjectPage) -> dict[date, tuple[str, ...]]:
    said: dict[date, tuple[str, ...]] = {}
    for kind, events in (("rescue", subject.rescue), ("transfusion", subject.transfusions)):
        for day, what in events:
            said[day] = (*said.get(day, ()), f"{kind}: {what}")
    death = subject.subject.death
    if death and (died := subject.day_of(death)):
        said[died] = (*said.get(died, ()), "died")
    return said

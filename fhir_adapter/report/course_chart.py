"""A subject's course as one picture: temperature, doses, steroids, rescue and transfusions on one time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from markupsafe import Markup

from fhir_adapter.report.charts import box, line, place, text
from fhir_adapter.report.course import DailyRow, Reading, daily_rows, dose_steps, readings
from fhir_adapter.report.page import SubjectPage
from fhir_adapter.report.words import celsius, milligrams, window_name
from fhir_adapter.trial import ScoreRules, calendar_day, study_day

_WIDTH, _LEFT, _RIGHT, _TOP = 920, 112, 22, 34
_FEVER, _LANE, _STEPS, _GAP = 190, 24, 58, 10
_COLDEST, _HOTTEST = 36, 40
_EDGES = (38.4, 39.4)
_LONGEST_GAP = 2
_DEATH_LABEL = 70
_MARGIN = timedelta(days=1)
_WIDE_ENOUGH = 30


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where days and lanes lie."""

    subject: SubjectPage
    day_one: date
    first: date
    last: date

    def x(self, day: float) -> float:
        """The place of a day, counted from the first dose's midnight."""
        start, end = (self.first - self.day_one).days, (self.last - self.day_one).days + 1
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (day - start) / (end - start)

    def shows(self, day: date) -> bool:
        """True when the day lies on the time axis."""
        return self.first <= day <= self.last

    def at(self, day: date) -> float:
        """The middle of a calendar day."""
        return self.x((day - self.day_one).days + 0.5)


def course_chart(subject: SubjectPage, rules: ScoreRules, name: str) -> Markup:
    """The picture, or nothing when no dose was given: without day 1 there is no time axis."""
    days = daily_rows(subject)
    if subject.day_one is None or not days:
        return Markup("")
    frame = _frame(subject, subject.day_one, days, rules)
    lanes = _lanes(frame, rules)
    return Markup(
        '<svg class="chart course" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{desc}</desc>{body}</svg>'
    ).format(
        width=_WIDTH,
        height=_height(),
        name=name,
        title=f"Course of {subject.name}: temperature, doses, steroid dose, rescue and transfusions",
        desc=describe(subject, days),
        body=Markup("").join(lanes),
    )


def _frame(subject: SubjectPage, day_one: date, days: Sequence[DailyRow], rules: ScoreRules) -> _Frame:
    """From the first window to the last event: steroids of years before may begin left of it."""
    opens = min((window.blood.first_day for window in rules.windows), default=1)
    shown = [calendar_day(opens, day_one), day_one]
    shown += [calendar_day(window.target, day_one) for window in rules.windows if subject.scores.at(window.name)]
    shown += [row.date for row in days if row.readings or row.doses or row.date > day_one]
    return _Frame(subject, day_one, min(shown), max(shown) + _MARGIN)


def describe(subject: SubjectPage, days: Sequence[DailyRow]) -> str:
    """What the picture shows, in words."""
    said = [_described_fever([(row.highest, row) for row in days if row.highest is not None])]
    given = sum(dose.given for dose in subject.doses)
    said.append(f"{given} doses given, {len(subject.doses) - given} planned doses not given")
    steps = [f"{milligrams(step.amount)} mg from D{subject.study_day(step.first)}" for step in dose_steps(subject)]
    said.append(f"steroid a day: {', '.join(steps) or 'none recorded'}")
    for name, events in (("rescue", subject.rescue), ("transfusions", subject.transfusions)):
        listed = [f"{what} on D{subject.study_day(day)}" for day, what in events]
        said.append(f"{name}: {', '.join(listed) or 'none recorded'}")
    return "; ".join(said) + "."


def _described_fever(found: Sequence[tuple[Fraction, DailyRow]]) -> str:
    if not found:
        return "no temperature readings"
    highest, on = max(found, key=lambda one: one[0])
    count, first, last = sum(row.readings for _, row in found), found[0][1].day, found[-1][1].day
    return f"{count} temperature readings from D{first} to D{last}; highest {celsius(highest)} °C on D{on.day}"


def _height() -> int:
    return _TOP + _FEVER + 3 * (_LANE + _GAP) + _STEPS + _GAP + 30


def _lanes(frame: _Frame, rules: ScoreRules) -> Iterator[Markup]:
    bottom = _height() - 30
    yield from _time_axis(frame, rules, bottom)
    yield from _fever(frame)
    top = _TOP + _FEVER + _GAP
    yield from _doses(frame, top)
    top += _LANE + _GAP
    yield from _steroids(frame, top)
    top += _STEPS + _GAP
    rescue = [day for day, _ in frame.subject.rescue]
    yield from _marks(frame, top, "Rescue", rescue, "M{x} {y}m0 -6l6 6l-6 6l-6 -6z", "event")
    top += _LANE + _GAP
    transfusions = [day for day, _ in frame.subject.transfusions]
    yield from _marks(frame, top, "Transfusion", transfusions, "M{x} {y}m0 -6l6 11h-12z", "event hollow")
    yield from _death(frame, bottom)


def _time_axis(frame: _Frame, rules: ScoreRules, bottom: int) -> Iterator[Markup]:
    last_x = float("-inf")
    for window in sorted(rules.windows, key=lambda one: one.target):
        day = calendar_day(window.target, frame.day_one)
        if frame.shows(day):
            x = frame.at(day)
            yield line(x, _TOP - 6, x, bottom, "visit")
            if x - last_x > _WIDE_ENOUGH * 2:
                yield text(x, _TOP - 20, window_name(window.name), style="tick", anchor="middle")
                yield text(x, bottom + 18, f"D{window.target}", style="tick", anchor="middle")
                last_x = x
    yield line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, "axis")
    targets = [frame.at(calendar_day(window.target, frame.day_one)) for window in rules.windows]
    for day in (frame.first, frame.last - _MARGIN):
        if all(abs(x - frame.at(day)) > _WIDE_ENOUGH for x in targets):
            number = study_day(day, frame.day_one)
            yield text(frame.at(day), bottom + 18, f"D{number}", style="tick", anchor="middle")
    yield text(0, bottom + 18, "study day", style="lane")


def _fever(frame: _Frame) -> Iterator[Markup]:
    found = readings(frame.subject)
    low = min([_COLDEST, *(floor(one.celsius) for one in found)])
    high = max([_HOTTEST, *(ceil(one.celsius) for one in found)])

    def y(celsius: float) -> float:
        return _TOP + _FEVER * (high - celsius) / (high - low)

    yield text(0, _TOP + 10, "Temperature", style="lane")
    yield text(0, _TOP + 26, "°C", style="tick")
    for degree in range(low, high + 1):
        yield line(_LEFT, y(degree), _WIDTH - _RIGHT, y(degree), "grid")
        yield text(_LEFT - 8, y(degree) + 4, str(degree), style="tick", anchor="end")
    for edge in _EDGES:
        yield line(_LEFT, y(edge), _WIDTH - _RIGHT, y(edge), "edge")
        yield text(_WIDTH - _RIGHT, y(edge) - 3, str(edge), style="small", anchor="end")
    for run in _runs(found):
        path = " ".join(f"{place(frame.x(one.day))},{place(y(one.celsius))}" for one in run)
        yield Markup('<polyline points="{path}" class="curve"/>').format(path=path)
        dots = "".join(f"M{place(frame.x(one.day))} {place(y(one.celsius))}h0" for one in run)
        yield Markup('<path d="{dots}" class="dots"/>').format(dots=dots)
    if not found:
        yield text(_LEFT + 8, _TOP + _FEVER / 2, "no readings", style="said")


def _runs(found: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Readings without a long gap between them: a line over days without readings would invent some."""
    run = list(found[:1])
    for before, after in pairwise(found):
        if after.day - before.day > _LONGEST_GAP:
            yield run
            run = []
        run.append(after)
    if run:
        yield run


def _doses(frame: _Frame, top: int) -> Iterator[Markup]:
    yield text(0, top + 16, "Doses", style="lane")
    yield line(_LEFT, top + _LANE, _WIDTH - _RIGHT, top + _LANE, "grid")
    for dose in frame.subject.doses:
        day = frame.subject.day_of(dose.start)
        if day is None:
            continue
        x = frame.at(day)
        yield line(x, top + 4, x, top + _LANE, "dose") if dose.given else box(x - 4, top + 9, 8, 8, "held")


def _steroids(frame: _Frame, top: int) -> Iterator[Markup]:
    steps = dose_steps(frame.subject)
    yield text(0, top + 16, "Steroid", style="lane")
    yield text(0, top + 31, "mg a day", style="small")
    yield line(_LEFT, top + _STEPS, _WIDTH - _RIGHT, top + _STEPS, "grid")
    most = max((step.amount for step in steps), default=0)
    for step in steps:
        first, last = max(step.first, frame.first), min(step.last, frame.last)
        if first > last:
            continue
        left, right = frame.x((first - frame.day_one).days), frame.x((last - frame.day_one).days + 1)
        height = (_STEPS - 16) * float(step.amount / most)
        yield box(left, top + _STEPS - height, right - left, height, "step")
        label = milligrams(step.amount)
        if right - left > 8 * len(label):
            yield text((left + right) / 2, top + _STEPS - height - 4, label, style="small", anchor="middle")
    if not steps:
        yield text(_LEFT + 8, top + _STEPS / 2 + 4, "none recorded", style="said")


def _marks(frame: _Frame, top: int, name: str, days: Sequence[date], shape: str, style: str) -> Iterator[Markup]:
    yield text(0, top + 16, name, style="lane")
    yield line(_LEFT, top + _LANE, _WIDTH - _RIGHT, top + _LANE, "grid")
    for day in filter(frame.shows, days):
        path = shape.format(x=place(frame.at(day)), y=place(top + _LANE / 2))
        yield Markup('<path d="{path}" class="{style}"/>').format(path=path, style=style)
    if not days:
        yield text(_LEFT + 8, top + 16, "none recorded", style="said")


def _death(frame: _Frame, bottom: int) -> Iterator[Markup]:
    death = frame.subject.subject.death
    day = frame.subject.day_of(death) if death else None
    if day is None:
        return
    x = frame.at(day)
    yield line(x, _TOP - 6, x, bottom, "death")
    left = x > _WIDTH - _RIGHT - _DEATH_LABEL
    place_of_words, anchor = (x - 6, "end") if left else (x + 6, "start")
    words = f"died D{study_day(day, frame.day_one)}"
    yield text(place_of_words, _TOP + _FEVER - 8, words, style="label", anchor=anchor)

"""Which results count for a visit, and why the others do not: the rule of the trial, applied to one subject.

Instants are ordered in UTC, study days counted on the site's local calendar. A partial date that only overlaps a window
is listed, not used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction

from fhir_adapter.scores.hscore import Choice
from fhir_adapter.scores.hscore_table import BOTH_ORGANS, LINEAGES, PARTS
from fhir_adapter.scores.model import Evidence
from fhir_adapter.scores.points import Range, result_range
from fhir_adapter.scores.same_result import BLOOD_GAS, Report, Times, contradicting, reconcile, report_of
from fhir_adapter.trial import Moment, Pick, Result, ScoreWindow, calendar_day, study_day, study_days_before

_ORGANS = (*PARTS["organomegaly"], BOTH_ORGANS)
_ENROLMENT = "known_immunosuppression"
_MARROW = "marrow_hemophagocytosis"
_WORDS = {
    "first": "first result in the window",
    "last": "last result in the window",
    "nearest": "nearest to the planned day (tie: earlier)",
    "worst": "every result in the window counts, the worst decides",
}
_LAST_BEFORE_DOSE = "last before injection 1"
_ACTIVE = "a diagnosis that was active then"
_DAY_SECONDS = 86400
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Course:
    """When a subject's treatment began, and where: what study days are counted from."""

    first_dose: Moment
    zone: tzinfo
    day_one_dates_before_dose: bool = False
    injections: tuple[Moment, ...] = ()
    dose_note: str = ""
    """What the trial says of a temperature soon after a dose."""

    @property
    def day_one(self) -> date:
        """The local calendar day of the first dose."""
        day = self.day_of(self.first_dose)
        assert day is not None
        return day

    def day_of(self, moment: Moment) -> date | None:
        """The calendar day at the site; None when only month or year are known."""
        return local_day(moment, self.zone)

    def study_day(self, moment: Moment) -> int | None:
        """The study day of a moment; None when its day is not known."""
        day = self.day_of(moment)
        return study_day(day, self.day_one) if day else None

    def before_first_dose(self, moment: Moment) -> bool:
        """True when it was certainly collected before the first dose, or the schedule says so for day 1."""
        day = self.day_of(moment)
        if day is None or day != self.day_one:
            return day is not None and day < self.day_one
        if "day" in (moment.precision, self.first_dose.precision):
            return self.day_one_dates_before_dose
        return moment.bounds(self.zone)[0] < self.first_dose.bounds(self.zone)[0]


def local_day(moment: Moment, zone: tzinfo) -> date | None:
    """The calendar day at a place; None when only month or year are known."""
    if moment.precision != "time":
        return moment.day
    start = moment.bounds(zone)[0]
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(start))).astimezone(zone).date()


def nothing_refused(_: Result) -> str:
    """No result is refused for what it is."""
    return ""


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """What a score looks at beside temperature and blood count, by the rule of the window that chooses it.

    `of_the_count` comes from the blood count that was chosen. `decides` says what one result of a part allows: results
    of one time that allow different things contradict each other. `refuses` says why a result never counts, whatever
    the window; empty when it may.
    """

    blood: tuple[str, ...]
    organs: tuple[str, ...]
    marrow: tuple[str, ...]
    stated: tuple[str, ...]
    of_the_count: tuple[str, ...] = ()
    decides: Callable[[str, Result], Range] = result_range
    refuses: Callable[[Result], str] = nothing_refused


HSCORE_PARTS = ScoreParts(
    blood=("ferritin", "triglycerides", "fibrinogen", "ast"), organs=_ORGANS, marrow=(_MARROW,), stated=(_ENROLMENT,)
)


def choose(
    results: Iterable[Result], window: ScoreWindow, course: Course, parts: ScoreParts = HSCORE_PARTS
) -> dict[str, Choice]:
    """What counts for each part at this visit, with the evidence of everything that was looked at."""
    by_part = _by_part(results)
    chooser = _Chooser(window, course, parts)
    choices = {part: chooser.statement(part, by_part.get(part, ())) for part in parts.stated}
    counts = {part: chooser.reports(by_part.get(part, ()), window.blood) for part in LINEAGES}
    choices.update(chooser.blood_count(counts))
    day = chooser.count_day(choices)
    for part in parts.of_the_count:
        choices[part] = chooser.of_the_count(part, chooser.reports(by_part.get(part, ()), window.blood), choices)
    for part in parts.blood:
        choices[part] = chooser.single(part, chooser.reports(by_part.get(part, ()), window.blood), window.blood)
    choices["temperature"] = chooser.temperature(by_part.get("temperature", ()), day)
    for many, pick in ((parts.organs, window.organs), (parts.marrow, window.marrow)):
        for part in many:
            choices[part] = chooser.examination(part, chooser.reports(by_part.get(part, ()), pick), pick)
    return choices


def choose_all(results: Iterable[Result], zone: tzinfo = UTC, parts: ScoreParts = HSCORE_PARTS) -> dict[str, Choice]:
    """What counts where no visits are told apart: everything; of one specimen still only one report."""
    reports = {part: _not_refused(many, zone, parts) for part, many in _by_part(results).items()}
    lineages = {part: reports[part] for part in LINEAGES if part in reports}
    reports.update(_without_blood_gas(lineages, lambda moment: local_day(moment, zone)))
    return {part: _all_of(part, many, zone, parts) for part, many in reports.items()}


def _not_refused(results: Sequence[Result], zone: tzinfo, parts: ScoreParts) -> list[Report]:
    refused = [report_of(result, zone, why) for result in results if (why := parts.refuses(result))]
    return [*_reports([result for result in results if not parts.refuses(result)], zone), *refused]


def _reports(results: Sequence[Result], zone: tzinfo) -> list[Report]:
    """Reports reduced to one for each result; what lasts is no report of one collection, and is none's copy."""
    lasting = [report_of(result, zone) for result in results if result.until is not None]
    return [*reconcile((result for result in results if result.until is None), zone), *lasting]


def _all_of(part: str, reports: Sequence[Report], zone: tzinfo, parts: ScoreParts) -> Choice:
    """Everything counts; examinations of one day that disagree contradict each other."""
    counting = _counting(reports)
    choice = _choice(reports, counting, _WORDS["worst"].replace(" in the window", ""))
    days: dict[date | None, list[Report]] = {}
    for one in counting:
        if one.result.present is not None and one.result.until is None:
            days.setdefault(local_day(one.result.effective, zone) if one.result.effective else None, []).append(one)
    for day, same in days.items():
        same += [one for one in counting if day is not None and lasts_on(one.result, day, zone)]
    conflicting = any(contradicting(part, same, parts.decides) for same in days.values())
    return replace(choice, conflicting=conflicting)


def _by_part(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Results by what they tell of; a finding that both organs are enlarged tells of each of them."""
    found: dict[str, list[Result]] = {}
    for result in results:
        both = result.name == BOTH_ORGANS and result.present
        for name in PARTS["organomegaly"] if both else (result.name,):
            found.setdefault(name, []).append(result)
    return found


@dataclass(frozen=True, slots=True)
class _Chooser:
    window: ScoreWindow
    course: Course
    parts: ScoreParts

    def reports(self, results: Iterable[Result], pick: Pick) -> list[Report]:
        """All reports of a part: those outside the window, and those that another one stands for, passed over."""
        inside = [(result, self._outside(result, pick)) for result in results]
        kept = [result for result, why in inside if not why]
        outside = [report_of(result, self.course.zone, why) for result, why in inside if why]
        return [*_reports(kept, self.course.zone), *sorted(outside, key=self._far_from_target)]

    def statement(self, part: str, results: Iterable[Result]) -> Choice:
        """What was stated once at enrolment; it holds at every visit. A diagnosis must be older than the treatment."""
        zone, day_before = self.course.zone, calendar_day(-1, self.course.day_one)
        known = [report_of(result, zone) for result in results]
        late = [one for one in known if one.result.until is not None and not lasts_on(one.result, day_before, zone)]
        others = [one.result for one in known if one not in late]
        passed_over = [replace(one, passed_over="not certainly active before injection 1") for one in late]
        reports = [*_reports(others, zone), *passed_over]
        return self._one_time(part, reports, _counting(reports), "stated once at enrolment; holds at every visit")

    def single(self, part: str, reports: Sequence[Report], pick: Pick) -> Choice:
        """One analyte by the rule of the window."""
        counting = _counting(reports)
        if pick.choice == "worst":
            return _choice(reports, counting, _WORDS["worst"])
        best = self._best(counting, pick)
        same_time = [one for one in counting if best is not None and one.at == best.at]
        return self._one_time(part, reports, same_time, self._why(pick))

    def blood_count(self, counts: Mapping[str, Sequence[Report]]) -> dict[str, Choice]:
        """Haemoglobin, leukocytes and platelets from one blood count."""
        pick = self.window.blood
        counts = _without_blood_gas(counts, self.course.day_of)
        if pick.choice == "worst":
            return {part: self.single(part, reports, pick) for part, reports in counts.items()}
        draws: dict[Times, set[str]] = {}
        for part, reports in counts.items():
            for one in _counting(reports):
                if one.at is not None:
                    draws.setdefault(_draw(one.at), set()).add(part)
        most = max(map(len, draws.values()), default=0)
        whole = {draw for draw, parts in draws.items() if len(parts) == most}
        counting = {part: [one for one in _counting(reports) if one.at] for part, reports in counts.items()}
        candidates = [one for many in counting.values() for one in many if one.at and _draw(one.at) in whole]
        best = self._best(candidates, pick)
        draw = _draw(best.at) if best and best.at else None
        why = f"{self._why(pick)}; the three lineages come from one blood count"
        return {
            part: self._one_time(
                part, reports, [one for one in counting[part] if one.at and _draw(one.at) == draw], why
            )
            for part, reports in counts.items()
        }

    def of_the_count(self, part: str, reports: Sequence[Report], choices: Mapping[str, Choice]) -> Choice:
        """What belongs to the blood count that was chosen; by the rule of the window where there is none."""
        lineages = [one.effective for name in LINEAGES for one in choices[name].used if one.effective]
        draws = {_draw(moment.bounds(self.course.zone)) for moment in lineages}
        if self.window.blood.choice == "worst" or not draws:
            return self.single(part, reports, self.window.blood)
        used = [one for one in _counting(reports) if one.at and _draw(one.at) in draws]
        return self._one_time(part, reports, used, f"{self._why(self.window.blood)}; from the blood count that counts")

    def count_day(self, choices: Mapping[str, Choice]) -> date | None:
        """The calendar day of the blood count that was chosen."""
        moments = [one.effective for part in LINEAGES for one in choices[part].used if one.effective]
        days = [day for day in map(self.course.day_of, moments) if day is not None]
        return max(days, default=None)

    def temperature(self, results: Iterable[Result], count_day: date | None) -> Choice:
        """The highest reading of the calendar days that end on the day of the blood count."""
        pick, days = self.window.temperature, self.window.temperature_days
        why = _WORDS[pick.choice]
        if days is not None:
            last = study_day(count_day, self.course.day_one) if count_day else self.window.target
            pick = Pick("worst", study_days_before(last, days - 1), last)
            ending = "the day of the blood count" if count_day else "the planned day (no blood count)"
            why = f"highest reading of the {days} calendar days ending on {ending}"
        reports = self.reports(results, pick)
        if pick.choice != "worst":
            return self.single("temperature", reports, pick)
        counting = _counting(reports)
        highest = max((one for one in counting), key=_certain_height, default=None)
        capped = [one for one in counting if one.result.interval and one.result.interval.point is None]
        chosen = [] if highest is None else [highest, *(one for one in capped if one is not highest)]
        return replace(_choice(reports, chosen, why), notes=self._about_fever(chosen))

    def _about_fever(self, chosen: Sequence[Report]) -> tuple[str, ...]:
        """What a reader must know of a reading: where it was taken, and whether a dose came just before."""
        notes = [f"{one.result.body_site}: not corrected" for one in chosen if one.result.body_site]
        given = [dose.bounds(self.course.zone)[0] for dose in self.course.injections]
        after = [(one, dose) for one in chosen for dose in given if self._is_soon_after(one, dose)]
        if after:
            about = f" ({self.course.dose_note})" if self.course.dose_note else ""
            certain = any(one.at and dose <= one.at[0] for one, dose in after)
            notes.append(f"{'' if certain else 'perhaps '}less than 24 h after an injection{about}")
        return tuple(dict.fromkeys(notes))

    def _is_soon_after(self, one: Report, dose: Fraction) -> bool:
        """True when it may have been taken in the 24 hours after a dose."""
        if one.at is None or one.result.effective is None or self.course.before_first_dose(one.result.effective):
            return False
        return one.at[0] - dose < _DAY_SECONDS and dose <= one.at[1]

    def examination(self, part: str, reports: Sequence[Report], pick: Pick) -> Choice:
        """The latest examination; methods that disagree on its day contradict each other."""
        counting = _counting(reports)
        if pick.choice == "worst":
            return _choice(reports, counting, _WORDS["worst"])
        lasting = [one for one in counting if one.result.until is not None]
        best = self._best([one for one in counting if one not in lasting or self._begins_in(one, pick)], pick)
        day = self.course.day_of(best.result.effective) if best and best.result.effective else None
        by_method: dict[str, Report] = {}
        for one in sorted(counting, key=_start):
            examined = one.result.effective if one.result.until is None else None
            if examined is not None and self.course.day_of(examined) == day:
                by_method[one.result.method] = one
        active = [one for one in lasting if day is None or lasts_on(one.result, day, self.course.zone)]
        why = self._why(pick).replace("result", "examination")
        return self._one_time(part, reports, [*by_method.values(), *active], why)

    def _begins_in(self, one: Report, pick: Pick) -> bool:
        """True when a diagnosis is as new as an examination of the window."""
        return not self._outside(replace(one.result, until=None), pick)

    def _one_time(self, part: str, reports: Sequence[Report], used: Sequence[Report], why: str) -> Choice:
        """The choice of what was found at one time, which may contradict itself."""
        choice = _choice(reports, used, why)
        return replace(choice, conflicting=contradicting(part, used, self.parts.decides))

    def _outside(self, result: Result, pick: Pick) -> str:
        moment = result.effective
        if moment is None:
            return "no date of collection"
        if result.until is not None:
            return self._not_active(moment, result.until, pick) or self.parts.refuses(result)
        day = self.course.study_day(moment)
        if day is None:
            return self._partial(moment, pick)
        if not pick.first_day <= day <= pick.last_day:
            return f"day {day}, outside D{pick.first_day} to D{pick.last_day}"
        if self.window.before_first_dose and not self.course.before_first_dose(moment):
            return f"day {day}, not before injection 1"
        return self.parts.refuses(result)

    def _not_active(self, start: Moment, end: Moment, pick: Pick) -> str:
        """Why what lasts does not count: it must certainly be there at some time of the window."""
        zone, window = self.course.zone, self._times(pick)
        if not _may_last_in((start, end), window, zone):
            return f"not active in D{pick.first_day} to D{pick.last_day}"
        dose = self.course.first_dose.bounds(zone)[0]
        before_dose = self.course.before_first_dose(start) or start.bounds(zone)[1] <= dose
        if self.window.before_first_dose and not before_dose:
            return "not certainly active before injection 1"
        certain = _lasts_in((start, end), window, zone)
        return "" if certain else "a partial date that only overlaps the window"

    def _times(self, pick: Pick) -> Times:
        first, last = (calendar_day(day, self.course.day_one) for day in (pick.first_day, pick.last_day))
        return _day(first, self.course.zone)[0], _day(last, self.course.zone)[1]

    def _partial(self, moment: Moment, pick: Pick) -> str:
        low, high = moment.bounds(self.course.zone)
        window, window_end = self._times(pick)
        overlaps = low < window_end and window < high
        return "a partial date that only overlaps the window" if overlaps else "a partial date outside the window"

    def _best(self, counting: Sequence[Report], pick: Pick) -> Report | None:
        timed = [one for one in counting if one.at is not None]
        if not timed:
            return None
        if pick.choice == "first":
            return min(timed, key=_start)
        if pick.choice == "last":
            return max(timed, key=_start)
        return min(timed, key=lambda one: (self._distance(one), _start(one)))

    def _distance(self, one: Report) -> int:
        assert one.result.effective is not None
        day = self.course.day_of(one.result.effective)
        assert day is not None
        return self._days_away(day)

    def _far_from_target(self, one: Report) -> tuple[bool, int]:
        """How many days away it is; what has no day comes after all that have one."""
        day = self.course.day_of(one.result.effective) if one.result.effective else None
        return day is None, self._days_away(day) if day else 0

    def _days_away(self, day: date) -> int:
        return abs((day - calendar_day(self.window.target, self.course.day_one)).days)

    def _why(self, pick: Pick) -> str:
        if pick.choice == "last" and self.window.before_first_dose:
            return _LAST_BEFORE_DOSE
        if pick.choice == "nearest":
            return f"nearest to D{self.window.target} within D{pick.first_day} to D{pick.last_day} (tie: earlier)"
        return _WORDS[pick.choice]


def _day(day: date, zone: tzinfo) -> Times:
    return Moment(day.isoformat(), "", "day").bounds(zone)


def lasts_on(result: Result, day: date, zone: tzinfo) -> bool:
    """True for a diagnosis that was certainly there on a calendar day."""
    start, end = result.effective, result.until
    return start is not None and end is not None and _lasts_in((start, end), _day(day, zone), zone)


def _lasts_in(span: tuple[Moment, Moment], times: Times, zone: tzinfo) -> bool:
    """True when it begins before these times are over and ends after they have begun, whatever its dates mean."""
    start, end = (moment.bounds(zone) for moment in span)
    return start[0] < times[1] and start[1] <= times[1] and end[0] >= times[0]


def _may_last_in(span: tuple[Moment, Moment], times: Times, zone: tzinfo) -> bool:
    """True when it may be so, as its dates can be read."""
    start, end = (moment.bounds(zone) for moment in span)
    return start[0] < times[1] and (end[1] > times[0] or end[0] >= times[0])


def _without_blood_gas(
    counts: Mapping[str, Sequence[Report]], day_of: Callable[[Moment], date | None]
) -> dict[str, list[Report]]:
    """A haemoglobin of a blood gas counts only when there is no blood count that day."""
    counted = {
        day_of(one.result.effective)
        for reports in counts.values()
        for one in _counting(reports)
        if one.result.effective and one.result.method != BLOOD_GAS
    }
    why = "haemoglobin of a blood gas: there is a blood count that day"
    return {
        part: [replace(one, passed_over=why) if _is_gas_of(one, counted, day_of) else one for one in reports]
        for part, reports in counts.items()
    }


def _is_gas_of(one: Report, counted: Collection[date | None], day_of: Callable[[Moment], date | None]) -> bool:
    gas = not one.passed_over and one.result.method == BLOOD_GAS
    return gas and one.result.effective is not None and day_of(one.result.effective) in counted


def _choice(reports: Sequence[Report], used: Sequence[Report], why: str) -> Choice:
    """The choice with the evidence of every report; when nothing counts, what says that it was not done."""
    chosen = {id(one) for one in used}
    not_done = [one for one in reports if not one.passed_over and one.result.not_done]
    if not chosen:
        chosen = {id(one) for one in not_done}
    evidence = []
    for one in reports:
        if one.passed_over:
            evidence.append(Evidence(one.result, used=False, why=one.passed_over))
        elif id(one) in chosen:
            evidence.append(Evidence(one.result, used=True, why="not done" if one.result.not_done else _said(one, why)))
        else:
            reason = "not done" if one.result.not_done else f"another result was chosen: {why}"
            evidence.append(Evidence(one.result, used=False, why=reason))
    return Choice(tuple(evidence))


def _said(one: Report, why: str) -> str:
    if one.result.until is not None:
        return _ACTIVE
    return f"{why} (typed by the site)" if one.result.source == "typed" and _blood(one) else why


def _blood(one: Report) -> bool:
    return one.result.interval is not None and one.result.name != "temperature"


def _draw(at: Times) -> Times:
    """The minute of a draw: sites write minutes, analysers seconds."""
    return Fraction(at[0] // _MINUTE), Fraction(at[1] // _MINUTE)


def _counting(reports: Iterable[Report]) -> list[Report]:
    return [one for one in reports if not one.passed_over and not one.result.not_done]


def _start(one: Report) -> tuple[Fraction, str]:
    return (one.at[0] if one.at else Fraction(0)), one.result.reference


def _certain_height(one: Report) -> Fraction:
    """What a reading is at least; of `<39.5` nothing is known that another reading is not higher than."""
    interval = one.result.interval
    assert interval is not None
    return interval.low if interval.low is not None else Fraction(0)

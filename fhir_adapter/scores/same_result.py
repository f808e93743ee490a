"""Which of several reports of one result counts: typed copies, repeats of one specimen, contradictions.

Rulings: a hospital's result counts before the site's typed copy of it; of one specimen the latest issued counts, and a
diluted number supersedes the capped result in whose half-line it lies; what was collected at one time from different
specimens or by different methods and leads to different points contradicts itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from fractions import Fraction

from fhir_adapter.scores.points import Range
from fhir_adapter.trial import Result

BLOOD_GAS = "blood gas"
Times = tuple[Fraction, Fraction]
"""The earliest and the first-excluded instant of a collection; equal for a known instant."""

_MINUTE = 60
_WITHOUT_SECONDS = re.compile(r"T\d\d:\d\d(?!:\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """A result with the time it was collected, and what became of it: passed over with a reason, or still counting."""

    result: Result
    at: Times | None
    passed_over: str = ""


def report_of(result: Result, zone: tzinfo, passed_over: str = "") -> Report:
    """A result with the time it was collected."""
    return Report(result, result.effective.bounds(zone) if result.effective else None, passed_over)


def reconcile(results: Iterable[Result], zone: tzinfo) -> list[Report]:
    """All reports of one part: those that stand for the same result are reduced to one, the others say why not."""
    reports = [report_of(result, zone) for result in results]
    reports = _without_typed_copies(reports, zone)
    return _one_per_specimen(reports)


def contradicting(part: str, reports: Sequence[Report], decides: Callable[[str, Result], Range]) -> bool:
    """True when reports of one time lead to different points."""
    ranges = {decides(part, one.result) for one in reports if not one.result.not_done}
    return len(ranges) > 1


def same_collection(typed: Result, hospital: Result, zone: tzinfo) -> bool:
    """True when both tell of one collection, at the precision in which the site recorded it.

    A minute typed without seconds is that whole minute (analysers write seconds). A day alone is any laboratory result
    of that day, but no reading of a chart and no examination: several of those belong to one day.
    """
    if typed.effective is None or hospital.effective is None or hospital.method == BLOOD_GAS != typed.method:
        return False
    start, end = typed.effective.bounds(zone)
    at = hospital.effective.bounds(zone)[0]
    if typed.effective.precision == "time":
        return (
            start <= at < start + (_MINUTE if _WITHOUT_SECONDS.search(typed.effective.recorded) else 0) or at == start
        )
    of_laboratory = typed.interval is not None and typed.name != "temperature"
    return typed.effective.precision == "day" and of_laboratory and start <= at < end


def _without_typed_copies(reports: Sequence[Report], zone: tzinfo) -> list[Report]:
    heard = [one.result for one in reports if one.result.source == "hospital" and not one.result.not_done]
    why = "typed copy: the hospital's own result of that time counts"
    return [
        replace(one, passed_over=why)
        if one.result.source == "typed" and any(_is_copy(one.result, other, zone) for other in heard)
        else one
        for one in reports
    ]


def _is_copy(typed: Result, hospital: Result, zone: tzinfo) -> bool:
    """True when the hospital tells the same result; another method of examination is another examination."""
    examined = typed.interval is None and typed.method and hospital.method
    return same_collection(typed, hospital, zone) and not (examined and typed.method != hospital.method)


def _one_per_specimen(reports: Sequence[Report]) -> list[Report]:
    groups: dict[object, list[Report]] = {}
    for place, one in enumerate(reports):
        groups.setdefault(_same(one, place), []).append(one)
    return [report for group in groups.values() for report in _latest(group)]


def _same(one: Report, place: int) -> object:
    """What makes reports the same result: the specimen, or, where none is named, the time and what was found."""
    result = one.result
    if one.passed_over or one.at is None or result.not_done:
        return place
    if result.specimen:
        return (result.source, result.specimen, one.at)  # numbers of samples are used again another day
    if result.interval is not None:
        return (result.source, one.at, result.method, result.body_site, result.interval)
    return (result.source, one.at, result.method, result.present)


def _latest(group: Sequence[Report]) -> list[Report]:
    if len(group) == 1:
        return list(group)
    best = max(group, key=_precedence(group))
    others = [one for one in group if one is not best]
    return [best, *(Report(one.result, one.at, _why_not(one.result, best.result)) for one in others)]


def _precedence(group: Sequence[Report]) -> Callable[[Report], tuple[bool, tuple[Fraction, Fraction], str]]:
    """A number inside a capped result's half-line goes first, then the latest issued, then the last by reference."""
    capped = [one.result.interval for one in group if one.result.interval and one.result.interval.point is None]

    def order(one: Report) -> tuple[bool, tuple[Fraction, Fraction], str]:
        interval, issued = one.result.interval, one.result.issued
        diluted = interval is not None and interval.point is not None and any(c.contains(interval) for c in capped)
        return diluted, issued.bounds() if issued else (Fraction(0), Fraction(0)), one.result.reference

    return order


def _why_not(one: Result, best: Result) -> str:
    if one.interval == best.interval and one.present == best.present:
        return f"the same result again: {best.reference} counts"
    if (
        one.interval is not None
        and one.interval.point is None
        and best.interval
        and one.interval.contains(best.interval)
    ):
        return f"capped: the diluted number of the same specimen counts ({best.reference})"
    return f"the same specimen: the result issued later counts ({best.reference})"

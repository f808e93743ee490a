"""The page as HTML: the same page gives the same bytes, every text is escaped, nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fhir_adapter.issues import Issue
from fhir_adapter.report import tables, words
from fhir_adapter.report.charts import Row, range_chart
from fhir_adapter.report.course import DailyRow, daily_rows
from fhir_adapter.report.course_chart import course_chart
from fhir_adapter.report.page import Page, SubjectPage
from fhir_adapter.scores import Change, WindowScore


@dataclass(frozen=True, slots=True)
class Summary:
    """One subject in a line: the scores at the two visits, the change and its direction, notes."""

    subject: str
    anchor: str
    first: str
    second: str
    primary: str
    primary_direction: str
    full: str
    full_direction: str
    notes: tuple[str, ...]


class Section(NamedTuple):
    """Everything that one subject's section shows."""

    subject: SubjectPage
    anchor: str
    given: int
    held: int
    died: str
    visits: list[tables.Visit]
    rows: list[tables.ItemRow]
    ranges: Markup
    course: Markup
    days: list[DailyRow]
    rules: list[str]
    sensitivity: list[tuple[str, str, list[str]]]
    missing: list[tuple[str, list[words.Open]]]
    changes: list[tuple[str, str, str]]
    when: Callable[..., str]


def render(page: Page) -> str:
    """The whole page; no clock, no random names: rendered twice it is the same."""
    return (
        environment()
        .get_template("page.html.jinja")
        .render(
            page=page,
            words=words,
            summaries=[_summary(one, index) for index, one in enumerate(page.subjects)],
            sections=[_section(one, index, page) for index, one in enumerate(page.subjects)],
            overview=_overview(page),
            tallies=_tallies(page),
            first=words.window_name(page.rules.change_from),
            second=words.window_name(page.rules.change_to),
        )
    )


def environment() -> Environment:
    """How the room's templates are filled: every text is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=PackageLoader("fhir_adapter.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["where"] = _where
    return made


def _where(issue: Issue) -> str:
    return str(issue.where)


def _anchor(index: int) -> str:
    """An anchor that is valid whatever the subject is called."""
    return f"subject-{index + 1}"


def _tallies(page: Page) -> list[tuple[str, str]]:
    """The sentence `k of n`: by the primary change, by all items, and without the subjects who had rescue."""
    said = [
        ("Primary, marrow left out at both visits", words.tally(page.subjects, words.primary)),
        ("All nine items", words.tally(page.subjects, words.full)),
    ]
    without = [one for one in page.subjects if not one.rescue]
    if len(without) < len(page.subjects):
        said.append(("Primary, without subjects who had rescue", words.tally(without, words.primary)))
    return said


def _summary(subject: SubjectPage, index: int) -> Summary:
    change = subject.scores.change
    first, second = (change.first, change.second) if change else ("", "")
    return Summary(
        subject=subject.name,
        anchor=_anchor(index),
        first=_range(subject.scores.at(first)),
        second=_range(subject.scores.at(second)),
        primary=words.difference(change.without_marrow if change else None),
        primary_direction=words.direction(change, change.without_marrow) if change else words.NO_VALUE,
        full=words.difference(change.full if change else None),
        full_direction=words.direction(change, change.full) if change else words.NO_VALUE,
        notes=change.notes if change else (),
    )


def _range(one: WindowScore | None) -> str:
    return words.points(one.score.low, one.score.high) if one else "no score"


def _overview(page: Page) -> Markup:
    rows = []
    names = (page.rules.change_from, page.rules.change_to)
    for subject in page.subjects:
        for name in names:
            one = subject.scores.at(name)
            said = words.DIED if one is None and _died(subject.scores.change) and name == names[1] else "no score"
            rows.append(_row(one, name, said, hollow=name == names[0], group=subject.name if name == names[0] else ""))
    first, second = map(words.window_name, names)
    title = f"HScore at {first} and {second}, all subjects"
    return range_chart(rows, page.rules.cutoff, "overview", title)


def _died(change: Change | None) -> bool:
    return change is not None and change.direction == words.DIED


def _row(one: WindowScore | None, name: str, said: str, *, hollow: bool = False, group: str = "") -> Row:
    low, high = (one.score.low, one.score.high) if one else (None, None)
    return Row(words.window_name(name), low, high, said, hollow, group)


def _ranges(subject: SubjectPage, anchor: str, page: Page) -> Markup:
    names = [window.name for window in page.rules.windows]
    before = names[: names.index(page.rules.change_from) + 1] if page.rules.change_from in names else []
    rows = [_row(subject.scores.at(name), name, "no score", hollow=name in before) for name in names]
    return range_chart(rows, page.rules.cutoff, f"ranges-{anchor}", f"HScore of {subject.name} at each visit")


def _section(subject: SubjectPage, index: int, page: Page) -> Section:
    anchor = _anchor(index)
    rules, sensitivity = tables.sensitivity(subject)
    given = sum(dose.given for dose in subject.doses)
    return Section(
        subject=subject,
        anchor=anchor,
        given=given,
        held=len(subject.doses) - given,
        died=words.when(subject.subject.death, subject) if subject.subject.death else "",
        visits=tables.visits(subject, page),
        rows=tables.item_rows(subject),
        ranges=_ranges(subject, anchor, page),
        course=course_chart(subject, page.rules, f"course-{anchor}"),
        days=daily_rows(subject),
        rules=rules,
        sensitivity=sensitivity,
        missing=tables.missing(subject),
        changes=_changes(subject.scores.change),
        when=partial(words.when, subject=subject),
    )


def _changes(change: Change | None) -> list[tuple[str, str, str]]:
    """Every reading of the change: what it counts, the difference, its direction."""
    if change is None or change.full is None:
        return []
    common = ", ".join(map(words.item_name, change.common.items)) if change.common else ""
    readings = (
        ("Marrow left out at both visits (primary)", change.without_marrow),
        ("All nine items, with marrow", change.full),
        (f"Items known at both visits: {common or 'none'}", change.common),
    )
    return [(name, words.difference(bounds), words.direction(change, bounds)) for name, bounds in readings]

"""What nobody has recorded yet, on paper: a sheet per subject and visit to fill in by hand, with what is known beside.

It asks for what was examined anyway and lies in no system; it never advises to test. Points and scores are left out, so
that nobody fills it in towards a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fhir_adapter.report import words
from fhir_adapter.report.render import environment
from fhir_adapter.scores import PARTS, Course, Evidence, HScore, ItemScore
from fhir_adapter.scores.explain import days_words, pick_of
from fhir_adapter.trial import Moment, Pick, Result, ScoreWindow, calendar_day

_ENROLMENT, _TEMPERATURE, _MARROW = "known_immunosuppression", "temperature", "marrow_hemophagocytosis"
_SHOWN = 4
_OUTSIDE = ", outside D"


@dataclass(frozen=True, slots=True)
class Form:
    """How one part is asked: the answers to tick, whether a value is written, its units, further boxes and a remark."""

    answers: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    remark: str = ""


_SITES = ("axillary", "oral", "ear", "rectal", "other")
_METHODS = ("by hand", "ultrasound", "CT or MRI")
_ORGAN = Form(("enlarged", "not enlarged", "not examined"), details=_METHODS)

FORMS: Mapping[str, Form] = {
    _ENROLMENT: Form(
        ("yes", "no"),
        details=("HIV", "long-term therapy"),
        remark="Before this episode, as the protocol defines it; drugs started for this episode do not count.",
    ),
    _TEMPERATURE: Form(("not measured",), units=("Cel", "[degF]"), details=_SITES, remark="The highest reading."),
    "hepatomegaly": _ORGAN,
    "splenomegaly": _ORGAN,
    "hemoglobin": Form(("not done",), units=("g/L", "g/dL", "mmol/L")),
    "leukocytes": Form(("not done",), units=("10*9/L", "/uL")),
    "platelets": Form(("not done",), units=("10*9/L", "/uL")),
    "ferritin": Form(("not done",), units=("ng/mL", "ug/L", "pmol/L"), remark="With its sign, such as > 40000."),
    "triglycerides": Form(("not done",), units=("mmol/L", "mg/dL")),
    "fibrinogen": Form(("not done",), units=("g/L", "mg/dL")),
    "ast": Form(("not done",), units=("U/L", "ukat/L")),
    _MARROW: Form(("seen", "not seen", "no aspirate taken"), remark="On a bone-marrow aspirate only."),
}
"""Every part of the score as a question; units are codes that the program reads."""


_UNITS = {"/uL": "/µL", "ukat/L": "µkat/L"}


def unit_words(code: str) -> str:
    """A unit as people write it."""
    return _UNITS.get(code, words.unit(code))


@dataclass(frozen=True, slots=True)
class Question:
    """One line to fill in; `when` says of which days an answer counts, and which dates those are."""

    title: str
    form: Form
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """One result that is recorded already; `remark` says why it does not count at this visit, or is blank."""

    what: str
    value: str
    when: str
    source: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One subject at one visit; without a name, for a subject of whom nothing is recorded."""

    subject: str
    visit: str
    questions: tuple[Question, ...]
    known: tuple[Known, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Worksheet:
    """All sheets of a print; `mark` is the data cut, blank on a sheet for a new subject."""

    trial: str
    title: str
    labels: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    mark: str = ""


def render_worksheet(sheet: Worksheet) -> str:
    """The page to print; rendered twice it is the same."""
    made = environment()
    made.filters["unit"] = unit_words
    return made.get_template("worksheet.html.jinja").render(worksheet=sheet, words=words)


def sheet_of(subject: str, score: HScore, window: ScoreWindow, course: Course | None, remark: str = "") -> Sheet:
    """What is not recorded of a visit, and what is; without a course the days have no dates."""
    asked = _Asked(score, window, course)
    return Sheet(
        subject=subject,
        visit=words.window_name(window.name),
        questions=tuple(asked.questions()),
        known=tuple(asked.known()),
        remark=remark,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    score: HScore
    window: ScoreWindow
    course: Course | None

    def questions(self) -> Iterator[Question]:
        """In the order of the items: parts of which nothing is recorded, then what a recorded answer lacks."""
        for item in self.score.items:
            recorded = {one.result.name for one in item.evidence if one.used}
            for part in PARTS[item.item] if not item.known else ():
                if part not in recorded:
                    yield Question(words.title(part), FORMS[part], self._when(part))
        yield from self._incomplete()

    def _incomplete(self) -> Iterator[Question]:
        """A reading without its site; a statement without a name or a date."""
        for result in _used(self.score.item(_TEMPERATURE)):
            if not result.body_site:
                said = f"Site of the temperature {words.value(result)} of {self.at(result.effective)}"
                yield Question(said, Form(details=_SITES))
        stated = _used(self.score.item(_ENROLMENT))
        if stated and not all(one.effective and any("stated by" in flag for flag in one.flags) for one in stated):
            answers = " and ".join(dict.fromkeys(words.value(one) for one in stated))
            said = f"Who stated the known underlying immunosuppression ({answers}), and when"
            yield Question(said, Form(remark="The investigator's name and the date of the statement."))

    def known(self) -> Iterator[Known]:
        """What counts, item by item, and of open items the nearest result of other days."""
        for item in self.score.items:
            used = [one for one in item.evidence if one.used]
            for one in used[:_SHOWN]:
                yield self._known(one.result)
            if len(used) > _SHOWN:
                yield Known(words.title(item.item), f"and {len(used) - _SHOWN} more", "", "")
            if not item.known:
                yield from (self._known(one.result, one.why.partition(", ")[2]) for one in self._outside(item))

    def _outside(self, item: ItemScore) -> list[Evidence]:
        """Of each part that nothing counts for, the result nearest to the visit that lies outside its days."""
        recorded = {one.result.name for one in item.evidence if one.used}
        nearest: dict[str, Evidence] = {}
        for one in item.evidence:
            if one.result.name not in recorded and _OUTSIDE in one.why:
                nearest.setdefault(one.result.name, one)
        return list(nearest.values())

    def _known(self, result: Result, remark: str = "") -> Known:
        return Known(
            words.title(result.name), words.value(result), self.at(result.effective), words.source(result), remark
        )

    def at(self, moment: Moment | None) -> str:
        """Date and time at the site with the study day; a partial date as it was recorded."""
        if moment is None or self.course is None:
            return moment.recorded if moment else "undated"
        said = moment.recorded
        if moment.precision == "time":
            start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(moment.bounds()[0]))
            said = start.astimezone(self.course.zone).strftime("%Y-%m-%d %H:%M")
        day = self.course.study_day(moment)
        return f"{said} (D{day})" if day is not None else said

    def _when(self, part: str) -> tuple[str, ...]:
        if part == _ENROLMENT:
            return ("at enrolment",)
        pick = pick_of(part, self.score, self.window, self.course)
        before = ", before injection 1" if self.window.before_first_dose else ""
        return (f"{days_words(pick.first_day, pick.last_day)}{before}", *self._dates(pick))

    def _dates(self, pick: Pick) -> tuple[str, ...]:
        if self.course is None:
            return ()
        first, last = (calendar_day(day, self.course.day_one) for day in (pick.first_day, pick.last_day))
        return (f"{first}" if first == last else f"{first} to {last}",)


def _used(item: ItemScore) -> Sequence[Result]:
    return [one.result for one in item.evidence if one.used and not one.result.not_done]

"""Six made-up subjects whose courses resemble those of the seed trial: what was measured, given and recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from fhir_adapter.report import Discrepancy, SubjectPage
from fhir_adapter.scores import Course, SubjectScores, score_subject
from fhir_adapter.trial import Dose, Interval, Moment, Pick, Result, ScoreRules, ScoreWindow, Subject, read_moment

ZONE = ZoneInfo("Asia/Shanghai")
DAY_ONE = date(2016, 3, 1)
UNITS = {
    "temperature": "Cel",
    "hemoglobin": "g/L",
    "leukocytes": "10*9/L",
    "platelets": "10*9/L",
    "ferritin": "ng/mL",
    "triglycerides": "mmol/L",
    "fibrinogen": "g/L",
    "ast": "U/L",
}
_ORDER = tuple(UNITS)
_VISITS = {"baseline": 1, "week-1": 8, "week-2": 15, "week-3": 22, "month-1": 30}


def _window(name: str, target: int, first: int, last: int) -> ScoreWindow:
    nearest, latest = Pick("nearest", first, last), Pick("last", first, last)
    return ScoreWindow(name, target, nearest, Pick("worst", first, last), latest, latest, temperature_days=3)


RULES = ScoreRules(
    windows=(
        ScoreWindow(
            "baseline",
            1,
            Pick("last", -3, 1),
            Pick("worst", -3, 1),
            Pick("last", -7, 1),
            Pick("last", -14, 1),
            before_first_dose=True,
            temperature_days=3,
        ),
        _window("week-1", 8, 2, 11),
        _window("week-2", 15, 12, 18),
        _window("week-3", 22, 19, 25),
        _window("month-1", 29, 26, 33),
    ),
    change_from="baseline",
    change_to="month-1",
    day_one_dates_before_dose=True,
)


@dataclass(frozen=True)
class Given:
    """What is made up for one subject: values by visit in the order of `UNITS`, `-` where there is none."""

    name: str
    diagnosis: str
    immunosuppressed: bool
    values: Mapping[str, str]
    organs: Mapping[str, str]
    marrow: str
    doses: int = 14
    held: int | None = None
    death: int | None = None
    rescue: tuple[tuple[int, str], ...] = ()
    transfusions: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()


SUBJECTS = (
    Given(
        "S01",
        "AOSD with MAS",
        immunosuppressed=True,
        values={
            "baseline": "39.8 84 2.6 62 24560 3.42 1.36 186",
            "week-1": "37.9 86 6.1 104 9870 2.90 1.85 81",
            "week-2": "37.0 91 8.8 171 2610 2.55 2.44 45",
            "week-3": "36.8 103 8.9 214 1180 2.10 2.80 31",
            "month-1": "36.7 112 8.4 228 410 1.84 3.10 24",
        },
        organs={"baseline": "-+", "week-2": "-+", "month-1": "--"},
        marrow="yes",
    ),
    Given(
        "S02",
        "SLE with MAS",
        immunosuppressed=True,
        values={
            "baseline": "39.1 71 1.9 48 3860 2.85 1.92 74",
            "week-2": "37.4 79 3.1 88 1650 2.40 2.31 48",
            "month-1": "36.9 88 3.9 121 690 2.10 2.70 31",
        },
        organs={"baseline": "--", "month-1": "--"},
        marrow="no",
        doses=15,
        transfusions=((3, "red cells 2 U"),),
    ),
    Given(
        "S03",
        "AOSD, new, with MAS",
        immunosuppressed=False,
        values={"baseline": "39.6 96 4.1 104 18400 1.98 2.61 143", "month-1": "- 101 6.2 168 2140 - 3.0 44"},
        organs={"baseline": "+-"},
        marrow="not done",
        doses=13,
        held=13,
        notes=("13 of 14 planned doses given",),
    ),
    Given(
        "S04",
        "AOSD with MAS",
        immunosuppressed=True,
        values={
            "baseline": "39.4 79 1.2 33 >40000 4.61 0.94 412",
            "week-1": "39.0 68 0.9 24 61000 4.40 0.88 390",
            "week-2": "39.3 66 0.7 19 48200 4.80 0.80 350",
            "month-1": "37.8 82 0.9 41 5230 3.30 1.70 96",
        },
        organs={"baseline": "++", "month-1": "-+"},
        marrow="yes",
        doses=8,
        rescue=((16, "etoposide"),),
        transfusions=((5, "platelets 1 U"), (12, "platelets 1 U"), (17, "plasma 400 mL")),
        notes=("rescue: etoposide on D16", "8 of 14 planned doses given"),
    ),
    Given(
        "S05",
        "SLE with MAS",
        immunosuppressed=True,
        values={"baseline": "38.9 66 3.4 21 9870 3.10 1.10 268", "week-2": "39.7 60 1.8 14 15240 4.38 0.82 402"},
        organs={"baseline": "-+", "week-2": "++"},
        marrow="yes",
        doses=9,
        death=19,
        notes=("9 of 14 planned doses given",),
    ),
    Given(
        "S06",
        "sJIA, 17 years, 监护人同意",
        immunosuppressed=False,
        values={
            "baseline": "38.6 108 9.8 142 >40000 1.42 2.18 -",
            "month-1": "36.5 121 7.9 251 1320 1.31 2.90 22",
        },
        organs={"baseline": "--", "month-1": "--"},
        marrow="no",
    ),
)


def subject_page(given: Given) -> SubjectPage:
    """One made-up subject with everything that a page shows."""
    results = tuple(_results(given))
    doses = tuple(_doses(given))
    death = DAY_ONE + timedelta(days=given.death - 1) if given.death else None
    course = Course(doses[0].start, ZONE, day_one_dates_before_dose=True)
    died = _day(death) if death else None
    scores = score_subject(given.name, results, RULES, course, death=died, as_of="pull 2", notes=given.notes)
    first = date(2016, 2, 26)
    last = death or date(2016, 3, 31)
    return SubjectPage(
        Subject(subject=given.name, site="PKUPH", key=(given.name,), death=died),
        scores,
        diagnosis=given.diagnosis,
        immunosuppression=f"{'yes' if given.immunosuppressed else 'no'}, stated by Dr. Wang (王医生) on 2016-02-25",
        doses=doses,
        temperatures=tuple(one for one in results if one.name == "temperature"),
        steroids=(
            (first, date(2016, 3, 8), Decimal(50)),
            (date(2016, 3, 9), date(2016, 3, 20), Decimal("37.5")),
            (date(2016, 3, 21), last, Decimal(20)),
        )
        if not given.death
        else ((first, last, Decimal(100)),),
        rescue=tuple((_on(day), what) for day, what in given.rescue),
        transfusions=tuple((_on(day), what) for day, what in given.transfusions),
        adverse_events=((date(2016, 3, 3), "injection-site reaction (注射部位反应), mild"), (None, "fatigue, mild")),
        discrepancies=_discrepancies(given),
        missing=tuple(_missing(scores)),
        zone=ZONE,
    )


def _missing(scores: SubjectScores) -> Iterator[tuple[str, str]]:
    for one in scores.windows:
        for item in one.score.undecided:
            yield one.window, item


def _discrepancies(given: Given) -> tuple[Discrepancy, ...]:
    if given.name != "S01":
        return ()
    at = read_moment("2016-03-30T06:30", ZONE)
    return (Discrepancy("platelets", at, "282", "228", "10*9/L", "month-1"),)


def _on(day: int) -> date:
    return DAY_ONE + timedelta(days=day - 1)


def _day(day: date) -> Moment:
    return read_moment(day.isoformat())


def _doses(given: Given) -> Iterator[Dose]:
    for day in range(1, given.doses + (2 if given.held else 1)):
        start = read_moment(f"{_on(day)}T09:00", ZONE)
        held = day == given.held
        reason = "疑似感染" if held else ""
        yield Dose(
            subject=given.name,
            site="PKUPH",
            key=(given.name, str(day)),
            treatment="rhIL-2",
            given=not held,
            start=start,
            reason_missed=reason,
        )


def _results(given: Given) -> Iterator[Result]:
    yield _found(given.name, "known_immunosuppression", "+" if given.immunosuppressed else "-", None)
    yield _found(given.name, "marrow_hemophagocytosis", {"yes": "+", "no": "-"}.get(given.marrow, "n"), -4)
    if given.name == "S04":
        yield _found(given.name, "marrow_hemophagocytosis", "-", 29)
    for visit, text in given.values.items():
        day = _VISITS[visit]
        for name, value in zip(_ORDER, text.split(), strict=True):
            if value != "-" and name != "temperature":
                yield measured(given.name, name, value, f"{_on(day)}T06:30")
        if text.split()[0] != "-":
            yield from _ward_chart(given.name, day, Fraction(text.split()[0]))
    for visit, organs in given.organs.items():
        for name, answer in zip(("hepatomegaly", "splenomegaly"), organs, strict=True):
            yield _found(given.name, name, answer, _VISITS[visit] - 1)


def _ward_chart(subject: str, day: int, highest: Fraction) -> Iterator[Result]:
    """Four readings a day over the three days before a visit; the highest on the evening before it."""
    for back in (2, 1):
        for hour, below in ((6, 8), (10, 5), (14, 3), (18, 0 if back == 1 else 2)):
            value = f"{float(highest - Fraction(below, 10)):.1f}"
            at = f"{_on(day - back)}T{hour:02}:00"
            yield measured(subject, "temperature", value, at, source="typed", body_site="axillary")


def measured(subject: str, name: str, value: str, at: str, *, source: str = "hospital", body_site: str = "") -> Result:
    """A number (or `>1500`) of one analyte; haemoglobin in g/L, as the ward writes it."""
    comparator = value[0] if value[0] in "<>" else None
    number = Fraction(value.lstrip("<>"))
    return Result(
        subject=subject,
        name=name,
        source="hospital" if source == "hospital" else "typed",
        interval=Interval.of(number / 10 if name == "hemoglobin" else number, comparator),
        value=value.lstrip("<>"),
        unit=UNITS[name],
        comparator=comparator,
        effective=read_moment(at, ZONE),
        reference=f"Observation/{subject.lower()}-{name}-{at[:10]}",
        version="1",
        body_site=body_site,
    )


def _found(subject: str, name: str, answer: str, day: int | None) -> Result:
    return Result(
        subject=subject,
        name=name,
        source="typed",
        present=None if answer == "n" else answer == "+",
        not_done=answer == "n",
        effective=_day(_on(day)) if day is not None else None,
        reference=f"pe.csv row of {name}",
    )

"""Results of a made-up subject whose first injection was on 2016-03-01 at 09:00 in Shanghai."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from fhir_adapter.scores import Course, Finding, HScore, Measurement, hscore
from fhir_adapter.trial import Interval, Pick, Result, ScoreRules, ScoreWindow, read_moment

ZONE = ZoneInfo("Asia/Shanghai")
DAY_ONE = "2016-03-01"
COURSE = Course(read_moment("2016-03-01T09:00", ZONE), ZONE, day_one_dates_before_dose=True)

BASELINE = ScoreWindow(
    name="baseline",
    target=1,
    blood=Pick("last", -3, 1),
    temperature=Pick("worst", -3, 1),
    organs=Pick("last", -7, 1),
    marrow=Pick("last", -14, 1),
    before_first_dose=True,
    temperature_days=3,
)
WEEK_2 = ScoreWindow(
    name="week-2",
    target=15,
    blood=Pick("nearest", 12, 18),
    temperature=Pick("worst", 12, 18),
    organs=Pick("last", 12, 18),
    marrow=Pick("last", 12, 18),
    temperature_days=3,
)
MONTH_1 = ScoreWindow(
    name="month-1",
    target=29,
    blood=Pick("nearest", 26, 33),
    temperature=Pick("worst", 26, 33),
    organs=Pick("last", 22, 33),
    marrow=Pick("last", 26, 33),
    temperature_days=3,
)
RULES = ScoreRules((BASELINE, WEEK_2, MONTH_1), "baseline", "month-1", day_one_dates_before_dose=True)


def measured(name: str, value: str, at: str, **more: Any) -> Result:
    """A number (or `>1500`) in the analyte's canonical unit, of the hospital unless said otherwise."""
    comparator = value[0] if value[0] in "<>" else None
    number = Fraction(value.lstrip("<>"))
    return Result(
        **{
            "subject": "S01",
            "name": name,
            "source": "hospital",
            "interval": Interval.of(number, comparator),
            "value": value.lstrip("<>"),
            "comparator": comparator,
            "effective": read_moment(at, ZONE),
            "reference": f"Observation/{name}-{at}",
            **more,
        }
    )


def found(name: str, present: bool | None, at: str | None, **more: Any) -> Result:
    """A finding, or (None) the statement that it was not examined."""
    return Result(
        **{
            "subject": "S01",
            "name": name,
            "source": "typed",
            "present": present,
            "not_done": present is None,
            "effective": read_moment(at, ZONE) if at else None,
            "reference": f"pe.csv row of {name} {at}",
            **more,
        }
    )


def count(at: str, hemoglobin: str, leukocytes: str, platelets: str) -> list[Result]:
    """A blood count of one draw."""
    values = {"hemoglobin": hemoglobin, "leukocytes": leukocytes, "platelets": platelets}
    return [measured(name, value, at) for name, value in values.items()]


def issued(at: str) -> dict[str, object]:
    """When the laboratory issued a result, as a keyword of `measured`."""
    return {"issued": read_moment(at, ZONE)}


def at_its_worst() -> HScore:
    """The score of somebody of whom everything is at its worst."""
    measurements = [
        *(Measurement("temperature", "40", "Cel"), Measurement("ferritin", "20000", "ng/mL")),
        *(Measurement("triglycerides", "5", "mmol/L"), Measurement("fibrinogen", "1", "g/L")),
        *(Measurement("ast", "300", "U/L"), Measurement("hemoglobin", "70", "g/L")),
        *(Measurement("leukocytes", "1", "10*9/L"), Measurement("platelets", "20", "10*9/L")),
    ]
    names = ("known_immunosuppression", "hepatomegaly", "splenomegaly", "marrow_hemophagocytosis")
    return hscore(measurements, [Finding(name, True) for name in names])

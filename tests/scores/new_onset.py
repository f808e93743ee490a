"""A made-up subject like S03 of the seed trial: month 1 lacks temperature, organs, marrow; day 36 came too late."""

from __future__ import annotations

from typing import Any

from fhir_adapter.scores import SubjectScores, score_subject
from fhir_adapter.trial import Result
from tests.scores.made_up import COURSE, RULES, count, found, measured


def results() -> list[Result]:
    """Everything that is recorded; the AST of the baseline was typed alone."""
    before = [
        found("known_immunosuppression", False, "2016-02-25", flags=("stated by Dr. A",)),
        measured("temperature", "39.6", "2016-02-29T18:00", unit="Cel"),
        found("hepatomegaly", True, "2016-02-29"),
        found("splenomegaly", False, "2016-02-29"),
        *count("2016-03-01T06:30", "9.6", "4.1", "104"),
        measured("ferritin", "18400", "2016-03-01T06:30", unit="ng/mL"),
        measured("triglycerides", "1.98", "2016-03-01T06:30", unit="mmol/L"),
        measured("fibrinogen", "2.61", "2016-03-01T06:30", unit="g/L"),
        measured("ast", "143", "2016-03-01T06:30", unit="U/L", source="typed", reference="lb.csv row 7"),
        found("marrow_hemophagocytosis", None, "2016-02-26"),
    ]
    month_1 = [
        *count("2016-03-30T06:30", "10.1", "6.2", "168"),
        measured("ferritin", "2140", "2016-03-30T06:30", unit="ng/mL"),
        measured("fibrinogen", "3.0", "2016-03-30T06:30", unit="g/L"),
        measured("ast", "44", "2016-03-30T06:30", unit="U/L"),
    ]
    too_late = [
        measured("triglycerides", "1.72", "2016-04-05T09:15", unit="mmol/L"),
        found("hepatomegaly", False, "2016-04-05"),
    ]
    return [*before, *month_1, *too_late]


def scored(**more: Any) -> SubjectScores:
    """The scores of that subject."""
    return score_subject("S03", results(), RULES, COURSE, **{"as_of": "2016-05-02", **more})

"""HScore (Fardet 2014) and what goes with it, from results: bounds, evidence, change; no FHIR, HTTP, SQL, YAML."""

from fhir_adapter.scores.choose import Course
from fhir_adapter.scores.hscore import Finding, hscore
from fhir_adapter.scores.hscore_table import CUTOFF_PRESETS, DEFAULT_CUTOFF, ITEMS, MAXIMUM, PARTS, SCORED_PARTS
from fhir_adapter.scores.model import (
    Bounds,
    Change,
    Direction,
    Evidence,
    HScore,
    ItemScore,
    State,
    Status,
    SubjectScores,
    WindowScore,
)
from fhir_adapter.scores.points import result_range
from fhir_adapter.scores.same_result import same_collection
from fhir_adapter.scores.subject import score_everything, score_subject
from fhir_adapter.scores.written import written
from fhir_adapter.trial import Measurement

__all__ = [
    "CUTOFF_PRESETS",
    "DEFAULT_CUTOFF",
    "ITEMS",
    "MAXIMUM",
    "PARTS",
    "SCORED_PARTS",
    "Bounds",
    "Change",
    "Course",
    "Direction",
    "Evidence",
    "Finding",
    "HScore",
    "ItemScore",
    "Measurement",
    "State",
    "Status",
    "SubjectScores",
    "WindowScore",
    "hscore",
    "result_range",
    "same_collection",
    "score_everything",
    "score_subject",
    "written",
]

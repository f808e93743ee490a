"""What a trial is, in the words of CDISC and ICH; no FHIR, no files, no network."""

from fhir_adapter.trial.entities import (
    NOWHERE,
    AdverseEvent,
    Arm,
    Criterion,
    Disposition,
    Dose,
    Entity,
    Exposure,
    Fact,
    Finding,
    Measurement,
    Origin,
    Quantity,
    Site,
    Study,
    Subject,
    Visit,
)
from fhir_adapter.trial.moments import AmbiguousMomentError, Moment, MomentError, read_moment
from fhir_adapter.trial.windows import Window, study_day

__all__ = [
    "NOWHERE",
    "AdverseEvent",
    "AmbiguousMomentError",
    "Arm",
    "Criterion",
    "Disposition",
    "Dose",
    "Entity",
    "Exposure",
    "Fact",
    "Finding",
    "Measurement",
    "Moment",
    "MomentError",
    "Origin",
    "Quantity",
    "Site",
    "Study",
    "Subject",
    "Visit",
    "Window",
    "read_moment",
    "study_day",
]

"""HLH-2004 and the 2016 EULAR/ACR/PRINTO criteria beside the HScore: own tables, the same values."""

from fhir_adapter.scores.companions import hlh_2004, mas_2016
from fhir_adapter.scores.companions.explain import counted, explain_criteria, in_words
from fhir_adapter.scores.companions.hlh_2004 import HLH_2004
from fhir_adapter.scores.companions.mas_2016 import MAS_2016
from fhir_adapter.scores.companions.model import (
    Criteria,
    CriteriaSet,
    Criterion,
    Diagnosis,
    Population,
    SubjectCriteria,
    WindowCriteria,
)
from fhir_adapter.scores.companions.subject import criteria_of_everything, criteria_of_subject, not_interpretable_under
from fhir_adapter.scores.companions.written import written_criteria

__all__ = [
    "HLH_2004",
    "MAS_2016",
    "Criteria",
    "CriteriaSet",
    "Criterion",
    "Diagnosis",
    "Population",
    "SubjectCriteria",
    "WindowCriteria",
    "counted",
    "criteria_of_everything",
    "criteria_of_subject",
    "explain_criteria",
    "hlh_2004",
    "in_words",
    "mas_2016",
    "not_interpretable_under",
    "written_criteria",
]

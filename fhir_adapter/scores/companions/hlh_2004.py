"""HLH-2004 (Henter J-I et al., Pediatr Blood Cancer 2007;48:124-31, doi 10.1002/pbc.21039): 5 of 8, or a molecular way.

Read in copies of the paper's table: Blood (diagnostic criteria of HLH-2004, table 2 of a review by the study group) and
J Immunother Cancer 2018, doi 10.1186/s40425-018-0365-3, table 1. Later copies differ (">265", "<1.5", ">500", fever
38.3, the liver as a site); ours is the original. No constant here is shared with another score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhir_adapter.scores.choose import ScoreParts, nothing_refused
from fhir_adapter.scores.companions.model import Criteria, CriteriaSet, Criterion, Limit, Row, Status
from fhir_adapter.scores.companions.three_valued import criterion, deciding_by
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.trial import Result

HLH_2004 = CriteriaSet(
    name="hlh-2004",
    title="HLH-2004",
    citation="Henter J-I et al., Pediatr Blood Cancer 2007;48:124-31, doi 10.1002/pbc.21039",
    caution=(
        "HLH-2004 was written to enrol children with haemophagocytic lymphohistiocytosis into a treatment study, "
        "not to measure activity or response."
    ),
    fever="38.5",  # the paper says fever, most copies 38.5: printed with every answer
    needed=5,
    limits={
        "hemoglobin": Limit("<", {"g/dL": "9.0"}),  # older than 4 weeks
        "platelets": Limit("<", {"10*9/L": "100"}),
        "neutrophils": Limit("<", {"10*9/L": "1.0"}),
        "triglycerides": Limit(">=", {"mmol/L": "3.0", "mg/dL": "265"}),  # fasting; 265 mg/dL is 2.992 mmol/L
        "fibrinogen": Limit("<=", {"g/L": "1.5"}),
        "ferritin": Limit(">=", {"ug/L": "500"}),
    },
    rows=(
        Row("fever", ("temperature",)),
        Row("splenomegaly", ("splenomegaly",)),
        Row("cytopenias", ("hemoglobin", "platelets", "neutrophils"), at_least=2),
        Row("triglycerides_fibrinogen", ("triglycerides", "fibrinogen")),
        Row(
            "hemophagocytosis",
            ("marrow_hemophagocytosis",),
            if_stated=("spleen_hemophagocytosis", "node_hemophagocytosis"),
        ),
        Row("nk_activity", ("nk_activity",)),  # low or absent by the laboratory's own reference: a stated finding
        Row("ferritin", ("ferritin",)),
        Row("soluble_cd25", ("soluble_cd25",)),  # >= 2400 U/mL: a stated finding, assays are not convertible
    ),
)
"""The table: eight criteria in the order of the paper."""

MOLECULAR = Row("molecular_diagnosis", ("molecular_diagnosis",))
"""The other way in, where somebody stated it."""

STATED_FINDINGS = (
    *("soluble_cd25", "nk_activity", "spleen_hemophagocytosis", "node_hemophagocytosis", "molecular_diagnosis"),
)
"""Findings that no confirmed code of a public terminology names: they come only as a site recorded them."""

_NOTES: Mapping[str, str] = {
    "hemophagocytosis": "the table asks for no evidence of malignancy, which is not looked at here",
}
_FASTING = "the table asks for fasting triglycerides; whether the subject was fasting is not stated"
_TREATMENT_UNKNOWN = "treatment unknown: under interleukin-2 it could not be interpreted"


def parts(fever: str = HLH_2004.fever, refuses: Callable[[Result], str] = nothing_refused) -> ScoreParts:
    """What is looked at, by the rule of the trial's windows."""
    return ScoreParts(
        blood=("triglycerides", "fibrinogen", "ferritin", "nk_activity", "soluble_cd25"),
        organs=("splenomegaly",),
        marrow=("marrow_hemophagocytosis", "spleen_hemophagocytosis", "node_hemophagocytosis"),
        stated=("molecular_diagnosis",),
        of_the_count=("neutrophils",),
        decides=deciding_by(HLH_2004.limits_with(fever)),
        refuses=refuses,
    )


def evaluate(choices: Mapping[str, Choice], fever: str = HLH_2004.fever, *, treatment_known: bool = True) -> Criteria:
    """The eight criteria and the whole, from what was chosen for each part."""
    limits = HLH_2004.limits_with(fever)
    items = tuple(
        criterion(row, choices, limits, _notes(row, choices, treatment_known=treatment_known)) for row in HLH_2004.rows
    )
    stated = bool(choices.get("molecular_diagnosis", Choice()).used)
    molecular = criterion(MOLECULAR, choices, limits) if stated else None
    counted = Criteria(items, HLH_2004.needed, "undetermined")
    return Criteria(items, HLH_2004.needed, _status(counted.low, counted.high, molecular), apart=molecular)


def _status(low: int, high: int, molecular: Criterion | None) -> Status:
    """Met by either way, not met only when neither way can be."""
    if low >= HLH_2004.needed or (molecular is not None and molecular.verdict == "met"):
        return "met"
    by_count = high >= HLH_2004.needed
    return "undetermined" if by_count or (molecular is not None and molecular.verdict != "not met") else "not met"


def _notes(row: Row, choices: Mapping[str, Choice], *, treatment_known: bool) -> list[str]:
    notes = [_NOTES[row.item]] if row.item in _NOTES else []
    if not treatment_known and row.item in ("nk_activity", "soluble_cd25"):
        notes.append(_TREATMENT_UNKNOWN)
    if row.item == "triglycerides_fibrinogen":
        used = choices.get("triglycerides", Choice()).used
        notes += [_FASTING] if any(one.method != "fasting" for one in used) else []
    return notes

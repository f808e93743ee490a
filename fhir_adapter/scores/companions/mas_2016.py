"""The 2016 EULAR/ACR/PRINTO criteria for MAS in sJIA (Ravelli A et al., Ann Rheum Dis 2016;75:481-9): table and logic.

Also Arthritis Rheumatol 2016;68:566-76, doi 10.1002/art.39332. Read in copies: Egypt Rheumatol Rehabil 2022,
doi 10.1186/s43166-022-00135-z, table 3; Int J Rheumatol 2022;1784529, table 1 (1.76 mmol/L). A febrile patient with
known or suspected sJIA, ferritin, and two of four. No constant here is shared with another score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir_adapter.scores.choose import ScoreParts
from fhir_adapter.scores.companions.model import Criteria, CriteriaSet, Criterion, Diagnosis, Limit, Row, Status
from fhir_adapter.scores.companions.three_valued import criterion, deciding_by
from fhir_adapter.scores.hscore import Choice

MAS_2016 = CriteriaSet(
    name="mas-2016",
    title="2016 EULAR/ACR/PRINTO criteria",
    citation="Ravelli A et al., Ann Rheum Dis 2016;75:481-9 and Arthritis Rheumatol 2016;68:566-76",
    caution=(
        "The 2016 criteria were written to classify patients with systemic juvenile idiopathic arthritis, "
        "not to measure activity or response; what else may explain a laboratory value is not looked at here."
    ),
    fever="38.5",  # the paper says febrile and prints no number: printed with every answer
    needed=2,
    limits={
        "ferritin": Limit(">", {"ng/mL": "684"}),
        "platelets": Limit("<=", {"10*9/L": "181"}),
        "ast": Limit(">", {"U/L": "48"}),
        "triglycerides": Limit(">", {"mg/dL": "156", "mmol/L": "1.76"}),  # 156 mg/dL is 1.7613 mmol/L
        "fibrinogen": Limit("<=", {"mg/dL": "360"}),
    },
    rows=(
        Row("fever", ("temperature",), required=True),
        Row("ferritin", ("ferritin",), required=True),
        Row("platelets", ("platelets",)),
        Row("ast", ("ast",)),
        Row("triglycerides", ("triglycerides",)),
        Row("fibrinogen", ("fibrinogen",)),
    ),
)
"""The table: what is required, and four of which two are needed."""

_NOBODY_SAYS = "the records name none of sJIA, AOSD and SLE: whether the criteria apply is not known"
_SEVERAL = "the records name more than one of sJIA, AOSD and SLE: whether the criteria apply is not known"
_ELSEWHERE: Mapping[str, tuple[Status, str]] = {
    "sle": ("not applicable", "written for sJIA; the records name SLE"),
    "aosd": ("outside its population", "written for sJIA; the records name AOSD"),
}


def parts(fever: str = MAS_2016.fever) -> ScoreParts:
    """What is looked at, by the rule of the trial's windows."""
    return ScoreParts(
        blood=("ferritin", "ast", "triglycerides", "fibrinogen"),
        organs=(),
        marrow=(),
        stated=(),
        decides=deciding_by(MAS_2016.limits_with(fever)),
    )


def evaluate(choices: Mapping[str, Choice], diagnosis: Diagnosis, fever: str = MAS_2016.fever) -> Criteria:
    """The criteria and the whole; without a diagnosis in the records the whole is undetermined."""
    limits = MAS_2016.limits_with(fever)
    items = tuple(criterion(row, choices, limits) for row in MAS_2016.rows)
    if len(diagnosis.populations) != 1:
        return Criteria(items, MAS_2016.needed, "undetermined", _SEVERAL if diagnosis.populations else _NOBODY_SAYS)
    (population,) = diagnosis.populations
    if population in _ELSEWHERE:
        return Criteria(items, MAS_2016.needed, *_ELSEWHERE[population])
    counted = Criteria(items, MAS_2016.needed, "undetermined")
    return Criteria(items, MAS_2016.needed, _status(items, counted.low, counted.high))


def _status(items: Sequence[Criterion], low: int, high: int) -> Status:
    required = [one.verdict for one in items if one.required]
    if "not met" in required or high < MAS_2016.needed:
        return "not met"
    return "met" if set(required) == {"met"} and low >= MAS_2016.needed else "undetermined"

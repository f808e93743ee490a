"""How scores are written as JSON: every key that other programs rely on, whole documents compared."""

from __future__ import annotations

from fhir_adapter.issues import Issue, Where
from fhir_adapter.scores import Bounds, Change, SubjectScores
from fhir_adapter.scores.model import Evidence, HScore, ItemScore, WindowScore
from fhir_adapter.scores.written import written, written_evidence
from fhir_adapter.trial import Interval, Result, read_moment
from tests.scores.made_up import ZONE

CAPPED = Result(
    subject="S03",
    name="ferritin",
    source="hospital",
    interval=Interval(),
    value="1500.0",
    unit="ng/mL",
    comparator=">",
    effective=read_moment("2016-03-30T06:30", ZONE),
    reference="Observation/f1",
    version="3",
    sha256="ab12",
    flags=("the result is capped", "unit ng/mL read from its text"),
)
COUNTS = Evidence(CAPPED, used=True, why="nearest to D29 within D26 to D33 (tie: earlier)")
COUNTS_WRITTEN = {
    "test": "ferritin",
    "reference": "Observation/f1",
    "version": "3",
    "sha256": "ab12",
    "effective": "2016-03-30T06:30:00+08:00",
    "comparator": ">",
    "value": "1500.0",
    "unit": "ng/mL",
    "source": "hospital",
    "used": True,
    "why": "nearest to D29 within D26 to D33 (tie: earlier)",
    "flags": ["the result is capped", "unit ng/mL read from its text"],
}
BARE_WRITTEN: dict[str, object] = {
    "test": "splenomegaly",
    "reference": None,
    "version": None,
    "sha256": None,
    "effective": None,
    "comparator": None,
    "unit": "",
    "source": "typed",
    "used": False,
    "why": "no date of collection",
    "flags": [],
}
"""A result of which nobody stated anything but what it is of, without its value."""


def bare(present: bool | None, value: str = "") -> dict[str, object]:
    """A finding that is passed over, as it is written."""
    result = Result(subject="S03", name="splenomegaly", source="typed", present=present, value=value)
    return written_evidence(Evidence(result, used=False, why="no date of collection"))


def test_a_result_is_written_as_it_came() -> None:
    """Digits, comparator and unit as received; when it was collected with the offset of the site."""
    assert written_evidence(COUNTS) == COUNTS_WRITTEN


def test_what_is_not_known_of_a_result_is_null() -> None:
    """No empty reference, no empty date; a unit that there is none of is empty."""
    assert bare(None) == {**BARE_WRITTEN, "value": ""}


def test_a_finding_is_written_in_the_words_of_its_source() -> None:
    """`true` and `false` only where the source has no words of its own."""
    assert [bare(True), bare(False), bare(True, "enlarged, 3 cm")] == [
        {**BARE_WRITTEN, "value": "true"},
        {**BARE_WRITTEN, "value": "false"},
        {**BARE_WRITTEN, "value": "enlarged, 3 cm"},
    ]


def test_a_score_is_written_whole() -> None:
    """Bounds, status, every item with its evidence and notes, other readings beside it, and issues."""
    items = (
        ItemScore("ferritin", 0, 50, "partial", (COUNTS,), ("capped", "of one specimen")),
        ItemScore("ast", 19, 19, "measured"),
    )
    issue = Issue("error", "missing-unit", "ferritin: no unit", Where(expression="findings"))
    window = WindowScore(
        subject="S03",
        window="month-1",
        score=HScore(items, 20, (issue,)),
        patient="Patient/p3",
        as_of="2016-05-02T10:00:00Z",
        sensitivity=(("worst of the window", 19, 70), ("without marrow", 18, 68)),
    )
    assert written([SubjectScores("S03", (window,))], 20) == {
        "criteria": "hscore",
        "cutoff": 20,
        "scores": [
            {
                "subject": "S03",
                "patient": "Patient/p3",
                "window": "month-1",
                "low": 19,
                "high": 69,
                "status": "undetermined",
                "complete": False,
                "as_of": "2016-05-02T10:00:00Z",
                "items": [
                    {
                        "item": "ferritin",
                        "low": 0,
                        "high": 50,
                        "state": "partial",
                        "evidence": [COUNTS_WRITTEN],
                        "notes": ["capped", "of one specimen"],
                    },
                    {"item": "ast", "low": 19, "high": 19, "state": "measured", "evidence": [], "notes": []},
                ],
                "sensitivity": [
                    {"rule": "worst of the window", "low": 19, "high": 70},
                    {"rule": "without marrow", "low": 18, "high": 68},
                ],
                "issues": [issue.to_dict()],
            }
        ],
        "changes": [],
        "issues": [],
    }


def test_a_change_is_written_whole() -> None:
    """In full, without marrow, and on the items known at both visits, which alone are listed."""
    change = Change(
        subject="S03",
        first="baseline",
        second="month-1",
        full=Bounds(-190, 31, ("ferritin", "ast", "marrow_hemophagocytosis")),
        without_marrow=Bounds(-155, -4, ("ferritin", "ast")),
        common=Bounds(-39, -38, ("ferritin",)),
        direction="undetermined",
        notes=("13 of 14 planned doses given",),
    )
    assert written([SubjectScores("S03", (), change)], 169) == {
        "criteria": "hscore",
        "cutoff": 169,
        "scores": [],
        "changes": [
            {
                "subject": "S03",
                "from": "baseline",
                "to": "month-1",
                "low": -190,
                "high": 31,
                "direction": "undetermined",
                "without_marrow": {"low": -155, "high": -4},
                "common_items": {"low": -39, "high": -38, "items": ["ferritin"]},
                "notes": ["13 of 14 planned doses given"],
            }
        ],
        "issues": [],
    }


def test_who_died_has_a_change_without_any_number() -> None:
    """Null, never 0; who has no change at all is not in the list, and an issue says why."""
    died = Change("S05", "baseline", "month-1", None, None, None, "not improved (died)")
    issue = Issue("information", "no-first-dose", "S07: no first dose")
    document = written([SubjectScores("S05", (), died), SubjectScores("S07", (), None, (issue,))], 169)
    assert document["changes"] == [
        {
            "subject": "S05",
            "from": "baseline",
            "to": "month-1",
            "low": None,
            "high": None,
            "direction": "not improved (died)",
            "without_marrow": None,
            "common_items": None,
            "notes": [],
        }
    ]
    assert document["issues"] == [issue.to_dict()]


def test_a_stream_of_subjects_is_read_once() -> None:
    """Whatever gives the subjects one by one: scores, changes and issues are all written."""
    died = Change("S05", "baseline", "month-1", None, None, None, "not improved (died)")
    issue = Issue("information", "no-first-dose", "S07: no first dose")
    document = written(iter([SubjectScores("S05", (), died, (issue,))]), 169)
    assert (len(document["changes"]), len(document["issues"])) == (1, 1)  # type: ignore[arg-type]

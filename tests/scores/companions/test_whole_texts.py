"""Criteria as a person and as a program read them: whole notes and whole documents, and every word of why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fhir_adapter.issues import Issue
from fhir_adapter.scores.choose import ScoreParts, choose
from fhir_adapter.scores.companions import (
    HLH_2004,
    MAS_2016,
    Criteria,
    Criterion,
    Diagnosis,
    SubjectCriteria,
    WindowCriteria,
    counted,
    criteria_of_everything,
    criteria_of_subject,
    explain_criteria,
    hlh_2004,
    in_words,
    mas_2016,
    written_criteria,
)
from fhir_adapter.scores.companions.model import Row
from fhir_adapter.scores.companions.three_valued import criterion
from fhir_adapter.scores.hscore import Choice
from fhir_adapter.scores.model import Evidence
from fhir_adapter.trial import Interval, Pick, Result, read_moment
from tests.scores.companions.made_up import chosen, hlh, mas, received, stated
from tests.scores.made_up import COURSE, MONTH_1, RULES, ZONE, found, measured

COUNTS = Result(
    subject="S01",
    name="ferritin",
    source="hospital",
    interval=Interval(),
    value="1500",
    unit="ng/mL",
    comparator=">",
    effective=read_moment("2016-03-30T06:30", ZONE),
    reference="Observation/f1",
    flags=("the result is capped", "read from its text"),
)
FINDING = Result(subject="S01", name="splenomegaly", source="typed", present=True, value="3 cm")
ABSENT = replace(FINDING, present=False, value="")
NOT_DONE = Result(subject="S01", name="ldh", source="typed", not_done=True, value="refused", reference="lb.csv row 7")


def criterion_of(item: str, verdict: str, *evidence: Evidence, required: bool = False) -> Criterion:
    """A criterion with this evidence."""
    notes = ("fasting is not stated",) if required else ()
    return Criterion(item, verdict, "measured", f"why of {item}", evidence, notes, required)  # type: ignore[arg-type]


def window_of(whole: Criteria, as_of: str | None = "2016-05-02") -> WindowCriteria:
    """The criteria at a visit."""
    return WindowCriteria("S01", "month-1", whole, "Patient/p1", as_of, Diagnosis(frozenset({"sle", "aosd"}), ("M08",)))


def passed_over(many: int) -> list[Evidence]:
    """So many results that do not count."""
    late = [replace(FINDING, reference=str(place), value="") for place in range(1, many + 1)]
    return [Evidence(one, used=False, why="late") for one in late]


WHOLE = Criteria(
    (
        criterion_of("ferritin", "met", Evidence(COUNTS, used=True, why="nearest"), required=True),
        criterion_of("splenomegaly", "undetermined", Evidence(FINDING, used=True, why="last"), *passed_over(4)),
        criterion_of("fever", "not met", Evidence(ABSENT, used=True, why="last"), *passed_over(6)),
        criterion_of("ast", "met", Evidence(NOT_DONE, used=True, why="not done")),
    ),
    needed=2,
    status="undetermined",
    apart=criterion_of("molecular_diagnosis", "not met"),
)


def test_a_note_with_something_of_everything_reads_word_for_word() -> None:
    """What is required, what is apart from the count, six results of which four are shown, and the data cut."""
    assert explain_criteria(window_of(WHOLE), MAS_2016) == [
        (
            "S01: 2016 EULAR/ACR/PRINTO criteria, 1-2 of 3 fulfilled, month-1; undetermined at 2; ferritin fulfilled; "
            "molecular diagnosis, the other way in: not fulfilled."
        ),
        "",
        "ferritin: fulfilled (required)",
        "    why of ferritin",
        "    note: fasting is not stated",
        (
            "  + ferritin | >1500 ng/mL | 2016-03-30T06:30 | hospital, Observation/f1: nearest "
            "[the result is capped; read from its text]"
        ),
        "",
        "splenomegaly: undetermined",
        "    why of splenomegaly",
        "  + splenomegaly | present (3 cm) | undated | typed: last",
        "  - passed over: splenomegaly | present | undated | typed, 1: late",
        "  - passed over: splenomegaly | present | undated | typed, 2: late",
        "  - passed over: splenomegaly | present | undated | typed, 3: late",
        "  - passed over: splenomegaly | present | undated | typed, 4: late",
        "",
        "fever: not fulfilled",
        "    why of fever",
        "  + splenomegaly | absent | undated | typed: last",
        "  - passed over: splenomegaly | present | undated | typed, 1: late",
        "  - passed over: splenomegaly | present | undated | typed, 2: late",
        "  - passed over: splenomegaly | present | undated | typed, 3: late",
        "  - passed over: splenomegaly | present | undated | typed, 4: late",
        "  - and 2 more passed over; --format json lists all",
        "",
        "AST: fulfilled",
        "    why of ast",
        "  + ldh | undated | typed, lb.csv row 7: not done",
        "",
        "molecular diagnosis: not fulfilled",
        "    why of molecular_diagnosis",
        "",
        "Data as of 2016-05-02, complete.",
        MAS_2016.caution,
    ]


@pytest.mark.parametrize(
    ("as_of", "complete", "mark"),
    [
        ("2016-05-02", False, "Data as of 2016-05-02, incomplete."),
        ("2016-05-02", True, "Data as of 2016-05-02, complete."),
        (None, True, "Nothing was pulled for this subject: typed values only."),
    ],
)
def test_a_note_says_whether_its_data_are_complete(as_of: str | None, complete: bool, mark: str) -> None:
    """Beside the caution at its end."""
    assert explain_criteria(window_of(WHOLE, as_of), HLH_2004, complete=complete)[-3:] == ["", mark, HLH_2004.caution]


def test_a_haemoglobin_is_told_in_the_words_of_the_criteria() -> None:
    """Not by the name of the field."""
    result = received("hemoglobin", "8 g/dL")
    whole = Criteria((criterion_of("cytopenias", "met", Evidence(result, used=True, why="given")),), 1, "met")
    assert "  + haemoglobin | 8 g/dL | undated | hospital: given" in explain_criteria(window_of(whole), HLH_2004)


@pytest.mark.parametrize(
    ("verdicts", "number", "words"),
    [
        (("met", "met", "not met"), "2 of 3", "at or above 2"),
        (("met", "not met", "not met"), "1 of 3", "below 2"),
        (("met", "undetermined", "not met"), "1-2 of 3", "undetermined at 2"),
    ],
)
def test_how_many_are_fulfilled_is_a_number_only_when_it_is_one(
    verdicts: Sequence[str], number: str, words: str
) -> None:
    """As many as are needed can still be fulfilled: undetermined."""
    whole = Criteria(tuple(criterion_of("ast", one) for one in verdicts), 2, "undetermined")
    assert (counted(whole), in_words(whole)) == (number, words)


def test_outside_its_population_nothing_but_that_is_said() -> None:
    """AOSD has no criteria here."""
    whole = mas(of=("aosd",))
    assert in_words(whole) == "outside its population (written for sJIA; the records name AOSD)"
    assert (whole.needed, mas(of=("sle",)).needed, mas(of=()).needed) == (2, 2, 2)


def test_criteria_are_written_whole() -> None:
    """Every key, the other way in and the diagnosis where there are any."""
    whole = Criteria((criterion_of("ferritin", "met", required=True),), 2, "met", "why", criterion_of("fever", "met"))
    issue = Issue("information", "no-first-dose", "S07: no first dose")
    told = {"state": "measured", "evidence": []}
    assert written_criteria([SubjectCriteria("S01", (window_of(whole),), (issue,))]) == {
        "scores": [
            {
                "subject": "S01",
                "patient": "Patient/p1",
                "window": "month-1",
                "low": 0,
                "high": 0,
                "of": 0,
                "needed": 2,
                "status": "met",
                "why": "why",
                "as_of": "2016-05-02",
                "items": [
                    {
                        "item": "ferritin",
                        "verdict": "met",
                        "required": True,
                        "why": "why of ferritin",
                        "notes": ["fasting is not stated"],
                        **told,
                    }
                ],
                "molecular_diagnosis": {
                    "item": "fever",
                    "verdict": "met",
                    "required": False,
                    "why": "why of fever",
                    "notes": [],
                    **told,
                },
                "diagnosis": {"populations": ["aosd", "sle"], "terms": ["M08"]},
                "issues": [],
            }
        ],
        "issues": [issue.to_dict()],
    }


def test_without_another_way_in_and_a_diagnosis_there_are_no_keys_of_them() -> None:
    """A program asks whether they are there."""
    window = WindowCriteria("S01", "all", Criteria((), 2, "met"))
    (told,) = written_criteria([SubjectCriteria("S01", (window,))])["scores"]  # type: ignore[misc]
    assert sorted(told) == sorted(  # type: ignore[has-type]
        ["subject", "patient", "window", "low", "high", "of", "needed", "status", "why", "as_of", "items", "issues"]
    )


def test_a_subject_without_a_dose_is_named_with_the_reason() -> None:
    """For a person to read."""
    message = "S07: no first dose, so no visit can be placed and no criteria be computed"
    told = criteria_of_subject("S07", [], RULES, None, hlh_2004.parts(), hlh_2004.evaluate)
    assert told == SubjectCriteria("S07", (), (Issue("information", "no-first-dose", message),))


def test_the_criteria_of_every_result_name_their_subject_and_no_visit() -> None:
    """There is one window, and no other."""
    told = criteria_of_everything("S01", [], hlh_2004.parts(), hlh_2004.evaluate)
    assert (told.subject, told.windows[0].subject) == ("S01", "S01")
    assert told.at("week-9") is None


def not_done(name: str) -> dict[str, Choice]:
    """A part of which a source says that it was not examined."""
    result = Result(subject="S01", name=name, source="typed", not_done=True)
    return {name: Choice((Evidence(result, used=True, why="not done"),))}


def test_what_is_not_known_says_whether_it_was_not_done() -> None:
    """Known as not examined, or nothing known at all."""
    left_out, unknown = (hlh_2004.evaluate(choices).item("splenomegaly") for choices in (not_done("splenomegaly"), {}))
    assert (left_out.state, left_out.why) == ("not_done", "splenomegaly: not done")
    assert (unknown.state, unknown.why) == ("unknown", "splenomegaly: not known")


def test_a_result_that_cannot_be_read_leaves_everything_possible() -> None:
    """And is no capped one."""
    unreadable = replace(received("ferritin", "900 ng/mL"), interval=Interval())
    assert hlh(unreadable).item("ferritin").why == (
        "ferritin: a result cannot be read, so anything is possible (>= 500 ug/L)"
    )


def test_a_part_without_words_of_its_own_is_told_by_its_name() -> None:
    """Never an empty place."""
    assert criterion(Row("ldh", ("ldh",)), {}, {}).why == "ldh: not known"


@pytest.mark.parametrize("treatment_known", [True, False])
def test_only_an_unknown_treatment_is_noted_and_only_of_what_it_changes(treatment_known: bool) -> None:
    """Both findings that interleukin-2 changes; the marrow has its own note, and fasting is another matter."""
    results = (received("triglycerides", "4 mmol/L"), stated("nk_activity", True), stated("soluble_cd25", True))
    whole = hlh_2004.evaluate(chosen(*results), treatment_known=treatment_known)
    unknown = () if treatment_known else ("treatment unknown: under interleukin-2 it could not be interpreted",)
    assert {one.item: one.notes for one in whole.items if one.notes} == {
        "hemophagocytosis": ("the table asks for no evidence of malignancy, which is not looked at here",),
        "triglycerides_fibrinogen": (
            "the table asks for fasting triglycerides; whether the subject was fasting is not stated",
        ),
        **({"nk_activity": unknown, "soluble_cd25": unknown} if unknown else {}),
    }


def test_the_treatment_counts_as_known_unless_it_is_said_not_to_be() -> None:
    """The caller knows the trial."""
    assert hlh(stated("nk_activity", True)).item("nk_activity").notes == ()


@pytest.mark.parametrize(
    ("text", "limit"), [(">= 265 mg/dL", "265 mg/dL"), ("< 265 mg/dL", "265 mg/dL"), ("> 3 mmol/L", "3.0 mmol/L")]
)
def test_a_capped_result_is_compared_in_its_unit_whatever_the_site_calls_it(text: str, limit: str) -> None:
    """The end that it has leads from the number to the unit."""
    result = replace(received("triglycerides", text), unit="单位")
    assert f"(>= {limit})" in hlh(result).item("triglycerides_fibrinogen").why


def at_one_time(parts: ScoreParts, name: str, values: Sequence[str]) -> Choice:
    """What is chosen of two results of one time."""
    window = replace(MONTH_1, temperature=Pick("last", 26, 33), temperature_days=None)
    return choose([measured(name, one, "2016-03-29T06:30") for one in values], window, COURSE, parts)[name]


def test_the_2016_criteria_find_contradictions_by_their_own_limits() -> None:
    """Platelets of 150 and 190 are on both sides of 181, and neither is low for the HScore."""
    assert at_one_time(mas_2016.parts(), "platelets", ("150", "190")).conflicting
    assert not at_one_time(mas_2016.parts(), "platelets", ("120", "150")).conflicting


def test_the_2016_criteria_find_contradictions_by_the_fever_of_the_trial() -> None:
    """38.2 and 38.6 are on both sides of 38.5, and of no other setting."""
    assert at_one_time(mas_2016.parts(), "temperature", ("38.2", "38.6")).conflicting
    assert not at_one_time(mas_2016.parts("38.0"), "temperature", ("38.2", "38.6")).conflicting


def test_a_criterion_refused_for_its_treatment_is_not_told_as_not_done() -> None:
    """A finding that is there and cannot be interpreted."""
    refused = Evidence(found("nk_activity", True, None), used=False, why="not interpretable under rhIL-2")
    item = hlh_2004.evaluate({"nk_activity": Choice((refused,))}).item("nk_activity")
    assert (item.state, item.why) == (
        "not_interpretable",
        "low or absent NK cell activity: not interpretable under rhIL-2",
    )

"""The long table cell by cell: days, visits, events, bounds and sources, also where half of it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import pytest

from fhir_adapter.scores import SubjectScores, score_everything, score_subject
from fhir_adapter.scores.adhs import Background, IntercurrentEvent, Row, adhs_csv, adhs_rows
from fhir_adapter.scores.model import WindowScore
from fhir_adapter.trial import Result
from tests.scores.made_up import COURSE, RULES, ZONE, at_its_worst, count, found, measured
from tests.scores.new_onset import results, scored

STARTED = Background(reference_start=date(2016, 2, 29), first_dose=date(2016, 3, 1), zone=ZONE)
VISITS = ("baseline", "week-2", "month-1")


def of_results(*more: Result, background: Background = STARTED) -> Mapping[tuple[str, str], Row]:
    """The rows of a subject, by visit and parameter."""
    return by_visit([score_subject("S03", more, RULES, COURSE)], background)


def by_visit(scores: Iterable[SubjectScores], background: Background = STARTED) -> Mapping[tuple[str, str], Row]:
    """The rows by visit and parameter."""
    rows = adhs_rows(scores, rules=RULES, backgrounds={"S03": background})
    return {(row["AVISIT"], row["PARAMCD"]): row for row in rows}


def before_treatment() -> list[Result]:
    """What is recorded of the baseline."""
    return [one for one in results() if one.effective and one.effective.iso < "2016-03-02"]


def test_what_nobody_states_of_the_study_is_empty() -> None:
    """No study, no label, no data cut."""
    row = next(adhs_rows([replace(scored(as_of=None))], rules=RULES))
    assert (row["STUDYID"], row["SECLABEL"], row["DCUTDTC"]) == ("", "", "")


def test_security_labels_are_separated_by_commas() -> None:
    """Two labels of one study."""
    row = next(adhs_rows([scored()], rules=RULES, labels=("HTEST", "R")))
    assert row["SECLABEL"] == "HTEST, R"


def test_a_text_of_a_source_is_guarded_in_the_file() -> None:
    """A subject that a spreadsheet would run is a text there; the negative change beside it stays a number."""
    text = adhs_csv(adhs_rows([replace(scored(), subject="=S03")], rules=RULES))
    (line,) = [line for line in text.splitlines() if ",HSCHGLO," in line]
    assert line.startswith(",'=S03,")
    assert ",-190,-190," in line


def test_visits_are_numbered_from_1_in_the_trials_order() -> None:
    """A visit without a score keeps its number free."""
    rows = by_visit([scored()])
    assert [(visit, rows[visit, "HSCORE"]["AVISITN"]) for visit in ("baseline", "month-1")] == [
        ("baseline", "1"),
        ("month-1", "3"),
    ]


def test_the_change_stands_at_no_other_visit() -> None:
    """Baseline and week 2 say nothing of it."""
    rows = by_visit([score_subject("S03", [*results(), *count("2016-03-15T06:30", "9", "4", "90")], RULES, COURSE)])
    assert [visit for visit in VISITS if (visit, "HSCHGLO") in rows] == ["month-1"]
    assert [visit for visit in VISITS if (visit, "HSCORE") in rows] == list(VISITS)


def test_a_month_1_without_a_baseline_has_its_rows_once() -> None:
    """No change value, and its direction is told with the score of the visit."""
    scores = score_subject("S03", [*count("2016-03-30T06:30", "10.1", "6.2", "168")], RULES, COURSE)
    rows = [(row["AVISIT"], row["PARAMCD"], row["AVALC"]) for row in adhs_rows([scores], rules=RULES)]
    assert [row for row in rows if row[1] == "HSDIR"] == [("month-1", "HSDIR", "undetermined")]
    assert len(set(rows)) == len(rows)


def test_the_day_of_a_score_is_that_of_its_blood_count() -> None:
    """The spleen was examined two days later."""
    rows = of_results(*count("2016-03-30T06:30", "10.1", "6.2", "168"), found("splenomegaly", False, "2016-04-01"))
    assert (rows["month-1", "HSCORE"]["ADT"], rows["month-1", "HSORG"]["ADT"]) == ("2016-03-30", "2016-04-01")


def test_without_a_blood_count_the_last_value_gives_the_day() -> None:
    """Ferritin first, the spleen four days later."""
    rows = of_results(measured("ferritin", "900", "2016-03-28T06:30"), found("splenomegaly", False, "2016-04-01"))
    assert (rows["month-1", "HSCORE"]["ADT"], rows["month-1", "HSCORE"]["ADY"]) == ("2016-04-01", "33")


def test_an_item_of_which_nothing_is_known_has_no_day() -> None:
    """Neither day nor study day nor source."""
    row = by_visit([scored()])["month-1", "HSTEMP"]
    assert [row[name] for name in ("ADT", "ADY", "SRCREF", "SRCDOM", "SRCSEQ")] == ["", "", "", "", ""]


def test_references_are_separated_by_semicolons() -> None:
    """Three lineages of one blood count."""
    assert by_visit([scored()])["month-1", "HSCYT"]["SRCREF"] == (
        "Observation/hemoglobin-2016-03-30T06:30; Observation/leukocytes-2016-03-30T06:30; "
        "Observation/platelets-2016-03-30T06:30"
    )


def test_without_marrow_its_points_are_taken_from_both_bounds() -> None:
    """A marrow that is known with 35 points: least and most are 35 lower."""
    rows = of_results(
        *(one for one in before_treatment() if one.name not in ("marrow_hemophagocytosis", "temperature")),
        found("marrow_hemophagocytosis", True, "2016-02-26"),
    )
    shown = [rows["baseline", code]["AVAL"] for code in ("HSLOW", "HSHIGH", "HSNMLOW", "HSNMHIGH")]
    assert shown == ["195", "244", "160", "209"]


def test_the_worst_of_the_window_is_told_with_both_bounds() -> None:
    """Not the reading without marrow, which has parameters of its own."""
    rows = by_visit([scored()])
    shown = [rows["month-1", code]["AVALC"] for code in ("HSWOV", "HSWOVLO", "HSWOVHI", "HSNMHIGH")]
    assert shown == ["54 to 240", "54", "240", "205"]


def test_the_criterion_stands_on_the_score_and_not_on_its_bounds() -> None:
    """A bound that is below a cut-off says nothing of the score."""
    rows = by_visit([scored()])
    shown = [(rows["baseline", code]["CRIT1"], rows["baseline", code]["CRIT1FL"]) for code in ("HSCORE", "HSLOW")]
    assert shown == [("HScore >= 169", "Y"), ("", "")]


def test_state_and_sources_of_an_item_stand_on_its_bounds_too() -> None:
    """Whoever filters for bounds still finds the records."""
    row = by_visit([scored()])["month-1", "HSFERL"]
    assert (row["ITEMSTAT"], row["SRCREF"]) == ("measured", "Observation/ferritin-2016-03-30T06:30")
    assert row["ADT"] == "2016-03-30"


@pytest.mark.parametrize(
    ("codes", "derivations"),
    [
        (("HSTEMP", "HSTEMPL", "HSTEMPH"), ["", "BC", "WC"]),
        (("HSFER", "HSFERL", "HSFERH"), ["", "", ""]),
        (("HSCHGLO", "HSCHGHI"), ["BC", "WC"]),
        (("HSCOMLO", "HSCOMHI"), ["", ""]),
    ],
)
def test_both_bounds_say_whether_they_count_what_is_not_known(codes: tuple[str, ...], derivations: list[str]) -> None:
    """Best and worst case of an open item or change; nothing of one that is a number."""
    rows = by_visit([scored()])
    assert [rows["month-1", code]["DTYPE"] for code in codes] == derivations


def test_an_event_on_the_day_of_the_visit_flags_it() -> None:
    """Month 1 was planned on day 29 and measured on day 30, when etoposide was given: the day measured counts."""
    event = IntercurrentEvent("rescue: etoposide", date(2016, 3, 30))
    rows = by_visit([scored()], replace(STARTED, events=(event,)))
    assert [rows[visit, "HSLOW"]["ICEFL"] for visit in ("baseline", "month-1")] == ["", "Y"]


def test_events_are_separated_by_semicolons() -> None:
    """In the order in which they are told."""
    events = (IntercurrentEvent("rescue: etoposide"), IntercurrentEvent("8 of 14 planned doses given"))
    row = by_visit([scored()], replace(STARTED, events=events))["month-1", "HSLOW"]
    assert row["ICETERM"] == "rescue: etoposide; 8 of 14 planned doses given"


@pytest.mark.parametrize(("day", "flag"), [(29, "Y"), (30, "")])
def test_a_visit_without_a_value_is_flagged_by_its_planned_day(day: int, flag: str) -> None:
    """Nothing was measured at month 1, planned on 2016-03-29: only what happened until then is said of it."""
    event = IntercurrentEvent("rescue: etoposide", date(2016, 3, day))
    rows = of_results(*before_treatment(), background=replace(STARTED, events=(event,)))
    row = rows["month-1", "HSDIR"]
    assert (row["ICEFL"], row["ADT"], row["DCUTDTC"], row["AVALC"]) == (flag, "", "", "undetermined")


def test_without_a_first_dose_no_day_is_planned() -> None:
    """The event flags the visit that the change goes to, as one without a day does."""
    event = IntercurrentEvent("rescue: etoposide", date(2016, 4, 10))
    rows = of_results(*before_treatment(), background=Background(zone=ZONE, events=(event,)))
    assert [rows[visit, code]["ICEFL"] for visit, code in (("baseline", "HSLOW"), ("month-1", "HSDIR"))] == ["", "Y"]


def test_a_score_of_no_visit_of_the_trial_has_no_number_no_change_and_no_event() -> None:
    """`all` beside the baseline, of results that nobody dated: nothing places it after anything."""
    undated = score_everything("S03", [found("splenomegaly", False, None), *count("2016", "10", "6", "168")], 169)
    scores = SubjectScores("S03", (scored().windows[0], undated))
    row = by_visit([scores], replace(STARTED, events=(IntercurrentEvent("death"),)))["all", "HSCYT"]
    shown = [row[name] for name in ("AVISITN", "ADT", "AVAL", "BASE", "CHG", "ICEFL")]
    assert shown == ["", "", "0", "24", "", ""]


def test_without_a_trial_an_event_flags_nothing() -> None:
    """There is no visit that a change goes to, and no planned day."""
    whole = SubjectScores("S03", (score_everything("S03", [found("splenomegaly", False, None)], 169),))
    background = replace(STARTED, events=(IntercurrentEvent("death", date(2016, 3, 19)),))
    rows = list(adhs_rows([whole], backgrounds={"S03": background}))
    assert {row["ICEFL"] for row in rows} == {""}


def test_the_highest_score_is_one_number() -> None:
    """Of bounds that are the same, whichever way each was added up."""
    worst = SubjectScores("S03", (WindowScore("S03", "baseline", at_its_worst()),))
    rows = by_visit([worst])
    assert [rows["baseline", code]["AVAL"] for code in ("HSCORE", "HSLOW", "HSHIGH", "HSNM")] == [
        "337",
        "337",
        "337",
        "302",
    ]

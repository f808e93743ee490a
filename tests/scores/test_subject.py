"""The scores of a subject at every visit, and the change between baseline and month 1."""

from __future__ import annotations

from fhir_adapter.scores import score_subject
from fhir_adapter.trial import Result, read_moment
from tests.scores.made_up import COURSE, RULES, count, found, measured

AT_BASELINE, AT_MONTH_1 = "2016-03-01T06:30", "2016-03-30T06:30"


def s03_baseline() -> list[Result]:
    """The made-up subject S03 of the seed trial before treatment: marrow not examined."""
    return [
        found("known_immunosuppression", False, "2016-02-24"),
        measured("temperature", "39.6", "2016-02-29T18:00"),
        found("hepatomegaly", True, "2016-02-29"),
        found("splenomegaly", False, "2016-02-29"),
        *count(AT_BASELINE, "9.6", "4.1", "104"),
        *(measured("ferritin", "18400", AT_BASELINE), measured("triglycerides", "1.98", AT_BASELINE)),
        *(measured("fibrinogen", "2.61", AT_BASELINE), measured("ast", "143", AT_BASELINE)),
    ]


def s03_month_1() -> list[Result]:
    """What the hospital's laboratory alone measured on day 30."""
    return [
        *count(AT_MONTH_1, "10.1", "6.2", "168"),
        *(measured("ferritin", "2140", AT_MONTH_1), measured("fibrinogen", "3.0", AT_MONTH_1)),
        measured("ast", "44", AT_MONTH_1),
    ]


def test_what_is_missing_widens_the_score() -> None:
    """S03: 209 to 244 before, 54 to 240 at month 1."""
    scores = score_subject("S03", [*s03_baseline(), *s03_month_1()], RULES, COURSE)
    assert [(one.window, one.score.low, one.score.high) for one in scores.windows] == [
        ("baseline", 209, 244),
        ("month-1", 54, 240),
    ]


def test_the_change_is_told_as_bounds_three_ways() -> None:
    """In full -190 to +31, without marrow -155 to -4, on common items -39; the direction is undetermined."""
    change = score_subject("S03", [*s03_baseline(), *s03_month_1()], RULES, COURSE).change
    assert change is not None
    assert change.full is not None
    assert change.without_marrow is not None
    assert change.common is not None
    assert (change.full.low, change.full.high) == (-190, 31)
    assert (change.without_marrow.low, change.without_marrow.high) == (-155, -4)
    assert (change.common.low, change.common.high) == (-39, -39)
    assert change.common.items == ("known_immunosuppression", "cytopenias", "ferritin", "fibrinogen", "ast")
    assert change.direction == "undetermined"


def test_unknown_immunosuppression_cancels_in_the_change() -> None:
    """Answered or not, it is the same at both visits."""
    results = [one for one in [*s03_baseline(), *s03_month_1()] if one.name != "known_immunosuppression"]
    change = score_subject("S03", results, RULES, COURSE).change
    assert change is not None
    assert change.full is not None
    assert (change.full.low, change.full.high) == (-190, 31)


def test_a_death_before_month_1_has_no_change_value() -> None:
    """Died on day 19: no number, counted as not improved, never dropped."""
    change = score_subject("S05", s03_baseline(), RULES, COURSE, death=read_moment("2016-03-19")).change
    assert change is not None
    assert (change.full, change.direction) == (None, "not improved (died)")


def test_without_a_score_at_one_visit_there_is_no_change_value() -> None:
    """Month 1 is missing: null, never 0."""
    change = score_subject("S03", s03_baseline(), RULES, COURSE).change
    assert change is not None
    assert change.full is None
    assert change.notes == ("no score at month-1: no change value",)


def test_a_visit_of_which_nothing_is_known_has_no_score() -> None:
    """Immunosuppression alone, known of every visit, makes no score of 0 to 337."""
    only = [found("known_immunosuppression", True, "2016-02-24")]
    assert score_subject("S03", only, RULES, COURSE).windows == ()


def test_a_subject_without_a_dose_has_an_issue_and_no_score() -> None:
    """Nothing can be placed without day 1: information, no error."""
    scores = score_subject("S07", s03_baseline(), RULES, None)
    assert (scores.windows, scores.change) == ((), None)
    assert [(issue.code, issue.severity) for issue in scores.issues] == [("no-first-dose", "information")]


def test_the_worst_rule_stands_beside_the_trials_own() -> None:
    """A worse ferritin of the same window shows in the sensitivity, not in the score."""
    results = [*s03_baseline(), *s03_month_1(), measured("ferritin", "9000", "2016-03-27T06:30")]
    month = score_subject("S03", results, RULES, COURSE).at("month-1")
    assert month is not None
    assert month.score.item("ferritin").high == 35
    assert month.sensitivity[0] == ("worst of the window", 69, 255)


def test_a_death_before_month_1_outweighs_what_was_measured_before_it() -> None:
    """Examined on D23, died on D24: no change value, although the organs' window of month 1 holds the examination."""
    results = [*s03_baseline(), found("splenomegaly", False, "2016-03-23")]
    change = score_subject("S03", results, RULES, COURSE, death=read_moment("2016-03-24")).change
    assert change is not None
    assert (change.full, change.direction) == (None, "not improved (died)")


def test_a_death_of_which_only_the_month_is_known_is_not_lost() -> None:
    """`2016-03`, and nothing of month 1: not improved (died)."""
    change = score_subject("S03", s03_baseline(), RULES, COURSE, death=read_moment("2016-03")).change
    assert change is not None
    assert change.direction == "not improved (died)"


def test_a_death_after_month_1_leaves_the_change() -> None:
    """Died in April: the value stands."""
    results = [*s03_baseline(), *s03_month_1()]
    change = score_subject("S03", results, RULES, COURSE, death=read_moment("2016-04-20")).change
    assert change is not None
    assert change.full is not None

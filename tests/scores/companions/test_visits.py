"""Which values the criteria take: those of the HScore, by the trial's rule, and none that interleukin-2 has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fhir_adapter.scores.choose import choose
from fhir_adapter.scores.companions import (
    Criteria,
    SubjectCriteria,
    criteria_of_everything,
    criteria_of_subject,
    explain_criteria,
    hlh_2004,
    not_interpretable_under,
)
from fhir_adapter.scores.companions.hlh_2004 import HLH_2004
from fhir_adapter.trial import Pick, Result
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, RULES, count, found, measured

UNDER = {"soluble_cd25": "rhIL-2", "nk_activity": "rhIL-2"}
PARTS = hlh_2004.parts(refuses=not_interpretable_under(UNDER, COURSE))


def at_visits(results: Iterable[Result]) -> SubjectCriteria:
    """HLH-2004 at every visit."""
    return criteria_of_subject("S01", results, RULES, COURSE, PARTS, hlh_2004.evaluate)


def at_month_1(*results: Result) -> Criteria:
    """HLH-2004 at month 1."""
    return hlh_2004.evaluate(choose(results, MONTH_1, COURSE, PARTS))


def test_neutrophils_come_from_the_blood_count_that_counts() -> None:
    """A differential of another morning, however low, does not belong to it."""
    results = [
        *count("2016-03-29T06:30", "8", "3", "150"),
        measured("neutrophils", "1.4", "2016-03-29T06:30"),
        measured("neutrophils", "0.4", "2016-03-28T06:30"),
    ]
    cytopenias = at_month_1(*results).item("cytopenias")
    assert (cytopenias.verdict, cytopenias.state) == ("not met", "measured")
    assert cytopenias.why == (
        "haemoglobin: yes (< 9.0 g/dL); platelets: no (< 100 10*9/L); neutrophils: no (< 1.0 10*9/L)"
    )


def test_a_blood_count_without_a_differential_leaves_neutrophils_open() -> None:
    """One lineage is low, one is not, and the third belongs to another count."""
    results = [*count("2016-03-29T06:30", "8", "3", "150"), measured("neutrophils", "0.4", "2016-03-28T06:30")]
    cytopenias = at_month_1(*results).item("cytopenias")
    assert (cytopenias.verdict, cytopenias.state) == ("undetermined", "partial")


def test_without_any_blood_count_neutrophils_follow_the_rule_of_the_window() -> None:
    """Nearest to the planned day, as all blood."""
    results = [measured("neutrophils", value, f"2016-03-{value}T06:30") for value in ("28", "30")]
    used = [one.result.value for one in at_month_1(*results).item("cytopenias").evidence if one.used]
    assert used == ["28"]


def test_the_blood_count_and_the_temperature_are_those_of_the_hscore() -> None:
    """The same draw, the same three days: three readings of the same values."""
    results = [
        *count("2016-03-27T06:30", "8", "3", "90"),
        *count("2016-03-30T06:30", "9", "4", "120"),
        measured("platelets", "60", "2016-03-29T06:30"),
        measured("temperature", "38.9", "2016-03-28T18:00"),
        measured("temperature", "39.9", "2016-03-27T18:00"),
    ]
    ours, theirs = choose(results, MONTH_1, COURSE, PARTS), choose(results, MONTH_1, COURSE)
    shared = ("hemoglobin", "platelets", "temperature")
    assert [ours[part].used for part in shared] == [theirs[part].used for part in shared]
    assert ours["platelets"].used[0].value == "120"


def test_values_contradict_each_other_by_the_limits_of_their_own_table() -> None:
    """Platelets 95 and 105 of one time are both low for the HScore, and only one of them is for HLH-2004."""
    results = [measured("platelets", value, "2016-03-29T06:30", specimen=value) for value in ("95", "105")]
    assert choose(results, MONTH_1, COURSE, PARTS)["platelets"].conflicting
    assert not choose(results, MONTH_1, COURSE)["platelets"].conflicting


def test_temperatures_contradict_each_other_by_the_fever_of_the_trial() -> None:
    """Where one reading counts, two of one time lie on either side of 38.5, and on the same side of 39.5."""
    window = replace(MONTH_1, temperature=Pick("nearest", 26, 33), temperature_days=None)
    results = [measured("temperature", value, "2016-03-29T06:30", specimen=value) for value in ("38.4", "38.6")]
    conflicting = [
        choose(results, window, COURSE, hlh_2004.parts(fever))["temperature"].conflicting for fever in ("38.5", "39.5")
    ]
    assert conflicting == [True, False]


@pytest.mark.parametrize("site", ["marrow", "spleen", "node"])
def test_hemophagocytosis_is_looked_for_in_three_places(site: str) -> None:
    """Each is chosen by the rule of the marrow, and what was found in one of them is enough."""
    result = found(f"{site}_hemophagocytosis", True, "2016-03-29T06:30")
    assert at_month_1(result).item("hemophagocytosis").verdict == "met"


def test_soluble_cd25_counts_before_injection_1_and_never_after() -> None:
    """Interleukin-2 changes its own receptor and the cells: nobody can say what the result means."""
    results = [
        *(found(name, True, "2016-03-01T06:30") for name in UNDER),
        *(found(name, True, "2016-03-29T06:30") for name in UNDER),
        *(measured("ferritin", "900", f"2016-03-{day}T06:30") for day in ("01", "29")),
    ]
    told = at_visits(results)
    before, after = (told.at(name) for name in ("baseline", "month-1"))
    assert before is not None
    assert after is not None
    assert [before.criteria.item(name).verdict for name in UNDER] == ["met", "met"]
    assert [after.criteria.item(name).verdict for name in UNDER] == ["undetermined", "undetermined"]
    assert [after.criteria.item(name).state for name in UNDER] == ["not_interpretable", "not_interpretable"]
    assert after.criteria.item("soluble_cd25").why == "raised soluble CD25: not interpretable under rhIL-2"


def test_a_negative_result_after_injection_1_is_not_scored_either() -> None:
    """Not fulfilled would be as wrong as fulfilled."""
    whole = at_month_1(found("soluble_cd25", False, "2016-03-29T06:30"))
    assert (whole.item("soluble_cd25").verdict, whole.high) == ("undetermined", 8)


def test_without_visits_what_came_after_injection_1_is_refused_too() -> None:
    """Every value counts, and this one never does."""
    results = [found("soluble_cd25", True, "2016-03-29T06:30"), measured("ferritin", "900", "2016-03-29T06:30")]
    (window,) = criteria_of_everything("S01", results, PARTS, hlh_2004.evaluate).windows
    assert window.window == "all"
    assert window.criteria.item("soluble_cd25").state == "not_interpretable"
    assert window.criteria.item("ferritin").verdict == "met"


def test_of_a_treatment_that_changes_nothing_the_result_counts() -> None:
    """The trial's map names no item: the finding stands."""
    whole = hlh_2004.evaluate(
        choose([found("soluble_cd25", True, "2016-03-29T06:30")], MONTH_1, COURSE, hlh_2004.parts())
    )
    assert whole.item("soluble_cd25").verdict == "met"


def test_a_result_on_day_1_after_the_dose_cannot_be_interpreted() -> None:
    """The dose was at nine: at ten the treatment has begun."""
    refuses = not_interpretable_under(UNDER, COURSE)
    assert refuses(found("soluble_cd25", True, "2016-03-01T08:00")) == ""
    assert refuses(found("soluble_cd25", True, "2016-03-01T10:00")) == "not interpretable under rhIL-2"
    assert refuses(found("soluble_cd25", True, None)) == "not interpretable under rhIL-2"


def test_a_visit_of_which_nothing_is_known_has_no_criteria() -> None:
    """A molecular diagnosis alone, known of every visit, makes none."""
    told = at_visits(
        [found("molecular_diagnosis", True, "2016-02-20"), measured("ferritin", "900", "2016-03-01T06:30")]
    )
    assert [one.window for one in told.windows] == ["baseline"]
    assert told.windows[0].criteria.status == "met"


def test_without_a_first_dose_no_visit_can_be_placed() -> None:
    """A screen failure has no criteria, and an issue says why."""
    told = criteria_of_subject("S07", [], RULES, None, PARTS, hlh_2004.evaluate)
    assert told.windows == ()
    assert [issue.code for issue in told.issues] == ["no-first-dose"]


def test_both_organs_at_once_are_the_spleen_too() -> None:
    """A combined finding that is present speaks of each of them."""
    whole = hlh_2004.evaluate(choose([found("hepatosplenomegaly", True, "2016-03-01T08:00")], BASELINE, COURSE, PARTS))
    assert whole.item("splenomegaly").verdict == "met"


def test_the_note_shows_count_evidence_and_what_it_is_not() -> None:
    """A range where something is not known, and no word about what the subject has."""
    results = [
        measured("ferritin", "900", "2016-03-29T06:30", unit="ng/mL"),
        measured("ferritin", "90000", "2016-03-20T06:30", unit="ng/mL"),
        found("splenomegaly", False, "2016-03-29T08:00"),
    ]
    window = at_visits(results).at("month-1")
    assert window is not None
    note = explain_criteria(window, HLH_2004)
    assert note[0] == "S01: HLH-2004, 1-7 of 8 fulfilled, month-1; undetermined at 5."
    assert "splenomegaly: not fulfilled" in note
    assert any("passed over: ferritin | 90000 ng/mL" in line for line in note)
    assert note[-1].endswith("not to measure activity or response.")
    assert not {"confirmed", "excluded"} & set(" ".join(note).split())

"""Which way a score went, and how that and the score itself are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_adapter.scores import Bounds, Measurement, hscore, score_subject
from fhir_adapter.scores.change import direction_of
from fhir_adapter.scores.choose import choose
from fhir_adapter.scores.explain import change_words, explain, signed
from fhir_adapter.trial import Pick, read_moment
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, RULES, WEEK_2, count, measured


@pytest.mark.parametrize(
    ("low", "high", "direction"),
    [(-5, -1, "improved"), (1, 5, "worsened"), (0, 0, "unchanged"), (-5, 0, "undetermined"), (-1, 1, "undetermined")],
)
def test_the_direction_is_told_only_when_it_is_certain(low: int, high: int, direction: str) -> None:
    """Bounds that touch 0 decide nothing."""
    assert direction_of(Bounds(low, high)) == direction


def test_no_change_has_no_sign() -> None:
    """0 is neither plus nor minus."""
    assert (signed(0, 0), signed(-3, 0), signed(-1, 1)) == ("0", "-3 to 0", "-1 to +1")


def test_a_death_is_told_without_a_number() -> None:
    """The change of somebody who died: words, no value."""
    results = count("2016-03-01T06:30", "8", "2", "60")
    scores = score_subject("S05", results, RULES, COURSE, death=read_moment("2016-03-19"))
    assert scores.change is not None
    assert change_words(scores.change) == "not improved (died); no change value"


def test_the_note_says_whether_the_data_are_complete() -> None:
    """Data as of a mark, complete or not; without a pull that is said."""
    scores = score_subject("S05", count("2016-03-01T06:30", "8", "2", "60"), RULES, COURSE, as_of="2016-04-02")
    window = scores.windows[0]
    assert "Data as of 2016-04-02, incomplete." in explain(window, complete=False)
    assert "Nothing was pulled for this subject: typed values only." in explain(replace(window, as_of=None))


def test_a_measurement_without_a_value_was_not_done() -> None:
    """None is no number: the item stays open, and says why."""
    item = hscore([Measurement("ast", None, None)]).item("ast")
    assert (item.low, item.high, item.state) == (0, 19, "not_done")


def test_a_temperature_may_follow_any_rule() -> None:
    """A trial that takes the last reading instead of the highest."""
    last = replace(WEEK_2, temperature=Pick("last", 12, 18), temperature_days=None)
    results = [measured("temperature", "39.0", "2016-03-14T06:00"), measured("temperature", "37.0", "2016-03-15T06:00")]
    assert [one.value for one in choose(results, last, COURSE)["temperature"].used] == ["37.0"]


def test_a_result_without_a_date_is_listed_and_not_used() -> None:
    """Nobody knows which visit it belongs to."""
    undated = replace(measured("ferritin", "900", "2016-03-29"), effective=None)
    choice = choose([undated], MONTH_1, COURSE)["ferritin"]
    assert [(one.used, one.why) for one in choice.evidence] == [(False, "no date of collection")]


def test_a_result_before_the_window_is_passed_over_with_its_day() -> None:
    """A partial date that cannot lie in the window is told apart from one that may."""
    choice = choose([measured("ferritin", "900", "2015")], BASELINE, COURSE)["ferritin"]
    assert [one.why for one in choice.evidence] == ["a partial date outside the window"]

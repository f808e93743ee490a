"""What a score says when nobody asks for anything special: the published cut-offs, as numbers."""

from __future__ import annotations

from fhir_adapter.scores import CUTOFF_PRESETS, HScore, ItemScore, hscore


def test_the_published_cut_offs_are_those_of_the_papers() -> None:
    """Fardet 2014, Zhang 2020, Batu 2017."""
    assert {name: points for name, (points, _) in CUTOFF_PRESETS.items()} == {
        "fardet-2014": 169,
        "aosd": 120,
        "rheumatic": 191,
    }


def test_the_cut_off_is_169_when_none_is_given() -> None:
    """Of the function and of a score that is made by hand."""
    assert (hscore([]).cutoff, HScore(()).cutoff) == (169, 169)


def test_a_score_that_is_a_range_is_not_complete() -> None:
    """True and False are what it says, no more and no less."""
    open_, known = ItemScore("ast", 0, 19, "unknown"), ItemScore("ast", 19, 19, "measured")
    assert [HScore((one,)).complete for one in (open_, known)] == [False, True]


def test_the_undecided_items_are_those_that_are_not_one_number() -> None:
    """Whatever is known is not among them."""
    open_, known = ItemScore("ast", 0, 19, "unknown"), ItemScore("ferritin", 50, 50, "measured")
    assert HScore((open_, known)).undecided == ["ast"]

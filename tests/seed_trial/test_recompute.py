"""The seed trial's files give the intended scores, and the program finds the same ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.seed_trial.recompute import Change, Recomputation, as_json, recompute
from tests.stories.commands import Person

SEVEN_ITEMS = (
    "known_immunosuppression",
    "temperature",
    "organomegaly",
    "cytopenias",
    "ferritin",
    "triglycerides",
    "fibrinogen",
)
EIGHT_ITEMS = (*SEVEN_ITEMS, "ast")
NINE_ITEMS = (*EIGHT_ITEMS, "marrow_hemophagocytosis")
FIVE_ITEMS = ("known_immunosuppression", "cytopenias", "ferritin", "fibrinogen", "ast")


@pytest.fixture(scope="module")
def recomputed() -> Recomputation:
    """What the files give without the program."""
    return recompute()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the program says about the same files."""
    folder = tmp_path_factory.mktemp("demo")
    run = Person.at(folder / "home").runs("demo", "--trial", "nct02569463", "--format", "json", TMPDIR=str(folder))
    assert run.exit_code == 0, run.err
    return run.report


@pytest.mark.parametrize(
    ("subject", "window", "total"),
    [
        ("S01", "baseline", (302, 302)),
        ("S01", "week-2", (169, 204)),
        ("S01", "month-1", (62, 97)),
        ("S02", "baseline", (213, 213)),
        ("S02", "month-1", (105, 140)),
        ("S03", "baseline", (209, 244)),
        ("S03", "month-1", (54, 240)),
        ("S04", "baseline", (321, 321)),
        ("S04", "month-1", (203, 203)),
        ("S05", "baseline", (286, 286)),
        ("S05", "week-2", (302, 337)),
        ("S06", "baseline", (113, 132)),
        ("S06", "month-1", (0, 35)),
    ],
)
def test_the_files_give_the_intended_score(
    recomputed: Recomputation, subject: str, window: str, total: tuple[int, int]
) -> None:
    """The figures that the six courses were written for."""
    assert [each.total for each in recomputed.scores if (each.subject, each.window) == (subject, window)] == [total]


def test_the_files_give_the_intended_changes(recomputed: Recomputation) -> None:
    """Full, without marrow, and on the items known at both visits; a death has no value and is not dropped."""
    assert recomputed.changes == [
        Change("S01", "improved", (-240, -205), (-205, -205), (-205, -205), EIGHT_ITEMS),
        Change("S02", "improved", (-108, -73), (-108, -108), (-108, -108), EIGHT_ITEMS),
        Change("S03", "undetermined", (-190, 31), (-155, -4), (-39, -39), FIVE_ITEMS),
        Change("S04", "improved", (-118, -118), (-83, -83), (-118, -118), NINE_ITEMS),
        Change("S05", "not improved (died)"),
        Change("S06", "improved", (-132, -78), (-132, -113), (-113, -113), SEVEN_ITEMS),
    ]


def test_the_files_give_six_scores_a_subject_until_death(recomputed: Recomputation) -> None:
    """S05 died on day 19 and has none from week 3 on; the screen failure S07 has none at all."""
    assert [each.subject for each in recomputed.scores] == (
        ["S01"] * 6 + ["S02"] * 6 + ["S03"] * 6 + ["S04"] * 6 + ["S05"] * 4 + ["S06"] * 6
    )
    assert [each.window for each in recomputed.scores if each.subject == "S05"] == [
        "screening",
        "baseline",
        "week-1",
        "week-2",
    ]


def test_the_files_give_73_doses_and_one_held(recomputed: Recomputation) -> None:
    """S03 missed day 13 for a suspected infection."""
    assert (recomputed.doses_given, recomputed.doses_not_done) == (73, 1)


def test_the_program_finds_the_same_scores(demo: Any, recomputed: Recomputation) -> None:
    """Every score of either side is on the other, item by item."""
    assert by_time(demo["scores"]) == by_time(as_json(recomputed)["scores"])


def test_the_program_finds_the_same_changes(demo: Any, recomputed: Recomputation) -> None:
    """Every change of either side is on the other: values, common items, direction."""
    assert by_subject(demo["changes"]) == by_subject(as_json(recomputed)["changes"])


def by_time(scores: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """Bounds of each score and of its items; two scores of one time would be a mistake."""
    found = {
        (score["subject"], score["window"]): {
            "total": (score["low"], score["high"]),
            "items": {item["item"]: (item["low"], item["high"]) for item in score["items"]},
        }
        for score in scores
    }
    assert len(found) == len(scores)
    return found


def by_subject(changes: list[dict[str, Any]]) -> dict[str, Any]:
    """What both sides say of each change."""
    compared = ("low", "high", "direction", "without_marrow", "common_items")
    found = {change["subject"]: {key: change[key] for key in compared} for change in changes}
    assert len(found) == len(changes)
    return found

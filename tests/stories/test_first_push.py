"""What the very first push does when it may not write, or when the export holds what nobody can use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.stories.commands import plan_of
from tests.stories.export import Export
from tests.stories.telling import Pushed, Told, pushed_at_first

RESULT = {"USUBJID": "CDISC014", "LBTESTCD": "CHOL", "VISITNUM": 1}
VISIT = {"USUBJID": "CDISC014", "VISITNUM": 3}
SUBJECT = {"USUBJID": "CDISC014"}


@pytest.fixture(scope="module")
def bad_row(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One result has a unit that the trial folder does not know."""
    return pushed_at_first(tmp_path_factory.mktemp("row") / "story", _unknown_unit)


@pytest.fixture(scope="module")
def bad_subject(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The row of one subject in DM has a day of birth that the calendar does not have."""
    return pushed_at_first(tmp_path_factory.mktemp("subject") / "story", _impossible_birth)


@pytest.fixture(scope="module")
def bad_visit(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The row of one visit in SV has a day that the calendar does not have."""
    return pushed_at_first(tmp_path_factory.mktemp("visit") / "story", _impossible_visit)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a story may put its copy."""
    return tmp_path / "story"


def _nothing(export: Export) -> None:
    assert export.rows("lb", **RESULT)


def _unknown_unit(export: Export) -> None:
    export.change("lb", export.row("lb", **RESULT), LBORRESU="furlong")


def _impossible_birth(export: Export) -> None:
    export.change("dm", export.row("dm", **SUBJECT), BRTHDTC="1928-02-30")


def _impossible_visit(export: Export) -> None:
    export.change("sv", export.row("sv", **VISIT), SVSTDTC="2013-02-30")


def _two_of_one_key(export: Export) -> None:
    place = export.row("lb", **RESULT)
    export.insert("lb", place + 1, like=place, LBORRES="199")


def _kinds(references: set[str]) -> Counter[str]:
    return Counter(reference.partition("/")[0] for reference in references)


def test_a_dry_run_writes_nothing(folder: Path, pushed: Pushed) -> None:
    """A dry run shows what would be created and leaves the server empty."""
    story = pushed_at_first(folder, _nothing, "--dry-run")
    assert (story.run.exit_code, story.run.report["dry_run"]) == (0, True)
    assert story.run.report["plan"] == pushed.run.report["plan"]
    assert story.run.report["applied"] == plan_of()
    assert story.after.resources == {}


def test_a_strict_push_writes_nothing_while_a_row_is_bad(folder: Path) -> None:
    """With --strict one bad row stops everything: exit 4, the row is listed, the server stays empty."""
    story = pushed_at_first(folder, _unknown_unit, "--strict")
    assert story.run.exit_code == 4
    assert story.run.report["applied"] == plan_of()
    assert story.rows_set_aside == [("lb.json", story.export.row("lb", **RESULT) + 1)]
    assert story.after.resources == {}


def test_a_strict_push_of_a_good_export_is_a_push(folder: Path, pushed: Pushed) -> None:
    """With --strict and nothing to complain about everything is written."""
    story = pushed_at_first(folder, _nothing, "--strict")
    assert (story.run.exit_code, story.run.report["complete"]) == (0, True)
    assert story.after.records == pushed.picture.records


def test_a_bad_row_is_set_aside_with_file_and_row(bad_row: Told) -> None:
    """One unknown unit: exit 3, and the issue says which row of which file, and what is wrong with it."""
    (issue,) = bad_row.run.set_aside
    assert (bad_row.run.exit_code, bad_row.run.report["complete"]) == (3, False)
    assert bad_row.rows_set_aside == [("lb.json", bad_row.export.row("lb", **RESULT) + 1)]
    assert (issue["severity"], "furlong" in issue["message"]) == ("error", True)


def test_a_bad_row_leaves_the_others_alone(bad_row: Told, pushed: Pushed) -> None:
    """Everything but the bad row's result is written."""
    missing = pushed.picture.records - bad_row.after.records
    assert _kinds(missing) == {"Observation": 1}
    assert bad_row.after.records < pushed.picture.records


def test_a_bad_row_that_was_sent_before_is_blocked(pushed: Pushed, folder: Path) -> None:
    """A row that became unreadable is blocked, not withdrawn; what was sent of it stays as it was."""
    story = pushed.then(folder, _unknown_unit)
    assert story.run.exit_code == 3
    assert story.run.report["plan"] == plan_of(blocked=1, unchanged=story.unchanged - 1)
    assert story.after.resources == story.before.resources


def test_a_repaired_row_is_sent_then(pushed: Pushed, folder: Path) -> None:
    """After the repair of a row that was set aside the push is complete, and nothing else is sent."""
    with pushed.again(folder) as (pushing, export):
        place = export.row("lb", **RESULT)
        export.insert("lb", place, like=place, LBDTC="2013-03-03T10:11", LBORRESU="furlong")
        first = pushing.push()
        export.change("lb", place, LBORRESU=export.cell("lb", place + 1, "LBORRESU"))
        second = pushing.push()
    assert (first.exit_code, second.exit_code) == (3, 0)
    assert second.report["plan"] == plan_of(create=1, unchanged=len(pushed.picture.records))


def test_a_bad_subject_row_sets_all_of_the_subject_aside(bad_subject: Told, pushed: Pushed) -> None:
    """Without its row in DM nothing of a subject is written; the other subjects are complete."""
    missing = pushed.picture.records - bad_subject.after.records
    of_subject = pushed.picture.of_subject("CDISC014")
    assert bad_subject.run.exit_code == 3
    assert of_subject <= missing
    assert {*_kinds(missing - of_subject)} <= {"Medication"}
    assert bad_subject.after.records < pushed.picture.records


@pytest.mark.parametrize("cells", [{"SEX": "X"}, {"SITEID": "999"}], ids=["sex", "site"])
def test_whatever_is_bad_in_the_subject_row(pushed: Pushed, folder: Path, cells: dict[str, str]) -> None:
    """An unknown word or an unknown site in DM is as bad as an impossible date."""
    story = pushed_at_first(folder, lambda export: export.change("dm", export.row("dm", **SUBJECT), **cells))
    assert story.run.exit_code == 3
    assert story.after.of_subject("CDISC014") == set()
    assert story.after.of_subject("CDISC013") == pushed.picture.of_subject("CDISC013")


def test_all_that_refers_to_a_bad_subject_row_is_listed(bad_subject: Told) -> None:
    """The row of DM is named first, and then every row that is set aside because of it."""
    export = bad_subject.export
    visits = {("sv.json", place + 1) for place in export.rows("sv", **SUBJECT)}
    doses = {("ec.json", place + 1) for place in export.rows("ec", **SUBJECT)}
    results = {("lb.json", place + 1) for place in export.rows("lb", **SUBJECT)}
    assert bad_subject.rows_set_aside[0] == ("dm.json", export.row("dm", **SUBJECT) + 1)
    assert visits | doses | results < {*bad_subject.rows_set_aside}


def test_a_bad_subject_row_later_withdraws_nothing(pushed: Pushed, folder: Path) -> None:
    """What was sent of a subject stays when its row becomes unreadable, and nothing counts as withdrawn."""
    story = pushed.then(folder, _impossible_birth)
    assert story.run.exit_code == 3
    assert story.run.report["plan"]["withdrawn"] == 0
    assert story.run.report["plan"]["blocked"] >= len(pushed.picture.of_subject("CDISC014"))
    assert story.after.resources == story.before.resources


def test_an_unreadable_visit_blocks_what_refers_to_it(bad_visit: Told, pushed: Pushed) -> None:
    """Without its row in SV a visit is not written, nor is any result taken there; the rest is."""
    visit = pushed.picture.holder("Encounter", "CDISC014/3")
    missing = pushed.picture.records - bad_visit.after.records
    assert bad_visit.run.exit_code == 3
    assert missing == {visit} | pushed.picture.at_visit(visit)
    assert bad_visit.run.report["plan"]["blocked"] == len(pushed.picture.at_visit(visit)) > 0


def test_an_unreadable_visit_is_listed_with_what_it_blocks(bad_visit: Told) -> None:
    """The row of SV is named first, then a row of each blocked result."""
    first, *others = bad_visit.rows_set_aside
    assert first == ("sv.json", bad_visit.export.row("sv", **VISIT) + 1)
    assert len(others) == bad_visit.run.report["plan"]["blocked"]
    assert {file for file, _ in others} <= {"lb.json", "vs.json"}


def test_nothing_refers_to_a_visit_that_is_not_there(bad_visit: Told) -> None:
    """The Encounters that results name all exist."""
    named = {each["encounter"]["reference"] for each in bad_visit.after.resources.values() if "encounter" in each}
    assert named
    assert named <= bad_visit.after.records


def test_two_rows_of_one_key_are_both_set_aside(folder: Path, pushed: Pushed) -> None:
    """Nobody can say which of the two is right: both are listed, neither is written."""
    story = pushed_at_first(folder, _two_of_one_key)
    place = story.export.rows("lb", **RESULT)
    assert story.run.exit_code == 3
    assert story.rows_set_aside == [("lb.json", row + 1) for row in place]
    assert _kinds(pushed.picture.records - story.after.records) == {"Observation": 1}

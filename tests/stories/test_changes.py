"""A push sends what changed in the export since the last one, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.stories.commands import plan_of
from tests.stories.export import Export
from tests.stories.telling import Pushed, Told

# An ordinary result of the subject with adverse events and findings, at the first visit.
RESULT = {"USUBJID": "CDISC014", "LBTESTCD": "CHOL", "VISITNUM": 1}

OF_SUBJECTS = ("ae", "dm", "ds", "ec", "ex", "fa", "lb", "sv", "vs")
OF_THE_STUDY = ("ta", "ti", "ts")


@pytest.fixture(scope="module")
def cell(pushed: Pushed, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One LBORRES is 199 now."""
    return pushed.then(
        tmp_path_factory.mktemp("cell") / "story",
        lambda export: export.change("lb", export.row("lb", **RESULT), LBORRES="199"),
    )


@pytest.fixture(scope="module")
def row(pushed: Pushed, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One row was inserted in the middle of the laboratory results."""
    return pushed.then(tmp_path_factory.mktemp("row") / "story", _one_more_result)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a story may put its copy."""
    return tmp_path / "story"


def _one_more_result(export: Export) -> None:
    place = export.row("lb", **RESULT)
    export.insert("lb", place, like=place, LBDTC="2013-03-03T10:11", LBORRES="201")


def _other_sequence_numbers(export: Export) -> None:
    export.change("lb", export.row("lb", **RESULT), LBSEQ=4711)
    export.change("ae", 0, AESEQ=4712)
    export.change("vs", 0, VSSEQ=4713)
    export.change("ec", 0, ECSEQ=4714)


def test_one_changed_cell_is_one_update(cell: Told) -> None:
    """After a change of one result the plan is one update, and it is applied."""
    assert cell.run.exit_code == 0
    assert cell.run.report["plan"] == plan_of(update=1, unchanged=cell.unchanged - 1)
    assert cell.run.report["applied"] == cell.run.report["plan"]


def test_one_changed_cell_changes_one_resource(cell: Told) -> None:
    """The changed result has a second version with the new value; everything else stands as it stood."""
    (changed,) = cell.written_again
    assert cell.after.versions[changed] == "2"
    assert cell.after.resources[changed]["valueQuantity"]["value"] == 199
    assert cell.after.without(changed) == cell.before.without(changed)


def test_one_changed_cell_is_one_more_provenance(cell: Told) -> None:
    """The update comes with one Provenance of its own; those before it stay as they were."""
    (new,) = cell.new_provenances
    kept = {reference: cell.after.resources[reference] for reference in cell.before.provenances}
    assert cell.after.targets(new) == cell.written_again
    assert kept == {reference: cell.before.resources[reference] for reference in cell.before.provenances}


def test_the_plan_file_names_the_one_update(cell: Told) -> None:
    """The plan written beside the push names the resource that was updated."""
    updated = {reference for reference, action in cell.actions.items() if action == "update"}
    assert updated == cell.written_again


def test_an_inserted_row_is_one_create(row: Told) -> None:
    """A row in the middle of a file is one create and no update."""
    assert row.run.exit_code == 0
    assert row.run.report["plan"] == plan_of(create=1, unchanged=row.unchanged)
    assert row.run.report["applied"] == row.run.report["plan"]


def test_an_inserted_row_adds_one_resource(row: Told) -> None:
    """On the server there is one result more, and nothing has a second version."""
    (new,) = row.after.records - row.before.records
    assert row.after.resources[new]["effectiveDateTime"].startswith("2013-03-03T10:11:00")
    assert row.after.without(new) == row.before.without()
    assert row.written_again == set()
    assert len(row.new_provenances) == 1


def test_renumbered_sequences_are_nothing(pushed: Pushed, folder: Path) -> None:
    """Sequence numbers change at every export; nothing depends on them."""
    story = pushed.then(folder, _other_sequence_numbers)
    assert story.run.report["plan"] == plan_of(unchanged=story.unchanged)
    assert (story.run.exit_code, story.run.report["requests"]) == (0, 0)


@pytest.mark.parametrize("names", [OF_SUBJECTS, OF_THE_STUDY], ids=["subjects", "study"])
def test_another_order_of_rows_is_nothing(pushed: Pushed, folder: Path, names: tuple[str, ...]) -> None:
    """Files with their rows in another order send not one request."""
    story = pushed.then(folder, lambda export: export.reverse(*names))
    assert story.run.report["plan"] == plan_of(unchanged=story.unchanged)
    assert (story.run.exit_code, story.run.report["requests"]) == (0, 0)


def test_a_removed_row_is_counted_as_withdrawn(pushed: Pushed, folder: Path) -> None:
    """What the export no longer has is counted and left alone."""
    story = pushed.then(folder, lambda export: export.remove("lb", export.row("lb", **RESULT)))
    assert story.run.exit_code == 0
    assert story.run.report["plan"] == plan_of(withdrawn=1, unchanged=story.unchanged - 1)
    assert story.run.report["requests"] == 0
    assert story.after.resources == story.before.resources


def test_a_removed_row_that_comes_back_is_nothing(pushed: Pushed, folder: Path) -> None:
    """A row missing from one export only leaves no trace once it is back."""
    with pushed.again(folder) as (pushing, export):
        kept = (export.folder / "lb.json").read_bytes()
        export.remove("lb", export.row("lb", **RESULT))
        pushing.push()
        (export.folder / "lb.json").write_bytes(kept)
        back = pushing.push()
    assert back.report["plan"] == plan_of(unchanged=len(pushed.picture.records))
    assert back.report["requests"] == 0


def test_a_dry_run_is_what_the_push_then_does(pushed: Pushed, folder: Path) -> None:
    """The plan of a dry run and that of the push after it are the same, resource by resource, and applied."""
    with pushed.again(folder) as (pushing, export):
        _one_more_result(export)
        export.change("ae", 0, AESEV="MODERATE")
        dry = pushing.push("--dry-run", "--plan", folder / "dry.json")
        real = pushing.push("--plan", folder / "real.json")
    assert dry.report["plan"] == plan_of(create=1, update=1, unchanged=len(pushed.picture.records) - 1)
    assert dry.report["plan"] == real.report["plan"] == real.report["applied"]
    assert (folder / "dry.json").read_bytes() == (folder / "real.json").read_bytes()


def test_the_plan_file_counts_what_it_lists(pushed: Pushed) -> None:
    """The counts of the plan file are those of its items and of the report."""
    counts = json.loads((pushed.folder / "plan.json").read_bytes())["counts"]
    assert counts == pushed.run.report["plan"]
    assert counts == plan_of() | Counter(pushed.plan.values())


def test_a_push_writes_exactly_what_the_plan_names(pushed: Pushed) -> None:
    """The resources that the plan would create are those on the server after the push."""
    assert {*pushed.plan.values()} == {"create"}
    assert pushed.plan.keys() == pushed.picture.records

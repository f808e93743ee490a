"""What belongs together becomes one: panels whole or not at all, subjects with their ends, visits in their windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_adapter.sources import Reading
from fhir_adapter.trial import Measurement, Subject
from tests.made_up import MADE_UP, add, change, copy_trial, read, set_aside, warnings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the made-up trial."""
    return copy_trial(tmp_path)


def panels(reading: Reading) -> list[Measurement]:
    """The blood pressures that were read."""
    return [one for one in reading.entities if isinstance(one, Measurement) and one.test == "BP"]


def test_a_blood_pressure_is_one_measurement_of_two_parts() -> None:
    """Both rows of one date, visit and position; the key names the panel instead of the test."""
    (pressure,) = panels(read(MADE_UP))
    assert [(part.test, part.value) for part in pressure.panel] == [("SYSBP", "120"), ("DIABP", "80")]
    assert pressure.key == ("001", "BP", "1", "2024-01-10", "SUPINE")
    assert (pressure.name, pressure.position, pressure.value) == ("Blood pressure", "SUPINE", None)


def test_the_order_of_rows_does_not_matter(folder: Path) -> None:
    """The parts stand in the order of the panel."""
    row = "001,SYSBP,120,mmHg,,SUPINE,1,2024-01-10\n"
    change(folder, "data/vs.csv", row, "")
    add(folder, "data/vs.csv", row.strip())
    (pressure,) = panels(read(folder))
    assert [part.test for part in pressure.panel] == ["SYSBP", "DIABP"]


def test_parts_pair_by_position_and_visit(folder: Path) -> None:
    """A pressure taken standing is another one."""
    add(folder, "data/vs.csv", "001,SYSBP,118,mmHg,,STANDING,1,2024-01-10", "001,DIABP,78,mmHg,,STANDING,1,2024-01-10")
    found = [(one.position, [part.value for part in one.panel]) for one in panels(read(folder))]
    assert found == [("SUPINE", ["120", "80"]), ("STANDING", ["118", "78"])]


def test_a_part_that_was_never_recorded_leaves_the_other(folder: Path) -> None:
    """A single systolic value is what the site recorded."""
    change(folder, "data/vs.csv", "001,DIABP,80,mmHg,,SUPINE,1,2024-01-10\n", "")
    reading = read(folder)
    assert [[part.test for part in one.panel] for one in panels(reading)] == [["SYSBP"]]
    assert set_aside(reading) == []


def test_a_panel_is_not_done_when_no_part_is(folder: Path) -> None:
    """One part alone may be not done; only both make the panel so."""
    change(folder, "data/vs.csv", "DIABP,80,mmHg,,SUPINE", "DIABP,,,NOT DONE,SUPINE")
    assert [one.not_done for one in panels(read(folder))] == [False]
    change(folder, "data/vs.csv", "SYSBP,120,mmHg,,SUPINE", "SYSBP,,,NOT DONE,SUPINE")
    assert [one.not_done for one in panels(read(folder))] == [True]


def test_a_panel_with_a_part_set_aside_is_set_aside_whole(folder: Path) -> None:
    """Half a blood pressure would overwrite a whole one."""
    change(folder, "data/vs.csv", "DIABP,80,mmHg,,SUPINE", "DIABP,,mmHg,,SUPINE")
    reading = read(folder)
    assert set_aside(reading) == [("missing-value", "vs.csv", 3), ("panel-incomplete", "vs.csv", 2)]
    assert reading.set_aside[1].issue.message == "part of Blood pressure, of which another row was set aside"
    assert panels(reading) == []


def test_a_panel_with_a_part_twice_is_set_aside_whole(folder: Path) -> None:
    """Two diastolic values of one moment."""
    add(folder, "data/vs.csv", "001,DIABP,90,mmHg,,SUPINE,1,2024-01-10")
    reading = read(folder)
    assert [code for code, _, _ in set_aside(reading)] == ["duplicate-key", "duplicate-key", "panel-incomplete"]
    assert panels(reading) == []


def test_a_row_of_which_nothing_is_known_may_be_the_missing_part(folder: Path) -> None:
    """A torn row could be the diastolic value, so the systolic one waits."""
    change(folder, "data/vs.csv", "001,DIABP,80,mmHg,,SUPINE,1,2024-01-10", "001,DIABP,80")
    reading = read(folder)
    assert [(code, line) for code, _, line in set_aside(reading)][1] == ("panel-incomplete", 2)
    assert panels(reading) == []


def test_a_torn_row_does_not_touch_a_whole_panel(folder: Path) -> None:
    """Nothing is missing from it."""
    add(folder, "data/vs.csv", "001,TEMP")
    assert len(panels(read(folder))) == 1


def test_a_subject_has_its_dispositions_in_order() -> None:
    """Milestones and ends, each with its date."""
    subjects = [one for one in read(MADE_UP).entities if isinstance(one, Subject)]
    found = [(one.subject, [end.decoded for end in one.dispositions]) for one in subjects]
    assert found == [("001", ["INFORMED CONSENT OBTAINED"]), ("002", ["SCREEN FAILURE"])]


def test_a_site_is_where_the_trial_folder_says() -> None:
    """Not where its subjects' rows say: one bad row would move it."""
    sites = [(site.name, site.title, site.country) for site in read(MADE_UP).study.sites]
    assert sites == [("01", "Harbour Hospital", "CHN"), ("02", "Hill Clinic", "USA")]


def test_a_row_that_puts_its_site_elsewhere_is_a_warning(folder: Path) -> None:
    """The subject is sent all the same; a person mends one of the two."""
    change(folder, "trial.yaml", "country: CHN", "country: USA")
    assert {code for code, _, _ in warnings(read(folder))} == {"site-country-differs"}


def test_a_site_without_subjects_has_no_country(folder: Path) -> None:
    """It belongs to the study all the same."""
    change(folder, "trial.yaml", "sites:\n", 'sites:\n  "03": {name: Lake House}\n')
    assert next((site.name, site.country) for site in read(folder).study.sites) == ("03", None)


@pytest.mark.parametrize("day", ["2024-01-21", "2024-01-23", "2024-01-25"])
def test_a_visit_in_its_window_is_no_matter(folder: Path, day: str) -> None:
    """Study days 12 to 16, both included."""
    change(folder, "data/sv.csv", "2024-01-23", day)
    assert warnings(read(folder)) == []


@pytest.mark.parametrize(("day", "number"), [("2024-01-20", 11), ("2024-01-26", 17)])
def test_a_visit_outside_its_window_is_warned_of(folder: Path, day: str, number: int) -> None:
    """It took place and is sent; the warning says by how much it was early or late."""
    change(folder, "data/sv.csv", "2024-01-23", day)
    reading = read(folder)
    assert warnings(reading) == [("visit-outside-window", "sv.csv", 3)]
    assert reading.warnings[0].message == f"visit WEEK 2: study day {number}, planned day 14 -2/+2"
    assert set_aside(reading) == []


@pytest.mark.parametrize("day", ["", "2024-03"])
def test_a_visit_without_a_day_is_not_judged(folder: Path, day: str) -> None:
    """Nobody knows whether it was in time."""
    change(folder, "data/sv.csv", "2024-01-23", day)
    assert warnings(read(folder)) == []


def test_a_visit_of_a_subject_without_reference_start_is_not_judged(folder: Path) -> None:
    """Study days need their day 1."""
    change(folder, "data/dm.csv", "2024-01-01,2024-01-10", "2024-01-01,")
    change(folder, "data/sv.csv", "2024-01-23", "2024-03-23")
    assert warnings(read(folder)) == []

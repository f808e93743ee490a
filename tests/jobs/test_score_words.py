"""Scores for people and for statisticians, from a trial's folder: notes in study days, the table with its sources."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from fhir_adapter.jobs.adhs import export_scores, table_of
from fhir_adapter.jobs.explain import explain_scores
from fhir_adapter.jobs.score import ScoreOptions
from fhir_adapter.scores import SubjectScores, score_everything
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from tests.scores.new_onset import results

Row = dict[str, str]


@pytest.fixture(scope="module")
def folder() -> TrialFolder:
    """The seed trial."""
    return read_trial_folder(trial_path("nct02569463"))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds nothing: the sites' own records alone."""
    return tmp_path_factory.mktemp("state") / "state.sqlite"


@pytest.fixture(scope="module")
def rows(folder: TrialFolder, state: Path) -> dict[tuple[str, str, str], Row]:
    """The table of all subjects, by subject, visit and parameter."""
    return read(export_scores(folder, state, ScoreOptions()).text)


def read(text: str) -> dict[tuple[str, str, str], Row]:
    """The rows of a table."""
    found = csv.DictReader(io.StringIO(text, newline=""))
    return {(row["USUBJID"], row["AVISIT"], row["PARAMCD"]): row for row in found}


def test_explain_speaks_in_the_study_days_of_the_subject(folder: TrialFolder, state: Path) -> None:
    """From the doses as collected."""
    told = explain_scores(folder, state, ScoreOptions(subject="S03", window="baseline"))
    assert told.lines[0].startswith("S03, baseline: HScore 209-244 of 337")
    assert any(line.startswith("Known on D1: ferritin 18400 ng/mL (50)") for line in told.lines)
    assert [one.subject for one in told.report.subjects] == ["S03"]


def test_explain_without_a_dose_has_nothing_to_say(folder: TrialFolder, state: Path) -> None:
    """The screen failure: the report says why."""
    told = explain_scores(folder, state, ScoreOptions(subject="S07"))
    assert told.lines == ()
    assert [issue.code for one in told.report.subjects for issue in one.issues] == ["no-first-dose"]


def test_rescue_and_doses_not_given_flag_the_visits_after_them(rows: dict[tuple[str, str, str], Row]) -> None:
    """S04 had etoposide from day 16 on and 8 doses."""
    assert rows["S04", "week-2", "HSCORE"]["ICEFL"] == ""
    assert rows["S04", "week-3", "HSCORE"]["ICETERM"] == "rescue: etoposide"
    assert rows["S04", "month-1", "HSCORE"]["ICETERM"] == "rescue: etoposide; 8 of 14 planned doses given"


def test_who_died_is_in_the_table(rows: dict[tuple[str, str, str], Row]) -> None:
    """S05: no value at month 1, and the direction."""
    row = rows["S05", "month-1", "HSDIR"]
    assert (row["AVAL"], row["AVALC"]) == ("", "not improved (died)")
    assert row["ICETERM"] == "9 of 14 planned doses given; death"


def test_a_typed_result_names_its_domain(rows: dict[tuple[str, str, str], Row]) -> None:
    """The seed trial's files are named by domain and have no sequence numbers."""
    row = rows["S03", "baseline", "HSTEMP"]
    assert (row["SRCDOM"], row["SRCSEQ"], row["SRCREF"]) == ("VS", "", "vs.csv row 331")


def test_study_label_and_days_come_from_the_trial(rows: dict[tuple[str, str, str], Row]) -> None:
    """Every row says that the data are made up."""
    row = rows["S03", "baseline", "HSCORE"]
    assert (row["STUDYID"], row["SECLABEL"], row["ADT"], row["ADY"]) == ("NCT02569463", "HTEST", "2016-05-17", "1")


def test_one_visit_has_its_baseline_values_all_the_same(folder: TrialFolder, state: Path) -> None:
    """--window month-1: its rows alone, with BASE and CHG."""
    found = read(export_scores(folder, state, ScoreOptions(subject="S04", window="month-1")).text)
    assert {visit for _, visit, _ in found} == {"month-1"}
    assert (found["S04", "month-1", "HSTEMP"]["BASE"], found["S04", "month-1", "HSTEMP"]["CHG"]) == ("33", "-33")


def test_every_result_together_is_one_visit(folder: TrialFolder, state: Path) -> None:
    """--window all: no baseline, no flags."""
    found = read(export_scores(folder, state, ScoreOptions(subject="S04", window="all")).text)
    assert {(row["AVISIT"], row["ABLFL"], row["ANL01FL"]) for row in found.values()} == {("all", "", "")}


def test_sequence_numbers_are_those_of_this_export(tmp_path: Path) -> None:
    """The public study has them: the AST of its first subject is one record of LB."""
    public = read_trial_folder(trial_path("cdisc-pilot-18"))
    found = read(export_scores(public, tmp_path / "state.sqlite", ScoreOptions(subject="CDISC001")).text)
    row = found["CDISC001", "baseline", "HSAST"]
    assert (row["SRCDOM"], row["SRCSEQ"], row["SRCREF"]) == ("LB", "4", "lb.json row 4")


def test_a_text_like_a_formula_is_told() -> None:
    """Never changed in silence."""
    whole = SubjectScores("=1", (score_everything("=1", results(), 169),))
    text, issues = table_of([whole])
    assert {row["USUBJID"] for row in read(text).values()} == {"'=1"}
    assert [issue.code for issue in issues] == ["formula-text"]


def test_the_table_of_a_file_needs_no_trial() -> None:
    """From `score --input`: nothing to say of it."""
    whole = SubjectScores("Patient/1", (score_everything("Patient/1", results(), 169),))
    text, issues = table_of([whole])
    assert next(iter(read(text))) == ("Patient/1", "all", "HSCORE")
    assert issues == ()

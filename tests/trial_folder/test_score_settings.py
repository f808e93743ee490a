"""What trial.yaml says of the hospital, the doses and the scores, and how it is told what is wrong in it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.trial import Pick, ScoreRules, ScoreWindow
from fhir_adapter.trial_folder import ExpectedDose, HospitalSettings, read_trial_folder, trial_path
from tests.made_up import add, change, copy_trial

TEXT = """
hospital:
  patients: {system: "https://hospital.example/patient-id", field: hospital_patient_id}
  first_day: -14
  last_day: 40
  unit_when_missing: {ferritin: ng/mL}
scores:
  cutoff: 120
  change: {from: baseline, to: month-1}
  day_one_dates_before_dose: true
  rescue: [etoposide]
  windows:
    baseline:
      target: 1
      before_first_dose: true
      temperature_days: 3
      blood: {choice: last, days: [-3, 1]}
      temperature: {choice: worst, days: [-3, 1]}
      organs: {choice: last, days: [-7, 1]}
      marrow: {choice: last, days: [-14, 1]}
    month-1:
      target: 29
      blood: {choice: nearest, days: [26, 33]}
      temperature: {choice: worst, days: [26, 33]}
      organs: {choice: first, days: [26, 33]}
      marrow: {choice: last, days: [26, 33]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The made-up trial with a hospital and scores."""
    place = copy_trial(tmp_path)
    add(place, "trial.yaml", *TEXT.splitlines())
    return place


def line_of(folder: Path, text: str) -> int:
    """The line of trial.yaml on which a text stands."""
    lines = (folder / "trial.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def refused(folder: Path) -> list[tuple[str, str, int | None, str]]:
    """Code, file, line and message of everything with which the folder is refused."""
    with pytest.raises(Misconfigured) as caught:
        read_trial_folder(folder)
    return [(one.code, Path(one.where.file or "").name, one.where.line, one.message) for one in caught.value.issues]


def test_the_hospital_is_read(folder: Path) -> None:
    """How its Patients are found, which days are read, and what a missing unit means."""
    assert read_trial_folder(folder).hospital == HospitalSettings(
        "https://hospital.example/patient-id", "hospital_patient_id", -14, 40, {"ferritin": "ng/mL"}
    )


def test_the_scores_are_read(folder: Path) -> None:
    """Windows in their order, the change, the cut-off."""
    assert read_trial_folder(folder).scores == ScoreRules(
        windows=(
            ScoreWindow(
                "baseline",
                1,
                Pick("last", -3, 1),
                Pick("worst", -3, 1),
                Pick("last", -7, 1),
                Pick("last", -14, 1),
                before_first_dose=True,
                temperature_days=3,
            ),
            ScoreWindow(
                "month-1",
                29,
                Pick("nearest", 26, 33),
                Pick("worst", 26, 33),
                Pick("first", 26, 33),
                Pick("last", 26, 33),
            ),
        ),
        change_from="baseline",
        change_to="month-1",
        cutoff=120,
        day_one_dates_before_dose=True,
        rescue=("etoposide",),
    )


def test_a_trial_without_them_states_nothing(tmp_path: Path) -> None:
    """No hospital, no rule, no expected dose: never a default."""
    trial = read_trial_folder(copy_trial(tmp_path))
    assert (trial.hospital, trial.scores, trial.expected_dose, trial.planned_doses) == (None, None, None, ())


def test_the_cut_off_is_the_papers_when_none_is_stated(folder: Path) -> None:
    """169 (Fardet 2014), and day 1 without a time is not before the dose unless somebody says so."""
    change(folder, "trial.yaml", "  cutoff: 120\n", "")
    change(folder, "trial.yaml", "  day_one_dates_before_dose: true\n", "")
    scores = read_trial_folder(folder).scores
    assert scores is not None
    assert (scores.cutoff, scores.day_one_dates_before_dose) == (169, False)


def test_the_expected_dose_is_read(folder: Path) -> None:
    """The amount exactly, and how many doses a course has."""
    stated = 'doses:\n  expected: {amount: "1000000", unit: "[IU]"}\n  planned_count: [14, 15]\n'
    change(folder, "trial.yaml", "doses:\n", stated)
    trial = read_trial_folder(folder)
    assert (trial.expected_dose, trial.planned_doses) == (ExpectedDose(Decimal(1000000), "[IU]"), (14, 15))


@pytest.mark.parametrize(
    "stated",
    [
        'expected: {amount: 1000000, unit: "[IU]"}',
        'expected: {amount: "many", unit: "[IU]"}',
        'expected: {amount: "0", unit: "[IU]"}',
        'expected: {amount: "-1", unit: "[IU]"}',
        'expected: {amount: "1000000"}',
        "planned_count: [0]",
        "planned_count: []",
        "planned_count: 14",
    ],
)
def test_a_dose_that_cannot_be_meant_is_refused(folder: Path, stated: str) -> None:
    """An amount is a number above 0 in quotes, a count a whole number."""
    change(folder, "trial.yaml", "doses:\n", f"doses:\n  {stated}\n")
    ((code, file, line, _),) = refused(folder)
    assert (code, file, line) == ("wrong-value", "trial.yaml", line_of(folder, stated))


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("first_day: -14", "first_day: 0", "first_day: 0", "hospital.first_day: "),
        ("last_day: 40", "last_day: -20", "first_day: -14", "hospital: first_day -14 is after last_day -20"),
        ("field: hospital_patient_id", "field: name", "field: name", "hospital.patients.field: 'name' is not one of"),
        ("{ferritin: ng/mL}", "{iron: ng/mL}", "{iron: ng/mL}", "hospital.unit_when_missing: "),
        ("cutoff: 120", "cutoff: 338", "cutoff: 338", "scores.cutoff: "),
        ("target: 29", "target: 0", "target: 0", "scores.windows.month-1.target: "),
        ("last, days: [-7, 1]", "last, days: [0, 1]", "[0, 1]", "scores.windows.baseline.organs.days.0: "),
        ("last, days: [-7, 1]", "last, days: [1]", "days: [1]", "scores.windows.baseline.organs.days: "),
        ("choice: first", "choice: best", "choice: best", "scores.windows.month-1.organs.choice: 'best' is not one of"),
        ("last, days: [-7, 1]", "last, days: [1, -7]", "[1, -7]", "days: 1 is after -7; write the first day first"),
        (
            "to: month-1",
            "to: week-2",
            "to: week-2",
            "change.to: there is no window 'week-2'; there are baseline, month-1",
        ),
        ("from: baseline", "from: start", "from: start", "change.from: there is no window 'start'"),
        ("to: month-1", "to: baseline", "change:", "change: from baseline to baseline does not go forward"),
        ("target: 29", "target: -29", "target: -29", "month-1: day -29 is not after day 1 of baseline"),
        (
            "temperature_days: 3",
            "temperature_days: 0",
            "temperature_days: 0",
            "scores.windows.baseline.temperature_days: ",
        ),
        ("      target: 29\n", "", "month-1:\n", "scores.windows.month-1: the key 'target' is missing"),
        ("  change: {from: baseline, to: month-1}\n", "", "scores:", "scores: the key 'change' is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, old: str, new: str, at: str, message: str) -> None:
    """File, line, what was found and what would be right."""
    change(folder, "trial.yaml", old, new)
    ((code, file, line, said),) = refused(folder)
    assert (code, file, line) == ("wrong-value", "trial.yaml", line_of(folder, at.strip()))
    assert said.startswith(message)


def test_an_unknown_key_is_refused(folder: Path) -> None:
    """A setting that nobody reads would be trusted for nothing."""
    change(folder, "trial.yaml", "  cutoff: 120", "  cutof: 120")
    ((code, _, line, message),) = refused(folder)
    assert (code, line) == ("unknown-key", line_of(folder, "cutof:"))
    assert message == "unknown key 'cutof'; did you mean 'cutoff'?"


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    """A person mends everything in one go."""
    change(folder, "trial.yaml", "from: baseline", "from: start")
    change(folder, "trial.yaml", "last, days: [-7, 1]", "last, days: [1, -7]")
    assert len(refused(folder)) == 2


def test_the_public_study_scores_the_worst_of_wide_windows() -> None:
    """Baseline D-42 to D1 before the dose, month 1 D26 to D33."""
    trial = read_trial_folder(trial_path("cdisc-pilot-18"))
    assert trial.scores is not None
    said = [(one.name, one.blood, one.before_first_dose) for one in trial.scores.windows]
    assert said == [("baseline", Pick("worst", -42, 1), True), ("month-1", Pick("worst", 26, 33), False)]
    assert trial.hospital == HospitalSettings(
        "https://w3id.org/fhir-adapter/trials/cdisc-pilot-18/subject", "subject", -45, 45
    )

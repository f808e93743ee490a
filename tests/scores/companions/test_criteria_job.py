"""The criteria of the seed trial's subjects, worked out by hand from its files, and of files without a trial."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.criteria import (
    CriteriaReport,
    criteria,
    criteria_known,
    criteria_of_file,
    diagnosis_of,
    stated_findings,
)
from fhir_adapter.jobs.pull import PullOptions, pull
from fhir_adapter.jobs.score import Known, ScoreOptions, gather
from fhir_adapter.trial import Dose, Entity, Finding, History, Origin, read_moment
from fhir_adapter.trial_folder import Code, TrialFolder, read_trial_folder, trial_path

PUBLISHED = (("patients", "results"), ("later",))


@pytest.fixture(scope="module")
def folder() -> TrialFolder:
    """The seed trial's folder."""
    return read_trial_folder(trial_path("nct02569463"))


@pytest.fixture(scope="module")
def known(folder: TrialFolder, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """What the sites recorded and what both files of the hospital say."""
    place = tmp_path_factory.mktemp("criteria")
    for files in PUBLISHED:
        path = place / "published.ndjson"
        path.write_bytes(b"".join((folder.path / "hospital" / f"{name}.ndjson").read_bytes() for name in files))
        pull(folder, None, place / "state.sqlite", PullOptions(file=path))
    return gather(folder, place / "state.sqlite")


@pytest.fixture(scope="module")
def hlh(known: Known, folder: TrialFolder) -> CriteriaReport:
    """HLH-2004 of everybody at every visit."""
    return criteria_known(known, folder, ScoreOptions(), "hlh-2004")


@pytest.fixture(scope="module")
def mas(known: Known, folder: TrialFolder) -> CriteriaReport:
    """The 2016 criteria of everybody at every visit."""
    return criteria_known(known, folder, ScoreOptions(), "mas-2016")


def told(report: CriteriaReport, subject: str, window: str) -> dict[str, Any]:
    """One entry of the JSON form."""
    scores: Any = report.to_dict()["scores"]
    (found,) = (one for one in scores if (one["subject"], one["window"]) == (subject, window))
    return dict(found)


def verdicts(one: dict[str, Any]) -> dict[str, str]:
    """What each criterion says."""
    return {item["item"]: item["verdict"] for item in one["items"]}


def test_s01_at_baseline_by_hand(hlh: CriteriaReport) -> None:
    """Six of eight; nobody measured NK activity or soluble CD25.

    vs.csv: 39.8 C on 2015-11-09. pe.csv: spleen enlarged. lb.csv and the hospital, 2015-11-10: haemoglobin 84 g/L and
    platelets 62 are low, neutrophils 1.86 are not: two of three. Triglycerides 3.42 mmol/L, fibrinogen 1.36 g/L,
    ferritin 24,560. mi.csv: haemophagocytosis on 2015-11-06.
    """
    one = told(hlh, "S01", "baseline")
    assert (one["low"], one["high"], one["of"], one["needed"], one["status"]) == (6, 8, 8, 5, "met")
    assert verdicts(one) == {
        **dict.fromkeys(("fever", "splenomegaly", "cytopenias", "triglycerides_fibrinogen"), "met"),
        **dict.fromkeys(("hemophagocytosis", "ferritin"), "met"),
        **dict.fromkeys(("nk_activity", "soluble_cd25"), "undetermined"),
    }


def test_s02_at_month_1_by_hand(hlh: CriteriaReport) -> None:
    """One of eight, and three that nobody examined: five cannot be reached.

    vs.csv: 36.9 C at most from 2016-02-28 to 03-01. pe.csv: spleen not enlarged. 2016-03-01: haemoglobin 88 g/L is low,
    platelets 121 and neutrophils 2.58 are not: one of three. Triglycerides 2.1 mmol/L, fibrinogen 2.7 g/L, ferritin 690
    ng/mL. mi.csv: no aspirate.
    """
    one = told(hlh, "S02", "month-1")
    assert (one["low"], one["high"], one["status"]) == (1, 4, "not met")
    assert verdicts(one) == {
        "fever": "not met",
        "splenomegaly": "not met",
        "cytopenias": "not met",
        "triglycerides_fibrinogen": "not met",
        "hemophagocytosis": "undetermined",
        "nk_activity": "undetermined",
        "ferritin": "met",
        "soluble_cd25": "undetermined",
    }


def test_s06_by_the_2016_criteria_by_hand(mas: CriteriaReport) -> None:
    """The one subject with sJIA: febrile, ferritin above 684, and two of four, AST was not done.

    vs.csv: 38.6 C on 2017-10-09. 2017-10-10: ferritin above 40,000, platelets 142, fibrinogen 2.18 g/L (218 mg/dL),
    triglycerides 1.42 mmol/L. At month 1 36.5 C, ferritin 1,320, platelets 251, AST 22, triglycerides 1.31, fibrinogen
    2.90.
    """
    before, after = (told(mas, "S06", window) for window in ("baseline", "month-1"))
    assert (before["low"], before["high"], before["of"], before["needed"], before["status"]) == (2, 3, 4, 2, "met")
    assert verdicts(before) == {
        **dict.fromkeys(("fever", "ferritin", "platelets", "fibrinogen"), "met"),
        "ast": "undetermined",
        "triglycerides": "not met",
    }
    assert (after["low"], after["high"], after["status"]) == (1, 1, "not met")
    assert before["diagnosis"] == {"populations": ["sjia"], "terms": ["幼年特发性关节炎全身型"]}


def test_the_other_subjects_are_not_of_the_2016_population(mas: CriteriaReport) -> None:
    """S01, S03 and S04 have AOSD, S02 and S05 SLE."""
    statuses = {one["subject"]: one["status"] for one in _scores(mas) if one["window"] == "baseline"}
    assert statuses == {
        **dict.fromkeys(("S01", "S03", "S04"), "outside its population"),
        **dict.fromkeys(("S02", "S05"), "not applicable"),
        "S06": "met",
    }


def test_the_visits_are_those_of_the_score_until_death(hlh: CriteriaReport) -> None:
    """S05 died on day 19; the screen failure S07 has none at all, and an issue says so."""
    assert [one["window"] for one in _scores(hlh) if one["subject"] == "S05"] == [
        *("screening", "baseline", "week-1", "week-2")
    ]
    issues: Any = hlh.to_dict()["issues"]
    assert "no-first-dose" in [issue["code"] for issue in issues]
    assert not [one for one in _scores(hlh) if one["subject"] == "S07"]


def test_the_values_are_those_of_the_hscore(hlh: CriteriaReport) -> None:
    """A range at month 1 of S03, whose hospital laboratory on D30 knows five values."""
    one = told(hlh, "S03", "month-1")
    assert (one["low"], one["high"], one["status"]) == (1, 7, "undetermined")
    used = [found["reference"] for item in one["items"] for found in item["evidence"] if found["used"]]
    assert [reference for reference in used if reference.startswith("Observation/")] != []


def test_the_settings_are_printed_with_every_answer(hlh: CriteriaReport, mas: CriteriaReport) -> None:
    """Fever, limits in both units, what rhIL-2 makes unreadable, and where it all stands."""
    settings: Any = hlh.to_dict()["settings"]
    assert settings["fever"] == ">= 38.5 Cel"
    assert settings["limits"]["triglycerides"] == [">= 3.0 mmol/L", ">= 265 mg/dL"]
    assert settings["not_interpretable_under"] == {"soluble_cd25": "rhIL-2", "nk_activity": "rhIL-2"}
    assert "Henter" in settings["citation"]
    assert "not_interpretable_under" not in mas.settings


def test_no_text_says_what_a_subject_has(hlh: CriteriaReport, mas: CriteriaReport) -> None:
    """How many criteria are fulfilled is all that is computed."""
    text = "\n".join([*hlh.lines, *mas.lines, hlh.title, mas.title, hlh.caution, mas.caution])
    assert [word for word in ("confirm", "exclude", "remission", "diagnosed") if word in text.lower()] == []


def test_the_table_has_a_line_for_each_subject_and_a_column_for_each_visit(mas: CriteriaReport) -> None:
    """A visit of which nothing is known is a dash."""
    assert mas.windows == ["screening", "baseline", "week-1", "week-2", "week-3", "month-1"]
    lines = {row[0]: row[1:] for row in mas.rows}
    assert lines["S06"][1] == "2-3 of 4; at or above 2; fever fulfilled; ferritin fulfilled"
    assert lines["S05"][4:] == ["-", "-"]


def test_without_visits_every_value_counts(known: Known, folder: TrialFolder) -> None:
    """One window, in which a value that fulfils a criterion is enough."""
    report = criteria_known(known, folder, ScoreOptions(subject="S02", window="all"), "hlh-2004")
    (one,) = _scores(report)
    assert (one["subject"], one["window"]) == ("S02", "all")
    assert verdicts(one)["fever"] == "met"


def test_fever_can_be_set(known: Known, folder: TrialFolder) -> None:
    """S06 had 38.6 C: not febrile from 38.7 on."""
    report = criteria_known(known, folder, ScoreOptions(subject="S06", window="baseline"), "mas-2016", "38.7")
    (one,) = _scores(report)
    assert (verdicts(one)["fever"], one["status"]) == ("not met", "not met")
    assert report.settings["fever"] == ">= 38.7 Cel"


def test_before_any_pull_the_typed_values_speak(folder: TrialFolder, tmp_path: Path) -> None:
    """What the site typed alone, and an issue says that nothing was pulled."""
    report = criteria(folder, tmp_path / "state.sqlite", ScoreOptions(subject="S01", window="baseline"), "hlh-2004")
    assert (_scores(report)[0]["low"], _scores(report)[0]["high"]) == (6, 8)
    assert "never-pulled" in [issue.code for issue in report.issues]


@pytest.mark.parametrize(
    ("options", "which", "code"),
    [
        (ScoreOptions(subject="S99"), "hlh-2004", "unknown-subject"),
        (ScoreOptions(window="day-99"), "hlh-2004", "unknown-window"),
        (ScoreOptions(), "hlh-2024", "unknown-criteria"),
    ],
)
def test_what_does_not_exist_is_named(
    known: Known, folder: TrialFolder, options: ScoreOptions, which: str, code: str
) -> None:
    """A subject, a visit or a set of criteria that nobody knows."""
    with pytest.raises(Misconfigured) as error:
        criteria_known(known, folder, options, which)
    assert [issue.code for issue in error.value.issues] == [code]


def history(term: str) -> History:
    """A disease of S01."""
    return History(subject="S01", site="PKUPH", key=("S01", term), term=term)


@pytest.mark.parametrize(
    ("terms", "populations"),
    [
        (("成人斯蒂尔病", "巨噬细胞活化综合征"), {"aosd"}),
        (("系统性红斑狼疮", "阑尾切除术"), {"sle"}),
        (("幼年特发性关节炎全身型", "系统性红斑狼疮"), {"sjia", "sle"}),
        (("阑尾切除术",), set()),
        ((), set()),
    ],
)
def test_the_diagnosis_is_what_the_map_makes_of_the_history(
    folder: TrialFolder, terms: tuple[str, ...], populations: set[str]
) -> None:
    """Terms that the map does not list say nothing of the underlying disease."""
    assert diagnosis_of([history(term) for term in terms], folder.codes).populations == populations


def test_items_of_hlh_2004_alone_come_as_the_site_stated_them(folder: TrialFolder) -> None:
    """A trial's own map says which test they are; the words of the answers are those of all findings."""
    codes = replace(folder.codes, maps={**folder.codes.maps, "criteria_item": {"SCD25": (Code("", "soluble-cd25"),)}})
    found: list[Entity] = [_finding("SCD25", "是"), _finding("SPLEEN", "肿大")]
    results, issues = stated_findings(found, replace(folder, codes=codes))
    assert issues == []
    assert [(one.name, one.present, one.reference) for one in results] == [("soluble_cd25", True, "pe.csv row 3")]


def test_a_trial_that_names_no_such_item_has_none(folder: TrialFolder) -> None:
    """The seed trial states neither soluble CD25 nor NK activity."""
    assert stated_findings([_finding("SPLEEN", "肿大")], folder) == ([], [])


@pytest.mark.parametrize(("treatment", "state"), [("rhIL-2", "not_interpretable"), ("placebo", "measured")])
def test_the_treatment_that_was_given_decides(known: Known, folder: TrialFolder, treatment: str, state: str) -> None:
    """The map names rhIL-2: under anything else the stated finding counts."""
    codes = replace(folder.codes, maps={**folder.codes.maps, "criteria_item": {"SCD25": (Code("", "soluble-cd25"),)}})
    mine = [
        *(replace(one, treatment=treatment) if isinstance(one, Dose) else one for one in known.entities["S01"]),
        _finding("SCD25", "是"),
    ]
    changed = replace(known, entities={**known.entities, "S01": mine})
    options = ScoreOptions(subject="S01", window="month-1")
    report = criteria_known(changed, replace(folder, codes=codes), options, "hlh-2004")
    (item,) = (one for one in _scores(report)[0]["items"] if one["item"] == "soluble_cd25")
    assert item["state"] == state


def _finding(test: str, result: str) -> Finding:
    return Finding(
        subject="S01",
        site="PKUPH",
        key=("S01", test),
        test=test,
        name=test,
        item=test,
        result=result,
        effective=read_moment("2015-12-08T08:00:00+08:00"),
        origin=Origin("pe", "pe.csv", 3),
    )


def observation(code: str, value: float, unit: str, **more: object) -> dict[str, object]:
    """A made-up result of somebody at a hospital."""
    return {
        "resourceType": "Observation",
        "id": f"made-up-{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/made-up"},
        "effectiveDateTime": "2016-03-01T06:30:00+08:00",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        **more,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Results of a server that says nothing of trial, treatment or diagnosis."""
    path = tmp_path / "results.ndjson"
    lines = [
        observation("2276-4", 9000, "ng/mL"),
        observation("2571-8", 265, "mg/dL"),
        observation("8310-5", 39, "Cel"),
        observation("751-8", 0.9, "10*9/L"),
        observation("777-3", 50, "10*9/L"),
        observation("718-7", 12, "g/dL", subject={}),
        {"resourceType": "Patient", "id": "made-up"},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_a_file_of_results_needs_no_trial(file: Path) -> None:
    """Ferritin, triglycerides in mg/dL, fever and two lineages; whoever is treated with what, nobody says."""
    report = criteria_of_file(file, "hlh-2004")
    (one,) = _scores(report)
    assert (one["subject"], one["patient"], one["window"]) == ("Patient/made-up", "Patient/made-up", "all")
    assert (one["low"], one["high"], one["status"]) == (4, 8, "undetermined")
    assert report.settings["not_interpretable_under"] == "treatment unknown"
    assert [issue.code for issue in report.issues] == ["no-subject"]


def test_a_file_of_results_says_nothing_of_the_diagnosis(file: Path) -> None:
    """Whether the 2016 criteria apply is not known."""
    (one,) = _scores(criteria_of_file(file, "mas-2016"))
    assert (one["low"], one["high"], one["status"]) == (2, 4, "undetermined")
    assert one["why"].startswith("the records name none")


def _scores(report: CriteriaReport) -> Any:
    return report.to_dict()["scores"]

"""The scores of the public study after push and pull, and what `score`, `explain` and `report` say on the way."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stories.commands import PUBLIC_STUDY, Person, Run
from tests.stories.sandbox import running

pytestmark = [pytest.mark.xdist_group("public-scores"), pytest.mark.measured_runs]

SEED = "nct02569463"
HOSPITAL = Path(__file__).parents[2] / "mappings" / "trials" / SEED / "hospital"
WITH_HIGH_AST = ("CDISC003", "CDISC008", "CDISC010")


@dataclass(frozen=True)
class Scored:
    """The public study pushed to a server, pulled from it, and scored."""

    pulled: Run
    again: Run
    scored: Run

    def ranges(self, window: str) -> dict[str, tuple[int, int]]:
        """The score of each subject at one visit."""
        scores: list[dict[str, Any]] = self.scored.report["scores"]
        return {one["subject"]: (one["low"], one["high"]) for one in scores if one["window"] == window}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """Push, pull twice, score."""
    place = tmp_path_factory.mktemp("public-scores")
    person = Person.at(place / "home")
    common = ("--trial", PUBLIC_STUDY, "--state", place / "state.sqlite", "--format", "json")
    with running(str(place / "server.sqlite")) as base:
        assert person.runs("push", *common, "--server", base).exit_code == 0
        pulled = person.runs("pull", *common, "--server", base)
        again = person.runs("pull", *common, "--server", base)
    return Scored(pulled, again, person.runs("score", *common))


def test_the_public_study_has_17_scores_at_baseline(public: Scored) -> None:
    """Ferritin, triglycerides, fibrinogen, organs, marrow and immunosuppression are unknown: 0-235, or 19-254."""
    expected = {f"CDISC{number:03}": (0, 235) for number in range(1, 19) if number != 15}
    assert public.ranges("baseline") == {**expected, **dict.fromkeys(WITH_HIGH_AST, (19, 254))}


def test_the_public_study_has_14_scores_at_month_1(public: Scored) -> None:
    """005, 010 and 013 have no result in D26 to D33, so no score."""
    expected = {f"CDISC{number:03}": (0, 235) for number in range(1, 19) if number not in (5, 10, 13, 15)}
    assert public.ranges("month-1") == {**expected, "CDISC003": (19, 254), "CDISC008": (19, 254)}


def test_a_subject_without_a_dose_is_an_information(public: Scored) -> None:
    """CDISC015 failed screening: an issue that says so, and exit 0."""
    found = [(issue["code"], issue["severity"]) for issue in public.scored.report["issues"]]
    assert (public.scored.exit_code, found) == (0, [("no-first-dose", "information")])


def test_a_missing_visit_gives_no_change_and_not_zero(public: Scored) -> None:
    """Somebody without month 1 has null, and a death before it counts as not improved."""
    changes = {one["subject"]: one for one in public.scored.report["changes"]}
    assert (changes["CDISC005"]["low"], changes["CDISC005"]["without_marrow"]) == (None, None)
    assert changes["CDISC005"]["notes"] == ["no score at month-1: no change value"]
    assert changes["CDISC013"]["direction"] == "not improved (died)"


def test_a_second_pull_changes_nothing(public: Scored) -> None:
    """Everything is read again, and nothing is new, changed or withdrawn."""
    first, again = public.pulled.report, public.again.report
    assert first["fetched"] == first["new"] == again["fetched"] == 333
    assert (again["new"], again["changed"], again["withdrawn"]) == (0, 0, 0)


def test_our_own_copies_on_the_server_are_no_hospital_results(public: Scored) -> None:
    """What we pushed and read back is still what the site typed."""
    sources = {
        evidence["source"]
        for score in public.scored.report["scores"]
        for item in score["items"]
        for evidence in item["evidence"]
    }
    assert sources == {"typed"}


def test_without_a_pull_the_scores_rest_on_typed_values_and_say_so(person: Person) -> None:
    """S02's typed values alone give its scores; the issue names what is missing."""
    run = person.runs("score", "--trial", SEED, "--subject", "S02", "--format", "json")
    scores = {one["window"]: (one["low"], one["high"]) for one in run.report["scores"]}
    assert (run.exit_code, scores["baseline"]) == (0, (213, 213))
    assert "never-pulled" in {issue["code"] for issue in run.report["issues"]}


def test_an_incomplete_pull_never_feeds_a_score_silently(person: Person, tmp_path: Path) -> None:
    """A broken line in the file: the pull is incomplete, and the score says so and exits with 3."""
    broken = tmp_path / "results.ndjson"
    broken.write_bytes((HOSPITAL / "patients.ndjson").read_bytes() + b"{broken\n")
    pulled = person.runs("pull", "--trial", SEED, "--file", broken, "--format", "json")
    scored = person.runs("score", "--trial", SEED, "--format", "json")
    assert (pulled.exit_code, pulled.report["complete"]) == (3, False)
    assert scored.exit_code == 3
    assert "incomplete-pull" in {issue["code"] for issue in scored.report["issues"]}


def test_one_visit_and_another_cutoff(person: Person) -> None:
    """`--window` shows one visit, `--cutoff` overrides the trial's own."""
    run = person.runs(
        *("score", "--trial", SEED, "--subject", "S01", "--window", "week-2"),
        *("--cutoff", "205", "--format", "json"),
    )
    (score,) = run.report["scores"]
    assert (score["window"], score["status"], run.report["cutoff"]) == ("week-2", "not met", 205)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("score", "--trial", SEED, "--subject", "S99"), "unknown-subject"),
        (("score", "--trial", SEED, "--window", "week-9"), "unknown-window"),
        (("score",), "no-trial"),
        (("pull", "--trial", SEED), "no-door"),
    ],
)
def test_what_is_asked_wrongly_is_usage(person: Person, arguments: tuple[str, ...], code: str) -> None:
    """Exit 2, one line with the code, no traceback."""
    run = person.runs(*arguments)
    assert (run.exit_code, run.out) == (2, "")
    assert f"[{code}]" in run.err
    assert "Traceback" not in run.err


def test_every_result_counts_in_a_score_without_visits(person: Person) -> None:
    """`--window all`: one score a subject, the worst of each item."""
    run = person.runs("score", "--trial", SEED, "--subject", "S04", "--window", "all", "--format", "json")
    assert [(one["window"], one["low"], one["high"]) for one in run.report["scores"]] == [("all", 337, 337)]


def test_other_rules_are_shown_beside(person: Person) -> None:
    """`--sensitivity` adds a table; the scores stay what they are."""
    run = person.runs("score", "--trial", SEED, "--subject", "S01", "--sensitivity")
    assert run.exit_code == 0
    assert "worst of the window" in run.out
    assert "without marrow" in run.out


def test_a_row_set_aside_is_said_and_the_score_is_in_part(person: Person, tmp_path: Path) -> None:
    """A laboratory row with an impossible date: the score names it and exits with 3; so does explain."""
    source = tmp_path / "data"
    shutil.copytree(HOSPITAL.parent / "data", source)
    rows = (source / "lb.csv").read_text(encoding="utf-8").splitlines()
    place = next(number for number, row in enumerate(rows) if "S02" in row and "FERR" in row)
    rows[place] = rows[place].replace("2016-0", "2016-9")
    (source / "lb.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    common = ("--trial", SEED, "--subject", "S02", "--source", source)
    scored, explained = person.runs("score", *common, "--format", "json"), person.runs("explain", *common)
    assert (scored.exit_code, explained.exit_code) == (3, 3)
    assert "invalid-date" in {issue["code"] for issue in scored.report["issues"]}


def test_explain_reads_like_a_note(person: Person) -> None:
    """Every item with its points, the caution, and no advice to test."""
    run = person.runs("explain", "--trial", SEED, "--subject", "S03", "--window", "baseline")
    assert run.exit_code == 0
    assert run.out.startswith("S03, baseline: HScore 209-244 of 337, at or above 169.\n")
    assert "haemophagocytosis on marrow aspirate: 0-35 points, not done" in run.out
    assert "not a recommendation to test" in run.out
    assert "HScore was built to diagnose haemophagocytic syndrome" in run.out


def test_a_file_of_observations_is_scored_without_a_trial(person: Person) -> None:
    """`score --input` takes every Observation of a file, per subject, and needs no store."""
    run = person.runs("score", "--input", HOSPITAL / "results.ndjson", "--window", "all", "--format", "json")
    subjects = [score["subject"] for score in run.report["scores"]]
    assert {score["window"] for score in run.report["scores"]} == {"all"}
    assert len(subjects) == len(set(subjects)) == 7
    assert all(subject.startswith("Patient/hp-") for subject in subjects)
    assert not list(person.home.rglob("*.sqlite"))


def test_a_window_of_a_trial_means_nothing_for_a_file(person: Person) -> None:
    """Visits belong to a trial."""
    run = person.runs("score", "--input", HOSPITAL / "results.ndjson", "--window", "baseline")
    assert (run.exit_code, "[unknown-window]" in run.err) == (2, True)


def test_the_report_is_written_whole_or_not_at_all(person: Person, tmp_path: Path) -> None:
    """A path that cannot be written is a usage error, and nothing half-written stays."""
    (tmp_path / "taken").mkdir()
    run = person.runs("report", "--trial", SEED, "--out", tmp_path / "taken")
    assert (run.exit_code, "[unwritable]" in run.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "taken"]
    good = person.runs("report", "--trial", SEED, "--out", tmp_path / "page.html", "--format", "json")
    assert (good.exit_code, good.report["report"]) == (0, str(tmp_path / "page.html"))


def test_the_demo_is_repeatable(person: Person) -> None:
    """Twice in a row: the same scores, the same counts, a report each time."""
    runs = [person.runs("demo", "--subjects", "1", "--out", "kept", "--format", "json") for _ in range(2)]
    first, again = (run.report for run in runs)
    assert [run.exit_code for run in runs] == [0, 0]
    assert [[s["subject"], s["window"], s["low"], s["high"]] for s in first["scores"]] == [
        [s["subject"], s["window"], s["low"], s["high"]] for s in again["scores"]
    ]
    assert (person.home / first["report"]).read_bytes()[:15] == b"<!doctype html>"
    assert [step["step"] for step in first["steps"]] == [
        *("push", "push again", "the hospital publishes", "pull"),
        *("the hospital publishes", "pull", "what stands on the server"),
    ]

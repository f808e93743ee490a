"""The hospital's files of the seed trial: how corrected, withdrawn, resent, diluted and foreign results end."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stories.commands import Person, Run

pytestmark = pytest.mark.measured_runs

TRIAL = "nct02569463"
SEED = Path(__file__).resolve().parents[2] / "mappings" / "trials" / TRIAL
HOSPITAL = SEED / "hospital"
Bounds = tuple[int, int]


@dataclass(frozen=True)
class Ward:
    """Somebody who pulls the hospital's files into one state, and scores it."""

    person: Person
    state: Path

    @classmethod
    def at(cls, folder: Path) -> Ward:
        """Somebody who never pulled."""
        return cls(Person.at(folder / "home"), folder / "state.sqlite")

    def pull(self, *lines: bytes) -> Run:
        """Pull a file with these lines."""
        path = self.person.home / "published.ndjson"
        path.write_bytes(b"".join(lines))
        return self.person.runs("pull", "--trial", TRIAL, "--file", path, "--state", self.state, "--format", "json")

    def score(self) -> Run:
        """Score what is known now."""
        return self.person.runs("score", "--trial", TRIAL, "--state", self.state, "--format", "json")


def lines_of(*names: str) -> list[bytes]:
    """The lines of the hospital's files."""
    return [line for name in names for line in (HOSPITAL / name).read_bytes().splitlines(keepends=True)]


FIRST = lines_of("patients.ndjson", "results.ndjson")
LATER = lines_of("later.ndjson")


@dataclass(frozen=True)
class Told:
    """What a pull and the scores after it said."""

    pulled: Run
    scored: Run
    state: bytes

    def bounds(self, subject: str, window: str) -> Bounds:
        """The bounds of a score."""
        return self._score(subject, window)["low"], self._score(subject, window)["high"]

    def item(self, subject: str, window: str, name: str) -> dict[str, Any]:
        """An item of a score."""
        (found,) = (one for one in self._score(subject, window)["items"] if one["item"] == name)
        return dict(found)

    def points(self, subject: str, window: str, name: str) -> Bounds:
        """The bounds of an item."""
        found = self.item(subject, window, name)
        return found["low"], found["high"]

    def used(self, subject: str, window: str, name: str) -> list[tuple[str, str | None, str]]:
        """Reference, comparator and value of what an item rests on."""
        evidence = self.item(subject, window, name)["evidence"]
        return [(one["reference"], one["comparator"], one["value"]) for one in evidence if one["used"]]

    def why(self, subject: str, window: str, name: str, reference: str) -> str:
        """Why a result was used or passed over."""
        evidence = self.item(subject, window, name)["evidence"]
        (found,) = (one["why"] for one in evidence if one["reference"] == reference)
        return str(found)

    @property
    def review(self) -> Counter[tuple[str, str]]:
        """Subject and kind of what a person should look at."""
        return Counter((one["subject"], one["kind"]) for one in self.pulled.report["review_items"])

    @property
    def set_aside(self) -> list[tuple[str, str | None]]:
        """Code and resource of what cannot be used."""
        return [(one["code"], one["where"]["resource"]) for one in self.pulled.set_aside]

    def _score(self, subject: str, window: str) -> dict[str, Any]:
        (found,) = (one for one in self.scored.report["scores"] if (one["subject"], one["window"]) == (subject, window))
        return dict(found)


def told(ward: Ward, *lines: bytes) -> Told:
    """Pull, then score."""
    return Told(ward.pull(*lines), ward.score(), ward.state.read_bytes())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Told]:
    """What is known after the first file, and after the later one."""
    ward = Ward.at(tmp_path_factory.mktemp("hospital"))
    return told(ward, *FIRST), told(ward, *LATER)


@pytest.fixture(scope="module")
def first(both: tuple[Told, Told]) -> Told:
    """After the first file."""
    return both[0]


@pytest.fixture(scope="module")
def later(both: tuple[Told, Told]) -> Told:
    """After the later file."""
    return both[1]


def test_a_correction_replaces_what_it_corrects(first: Told, later: Told) -> None:
    """S01's triglycerides of month 1 were 1.48 and are 1.84: 44 points more, and the first value counts no more."""
    assert first.used("S01", "month-1", "triglycerides") == [("Observation/lr-151208-0412-trig", None, "1.48")]
    assert later.used("S01", "month-1", "triglycerides") == [("Observation/lr-151208-0412-trig", None, "1.84")]
    assert (first.bounds("S01", "month-1"), later.bounds("S01", "month-1")) == ((18, 53), (62, 97))
    assert later.pulled.report["changed"] == 1


def test_a_correction_settles_what_was_typed_otherwise(first: Told, later: Told) -> None:
    """The site typed 1.84: a question before the correction, none after it."""
    assert first.review["S01", "typed-otherwise"] == 1
    assert later.review["S01", "typed-otherwise"] == 0


def test_two_samples_of_one_time_contradict_each_other(first: Told) -> None:
    """S06's ferritin of month 1 is 1320 and 13200: 0 to 50, conflicting, and both are shown as used."""
    item = first.item("S06", "month-1", "ferritin")
    assert (item["low"], item["high"], item["state"]) == (0, 50, "conflicting")
    assert first.bounds("S06", "month-1") == (0, 85)
    assert {value for _, _, value in first.used("S06", "month-1", "ferritin")} == {"1320", "13200"}


def test_a_contradiction_goes_to_a_person(tmp_path: Path) -> None:
    """State `conflicting`, to review: also at a time of which the site typed nothing that could differ."""
    patients = [line for line in FIRST if b'"id":"hp-f051"' in line]
    ferritins = [line.replace(b"-07T06:40", b"-06T18:40") for line in FIRST if b"lr-171107-0381-ferr" in line]
    run = Ward.at(tmp_path).pull(*patients, *ferritins)
    assert (run.report["fetched"], run.report["measurements"]) == (2, 2)
    assert [one["subject"] for one in run.report["review_items"]] != []


def test_a_withdrawn_result_counts_no_more(later: Told) -> None:
    """The 13200 was entered in error: 1320 alone is left, and nothing contradicts it."""
    item = later.item("S06", "month-1", "ferritin")
    assert later.pulled.report["withdrawn"] == 1
    assert later.used("S06", "month-1", "ferritin") == [("Observation/lr-171107-0381-ferr", None, "1320")]
    assert (item["low"], item["high"], item["state"]) == (0, 0, "measured")
    assert later.bounds("S06", "month-1") == (0, 35)
    assert ("result-status", "Observation/lr-171107-0381-ferr-b") in later.set_aside


def test_a_withdrawn_result_stays_in_the_store(later: Told) -> None:
    """What was received is kept as received; it is not deleted."""
    assert b"lr-171107-0381-ferr-b" in later.state


def test_a_resent_result_counts_once(first: Told, later: Told) -> None:
    """S05's platelets came again under another id with the same laboratory number: one of them counts."""
    platelets = [used for used in later.used("S05", "baseline", "cytopenias") if "plat" in used[0]]
    assert platelets == [("Observation/lr-170307-0643-plat-r2", None, "21")]
    assert ("resent", "Observation/lr-170307-0643-plat") in later.set_aside
    assert first.bounds("S05", "baseline") == later.bounds("S05", "baseline") == (286, 286)


@pytest.mark.parametrize(
    ("subject", "window", "before", "after", "value"),
    [
        ("S01", "screening", (35, 50), (50, 50), "26300"),
        ("S03", "week-1", (0, 50), (50, 50), "13900"),
        ("S04", "baseline", (50, 50), (50, 50), "68200"),
        ("S05", "week-1", (35, 50), (50, 50), "11200"),
    ],
)
def test_a_diluted_number_supersedes_the_capped_one(
    first: Told, later: Told, subject: str, window: str, before: Bounds, after: Bounds, value: str
) -> None:
    """Of the same specimen and inside its half-line."""
    assert first.points(subject, window, "ferritin") == before
    assert later.points(subject, window, "ferritin") == after
    assert [(sign, number) for _, sign, number in later.used(subject, window, "ferritin")] == [(None, value)]


def test_a_capped_text_without_a_unit_counts_by_the_sites_map(later: Told) -> None:
    """S06's full-width "more than 40000" is ferritin in ng/mL, because the trial folder says so; the sign stays."""
    ((reference, comparator, value),) = later.used("S06", "baseline", "ferritin")
    assert (reference, comparator, value) == ("Observation/lr-171010-0381-ferr", ">", "40000")
    assert later.points("S06", "baseline", "ferritin") == (50, 50)


def test_results_of_strangers_are_counted_and_kept_nowhere(first: Told) -> None:
    """The hospital's other patient is not in the trial: seven results, one remark, nothing in the store or a score."""
    foreign = [issue for issue in first.pulled.set_aside if issue["code"] == "foreign-result"]
    assert [("7" in issue["message"], issue["severity"]) for issue in foreign] == [(True, "information")]
    assert first.pulled.report["fetched"] == len(FIRST) - 8 - 7
    for trace in (b"151110-0413", b"hp-k233", b"HP0041733"):
        assert trace not in first.state
        assert trace.decode() not in first.scored.out + first.pulled.out


def test_the_hospitals_names_are_shown_nowhere(first: Told) -> None:
    """Names and birth dates of the hospital's Patients are in no output, and not needed in the store."""
    assert [name for name in ("测试一", "1979-08-14", "HP0041732") if name in first.pulled.out + first.scored.out] == []
    assert [name for name in ("测试一", "1979-08-14") if name.encode() in first.state] == []


def test_the_hospitals_result_counts_and_the_typed_copy_is_passed_over(later: Told) -> None:
    """S05's haemoglobin is 66 on the laboratory's report and 60 in the site's record: 66 counts, 60 is shown."""
    used = {reference: value for reference, _, value in later.used("S05", "baseline", "cytopenias")}
    assert used["Observation/lr-170307-0643-hgb"] == "66"
    assert "typed copy" in later.why("S05", "baseline", "cytopenias", "lb.csv row 275")
    assert later.review["S05", "typed-otherwise"] == 1


def test_what_a_person_must_look_at_after_the_first_file(first: Told) -> None:
    """Texts, notes of the laboratory, and differences from what was typed: listed and counted, each once."""
    asked = {
        ("S01", "typed-otherwise"),
        ("S02", "typed-otherwise"),
        ("S04", "sample-note"),
        ("S04", "typed-otherwise"),
        ("S05", "text-value"),
        ("S05", "typed-otherwise"),
    }
    assert asked <= set(first.review)
    assert first.pulled.report["review"] == len(first.pulled.report["review_items"])


def test_a_haemolysed_sample_still_counts(later: Told) -> None:
    """It is listed for review; until then its value counts as ruled."""
    assert later.review["S04", "sample-note"] == 1
    assert later.used("S04", "week-1", "ast") == [("Observation/lr-160913-0196-ast", None, "455")]


def test_a_text_gives_no_value(later: Told) -> None:
    """S05's fibrinogen "does not clot" is set aside and asked about."""
    assert ("text-value", "Observation/lr-170324-0643-fibrino") in later.set_aside
    assert later.review["S05", "text-value"] == 1


def test_the_pull_is_whole_and_says_that_something_was_set_aside(first: Told, later: Told) -> None:
    """Everything was read; one text cannot be used: exit 3."""
    assert [(one.pulled.report["complete"], one.pulled.exit_code) for one in (first, later)] == [(True, 3)] * 2


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    """Nothing is new, changed or withdrawn; the scores are the same to the last byte but for the mark."""
    ward = Ward.at(tmp_path)
    ward.pull(*FIRST)
    before = told(ward, *LATER)
    again = told(ward, *LATER)
    assert [again.pulled.report[key] for key in ("new", "changed", "withdrawn")] == [0, 0, 0]
    assert without_marks(again.scored) == without_marks(before.scored)


def test_an_old_file_undoes_no_correction_and_no_withdrawal(tmp_path: Path) -> None:
    """The first file comes once more after the later one."""
    ward = Ward.at(tmp_path)
    ward.pull(*FIRST)
    ward.pull(*LATER)
    after = told(ward, *FIRST)
    assert [after.pulled.report[key] for key in ("new", "changed", "withdrawn")] == [0, 0, 0]
    assert (after.bounds("S01", "month-1"), after.bounds("S06", "month-1")) == ((62, 97), (0, 35))


def test_the_order_of_lines_and_files_changes_no_score(tmp_path: Path, later: Told) -> None:
    """Everything in one file, shuffled: patients behind their results, withdrawals before what they withdraw."""
    lines = [*FIRST, *LATER]
    random.Random(7).shuffle(lines)
    shuffled = told(Ward.at(tmp_path), *lines)
    assert without_marks(shuffled.scored) == without_marks(later.scored)


def without_marks(run: Run) -> Any:
    """The scores and changes, without the mark of the pull."""
    return [{**one, "as_of": None} for one in run.report["scores"]], run.report["changes"]


def test_no_row_of_the_doses_is_lost(tmp_path: Path) -> None:
    """73 doses were given and one was not."""
    assert given(mapped(Person.at(tmp_path / "home"), TRIAL)) == {"completed": 73, "not-done": 1}


def mapped(person: Person, trial: str | Path) -> Run:
    """Map the trial to lines on standard output."""
    return person.runs("map", "--trial", trial, "--out", "-")


def given(run: Run) -> dict[str, int]:
    """How many MedicationAdministrations have each status."""
    resources = [json.loads(line) for line in run.out.splitlines()]
    return dict(Counter(one["status"] for one in resources if one["resourceType"] == "MedicationAdministration"))


def one_dose(folder: Path, written: str) -> Path:
    """A copy of the trial in which S01's first dose is another one."""
    trial = shutil.copytree(SEED, folder / TRIAL)
    doses = trial / "data" / "ec.csv"
    text = doses.read_text(encoding="utf-8")
    doses.write_text(text.replace("S01,rhIL-2,Y,100,万IU,", f"S01,rhIL-2,Y,{written},", 1), encoding="utf-8")
    return trial


@pytest.mark.parametrize(
    "written",
    [
        "99.9999,万IU",
        "100.0001,万IU",
        "10,万IU",
        "1000000,万IU",
        "1,mIU",
        "1000000,mIU",
        "1,MIU",
        "100,IU",
        "100,",
        ",",
        "<100,万IU",
        "100,百万IU",
    ],
)
def test_any_other_dose_is_an_issue(tmp_path: Path, written: str) -> None:
    """Anything but exactly 1,000,000 IU is set aside with its row, and 72 doses are left."""
    person = Person.at(tmp_path / "home")
    trial = one_dose(tmp_path, written)
    report = person.runs("map", "--trial", trial, "--format", "json")
    places = [(issue["where"]["file"], issue["where"]["line"]) for issue in report.set_aside]
    assert report.exit_code == 3
    assert places == [("ec.csv", 3)]
    assert given(mapped(person, trial)) == {"completed": 72, "not-done": 1}


@pytest.mark.parametrize("written", ["100.0,万IU", "100.00000,万IU"])
def test_zeros_are_no_other_dose(tmp_path: Path, written: str) -> None:
    """100.0 times 10,000 IU are exactly 1,000,000 IU."""
    person = Person.at(tmp_path / "home")
    run = mapped(person, one_dose(tmp_path, written))
    assert (run.exit_code, given(run)) == (0, {"completed": 73, "not-done": 1})

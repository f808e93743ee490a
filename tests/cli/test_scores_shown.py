"""What `score` shows and takes: published cut-offs by name, whole headings, words that are no verdict, a singular."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fhir_adapter.cli import show
from fhir_adapter.scores import CUTOFF_PRESETS
from tests.stories.commands import Person, Run

pytestmark = pytest.mark.measured_runs

SEED = Path(__file__).resolve().parents[2] / "mappings" / "trials" / "nct02569463"
RESULT = {
    "resourceType": "Observation",
    "id": "made-up",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
    "subject": {"reference": "Patient/made-up"},
    "effectiveDateTime": "2024-01-10",
    "valueQuantity": {"value": 7000, "unit": "ng/mL", "system": "http://unitsofmeasure.org", "code": "ng/mL"},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of one made-up result."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps(RESULT), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The scores of the seed trial from typed values, with every other rule, on a screen of 80 columns."""
    folder = tmp_path_factory.mktemp("seed")
    trial = shutil.copytree(SEED, folder / SEED.name)
    return Person.at(folder / "home").runs("score", "--trial", trial, "--sensitivity", COLUMNS="80")


@pytest.mark.parametrize("name", CUTOFF_PRESETS)
def test_a_published_cutoff_has_a_name(tmp_path: Path, file: Path, name: str) -> None:
    """Instead of its points."""
    run = Person.at(tmp_path / "home").runs("score", "--input", file, "--cutoff", name, "--format", "json")
    assert (run.exit_code, run.report["cutoff"]) == (0, CUTOFF_PRESETS[name][0])


@pytest.mark.parametrize("name", ["icu", "338", "-1", "169.0", ""])
def test_a_cutoff_that_is_none_lists_those_that_are(tmp_path: Path, file: Path, name: str) -> None:
    """With their sources, and as a mistake of the command."""
    run = Person.at(tmp_path / "home").runs("score", "--input", file, f"--cutoff={name}")
    assert run.exit_code == 2
    assert [word for pair in CUTOFF_PRESETS.items() for word in (pair[0], pair[1][1]) if word not in run.err] == []


def test_the_help_names_every_published_cutoff(tmp_path: Path) -> None:
    """With its points."""
    run = Person.at(tmp_path / "home").runs("score", "--help", COLUMNS="300")
    known = [f"{name} ({points}" for name, (points, _) in CUTOFF_PRESETS.items()]
    assert [one for one in known if one not in run.out] == []


def test_a_heading_is_whole_on_a_narrow_screen(seed: Run) -> None:
    """It may be broken between words, never cut."""
    assert "without marrow ┃\n" in seed.out.partition("Other rules")[2]


def test_a_change_is_lower_or_higher_and_no_verdict(seed: Run) -> None:
    """As the report says it; a response is not for the program to say."""
    assert "│ lower " in seed.out
    assert "│ improved" not in seed.out


def test_one_remark_is_one(seed: Run) -> None:
    """Not `1 remarks`."""
    assert "1 subject without a score:" in seed.err
    assert [show.counted(number, "remarks on the table") for number in (1, 2)] == [
        "1 remark on the table",
        "2 remarks on the table",
    ]


def test_a_page_of_a_search_is_a_remark(tmp_path: Path) -> None:
    """The score is made, and the exit code is that of a warning."""
    page = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": "https://made-up.test?page=2"}],
        "entry": [{"resource": RESULT}],
    }
    path = tmp_path / "page.json"
    path.write_text(json.dumps(page), encoding="utf-8")
    run = Person.at(tmp_path / "home").runs("score", "--input", path)
    assert (run.exit_code, "1 remark:" in run.err, "page.json" in run.err) == (0, True, True)

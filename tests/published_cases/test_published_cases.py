"""What the program answers for published cases: its bounds, the published number, and the documented difference."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from fhir_adapter.jobs.score_observations import score_file, score_observations
from fhir_adapter.scores import HScore
from fhir_adapter.scores.attainable import possible_points

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "published-cases.md"
_ROW = re.compile(r"^\| ([a-z0-9-]+) \| (\d+) \| (\d+)-(\d+) \| (inside|no sum) \| (\d+): .+ \|$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A published case: its number, our bounds, what is not stated, and whether what is not stated can give the number.

    The last is the upper bound with the haemoglobin in g/dL which was meant, where the report prints g/L.
    """

    name: str
    published: int
    low: int
    high: int
    unknown: tuple[str, ...]
    is_a_sum: bool = True
    high_in_g_per_dl: int | None = None


NOT_IN_ATTWELL = ("known_immunosuppression", "ast")
CASES = (
    Case("attwell-2021-case-1", 259, 235, 321, NOT_IN_ATTWELL, high_in_g_per_dl=311),
    Case("attwell-2021-case-2", 220, 177, 248, NOT_IN_ATTWELL, high_in_g_per_dl=238),
    Case("attwell-2021-case-3", 219, 201, 287, NOT_IN_ATTWELL, high_in_g_per_dl=277),
    Case("jaan-2023", 184, 184, 234, ("marrow_hemophagocytosis",)),
    Case("paluszkiewicz-2021", 254, 240, 307, ("known_immunosuppression", "temperature"), is_a_sum=False),
    Case("chen-pmc8914532", 218, 188, 261, ("organomegaly", "marrow_hemophagocytosis"), is_a_sum=False),
)
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
IN_G_PER_L = pytest.mark.parametrize(
    "case", [case for case in CASES if case.high_in_g_per_dl], ids=lambda case: case.name
)


def path_of(case: Case) -> Path:
    """The Bundle of this case."""
    return HERE / f"{case.name}.json"


def score_of(case: Case) -> HScore:
    """What the program answers for the Bundle, without any remark."""
    answer = score_file(path_of(case))
    assert answer.issues == ()
    [subject] = answer.subjects
    [window] = subject.windows
    return window.score


def completions(score: HScore) -> set[int]:
    """Every total that is left when each item may be any of its points within our bounds."""
    left = [[points for points in possible_points(one.item) if one.low <= points <= one.high] for one in score.items]
    return {sum(points) for points in product(*left)}


@EACH
def test_the_bounds_are_those_of_the_stated_values(case: Case) -> None:
    """Every value that the report states, and none that it does not."""
    score = score_of(case)
    assert (score.low, score.high) == (case.low, case.high)


@EACH
def test_the_published_number_lies_within_the_bounds(case: Case) -> None:
    """One number is one way to fill in what is not known, or a sum that went wrong by less than that."""
    score = score_of(case)
    assert score.low <= case.published <= score.high


@EACH
def test_whether_what_is_not_stated_can_give_the_published_number(case: Case) -> None:
    """Two numbers contradict the values that stand beside them in their own report."""
    assert (case.published in completions(score_of(case))) is case.is_a_sum


@EACH
def test_what_the_report_does_not_state_is_unknown(case: Case) -> None:
    """Missing is never counted as zero in silence."""
    assert tuple(item.item for item in score_of(case).items if item.state == "unknown") == case.unknown


@IN_G_PER_L
def test_a_haemoglobin_in_g_per_dl_is_no_low_lineage(case: Case) -> None:
    """The unit of the row is g/L, the values make sense in g/dL: ten points less at most, none less at least."""
    text = path_of(case).read_text(encoding="utf-8")
    observations = [entry["resource"] for entry in json.loads(text, parse_float=Decimal)["entry"]]
    [haemoglobin] = [one for one in observations if one["id"] == f"{case.name}-718-7"]
    haemoglobin["valueQuantity"].update(unit="g/dL", code="g/dL")
    [subject] = score_observations(observations).subjects
    [window] = subject.windows
    assert (window.score.low, window.score.high) == (case.low, case.high_in_g_per_dl)


def test_the_command_says_the_same() -> None:
    """As a process, with the options of the manual."""
    words = ("score", "--input", str(path_of(CASES[0])), "--window", "all", "--format", "json")
    done = subprocess.run([sys.executable, "-m", "fhir_adapter", *words], capture_output=True, text=True, check=True)
    [scored] = json.loads(done.stdout)["scores"]
    assert (scored["low"], scored["high"], scored["status"]) == (235, 321, "met")


def test_the_page_says_the_same() -> None:
    """Each case is one row of the table, with these numbers and their difference."""
    rows = [
        (name, int(published), int(low), int(high), verdict == "inside", int(more))
        for name, published, low, high, verdict, more in _ROW.findall(PAGE.read_text(encoding="utf-8"))
    ]
    assert rows == [
        (case.name, case.published, case.low, case.high, case.is_a_sum, case.published - case.low) for case in CASES
    ]


@IN_G_PER_L
def test_the_page_tells_the_bounds_in_g_per_dl(case: Case) -> None:
    """The section about the unit names them."""
    assert f"{case.low}-{case.high_in_g_per_dl}" in PAGE.read_text(encoding="utf-8")


def test_every_bundle_is_a_case() -> None:
    """No file without its published number."""
    assert sorted(path.stem for path in HERE.glob("*.json")) == sorted(case.name for case in CASES)

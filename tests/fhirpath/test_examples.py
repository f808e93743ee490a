"""The invariants of R4 hold on a fixed sample of the specification's own examples; all of them: `make examples`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.fhirpath.examples import CORE, EXAMPLES, Answer, questions, wrong

SAMPLE = 500
WITHOUT_ANSWER = {"ref-1", "bdl-8", "ras-2"}
"""Invariants that R4 wrote so that they are empty where an optional element is missing (docs/fhirpath-suite.md)."""


@pytest.fixture(scope="module")
def answers(packages: Path) -> tuple[list[Answer], Counter[str]]:
    """What is wrong in the sample, and how often each invariant was asked."""
    counts: Counter[str] = Counter()
    asked = questions(packages / CORE, packages / EXAMPLES, sample=SAMPLE)
    return list(wrong(asked, counts)), counts


def test_the_sample_asks_much(answers: tuple[list[Answer], Counter[str]]) -> None:
    """Of many invariants, many times."""
    _, counts = answers
    assert (len(counts) > 100, counts.total() > 100_000) == (True, True)


def test_no_invariant_raises(answers: tuple[list[Answer], Counter[str]]) -> None:
    """The engine has an answer wherever the specification asks."""
    found, _ = answers
    assert [(one.question.rule.key, one.what) for one in found if one.what.startswith("raised")] == []


def test_what_has_no_answer_is_known(answers: tuple[list[Answer], Counter[str]]) -> None:
    """Three invariants of R4 are empty where they should be true."""
    found, _ = answers
    assert {one.question.rule.key for one in found if one.what == "nothing"} <= WITHOUT_ANSWER


def test_no_invariant_is_broken(answers: tuple[list[Answer], Counter[str]]) -> None:
    """None of the examples that are wrong themselves is in the sample."""
    found, _ = answers
    assert [(one.question.rule.key, one.question.file) for one in found if one.what == "broken"] == []

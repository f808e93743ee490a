"""Whether each planted defect is found, at its place and alone, and nothing is wrong where nothing was planted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest

from fhir_adapter.validation import Validator
from tests.validation.planted_defects.judging import differences
from tests.validation.planted_defects.loading import CORPUS, Case, read_cases

CENTRAL: Final = ("ResearchStudy", "ResearchSubject", "MedicationAdministration", "Observation")
CASES: Final = read_cases("cases.ndjson")
CONTROLS: Final = read_cases("controls.ndjson")
EVERYWHERE: Final = frozenset(
    (
        *("array", "coding", "contained", "duplicate-id", "empty", "extension", "fixed", "format", "invariant"),
        *("max-length", "max-value", "max-zero", "meta", "min-value", "missing", "narrative", "null", "pattern"),
        *("r5-element", "reference-format", "reference-fragment", "reference-place", "reference-type"),
        *("required-binding", "sibling", "slice", "too-many", "trial-profile", "unknown-element", "wrong-type"),
    )
)
"""Kinds of defects that each central type has."""
SOMEWHERE: Final = frozenset(
    (
        *("bundle", "choice", "extensible-binding", "reference-profile", "score", "type-not-allowed", "unit"),
        "vital-sign",
    )
)
"""Kinds of defects that belong to some types only."""


@pytest.fixture(scope="module")
def validator() -> Validator:
    """With the profiles of the corpus."""
    return Validator([CORPUS / "profiles"])


def of_kind(kind: str) -> list[Case]:
    """The defects of one kind."""
    return [case for case in CASES if case.kind == kind]


def row(kind: str, counts: Iterable[int]) -> str:
    """A kind in the table of the page."""
    return f"| `{kind}` | {' | '.join(map(str, counts))} |"


def pairs(cases: Iterable[Case]) -> set[tuple[str, str]]:
    """Which kinds of defects stand in which types."""
    return {(case.kind, case.type) for case in cases}


def test_every_definition_of_the_corpus_can_be_used(validator: Validator) -> None:
    """None is left out for being damaged."""
    assert validator.problems == []


@pytest.mark.parametrize("kind", sorted(EVERYWHERE | SOMEWHERE))
def test_a_planted_defect_is_found_at_its_place_and_alone(validator: Validator, kind: str) -> None:
    """With its severity, code and rule, and no error beside it."""
    assert differences(validator, of_kind(kind)) == {}


@pytest.mark.parametrize("kind", [*CENTRAL, "Bundle"])
def test_nothing_is_wrong_where_nothing_was_planted(validator: Validator, kind: str) -> None:
    """Neighbours of the defects that are right."""
    assert differences(validator, [case for case in CONTROLS if case.type == kind]) == {}


def test_every_kind_of_defect_stands_in_every_type_that_can_have_it() -> None:
    """No kind is tested in one type only where four have it."""
    assert pairs(CASES) >= {(kind, one) for kind in EVERYWHERE for one in CENTRAL}
    assert {case.kind for case in CASES} == EVERYWHERE | SOMEWHERE


def test_the_corpus_is_as_large_as_it_says() -> None:
    """At least 150 defects and 60 controls; no id and no resource stands twice."""
    every = [*CASES, *CONTROLS]
    ids = Counter(case.id for case in every)
    resources = Counter(json.dumps([case.base, case.patch, case.profiles], default=str) for case in every)

    assert len(CASES) >= 150
    assert len(CONTROLS) >= 60
    assert max(ids.values()) == 1
    assert max(resources.values()) == 1


def test_the_readme_counts_right() -> None:
    """What the page says of the corpus, in whole and by kind and type."""
    text = (CORPUS / "README.md").read_text(encoding="utf-8")
    counts = Counter((case.kind, case.type) for case in CASES)
    rows = {row(kind, [counts[kind, one] for one in (*CENTRAL, "Bundle")]) for kind in EVERYWHERE | SOMEWHERE}

    assert f"{len(CASES)} defects" in text
    assert f"{len(CONTROLS)} controls" in text
    assert f"{len(rows)} kinds" in text
    assert rows <= set(text.splitlines())

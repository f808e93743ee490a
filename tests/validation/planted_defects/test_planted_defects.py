"""Whether each planted defect is found, at its place and alone, and nothing is wrong where nothing was planted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.validation import Validator

CORPUS = Path(__file__).parents[2] / "data" / "planted-defects"
CENTRAL = {"ResearchStudy", "ResearchSubject", "MedicationAdministration", "Observation"}
Json = dict[str, Any]


def read(name: str) -> list[Json]:
    """The lines of a file of the corpus."""
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


CASES, CONTROLS = read("cases.ndjson"), read("controls.ndjson")


@pytest.fixture(scope="module")
def validator() -> Validator:
    """With the profiles of the corpus."""
    return Validator([CORPUS / "profiles"])


def planted(case: Json) -> Any:
    """The base of a case with its patch (RFC 6902: add, replace, remove)."""
    resource = fhirjson.loads((CORPUS / "bases" / f"{case['base']}.json").read_bytes())
    for change in fhirjson.loads(json.dumps(case["patch"])):
        *way, last = (int(step) if step.isdigit() else step for step in change["path"].split("/")[1:])
        holder = resource
        for step in way:
            holder = holder[step]
        if change["op"] == "remove":
            del holder[last]
        else:
            holder[last] = change["value"]
    return resource


def found(issues: list[Issue]) -> set[tuple[str, str | None, str]]:
    """Severity, expression and code of each issue."""
    return {(issue.severity, issue.where.expression, issue.code) for issue in issues}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_planted_defect_is_found_at_its_place_and_alone(validator: Validator, case: Json) -> None:
    """With its severity and code, and no error beside it."""
    expected = (case["expect"]["severity"], case["expect"]["expression"], case["expect"]["code"])

    issues = found(validator.check(planted(case), case["profiles"]))

    errors = {one for one in issues if one[0] == "error"}
    assert expected in issues
    assert errors <= {expected}


@pytest.mark.parametrize("case", CONTROLS, ids=[case["id"] for case in CONTROLS])
def test_nothing_is_wrong_where_nothing_was_planted(validator: Validator, case: Json) -> None:
    """Neighbours of the defects that are right."""
    issues = found(validator.check(planted(case), case["profiles"]))

    assert {one for one in issues if one[0] == "error"} == set()


def test_the_corpus_is_as_large_as_it_says() -> None:
    """At least 150 defects and 60 controls; every central type has most kinds; no id stands twice."""
    kinds = {
        kind: {case["type"] for case in CASES if case["kind"] == kind} for kind in {case["kind"] for case in CASES}
    }
    ids = Counter(case["id"] for case in [*CASES, *CONTROLS])

    assert len(CASES) >= 150
    assert len(CONTROLS) >= 60
    assert {case["type"] for case in CASES} >= CENTRAL
    assert sum(types >= CENTRAL for types in kinds.values()) >= 18
    assert max(ids.values()) == 1


def test_the_readme_counts_right() -> None:
    """What the page says of the corpus."""
    text = (CORPUS / "README.md").read_text(encoding="utf-8")

    assert f"{len(CASES)} defects" in text
    assert f"{len(CONTROLS)} controls" in text
    assert f"{len({case['kind'] for case in CASES})} kinds" in text

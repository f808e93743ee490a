"""The examples of the profiles: each valid one passes, each invalid one fails where and as it is meant to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.validation import Validator
from tests.profiles.defects import DEFECTS, EXAMPLES, INVALID, OURS, Defect, invalid_files

VALID = sorted(EXAMPLES.glob("*.json"))
NAMED = {
    *("trial-study", "trial-site-study", "trial-eligibility", "trial-patient", "trial-subject", "trial-visit"),
    *("trial-dose", "trial-missed-dose", "trial-medication", "trial-laboratory-result", "trial-vital-sign"),
    *("trial-finding", "trial-adverse-event", "trial-provenance", "hscore-score"),
}


@pytest.fixture(scope="module")
def validator() -> Validator:
    """R4 and the project's own profiles."""
    return Validator()


def errors(issues: Sequence[Issue]) -> list[tuple[str, str | None, str | None]]:
    return [(one.code, one.where.expression, one.rule) for one in issues if one.severity in ("error", "fatal")]


def profile_of(file: Path) -> str:
    """The profile that an example is of: the one of ours that it names."""
    named = fhirjson.loads(file.read_bytes())["meta"]["profile"]
    return str(next(one for one in named if one.startswith(OURS)).removeprefix(OURS))


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_example_has_no_error(validator: Validator, file: Path) -> None:
    """As the program writes it."""
    assert errors(validator.check(fhirjson.loads(file.read_bytes()))) == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.file)
def test_an_invalid_example_has_the_error_it_was_made_for(validator: Validator, defect: Defect) -> None:
    """At its place, by its rule."""
    resource = fhirjson.loads((INVALID / f"{defect.file}.json").read_bytes())
    found = errors(validator.check(resource, profiles=defect.asked))
    assert [one for one in found if one[:2] == (defect.code, defect.expression) and defect.rule in (one[2], "")]


def test_every_profile_has_valid_and_invalid_examples() -> None:
    """Nobody has to guess what a profile allows."""
    assert {profile_of(file) for file in VALID} == NAMED
    assert {profile_of(EXAMPLES / f"{one.example}.json") for one in DEFECTS} == NAMED


def test_the_invalid_examples_are_those_of_the_table() -> None:
    """One change each, written by `python -m tests.profiles.defects`."""
    assert {file.name: file.read_text(encoding="utf-8") for file in INVALID.glob("*.json")} == invalid_files()


def test_examples_are_labelled() -> None:
    """Made up, or of the public study: nobody takes an example for a patient."""
    labels = {one["code"] for file in VALID for one in fhirjson.loads(file.read_bytes())["meta"]["security"]}
    assert labels == {"HTEST", "ANONYED"}

"""FHIR Schema's own cases find their errors, and no others, at the same places."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.validation.validator import Validator
from tests.validation.fhir_schema.translating import Case, code_of, read_suite
from tests.validation.hl7_cases.places import normalised

FILES = (
    "1_elements.json",
    "2_base.json",
    "3_choices.json",
    "4_required.json",
    "5_slices.json",
    "6_extensions.json",
    "7_bundles.json",
)
OF_FHIR_ALONE = {"full-url", "contained-id"}
"""Rules of FHIR that are in no schema: an entry of a Bundle has an address, and a contained resource an id."""


def ask(validator: Validator, case: Case) -> set[tuple[str, str]]:
    """What our validator finds, in FHIR Schema's words."""
    errors = [one for one in validator.check(case.resource, case.profiles) if one.is_error]
    return {
        (code_of(one.code), normalised(one.where.expression or "")) for one in errors if one.code not in OF_FHIR_ALONE
    }


@pytest.mark.parametrize("file", FILES)
def test_the_errors_are_those_of_fhir_schema(shared_data: Path, tmp_path: Path, file: str) -> None:
    """Kind and place of every error of every test in the file."""
    suite = read_suite(shared_data / "fhir-schema" / file)
    for number, definition in enumerate(suite.definitions):
        (tmp_path / f"{number}.json").write_bytes(fhirjson.dumps(definition))
    validator = Validator([tmp_path])

    assert [(case.name, ask(validator, case)) for case in suite.cases] == [
        (case.name, set(case.errors)) for case in suite.cases
    ]


def test_all_cases_are_there(shared_data: Path) -> None:
    """56 tests, of which FHIR Schema itself skips one."""
    suites = [read_suite(shared_data / "fhir-schema" / file) for file in FILES]
    assert sum(len(suite.cases) for suite in suites) == 55

"""The official FHIRPath suite for R4: every test of it, and no exception."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fhirpath.official import Case, cases, read_input

PACKAGE = Path(__file__).parents[2] / "fhir_adapter" / "fhirpath"
ANSWERED = tuple(case for case in cases() if case.refused is None)
REFUSED = tuple(case for case in cases() if case.refused is not None)
NEVER_EQUAL = ("testDateNotEqualTimeSecond", "testDateNotEqualTimeMinute")
"""Compare a date with a time: a value for the suite, an error in strict mode, which the suite does not ask of them."""


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.name)
def test_the_suite_gets_its_answer(case: Case) -> None:
    """Values, types and order as the suite has them."""
    assert case.difference() == ""


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_the_suite_is_refused_where_it_must_be(case: Case) -> None:
    """In strict mode, with the type of the resource."""
    assert case.difference(strict=True) == ""


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.name)
def test_strict_mode_refuses_nothing_that_has_an_answer(case: Case) -> None:
    """The same values, but for two comparisons that can never hold."""
    assert (case.difference(strict=True) != "") == (case.name in NEVER_EQUAL)


@pytest.mark.parametrize("name", ["patient-example", "codesystem-example"])
def test_xml_and_json_of_a_resource_are_read_alike(name: str) -> None:
    """Apart from the white space of texts, which the suite's two forms do not share."""
    xml, json = (read_input(f"{name}.{form}") for form in ("xml", "json"))
    assert without_space(without_narrative(xml)) == without_space(without_narrative(json))


def without_narrative(resource: dict[str, object]) -> dict[str, object]:
    """What a resource says for machines."""
    return {key: value for key, value in resource.items() if key != "text"}


def without_space(value: object) -> str:
    """A value as one text without white space."""
    return re.sub(r"\s+|\\[nrt]", "", repr(value))


def test_decimals_of_xml_keep_their_digits() -> None:
    """`1.0` stays one digit longer than `1`."""
    assert str(read_input("parameters-example-types.xml")["parameter"][3]["valueDecimal"]) == "1.0"


def test_the_suite_is_whole() -> None:
    """As many tests as its file holds."""
    assert (len(ANSWERED), len(REFUSED)) == (900, 35)


def test_the_engine_names_no_test() -> None:
    """No answer is made for a test."""
    sources = "\n".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    assert [case.name for case in cases() if re.search(rf"\b{re.escape(case.name)}\b", sources)] == []

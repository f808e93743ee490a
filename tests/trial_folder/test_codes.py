"""What words, tests and units mean is looked up in the trial's tables, and never guessed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fhir_adapter.issues import Rejected
from fhir_adapter.trial_folder import Code, Codes, Panel, read_trial_folder
from tests.made_up import MADE_UP

SNOMED = "http://snomed.info/sct"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.fixture(scope="module")
def codes() -> Codes:
    """The tables of the made-up trial."""
    return read_trial_folder(MADE_UP).codes


def rejected(look_up: Callable[[], object]) -> tuple[str, str, str | None]:
    """Code, message and rule of a refused look-up."""
    with pytest.raises(Rejected) as caught:
        look_up()
    (issue,) = caught.value.issues
    return issue.code, issue.message, issue.rule


@pytest.mark.parametrize(
    ("table", "word", "expected"),
    [
        ("sex", "M", (Code("", "male"),)),
        ("indicator", "HIGH", (Code(INTERPRETATION, "H", "High"),)),
        ("position", "SUPINE", (Code(SNOMED, "40199007", "Supine body position"),)),
        ("causality", "RELATED", ()),
        ("disposition_counts", "", (Code("", "milestone"),)),
    ],
)
def test_a_word_has_the_codes_of_its_table(codes: Codes, table: str, word: str, expected: tuple[Code, ...]) -> None:
    """A code alone, a code with display and system, or none where the words suffice."""
    assert codes.of(table, word) == expected


def test_a_word_may_have_several_codes() -> None:
    """A list gives one code per terminology."""
    two = (Code(SNOMED, "1"), Code("http://loinc.org", "2-0"))
    assert Codes({"route": {"ORAL": two}}, {}, (), {}, {}).of("route", "ORAL") == two


@pytest.mark.parametrize("table", ["sex", "nowhere"])
def test_a_word_that_no_table_lists_is_rejected(codes: Codes, table: str) -> None:
    """The message names the word, the table and the file."""
    expected = ("unmapped-code", f"'X' is not in the map {table!r} of codes.yaml", f"maps.{table}")
    assert rejected(lambda: codes.of(table, "X")) == expected


def test_words_are_not_compared_loosely(codes: Codes) -> None:
    """Neither case nor blanks are forgiven: another word may mean another thing."""
    assert [rejected(lambda word=word: codes.of("sex", word))[0] for word in ("m", " M")] == ["unmapped-code"] * 2  # type: ignore[misc]


def test_a_plain_code_element_takes_the_one_code(codes: Codes) -> None:
    """Elements such as gender take a single code."""
    assert codes.one("sex", "F") == "female"


def test_a_plain_code_element_needs_exactly_one(codes: Codes) -> None:
    """Text alone cannot fill an element that is a code."""
    expected = ("unmapped-code", "'RELATED' in the map 'causality' needs exactly one code", "maps.causality")
    assert rejected(lambda: codes.one("causality", "RELATED")) == expected


def test_a_test_has_its_loinc_code_and_its_unit_when_none_is_written(codes: Codes) -> None:
    """A test without unit says in which UCUM unit it is to be read."""
    test = codes.test("COLOR")
    assert test.codes == (Code("http://loinc.org", "5778-6", "Color of Urine"),)
    assert test.unitless == "1"


def test_a_test_may_have_no_loinc_code(codes: Codes) -> None:
    """The source's own code is enough."""
    assert codes.test("OWN").codes == ()


def test_an_unmapped_test_is_rejected(codes: Codes) -> None:
    """A test that codes.yaml does not list is not sent."""
    expected = ("unmapped-test", "the test 'XXX' is not under tests in codes.yaml", "tests")
    assert rejected(lambda: codes.test("XXX")) == expected


def test_a_panel_names_its_members(codes: Codes) -> None:
    """A blood pressure is made of its two parts, in that order."""
    code = Code("http://loinc.org", "85354-9", "Blood pressure panel with all children optional")
    assert codes.panels == (Panel("BP", "Blood pressure", (code,), ("SYSBP", "DIABP")),)


def test_a_unit_has_its_ucum_code(codes: Codes) -> None:
    """Degrees Fahrenheit are [degF]."""
    assert codes.unit("F") == "[degF]"


@pytest.mark.parametrize("unit", ["K/uL", "MG/DL", ""])
def test_b26_an_unmapped_unit_is_rejected(codes: Codes, unit: str) -> None:
    """A unit is never guessed: K/uL is no kelvin, and nothing is no unit."""
    expected = ("unmapped-unit", f"the unit {unit!r} is not under units in codes.yaml", "units")
    assert rejected(lambda: codes.unit(unit)) == expected

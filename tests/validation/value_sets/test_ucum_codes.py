"""Which texts can be UCUM codes."""

from __future__ import annotations

import pytest

from fhir_adapter.validation.value_sets import ValueSets
from fhir_adapter.validation.value_sets.answers import NO, YES
from fhir_adapter.validation.value_sets.ucum_codes import ucum_code

READ = ["1", "%", "/min", "10*9/L", "mm[Hg]", "mL/min/{1.73_m2}", "mg/kg/(24.h)", "{score}", "[iU]/L", "ug/L", "Cel"]
NOT_READ = ["[in_i'H2O]", "U/(10.g){feces}", "{clock time}", "{3 times}/d", "foo", "[foo]/L", "B[SPL]", "a" * 300]
NONE = ["", "/", "mg//dL", "m2.", "(m", "m)", "mg dl", "m(s)", "{a}{b}", "()", "°C", "µg", "g.(", "mg/{个}", "k g"]
MISNAMED = ["mcg", "IU/L", "mmHg", "cells/uL", "cc", "mcg/mL", "10*9.cells/L", "hr"]


@pytest.mark.parametrize("code", READ)
def test_units_that_are_read_are_known(code: str) -> None:
    """This program converts them."""
    assert ucum_code(code) == YES


@pytest.mark.parametrize("code", NOT_READ)
def test_units_that_are_not_read_cannot_be_told(code: str) -> None:
    """They follow the grammar, and the table of all units is not at hand."""
    assert ucum_code(code).why == "the table of all UCUM units is not at hand"


@pytest.mark.parametrize("code", NONE)
def test_what_breaks_the_grammar_is_no_unit(code: str) -> None:
    """Operators without a unit beside them, parentheses that do not match, letters that UCUM does not use."""
    assert ucum_code(code) == NO


@pytest.mark.parametrize("code", MISNAMED)
def test_what_laboratories_write_for_a_unit_is_none(code: str) -> None:
    """`mcg` is ug, `IU` is [iU], cells stand in braces."""
    assert ucum_code(code) == NO


def test_no_unit_that_hl7_lists_is_refused(r4: ValueSets) -> None:
    """R4 lists 1,363 common units, some with blanks in their annotations."""
    listed = r4.expansion("http://hl7.org/fhir/ValueSet/ucum-common")
    codes = ["{# of fetuses}", "{P2Y12 Reaction Units}", "g/(8.h){shift}", "[arb'U]/mL"]
    assert [listed.holds("http://unitsofmeasure.org", code) for code in codes] == [YES] * 4
    assert NO not in [ucum_code(code) for code in codes]

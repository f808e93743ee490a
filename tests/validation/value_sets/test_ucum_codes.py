"""Which texts can be UCUM codes."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

from fhir_adapter.validation import value_sets
from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.value_sets.answers import NO, YES
from fhir_adapter.validation.value_sets.ucum_codes import ucum_code, units

UNITS = ["1", "%", "/min", "10*9/L", "mm[Hg]", "mL/min/{1.73_m2}", "mg/kg/(24.h)", "{score}", "[iU]/L", "ug/L", "Cel"]
UNITS += [
    "[in_i'H2O]",
    "U/(10.g){feces}",
    "{clock time}",
    "{3 times}/d",
    "B[SPL]",
    "dag",
    "KiBy",
    "kU/L",
    "10^3/uL",
    "G/L",
]
NONE = ["", "/", "mg//dL", "m2.", "(m", "m)", "mg dl", "m(s)", "{a}{b}", "()", "°C", "µg", "g.(", "mg/{个}", "k g"]
NONE += ["foo", "[foo]/L", "UG/L", "KG", "ukg", "24h", "k", "a" * 300, "k[in_i]"]
MISNAMED = ["mcg", "IU/L", "mmHg", "cells/uL", "cc", "mcg/mL", "10*9.cells/L", "hr", "mM", "sec", "days", "ppm", "bpm"]


@pytest.mark.parametrize("code", UNITS)
def test_units_are_known_with_their_prefixes(code: str) -> None:
    """Alone, behind a prefix where they are metric, with exponents and annotations."""
    assert ucum_code(code) == YES


@pytest.mark.parametrize("code", NONE)
def test_what_is_no_unit(code: str) -> None:
    """Operators without a unit beside them, parentheses that do not match, symbols and prefixes that UCUM lacks."""
    assert ucum_code(code) == NO


@pytest.mark.parametrize("code", MISNAMED)
def test_what_laboratories_write_for_a_unit_is_none(code: str) -> None:
    """`mcg` is ug, `IU` is [iU], cells stand in braces."""
    assert ucum_code(code) == NO


def test_every_unit_that_hl7_lists_is_one() -> None:
    """R4 lists its common units one by one, some with blanks in their annotations."""
    listed = Definitions.of().value_set("http://hl7.org/fhir/ValueSet/ucum-common")
    assert listed is not None
    codes = [concept["code"] for include in listed["compose"]["include"] for concept in include["concept"]]
    assert len(codes) == 1364
    assert [code for code in codes if ucum_code(code) != YES] == []


def test_the_table_of_units_is_as_published() -> None:
    """Its licence forbids any change: version 2.2, seven base units and 305 others, 24 prefixes, and the licence."""
    folder = files(value_sets) / "ucum"
    digest = hashlib.sha256((folder / "ucum-essence.xml").read_bytes()).hexdigest()
    assert digest == "dfccea1b5dc284245ebae97edd1dc03c45864da4e87df55bc9851797b4fd0b61"
    assert "UCUM Copyright Notice and License" in (folder / "LICENSE.md").read_text(encoding="utf-8")
    assert (len(units().every), len(units().prefixes)) == (312, 24)

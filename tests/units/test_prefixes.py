"""Every prefix of the metric system, against its power of ten."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import fhir_adapter
from fhir_adapter.units import convert
from fhir_adapter.units.scales import Scale, read_scale

UCUM = "{http://unitsofmeasure.org/ucum-essence}"
TABLE = ET.parse(Path(fhir_adapter.__path__[0]) / "validation" / "value_sets" / "ucum" / "ucum-essence.xml")  # noqa: S314  our own file
PREFIXES = {
    one.attrib["Code"]: Fraction(one.find(f"{UCUM}value").attrib["value"])  # type: ignore[union-attr]  # always there
    for one in TABLE.iter(f"{UCUM}prefix")
    if not one.attrib["Code"].endswith("i")  # of bytes
}


@pytest.mark.parametrize(
    ("unit", "factor"), [("fg", 10**15), ("pg", 10**12), ("ng", 10**9), ("ug", 10**6), ("mg", 10**3)]
)
def test_a_gram_is_so_many_of_a_smaller_unit(unit: str, factor: int) -> None:
    """There and back compares a prefix only with itself."""
    assert convert(Decimal(1), "g", unit) == Fraction(factor)


def test_the_prefixes_of_ucum_are_twenty() -> None:
    """Those of its own table, without the ones of bytes."""
    assert len(PREFIXES) == 20


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_metre_with_a_prefix_is_what_ucum_says(prefix: str) -> None:
    """By the table of UCUM itself."""
    assert read_scale(f"{prefix}m") == Scale(PREFIXES[prefix], (("m", 1),))

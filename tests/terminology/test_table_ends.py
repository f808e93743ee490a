"""Where a row of the tables ends: limits, doubts and the older URIs of systems, each on both sides."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fhir_adapter.terminology import analytes, match_codes, normalise, numbers_in_text, present_of
from fhir_adapter.trial import Interval


@pytest.mark.parametrize("name", [name for name, one in analytes().items() if one.limits.high is None])
def test_less_than_one_of_a_count_or_an_enzyme_can_be(name: str) -> None:
    """Nothing at all is the only limit of what the score does not count."""
    unit = analytes()[name].unit
    assert normalise(name, "0.5", unit).interval == Interval.of(Fraction("0.5"))


@pytest.mark.parametrize(
    ("value", "unit", "doubtful"),
    [
        *(("10", "g/L", 1), ("10", "mg/mL", 1), ("25", "g/L", 1), ("25", "mg/mL", 1)),
        *(("25.1", "g/L", 0), ("26", "g/L", 0), ("1", "g/dL", 0)),
    ],
)
def test_a_haemoglobin_that_may_be_meant_in_g_per_dl_is_doubted(value: str, unit: str, doubtful: int) -> None:
    """From 10 to 25, both included, when it came in grams a litre."""
    assert sum("possibly g/dL" in flag for flag in normalise("hemoglobin", value, unit).flags) == doubtful


def test_the_purl_of_the_phenotype_ontology_is_its_system_too() -> None:
    """Older servers write it."""
    assert match_codes([("http://purl.obolibrary.org/obo/hp.owl", "HP:0002240")]).name == "hepatomegaly"


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("http://hl7.org/fhir/v2/0136", "Y"),
        ("http://hl7.org/fhir/v3/ObservationInterpretation", "POS"),
        ("http://hl7.org/fhir/v2/0078", "POS"),
    ],
)
def test_an_answer_with_the_uri_of_an_older_fhir_is_read(system: str, code: str) -> None:
    """DSTU2 and STU3 named the same tables otherwise."""
    assert present_of([(system, code)]) is True


def test_a_text_of_sixty_four_characters_is_still_read_and_no_longer_one() -> None:
    """Whatever is longer is no number."""
    longest = " " * 62 + "38"
    assert (numbers_in_text(longest), numbers_in_text(f" {longest}")) == ((None, "38", ""), None)

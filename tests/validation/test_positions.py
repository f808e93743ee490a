"""Where in a JSON text an expression leads."""

from __future__ import annotations

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.validation.positions import Positions

TEXT = b"""\
{
  "resourceType": "Observation", "status": "final",
  "_status": {"id": "s"},
  "extension": [
    {"url": "http://a.example/one", "valueCode": "x"},
    {"url": "http://a.example/two.three", "valueCode": "y"}
  ],
  "component": [
    {"valueQuantity": {"value": 1.50, "unit": "\\u00b5g \\"}]"}},
    {"code": {"text": "m\xc3\xbc"}, "valueString": "z"}
  ]
}
"""


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        (None, (1, 1)),
        ("Observation", (1, 1)),
        ("Observation.status", (2, 34)),
        ("Observation.component[1]", (10, 5)),
        ("Observation.component[0].value.ofType(Quantity).unit", (9, 39)),
        ("Observation.component[1].value", (10, 30)),
        ("Observation.component[1].code.text", (10, 15)),
        ("Observation.extension('http://a.example/two.three').value", (6, 43)),
        ("Observation.extension('http://a.example/none').value", (4, 3)),
        ("Observation.component.value", (9, 6)),
        ("Observation.component[1].value.missing", (10, 30)),
        ("Observation.component[9].value", (8, 3)),
        ("Observation.nothing.at.all", (1, 1)),
        ("Observation.component[999999999999]", (8, 3)),
        ("no expression (", (1, 1)),
    ],
)
def test_an_expression_leads_to_line_and_column(expression: str | None, place: tuple[int, int]) -> None:
    """As far as it goes: what is missing is told of what it is missing from."""
    assert Positions(TEXT, fhirjson.loads(TEXT)).of(expression) == place


def test_places_are_the_same_in_whatever_order_they_are_asked() -> None:
    """Each part of the text is read once, and what was read is used again."""
    last_first = Positions(TEXT, fhirjson.loads(TEXT))
    asked = [last_first.of("Observation.component[1].value"), last_first.of("Observation.status")]

    assert asked == [(10, 30), (2, 34)]


def test_a_mark_of_the_byte_order_is_no_column() -> None:
    """Editors do not show it."""
    text = b'\xef\xbb\xbf{"resourceType":"Patient"}'

    assert Positions(text, fhirjson.loads(text)).of("Patient.resourceType") == (1, 2)

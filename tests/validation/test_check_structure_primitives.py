"""Which texts and numbers the structural check accepts as values of the primitive types of R4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.validation import check_structure

RIGHT = [
    ("valueDateTime", "2024"),
    ("valueDateTime", "2024-02"),
    ("valueDateTime", "2024-02-29"),
    ("valueDateTime", "2023-02-28T10:00:00Z"),
    ("valueDateTime", "2016-12-31T23:59:60Z"),
    ("valueDateTime", "2023-02-28T10:00:00.123456789+14:00"),
    ("valueDate", "2000-02-29"),
    ("valueInstant", "2023-02-28T00:00:00-05:00"),
    ("valueTime", "23:59:60"),
    ("valueTime", "00:00:00.5"),
    ("valueId", "a" * 64),
    ("valueId", "A-1.b"),
    ("valueUri", "urn:oid:1.2.3"),
    ("valueUri", "http://example.org/用户"),
    ("valueCode", "a b"),
    ("valueOid", "urn:oid:2.16.840"),
    ("valueUuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    ("valueBase64Binary", "AAAA"),
    ("valueBase64Binary", "AAA=\n"),
    ("valueBase64Binary", "AAAA\r\nAA=="),
    ("valuePositiveInt", 1),
    ("valueUnsignedInt", 0),
    ("valueInteger", -2147483648),
    ("valueInteger", Decimal("-0")),
    ("valueString", "阳性 \u3000 naïve 👩\u200d⚕️ O'Brien\tline\r\nline"),
    ("valueString", "\u202eturned"),
    ("valueString", "CARDIOsphere\x99"),
    ("valueString", "x" * 200),
    ("valueMarkdown", "# a\n\nb\u00a0c"),
]

WRONG = [
    ("valueDateTime", "2023-02-29", "format"),
    ("valueDateTime", "1900-02-29", "format"),
    ("valueDateTime", "2023-04-31", "format"),
    ("valueDateTime", "0000-01-01", "format"),
    ("valueDateTime", "2023-02-28T24:00:00Z", "format"),
    ("valueDateTime", "2023-02-28T10:00:00", "format"),
    ("valueDateTime", "2023-02-28T10:00Z", "format"),
    ("valueDateTime", "2023-02-28T10:00:61Z", "format"),
    ("valueDateTime", "2023-02-28 10:00:00Z", "format"),
    ("valueDateTime", "2023-2-8", "format"),
    ("valueDateTime", "2023-02-28T10:00:00+15:00", "format"),
    ("valueDateTime", "２０２３", "format"),  # noqa: RUF001 - full-width digits on purpose
    ("valueDateTime", "2023-02-28\n", "format"),
    ("valueDate", "2023-02-28T10:00:00Z", "format"),
    ("valueDate", "2023-06-31", "format"),
    ("valueInstant", "2023-02-28", "format"),
    ("valueInstant", "2023-02-29T10:00:00Z", "format"),
    ("valueTime", "24:00:00", "format"),
    ("valueTime", "10:00", "format"),
    ("valueTime", "10:00:00Z", "format"),
    ("valueId", "a" * 65, "format"),
    ("valueId", "../../etc", "format"),
    ("valueId", "a_b", "format"),
    ("valueId", "", "empty"),
    ("valueId", "a\u2066b", "bidi-control"),
    ("valueUri", "http://example.org/a b", "format"),
    ("valueUri", "", "empty"),
    ("valueUri", "http://example.org/\u202e", "bidi-control"),
    ("valueCanonical", " http://example.org", "format"),
    ("valueUrl", "a b", "format"),
    ("valueCode", " a", "format"),
    ("valueCode", "a  b", "format"),
    ("valueCode", "a ", "format"),
    ("valueCode", "a\u202eb", "bidi-control"),
    ("valueCode", "a\x00b", "control-character"),
    ("valueOid", "1.2.3", "format"),
    ("valueUuid", "c757873d-ec9a-4326-a141-556f43239520", "format"),
    ("valueBase64Binary", "AAA", "format"),
    ("valueBase64Binary", "AA==AAAA", "format"),
    ("valueBase64Binary", "   ", "format"),
    ("valueBase64Binary", "A A A A " * 10_000 + "!", "format"),
    ("valueBase64Binary", "AAAA  " * 10_000 + "!", "format"),
    ("valuePositiveInt", 0, "format"),
    ("valueUnsignedInt", -1, "format"),
    ("valueInteger", 2147483648, "format"),
    ("valueInteger", Decimal("1.0"), "format"),
    ("valueInteger", Decimal("1E+2"), "format"),
    ("valueInteger", 10**5000, "format"),
    ("valueInteger", Decimal("NaN"), "format"),
    ("valueDecimal", Decimal("NaN"), "format"),
    ("valueDecimal", Decimal("-Infinity"), "format"),
    ("valueString", "", "empty"),
    ("valueString", "a\x1b[31m", "control-character"),
    ("valueUri", "urn:a\x85", "control-character"),
    ("valueCode", "a\x7f", "control-character"),
    ("valueString", "\ud800", "control-character"),
    ("valueString", "x" * 1_048_577, "format"),
    ("valueMarkdown", "\x0b", "control-character"),
]


def with_value(name: str, value: object) -> dict[str, Any]:
    """A Patient with one extension that holds the value."""
    return {"resourceType": "Patient", "extension": [{"url": "http://example.org/x", name: value}]}


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_a_right_value_is_accepted(name: str, value: object) -> None:
    """What the page of the datatypes allows passes."""
    assert check_structure(with_value(name, value)) == []


@pytest.mark.parametrize(("name", "value", "code"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_refused(name: str, value: object, code: str) -> None:
    """What the page of the datatypes forbids is one error at its place."""
    [issue] = check_structure(with_value(name, value))

    assert (issue.code, issue.where.expression) == (code, f"Patient.extension[0].{name}")


@pytest.mark.parametrize("text", ["1.50", "1E3", "1.0e-3", "123456789012345678901234567890.5"])
def test_numbers_as_they_are_read_are_decimals(text: str) -> None:
    """Every number that `fhirjson` reads passes as a decimal."""
    assert check_structure(with_value("valueDecimal", fhirjson.loads(text))) == []


@pytest.mark.parametrize(("value", "is_refused"), [("001\u202e", True), ("001\u2069", True), ("用户 001", False)])
def test_an_identifier_is_shown_as_it_is_stored(value: str, is_refused: bool) -> None:
    """Identifier.value is a string, yet may not turn the direction of text."""
    issues = check_structure({"resourceType": "Patient", "identifier": [{"value": value}]})

    assert [issue.code for issue in issues] == ["bidi-control"] * is_refused


def test_a_narrative_is_one_div() -> None:
    """Narrative.div begins with <div>."""
    patient = {"resourceType": "Patient", "text": {"status": "generated", "div": "<p>x</p>"}}

    [issue] = check_structure(patient)

    assert (issue.code, issue.where.expression) == ("format", "Patient.text.div")


@pytest.mark.parametrize("value", ["Zhang San", 98765, Decimal("98765.5"), ["Zhang San"], {"a": "Zhang San"}])
@pytest.mark.parametrize("name", ["birthDate", "gender", "name", "active", "identifier", "deceasedDateTime"])
def test_a_message_never_holds_the_value(name: str, value: object) -> None:
    """Messages speak of types and rules, not of what the subject's record says."""
    [issue, *_] = check_structure({"resourceType": "Patient", name: value})

    assert "Zhang" not in issue.message
    assert "98765" not in issue.message

"""Which codes each kind of filter takes."""

from __future__ import annotations

from time import monotonic

import pytest

from fhir_adapter.validation.value_sets.answers import NO, YES
from tests.validation.value_sets.conftest import COLOUR, COLOURS, AtHand, value_set

CODES = ("warm", "red", "scarlet", "orange", "cold", "blue", "violet", "puce")
FILTERS = [
    ("concept", "is-a", "red", "red scarlet violet"),
    ("concept", "descendent-of", "red", "scarlet violet"),
    ("concept", "is-not-a", "warm", "cold blue puce"),
    ("concept", "child-of", "warm", "red orange"),
    ("concept", "descendent-leaf", "warm", "scarlet orange violet"),
    ("concept", "generalizes", "violet", "warm red cold blue violet"),
    ("concept", "=", "red", "red"),
    ("code", "in", "red, blue", "red blue"),
    ("concept", "not-in", "red,blue", "warm scarlet orange cold violet puce"),
    ("concept", "regex", "[a-d].*", "cold blue"),
    ("display", "regex", "[Rr]ed", "red"),
    ("parent", "=", "red", "scarlet violet"),
    ("child", "=", "blue", "cold"),
    ("wave", "exists", "true", "orange blue"),
    ("wave", "exists", "false", "warm red scarlet cold violet puce"),
    ("wave", "=", "470", "blue"),
    ("wave", "in", "470,600", "orange blue"),
    ("status", "=", "retired", "puce"),
]


@pytest.mark.parametrize(("name", "operator", "value", "taken"), FILTERS)
def test_a_filter_takes(at_hand: AtHand, name: str, operator: str, value: str, taken: str) -> None:
    """Of the colours, these."""
    rule = {"property": name, "op": operator, "value": value}
    expansion = at_hand(value_set("some", {"system": COLOUR, "filter": [rule]})).expansion("https://example.org/some")
    assert [code for code in CODES if expansion.holds(COLOUR, code) == YES] == taken.split()
    assert [code for code in CODES if expansion.holds(COLOUR, code) == NO] == [
        code for code in CODES if code not in taken.split()
    ]


def test_all_filters_of_an_include_must_take_a_code(at_hand: AtHand) -> None:
    """Warm colours with a wavelength: orange."""
    rules = [
        {"property": "concept", "op": "is-a", "value": "warm"},
        {"property": "wave", "op": "exists", "value": "true"},
    ]
    expansion = at_hand(value_set("some", {"system": COLOUR, "filter": rules})).expansion("https://example.org/some")
    assert [code for code in CODES if expansion.holds(COLOUR, code).is_yes] == ["orange"]


def test_a_filter_takes_no_code_that_the_system_lacks(at_hand: AtHand) -> None:
    """`is-not-a` does not take what is no colour at all."""
    rule = {"property": "concept", "op": "is-not-a", "value": "warm"}
    value_sets = at_hand(value_set("some", {"system": COLOUR, "filter": [rule]}))
    assert value_sets.expansion("https://example.org/some").holds(COLOUR, "grey") == NO


def test_a_filter_of_another_kind_cannot_be_told(at_hand: AtHand) -> None:
    """A later version of FHIR may have more operators."""
    rule = {"property": "concept", "op": "rhymes-with", "value": "bed"}
    value_sets = at_hand(value_set("some", {"system": COLOUR, "filter": [rule]}))
    found = value_sets.expansion("https://example.org/some").holds(COLOUR, "red")
    assert found.why == "a filter of the value set is of a kind that is not known here"


SNOMED = "http://snomed.info/sct"
FINDING = {"system": SNOMED, "filter": [{"property": "concept", "op": "is-a", "value": "404684003"}]}


def test_a_filter_on_a_system_that_is_not_at_hand_cannot_be_told(at_hand: AtHand) -> None:
    """Except of what cannot be a code of that system, and of other systems."""
    expansion = at_hand(value_set("findings", FINDING)).expansion("https://example.org/findings")
    assert expansion.holds(SNOMED, "404684003").why == "SNOMED CT is not at hand"
    assert expansion.holds(SNOMED, "80394007").why == (
        "it is filtered by what only the code system tells, which is not at hand"
    )
    assert expansion.holds(SNOMED, "80394008") == NO
    assert expansion.holds("http://loinc.org", "8310-5") == NO


@pytest.mark.parametrize(("operator", "value"), [("=", "FER"), ("in", "FER,HB")])
def test_a_filter_that_names_codes_tells_without_the_system(at_hand: AtHand, operator: str, value: str) -> None:
    """Other codes are outside; the named ones may not exist."""
    rule = {"property": "code", "op": operator, "value": value}
    expansion = at_hand(value_set("some", {"system": "urn:x", "filter": [rule]})).expansion("https://example.org/some")
    assert expansion.holds("urn:x", "TG") == NO
    assert expansion.holds("urn:x", "FER").why == "the code system urn:x is not at hand"


def test_a_filter_on_a_part_of_a_system_does_not_say_what_is_outside(at_hand: AtHand) -> None:
    """The rest of the code system may put the code below another; what is taken is sure."""
    part = {**COLOURS, "content": "fragment"}
    rule = {"property": "concept", "op": "is-a", "value": "warm"}
    value_sets = at_hand(part, value_set("some", {"system": COLOUR, "filter": [rule]}))
    expansion = value_sets.expansion("https://example.org/some")
    assert expansion.holds(COLOUR, "red") == YES
    assert expansion.holds(COLOUR, "blue").why == f"the package holds the code system {COLOUR} only in part"
    assert expansion.holds(COLOUR, "grey").why


def test_a_filter_may_compare_a_coding(at_hand: AtHand) -> None:
    """By its code."""
    coded = {"code": "a", "property": [{"code": "kind", "valueCoding": {"system": "urn:y", "code": "k"}}]}
    system = {"resourceType": "CodeSystem", "url": "urn:x", "content": "complete", "concept": [coded, {"code": "b"}]}
    rule = {"property": "kind", "op": "=", "value": "k"}
    value_sets = at_hand(system, value_set("some", {"system": "urn:x", "filter": [rule]}))
    expansion = value_sets.expansion("https://example.org/some")
    assert [expansion.holds("urn:x", code) for code in ("a", "b")] == [YES, NO]


def test_a_pattern_on_the_code_tells_without_the_system(at_hand: AtHand) -> None:
    """As R4 does for the three-letter codes of countries."""
    countries = "urn:iso:std:iso:3166"
    rule = {"property": "code", "op": "regex", "value": "[A-Z]{3}"}
    expansion = at_hand(value_set("some", {"system": countries, "filter": [rule]})).expansion(
        "https://example.org/some"
    )
    assert expansion.holds(countries, "CN") == NO
    assert expansion.holds(countries, "CHN").why == "the code system urn:iso:std:iso:3166 is not at hand"


def test_a_pattern_that_takes_for_ever_is_given_up(at_hand: AtHand) -> None:
    """A thousand codes against an exponential pattern are answered soon: it cannot be told."""
    rule = {"property": "code", "op": "regex", "value": "(a|aa)+b"}
    expansion = at_hand(value_set("some", {"system": "urn:x", "filter": [rule]})).expansion("https://example.org/some")
    begun = monotonic()
    answers = [expansion.holds("urn:x", "a" * (100 + n)) for n in range(1000)]
    assert {answer.why for answer in answers} == {"its pattern takes too long to try"}
    assert monotonic() - begun < 30


def test_a_pattern_that_is_none_cannot_be_told(at_hand: AtHand) -> None:
    """An open bracket takes nothing and refuses nothing."""
    rule = {"property": "code", "op": "regex", "value": "[a"}
    value_sets = at_hand(value_set("some", {"system": "urn:x", "filter": [rule]}))
    assert value_sets.expansion("https://example.org/some").holds("urn:x", "a").why == "its pattern cannot be read"

"""Which codings are in a value set, by its composition."""

from __future__ import annotations

import pytest

from fhir_adapter.validation.value_sets import Answer, ValueSets
from fhir_adapter.validation.value_sets.answers import NO, YES
from tests.validation.value_sets.conftest import COLOUR, AtHand, Json, value_set

LOCAL = "https://example.org/nowhere"
WARM = {"system": COLOUR, "filter": [{"property": "concept", "op": "is-a", "value": "warm"}]}
RED_AND_BLUE = {"system": COLOUR, "concept": [{"code": "red"}, {"code": "blue"}]}


def asked(value_sets: ValueSets, name: str, code: str, system: str | None = COLOUR) -> Answer:
    """The answer of the value set of that name."""
    return value_sets.expansion(f"https://example.org/{name}").holds(system, code)


def test_an_enumeration_holds_what_it_lists(at_hand: AtHand) -> None:
    """And nothing else, not even of the same system."""
    value_sets = at_hand(value_set("some", RED_AND_BLUE))
    assert asked(value_sets, "some", "red") == YES
    assert asked(value_sets, "some", "orange") == NO
    assert asked(value_sets, "some", "red", LOCAL) == NO


def test_an_enumeration_needs_no_code_system(at_hand: AtHand) -> None:
    """What is listed is in, though its code system is not at hand."""
    value_sets = at_hand(value_set("some", {"system": LOCAL, "concept": [{"code": "a"}]}))
    assert asked(value_sets, "some", "a", LOCAL) == YES
    assert asked(value_sets, "some", "b", LOCAL) == NO


def test_an_enumeration_is_as_exact_about_case_as_its_code_system(at_hand: AtHand) -> None:
    """Language tags may be written in any case; the colours may not."""
    tags = "urn:ietf:bcp:47"
    value_sets = at_hand(value_set("some", RED_AND_BLUE, {"system": tags, "concept": [{"code": "zh-CN"}]}))
    assert asked(value_sets, "some", "zh-cn", tags) == YES
    assert asked(value_sets, "some", "RED") == NO


def test_a_whole_code_system_is_taken(at_hand: AtHand) -> None:
    """All codes of a complete code system and no other."""
    value_sets = at_hand(value_set("all", {"system": COLOUR}))
    assert asked(value_sets, "all", "scarlet") == YES
    assert asked(value_sets, "all", "grey") == NO


def test_codes_of_a_system_that_is_not_at_hand_cannot_be_told(at_hand: AtHand) -> None:
    """The answer says which system is missing; codes of systems that nothing names are still outside."""
    value_sets = at_hand(value_set("all", {"system": LOCAL}))
    assert asked(value_sets, "all", "a", LOCAL).why == f"the code system {LOCAL} is not at hand"
    assert asked(value_sets, "all", "red") == NO


def test_what_is_listed_beside_a_system_that_is_not_at_hand_is_in(at_hand: AtHand) -> None:
    """One include that says yes is enough."""
    value_sets = at_hand(value_set("both", {"system": LOCAL}, RED_AND_BLUE))
    assert asked(value_sets, "both", "red") == YES
    assert asked(value_sets, "both", "orange") == NO


def test_an_exclude_takes_away(at_hand: AtHand) -> None:
    """Whatever the order in which they are written."""
    excluded = {"system": COLOUR, "concept": [{"code": "red"}]}
    value_sets = at_hand(value_set("rest", {"system": COLOUR}, exclude=[excluded]))
    assert asked(value_sets, "rest", "red") == NO
    assert asked(value_sets, "rest", "blue") == YES


def test_an_exclude_that_is_not_at_hand_leaves_it_open(at_hand: AtHand) -> None:
    """A code that is included may be excluded; one that is not included is outside all the same."""
    value_sets = at_hand(value_set("rest", RED_AND_BLUE, exclude=[{"valueSet": ["https://example.org/missing"]}]))
    assert asked(value_sets, "rest", "red").why == "the value set https://example.org/missing is not at hand"
    assert asked(value_sets, "rest", "orange") == NO


def test_an_import_takes_what_the_other_holds(at_hand: AtHand) -> None:
    """Also a bare code, whose system only the other names."""
    value_sets = at_hand(value_set("some", RED_AND_BLUE), value_set("same", {"valueSet": ["https://example.org/some"]}))
    assert asked(value_sets, "same", "red") == YES
    assert asked(value_sets, "same", "orange") == NO
    assert value_sets.expansion("https://example.org/same").holds_code("blue") == YES


def test_several_imports_of_one_include_are_an_intersection(at_hand: AtHand) -> None:
    """And so is an import beside a filter."""
    some, warm = value_set("some", RED_AND_BLUE), value_set("warm", WARM)
    both = value_set("both", {"valueSet": ["https://example.org/some", "https://example.org/warm"]})
    mixed = value_set("mixed", {**WARM, "valueSet": ["https://example.org/some"]})
    value_sets = at_hand(some, warm, both, mixed)
    assert [asked(value_sets, "both", code) for code in ("red", "blue", "orange")] == [YES, NO, NO]
    assert [asked(value_sets, "mixed", code) for code in ("red", "blue", "orange")] == [YES, NO, NO]


def test_value_sets_that_import_each_other_end(at_hand: AtHand) -> None:
    """What one of them lists is in; of the rest it cannot be told."""
    first = value_set("first", {"valueSet": ["https://example.org/second"]}, RED_AND_BLUE)
    second = value_set("second", {"valueSet": ["https://example.org/first"]})
    value_sets = at_hand(first, second)
    assert asked(value_sets, "second", "red") == YES
    assert asked(value_sets, "second", "orange").why == "the value set https://example.org/second imports itself"
    assert value_sets.expansion("https://example.org/first").holds_code("blue") == YES


def test_a_chain_of_imports_has_an_end(at_hand: AtHand) -> None:
    """Forty are followed; the answer beyond is that it cannot be told."""
    chain = [value_set(f"n{n}", {"valueSet": [f"https://example.org/n{n + 1}"]}) for n in range(100)]
    value_sets = at_hand(*chain, value_set("n100", RED_AND_BLUE))
    assert asked(value_sets, "n61", "red") == YES
    assert asked(value_sets, "n0", "red").why == "value sets import one another too deep"


def test_a_lattice_of_imports_is_walked_once(at_hand: AtHand) -> None:
    """Each of thirty value sets imports the next by two ways: a thousand million paths, and an answer at once."""
    steps = [
        value_set(f"n{n}", *({"valueSet": [f"https://example.org/n{n + 1}"]} for _ in range(2))) for n in range(30)
    ]
    assert asked(at_hand(*steps, value_set("n30", RED_AND_BLUE)), "n0", "orange") == NO


def test_retired_codes_are_left_out_where_the_value_set_says_so(at_hand: AtHand) -> None:
    """Only `inactive: false` leaves them out."""
    value_sets = at_hand(value_set("all", {"system": COLOUR}), value_set("used", {"system": COLOUR}, inactive=False))
    assert asked(value_sets, "all", "puce") == YES
    assert asked(value_sets, "used", "puce") == NO


def test_a_coding_without_system_is_in_no_value_set(at_hand: AtHand) -> None:
    """Its code means nothing, so HL7's engine says it is outside."""
    assert asked(at_hand(value_set("some", RED_AND_BLUE)), "some", "red", None) == NO


def test_a_bare_code_is_of_any_system_of_the_value_set(at_hand: AtHand) -> None:
    """The element is of type code, so the value set says which system is meant."""
    expansion = at_hand(value_set("both", {"system": LOCAL}, RED_AND_BLUE)).expansion("https://example.org/both")
    assert expansion.holds_code("red") == YES
    assert expansion.holds_code("grey").why == f"the code system {LOCAL} is not at hand"


def test_a_value_set_that_is_not_at_hand_cannot_tell(at_hand: AtHand) -> None:
    """Of codings with and without system, and of bare codes."""
    expansion = at_hand().expansion("https://example.org/missing")
    right = Answer(why="the value set https://example.org/missing is not at hand")
    assert [expansion.holds(COLOUR, "red"), expansion.holds(None, "red"), expansion.holds_code("red")] == [right] * 3


def test_a_bare_code_of_an_import_that_is_not_at_hand_cannot_be_told(at_hand: AtHand) -> None:
    """Unless another include takes it."""
    value_sets = at_hand(value_set("some", {"valueSet": ["https://example.org/missing"]}, RED_AND_BLUE))
    expansion = value_sets.expansion("https://example.org/some")
    assert expansion.holds_code("red") == YES
    assert expansion.holds_code("grey").why == "the value set https://example.org/missing is not at hand"


def test_another_version_of_a_code_system_cannot_be_told(at_hand: AtHand) -> None:
    """The version at hand is used only where the value set asks for it or for none."""
    value_sets = at_hand(
        value_set("now", {"system": COLOUR, "version": "1"}), value_set("then", {"system": COLOUR, "version": "0"})
    )
    assert asked(value_sets, "now", "red") == YES
    assert asked(value_sets, "then", "red").why == f"version 0 of the code system {COLOUR} is not at hand"


def test_a_version_of_a_value_set_may_be_named(at_hand: AtHand) -> None:
    """`|1` finds version 1 and no other."""
    value_sets = at_hand({**value_set("some", RED_AND_BLUE), "version": "1"})
    assert value_sets.expansion("https://example.org/some|1").holds(COLOUR, "red") == YES
    assert value_sets.expansion("https://example.org/some|2").holds(COLOUR, "red").why


def listed(*entries: Json, **more: object) -> Json:
    """A ValueSet that carries its codes written out."""
    expansion = {"contains": list(entries), **more}
    return {"resourceType": "ValueSet", "url": "https://example.org/listed", "expansion": expansion}


def test_a_list_is_used_where_there_is_no_composition(at_hand: AtHand) -> None:
    """With what is nested in it, and without what only groups others."""
    nested = {"system": LOCAL, "code": "group", "abstract": True, "contains": [{"system": LOCAL, "code": "a"}]}
    value_sets = at_hand(listed(nested))
    assert asked(value_sets, "listed", "a", LOCAL) == YES
    assert asked(value_sets, "listed", "group", LOCAL) == NO
    assert value_sets.expansion("https://example.org/listed").holds_code("a") == YES


@pytest.mark.parametrize(
    "more",
    [
        {"total": 2},
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly", "valueBoolean": True}]},
    ],
)
def test_a_page_of_a_list_does_not_say_what_is_outside(at_hand: AtHand, more: Json) -> None:
    """Only what it lists is sure."""
    value_sets = at_hand(listed({"system": LOCAL, "code": "a"}, **more))
    assert asked(value_sets, "listed", "a", LOCAL) == YES
    assert asked(value_sets, "listed", "b", LOCAL).why


def test_a_list_says_yes_where_the_composition_cannot_tell(at_hand: AtHand) -> None:
    """A list is of one day, so it does not say no to what the composition may take."""
    composed = {**listed({"system": LOCAL, "code": "a"}), "compose": {"include": [{"system": LOCAL}]}}
    value_sets = at_hand(composed)
    assert asked(value_sets, "listed", "a", LOCAL) == YES
    assert asked(value_sets, "listed", "b", LOCAL).why == f"the code system {LOCAL} is not at hand"

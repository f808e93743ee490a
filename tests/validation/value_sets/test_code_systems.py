"""Whether a code system has a code, and what it is called."""

from __future__ import annotations

import pytest

from fhir_adapter.validation.value_sets import ValueSets
from fhir_adapter.validation.value_sets.answers import NO, YES
from tests.validation.value_sets.conftest import COLOUR, AtHand


def test_a_complete_code_system_has_its_codes_and_no_others(at_hand: AtHand) -> None:
    """In the letters in which it writes them."""
    assert at_hand().code_exists(COLOUR, "scarlet") == YES
    assert at_hand().code_exists(COLOUR, "Scarlet") == NO


@pytest.mark.parametrize("flag", [{"caseSensitive": False}, {}])
def test_case_matters_only_where_the_code_system_says_so(at_hand: AtHand, flag: dict[str, bool]) -> None:
    """Nothing said counts as no, as in HL7's engine: the tables of v2 do not say it."""
    system = {"resourceType": "CodeSystem", "url": "urn:x", "content": "complete", "concept": [{"code": "A"}], **flag}
    assert at_hand(system).code_exists("urn:x", "a") == YES
    assert at_hand(system).code_exists("urn:x", "b") == NO


@pytest.mark.parametrize("content", ["fragment", "example"])
def test_a_part_of_a_code_system_does_not_say_what_it_lacks(at_hand: AtHand, content: str) -> None:
    """What it holds is sure."""
    system = {"resourceType": "CodeSystem", "url": "urn:x", "content": content, "concept": [{"code": "a"}]}
    assert at_hand(system).code_exists("urn:x", "a") == YES
    assert at_hand(system).code_exists("urn:x", "b").why == f"the package holds the code system urn:x only as {content}"


@pytest.mark.parametrize("content", ["not-present", "supplement"])
def test_a_code_system_without_its_codes_tells_nothing(at_hand: AtHand, content: str) -> None:
    """A supplement adds names to codes of another system."""
    system = {"resourceType": "CodeSystem", "url": "urn:x", "content": content, "concept": [{"code": "a"}]}
    assert at_hand(system).code_exists("urn:x", "a").why == "the code system urn:x is not at hand"


def test_a_code_system_with_a_grammar_has_more_codes_than_it_lists(at_hand: AtHand) -> None:
    """Compositional: codes may be put together."""
    system = {"resourceType": "CodeSystem", "url": "urn:x", "content": "complete", "compositional": True}
    assert at_hand(system).code_exists("urn:x", "a+b").why


def test_a_code_is_called_by_its_display_and_its_designations(at_hand: AtHand) -> None:
    """The display comes first; a code or system that is not at hand has no name."""
    named = {"code": "a", "display": "Ay", "designation": [{"language": "zh", "value": "甲"}]}
    system = {"resourceType": "CodeSystem", "url": "urn:x", "content": "complete", "concept": [named]}
    value_sets = at_hand(system)
    assert value_sets.display("urn:x", "a") == "Ay"
    assert value_sets.displays("urn:x", "a") == ("Ay", "甲")
    assert value_sets.displays("urn:x", "b") == value_sets.displays("urn:y", "a") == ()


def test_codes_that_r4_lists_of_a_terminology_are_known(r4: ValueSets) -> None:
    """R4's own value sets list countries, common units and the codes of vital signs."""
    assert r4.code_exists("http://loinc.org", "8310-5") == YES
    assert r4.code_exists("urn:iso:std:iso:3166", "CN") == YES
    assert r4.code_exists("http://unitsofmeasure.org", "[drp]/mL") == YES


def test_r4_core_answers_for_its_own_value_sets(r4: ValueSets) -> None:
    """An enumeration, a whole code system, a filter over a hierarchy, and an exclude."""
    core = "http://hl7.org/fhir/ValueSet/"
    act, v3 = "http://terminology.hl7.org/CodeSystem/v3-ActCode", "http://terminology.hl7.org/ValueSet/v3-"
    assert r4.expansion(core + "observation-status").holds_code("final") == YES
    assert r4.expansion(core + "observation-status").holds_code("done") == NO
    assert r4.expansion(core + "units-of-time").holds("http://unitsofmeasure.org", "wk") == YES
    assert r4.expansion(v3 + "ActEncounterCode").holds(act, "AMB") == YES
    assert r4.expansion(v3 + "ActEncounterCode").holds(act, "_ActEncounterCode") == NO
    assert r4.expansion(v3 + "ActEncounterCode").holds(act, "EXTND") == NO

"""Whatever a package holds in place of value sets and code systems, there is an answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.validation.value_sets import Answer, ValueSets
from tests.validation.value_sets.conftest import InMemory

ADDRESS = "urn:x"
WORDS = st.sampled_from(["urn:x", "a", "complete", "regex", "is-a", "concept", "true", ""])
KEYS = st.sampled_from(
    [
        *(
            "compose",
            "include",
            "exclude",
            "concept",
            "code",
            "system",
            "filter",
            "op",
            "value",
            "property",
            "valueSet",
        ),
        *("expansion", "contains", "total", "content", "display", "designation", "valueCode", "uri", "inactive"),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)
PARTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("system", "concept", "filter", "valueSet"), ANYTHING))
COMPOSE = st.fixed_dictionaries({}, optional={"include": st.lists(PARTS, max_size=3), "exclude": ANYTHING})


@given(compose=COMPOSE | ANYTHING, more=ANYTHING, concept=ANYTHING, content=ANYTHING, code=st.text(max_size=5))
def test_there_is_always_an_answer(compose: Any, more: Any, concept: Any, content: Any, code: str) -> None:
    """Never an exception, whatever the shape."""
    value_set = {"resourceType": "ValueSet", "url": ADDRESS, "compose": compose, "expansion": more}
    system = {"resourceType": "CodeSystem", "url": ADDRESS, "content": content, "concept": concept, "property": more}
    value_sets = ValueSets(InMemory(value_set, system))
    expansion = value_sets.expansion(ADDRESS)
    answers = [expansion.holds(ADDRESS, code), expansion.holds_code(code), value_sets.code_exists(ADDRESS, code)]
    assert all(isinstance(answer, Answer) for answer in answers)
    assert all(answer.is_yes or answer.is_no or answer.why for answer in answers)

"""What holds for any expression: it prints as it reads, it changes nothing, and a naive evaluator agrees."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter.fhirpath import FhirPathError, compile, parse  # noqa: A004 - the name of the interface
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.temporal import parse_date, parse_datetime, parse_time
from fhir_adapter.fhirpath.tree import (
    POWER,
    Binary,
    Call,
    Indexed,
    Literal,
    Member,
    Node,
    Nothing,
    Signed,
    Special,
    TypeName,
    TypeTest,
    Variable,
)
from tests.fhirpath.naive import Refused, evaluate
from tests.fhirpath.official import cases

pytestmark = pytest.mark.unmeasured

# Expressions

NAMES = st.sampled_from(
    ["name", "given", "value", "contains", "is", "as", "div", "and", "a b", "it's", "`", "resource"]
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
LITERALS = st.one_of(
    st.booleans(),
    st.integers(0, 10**12),
    st.decimals(0, 10**6, places=3, allow_nan=False),
    TEXTS,
    st.sampled_from([parse_date("2015-02"), parse_datetime("2015"), parse_datetime("2015-02-04T14:34:28.123+10:00")]),
    st.sampled_from([parse_time("14:34"), Quantity(Decimal("1.50"), "mg"), Quantity(Decimal(4), "days")]),
)
TYPES = st.builds(lambda space, name: TypeName(0, space, name), st.sampled_from([None, "FHIR"]), NAMES)
LEAVES: st.SearchStrategy[Node] = st.one_of(
    LITERALS.map(lambda value: Literal(0, value)),
    st.just(Nothing(0)),
    st.sampled_from(["$this", "$index", "$total"]).map(lambda name: Special(0, name)),
    NAMES.map(lambda name: Variable(0, name)),
    NAMES.map(lambda name: Member(0, None, name)),
)


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    operators = st.sampled_from(sorted(set(POWER) - {"is", "as"}))
    return st.one_of(
        st.builds(lambda source, name: Member(0, source, name), inner, NAMES),
        st.builds(lambda name, parts: Call(0, None, name, tuple(parts)), NAMES, st.lists(inner, max_size=2)),
        st.builds(lambda source, name: Call(0, source, name, ()), inner, NAMES),
        st.builds(lambda source, index: Indexed(0, source, index), inner, inner),
        st.builds(lambda sign, operand: Signed(0, sign, operand), st.sampled_from("+-"), inner),
        st.builds(lambda sign, left, right: Binary(0, sign, left, right), operators, inner, inner),
        st.builds(lambda sign, one, kind: TypeTest(0, sign, one, kind), st.sampled_from(["is", "as"]), inner, TYPES),
    )


TREES = st.recursive(LEAVES, _larger, max_leaves=8)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(TREES)
def test_what_is_printed_reads_as_it_was(tree: Node) -> None:
    """Parse, print, parse: the same tree, in the same spelling."""
    text = str(tree)
    assert (parse(text), str(parse(text))) == (tree, text)


@pytest.mark.parametrize("case", [case for case in cases() if case.refused is None], ids=lambda case: case.name)
def test_the_suite_prints_as_it_reads(case: Any) -> None:
    """Every expression of the official suite."""
    tree = parse(case.expression)
    assert parse(str(tree)) == tree


# Resources, all made up, and expressions about them

CODINGS = st.fixed_dictionaries(
    {"code": st.sampled_from("abc")},
    optional={"system": st.sampled_from(["urn:x", "urn:y"]), "userSelected": st.booleans()},
)
CONCEPTS = st.fixed_dictionaries(
    {}, optional={"coding": st.lists(CODINGS, min_size=1, max_size=3), "text": st.just("a")}
)
COMPONENTS = st.fixed_dictionaries({"code": CONCEPTS})
OBSERVATIONS = st.fixed_dictionaries(
    {"resourceType": st.just("Observation"), "status": st.sampled_from(["final", "amended", "a"])},
    optional={
        "code": CONCEPTS,
        "category": st.lists(CONCEPTS, min_size=1, max_size=2),
        "component": st.lists(COMPONENTS, min_size=1, max_size=3),
        "dataAbsentReason": CONCEPTS,
    },
)
PATHS = ["code.coding.userSelected", "code.coding.select(code)", "component.select(code.coding).system"]
PATHS += ["status", "code", "code.coding", "code.coding.code", "code.text", "category", "category.coding.system"]
PATHS += ["component", "component.code.coding", "component.code.coding.code", "dataAbsentReason.text", "nothing"]
INNER = ["code.coding.code.isDistinct()", "text.startsWith('a')", "coding.select(code)", "matches('a')"]
INNER += ["code", "code.coding", "coding", "coding.code", "system", "text", "code = 'a'", "coding.exists()", "$this"]
VALUES = ["'a'", "'final'", "1", "true", "{}", "'urn:x'", "('a' | 'b')", "code.coding.count()"]
CALLS = ["isDistinct()", "startsWith('f')", "endsWith('a')", "contains('in')", "matches('^[a-m]')"]
CALLS += ["exists()", "empty()", "count()", "first()", "last()", "distinct()", "not()", "hasValue()"]
LAZY = ["where", "select", "exists", "all"]
SIGNS = ["=", "!=", "and", "or", "xor", "implies", "|", "in", "<", ">"]


@st.composite
def small_expressions(draw: st.DrawFn) -> str:
    """Paths with calls, criteria and operators."""
    text = draw(st.sampled_from(PATHS))
    for _ in range(draw(st.integers(0, 2))):
        lazy = f"{draw(st.sampled_from(LAZY))}({draw(st.sampled_from(INNER))})"
        text = f"{text}.{draw(st.one_of(st.sampled_from(CALLS), st.just(lazy)))}"
    if draw(st.booleans()):
        other = draw(st.one_of(st.sampled_from(VALUES), st.sampled_from(PATHS), small_expressions()))
        text = f"({text}) {draw(st.sampled_from(SIGNS))} ({other})"
    return text


def answer(text: str, resource: Any, version: str | None) -> Any:
    """What the engine says; None where it refuses."""
    try:
        return compile(text, fhir_version=version)(resource)
    except FhirPathError:
        return None


def naive_answer(text: str, resource: Any) -> Any:
    """What the naive evaluator says; None where it refuses."""
    try:
        return evaluate(parse(text), [resource])
    except Refused:
        return None


@settings(max_examples=1500, derandomize=True, deadline=None)
@given(small_expressions(), OBSERVATIONS)
def test_a_naive_evaluator_agrees(text: str, resource: Any) -> None:
    """With the model (and its short cuts) and without it; where one side alone decides, the other may be refused."""
    expected = naive_answer(text, resource)
    found = [answer(text, resource, version) for version in ("4.0.1", None)]
    assert [one for one in found if one != expected and expected is not None] == []
    assert found[0] == found[1]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(small_expressions(), OBSERVATIONS)
def test_the_short_cuts_answer_as_the_general_way(text: str, resource: Any) -> None:
    """The same values, whether a part is answered on bare JSON or by elements."""
    expression = compile(text)
    try:
        general = [value for _, value in expression.typed(resource)]
    except FhirPathError:
        general = None
    assert answer(text, resource, "4.0.1") == general


SIBLINGS = st.fixed_dictionaries(
    {},
    optional={
        "_status": st.just({"extension": [{"url": "urn:x", "valueCode": "a"}]}),
        "_id": st.just({"id": "made-up"}),
        "contained": st.just([{"resourceType": "Patient", "_active": {"id": "made-up"}}]),
        "valueBoolean": st.booleans(),
    },
)
"""What makes short cuts long: a primitive with no value but an extension, a resource in a resource, a choice."""


@settings(max_examples=300, derandomize=True, deadline=None)
@given(small_expressions(), OBSERVATIONS, SIBLINGS)
def test_the_truth_is_that_of_what_is_found(text: str, resource: Any, siblings: Any) -> None:
    """One boolean is itself, anything else that is alone is true, and nothing is neither; short cut or not."""
    expression = compile(text)
    try:
        found = [value for _, value in expression.typed(resource | siblings)]
        expected = general_truth(found)
    except FhirPathError:
        expected = "refused"
    try:
        truth: bool | str | None = expression.truth(resource | siblings)
    except FhirPathError:
        truth = "refused"
    assert truth == expected


def general_truth(found: list[Any]) -> bool | str | None:
    """What a collection says where a boolean is wanted."""
    if len(found) > 1:
        return "refused"
    return None if not found else found[0] if isinstance(found[0], bool) else True


@settings(max_examples=300, derandomize=True, deadline=None)
@given(small_expressions(), OBSERVATIONS)
def test_evaluating_changes_nothing(text: str, resource: Any) -> None:
    """The resource is as it was."""
    before = deepcopy(resource)
    answer(text, resource, "4.0.1")
    assert resource == before

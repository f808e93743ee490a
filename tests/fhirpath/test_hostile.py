"""What an expression or a resource of somebody who means no good can do: get a clear error, soon."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.fhirpath import (
    EvaluationError,
    ExpressionError,
    FhirPathError,
    compile,  # noqa: A004 - the name of the interface
)
from fhir_adapter.fhirpath.functions import FUNCTIONS

pytestmark = pytest.mark.unmeasured

UNREADABLE = [
    "",
    "   ",
    "'never closed",
    "`never closed",
    "/* never closed",
    "(1 + 2",
    "name[0",
    "name.where(use = 'x'",
    "{",
    "1 +",
    "1 2",
    "..name",
    "name.",
    "@2015-13",
    "@2015-02-30",
    "@T25",
    "'\\q'",
    "#",
    "name.$this",
    "%",
    "a ? b",
    "\x00",
    "1.2.3",
    "1" * 5_000,
    "'\\ud800'",
    "x is",
    "x as 5",
]
HUGE = {
    "parentheses": "(" * 10_000 + "1" + ")" * 10_000,
    "not": "true" + ".not()" * 10_000,
    "signs": "-" * 60_000 + "1",
    "or": " or ".join(["true"] * 10_000),
    "nested calls": "iif(true, " * 5_000 + "1" + ")" * 5_000,
    "a megabyte": "a" * 1_000_000,
    "a megabyte of text": f"'{'a' * 1_000_000}'",
    "brackets": "a" + "[0]" * 10_000,
    "braces": "{" * 20_000,
}
NUMBERS = " | ".join(map(str, range(45)))
ENDLESS = {
    "doubled items": f"({NUMBERS}).aggregate($total.combine($total), 1).count()",
    "unequal quantities": "1 'mg'.repeat($this + 1 'mg').count()",
    "unequal dates": "@2015-01-01.repeat($this + 1 day).count()",
    "unequal years": "1 year.repeat($this + 1 year).count()",
    "nested criteria": f"({NUMBERS}).all(({NUMBERS}).all(({NUMBERS}).all(({NUMBERS}).all(({NUMBERS}).exists()))))",
    "nested criteria of a resource": "name.all(%resource.name.all(%resource.name.all(%resource.name.all(exists()))))",
    "one text in another": f"'{'a' * 5_000}'.replaceMatches('.', '{'b' * 5_000}')",
    "many patterns": "name.select('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a|a)*$'))",
    "repeat": "1.repeat($this + 1)",
    "repeatAll": "1.repeatAll($this)",
    "growing texts": "'a'.repeat($this & 'a')",
    "replace": "('a' | 'b').select('aaaaaaaaaaaaaaaa'.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))"
    ".join('').replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')"
    ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')"
    ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
    "catastrophic": "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a|a)*$')",
    "catastrophic, whole": "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matchesFull('(a|aa)+b')",
    "catastrophic, replaced": "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.replaceMatches('^(a|a)*$', 'b')",
}
ANSWERED_SOON = ["2.power(1000000)", "10.power(2000000000)", "1000000000.exp()", "9999999999999999.power(999999)"]
ANSWERED_SOON += ["(1e5).empty()", "1.round(2000000000)", "1.lowBoundary(2000000000)", "'a'.substring(99999999999999)"]
LITERALS = [
    "{}",
    "true",
    "1",
    "-1",
    "1.5",
    "'a'",
    "'2015'",
    "@2015-02",
    "@2015-02-04T14:34Z",
    "@T14:34",
    "4 'mg'",
    "4 days",
]
LITERALS += ["(1 | 2)", "$this", "Patient.name", "$index", "%resource", "%nothing", "('a' | 1 | @2015)"]
PATIENT = {"resourceType": "Patient", "active": True, "name": [{"family": "Made-up"}]}
CROWD = {"resourceType": "Patient", "name": [{"family": f"Made-up {number}"} for number in range(100)]}
OPERATORS = ["+", "-", "*", "/", "div", "mod", "&", "|", "=", "~", "!=", "!~", "<", "<=", ">", ">=", "in", "contains"]
OPERATORS += ["and", "or", "xor", "implies"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_refused_with_its_place(text: str) -> None:
    """Where, and what was expected there."""
    with pytest.raises(ExpressionError) as refused:
        compile(text)
    assert refused.value.position is not None


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE.keys())
def test_what_is_absurdly_large_is_refused(text: str) -> None:
    """Before it costs anything."""
    with pytest.raises(ExpressionError):
        compile(text)


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_has_no_end_is_given_up(text: str) -> None:
    """With the reason, in bounded time and memory."""
    with pytest.raises(EvaluationError):
        compile(text)(CROWD)


@pytest.mark.parametrize("text", ANSWERED_SOON)
def test_large_numbers_cost_nothing(text: str) -> None:
    """An answer or an error, soon."""
    assert isinstance(outcome(text), list | FhirPathError)


MANY = 3_000
BUNDLE = {
    "resourceType": "Bundle",
    "entry": [
        {
            "resource": {
                "resourceType": "Observation",
                "valueQuantity": {"value": number, "system": "http://unitsofmeasure.org", "code": "mg"},
                "effectiveDateTime": f"2020-01-01T00:{number // 60:02d}:{number % 60:02d}Z",
            }
        }
        for number in range(MANY)
    ],
}
ONCE = ["entry.resource.value.distinct()", "entry.resource.value | entry.resource.value", "entry.resource.distinct()"]
ONCE += ["entry.resource.effective.combine(entry.resource.effective).distinct()", "repeat(entry)"]


@pytest.mark.parametrize("text", ONCE)
def test_many_amounts_and_dates_are_told_apart_at_once(text: str) -> None:
    """Thousands of made-up results: by keys, not pair by pair, which would take minutes."""
    assert compile(f"({text}).count()")(BUNDLE) == [MANY]


def test_equal_amounts_and_moments_are_one() -> None:
    """Whatever unit, zone and digits they are written with."""
    assert compile("(1 'g' | 1000 'mg' | 1.0 'g').count()")(PATIENT) == [1]
    assert compile("(50 '%' | 0.5 | 0.50 '1').count()")(PATIENT) == [1]
    assert compile("(@2015-01-01T10:00:00Z | @2015-01-01T11:00:00.0+01:00).count()")(PATIENT) == [1]
    assert compile("(@2015 | @2015-01 | @2015T).count()")(PATIENT) == [2]
    assert compile("(1 week | 7 days | 7 'd').count()")(PATIENT) == [1]


FLOATS = {
    "resourceType": "Observation",
    "valueQuantity": {"value": 1.5, "code": "mg"},
    "component": [{"valueInteger": 0.1}],
}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("value.value = 1.5", True),
        ("value.value < 2 and value.value > 1.49", True),
        ("component.value = 0.1", True),
        ("component.value < component.value", False),
    ],
)
def test_binary_floats_are_the_decimals_that_were_written(text: str, answer: bool) -> None:
    """As other readers of JSON give them."""
    assert compile(text)(FLOATS) == [answer]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
@pytest.mark.parametrize(
    "text", ["value = value", "value.log(2)", "value.repeat($this)", "value.lowBoundary()", "%x + 1"]
)
def test_what_is_no_number_is_refused(text: str, number: float | Decimal) -> None:
    """No JSON has it; a program may hand it in."""
    resource = {"resourceType": "Observation", "valueDecimal": number}
    with pytest.raises(EvaluationError, match="NaN or an infinity"):
        compile(text, fhir_version=None)(resource, x=number)


def outcome(text: str, resource: Any = PATIENT) -> list[Any] | FhirPathError:
    """The answer or the error of the engine; any other error is raised."""
    try:
        return compile(text)(resource)
    except FhirPathError as error:
        return error


def calls_of(name: str) -> list[str]:
    """A function on every kind of literal, with none to four arguments of every kind."""
    arguments = ["", *LITERALS, *(f"{one}, {other}" for one, other in itertools.product(LITERALS[::2], LITERALS[1::3]))]
    arguments += ["'a', 'b', 'c'", "1, 2, 3, 4"]
    return [f"({source}).{name}({given})" for source in LITERALS for given in arguments]


# repeatAll() of a literal never ends, which costs seconds until it is given up: once, above, is enough.
@pytest.mark.parametrize("name", sorted({*FUNCTIONS, "is", "as", "ofType", "sort"} - {"repeatAll"}))
def test_no_arguments_make_a_function_fail_otherwise(name: str) -> None:
    """An answer or our own error, whatever it is called on and with."""
    assert [text for text in calls_of(name) if not isinstance(outcome(text), list | FhirPathError)] == []


@pytest.mark.parametrize("operator", OPERATORS)
def test_no_operands_make_an_operator_fail_otherwise(operator: str) -> None:
    """An answer or our own error, whatever stands on its sides."""
    texts = [f"({left}) {operator} ({right})" for left, right in itertools.product(LITERALS, LITERALS)]
    assert [text for text in texts if not isinstance(outcome(text), list | FhirPathError)] == []


@pytest.mark.parametrize("text", ["descendants().count()", "repeat(extension).count()", "children() ~ children()"])
def test_a_deep_resource_is_walked_or_refused(text: str) -> None:
    """Deeper than the JSON reader lets through."""
    resource: dict[str, Any] = {"resourceType": "Patient"}
    for _ in range(2_000):
        resource = {"resourceType": "Patient", "contained": [resource]}
    assert isinstance(outcome(text, resource), list | FhirPathError)


MALFORMED = [
    {"resourceType": "Patient", "name": "text"},
    {"resourceType": "Patient", "name": [None, 5, "x", {"given": {"a": 1}}]},
    {"resourceType": "Patient", "name": {"given": [["x"]]}, "_birthDate": [1], "birthDate": {"x": 1}},
    {"resourceType": ["Patient"], "name": 1},
    {"resourceType": "Nothing", "a": 1},
    {"resourceType": "Patient", "contained": ["x", None, {"resourceType": 5}], "extension": "x"},
    {"resourceType": "Observation", "valueQuantity": {"value": "x", "code": 5}, "component": {"code": "x"}},
    [],
    None,
    "text",
    5,
]
QUESTIONS = [
    "name.given.first()",
    "name.where(given.exists())",
    "birthDate < today()",
    "descendants()",
    "value > 5 'mg'",
]
QUESTIONS += [
    "extension('x')",
    "contained.id",
    "name | contained",
    "name.given = 'x'",
    "component.code.coding.exists()",
]
QUESTIONS += [
    "name.exists() and birthDate.exists()",
    "children().children()",
    "name.all(given.hasValue())",
    "resolve()",
]
QUESTIONS += [
    "checkModifiers('x')",
    "name.given in ('a' | 'b')",
    "value.empty() or component.empty()",
    "birthDate.toString()",
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("version", ["4.0.1", None])
def test_a_malformed_resource_raises_nothing_else(question: str, version: str | None) -> None:
    """What is no FHIR at all gets an answer or our own error."""
    expression = compile(question, fhir_version=version)
    for resource in MALFORMED:
        try:
            expression(resource)
            expression.truth(resource)
        except FhirPathError:
            continue


def test_a_list_of_nulls_holds_nothing() -> None:
    """By the short cut as in the general way."""
    resource = {"resourceType": "Observation", "code": {"coding": [None]}}
    assert (compile("code.coding.exists()")(resource), compile("code.coding.count() = 0")(resource)) == (
        [False],
        [True],
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("'abc'.replaceMatches('(b)', '[$1$0]')", "a[bb]c"),
        ("'abc'.replaceMatches('(?<m>b)', '<${m}>')", "a<b>c"),
        (r"'abc'.replaceMatches('b', '\\1')", r"a\1c"),
        ("'abc'.replaceMatches('x*', '-')", "-a-b-c-"),
        (r"'\uD83D\uDD25'.length().toString()", "1"),
    ],
)
def test_texts_and_patterns(text: str, answer: str) -> None:
    """Groups of a pattern stand for what they found, two halves of a character are one."""
    assert compile(text)(PATIENT) == [answer]


def test_a_group_that_the_pattern_does_not_have_is_refused() -> None:
    """By its number or name."""
    for group in ("$9", "${m}"):
        assert isinstance(outcome(f"'a'.replaceMatches('a', '{group}')"), EvaluationError)

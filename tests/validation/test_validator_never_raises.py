"""Whatever is handed to the validator, it answers with issues, soon; examples are drawn, always the same ones."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.validation.validator import Validator

pytestmark = pytest.mark.unmeasured

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "cdisc-pilot-18.ndjson"
PUBLISHED = Path(__file__).parents[1] / "published_cases"
RESOURCES = [
    *(fhirjson.loads(line) for line in GOLDEN.read_bytes().splitlines()),
    *(fhirjson.loads(file.read_bytes()) for file in sorted(PUBLISHED.glob("*.json"))),
]
SOON = 60.0
"""Seconds: far more than needed on a quiet machine, far less than anything that grows with a power of its input."""

drawn = settings(derandomize=True, max_examples=150, deadline=None)

TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "#",
        "#x",
        "Patient/1",
        "urn:uuid:x",
        "http://loinc.org",
        "2020-02-30",
        "<div/>",
        "\ud800",
        "\x00",
        "%",
        "|",
    ]
)
NUMBERS = st.integers() | st.decimals() | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
KEYS = TEXTS | st.sampled_from(
    [
        *("resourceType", "id", "_id", "meta", "profile", "text", "div", "contained", "extension", "modifierExtension"),
        *("url", "valueString", "valueQuantity", "valueReference", "reference", "code", "coding", "system", "entry"),
        *("resource", "fullUrl", "status", "subject", "component", "identifier", "value", "item", "link", "request"),
    ]
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6))
TYPES = st.sampled_from(
    [
        *("Patient", "Observation", "Bundle", "Parameters", "Questionnaire", "ValueSet", "StructureDefinition"),
        *(
            "ResearchStudy",
            "MedicationAdministration",
            "Composition",
            "Binary",
            "Basic",
            "Resource",
            "patient",
            "Extension",
        ),
    ]
)
CHANGES = ("drop", "replace", "repeat", "wrap", "rename")


@pytest.fixture(scope="module")
def validator() -> Validator:
    """R4 core and this project's profiles."""
    return Validator()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or array within a value with every key or index of it."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A right resource in which a few places are dropped, replaced, repeated, wrapped or renamed."""
    resource = copy.deepcopy(draw(st.sampled_from(RESOURCES)))
    for _ in range(draw(st.integers(1, 4))):
        every = list(places(resource))
        if not every:
            return resource
        holder, key = draw(st.sampled_from(every))
        change(holder, key, draw(st.sampled_from(CHANGES)), draw(VALUES))
    return resource


def change(holder: Any, key: Any, how: str, value: Any) -> None:
    """Spoil one place."""
    if how == "drop":
        del holder[key]
    elif how == "replace":
        holder[key] = value
    elif how == "rename" and isinstance(holder, dict):
        holder[str(value)[:20]] = holder.pop(key)
    else:
        holder[key] = [holder[key]] * (2 if how == "repeat" else 1)


def is_well_formed(issues: list[Issue]) -> bool:
    """Whether each finding can be shown: a code, a message, a place."""
    return all(one.code and one.message and one.severity in ("error", "warning", "information") for one in issues)


@drawn
@given(value=VALUES)
def test_any_json_value_gets_an_answer(validator: Validator, value: Any) -> None:
    """Objects that are no resource, and what is no object."""
    assert is_well_formed(validator.check(value))


@drawn
@given(kind=TYPES, rest=st.dictionaries(KEYS, VALUES, max_size=6), profile=TEXTS)
def test_any_content_of_a_resource_gets_an_answer(
    validator: Validator, kind: str, rest: dict[str, Any], profile: str
) -> None:
    """A known type with anything in it, asked for any profile."""
    assert is_well_formed(validator.check({**rest, "resourceType": kind}, [profile]))


@drawn
@given(resource=spoiled())
def test_a_spoiled_resource_gets_an_answer(validator: Validator, resource: Any) -> None:
    """Profiles, slices, invariants and value sets meet values that they do not expect."""
    assert is_well_formed(validator.check(resource))


@pytest.mark.parametrize("value", [None, [], {}, "text", 5, True, [{}], {"resourceType": None}, {"resourceType": []}])
def test_what_is_no_resource_is_an_error(validator: Validator, value: Any) -> None:
    """With one issue that says so (bad input A 11 and 15)."""
    [issue] = validator.check(value)
    assert issue.is_error


def patient(**more: Any) -> dict[str, Any]:
    """A made-up Patient."""
    return {"resourceType": "Patient", **more}


def observation(**more: Any) -> dict[str, Any]:
    """A made-up Observation."""
    return {"resourceType": "Observation", "status": "final", "code": {"text": "made up"}, **more}


HOSTILE: dict[str, tuple[Any, str]] = {
    "A 1: not a number": (
        observation(valueQuantity={"value": float("nan")}),
        "Observation.value.ofType(Quantity).value",
    ),
    "A 1: infinite": (observation(valueQuantity={"value": float("-inf")}), "Observation.value.ofType(Quantity).value"),
    "A 1: a decimal that is none": (
        observation(valueQuantity={"value": Decimal("NaN")}),
        "Observation.value.ofType(Quantity).value",
    ),
    "A 5: a number as text": (observation(valueQuantity={"value": "1.5"}), "Observation.value.ofType(Quantity).value"),
    "an array in an array, compared by an invariant": (
        observation(valueRange={"low": [[{"value": 1}]], "high": {"value": 2}}),
        "Observation.value.ofType(Range).low",
    ),
    "A 6: 5,000 digits": (observation(valueInteger=10**4999), "Observation.value.ofType(integer)"),
    "A 9: half a character": (patient(name=[{"family": "\ud800"}]), "Patient.name[0].family"),
    "A 13: a code outside its set": (observation(status="banana"), "Observation.status"),
    "A 14: a long id": (patient(id="a" * 65), "Patient.id"),
    "A 14: an id that climbs": (patient(id="../../etc"), "Patient.id"),
    "A 14: an empty id": (patient(id=""), "Patient.id"),
    "A 15: a type that is none": ({"resourceType": "Pateint"}, "Pateint"),
    "A 18: a fragment that leads nowhere": (observation(subject={"reference": "#x"}), "Observation.subject"),
    "A 21: a script in the narrative": (
        patient(
            text={
                "status": "generated",
                "div": '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>',
            }
        ),
        "Patient.text.div",
    ),
    "A 22: an element of R5": (
        {"resourceType": "MedicationAdministration", "status": "completed", "occurenceDateTime": "2024-01-01"},
        "MedicationAdministration",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_input_is_an_error_at_its_place(validator: Validator, name: str) -> None:
    """The list A of bad input, as far as it reaches a validator."""
    resource, place = HOSTILE[name]
    assert place in [issue.where.expression for issue in validator.check(resource) if issue.is_error]


def test_an_unknown_modifier_is_flagged(validator: Validator) -> None:
    """A 19: what changes the meaning of the value and is not understood."""
    unknown = {"url": "https://example.org/modifier", "valueBoolean": True}

    issues = validator.check(observation(modifierExtension=[unknown]))

    assert "Observation.modifierExtension[0]" in [issue.where.expression for issue in issues]


def nested(levels: int, key: str, inner: Any) -> Any:
    """A value inside itself, so many times."""
    for _ in range(levels):
        inner = {key: [inner]}
    return inner


def bundle(entries: int, entry: Callable[[int], Any]) -> dict[str, Any]:
    """A collection of so many entries."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry(number) for number in range(entries)]}


HUGE: dict[str, Callable[[], Any]] = {
    "A 7: 100,000 extensions in one another": lambda: patient(
        **nested(100_000, "extension", {"url": "https://x.test"})
    ),
    "A 7: 100,000 items in one another": lambda: {"resourceType": "Questionnaire", **nested(100_000, "item", {})},
    "resources in one another": lambda: nested(20_000, "contained", patient()) | {"resourceType": "Patient"},
    "100,000 unknown elements": lambda: patient(**{f"x{number}": number for number in range(100_000)}),
    "100,000 names": lambda: patient(name=[{"family": "x"}] * 100_000),
    "100,000 nulls": lambda: patient(name=[{"given": [None] * 100_000}]),
    "a text of ten megabytes": lambda: observation(valueString="x" * 10_000_000),
    "a code of ten megabytes": lambda: observation(status=" a" * 5_000_000),
    "a time of a megabyte": lambda: observation(effectiveDateTime="2" * 1_000_000),
    "a base64 text of a megabyte": lambda: {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": "A" * 1_000_000 + "!",
    },
    "a narrative of a megabyte": lambda: patient(text={"status": "generated", "div": "<div>" * 200_000}),
    "a reference of a megabyte": lambda: observation(subject={"reference": "a/" * 500_000}),
    "10,000 contained resources": lambda: patient(contained=[patient(id=f"p{number}") for number in range(10_000)]),
    "10,000 fragments": lambda: patient(
        contained=[patient(id=f"p{number}") for number in range(1_000)],
        link=[{"other": {"reference": f"#p{number % 1_000}"}, "type": "seealso"} for number in range(10_000)],
    ),
    "5,000 entries under one address": lambda: bundle(
        5_000, lambda _: {"fullUrl": "https://example.org/Patient/1", "resource": patient(id="1")}
    ),
    "5,000 entries that point to one another": lambda: bundle(
        5_000,
        lambda number: {
            "fullUrl": f"https://example.org/Observation/{number}",
            "resource": observation(
                id=str(number), hasMember=[{"reference": f"Observation/{(number + 1) % 5_000}"}] * 3
            ),
        },
    ),
    "10,000 codings": lambda: observation(
        category=[{"coding": [{"system": "http://loinc.org", "code": f"{number}-0"} for number in range(10_000)]}]
    ),
    "10,000 profiles": lambda: patient(meta={"profile": [f"https://example.org/{number}" for number in range(10_000)]}),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_input_is_answered_soon(validator: Validator, name: str) -> None:
    """Without an exception, a recursion error or a quadratic wait."""
    resource = HUGE[name]()
    started = time.perf_counter()

    issues = validator.check(resource)

    assert (is_well_formed(issues), time.perf_counter() - started < SOON) == (True, True)

"""What is said of an extension that stands where its definition does not allow it."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.validation.contexts import Contexts
from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.engine import Engine, Options
from fhir_adapter.validation.environment import environment
from fhir_adapter.validation.plan import CORE
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]

URL = "https://example.org/StructureDefinition/made-up"
OUTER = "https://example.org/StructureDefinition/outer"
EXTENSION: Json = {"url": URL, "valueInteger": 1}
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "s01",
    "extension": [EXTENSION, {"url": OUTER, "extension": [EXTENSION]}, {"url": OUTER, "valueCoding": {"code": "x"}}],
    "name": [{"family": "Example"}, {"family": "Other", "use": "old"}],
    "birthDate": "1980",
    "_birthDate": {"extension": [EXTENSION]},
    "contained": [{"resourceType": "Observation", "id": "o", "valueQuantity": {"value": 1}}],
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The definitions of R4."""
    return Engine(Definitions.of(), Options())


def run_at(engine: Engine, kind: str, resource: Json, start: str) -> Run:
    """A run that looks at a resource."""
    run = Run("made up", resource, Surroundings.of(resource), {})
    run.owner = (kind, start)
    run.environment = environment(engine, run)
    return run


def codes(
    engine: Engine, definition: Json, holder: str, *, kind: str = "Patient", resource: Json | None = None
) -> list[tuple[str, str, str | None]]:
    """Severity, code and place of what is found of an extension below a path."""
    start = holder.partition(".")[0]
    run = run_at(engine, kind, resource or PATIENT, start)
    Contexts(engine, definition).check(URL, f"{holder}.extension[0]", run, is_modifier=False)
    return [(issue.severity, issue.code, issue.where.expression) for issue in run.issues]


def in_elements(*expressions: str) -> Json:
    """A definition that may stand at these elements."""
    return {"url": URL, "context": [{"type": "element", "expression": each} for each in expressions]}


@pytest.mark.parametrize(
    ("expression", "kind", "holder"),
    [
        ("Element", "Patient", "Patient.name[0]"),
        ("Patient", "Patient", "Patient"),
        ("DomainResource", "Patient", "Patient"),
        ("Resource", "Patient", "Patient"),
        ("CanonicalResource", "ValueSet", "ValueSet"),
        ("Patient.name", "Patient", "Patient.name[1]"),
        ("HumanName", "Patient", "Patient.name[1]"),
        ("HumanName.family", "Patient", "Patient.name[1].family"),
        ("string", "Patient", "Patient.name[1].given[0]"),
        ("date", "Patient", "Patient.birthDate"),
        ("Patient.contact.name", "Patient", "Patient.contact[0].name"),
        ("BackboneElement", "Patient", "Patient.contact[0]"),
        ("Observation.value[x]", "Observation", "Observation.value.ofType(Quantity)"),
        ("Observation.value", "Observation", "Observation.value.ofType(Quantity)"),
        ("Quantity", "Observation", "Observation.value.ofType(Quantity)"),
        ("Quantity.value", "Observation", "Observation.component[2].value.ofType(Quantity).value"),
        ("Quantity", "Condition", "Condition.onset.ofType(Age)"),
        ("Questionnaire.item", "Questionnaire", "Questionnaire.item[0].item[3]"),
        ("Extension", "Patient", "Patient.extension[1]"),
        ("Patient.link", "StructureDefinition", "StructureDefinition.differential.element[0].pattern.ofType(Coding)"),
    ],
)
def test_an_extension_may_stand_at_an_element_by_its_path_or_type(
    engine: Engine, expression: str, kind: str, holder: str
) -> None:
    """The path from the resource or from a datatype, the type and what it derives from; values in definitions."""
    assert codes(engine, in_elements("Device", expression), holder, kind=kind) == []


@pytest.mark.parametrize(
    ("expression", "kind", "holder"),
    [
        ("HumanName.family", "Patient", "Patient.name[0]"),
        ("HumanName", "Patient", "Patient.name[0].family"),
        ("Patient", "Patient", "Patient.name[0]"),
        ("Resource", "Patient", "Patient.name[0]"),
        ("Practitioner", "Patient", "Patient"),
        ("CanonicalResource", "Patient", "Patient"),
        ("CanonicalResource", "ValueSet", "ValueSet.compose"),
        ("Quantity", "Observation", "Observation.value.ofType(string)"),
        ("Age", "Observation", "Observation.value.ofType(Quantity)"),
    ],
)
def test_an_extension_at_another_element_is_an_error_there(
    engine: Engine, expression: str, kind: str, holder: str
) -> None:
    """Told at the element that holds it."""
    assert codes(engine, in_elements(expression), holder, kind=kind) == [("error", "extension-place", holder)]


def test_a_definition_that_names_no_place_is_not_judged(engine: Engine) -> None:
    """That is an error of the definition."""
    assert codes(engine, {"url": URL}, "Patient.name[0]") == []
    assert codes(engine, {"url": URL, "context": [None, {"type": "element"}, "x"]}, "Patient.name[0]") == []


def test_a_context_may_be_another_extension(engine: Engine) -> None:
    """Itself or its value."""
    definition = {"url": URL, "context": [{"type": "extension", "expression": OUTER}]}
    assert codes(engine, definition, "Patient.extension[1]") == []
    assert codes(engine, definition, "Patient.extension[2].value.ofType(Coding)") == []
    assert codes(engine, definition, "Patient.extension[0]") == [("error", "extension-place", "Patient.extension[0]")]
    assert codes(engine, definition, "Patient.name[0]") == [("error", "extension-place", "Patient.name[0]")]


def test_a_context_may_be_an_expression(engine: Engine) -> None:
    """It leads from the resource to the elements that are allowed."""
    definition = {"url": URL, "context": [{"type": "fhirpath", "expression": "name.where(use = 'old')"}]}
    assert codes(engine, definition, "Patient.name[1]") == []
    assert codes(engine, definition, "Patient.name[0]") == [("error", "extension-place", "Patient.name[0]")]
    birth = {"url": URL, "context": [{"type": "fhirpath", "expression": "Patient.birthDate"}]}
    assert codes(engine, birth, "Patient.birthDate") == []


def test_an_expression_that_cannot_be_read_is_said_and_not_held_against_anybody(engine: Engine) -> None:
    """Neither right nor wrong."""
    definition = {"url": URL, "context": [{"type": "fhirpath", "expression": "name.where("}]}
    assert codes(engine, definition, "Patient.name[0]") == [("information", "not-evaluated", "Patient.name[0]")]
    spoilt = {**in_elements("HumanName"), "contextInvariant": ["use ="]}
    assert codes(engine, spoilt, "Patient.name[0]") == [("information", "not-evaluated", "Patient.name[0]")]


def test_an_invariant_of_the_context_must_hold_where_the_extension_stands(engine: Engine) -> None:
    """Of the element, and of the extension as `%extension`."""
    definition = {**in_elements("HumanName"), "contextInvariant": ["use = 'old'"]}
    assert codes(engine, definition, "Patient.name[1]") == []
    assert codes(engine, definition, "Patient.name[0]") == [("error", "extension-place", "Patient.name[0]")]
    of_value = {**in_elements("Patient"), "contextInvariant": ["%extension.valueInteger = 1 and id = 's01'"]}
    assert codes(engine, of_value, "Patient") == []


def test_a_context_may_be_an_element_of_a_profile(engine: Engine) -> None:
    """The resource must keep that profile."""
    definition = in_elements(f"{CORE}bodyweight#Observation.code")
    result = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert codes(engine, definition, "Observation.code", kind="Observation", resource=result) == [
        ("error", "extension-place", "Observation.code")
    ]
    plain = in_elements(f"{CORE}Observation#Observation.code")
    assert codes(engine, plain, "Observation.code", kind="Observation", resource=result) == []


def test_a_context_of_another_version_does_not_count(engine: Engine) -> None:
    """A package for many versions says for which ones a context is."""

    def between(start: str, end: str) -> Json:
        part = [{"url": "startFhirVersion", "valueCode": start}, {"url": "endFhirVersion", "valueCode": end}]
        only = {"url": f"{CORE}version-specific-use", "extension": part}
        return {"type": "element", "expression": "Patient", "extension": [{"url": "x"}, only]}

    elsewhere = {"type": "element", "expression": "Device"}
    assert codes(engine, {"url": URL, "context": [between("4.0", "4.3"), elsewhere]}, "Patient") == []
    for start, end in (("5.0", "6.0"), ("1.0", "3.0.1")):
        found = codes(engine, {"url": URL, "context": [between(start, end), elsewhere]}, "Patient")
        assert found == [("error", "extension-place", "Patient")]


def test_an_extension_that_changes_the_meaning_stands_under_modifier_extension(engine: Engine) -> None:
    """And any other does not; the definition says which it is."""
    modifier = f"{CORE}condition-assertedDate"
    run = run_at(engine, "Condition", {"resourceType": "Condition"}, "Condition")
    contexts = Contexts(engine, engine.definitions.structure(modifier) or {})

    contexts.check(modifier, "Condition.extension[0]", run, is_modifier=False)
    assert run.issues == []
    contexts.check(modifier, "Condition.modifierExtension[0]", run, is_modifier=True)
    assert [(issue.code, issue.where.expression) for issue in run.issues] == [
        ("extension-modifier", "Condition.modifierExtension[0]")
    ]


def test_what_a_resource_contains_has_its_own_paths(engine: Engine) -> None:
    """The owner says where they begin."""
    inner = PATIENT["contained"][0]
    run = run_at(engine, "Observation", inner, "Patient.contained[0]")
    contexts = Contexts(engine, in_elements("Observation.value[x]"))

    contexts.check(URL, "Patient.contained[0].value.ofType(Quantity).extension[0]", run, is_modifier=False)
    assert run.issues == []
    contexts.check(URL, "Patient.contained[0].extension[0]", run, is_modifier=False)
    assert [issue.where.expression for issue in run.issues] == ["Patient.contained[0]"]


@pytest.mark.parametrize(
    ("url", "kind", "holder"),
    [
        ("regex", "StructureDefinition", "StructureDefinition.differential.element[0].type[0].code"),
        ("structuredefinition-fhir-type", "StructureDefinition", "StructureDefinition.snapshot.element[0].type[0]"),
        ("structuredefinition-normative-version", "CodeSystem", "CodeSystem"),
        ("capabilitystatement-expectation", "CapabilityStatement", "CapabilityStatement.rest[0].interaction[0]"),
        ("valueset-concept-comments", "CodeSystem", "CodeSystem.concept[0]"),
    ],
)
def test_extensions_of_r4_may_stand_where_r4_has_them(engine: Engine, url: str, kind: str, holder: str) -> None:
    """Their definitions name too few places."""
    assert codes(engine, engine.definitions.structure(CORE + url) or {}, holder, kind=kind) == []

"""What the structural check makes of `_` siblings, extensions, contained resources, references and entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_adapter.validation import check_structure

Resource = dict[str, Any]
Defects = Callable[[object], list[tuple[str, str | None]]]
EXTENSION = {"url": "http://example.org/x", "valueCode": "a"}
WHY = {"extension": [EXTENSION]}


@pytest.mark.parametrize(
    "sibling",
    [
        {"birthDate": "1980", "_birthDate": WHY},
        {"_birthDate": WHY},
        {"birthDate": "1980", "_birthDate": {"id": "a"}},
    ],
)
def test_a_sibling_carries_id_and_extensions(sibling: Resource) -> None:
    """A primitive may have id and extensions, with its value or, with an extension, instead of it."""
    assert check_structure({"resourceType": "Patient", **sibling}) == []


@pytest.mark.parametrize(
    ("sibling", "code", "expression"),
    [
        ({"_birthDate": {"id": "a"}}, "empty", "Patient.birthDate"),
        ({"_birthDate": {}}, "empty", "Patient.birthDate"),
        ({"_birthDate": None}, "null", "Patient.birthDate"),
        ({"_birthDate": "1980"}, "wrong-json-type", "Patient.birthDate"),
        ({"_birthDate": [WHY]}, "unexpected-array", "Patient.birthDate"),
        ({"_birthDate": {"value": "x"}}, "unknown-element", "Patient.birthDate.value"),
        ({"_birthDate": {"extension": [{"valueCode": "a"}]}}, "missing-element", "Patient.birthDate.extension[0]"),
        ({"_contact": WHY}, "unknown-element", "Patient._contact"),
    ],
)
def test_a_wrong_sibling_is_refused(sibling: Resource, code: str, expression: str, defects: Defects) -> None:
    """A sibling is an object with id or extension, and only primitives have one."""
    assert (code, expression) in defects({"resourceType": "Patient", **sibling})


@pytest.mark.parametrize(
    "name",
    [
        {"given": ["a", "b"], "_given": [None, WHY]},
        {"given": [None, "b"], "_given": [WHY, None]},
        {"given": ["a"], "_given": [WHY]},
        {"_given": [WHY, WHY]},
    ],
)
def test_arrays_of_siblings_are_padded_with_null(name: Resource) -> None:
    """Nulls pad an array of primitives and its sibling array to equal length."""
    assert check_structure({"resourceType": "Patient", "name": [name]}) == []


@pytest.mark.parametrize(
    ("name", "code", "expression"),
    [
        ({"given": ["a", "b"], "_given": [WHY]}, "sibling-length", "Patient.name[0].given"),
        ({"given": ["a"], "_given": [WHY, WHY]}, "sibling-length", "Patient.name[0].given"),
        ({"given": ["a", None], "_given": [WHY, None]}, "null", "Patient.name[0].given[1]"),
        ({"given": "a"}, "expected-array", "Patient.name[0].given"),
        ({"given": []}, "empty", "Patient.name[0].given"),
        ({"given": [None]}, "null", "Patient.name[0].given[0]"),
        ({"_given": [WHY, None]}, "null", "Patient.name[0].given[1]"),
        ({"given": ["a"], "_given": WHY}, "expected-array", "Patient.name[0].given"),
        ({"given": [None], "_given": [{"id": "a"}]}, "empty", "Patient.name[0].given[0]"),
    ],
)
def test_wrong_arrays_of_siblings_are_refused(name: Resource, code: str, expression: str, defects: Defects) -> None:
    """Unequal lengths and nulls without a partner are errors."""
    assert (code, expression) in defects({"resourceType": "Patient", "name": [name]})


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        ({"valueCode": "a"}, "missing-element"),
        ({"url": "http://example.org/x"}, "invariant"),
        ({**EXTENSION, "extension": [EXTENSION]}, "invariant"),
        ({**EXTENSION, "valueString": "b"}, "two-choices"),
        ({"url": "http://example.org/x", "value": "a"}, "unknown-element"),
    ],
)
def test_an_extension_has_an_address_and_one_content(extension: Resource, code: str, defects: Defects) -> None:
    """An extension needs url and either one value or extensions (ext-1)."""
    assert code in [found for found, _ in defects({"resourceType": "Patient", "extension": [extension]})]


def test_a_contained_resource_is_checked(observation: Resource, defects: Defects) -> None:
    """What is wrong inside `contained` is found at its place."""
    observation["contained"] = [{"resourceType": "Patient", "id": "p", "gender": "banana"}]
    observation["subject"] = {"reference": "#p"}

    assert defects(observation) == [("code-not-allowed", "Observation.contained[0].gender")]


def test_an_unresolved_fragment_is_refused(observation: Resource) -> None:
    """`#x` without a contained resource x breaks ref-1."""
    observation["subject"] = {"reference": "#x"}

    [issue] = check_structure(observation)

    assert (issue.code, issue.rule) == ("unresolved-fragment", "ref-1")
    assert issue.where.expression == "Observation.subject.reference"


def test_a_contained_resource_of_the_wrong_type_is_refused(observation: Resource, defects: Defects) -> None:
    """A fragment must lead to a type that the element allows."""
    observation["contained"] = [{"resourceType": "Organization", "id": "o", "name": "x"}]
    observation["subject"] = {"reference": "#o"}

    assert defects(observation) == [("reference-type", "Observation.subject.reference")]


@pytest.mark.parametrize(
    ("contained", "rule"),
    [
        ({"id": "unused"}, "dom-3"),
        ({}, "dom-3"),
        ({"id": "p", "contained": [{"resourceType": "Patient", "id": "q"}], "link": [{"x": "#q"}]}, "dom-2"),
        ({"id": "p", "meta": {"versionId": "1"}}, "dom-4"),
        ({"id": "p", "meta": {"security": [{"code": "R"}]}}, "dom-5"),
    ],
)
def test_what_is_contained_is_small_and_used(observation: Resource, contained: Resource, rule: str) -> None:
    """A contained resource is referred to, holds no other, and has no version or security label."""
    observation["contained"] = [{"resourceType": "Patient", **contained}]
    observation["subject"] = {"reference": "#p"}

    assert rule in [issue.rule for issue in check_structure(observation)]


def test_a_contained_resource_may_point_to_its_container(patient: Resource) -> None:
    """`#` alone is the container, seen from within."""
    patient["contained"] = [
        {"resourceType": "Provenance", "id": "p", "target": [{"reference": "#"}], "recorded": "2024-01-01T00:00:00Z",
         "agent": [{"who": {"display": "x"}}]},
    ]  # fmt: skip

    assert check_structure(patient) == []


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/s01"},
        {"reference": "Patient/s01/_history/2"},
        {"reference": "Patient?identifier=https://example.org/subjects|001"},
        {"reference": "https://example.org/fhir/Practitioner/1"},
        {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        {"type": "Patient", "identifier": {"system": "https://example.org/subjects", "value": "001"}},
        {"type": "http://hl7.org/fhir/StructureDefinition/Patient", "display": "x"},
    ],
)
def test_a_right_reference_is_accepted(observation: Resource, reference: Resource) -> None:
    """Relative, versioned, conditional, absolute and logical references to an allowed type pass."""
    observation["subject"] = reference

    assert check_structure(observation) == []


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ({"reference": "Practitioner/1"}, "reference-type"),
        ({"reference": "Practitioner?name=x"}, "reference-type"),
        ({"reference": "Banana/1"}, "reference-type"),
        ({"type": "Practitioner", "display": "x"}, "reference-type"),
        ({"reference": "Patient/1", "type": "Group"}, "reference-type"),
        ({"reference": "Patient/../../etc"}, "format"),
        ({"reference": "/Patient/1"}, "format"),
        ({"reference": "s 01"}, "format"),
    ],
)
def test_a_wrong_reference_is_refused(observation: Resource, reference: Resource, code: str, defects: Defects) -> None:
    """A type that the element does not allow, and what is no reference, are errors."""
    observation["subject"] = reference

    assert [found for found, _ in defects(observation)] == [code]


def test_any_reference_points_to_a_type_of_r4(observation: Resource, defects: Defects) -> None:
    """Where every resource is allowed, the name must still be one that R4 has."""
    observation["focus"] = [{"reference": "Patient/1"}, {"reference": "Banana/1"}]

    assert defects(observation) == [("reference-type", "Observation.focus[1].reference")]


def test_entries_of_a_bundle_are_checked(observation: Resource, defects: Defects) -> None:
    """A resource in a Bundle is checked, and its fragments are its own."""
    observation["contained"] = [{"resourceType": "Patient", "id": "p"}]
    observation["subject"] = {"reference": "#p"}
    other = {**observation, "status": "banana", "contained": None}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation}, {"resource": other}]}

    assert defects(bundle) == [
        ("code-not-allowed", "Bundle.entry[1].resource.status"),
        ("unresolved-fragment", "Bundle.entry[1].resource.subject.reference"),
        ("null", "Bundle.entry[1].resource.contained"),
    ]


def test_a_datatype_is_no_resource_in_a_bundle(defects: Defects) -> None:
    """The name of a datatype as resourceType is of a type that is not in the table of resources."""
    entry = {"resource": {"resourceType": "Quantity", "value": "x"}}

    assert defects({"resourceType": "Bundle", "type": "collection", "entry": [entry]}) == []


def test_a_resource_in_a_bundle_is_an_object(defects: Defects) -> None:
    """An entry's resource that is no object is told at its place."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": "x"}]}

    assert defects(bundle) == [("wrong-json-type", "Bundle.entry[0].resource")]


def test_a_resource_in_a_bundle_says_its_type(defects: Defects) -> None:
    """An entry's resource needs a resourceType too."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"id": "a"}}]}

    assert defects(bundle) == [("no-resource-type", "Bundle.entry[0].resource")]

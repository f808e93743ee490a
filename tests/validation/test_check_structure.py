"""What the structural check finds in the shape of a resource: names, JSON types, counts, choices, codes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.validation import check_structure

Resource = dict[str, Any]
Defects = Callable[[object], list[tuple[str, str | None]]]


def test_right_resources_have_no_issues(observation: Resource, patient: Resource) -> None:
    """A right Observation and a right Patient give empty lists."""
    assert (check_structure(observation), check_structure(patient)) == ([], [])


def test_a_type_outside_the_table_is_not_judged() -> None:
    """A resource type that the table does not hold gives no issue, whatever is in it."""
    assert check_structure({"resourceType": "Claim", "banana": None}) == []


@pytest.mark.parametrize(
    "resource", [{}, {"id": "a"}, {"resourceType": None}, {"resourceType": 5}, {"resourceType": ""}]
)
def test_a_resource_says_its_type(resource: Resource, defects: Defects) -> None:
    """A missing, empty or wrongly typed resourceType is an error."""
    assert defects(resource) == [("no-resource-type", "Resource")]


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_what_is_no_object_is_no_resource(value: object, defects: Defects) -> None:
    """A value that is not an object is one error and no exception."""
    assert defects(value) == [("wrong-json-type", None)]


def test_an_issue_names_resource_place_and_rule(observation: Resource) -> None:
    """An issue says severity, resource with id, FHIRPath with index, the element's rule and its origin."""
    observation["component"] = [
        {"code": {"text": "a"}},
        {"code": {"text": "b"}, "valueQuantity": {"value": "1.5"}},
    ]

    [issue] = check_structure(observation)

    assert issue.severity == "error"
    assert issue.where.resource == "Observation/f1"
    assert issue.where.expression == "Observation.component[1].valueQuantity.value"
    assert issue.rule == "Quantity.value"
    assert issue.source == "native"


def test_an_id_that_is_none_is_not_shown(observation: Resource) -> None:
    """A malformed id may hold anything, so the issue names the type alone."""
    observation["id"] = "Zhang San\u202e"

    [issue] = check_structure(observation)

    assert issue.where.resource == "Observation"
    assert "Zhang" not in issue.message


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("statsu", "'status'"),
        ("value", "'valueQuantity'"),
        ("valueDecimal", "'valueQuantity'"),
        ("valueQuantiti", "'valueQuantity'"),
        ("effective_date_time", "'effectiveDateTime'"),
    ],
)
def test_an_unknown_element_is_refused_with_the_near_name(observation: Resource, name: str, near: str) -> None:
    """A name that R4 does not have is an error that proposes the name probably meant."""
    observation.pop("valueQuantity")
    observation[name] = "x"

    [issue] = check_structure(observation)

    assert (issue.code, issue.where.expression) == ("unknown-element", f"Observation.{name}")
    assert near in issue.message


def test_a_key_that_cannot_be_a_name_is_not_shown(observation: Resource) -> None:
    """A key with other characters than names have is refused without being repeated."""
    observation["Zhang San \x1b[31m"] = "x"

    [issue] = check_structure(observation)

    assert (issue.code, issue.where.expression) == ("unknown-element", "Observation")
    assert "Zhang" not in issue.message


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("valueQuantity", {"value": "1.5"}, "wrong-json-type"),
        ("valueQuantity", {"value": True}, "wrong-json-type"),
        ("valueBoolean", "true", "wrong-json-type"),
        ("valueBoolean", 1, "wrong-json-type"),
        ("valueString", 5, "wrong-json-type"),
        ("valueString", {"value": "x"}, "wrong-json-type"),
        ("valueInteger", "5", "wrong-json-type"),
        ("valueCodeableConcept", "x", "wrong-json-type"),
        ("valueQuantity", {"value": 1.5}, "float-not-decimal"),
        ("valueInteger", 5.0, "float-not-decimal"),
        ("valueString", 1.5, "float-not-decimal"),
        ("valueQuantity", 1.5, "float-not-decimal"),
    ],
)
def test_the_json_type_fits_the_element(
    observation: Resource, name: str, value: object, code: str, defects: Defects
) -> None:
    """A number as text, a text for a boolean and the like are errors; a float is one everywhere."""
    observation.pop("valueQuantity")
    observation[name] = value

    assert [found for found, _ in defects(observation)] == [code]


@pytest.mark.parametrize("value", [Decimal("1.50"), 1, 0, -3, Decimal("1E+3"), Decimal("-0")])
def test_whole_numbers_and_decimals_are_decimals(observation: Resource, value: object) -> None:
    """A decimal may be held as int or Decimal, with any digits and sign."""
    observation["valueQuantity"]["value"] = value

    assert check_structure(observation) == []


def test_a_required_element_is_missed(observation: Resource) -> None:
    """A missing required element is told at its parent, with the element as rule."""
    observation.pop("status")

    [issue] = check_structure(observation)

    assert (issue.code, issue.where.expression, issue.rule) == ("missing-element", "Observation", "Observation.status")


def test_a_required_choice_is_missed(defects: Defects) -> None:
    """A required choice element must be there under one of its names."""
    dose = {"resourceType": "MedicationAdministration", "status": "completed", "subject": {"display": "a subject"}}

    assert defects(dose) == [("missing-element", "MedicationAdministration")] * 2


def test_a_primitive_extension_stands_for_a_required_value() -> None:
    """ResearchStudy.status may be absent when `_status` says why."""
    reason = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}

    assert check_structure({"resourceType": "ResearchStudy", "_status": {"extension": [reason]}}) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("status", ["final"], "unexpected-array"),
        ("status", ["final", "final"], "too-many"),
        ("code", [{"text": "a"}], "unexpected-array"),
        ("code", [{"text": "a"}, {"text": "b"}], "too-many"),
        ("category", {"text": "a"}, "expected-array"),
        ("category", 1.5, "expected-array"),
        ("instantiatesCanonical", "x", "unknown-element"),
        ("status", "", "empty"),
        ("code", {}, "empty"),
        ("category", [], "empty"),
        ("category", [{}], "empty"),
        ("status", None, "null"),
        ("code", None, "null"),
        ("category", None, "null"),
        ("category", [None], "null"),
    ],
)
def test_arrays_objects_and_nulls_stand_where_they_belong(
    observation: Resource, name: str, value: object, code: str, defects: Defects
) -> None:
    """Arrays only for what repeats, nothing empty, no null."""
    observation[name] = value

    assert [found for found, _ in defects(observation)] == [code]


def test_only_one_type_of_a_choice_is_present(observation: Resource) -> None:
    """Two types of value[x] at once are one error that names both."""
    observation["valueString"] = "high"

    [issue] = check_structure(observation)

    assert (issue.code, issue.rule) == ("two-choices", "Observation.value[x]")
    assert "'valueQuantity', 'valueString'" in issue.message


def test_a_sibling_of_another_choice_counts(observation: Resource, defects: Defects) -> None:
    """A value of one type and a primitive extension of another are two choices."""
    observation["_valueString"] = {"extension": [{"url": "http://example.org/x", "valueCode": "a"}]}

    assert defects(observation) == [("two-choices", "Observation")]


def test_a_value_and_its_own_sibling_are_one_choice(observation: Resource) -> None:
    """`valueString` and `_valueString` belong together."""
    observation.pop("valueQuantity")
    observation["valueString"] = "high"
    observation["_valueString"] = {"id": "a"}

    assert check_structure(observation) == []


def test_a_code_outside_a_required_binding_is_refused(observation: Resource) -> None:
    """`status: banana` is an error that lists the right codes."""
    observation["status"] = "banana"

    [issue] = check_structure(observation)

    assert (issue.code, issue.where.expression) == ("code-not-allowed", "Observation.status")
    assert issue.message.startswith("'banana' is not one of 'registered', 'preliminary', 'final'")


def test_a_code_that_could_be_a_subjects_data_is_not_shown(patient: Resource) -> None:
    """What does not look like a code is refused without being repeated."""
    patient["gender"] = "Zhang San 1980-01-01"

    [issue] = check_structure(patient)

    assert issue.message.startswith("the code is not one of 'male'")


def test_a_required_binding_holds_for_concepts(defects: Defects) -> None:
    """A CodeableConcept bound as required needs one coding of the value set."""
    condition = {"resourceType": "Condition", "subject": {"display": "x"}, "clinicalStatus": {"text": "active"}}

    assert defects(condition) == [("code-not-allowed", "Condition.clinicalStatus")]


def test_one_right_coding_is_enough() -> None:
    """A CodeableConcept may carry other codings beside the required one."""
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    codings = [{"system": "http://example.org", "code": "on"}, {"system": system, "code": "active"}]
    condition = {"resourceType": "Condition", "subject": {"display": "x"}, "clinicalStatus": {"coding": codings}}

    assert check_structure(condition) == []


def test_every_defect_is_found_at_once(observation: Resource, defects: Defects) -> None:
    """The check goes on after a defect."""
    observation["status"] = "banana"
    observation["foo"] = 1
    observation.pop("code")

    assert {code for code, _ in defects(observation)} == {"code-not-allowed", "unknown-element", "missing-element"}


def test_what_is_nested_beyond_reach_is_one_error(patient: Resource, very_deep: Resource, defects: Defects) -> None:
    """A value that no reader of ours lets through does not raise."""
    patient["extension"] = [very_deep]

    assert ("too-deep", "Patient") in defects(patient)


@pytest.fixture
def very_deep() -> Resource:
    """An extension in an extension, five thousand times."""
    extension: Resource = {"url": "http://example.org/x", "valueCode": "a"}
    for _ in range(5000):
        extension = {"url": "http://example.org/x", "extension": [extension]}
    return extension

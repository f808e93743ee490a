"""What is said of two elements with one id."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.validation.element_ids import element_id_checks
from fhir_adapter.validation.plan import Element
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

ID = Element("HumanName.id", "HumanName.id", "id", base_path="Element.id")


@pytest.fixture
def run() -> Run:
    """A run over a Patient."""
    root: dict[str, Any] = {"resourceType": "Patient"}
    run = Run("Patient/1", root, Surroundings.of(root), {})
    run.owner = ("Patient", "Patient")
    return run


def look(run: Run, *ids: tuple[object, str]) -> list[tuple[str, str, str | None]]:
    """Looks at the ids of elements at paths."""
    for value, path in ids:
        for check in element_id_checks(ID):
            check(value, None, f"{path}.id", run)
    return [(issue.severity, issue.code, issue.where.expression) for issue in run.issues]


def test_the_second_element_with_an_id_is_an_error(run: Run) -> None:
    """Told at that element."""
    ids = [("a", "Patient.name[0]"), ("b", "Patient.name[1]"), ("a", "Patient.identifier[0]")]
    assert look(run, *ids) == [("error", "duplicate-id", "Patient.identifier[0]")]


def test_the_same_element_may_be_looked_at_by_several_profiles(run: Run) -> None:
    """It is still one element."""
    assert look(run, ("a", "Patient.name[0]"), ("a", "Patient.name[0]"), (7, "Patient.name[1]")) == []


def test_each_resource_has_ids_of_its_own(run: Run) -> None:
    """A contained one, or another entry."""
    assert look(run, ("a", "Patient.name[0]")) == []
    run.resource = {"resourceType": "Device"}
    assert look(run, ("a", "Patient.contained[0].note[0]")) == []


def test_a_definition_repeats_the_ids_of_its_elements(run: Run) -> None:
    """In snapshot and differential."""
    run.owner = ("StructureDefinition", "StructureDefinition")
    ids = [(each, f"StructureDefinition.{each}.element[0]") for each in ("snapshot", "differential")]
    assert look(run, *(("Patient", path) for _, path in ids)) == []


def test_an_id_of_a_resource_is_none_of_an_element() -> None:
    """Resource.id is unique on its server only."""
    assert list(element_id_checks(Element("Patient.id", "Patient.id", "id", base_path="Resource.id"))) == []

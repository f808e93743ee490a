"""The resources of `profiles/` are found in a checkout and in an installed package, and are sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.mappers.typed import typed
from fhir_adapter.validation import check_structure, resource_types
from fhir_adapter.validation.canonical_resources import canonical_resource, known_resources, profiles_folder

HSCORE = "OperationDefinition-hscore"


def parameters(resource: dict[str, Any]) -> dict[str, tuple[str, int, str, str]]:
    """The parameters of an operation: use, least, most, type."""
    return {one["name"]: (one["use"], one["min"], one["max"], one["type"]) for one in resource["parameter"]}


@pytest.mark.parametrize(
    ("name", "kind", "on_type", "on_instance"),
    [("hscore", "Patient", False, True), ("observation-hscore", "Observation", True, False)],
)
def test_the_operation_is_found_by_its_name(name: str, kind: str, *, on_type: bool, on_instance: bool) -> None:
    """Its address, and where it can be asked for."""
    found = canonical_resource(f"OperationDefinition-{name}")
    assert found["url"] == f"https://w3id.org/fhir-adapter/OperationDefinition/{name}"
    assert (found["code"], found["resource"], found["affectsState"]) == ("hscore", [kind], False)
    assert (found["system"], found["type"], found["instance"]) == (False, on_type, on_instance)


def test_the_operation_of_observations_also_takes_them() -> None:
    """All that the other takes, and the results."""
    more = {"observation": ("in", 0, "*", "Observation"), "bundle": ("in", 0, "1", "Bundle")}
    known = parameters(canonical_resource(HSCORE))
    assert parameters(canonical_resource("OperationDefinition-observation-hscore")) == known | more


def test_the_operation_says_what_goes_in_and_out() -> None:
    """All parameters in are optional; one resource comes out."""
    assert parameters(canonical_resource(HSCORE)) == {
        "window": ("in", 0, "1", "string"),
        "cutoff": ("in", 0, "1", "integer"),
        "evidence": ("in", 0, "1", "boolean"),
        "return": ("out", 1, "1", "Bundle"),
    }


@pytest.mark.parametrize("name", known_resources())
def test_every_resource_is_sound(name: str) -> None:
    """Each is named `Type-id`, and one to the typed models and the structural check."""
    found = canonical_resource(name)
    assert name == f"{found['resourceType']}-{found['id']}"
    assert found["resourceType"] in resource_types()
    assert typed(found).get_resource_type() == found["resourceType"]
    assert check_structure(found) == []


def test_each_call_gives_a_copy() -> None:
    """Who changes what was given changes it for nobody else."""
    canonical_resource(HSCORE)["parameter"].clear()
    assert len(canonical_resource(HSCORE)["parameter"]) == 4


@pytest.mark.parametrize(
    "name", ["OperationDefinition-nothing", "../pyproject", "../../etc/passwd", "README", "", "\0"]
)
def test_a_name_that_is_not_there_is_refused(name: str) -> None:
    """The message names what there is; no name leads out of the folder."""
    with pytest.raises(LookupError, match=r"no resource .* there are: .*OperationDefinition-hscore"):
        canonical_resource(name)


def test_an_installed_package_has_its_own_folder(tmp_path: Path) -> None:
    """The wheel carries `profiles/` inside the package."""
    package = tmp_path / "site-packages" / "fhir_adapter"
    (package / "_data" / "profiles").mkdir(parents=True)
    assert profiles_folder(package) == package / "_data" / "profiles"


def test_a_checkout_has_the_folder_beside_the_package(tmp_path: Path) -> None:
    """So that an edit is seen at once."""
    assert profiles_folder(tmp_path / "fhir_adapter") == tmp_path / "profiles"

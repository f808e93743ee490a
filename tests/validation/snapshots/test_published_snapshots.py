"""Snapshots that are made from differentials, beside those that HL7's and SUSHI's generators published."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.validation.canonical_resources import profiles_folder
from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.snapshots import SnapshotError, snapshot_of

Json = dict[str, Any]
Find = Callable[[str], Json | None]

CORE: Final = Path("fhir", "hl7.fhir.r4.core-4.0.1.tgz")
TYPES: Final = "http://hl7.org/fhir/StructureDefinition/"
DIFFERING: Final = {
    "bp": "ours gives the two components slices valueQuantity, as HL7's generator does elsewhere",
    "cholesterol": "ours leaves out the rules of SimpleQuantity, which the type itself asks for",
    "hdlcholesterol": "the same",
    "ldlcholesterol": "the same",
    "catalog": "the published one lacks date, which Composition requires",
    "elementdefinition-de": "the published one repeats the elements of its extensions",
    "familymemberhistory-genetic": "the published one lacks a dozen elements of FamilyMemberHistory",
    "provenance-relevant-history": "HL7's names the slice in a contentReference, and gives it the binding of the base",
}
"""The published profiles of R4 core with other snapshots, and why."""
OUR_DIFFERING: Final = {"trial-dose", "trial-eligibility", "trial-missed-dose"}
"""SUSHI leaves out the example binding of a choice that is only a reference or a range: it asks for nothing."""

ALSO_SAID: Final = ("min", "max", "sliceName", "slicing", "contentReference", "maxLength")
VALUES: Final = ("fixed", "pattern", "minValue", "maxValue")


def asked(element: Json) -> Json:
    """What an element of a snapshot asks of a resource."""
    binding = element.get("binding")
    return {
        **{key: element[key] for key in element if key in ALSO_SAID or key.startswith(VALUES)},
        "isModifier": bool(element.get("isModifier")),
        "base": element.get("base", {}).get("max"),
        "type": [
            (each.get("code"), each.get("profile"), each.get("targetProfile")) for each in element.get("type", [])
        ],
        "binding": binding and (binding.get("strength"), binding.get("valueSet")),
        "constraint": sorted(each["key"] for each in element.get("constraint", [])),
    }


def all_asked(definition: Mapping[str, Any]) -> Json:
    """What a snapshot asks, by the id of the element."""
    return {each["id"]: asked(each) for each in definition["snapshot"]["element"]}


def is_as_published(definition: Json, find: Find) -> bool:
    """Whether the snapshot that is made of the differential asks what the published one asks."""
    made = snapshot_of({key: value for key, value in definition.items() if key != "snapshot"}, find)
    return all_asked(made) == all_asked(definition)


def with_both(definitions: Iterator[Json]) -> list[Json]:
    """The profiles that have a differential and a published snapshot."""
    found = (one for one in definitions if one.get("derivation") == "constraint" and "snapshot" in one)
    return [one for one in found if one.get("differential", {}).get("element")]


@pytest.fixture(scope="module")
def core(shared_data: Path) -> dict[str, Json]:
    """Every StructureDefinition of the package of R4 core, whole, by its address."""
    found: dict[str, Json] = {}
    with tarfile.open(shared_data / CORE) as package:
        for member in package:
            file = package.extractfile(member) if "/StructureDefinition-" in member.name else None
            if file is not None:
                definition = fhirjson.loads(file.read())
                found[definition["url"]] = definition
    return found


def test_the_profiles_of_r4_get_the_snapshots_that_hl7_published(core: dict[str, Json]) -> None:
    """Types, extensions and profiles: all but the few that are listed, which leave the list once they agree."""

    def find(address: str) -> Json | None:
        bare = address.partition("|")[0]
        return core.get(bare) or core.get(TYPES + bare)

    profiles = with_both(iter(core.values()))
    differing = {one["id"] for one in profiles if not is_as_published(one, find)}

    assert len(profiles) == 439
    assert differing == DIFFERING.keys()


def test_our_profiles_get_the_snapshots_that_sushi_made() -> None:
    """From their own differentials."""
    files = sorted(profiles_folder().glob("StructureDefinition-*.json"))
    profiles = with_both(fhirjson.loads(file.read_bytes()) for file in files)

    assert len(profiles) > 20
    assert {one["id"] for one in profiles if not is_as_published(one, Definitions.of().structure)} == OUR_DIFFERING


def derived(**changes: object) -> Json:
    """A profile of Patient, made up."""
    return {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/fhir/StructureDefinition/made-up",
        "type": "Patient",
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": TYPES + "Patient",
        "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
        **changes,
    }


def test_a_differential_is_not_changed() -> None:
    """What is given may be shared."""
    given = derived()
    before = fhirjson.dumps(given)

    made = snapshot_of(given, Definitions.of().structure)

    assert fhirjson.dumps(given) == before
    assert all_asked(made)["Patient.name"]["min"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"baseDefinition": "https://example.org/none"},
        {"baseDefinition": None},
        {"baseDefinition": "https://example.org/fhir/StructureDefinition/made-up"},
        {"differential": {"element": [{"id": "Patient.nome", "path": "Patient.nome", "min": 1}]}},
        {"differential": {"element": [{"id": "Patient.name", "path": 1}]}},
        {"differential": {"element": ["Patient.name"]}},
        {"differential": []},
    ],
    ids=["no base at hand", "no base", "its own base", "no such element", "path", "no object", "no differential"],
)
def test_where_none_can_be_made_it_is_said(changes: Json) -> None:
    """By the one error that a caller expects."""
    given = derived(**changes)

    def find(address: str) -> Json | None:
        return given if address == given["url"] else Definitions.of().structure(address)

    with pytest.raises(SnapshotError):
        snapshot_of(given, find)

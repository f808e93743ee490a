"""This project's own definitions are known by the names of their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.validation.canonical_resources import profiles_folder
from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.packages.own_profiles import OwnProfiles, own_profiles

MakeFolder = Callable[[Mapping[str, object]], Path]

KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "OperationDefinition", "CapabilityStatement")
BASE = "https://w3id.org/fhir-adapter/"


def test_every_file_is_named_as_its_address() -> None:
    """Otherwise it would not be found: no file is read to know what there is."""
    own = own_profiles()
    addresses = [(kind, address) for kind in KINDS for address in own.addresses(kind)]
    found = [own.read(kind, address) for kind, address in addresses]
    assert addresses
    assert [(each and each["resourceType"], each and each["url"]) for each in found] == addresses


def test_a_folder_below_counts_and_examples_do_not(make_folder: MakeFolder) -> None:
    """Generated definitions may lie in a folder of their own; examples are resources, not definitions."""
    dose = {"resourceType": "StructureDefinition", "url": BASE + "StructureDefinition/trial-dose"}
    folder = make_folder({"json/StructureDefinition-trial-dose.json": dose, "examples/Patient-s01.json": {}})
    own = OwnProfiles(folder)
    assert own.read("StructureDefinition", BASE + "StructureDefinition/trial-dose") == dose
    assert own.addresses("StructureDefinition") == [BASE + "StructureDefinition/trial-dose"]
    assert own.addresses("Patient") == []
    assert own.read("ValueSet", BASE + "StructureDefinition/trial-dose") is None


def test_an_edited_file_is_another_state(make_folder: MakeFolder) -> None:
    """Plans that were compiled from the one before are not used."""
    folder = make_folder({"StructureDefinition-trial-dose.json": {"name": "Dose"}})
    before = OwnProfiles(folder).digest
    (folder / "StructureDefinition-trial-dose.json").write_bytes(json.dumps({"name": "OtherDose"}).encode())
    assert OwnProfiles(folder).digest != before


def test_naming_our_own_folder_as_a_package_replaces_nothing() -> None:
    """The very same texts stay trusted and are not told of."""
    definitions = Definitions.of([profiles_folder()])
    twice = [each for each in definitions.problems if each.code == "definition-twice"]
    assert twice == []
    operation = fhirjson.loads((profiles_folder() / "OperationDefinition-hscore.json").read_bytes())
    assert definitions.resource("OperationDefinition", operation["url"]) == operation

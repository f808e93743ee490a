"""How the table of R4's elements is made: `python -m fhir_adapter.validation.generate_elements PACKAGE.tgz OUT.json`.

Reads the snapshots, value sets and code systems of the package hl7.fhir.r4.core (CC0) and writes, sorted and one type
a line, what `check_structure` must know. The same package gives the same bytes. The keys are described in `README.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fhir_adapter.fhirpath.generate_model import compact, read_package

Json = dict[str, Any]

RESOURCES = (
    "AdverseEvent",
    "Bundle",
    "Condition",
    "Consent",
    "Device",
    "DiagnosticReport",
    "Encounter",
    "Group",
    "Location",
    "Medication",
    "MedicationAdministration",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Parameters",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "ResearchStudy",
    "ResearchSubject",
    "Specimen",
)
_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM_TYPES = "http://hl7.org/fhirpath/"
_FHIR_TYPE = _DEFINITION + "structuredefinition-fhir-type"
_REGEX = _DEFINITION + "regex"
_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_KINDS = ("StructureDefinition-", "ValueSet-", "CodeSystem-")
_NESTED = ("BackboneElement", "Element")
_ARGUMENTS = 3


class Package:
    """The definitions of one FHIR package by canonical address, and its `package.json`."""

    def __init__(self, path: Path) -> None:
        """Read the package; raises `OSError` or `tarfile.TarError` when it is no readable archive."""
        self.manifest, self.definitions = read_package(path, _KINDS)

    def core_type(self, name: str) -> Json:
        """The definition of a core type by its name; raises `KeyError` when the package has none."""
        return self.definitions[_DEFINITION + name]


def make_table(package: Package) -> Json:
    """Everything the structural check must know of R4: the types in `RESOURCES` and all that they reach."""
    types: dict[str, Json] = {}
    primitives: dict[str, Json] = {}
    ahead = [*RESOURCES, "Element"]
    while ahead:
        name = ahead.pop()
        if name == "Resource" or name in types or name in primitives:
            continue
        structure = package.core_type(name)
        if structure["kind"] == "primitive-type":
            primitives[name] = _primitive(structure)
        else:
            types |= (found := _types(structure))
            ahead += [element["type"] for element in _elements_of(found) if element["type"] not in found]
    value_sets, not_checked = _value_sets(package, types)
    return {
        "about": _about(package),
        "not_checked": not_checked,
        "resource_types": sorted(_codes_of_system(package, _RESOURCE_TYPES) or ()),
        "primitives": primitives,
        "value_sets": value_sets,
        "types": types,
    }


def _about(package: Package) -> Json:
    return {
        "package": package.manifest["name"],
        "version": package.manifest["version"],
        "license": package.manifest["license"],
        "made_by": "python -m fhir_adapter.validation.generate_elements",
    }


def _elements_of(types: dict[str, Json]) -> Iterator[Json]:
    return (element for spec in types.values() for element in spec["elements"].values())


def _primitive(structure: Json) -> Json:
    """The regular expression and limits that the specification gives to a primitive type."""
    value = next(e for e in structure["snapshot"]["element"] if e["path"] == f"{structure['type']}.value")
    limits = {"max_length": "maxLength", "min": "minValueInteger", "max": "maxValueInteger"}
    found = {ours: value[theirs] for ours, theirs in limits.items() if theirs in value}
    if structure["baseDefinition"] == _DEFINITION + "integer":
        found["base"] = "integer"
    extensions = value["type"][0].get("extension", ())
    regex = next((e["valueString"] for e in extensions if e["url"] == _REGEX), None)
    return found | ({"regex": regex} if regex else {})


def _types(structure: Json) -> dict[str, Json]:
    """One entry for the type and one for each element that has elements of its own (`Observation.component`)."""
    root = structure["type"]
    types: dict[str, Json] = {root: {"kind": structure["kind"], "elements": {}}}
    for definition in structure["snapshot"]["element"][1:]:
        owner, _, name = definition["path"].rpartition(".")
        if owner not in types:
            types[owner] = {"kind": "nested", "elements": {}}
        for json_name, element in _element(definition, name, is_resource=structure["kind"] == "resource"):
            types[owner]["elements"][json_name] = element
    return types


def _element(definition: Json, name: str, *, is_resource: bool) -> Iterator[tuple[str, Json]]:
    """The JSON names of one element and what is allowed under each; a choice `value[x]` has one name for each type."""
    cardinality = _cardinality(definition)
    if "contentReference" in definition:
        yield name, {"type": definition["contentReference"].removeprefix("#"), **cardinality}
        return
    choice = name.removesuffix("[x]")
    is_choice = choice != name
    for kind in definition["type"]:
        code = _type_code(definition, kind, is_resource=is_resource)
        element = {"type": code, **cardinality, **_restrictions(definition, kind)}
        if is_choice:
            element["choice"] = choice
        yield (choice + code[0].upper() + code[1:] if is_choice else name), element


def _type_code(definition: Json, kind: Json, *, is_resource: bool) -> str:
    code: str = kind["code"]
    if code.startswith(_SYSTEM_TYPES):
        # The snapshots call the logical id of a resource a string; resource.html says that it is an id.
        if is_resource and definition["base"]["path"] == "Resource.id":
            return "id"
        return next(str(e["valueUrl"]) for e in kind["extension"] if e["url"] == _FHIR_TYPE)
    return str(definition["path"]) if code in _NESTED else code


def _cardinality(definition: Json) -> Json:
    found: Json = {"min": definition["min"]} if definition["min"] else {}
    return found | ({"max": definition["max"]} if definition["max"] != "1" else {})


def _restrictions(definition: Json, kind: Json) -> Json:
    found: Json = {}
    targets = [target.removeprefix(_DEFINITION) for target in kind.get("targetProfile", ())]
    if kind["code"] == "Reference" and targets and targets != ["Resource"]:
        found["targets"] = targets
    binding = definition.get("binding", {})
    if binding.get("strength") == "required":
        found["value_set"] = binding["valueSet"].partition("|")[0]
    if "profile" in kind:
        found["profile"] = kind["profile"][0].removeprefix(_DEFINITION)
    return found


def _value_sets(package: Package, types: dict[str, Json]) -> tuple[Json, Json]:
    """The codes of each required binding by code system, and the value sets that cannot be enumerated from here."""
    enumerated: Json = {}
    not_checked: dict[str, list[str]] = {}
    for owner, spec in sorted(types.items()):
        for name, element in spec["elements"].items():
            address = element.get("value_set")
            if address is None or address in enumerated:
                continue
            codes = None if address in not_checked else _codes_of_value_set(package, address)
            if codes is None:
                not_checked.setdefault(address, []).append(f"{owner}.{name}")
            else:
                enumerated[address] = codes
    for element in _elements_of(types):
        if element.get("value_set") in not_checked:
            del element["value_set"]
    return enumerated, not_checked


def _codes_of_value_set(package: Package, address: str) -> dict[str, list[str]] | None:
    """Codes by system; None when a part is chosen by filter, taken away again or defined outside the package."""
    compose = package.definitions[address]["compose"]
    codes: dict[str, list[str]] = {}
    for include in compose["include"]:
        if "exclude" in compose or "filter" in include or "valueSet" in include:
            return None
        listed = [concept["code"] for concept in include.get("concept", ())]
        found = listed or _codes_of_system(package, include["system"])
        if found is None:
            return None
        codes.setdefault(include["system"], []).extend(found)
    return codes


def _codes_of_system(package: Package, system: str) -> list[str] | None:
    definition = package.definitions.get(system)
    if definition is None or definition["content"] != "complete":
        return None
    return list(_codes_below(definition["concept"]))


def _codes_below(concepts: Iterable[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes_below(concept.get("concept", ()))


def as_text(table: Json) -> str:
    """The table as JSON with one type, primitive or value set a line, so that a change can be read as a difference."""
    sections = [f'"about":{compact(table["about"])}', f'"resource_types":{compact(table["resource_types"])}']
    for section in ("not_checked", "primitives", "value_sets", "types"):
        lines = [f"{compact(key)}:{compact(value)}" for key, value in sorted(table[section].items())]
        sections.append(f'"{section}":{{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Write the table of the package named first to the file named second; 0 when done, 2 for a wrong command line."""
    if len(arguments) != _ARGUMENTS:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    table = make_table(Package(Path(arguments[1])))
    Path(arguments[2]).write_text(as_text(table), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))

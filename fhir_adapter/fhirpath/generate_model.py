"""How the element model is made: `python -m fhir_adapter.fhirpath.generate_model PACKAGE.tgz OUT.json`.

Reads the type definitions of a core package (hl7.fhir.r4.core, CC0) and writes, sorted and one type a line, what an
expression can meet below each type. Profiles and logical models are left out. The same package gives the same bytes.

A type has its `base`, its `kind` and those `elements` that its base does not have in the same way, each as the names of
its types: `"value[x]": "Quantity string"` may be either, `"name": "HumanName*"` may repeat. A group of elements is a
type named by its path (`Patient.contact`). A primitive type that derives from no other has its FHIRPath `system` type.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_FHIR_TYPE = _DEFINITION + "structuredefinition-fhir-type"
_SYSTEM_TYPES = "http://hl7.org/fhirpath/System."
# R4's snapshots call the logical id of a resource a string, where resource.html says id; R5's call some others an id.
_IDS = {"Resource.id": "id", "Element.id": "string"}
_KINDS = {"resource": "resource", "complex-type": "complex", "primitive-type": "primitive"}
_ARGUMENTS = 3


def read_package(path: Path, prefixes: tuple[str, ...] = ("StructureDefinition-",)) -> tuple[Json, dict[str, Json]]:
    """The `package.json` of a FHIR package, and by canonical address its definitions whose files begin so.

    Raises `OSError` or `tarfile.TarError` when it is no readable archive.
    """
    manifest: Json = {}
    definitions: dict[str, Json] = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            folder, _, name = member.name.partition("/")
            if folder == "package" and name.startswith(prefixes):
                definition = _read(archive, member)
                definitions[definition["url"]] = definition
            elif member.name == "package/package.json":
                manifest = _read(archive, member)
    return manifest, definitions


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Json:
    file = archive.extractfile(member)
    if file is None:
        raise tarfile.ReadError(f"{member.name}: not a file")
    content: Json = json.load(file)
    return content


def make_model(manifest: Json, definitions: Iterable[Json]) -> Json:
    """The whole model: every resource type, datatype and primitive type with the groups of elements in it."""
    structures = {definition["type"]: definition for definition in definitions if _is_core_type(definition)}
    return {
        "about": _about(manifest),
        "types": {name: spec for structure in structures.values() for name, spec in _types(structure, structures)},
    }


def _is_core_type(definition: Json) -> bool:
    return (
        definition["kind"] in _KINDS
        and definition.get("derivation") != "constraint"
        and definition["url"] == _DEFINITION + definition["type"]
    )


def _about(manifest: Json) -> Json:
    return {
        "package": manifest["name"],
        "version": manifest["version"],
        "license": manifest["license"],
        "made_by": "python -m fhir_adapter.fhirpath.generate_model",
    }


def _types(structure: Json, structures: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """The type, then the groups of elements in it, each without what it has from its base."""
    name = structure["type"]
    kinds = {"base": _base(structure), "kind": _KINDS[structure["kind"]], **_system(structure, structures)}
    groups = {name: kinds} | {
        path: {"base": definition["type"][0]["code"], "kind": "nested"}
        for path, definition in _below(structure).items()
        if path in _owners(structure)
    }
    for path, group in groups.items():
        inherited = _elements(structures[group["base"]], group["base"]) if group["base"] else {}
        elements = {key: types for key, types in _elements(structure, path).items() if inherited.get(key) != types}
        yield path, group | {"elements": elements}


def _base(structure: Json) -> str | None:
    address: str | None = structure.get("baseDefinition")
    return address.removeprefix(_DEFINITION) if address else None


def _system(structure: Json, structures: dict[str, Json]) -> Json:
    """The System type of a primitive that derives from no other: R4's `positiveInt` says String, `integer` is right."""
    base = structures.get(_base(structure) or "")
    if structure["kind"] != "primitive-type" or (base and base["kind"] == "primitive-type"):
        return {}
    value = _below(structure)[f"{structure['type']}.value"]
    return {"system": value["type"][0]["code"].removeprefix(_SYSTEM_TYPES)}


def _below(structure: Json) -> dict[str, Json]:
    """The definitions of the elements of a type by their paths, without the type itself and what it forbids."""
    return {
        definition["path"]: definition
        for definition in structure["snapshot"]["element"][1:]
        if definition["max"] != "0"
    }


def _owners(structure: Json) -> set[str]:
    """The paths that have elements below them."""
    return {path.rpartition(".")[0] for path in _below(structure)}


def _elements(structure: Json, owner: str) -> dict[str, str]:
    """The elements directly below a path with the names of their types."""
    owners = _owners(structure)
    found = {}
    for path, definition in _below(structure).items():
        parent, _, name = path.rpartition(".")
        is_value = name == "value" and structure["kind"] == "primitive-type"
        if parent == owner and not is_value:
            types = [path] if path in owners else _type_names(definition)
            found[name] = " ".join(types) + ("" if definition["max"] == "1" else "*")
    return found


def _type_names(definition: Json) -> list[str]:
    if "contentReference" in definition:
        return [definition["contentReference"].rpartition("#")[2]]
    return list(dict.fromkeys(_type_name(definition, kind) for kind in definition["type"]))


def _type_name(definition: Json, kind: Json) -> str:
    code: str = kind["code"]
    if not code.startswith(_SYSTEM_TYPES):
        return code
    return _IDS.get(definition["base"]["path"]) or next(
        str(extension["valueUrl"]) for extension in kind["extension"] if extension["url"] == _FHIR_TYPE
    )


def as_text(model: Json) -> str:
    """The model as JSON with one type a line, so that a change can be read as a difference."""
    lines = [f"{compact(name)}:{compact(spec)}" for name, spec in sorted(model["types"].items())]
    return f'{{\n"about":{compact(model["about"])},\n"types":{{\n' + ",\n".join(lines) + "\n}\n}\n"


def compact(value: object) -> str:
    """A value as JSON without a space."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def main(arguments: list[str]) -> int:
    """Write the model of the package named first to the file named second; 0 when done, 2 for a wrong command line."""
    if len(arguments) != _ARGUMENTS:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    manifest, definitions = read_package(Path(arguments[1]))
    text = as_text(make_model(manifest, definitions.values()))
    Path(arguments[2]).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))

"""FHIR Schema's own test cases, said in StructureDefinitions: https://github.com/fhir-schema/fhir-schema.

The cases define small types of their own, under names of FHIR or none. A type named like one of R4 replaces it. In data
the name `Resource` becomes `Basic`, because no resource can be a Resource, and `Profile` a profile of it. An element
that a schema adds to its base, which a profile cannot do, becomes an optional one of the base.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Place = tuple[str, str]

CORE = "http://hl7.org/fhir/StructureDefinition/"
PROFILE = "https://example.org/StructureDefinition/Profile"
_NAMES = {"Resource": "Basic", "Profile": "Basic"}
_CODES = {
    "unknown-element": {"unknown-element"},
    "required": {"missing-element"},
    "not-array": {"expected-array"},
    "not-singular": {"unexpected-array"},
    "choice": {"two-choices"},
    "choice-excluded": {"type-not-allowed"},
    "slice-cardinality": {"slice-missing", "too-many"},
}
"""What each kind of error is called by us."""
_AT_THE_PARENT = ("unknown-element", "required", "choice", "slice-cardinality")


@dataclass(frozen=True, slots=True)
class Case:
    """One test: a resource, the profiles that it must keep, and where which errors are."""

    name: str
    resource: Json
    profiles: tuple[str, ...]
    errors: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Suite:
    """One file of tests with its definitions."""

    definitions: tuple[Json, ...]
    cases: tuple[Case, ...]


def read_suite(file: Path) -> Suite:
    """Translate one file; tests that it says to skip are left out."""
    content = json.loads(file.read_text(encoding="utf-8"))
    schemas = _with_what_profiles_add(content["schemas"])
    wanted = [test for test in content["tests"] if not test.get("skip")]
    return Suite(tuple(_definitions(schemas)), tuple(_case(test, schemas) for test in wanted))


def code_of(ours: str) -> str:
    """What FHIR Schema calls one of our codes; the code itself when it has none for it."""
    return next((theirs for theirs, each in _CODES.items() if ours in each), ours)


def _with_what_profiles_add(schemas: Json) -> Json:
    found = copy.deepcopy(schemas)
    if "Profile" in found:
        base = found["Resource"]["elements"]
        for name, element in found["Profile"].get("elements", {}).items():
            base.setdefault(name, {key: value for key, value in element.items() if key in ("type", "array")})
    return found


# Definitions


def _definitions(schemas: Json) -> Iterator[Json]:
    for name, schema in schemas.items():
        if schema.get("kind") == "extension":
            yield _extension(name, schema)
        elif name == "Profile":
            yield _definition("Basic", PROFILE, "constraint", _profiled(schemas))
        elif schema.get("kind") != "primitive-type":
            kind = "Basic" if name == "Resource" and _is_alone(schemas) else name
            elements = [*_root(kind), *_elements(kind, _inherited(name, schemas), schemas)]
            yield _definition(kind, CORE + kind, "specialization", elements)


def _is_alone(schemas: Json) -> bool:
    """Whether data are Resources themselves: nothing but a profile is built upon them."""
    return {name for name, schema in schemas.items() if schema.get("base") == "Resource"} <= {"Profile"}


def _definition(kind: str, url: str, derivation: str, elements: list[Json]) -> Json:
    is_resource = kind in ("Basic", "Patient", "Encounter", "Bundle", "Resource", "DomainResource")
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": url.rpartition("/")[2].replace("-", "_"),
        "status": "draft",
        "fhirVersion": "4.0.1",
        "kind": "resource" if is_resource else "complex-type",
        "abstract": False,
        "type": kind,
        "baseDefinition": CORE + (kind if derivation == "constraint" else "Element"),
        "derivation": derivation,
        "snapshot": {"element": elements},
    }


def _root(kind: str) -> list[Json]:
    return [_element(kind, 0, "*")]


def _element(path: str, least: int, most: str, **more: Any) -> Json:
    plain = re.sub(r":\w+(-\w+)*", "", path)
    found = {"id": path, "path": plain, "min": least, "max": most, "base": {"path": plain, "min": 0, "max": most}}
    return found | more


def _inherited(name: str, schemas: Json) -> Json:
    """A schema with all that its bases say."""
    schema = schemas[name]
    base = _inherited(schema["base"], schemas) if "base" in schema else {}
    return {
        "elements": base.get("elements", {}) | schema.get("elements", {}),
        "required": [*base.get("required", ()), *schema.get("required", ())],
        "extensions": base.get("extensions", {}) | schema.get("extensions", {}),
    }


def _elements(path: str, schema: Json, schemas: Json) -> Iterator[Json]:
    for name, element in schema.get("elements", {}).items():
        if name == "resourceType" or "choiceOf" in element:
            continue
        least = int(name in schema.get("required", ()))
        if "choices" in element:
            types = [{"code": _type_of_choice(name, one)} for one in element["choices"]]
            yield _element(f"{path}.{name}[x]", least, "1", type=types)
            continue
        most = "*" if element.get("array") else "1"
        kind = "BackboneElement" if "elements" in element else element["type"]
        more = _extension_slicing(path, schema) if name == "extension" else [{}]
        yield _element(f"{path}.{name}", least, most, type=[{"code": kind}], **more[0])
        yield from more[1:]
        yield from _elements(f"{path}.{name}", element, schemas)


def _type_of_choice(name: str, key: str) -> str:
    rest = key.removeprefix(name)
    return rest[:1].lower() + rest[1:]


def _extension_slicing(path: str, schema: Json) -> list[Json]:
    if not schema.get("extensions"):
        return [{}]
    slicing = {"slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}}
    slices = [
        _element(
            f"{path}.extension:{name}",
            asked["min"],
            str(asked["max"]),
            sliceName=name,
            type=[{"code": "Extension", "profile": [asked["url"]]}],
        )
        for name, asked in schema["extensions"].items()
    ]
    for each in slices:
        each["base"]["max"] = "*"
    return [slicing, *slices]


def _extension(url: str, schema: Json) -> Json:
    types = [{"code": _type_of_choice("value", one)} for one in schema["elements"]["value"]["choices"]]
    address = _element("Extension.url", 1, "1", type=[{"code": "uri"}], fixedUri=url)
    elements = [*_root("Extension"), address, _element("Extension.value[x]", 0, "1", type=types)]
    return _definition("Extension", url, "constraint", elements)


# Profiles


def _profiled(schemas: Json) -> list[Json]:
    base, profile = _inherited("Resource", schemas), schemas["Profile"]
    elements = copy.deepcopy(base["elements"])
    for name, asked in profile.get("elements", {}).items():
        if "choices" in asked:
            elements[name] = asked
    required = [*base["required"], *profile.get("required", ())]
    found = [*_root("Basic"), *_elements("Basic", {"elements": elements, "required": required}, schemas)]
    for name, asked in profile.get("elements", {}).items():
        if "slicing" in asked:
            _slice(found, f"Basic.{name}", elements[name], asked["slicing"]["slices"], schemas)
    return found


def _slice(elements: list[Json], path: str, sliced: Json, slices: Json, schemas: Json) -> None:
    at = next(number for number, one in enumerate(elements) if one["path"] == path)
    below = sum(one["path"].startswith(f"{path}.") for one in elements)
    [key] = {key for one in slices.values() for key in one["match"]["value"]}
    elements[at]["slicing"] = {"discriminator": [{"type": "pattern", "path": key}], "rules": "open"}
    added: list[Json] = []
    for name, asked in slices.items():
        one = _element(f"{path}:{name}", asked["min"], str(asked["max"]), sliceName=name, type=elements[at]["type"])
        one["base"]["max"] = "*"
        children = list(_elements(f"{path}:{name}", sliced | asked["schema"], schemas))
        children[[child["path"] for child in children].index(f"{path}.{key}")]["patternString"] = asked["match"][
            "value"
        ][key]
        added += [one, *children]
    elements[at + 1 + below : at + 1 + below] = added


# Cases


def _case(test: Json, schemas: Json) -> Case:
    kind = test["data"]["resourceType"]
    resource = test["data"] | {"resourceType": _NAMES.get(kind, kind)}
    errors = frozenset(_place(one, schemas) for one in test.get("errors", ()))
    return Case(test["desc"], resource, (PROFILE,) if kind == "Profile" else (), errors)


def _place(error: Json, schemas: Json) -> Place:
    """Kind and place of an error, as an expression; a choice by its name without a type."""
    kind, *names = error["path"].split(".")
    if error["type"] in _AT_THE_PARENT:
        names = names[:-1]
    elif error["type"] == "choice-excluded":
        names[-1] = _choice_of(names[-1], schemas)
    steps = "".join(f"[{name}]" if name.isdecimal() else f".{name}" for name in names)
    return error["type"], _NAMES.get(kind, kind) + steps


def _choice_of(key: str, schemas: Json) -> str:
    found = (schema.get("elements", {}).get(key, {}).get("choiceOf") for schema in schemas.values())
    return str(next(name for name in found if name))

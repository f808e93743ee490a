"""What FHIR allows below each type: the element model of one version, by which expressions know the types of elements.

The tables beside this file are made by `generate_model.py` from the core packages. A type is built when it is first
asked for: the elements of its base come first, then its own. A group of elements is a type named by its path
(`Patient.contact`), and an element that refers to another's content has that one's path as its type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from fhir_adapter.fhirpath.errors import ExpressionError

Kind = Literal["resource", "complex", "primitive", "nested"]

_TABLES = {"4.0.1": "r4_model.json"}
_VERSIONS = {"4.0.1": "4.0.1", "4.0": "4.0.1", "R4": "4.0.1"}


@dataclass(frozen=True, slots=True)
class Child:
    """An element below a type under its name in FHIRPath: `value` for `valueQuantity` and all its like."""

    name: str
    types: tuple[str, ...]
    many: bool
    choice: bool
    keys: tuple[tuple[str, str], ...]
    """Its names in JSON, each with the type found there."""


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """A resource type, datatype, primitive type or group of elements; the value of a primitive is no child of it."""

    name: str
    base: str | None
    kind: Kind
    children: Mapping[str, Child]
    """By name in FHIRPath, those of the base first."""
    by_key: Mapping[str, tuple[Child, str]]
    """By name in JSON (without underscore), with the type found there."""


class Model:
    """The types of one version of FHIR."""

    def __init__(self, fhir_version: str, table: Mapping[str, Mapping[str, Any]]) -> None:
        self.fhir_version = fhir_version
        self._table = table
        self._types: dict[str, Type] = {}
        self._ancestors: dict[str, tuple[str, ...]] = {}

    def type(self, name: str) -> Type | None:
        """The type of exactly this name; None when the version has none."""
        found = self._types.get(name)
        if found is None and name in self._table:
            found = self._types[name] = self._build(name)
        return found

    def names(self) -> tuple[str, ...]:
        """The names of all types, without groups of elements, sorted."""
        return tuple(sorted(name for name, spec in self._table.items() if spec["kind"] != "nested"))

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether a type is the other or derives from it; False for a name that the version does not know."""
        return ancestor in self._lineage(name)

    def is_resource(self, name: str) -> bool:
        """Whether this is a type of resource, `Resource` and `DomainResource` included."""
        spec = self._table.get(name)
        return spec is not None and spec["kind"] == "resource"

    def system_type(self, name: str) -> str | None:
        """The System type to which a primitive type converts (`Date` for `date`); None for every other type."""
        return next(
            (self._table[each]["system"] for each in self._lineage(name) if "system" in self._table[each]), None
        )

    def _lineage(self, name: str) -> tuple[str, ...]:
        """The type and all it derives from, nearest first; empty for an unknown name."""
        found = self._ancestors.get(name)
        if found is None:
            spec = self._table.get(name)
            found = (name, *self._lineage(spec["base"] or "")) if spec else ()
            if found:
                self._ancestors[name] = found
        return found

    def _build(self, name: str) -> Type:
        spec = self._table[name]
        base = self.type(spec["base"]) if spec["base"] else None
        own = {child.name: child for child in map(_child, spec["elements"], spec["elements"].values())}
        children = {**base.children, **own} if base else own
        by_key = {key: (child, kind) for child in children.values() for key, kind in child.keys}
        return Type(name, spec["base"], spec["kind"], children, by_key)


def _child(written: str, notation: str) -> Child:
    """An element as the table has it: `"name": "HumanName*"` may repeat, `"value[x]": "Quantity string"` is either."""
    name = written.removesuffix("[x]")
    types = tuple(notation.removesuffix("*").split(" "))
    choice = name != written
    keys = tuple(_keys_of_choice(name, types)) if choice else ((name, types[0]),)
    return Child(name, types, many=notation.endswith("*"), choice=choice, keys=keys)


def _keys_of_choice(name: str, types: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((name + kind[0].upper() + kind[1:], kind) for kind in types)


def load_model(fhir_version: str = "4.0.1") -> Model:
    """The model of a version of FHIR (`4.0.1`, `4.0` or `R4`), read once; raises `ExpressionError` for any other."""
    version = _VERSIONS.get(fhir_version)
    if version is None:
        known = ", ".join(_VERSIONS)
        raise ExpressionError(f"FHIR version {fhir_version!r}: there is no model of it; known are {known}")
    return _read(version)


@cache
def _read(version: str) -> Model:
    content = json.loads(Path(__file__).with_name(_TABLES[version]).read_bytes())
    return Model(version, content["types"])

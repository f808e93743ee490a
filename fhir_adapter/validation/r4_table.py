"""What FHIR R4 allows in the types we know: the generated table `r4_elements.json`, read into types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("r4_elements.json")


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive type: its regular expression and limits, and the integer type it narrows."""

    regex: str | None = None
    max_length: int | None = None
    min: int | None = None
    max: int | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """What is allowed under one JSON name of a type."""

    name: str
    type: str
    rule: str
    min: int = 0
    max: str = "1"
    choice: str | None = None
    targets: frozenset[str] | None = None
    value_set: str | None = None
    profile: str | None = None

    @property
    def is_list(self) -> bool:
        """True when the element is a JSON array; R4 knows no other limits than 1 and none."""
        return self.max == "*"


@dataclass(frozen=True, slots=True)
class TypeSpec:
    """One resource type, datatype or nested group of elements (`Observation.component`)."""

    name: str
    is_resource: bool
    elements: Mapping[str, Element]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table."""

    types: Mapping[str, TypeSpec]
    primitives: Mapping[str, Primitive]
    value_sets: Mapping[str, Mapping[str, tuple[str, ...]]]
    resource_types: frozenset[str]


def read_table() -> Table:
    """Read the table that lies beside this file."""
    content = json.loads(_TABLE.read_text(encoding="utf-8"))
    return Table(
        types={name: _type(name, spec) for name, spec in content["types"].items()},
        primitives={name: Primitive(**spec) for name, spec in content["primitives"].items()},
        value_sets={
            address: {system: tuple(codes) for system, codes in systems.items()}
            for address, systems in content["value_sets"].items()
        },
        resource_types=frozenset(content["resource_types"]),
    )


def _type(name: str, spec: Mapping[str, Any]) -> TypeSpec:
    elements = {key: _element(name, key, value) for key, value in spec["elements"].items()}
    return TypeSpec(name, spec["kind"] == "resource", elements)


def _element(owner: str, name: str, spec: Mapping[str, Any]) -> Element:
    choice = spec.get("choice")
    targets = spec.get("targets")
    return Element(
        name=name,
        type=spec["type"],
        rule=f"{owner}.{choice}[x]" if choice else f"{owner}.{name}",
        min=spec.get("min", 0),
        max=spec.get("max", "1"),
        choice=choice,
        targets=frozenset(targets) if targets else None,
        value_set=spec.get("value_set"),
        profile=spec.get("profile"),
    )

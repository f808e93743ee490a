"""What a differential says of an element, put over what was said before (https://hl7.org/fhir/R4/profiling.html)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

_KEPT = frozenset({"path", "id", "base", "sliceName", "constraint", "condition", "mapping", "example"})
_OF_ANY_TYPE = ("fixed", "pattern", "minValue", "maxValue", "defaultValue")


def merge(definition: dict[str, Any], said: Json) -> None:
    """Put the differences over a definition: what is said replaces, rules are added."""
    for key, value in said.items():
        if key not in _KEPT:
            _drop_other_types(definition, key)
            definition[key] = copy.deepcopy(value)
    for key, name in (("constraint", "key"), ("mapping", "map")):
        _add(definition, said, key, name)
    conditions = said.get("condition")
    if isinstance(conditions, list):
        definition["condition"] = [*definition.get("condition", []), *conditions]


def _drop_other_types(definition: dict[str, Any], key: str) -> None:
    """A fixed value or a limit of one type takes the place of one of another."""
    for stem in _OF_ANY_TYPE:
        if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
            for other in [each for each in definition if each.startswith(stem) and each[len(stem) :][:1].isupper()]:
                del definition[other]


def _add(definition: dict[str, Any], said: Json, key: str, name: str) -> None:
    added = said.get(key)
    if isinstance(added, list):
        mine = {each.get(name) for each in added if isinstance(each, dict)}
        before = [each for each in definition.get(key, []) if each.get(name) not in mine]
        definition[key] = [*before, *copy.deepcopy(added)]

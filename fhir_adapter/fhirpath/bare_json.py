"""What stands at the end of a path in the bare JSON of a resource, where the model has told all its places.

Values are as they were read: None stands for a primitive that has only extensions. What should be an object or a list
and is not leads to nothing, as it does for elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from fhir_adapter.fhirpath.model import Child, Type

Json = Any
Gather = Callable[[Json], list[Any]]
"""From a JSON object to the values at the end of a path."""

Stands = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One member of a path: the JSON keys under which it may stand, and those of primitives' siblings."""

    keys: tuple[str, ...]
    siblings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """Members that follow one another; `type` is that of the last one, None when it can be of several."""

    steps: tuple[Step, ...]
    type: Type | None
    child: Child | None = None


NOWHERE = Path((), None)
"""A path of another resource: `Patient.name` on an Observation leads to nothing."""


def existence(path: Path) -> Stands:
    """Whether something stands at the end of a path."""
    last = path.steps[-1]
    if len(path.steps) == 1:
        return _stands(last)
    gather, stands = _parents(path.steps[:-1]), _stands(last)

    def exists(value: Json) -> bool:
        return any(item.__class__ is dict and stands(item) for item in gather(value))

    return exists


def _stands(step: Step) -> Stands:
    names = (*step.keys, *step.siblings)
    if len(names) == 1:
        (name,) = names

        def stands(value: Json) -> bool:
            return _is_filled(value.get(name))

        return stands
    possible = frozenset(names)

    def one_stands(value: Json) -> bool:
        if possible.isdisjoint(value):
            return False
        return any(_is_filled(value[name]) for name in names if name in value)

    return one_stands


def _is_filled(found: Json) -> bool:
    if found.__class__ is list:
        return any(each is not None for each in found)
    return found is not None


def _parents(steps: tuple[Step, ...]) -> Gather:
    """The objects at the end of steps with one key each."""
    keys = tuple(key for step in steps for key in step.keys)

    def gather(value: Json) -> list[Any]:
        found = [value]
        for key in keys:
            below: list[Any] = []
            for item in found:
                if item.__class__ is dict:
                    child = item.get(key)
                    if child.__class__ is list:
                        below += [each for each in child if each is not None]
                    elif child is not None:
                        below.append(child)
            found = below
        return found

    return gather


def gathering(path: Path) -> Gather:
    """The JSON values at the end of a path; None stands for a primitive that has only extensions."""
    if not path.steps:
        return lambda value: [value]
    parents, last = _parents(path.steps[:-1]), path.steps[-1]
    if not last.siblings:
        (key,) = last.keys if len(last.keys) == 1 else (None,)
        if key is not None:
            return _parents(path.steps)
    places = tuple((key, f"_{key}") for key in last.keys)

    def gather(value: Json) -> list[Any]:
        found: list[Any] = []
        for item in parents(value):
            if item.__class__ is dict:
                for key, sibling in places:
                    child = item.get(key)
                    if child.__class__ is not list and child is not None:
                        found.append(child)
                    elif child is not None or sibling in item:
                        found += _listed_with_siblings(child, item.get(sibling))
        return found

    return gather


def _listed_with_siblings(child: Json, sibling: Json) -> list[Any]:
    """The values of a list of primitives; where only the sibling is filled the value is None."""
    values = child if child.__class__ is list else [child]
    beside = sibling if sibling.__class__ is list else [sibling]
    return [one for one, other in zip_longest(values, beside) if one is not None or other is not None]


def number_of_children(value: Mapping[str, Any], names: frozenset[str]) -> int:
    """How many children an object has that its type knows; a primitive and its sibling are one."""
    number = 0
    for key, child in value.items():
        sibling = value.get(f"_{key}") if key in names else None
        if key in names:
            number += len(_listed_with_siblings(child, sibling)) if child.__class__ is list else child is not None
        elif key[:1] == "_" and key[1:] in names and value.get(key[1:]) is None:
            number += len(_listed_with_siblings(None, child))
    return number

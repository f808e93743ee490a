"""Where in the tree an element of a differential belongs: its steps, each a name and perhaps a slice.

Source: https://hl7.org/fhir/R4/elementdefinition.html#id. Ids that are left out, or that do not fit their path, are
made from the paths and slice names of the elements before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fhir_adapter.validation.snapshots.errors import SnapshotError

Json = Mapping[str, Any]


class Step(NamedTuple):
    """One step of the way to an element."""

    name: str
    slice: str | None = None


def places(differential: Sequence[Json]) -> Iterator[tuple[tuple[Step, ...], Json]]:
    """Every element of a differential with the steps below the root that lead to it."""
    slices: dict[str, str | None] = {}
    for element in differential:
        path = element.get("path")
        if not isinstance(path, str) or not path:
            raise SnapshotError("an element of the differential has no path")
        yield _from_id(element, path) or _from_path(element, path, slices), element


def _from_id(element: Json, path: str) -> tuple[Step, ...] | None:
    """The steps that an id tells, when it belongs to the path."""
    identifier, name = element.get("id"), element.get("sliceName")
    if not isinstance(identifier, str):
        return None
    parts = identifier.split(".")
    steps = tuple(Step(part.partition(":")[0], part.partition(":")[2] or None) for part in parts)
    if ".".join(step.name for step in steps) != path or (isinstance(name, str) and steps[-1].slice != name):
        return None
    return steps[1:]


def _from_path(element: Json, path: str, slices: dict[str, str | None]) -> tuple[Step, ...]:
    """The steps that a path tells: what lies below a slice belongs to the slice that was named last."""
    name = element.get("sliceName")
    for known in [each for each in slices if each == path or each.startswith(f"{path}.")]:
        del slices[known]
    slices[path] = name if isinstance(name, str) else None
    parts = path.split(".")
    ways = (".".join(parts[: count + 1]) for count in range(1, len(parts)))
    return tuple(Step(way.rpartition(".")[2], slices.get(way)) for way in ways)

"""The elements of a snapshot as a tree: children below their parents, slices beside what they slice."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from fhir_adapter.validation.snapshots.errors import SnapshotError

Json = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Node:
    """One element or slice: its definition, what lies below it, and its slices."""

    name: str
    """The last part of its path, with `[x]` where it is a choice."""
    definition: dict[str, Any]
    children: list[Node] = field(default_factory=list)
    slices: list[Node] = field(default_factory=list)
    choices: list[Json] = field(default_factory=list)
    """The types of a choice before some of them were named by short names such as `valueQuantity`."""

    @property
    def slice_name(self) -> str | None:
        """The name of the slice that this is."""
        found = self.definition.get("sliceName")
        return found if isinstance(found, str) else None

    def child(self, name: str) -> Node | None:
        """The child of this name."""
        return next((each for each in self.children if each.name == name), None)

    def choice(self, name: str) -> tuple[Node, str] | None:
        """The choice and the type that a name such as `valueQuantity` means."""
        for each in self.children:
            stem = each.name.removesuffix("[x]")
            if each.name == stem or not name.startswith(stem):
                continue
            for kind in types_of({"type": each.choices} if each.choices else each.definition):
                if name[len(stem) :] == kind[:1].upper() + kind[1:]:
                    return each, kind
        return None

    def slice(self, name: str) -> Node | None:
        """The slice of this name."""
        return next((each for each in self.slices if each.slice_name == name), None)

    def copied(self, *, with_slices: bool) -> Self:
        """The same once more, for a slice or another place."""
        children = [each.copied(with_slices=True) for each in self.children]
        slices = [each.copied(with_slices=True) for each in self.slices] if with_slices else []
        return type(self)(self.name, copy.deepcopy(self.definition), children, slices)

    def listed(self, path: str, identifier: str) -> Iterator[dict[str, Any]]:
        """The list of elements of a snapshot from here on, each with its path and id."""
        name = self.slice_name
        own_id = f"{identifier}:{name}" if name and not identifier.endswith(f":{name}") else identifier
        yield {**self.definition, "id": own_id, "path": path}
        for child in self.children:
            yield from child.listed(f"{path}.{child.name}", f"{own_id}.{child.name}")
        for each in self.slices:
            yield from each.listed(path, identifier)


def types_of(definition: Json) -> Iterator[str]:
    """The codes of the types that an element may have."""
    listed = definition.get("type")
    for each in listed if isinstance(listed, list) else ():
        code = each.get("code") if isinstance(each, dict) else None
        if isinstance(code, str):
            yield code


def read_tree(listed: object, what: str) -> Node:
    """The tree of a snapshot's list of elements."""
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise SnapshotError(f"{what} has no list of elements")
    above: list[Node] = []
    for definition in listed:
        path = definition.get("path")
        if not isinstance(path, str) or not path:
            raise SnapshotError(f"an element of {what} has no path")
        depth = path.count(".")
        node = Node(path.rpartition(".")[2], copy.deepcopy(definition))
        if depth > len(above) or (depth == 0 and above):
            raise SnapshotError(f"{path} of {what} does not follow its parent")
        del above[depth:]
        if above:
            _hang(node, above[-1])
        above.append(node)
        if depth == 0:
            root = node
    return root


def _hang(node: Node, parent: Node) -> None:
    sliced = parent.child(node.name)
    if sliced is None or node.slice_name is None:
        parent.children.append(node)
    else:
        sliced.slices.append(node)

"""Making the snapshot of a profile from its differential.

Each element of the differential is looked up in the tree of what the profile is derived from. Where the way leads into
a datatype, the datatype's elements are put there; where it names a slice, the sliced element is copied. Source:
https://hl7.org/fhir/R4/profiling.html#snapshot
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_adapter.validation.snapshots.errors import SnapshotError
from fhir_adapter.validation.snapshots.merging import merge
from fhir_adapter.validation.snapshots.places import Step, places
from fhir_adapter.validation.snapshots.tree import Node, read_tree, types_of

Json = Mapping[str, Any]
Find = Callable[[str], Json | None]
"""A definition by its canonical address or the bare name of a type."""

_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
_DEEPEST: Final = 30
_MOST_ELEMENTS: Final = 20_000
_BY_URL: Final = {"discriminator": [{"type": "value", "path": "url"}], "ordered": False, "rules": "open"}
_BY_TYPE: Final = {"discriminator": [{"type": "type", "path": "$this"}], "ordered": False, "rules": "open"}
_BY_SHORT_NAMES: Final = {**_BY_TYPE, "rules": "closed"}


def snapshot_of(definition: Json, find: Find) -> Json:
    """The definition with a snapshot: its own, or one that is made from its differential.

    Raises `SnapshotError` when none can be made; never changes what it is given.
    """
    try:
        return _Generator(find, ()).snapshot_of(definition)
    except RecursionError as error:
        raise SnapshotError("the definitions are nested too deep") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"the definition is not a right StructureDefinition ({type(error).__name__})") from error


class _Generator:
    """Makes snapshots; `above` are the definitions that are being made now, so that circles end."""

    def __init__(self, find: Find, above: tuple[str, ...]) -> None:
        self._find = find
        self._above = above
        self._count = 0

    def snapshot_of(self, definition: Json) -> Json:
        """As the function."""
        if definition.get("snapshot", {}).get("element"):
            return definition
        url = str(definition.get("url"))
        if url in self._above or len(self._above) > _DEEPEST:
            raise SnapshotError(f"{url} is derived from itself")
        self._above = (*self._above, url)
        try:
            return {**definition, "snapshot": {"element": self._made(definition)}}
        finally:
            self._above = self._above[:-1]

    def _made(self, definition: Json) -> list[dict[str, Any]]:
        root = self._base(definition)
        kind = str(definition.get("type")).removeprefix(_CORE)
        root.name = kind
        is_new = definition.get("derivation") == "specialization"
        listed = definition.get("differential", {}).get("element") or []
        self._count = 0
        for steps, said in places(listed):
            node = self._walk(root, steps, said, is_new=is_new) if steps else root
            merge(node.definition, said)
            self._check_size()
        found = list(root.listed(kind, kind))
        if len(found) > _MOST_ELEMENTS:
            raise SnapshotError(f"more than {_MOST_ELEMENTS} elements")
        return found

    def _base(self, definition: Json) -> Node:
        address = definition.get("baseDefinition")
        if not isinstance(address, str):
            raise SnapshotError("it names no baseDefinition")
        return self._tree(address)

    def _tree(self, address: str) -> Node:
        found = self._find(address)
        if found is None:
            raise SnapshotError(f"{address} is not at hand")
        tree = read_tree(self.snapshot_of(found)["snapshot"]["element"], address)
        self._count += 1
        self._check_size()
        return tree

    def _check_size(self) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise SnapshotError(f"more than {_MOST_ELEMENTS} elements")

    # The way to an element

    def _walk(self, root: Node, steps: tuple[Step, ...], said: Json, *, is_new: bool) -> Node:
        node = root
        for number, step in enumerate(steps):
            is_last = number == len(steps) - 1
            node = self._step(node, step, said if is_last else {}, is_new=is_new and is_last)
        return node

    def _step(self, parent: Node, step: Step, said: Json, *, is_new: bool) -> Node:
        if not parent.children:
            self._expand(parent)
        node = parent.child(step.name)
        if node is None:
            chosen = parent.choice(step.name)
            if chosen is not None:
                return self._type_slice(*chosen, step)
            if not is_new:
                raise SnapshotError(f"{_path(said, step)} is no element of what the profile is derived from")
            node = Node(step.name, _new(said))
            parent.children.append(node)
        if step.slice is None:
            return node
        return self._slice(node, step.slice)

    def _slice(self, node: Node, name: str) -> Node:
        """The slice of this name, made from the sliced element, or from the slice that it is a slice of."""
        found = node.slice(name)
        if found is not None:
            return found
        outer = node.slice(name.rpartition("/")[0]) if "/" in name else None
        found = (outer or node).copied(with_slices=False)
        found.definition.pop("slicing", None)
        found.definition |= {"sliceName": name, "min": 0}
        node.slices.append(found)
        if "slicing" not in node.definition and node.name in ("extension", "modifierExtension"):
            node.definition["slicing"] = _BY_URL
        elif "slicing" not in node.definition and node.name.endswith("[x]"):
            node.definition["slicing"] = _BY_TYPE
        return found

    def _type_slice(self, node: Node, kind: str, step: Step) -> Node:
        """`valueQuantity` instead of `value[x]` says that only a Quantity, or another type named so, may be there."""
        if "slicing" not in node.definition:
            node.choices = list(node.definition.get("type", []))
            node.definition["slicing"] = _BY_SHORT_NAMES
        found = self._slice(node, step.slice or step.name)
        if node.choices:
            found.definition["type"] = [each for each in node.choices if each.get("code") == kind]
            named = {code for each in node.slices for code in types_of(each.definition)}
            node.definition["type"] = [each for each in node.choices if each.get("code") in named]
        return found

    # What lies below

    def _expand(self, node: Node) -> None:
        """Put the elements of a node's type, profile or other content below it."""
        same = node.definition.get("contentReference")
        if isinstance(same, str):
            self._expand_content(node, same)
            return
        listed = node.definition.get("type") or []
        if len({each.get("code") for each in listed}) != 1:
            raise SnapshotError(f"{node.definition.get('path')} has no one type to look into")
        profiles = [address for each in listed for address in each.get("profile", ())]
        code = next(types_of(node.definition))
        address = profiles[0] if len(profiles) == 1 and self._find(profiles[0]) is not None else code
        node.children = self._tree(address).children

    def _expand_content(self, node: Node, same: str) -> None:
        name = same.rpartition("#")[2]
        tree = self._tree(name.partition(".")[0])
        for part in name.split(".")[1:]:
            found = tree.child(part)
            if found is None:
                raise SnapshotError(f"{same} is no element")
            tree = found
        node.definition.pop("contentReference")
        node.definition["type"] = tree.definition.get("type", [])
        node.children = tree.children


def _path(said: Json, step: Step) -> str:
    path = said.get("path")
    return path if isinstance(path, str) else step.name


def _new(said: Json) -> dict[str, Any]:
    """The beginning of an element that only this definition has."""
    most = said.get("max", "*")
    return {"base": {"path": said.get("path"), "min": said.get("min", 0), "max": most}, "min": 0, "max": "*"}

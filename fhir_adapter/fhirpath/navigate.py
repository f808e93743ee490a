"""How an expression walks through a resource: the children of an element, with the types that the model gives them.

Without a model the names of JSON are all there is: `value` finds `valueQuantity` by its beginning, and what type a
value has is guessed from the rest of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from fhir_adapter.fhirpath.items import Collection, Element
from fhir_adapter.fhirpath.model import Model, Type

Step = Callable[[Collection], Collection]

_QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")
_SYSTEMS = {
    "boolean": "Boolean",
    **dict.fromkeys(("integer", "positiveInt", "unsignedInt"), "Integer"),
    "decimal": "Decimal",
    "date": "Date",
    **dict.fromkeys(("dateTime", "instant"), "DateTime"),
    "time": "Time",
    **dict.fromkeys(("string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid"), "String"),
    **dict.fromkeys(_QUANTITIES, "Quantity"),
}
"""How values convert whose type is only guessed, where there is no model."""


class Place:
    """One JSON key under which children may stand, and what stands there."""

    __slots__ = ("key", "sibling", "system", "type")

    def __init__(self, key: str, kind: Type | None, system: str | None) -> None:
        self.key = key
        self.sibling = f"_{key}"
        self.type = kind
        self.system = system


class Navigator:
    """Walks through resources of one version of FHIR."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._places: dict[tuple[str, str], tuple[Place, ...]] = {}
        self._by_key: dict[tuple[str, str], Place] = {}
        self._systems: dict[str, str | None] = {}

    def root(self, resource: Any, kind: str | None = None) -> Element:  # noqa: ANN401 - JSON is any value
        """A JSON value as an element: a resource by its `resourceType`, anything else by the type that is named."""
        named = kind or (resource.get("resourceType") if isinstance(resource, dict) else None)
        found = self.model.type(named) if isinstance(named, str) else None
        return Element(resource, found, self.system(found))

    def system(self, kind: Type | None) -> str | None:
        """The System type to which values of a type convert by themselves."""
        if kind is None:
            return None
        name = kind.name
        if name not in self._systems:
            self._systems[name] = self.model.system_type(name) or (
                "Quantity" if self.model.is_a(name, "Quantity") else None
            )
        return self._systems[name]

    def places(self, kind: Type, name: str) -> tuple[Place, ...]:
        """Where the children of that name stand in JSON; none when the type has no such child."""
        known = self._places.get((kind.name, name))
        if known is None:
            child = kind.children.get(name)
            known = tuple(self._place(key, type_name) for key, type_name in child.keys) if child else ()
            self._places[kind.name, name] = known
        return known

    def _place(self, key: str, type_name: str) -> Place:
        kind = self.model.type(type_name)
        return Place(key, kind, self.system(kind))

    def step(self, name: str) -> Step:
        """What a member of a path does: from items to their children of that name."""

        def run(items: Collection) -> Collection:
            found: Collection = []
            for item in items:
                if item.__class__ is not Element:
                    continue
                kind = item.type
                if kind is None:
                    found += named_children(item, name)
                    continue
                holder = item.sibling if kind.kind == "primitive" else item.value
                if holder.__class__ is dict:
                    for place in self.places(kind, name):
                        self._add(holder, place, found)
            return found

        return run

    def children(self, item: Element) -> Collection:
        """All children of an element, in the order in which they stand in its JSON."""
        kind = item.type
        if kind is None:
            return UNTYPED.children(item)
        holder = item.sibling if kind.kind == "primitive" else item.value
        found: Collection = []
        if isinstance(holder, dict):
            for name in dict.fromkeys(key.removeprefix("_") for key in holder):
                place = self._place_of(kind, name)
                if place is not None:
                    self._add(holder, place, found)
        return found

    def _place_of(self, kind: Type, key: str) -> Place | None:
        """What stands under a key of JSON; None where the type has no such child."""
        known = kind.by_key.get(key)
        if known is None:
            return None
        place = self._by_key.get((kind.name, key))
        if place is None:
            place = self._by_key[kind.name, key] = self._place(key, known[1])
        return place

    def _add(self, holder: Mapping[str, Any], place: Place, found: Collection) -> None:
        value = holder.get(place.key)
        sibling = holder.get(place.sibling)
        if value is None and sibling is None:
            return
        if value.__class__ is list or sibling.__class__ is list:
            self._add_list(value, sibling, place, found)
        else:
            found.append(self._element(value, sibling, place))

    def _add_list(self, values: Any, siblings: Any, place: Place, found: Collection) -> None:  # noqa: ANN401 - JSON
        values = values if isinstance(values, list) else []
        siblings = siblings if isinstance(siblings, list) else []
        for at in range(max(len(values), len(siblings))):
            value = values[at] if at < len(values) else None
            sibling = siblings[at] if at < len(siblings) else None
            if value is not None or sibling is not None:
                found.append(self._element(value, sibling, place))

    def _element(self, value: Any, sibling: Any, place: Place) -> Element:  # noqa: ANN401 - JSON is any value
        kind = place.type
        if kind is not None and kind.name == "Resource" and value.__class__ is dict:
            named = value.get("resourceType")
            kind = (self.model.type(named) if isinstance(named, str) else None) or kind
        return Element(value, kind, place.system, sibling if sibling.__class__ is dict else None)


class Untyped:
    """Walks through JSON of which no model is known."""

    model: Model | None = None

    def root(self, resource: Any, kind: str | None = None) -> Element:  # noqa: ANN401 - JSON is any value
        """A JSON value as an element; a resource says itself what it is."""
        named = kind or (resource.get("resourceType") if isinstance(resource, dict) else None)
        return Element(resource, guessed(named) if isinstance(named, str) else None)

    def step(self, name: str) -> Step:
        """From items to what stands under that name in their JSON."""

        def run(items: Collection) -> Collection:
            return [child for item in items if item.__class__ is Element for child in named_children(item, name)]

        return run

    def children(self, item: Element) -> Collection:
        """Everything that stands below an element."""
        holder = _holder(item)
        names = dict.fromkeys(key.removeprefix("_") for key in holder if key != "resourceType")
        return [child for name in names for child in _standing(holder, name, None)]


def named_children(item: Element, name: str) -> Collection:
    """The children of that name; a choice (`value`) is found by the beginning of its key (`valueQuantity`)."""
    holder = _holder(item)
    if name in holder or f"_{name}" in holder:
        return _standing(holder, name, None)
    for key in holder:
        plain = key.removeprefix("_")
        if plain.startswith(name) and plain[len(name) : len(name) + 1].isupper():
            return _standing(holder, plain, guessed(plain[len(name) :]))
    return []


def _holder(item: Element) -> Mapping[str, Any]:
    """Where children stand: in an object, or in the sibling of a primitive."""
    holder = item.value if isinstance(item.value, dict) else item.sibling
    return holder if isinstance(holder, dict) else {}


def _standing(holder: Mapping[str, Any], key: str, kind: Type | None) -> Collection:
    value, sibling = holder.get(key), holder.get(f"_{key}")
    values = value if isinstance(value, list) else [value]
    siblings = sibling if isinstance(sibling, list) else [sibling]
    system = _SYSTEMS.get(kind.name) if kind else None
    return [
        Element(one, kind or _own_type(one), system, beside if isinstance(beside, dict) else None)
        for one, beside in zip_longest(values, siblings)
        if one is not None or beside is not None
    ]


def _own_type(value: Any) -> Type | None:  # noqa: ANN401 - JSON is any value
    named = value.get("resourceType") if isinstance(value, dict) else None
    return guessed(named) if isinstance(named, str) else None


@lru_cache(maxsize=256)
def guessed(name: str) -> Type:
    """The type that the name of a choice tells: `Quantity` of `valueQuantity`, `dateTime` of `valueDateTime`."""
    lower = name[:1].lower() + name[1:]
    return Type(lower if lower in _SYSTEMS and name not in _QUANTITIES else name, None, "complex", {}, {})


UNTYPED = Untyped()

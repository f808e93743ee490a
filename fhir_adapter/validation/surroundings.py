"""What can be seen from a resource: what it contains, and the other resources of its Bundle or Parameters.

Sources: https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/references.html#contained
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from fhir_adapter.fhirpath.model import load_model

if TYPE_CHECKING:
    from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]

_ID = r"[A-Za-z0-9\-.]{1,64}"
_RESTFUL = re.compile(rf"(?P<base>https?://.+)/(?P<type>[A-Za-z]+)/(?P<id>{_ID})(?:/_history/(?P<version>{_ID}))?")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_RELATIVE = re.compile(rf"(?P<type>[A-Za-z]+)/(?P<id>{_ID})")
_VERSION = "/_history/"
_TRANSIENT = ("urn:", "cid:")
_CONTAINED = ".contained["
_HOLDERS = ("Bundle", "Parameters")


class Target(NamedTuple):
    """A resource to which a reference points, and where it was found."""

    resource: Json
    full_url: str | None
    path: str
    is_contained: bool = False


class Restful(NamedTuple):
    """The parts of an address of the form `[base]/[type]/[id]`."""

    base: str
    type: str
    id: str
    version: str | None


@dataclass(slots=True)
class Entries:
    """The resources that a Bundle or a Parameters holds, by their full address and by `Type/id`."""

    targets: list[Target] = field(default_factory=list)
    by_address: dict[str, list[Target]] = field(default_factory=dict)
    by_name: dict[str, list[Target]] = field(default_factory=dict)

    def add(self, resource: Json, full_url: str | None, path: str) -> None:
        """Take in one resource."""
        target = Target(resource, full_url, path)
        self.targets.append(target)
        if full_url:
            self.by_address.setdefault(full_url, []).append(target)
        kind, key = text_of(resource, "resourceType"), text_of(resource, "id")
        if kind and key:
            self.by_name.setdefault(f"{kind}/{key}", []).append(target)

    def matches(self, reference: str, source: str | None) -> list[Target]:
        """The resources to which a reference points that stands in the entry with the full address `source`."""
        address, _, fragment = reference.partition("#")
        name, _, version = address.partition(_VERSION)
        found = [each for each in self._unversioned(name, source) if not version or version_of(each) == version]
        if not fragment:
            return found
        return [inner for each in found if (inner := contained_in(each, fragment)) is not None]

    def namesakes(self, reference: str) -> list[Target]:
        """The resources with the type and id of a relative reference, whatever their full address is."""
        return self.by_name.get(reference.partition("#")[0].partition(_VERSION)[0], [])

    def _unversioned(self, name: str, source: str | None) -> list[Target]:
        if is_absolute(name):
            return self.by_address.get(name, [])
        if not source:
            return [each for each in self.by_name.get(name, ()) if not each.full_url]
        restful = restful_address(source)
        if restful is not None:
            return self.by_address.get(f"{restful.base}/{name}", [])
        if is_transient(source):
            return self._by_id(name, source)
        # A relative fullUrl is wrong, and said to be; what is meant is clear all the same.
        return [] if is_absolute(source) else self.by_address.get(_beside(source, name), [])

    def _by_id(self, name: str, source: str) -> list[Target]:
        """`Patient/x` within the entry `urn:uuid:y` is the entry `urn:uuid:x`, when that is a Patient."""
        parts = _RELATIVE.fullmatch(name)
        if parts is None:
            return []
        found = self.by_address.get(f"{source.rpartition(':')[0]}:{parts['id']}", ())
        return [each for each in found if each.resource.get("resourceType") == parts["type"]]


class Place(NamedTuple):
    """Where a resource stands: with which others, and under which full address."""

    entries: Entries
    full_url: str | None
    bundle_type: str | None
    """The type of the Bundle; None in a Parameters."""
    is_bundle: bool


class Surroundings:
    """What can be seen from the resources within one root resource; nothing is looked at before it is asked for."""

    __slots__ = ("_names", "_places", "_root", "element_ids", "verdicts")

    def __init__(self, root: Json) -> None:
        self._root = root
        self._places: dict[int, Place] | None = None
        self._names: frozenset[str] | None = None
        self.verdicts: dict[tuple[int, str], bool] = {}
        """Whether the targets of references are right by a profile, by the identity of the target's object."""
        self.element_ids: dict[tuple[int, str], str] = {}
        """Where an id of an element was seen first, by the identity of the resource and the id."""

    @classmethod
    def of(cls, root: Json) -> Surroundings:
        """The surroundings of all resources within a resource."""
        return cls(root)

    def resolve(self, reference: str, run: Run) -> Target | None:
        """The resource to which a reference in `run.resource` points; None when it is not in here.

        In an entry without the address of a server, `Type/id` also means the only resource of that type and id.
        """
        found = self.matches(reference, run)
        place = self.place(run) if not found else None
        if place is not None and restful_address(place.full_url) is None:
            found = place.entries.namesakes(reference)
            return found[0] if len(found) == 1 else None
        return found[0] if found else None

    def matches(self, reference: str, run: Run) -> list[Target]:
        """The resources to which a reference points by the rules of references in Bundles; more than one is wrong."""
        if reference.startswith("#"):
            target = self._contained(reference[1:], run)
            return [target] if target is not None else []
        place = self.place(run)
        if place is None or not reference or "?" in reference:
            return []
        return place.entries.matches(reference, place.full_url)

    def place(self, run: Run) -> Place | None:
        """Where the resource that is looked at stands; None outside of Bundles and Parameters."""
        if self._places is None:
            holds_others = self._root.get("resourceType") in _HOLDERS or "contained" in self._root
            self._places = dict(_places(self._root)) if holds_others else {}
        return self._places.get(id(run.root))

    def names(self, names_in: Callable[[str], Iterable[str]]) -> frozenset[str]:
        """What a link `#name` in a narrative may mean: every id in here, and what `names_in` finds in a narrative."""
        if self._names is None:
            self._names = frozenset(_names(self._root, names_in))
        return self._names

    def _contained(self, key: str, run: Run) -> Target | None:
        path = run.owner[1]
        is_contained = run.resource is not run.root
        container = Target(run.root, None, path.rpartition(_CONTAINED)[0] if is_contained else path)
        if not key:
            return container if is_contained else None
        return contained_in(container, key) or contained_in(Target(run.resource, None, path), key)


def contained_in(container: Target, key: str) -> Target | None:
    """The contained resource of that id."""
    for number, each in enumerate(as_list(container.resource.get("contained"))):
        if isinstance(each, dict) and each.get("id") == key:
            return Target(each, container.full_url, f"{container.path}{_CONTAINED}{number}]", is_contained=True)
    return None


def _names(root: Json, names_in: Callable[[str], Iterable[str]]) -> Iterator[str]:
    ahead: list[Any] = [root]
    for item in ahead:
        if isinstance(item, list):
            ahead.extend(each for each in item if isinstance(each, dict | list))
            continue
        for key, value in item.items():
            if isinstance(value, dict | list):
                ahead.append(value)
            elif isinstance(value, str) and key == "id":
                yield value
            elif isinstance(value, str) and key == "div":
                yield from names_in(value)


def _places(root: Json) -> Iterator[tuple[int, Place]]:
    """The place of every resource that stands in a Bundle or Parameters, by the identity of its object."""
    ahead: list[tuple[Json, str]] = [(root, str(root.get("resourceType")))]
    for resource, path in ahead:
        kind = resource.get("resourceType")
        if kind in _HOLDERS:
            found = list(_entries(resource, path) if kind == "Bundle" else _parameters(resource, path))
            entries, bundle_type = Entries(), text_of(resource, "type")
            for each, full_url, place in found:
                entries.add(each, full_url, place)
                yield id(each), Place(entries, full_url, bundle_type, kind == "Bundle")
            yield id(resource), Place(entries, None, bundle_type, kind == "Bundle")
            ahead.extend((each, place) for each, _, place in found)
        for number, each in enumerate(as_list(resource.get("contained"))):
            if isinstance(each, dict) and each.get("resourceType") in _HOLDERS:
                ahead.append((each, f"{path}{_CONTAINED}{number}]"))


def _entries(bundle: Json, path: str) -> Iterator[tuple[Json, str | None, str]]:
    for number, entry in enumerate(as_list(bundle.get("entry"))):
        resource = as_object(as_object(entry).get("resource"))
        if resource:
            yield resource, text_of(as_object(entry), "fullUrl"), f"{path}.entry[{number}].resource"


def _parameters(parameters: Json, path: str) -> Iterator[tuple[Json, None, str]]:
    ahead = [(parameters, path, "parameter")]
    for holder, place, key in ahead:
        for number, part in enumerate(as_list(holder.get(key))):
            below = f"{place}.{key}[{number}]"
            resource = as_object(as_object(part).get("resource"))
            if resource:
                yield resource, None, f"{below}.resource"
            ahead.append((as_object(part), below, "part"))


# Addresses


def restful_address(address: str | None) -> Restful | None:
    """The parts of an address that is that of a resource on a server, of a type that R4 has."""
    found = _RESTFUL.fullmatch(address) if address else None
    if found is None or not load_model().is_resource(found["type"]):
        return None
    return Restful(found["base"], found["type"], found["id"], found["version"])


def is_absolute(address: str) -> bool:
    """Whether an address has a scheme (`https:`, `urn:`)."""
    return _ABSOLUTE.match(address) is not None


def _beside(source: str, name: str) -> str:
    """Another resource on the same server: `Patient/2` beside `Patient/1`."""
    return "/".join([*source.split("/")[:-2], name])


def is_transient(full_url: str | None) -> bool:
    """Whether a full address is good within its Bundle only."""
    return full_url is not None and full_url.startswith(_TRANSIENT)


def version_of(target: Target) -> str | None:
    """The version of a resource, when it tells it."""
    return text_of(as_object(target.resource.get("meta")), "versionId")


# JSON that may be malformed


def as_list(value: object) -> list[Any]:
    """An array, or an empty one."""
    return value if isinstance(value, list) else []


def as_object(value: object) -> Json:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def text_of(holder: Json, key: str) -> str | None:
    """The text under a key."""
    found = holder.get(key)
    return found if isinstance(found, str) else None

"""What a StructureDefinition asks of each element, as a tree: the snapshot's flat list, read once.

Slices hang below the element that they slice, choices know all their JSON names, and a reference to another element's
content is kept by that one's path. A plan is plain data: it can be written to the cache of plans and read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM_TYPES = "http://hl7.org/fhirpath/System."
_FHIR_TYPE = CORE + "structuredefinition-fhir-type"
_REGEX = CORE + "regex"
_BEST_PRACTICE = CORE + "elementdefinition-bestpractice"
_MAX_VALUE_SET = CORE + "elementdefinition-maxValueSet"
_SYSTEM_TO_FHIR = {
    "String": "string",
    "Boolean": "boolean",
    "Integer": "integer",
    "Decimal": "decimal",
    "Date": "date",
    "DateTime": "dateTime",
    "Time": "time",
}


class PlanError(Exception):
    """The definition cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class TypeRef:
    """One type that an element may have: its code, profiles on it, and for references what they may point to."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    aggregation: tuple[str, ...] = ()
    versioning: str | None = None
    regex: str | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """The value set of an element and how much it binds; `most` is the set outside which nothing may be."""

    strength: str
    value_set: str | None
    most: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One invariant of an element."""

    key: str
    severity: str
    human: str
    expression: str | None
    source: str | None = None
    is_best_practice: bool = False


@dataclass(frozen=True, slots=True)
class Discriminator:
    """By what the slices of an element are told apart."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Slicing:
    """How an element is sliced."""

    discriminators: tuple[Discriminator, ...]
    rules: str = "open"
    ordered: bool = False


@dataclass(slots=True, eq=False)
class Element:
    """What is asked of one element or one slice of it."""

    id: str
    path: str
    name: str
    """Its name without `[x]`."""
    min: int = 0
    max: int | None = None
    is_list: bool = False
    is_choice: bool = False
    types: tuple[TypeRef, ...] = ()
    fixed: Any = None
    pattern: Any = None
    least: Any = None
    most: Any = None
    max_length: int | None = None
    binding: Binding | None = None
    rules: tuple[Rule, ...] = ()
    base_path: str = ""
    same_as: str | None = None
    is_modifier: bool = False
    slice_name: str | None = None
    slicing: Slicing | None = None
    slices: list[Element] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        """The child of that name, without `[x]`."""
        return next((child for child in self.children if child.name == name), None)

    def typed_keys(self) -> Iterator[tuple[str, TypeRef | None]]:
        """Its names in JSON, each with the type found there; None where the content is another element's."""
        if not self.is_choice:
            yield self.name, self.types[0] if self.types else None
            return
        for each in self.types:
            yield self.name + each.code[:1].upper() + each.code[1:], each


@dataclass(slots=True, eq=False)
class Structure:
    """One StructureDefinition, ready to be compiled."""

    url: str
    version: str | None
    type: str
    kind: str
    is_abstract: bool
    is_profile: bool
    base: str | None
    root: Element
    by_path: dict[str, Element]
    """Elements that are no slices, by path: what references to content point to."""


def plan_of(definition: Json) -> Structure:
    """Read the snapshot of a definition; raises `PlanError` when it has none or cannot be read as a tree."""
    try:
        return _structure(definition)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise PlanError(f"the snapshot cannot be read: {type(error).__name__}") from error


def _structure(definition: Json) -> Structure:
    listed = definition.get("snapshot", {}).get("element")
    if not listed:
        raise PlanError("the definition has no snapshot")
    root, by_path = _tree(listed, is_resource=definition["kind"] == "resource")
    return Structure(
        url=definition["url"],
        version=definition.get("version"),
        type=definition["type"].removeprefix(CORE),
        kind=definition["kind"],
        is_abstract=bool(definition.get("abstract")),
        is_profile=definition.get("derivation") == "constraint",
        base=definition.get("baseDefinition"),
        root=root,
        by_path=by_path,
    )


def _tree(listed: list[Json], *, is_resource: bool) -> tuple[Element, dict[str, Element]]:
    root = _element(listed[0], is_resource=is_resource)
    by_path = {root.path: root}
    above = [root]
    for definition in listed[1:]:
        path = definition["path"]
        depth = path.count(".")
        if not 0 < depth <= len(above):
            raise PlanError(f"{path} does not follow its parent")
        del above[depth:]
        element = _element(definition, is_resource=is_resource)
        _hang(element, above[-1])
        above.append(element)
        if ":" not in element.id:
            by_path.setdefault(path, element)
    return root, by_path


def _hang(element: Element, parent: Element) -> None:
    """Put an element below its parent, or a slice below what it slices."""
    sliced = parent.child(element.name)
    if sliced is None:
        parent.children.append(element)
        return
    if element.slice_name is None:
        # Written twice, as `valueQuantity` and `value[x]`: the later one restricts one type of the first.
        element.slice_name = element.path.rpartition(".")[2]
    outer, _, _ = element.slice_name.rpartition("/")
    within = next((each for each in sliced.slices if outer and each.slice_name == outer), sliced)
    within.slices.append(element)


def _element(definition: Json, *, is_resource: bool) -> Element:
    path = definition["path"]
    last = path.rpartition(".")[2]
    base = definition.get("base", {})
    types = tuple(_types(definition, is_resource=is_resource))
    base_name = base.get("path", path).rpartition(".")[2]
    is_choice = last.endswith("[x]") or (base_name.endswith("[x]") and last.startswith(base_name[:-3]))
    most = definition.get("max", "1")
    return Element(
        id=definition.get("id", path),
        path=path,
        name=(base_name if is_choice and not last.endswith("[x]") else last).removesuffix("[x]"),
        min=definition.get("min", 0),
        max=None if most == "*" else int(most),
        is_list=base.get("max", most) not in ("0", "1"),
        is_choice=is_choice,
        types=types,
        fixed=_of_any_type(definition, "fixed"),
        pattern=_of_any_type(definition, "pattern"),
        least=_of_any_type(definition, "minValue"),
        most=_of_any_type(definition, "maxValue"),
        max_length=definition.get("maxLength"),
        binding=_binding(definition.get("binding")),
        rules=tuple(_rules(definition)),
        base_path=base.get("path", path),
        same_as=_content(definition),
        is_modifier=bool(definition.get("isModifier")),
        slice_name=definition.get("sliceName"),
        slicing=_slicing(definition.get("slicing")),
    )


def _content(definition: Json) -> str | None:
    reference = definition.get("contentReference")
    return reference.rpartition("#")[2] if isinstance(reference, str) else None


def _types(definition: Json, *, is_resource: bool) -> Iterator[TypeRef]:
    for each in definition.get("type", ()):
        yield TypeRef(
            code=_code(definition, each, is_resource=is_resource),
            profiles=tuple(each.get("profile", ())),
            targets=tuple(each.get("targetProfile", ())),
            aggregation=tuple(each.get("aggregation", ())),
            versioning=each.get("versioning"),
            regex=next((one.get("valueString") for one in each.get("extension", ()) if one["url"] == _REGEX), None),
        )


def _code(definition: Json, kind: Json, *, is_resource: bool) -> str:
    code: str = kind["code"]
    if not code.startswith(_SYSTEM_TYPES):
        return code.removeprefix(CORE)
    # The snapshots call the logical id of a resource a string; resource.html says that it is an id.
    if definition.get("base", {}).get("path") == "Resource.id" and is_resource:
        return "id"
    stated: Json = next((one for one in kind.get("extension", ()) if one["url"] == _FHIR_TYPE), {})
    found: str = stated.get("valueUrl") or stated.get("valueUri") or _SYSTEM_TO_FHIR[code.removeprefix(_SYSTEM_TYPES)]
    return found


def _of_any_type(definition: Json, name: str) -> Any:  # noqa: ANN401 - a value of any FHIR type
    for key, value in definition.items():
        if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
            return value
    return None


def _binding(stated: Json | None) -> Binding | None:
    if not stated:
        return None
    value_set = (
        stated.get("valueSet") or stated.get("valueSetUri") or stated.get("valueSetReference", {}).get("reference")
    )
    most: Json = next((one for one in stated.get("extension", ()) if one["url"] == _MAX_VALUE_SET), {})
    return Binding(stated["strength"], value_set, most.get("valueCanonical") or most.get("valueUri"))


def _rules(definition: Json) -> Iterator[Rule]:
    for each in definition.get("constraint", ()):
        practice = any(
            one["url"] == _BEST_PRACTICE and one.get("valueBoolean", True) for one in each.get("extension", ())
        )
        yield Rule(
            each["key"], each["severity"], each.get("human", ""), each.get("expression"), each.get("source"), practice
        )


def _slicing(stated: Json | None) -> Slicing | None:
    if not stated:
        return None
    found = tuple(Discriminator(one["type"], one["path"]) for one in stated.get("discriminator", ()))
    return Slicing(found, stated.get("rules", "open"), bool(stated.get("ordered")))

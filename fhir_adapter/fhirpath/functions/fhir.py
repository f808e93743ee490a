"""Which functions FHIR adds to FHIRPath (http://hl7.org/fhir/R4/fhirpath.html#functions).

What a resource alone does not tell (other resources, value sets, profiles) is asked of hooks that the caller hands in;
without one the answer is empty, which says that it is not known.
"""

from __future__ import annotations

from typing import Any

from fhir_adapter.fhirpath.errors import EvaluationError
from fhir_adapter.fhirpath.functions.registry import function, scoped
from fhir_adapter.fhirpath.items import Collection, Element, Item, system, text, to_json
from fhir_adapter.fhirpath.narrative import is_safe_narrative
from fhir_adapter.fhirpath.scope import Scope

_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"


@scoped("extension", 1)
def extension(scope: Scope, items: Collection, address: Collection) -> Collection:
    """The extensions with that address."""
    url = text(address, "extension()")
    found = scope.navigator.step("extension")(items)
    return [] if url is None else [each for each in found if _address(each) == url]


def _address(extension: Element) -> object:
    """The address of an extension; None of what should be one and is no object."""
    return extension.value.get("url") if isinstance(extension.value, dict) else None


@scoped("hasExtension", 1)
def has_extension(scope: Scope, items: Collection, address: Collection) -> Collection:
    """Whether there is an extension with that address: one search parameter of R4 itself asks so."""
    return [bool(extension(scope, items, address))]


@scoped("resolve")
def resolve(scope: Scope, items: Collection) -> Collection:
    """The resources to which references point: contained ones, those of the same Bundle, and what the hook finds."""
    found: Collection = []
    for item in items:
        scope.visit()
        reference = _reference(item)
        if reference is not None:
            found += _resolved(reference, scope)
    return found


def _reference(item: Item) -> str | None:
    value = system(item)
    if isinstance(value, Element):
        value = value.value.get("reference") if isinstance(value.value, dict) else None
    return value if isinstance(value, str) else None


def _resolved(reference: str, scope: Scope) -> Collection:
    if reference.startswith("#"):
        return _contained(reference[1:], scope)
    inside = _in_bundle(reference, scope.root)
    hook = scope.hook("resolve")
    found = inside if inside is not None or hook is None else hook(reference)
    return [scope.navigator.root(found)] if isinstance(found, dict) else []


def _contained(identifier: str, scope: Scope) -> Collection:
    for holder in (scope.resource, scope.root):
        content = holder.value if holder is not None and isinstance(holder.value, dict) else {}
        if not identifier and content:
            return [scope.navigator.root(content)]
        for each in content.get("contained", ()):
            if isinstance(each, dict) and each.get("id") == identifier:
                return [scope.navigator.root(each)]
    return []


def _in_bundle(reference: str, root: Element | None) -> dict[str, Any] | None:
    bundle = root.value if root is not None and isinstance(root.value, dict) else {}
    if bundle.get("resourceType") != "Bundle" or not isinstance(bundle.get("entry"), list):
        return None
    for entry in bundle["entry"]:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        local = f"{resource.get('resourceType')}/{resource.get('id')}"
        if reference in (entry.get("fullUrl"), local):
            return resource
    return None


@scoped("memberOf", 1)
def member_of(scope: Scope, items: Collection, value_set: Collection) -> Collection:
    """Whether the one code, Coding or CodeableConcept is in a value set; empty when nobody knows."""
    url = text(value_set, "memberOf()")
    hook = scope.hook("member_of")
    if len(items) != 1 or url is None or hook is None:
        return []
    answer = hook(to_json(items[0]), url)
    return [] if answer is None else [bool(answer)]


@scoped("conformsTo", 1)
def conforms_to(scope: Scope, items: Collection, profile: Collection) -> Collection:
    """Whether the one item follows a profile: a type of FHIR itself, or one that the hook knows."""
    url = text(profile, "conformsTo()")
    if len(items) != 1 or url is None:
        return []
    hook = scope.hook("conforms_to")
    answer = None if hook is None else hook(to_json(items[0]), url)
    if answer is None:
        answer = _is_core_type(items[0], url, scope)
    if answer is None:
        raise EvaluationError(f"conformsTo(): the profile {url} is not known")
    return [answer]


def _is_core_type(item: Item, url: str, scope: Scope) -> bool | None:
    model, name = scope.navigator.model, url.removeprefix(_DEFINITION)
    if model is None or not url.startswith(_DEFINITION) or model.type(name) is None:
        return None
    return isinstance(item, Element) and item.type is not None and model.is_a(item.type.name, name)


@scoped("elementDefinition")
def element_definition(scope: Scope, items: Collection) -> Collection:
    """The definition of each element, when the hook knows it."""
    hook = scope.hook("element_definition")
    found = [] if hook is None else [hook(to_json(item), _type_of(item)) for item in items]
    return [scope.navigator.root(each, "ElementDefinition") for each in found if isinstance(each, dict)]


def _type_of(item: Item) -> str | None:
    return item.type.name if isinstance(item, Element) and item.type else None


@scoped("checkModifiers", 0, 50)
def check_modifiers(scope: Scope, items: Collection, *known: Collection) -> Collection:
    """The items as they are; raises `EvaluationError` for a modifier extension that is not among the known ones."""
    addresses = {text(each, "checkModifiers()") for each in known}
    for each in scope.navigator.step("modifierExtension")(items):
        if _address(each) not in addresses:
            raise EvaluationError("checkModifiers(): a modifier extension that is not known here")
    return items


@function("htmlChecks")
def html_checks(items: Collection) -> Collection:
    """Whether the one narrative holds only what FHIR allows there."""
    return [is_safe_narrative(items[0].value if isinstance(items[0], Element) else items[0])] if items else []

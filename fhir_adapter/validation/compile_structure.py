"""How the table of R4's elements becomes closures that check a resource in one walk.

The types refer to each other in circles (an Extension holds Extensions), so each type first gets an empty dictionary of
members, its check is closed over it, and the members are filled in afterwards. A path is built for objects only; that
of a primitive is built when something is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_adapter.validation.core_invariants import Invariant, invariants_of
from fhir_adapter.validation.findings import Scan, is_safe_name, json_type, one_of, shown_code
from fhir_adapter.validation.members import (
    Check,
    Member,
    many_objects,
    many_primitives,
    many_siblings,
    one_object,
    one_primitive,
    one_sibling,
)
from fhir_adapter.validation.names import nearest_names
from fhir_adapter.validation.primitives import SHOWN_TEXTS, PrimitiveCheck, coded_check, primitive_checks
from fhir_adapter.validation.r4_table import Element, Table, TypeSpec
from fhir_adapter.validation.references import contained_types, reference_check

Also = Callable[[Mapping[str, Any], str, Scan], None]
"""A further check of a value that is known to be an object."""

Members = dict[str, Member]


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice element of a type: all keys under which it, or the `_` sibling of one of its types, may stand."""

    names: frozenset[str]
    is_required: bool
    rule: str


def compile_table(table: Table) -> dict[str, Check]:
    """One check for each type of the table, by name; a check of a resource expects that its type is already known."""
    members: dict[str, Members] = {name: {} for name in table.types}
    checks = {name: _object(spec, members[name]) for name, spec in table.types.items()}
    compiler = _Compiler(table, checks)
    for name, spec in table.types.items():
        members[name].update(compiler.members(spec))
    return checks


class _Compiler:
    """Makes the members of each type from the table and the checks of all types."""

    def __init__(self, table: Table, checks: Mapping[str, Check]) -> None:
        self._table = table
        self._checks = checks
        self._resources = {name: checks[name] for name, spec in table.types.items() if spec.is_resource}
        self._primitives = primitive_checks(table)

    def members(self, spec: TypeSpec) -> Members:
        found: Members = {"resourceType": _accept_anything} if spec.is_resource else {}
        for name, element in spec.elements.items():
            if element.type not in self._table.primitives:
                check = _with_also(self._object_check(element), self._also(element))
                found[name] = many_objects(element, check) if element.is_list else one_object(element, check)
                continue
            primitive = self._primitive_check(element)
            sibling = self._checks["Element"]
            found[name] = many_primitives(element, primitive) if element.is_list else one_primitive(element, primitive)
            found[f"_{name}"] = many_siblings(element, sibling) if element.is_list else one_sibling(element, sibling)
        return found

    def _object_check(self, element: Element) -> Check:
        if element.type != "Resource":
            return self._checks[element.type]
        return _resource_within(self._resources, is_contained=element.name == "contained", rule=element.rule)

    def _also(self, element: Element) -> tuple[Also, ...]:
        if element.type == "Reference":
            return (reference_check(element.targets, self._table.resource_types),)
        if element.profile == "SimpleQuantity":
            return (_no_comparator,)
        if element.value_set:
            return (_concept_binding(element, self._table.value_sets[element.value_set]),)
        return ()

    def _primitive_check(self, element: Element) -> PrimitiveCheck:
        if element.rule in SHOWN_TEXTS:
            return self._primitives[element.rule]
        check = self._primitives[element.type]
        if element.value_set is None:
            return check
        listed = [code for codes in self._table.value_sets[element.value_set].values() for code in codes]
        return coded_check(check, frozenset(listed), listed)


def _accept_anything(_value: object, _parent: Mapping[str, Any], _path: str, _scan: Scan) -> None:
    """`resourceType` is judged before the check of its type is chosen."""


def _object(spec: TypeSpec, members: Members) -> Check:
    required = _required(spec)
    choices = _choices(spec)
    has_contained = spec.is_resource and "contained" in spec.elements
    invariants = invariants_of(spec.name, has_contained=has_contained)

    def check(value: object, path: str, scan: Scan) -> None:
        if not isinstance(value, dict) or not value:
            _not_a_filled_object(value, path, scan, spec.name)
            return
        for name, item in value.items():
            member = members.get(name)
            if member is None:
                _unknown(name, path, scan, spec)
            else:
                member(item, value, path, scan)
        for name, sibling, rule in required:
            if name not in value and sibling not in value:
                scan.report("missing-element", f"{rule} is required", path, rule)
        for choice in choices:
            _check_choice(choice, value, path, scan)
        for invariant in invariants:
            _check_invariant(invariant, value, path, scan)

    return check


def _required(spec: TypeSpec) -> tuple[tuple[str, str, str], ...]:
    """Name, sibling and rule of each element that must be there; a `_` sibling with an extension stands for a value."""
    return tuple((e.name, f"_{e.name}", e.rule) for e in spec.elements.values() if e.min and not e.choice)


def _choices(spec: TypeSpec) -> tuple[Choice, ...]:
    groups: dict[str, list[Element]] = {}
    for element in spec.elements.values():
        if element.choice:
            groups.setdefault(element.choice, []).append(element)
    return tuple(
        Choice(frozenset(n for e in group for n in (e.name, f"_{e.name}")), group[0].min > 0, group[0].rule)
        for group in groups.values()
    )


def _check_choice(choice: Choice, value: Mapping[str, Any], path: str, scan: Scan) -> None:
    present = value.keys() & choice.names
    if not present:
        if choice.is_required:
            scan.report("missing-element", f"{choice.rule} is required, in one of its types", path, choice.rule)
    elif len(present) > 1:
        types = sorted({name.lstrip("_") for name in present})
        if len(types) > 1:
            message = f"only one type of {choice.rule} may be present; found {one_of(types)}"
            scan.report("two-choices", message, path, choice.rule)


def _check_invariant(invariant: Invariant, value: Mapping[str, Any], path: str, scan: Scan) -> None:
    if (invariant.touches is None or invariant.touches in value) and not invariant.holds(value):
        scan.report("invariant", f"{invariant.id}: {invariant.right}", path, invariant.id)


def _not_a_filled_object(value: object, path: str, scan: Scan, rule: str) -> None:
    if value is None:
        scan.report("null", f"null; leave the element out or give an object ({rule})", path, rule)
    elif isinstance(value, dict):
        scan.report("empty", "an empty object; leave the element out", path, rule)
    elif isinstance(value, float):
        scan.report("float-not-decimal", f"a binary float; right is an object ({rule})", path, rule)
    else:
        scan.report("wrong-json-type", f"{json_type(value)}; right is an object ({rule})", path, rule)


def _unknown(name: object, path: str, scan: Scan, spec: TypeSpec) -> None:
    if not isinstance(name, str) or not is_safe_name(name):
        scan.report("unknown-element", f"a key that cannot be the name of an element of {spec.name}", path, spec.name)
        return
    near = nearest_names(name, spec)
    hint = f"; did you mean {one_of(near)}?" if near else ""
    scan.report("unknown-element", f"{spec.name} has no element {name!r}{hint}", f"{path}.{name}", spec.name)


def _with_also(check: Check, also: tuple[Also, ...]) -> Check:
    if not also:
        return check
    (further,) = also

    def both(value: object, path: str, scan: Scan) -> None:
        check(value, path, scan)
        if isinstance(value, dict):
            further(value, path, scan)

    return both


def _resource_within(checks: Mapping[str, Check], *, is_contained: bool, rule: str) -> Check:
    """A resource inside another: contained ones share the fragments of their container, others have their own."""

    def check(value: object, path: str, scan: Scan) -> None:
        if not isinstance(value, dict) or not value:
            _not_a_filled_object(value, path, scan, rule)
            return
        kind = value.get("resourceType")
        if not isinstance(kind, str) or not kind:
            scan.report("no-resource-type", "a resource needs the text `resourceType`", path, rule)
            return
        type_check = checks.get(kind)
        if type_check is not None:
            contained = scan.contained if is_contained else contained_types(value)
            type_check(value, path, Scan(scan.resource, contained, scan.issues, is_contained))

    return check


def _no_comparator(value: Mapping[str, Any], path: str, scan: Scan) -> None:
    if "comparator" in value:
        message = "sqty-1: a comparator is not allowed in a simple quantity"
        scan.report("invariant", message, f"{path}.comparator", "sqty-1")


def _concept_binding(element: Element, systems: Mapping[str, tuple[str, ...]]) -> Also:
    """One coding of the concept must come from the value set; a concept that only has an extension says why not."""
    allowed = frozenset((system, code) for system, codes in systems.items() for code in codes)
    right = f"one of {one_of(code for codes in systems.values() for code in codes)} in {one_of(systems)}"

    def check(value: Mapping[str, Any], path: str, scan: Scan) -> None:
        codings = value.get("coding")
        found = [c for c in codings if isinstance(c, dict)] if isinstance(codings, list) else []
        if any((c.get("system"), c.get("code")) in allowed for c in found if _is_coded(c)):
            return
        if found or "extension" not in value:
            codes = ", ".join(shown_code(coding.get("code")) for coding in found) or "no code"
            scan.report("code-not-allowed", f"{codes}; right is {right}", path, element.rule)

    return check


def _is_coded(coding: Mapping[str, Any]) -> bool:
    return isinstance(coding.get("system"), str) and isinstance(coding.get("code"), str)

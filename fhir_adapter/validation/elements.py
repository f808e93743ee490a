"""How a plan becomes checks: every element of a profile as closures, made when a resource first has that element.

An element whose children the profile names is checked by these children. Any other is checked by its type, whose
checks all profiles share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from fhir_adapter.validation.bindings import binding_check
from fhir_adapter.validation.element_ids import element_id_checks
from fhir_adapter.validation.extensions import Extensions
from fhir_adapter.validation.findings import one_of
from fhir_adapter.validation.invariants import Invariant, invariants
from fhir_adapter.validation.limits import limit_check, primitive_limits, value_checks
from fhir_adapter.validation.lists import (
    Further,
    many_objects,
    many_primitives,
    many_siblings,
    one_object,
    one_primitive,
    one_sibling,
)
from fhir_adapter.validation.narrative import text_checks
from fhir_adapter.validation.objects import Check, Choice, Json, Member, Members, Needed, object_check, unknown_member
from fhir_adapter.validation.plan import Element, Rule, Structure, TypeRef
from fhir_adapter.validation.reference_targets import canonical_checks
from fhir_adapter.validation.slicing import refused_choice, slices_check, type_slices
from fhir_adapter.validation.type_rules import type_rules

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run

GROUPS = frozenset({"BackboneElement", "Element"})
"""Type codes of elements that have elements of their own; their type is named by their path."""


class Elements:
    """Makes the checks of the elements of one structure."""

    def __init__(self, engine: Engine, structure: Structure) -> None:
        self.engine = engine
        self.structure = structure

    def root(self) -> Check:
        """The check of the whole structure; of a resource it expects that its type is already known."""
        root = self.structure.root
        return self._object(root, self.structure.type, root.rules)

    def value(self, element: Element, ref: TypeRef | None) -> Check:
        """The check of one item of an element, of the type that stands there."""
        checks = [*self._structural(element, ref), *self._further(element, ref)]
        if len(checks) == 1:
            return checks[0]

        def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
            checks[0](value, path, run)
            if value.__class__ is dict:
                for each in rest:
                    each(value, path, run)

        rest = tuple(checks[1:])
        return check

    def children_of(self, element: Element) -> list[Element]:
        """The children that a profile names, or those of the element whose content this one has."""
        if element.same_as is not None and not element.children:
            same = self.structure.by_path.get(element.same_as)
            return same.children if same else []
        return element.children

    def kind_of(self, element: Element, ref: TypeRef | None) -> str:
        """The name of an item's type: a datatype's, or the path of a group of elements."""
        if ref is None:
            return element.same_as or element.base_path
        return element.base_path if ref.code in GROUPS else ref.code

    # The whole of an element

    def _structural(self, element: Element, ref: TypeRef | None) -> Iterator[Check]:
        """What looks at the members of a value: the profile's own children, a profile on the type, or the type."""
        kind = self.kind_of(element, ref)
        children = self.children_of(element)
        is_resource = ref is not None and self.engine.is_resource(ref.code)
        if children and not is_resource:
            inherited = self.engine.root_rules(kind) if ref is not None else ()
            yield self._object(element, kind, (*element.rules, *inherited))
        elif is_resource and ref is not None:
            yield self.engine.nested_check(element)
            if children:
                yield self._object(element, ref.code, element.rules)
        elif ref is None or not ref.profiles:
            yield self.engine.type_check(kind)
        if ref is not None and ref.profiles and not is_resource:
            yield self.engine.any_profile_check(ref.profiles)

    def _further(self, element: Element, ref: TypeRef | None) -> Iterator[Check]:
        """What is asked of a value beside its members."""
        if ref is None:
            return
        yield from type_rules(self.engine, ref)
        yield from value_checks(element)
        if element.least is not None or element.most is not None:
            yield limit_check(element, ref.code)
        if element.binding is not None:
            yield from binding_check(self.engine, element, element.binding, ref.code)
        if not self.children_of(element):
            kind = self.kind_of(element, ref)
            known = {rule.key for rule in self.engine.root_rules(kind)}
            own = self._invariants((rule for rule in element.rules if rule.key not in known), kind)
            yield from (invariant.check for invariant in own)

    def _invariants(self, rules: Iterator[Rule], kind: str) -> tuple[Invariant, ...]:
        options = self.engine.options
        return () if options.structure_only else invariants(rules, kind, best_practice=options.best_practice)

    def _object(self, element: Element, kind: str, rules: tuple[Rule, ...]) -> Check:
        children = self.children_of(element)
        makers: dict[str, Callable[[], Member]] = {}
        for child in children:
            for key, ref in child.typed_keys():
                makers[key] = partial(self._member, child, key, ref)
                if ref is not None and self.engine.is_primitive(ref.code):
                    makers[f"_{key}"] = partial(self._sibling, child, key, ref)
        if self.structure.kind == "resource" and element is self.structure.root:
            makers["resourceType"] = lambda: _accept_anything
        owner = element.id
        members = Members(makers, self._unknown(owner, children))
        return object_check(
            members,
            tuple(self._needed(children)),
            tuple(_choices(children)),
            self._invariants(iter(rules), kind),
            owner,
        )

    def _needed(self, children: list[Element]) -> Iterator[Needed]:
        for child in children:
            keys = frozenset(one for key, _ in child.typed_keys() for one in (key, f"_{key}"))
            if child.min > 0:
                yield Needed(keys, child)
            for each in child.slices:
                if each.min > 0 and child.min == 0 and not child.is_choice:
                    yield Needed(keys, each)
                elif each.min > 0 and child.is_choice and type_slices(child):
                    own = frozenset(one for key, _ in each.typed_keys() for one in (key, f"_{key}"))
                    yield Needed(own, each)

    def _unknown(self, owner: str, children: list[Element]) -> Member:
        plain = unknown_member(owner, children)
        choices = [child for child in children if child.is_choice]

        def member(key: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
            for child in choices:
                code = self.engine.type_of_choice(key, child) if isinstance(key, str) else None
                if code is not None:
                    right = one_of([each.code for each in child.types]) or "none"
                    message = f"{child.id} has the type {code!r}; right is {right}"
                    run.error("type-not-allowed", message, f"{path}.{child.name}.ofType({code})", child.id)
                    return
            plain(key, holder, path, run)

        return member

    # What stands under one key

    def _member(self, element: Element, key: str, ref: TypeRef | None) -> Member:
        step = f"{element.name}.ofType({ref.code})" if element.is_choice and ref else element.name
        if element.is_choice and element.slices:
            return self._sliced_choice(element, key, step, ref)
        if ref is not None and self.engine.is_primitive(ref.code):
            return self._primitive_member(element, key, step, ref)
        if ref is not None and ref.code == "Extension":
            return many_objects(element, step, _never, Extensions(self, element).check)
        check = self.value(element, ref)
        if not element.is_list:
            return one_object(element, step, check)
        whole = slices_check(self, element, check) if element.slices or element.slicing else None
        return many_objects(element, step, check, whole)

    def _sliced_choice(self, element: Element, key: str, step: str, ref: TypeRef | None) -> Member:
        """A choice is sliced by type: a slice speaks of the values of its types."""
        ours = _slices_of(element, ref)
        if ref is not None and self.engine.is_primitive(ref.code):
            plain = self._primitive_member(element, key, step, ref)
        else:
            checks = [self.value(element, ref), *(self.value(each, own) for each, own in ours)]
            plain = one_object(element, step, checks[0] if len(checks) == 1 else partial(_all, checks))
        return _unless_refused(element, ref, plain, step)

    def _primitive_member(self, element: Element, key: str, step: str, ref: TypeRef) -> Member:
        check = self.engine.primitive(ref, element)
        further = tuple(self._primitive_further(element, ref))
        if element.is_list:
            return many_primitives(element, key, step, check, further)
        return one_primitive(element, key, step, check, further)

    def _primitive_further(self, element: Element, ref: TypeRef) -> Iterator[Further]:
        yield from primitive_limits(self.engine, element, ref)
        yield from text_checks(self.engine, ref)
        yield from canonical_checks(element, ref)
        yield from element_id_checks(element)
        if element.is_choice:
            for each in element.slices:
                for own in each.types:
                    if own.code == ref.code:
                        yield from primitive_limits(self.engine, each, own)
        for invariant in self._invariants(iter(element.rules), ref.code):
            yield invariant.check_primitive

    def _sibling(self, element: Element, key: str, ref: TypeRef) -> Member:
        step = f"{element.name}.ofType({ref.code})" if element.is_choice else element.name
        named = [child for child in element.children if child.name != "value"]
        if named:
            makers = {
                each: partial(self._member, child, each, own) for child in named for each, own in child.typed_keys()
            }
            members = Members(makers, self._unknown(element.id, named))
            check = object_check(members, tuple(self._needed(named)), (), (), element.id)
        else:
            check = self.engine.type_check("Element")
        if element.is_list:
            return many_siblings(element, key, step, check)
        alone = one_sibling(element, key, step, check)
        return _unless_refused(element, ref, alone, step, key) if element.is_choice and element.slices else alone


def _choices(children: list[Element]) -> Iterator[Choice]:
    for child in children:
        if child.is_choice and len(child.types) > 1:
            yield Choice(frozenset(one for key, _ in child.typed_keys() for one in (key, f"_{key}")), child)


def _slices_of(element: Element, ref: TypeRef | None) -> list[tuple[Element, TypeRef]]:
    """The slices of a choice that speak of a type, each with its own words about it."""
    return [(each, own) for each in element.slices for own in each.types if ref and own.code == ref.code]


def _unless_refused(element: Element, ref: TypeRef | None, plain: Member, step: str, key: str | None = None) -> Member:
    """Says as well that the slices of a choice let no value of the type be; not twice where `key` says it already."""
    refusal = refused_choice(element, [each for each, _ in _slices_of(element, ref)])
    if refusal is None:
        return plain
    code, rule, message = refusal

    def member(value: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        plain(value, holder, path, run)
        if key not in holder:
            run.error(code, message, f"{path}.{step}", rule)

    return member


def _all(checks: list[Check], value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    for each in checks:
        each(value, path, run)


def _accept_anything(_value: object, _holder: Json, _path: str, _run: Run) -> None:
    """`resourceType` is judged before the check of its type is chosen."""


def _never(_value: object, _path: str, _run: Run) -> None:
    """The items of a list that is always looked at as a whole."""

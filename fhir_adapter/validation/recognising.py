"""How an item of a list is recognised as belonging to a slice.

By what the slice's definition says at the path of each discriminator: a fixed value, a pattern, a required value set, a
type, a profile, or whether it is there at all. Source: https://hl7.org/fhir/R4/profiling.html#discriminator
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhir_adapter.fhirpath import Expression, FhirPathError, compile  # noqa: A004 - the name of the interface
from fhir_adapter.validation.plan import CORE, Discriminator, Element, TypeRef
from fhir_adapter.validation.values import equals, fits

if TYPE_CHECKING:
    from fhir_adapter.validation.elements import Elements
    from fhir_adapter.validation.run import Run

Test = Callable[[Any, str, "Run"], bool]
"""Whether an item at a path is recognised."""

_STEP = re.compile(r"resolve\(\)|ofType\((?P<type>[\w.]+)\)|extension\('(?P<url>[^']*)'\)|[A-Za-z]\w*|\$this")


@dataclass(frozen=True, slots=True)
class Defined:
    """An element of a definition, with the structure that it stands in and the type that was chosen for it."""

    elements: Elements
    element: Element
    types: tuple[TypeRef, ...]


class Unrecognisable(Exception):
    """Nothing in a slice's definition says how it is recognised."""


def recogniser(elements: Elements, slice_: Element, discriminators: tuple[Discriminator, ...]) -> Test:
    """What tells the items of a slice from others; raises `Unrecognisable` when nothing does."""
    if not discriminators:
        raise Unrecognisable("the slicing has no discriminator")
    tests = [_test(elements, slice_, each) for each in discriminators]
    if len(tests) == 1:
        return tests[0]
    return lambda item, place, run: all(test(item, place, run) for test in tests)


def _test(elements: Elements, slice_: Element, discriminator: Discriminator) -> Test:
    steps = _steps(discriminator.path)
    defined = list(_defined(elements, slice_, steps))
    if not defined:
        raise Unrecognisable(f"its definition has no {discriminator.path}")
    find = _finder(elements, slice_, discriminator.path, steps)
    if discriminator.kind == "exists":
        return _exists(defined[0].element, find)
    if discriminator.kind == "type":
        return _types(elements, slice_, discriminator.path, defined)
    if discriminator.kind == "profile":
        accepts = _profiles(defined)
        return lambda item, place, run: any(accepts(value, place, run) for value in find(item, run))
    criteria = [each for each in (_value(one) for one in defined) if each is not None]
    if not criteria:
        raise Unrecognisable(f"nothing is fixed at {discriminator.path}")
    return lambda item, place, run: any(
        criterion(value, place, run) for value in find(item, run) for criterion in criteria
    )


# What the definition says


def _steps(path: str) -> list[str]:
    found = [each[0] for each in _STEP.finditer(path)]
    return [each for each in found if each != "$this"]


def _defined(elements: Elements, slice_: Element, steps: list[str]) -> Iterator[Defined]:
    """The elements of the definition that a path leads to; several where it leads through slices."""
    ahead = [Defined(elements, slice_, slice_.types)]
    for step in steps:
        ahead = [found for each in ahead for found in _step(each, step)]
    return iter(ahead)


def _step(place: Defined, step: str) -> Iterator[Defined]:
    function, _, argument = step.partition("(")
    if not argument:
        return _step_into(place, step)
    if function == "resolve":
        return (found for ref in place.types for target in ref.targets for found in _structure(place.elements, target))
    if function == "ofType":
        kept = tuple(ref for ref in place.types if ref.code == argument[:-1])
        return iter([Defined(place.elements, place.element, kept)] if kept else [])
    return _extension(place, argument[1:-2])


def _step_into(place: Defined, name: str) -> Iterator[Defined]:
    children = place.elements.children_of(place.element)
    child = next((each for each in children if each.name == name), None)
    if child is not None:
        yield from _with_slices(place.elements, child)
    for ref in place.types:
        for address in ref.profiles or (() if children else (ref.code,)):
            for found in _structure(place.elements, address):
                below = found.element.child(name)
                if below is not None:
                    yield from _with_slices(found.elements, below)


def _with_slices(elements: Elements, element: Element) -> Iterator[Defined]:
    for each in (element, *element.slices):
        yield Defined(elements, each, each.types)


def _structure(elements: Elements, address: str) -> Iterator[Defined]:
    found = elements.engine.elements(address)
    if found is not None:
        root = found.structure.root
        yield Defined(found, root, (TypeRef(found.structure.type, (address,)),))


def _extension(place: Defined, url: str) -> Iterator[Defined]:
    for child in place.elements.children_of(place.element):
        for each in child.slices if child.name == "extension" else ():
            if any(url in ref.profiles for ref in each.types):
                yield Defined(place.elements, each, each.types)
                return
    yield from _structure(place.elements, url)


def _value(defined: Defined) -> Test | None:
    """What a definition says of a value: fixed, a pattern, a required value set, or what its children say."""
    element = defined.element
    if element.fixed is not None:
        return lambda value, _place, _run: equals(value, element.fixed)
    if element.pattern is not None:
        return lambda value, _place, _run: fits(value, element.pattern)
    below = list(_values_below(defined))
    if below:
        return lambda value, place, run: all(test(value, place, run) for test in below)
    if element.binding is not None and element.binding.strength == "required" and element.binding.value_set:
        return _in_value_set(defined, element.binding.value_set)
    return None


def _values_below(defined: Defined) -> Iterator[Test]:
    for child in defined.elements.children_of(defined.element):
        options = [
            test
            for each in (child, *child.slices)
            if (test := _value(Defined(defined.elements, each, each.types))) is not None
        ]
        if not options or child.name in ("extension", "id"):
            continue
        required = child.min > 0 or any(each.min > 0 for each in child.slices)
        yield _below(child, options, is_required=required)


def _below(child: Element, options: list[Test], *, is_required: bool) -> Test:
    keys = [key for key, _ in child.typed_keys()]

    def test(value: Any, place: str, run: Run) -> bool:  # noqa: ANN401 - JSON
        if not isinstance(value, dict):
            return False
        items = [item for key in keys if key in value for item in _as_list(value[key])]
        if not items:
            return not is_required
        return any(option(item, place, run) for item in items for option in options)

    return test


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]


def _in_value_set(defined: Defined, value_set: str) -> Test:
    engine = defined.elements.engine

    def test(value: Any, _place: str, _run: Run) -> bool:  # noqa: ANN401 - JSON
        expansion = engine.expansion(value_set)
        if isinstance(value, str):
            return expansion.holds_code(value).is_yes
        codings = value.get("coding", [value]) if isinstance(value, dict) else []
        return any(
            expansion.holds(coding.get("system"), coding["code"]).is_yes
            for coding in _as_list(codings)
            if isinstance(coding, dict) and isinstance(coding.get("code"), str)
        )

    return test


def _exists(element: Element, find: Callable[[Any, Run], list[Any]]) -> Test:
    if element.max == 0:
        return lambda item, _place, run: not find(item, run)
    if element.min > 0:
        return lambda item, _place, run: bool(find(item, run))
    raise Unrecognisable("the element may be there or not")


def _types(elements: Elements, slice_: Element, path: str, defined: list[Defined]) -> Test:
    codes = {ref.code.removeprefix(CORE) for each in defined for ref in each.types}
    expression = _expression(elements, slice_, path)
    engine = elements.engine

    def test(item: Any, _place: str, run: Run) -> bool:  # noqa: ANN401 - JSON
        try:
            found = expression.typed(item, **run.environment)
        except FhirPathError:
            return False
        return any(engine.is_a(name.rpartition(".")[2], code) for name, _ in found for code in codes)

    return test


def _profiles(defined: list[Defined]) -> Test:
    addresses = {address for each in defined for ref in each.types for address in ref.profiles}
    engine = defined[0].elements.engine
    if not addresses:
        raise Unrecognisable("no profile is named")

    def accepts(value: Any, place: str, run: Run) -> bool:  # noqa: ANN401 - JSON
        return any(engine.conforms(value, address, place, run) for address in addresses)

    return accepts


# What the resource has


def _finder(elements: Elements, slice_: Element, path: str, steps: list[str]) -> Callable[[Any, Run], list[Any]]:
    if not steps:
        return lambda item, _run: [item]
    if all(step.isalnum() for step in steps):
        plain = _plain_finder(elements, slice_, steps)
        if plain is not None:
            return plain
    expression = _expression(elements, slice_, path)

    def find(item: Any, run: Run) -> list[Any]:  # noqa: ANN401 - JSON
        try:
            return expression(item, **run.environment)
        except FhirPathError:
            return []

    return find


def _expression(elements: Elements, slice_: Element, path: str) -> Expression:
    ref = slice_.types[0] if slice_.types else None
    kind = elements.kind_of(slice_, ref)
    try:
        return compile(path, type=None if elements.engine.is_resource(kind) else kind)
    except FhirPathError as error:
        try:
            return compile(path)
        except FhirPathError:
            raise Unrecognisable(f"{path} is no path: {error}") from error


def _plain_finder(elements: Elements, slice_: Element, steps: list[str]) -> Callable[[Any, Run], list[Any]] | None:
    """Names one after another, none of them a choice: plain keys of JSON."""
    if any(each.element.is_choice for each in _on_the_way(elements, slice_, steps)):
        return None

    def find(item: Any, _run: Run) -> list[Any]:  # noqa: ANN401 - JSON
        found = [item]
        for step in steps:
            below = [each[step] for each in found if isinstance(each, dict) and step in each]
            found = [one for each in below for one in _as_list(each)]
        return found

    return find


def _on_the_way(elements: Elements, slice_: Element, steps: list[str]) -> Iterator[Defined]:
    for count in range(1, len(steps) + 1):
        yield from _defined(elements, slice_, steps[:count])

"""Whether the slices of a list stand as often, and in the order, that a profile says.

Source: https://hl7.org/fhir/R4/profiling.html#slicing
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhir_adapter.validation.findings import one_of
from fhir_adapter.validation.lists import Whole, out_of_bounds
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import Element, Slicing
from fhir_adapter.validation.recognising import Test, Unrecognisable, recogniser

if TYPE_CHECKING:
    from fhir_adapter.validation.elements import Elements
    from fhir_adapter.validation.run import Run


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice, ready to be used; `within` are the slices of the slice itself."""

    element: Element
    recognises: Test
    check: Check
    has_children: bool
    within: tuple[Slice, ...]


class Place:
    """Where a walk over the items of a list is: how often each slice stood, and what stood last."""

    __slots__ = ("counts", "is_past", "last")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.last = -1
        self.is_past = False


def type_slices(element: Element) -> bool:
    """Whether a choice is sliced by the types of its values."""
    return bool(element.slices) and element.is_choice


def refused_choice(element: Element, ours: list[Element]) -> tuple[str, str, str] | None:
    """Why a type of a choice may not stand: code, rule and message; `ours` are the slices that the type is in."""
    forbidden = next((each for each in ours if each.max == 0), None)
    if forbidden is not None:
        return "too-many", forbidden.id, f"{forbidden.id}: must not be present"
    slicing = element.slicing
    if ours or slicing is None or slicing.rules != "closed":
        return None
    if any((each.kind, each.path) != ("type", "$this") for each in slicing.discriminators):
        return None
    right = one_of(sorted({ref.code for each in element.slices for ref in each.types}))
    return "slice-closed", element.id, f"{element.id}: the type is in none of the slices; right is {right}"


def slices_check(elements: Elements, element: Element, item_check: Check) -> Whole:
    """The check of a list whose items are sliced."""
    slicing = element.slicing or Slicing(())
    problems: list[str] = []
    slices = tuple(_slices(elements, element, element, problems))
    is_closed = slicing.rules == "closed" and not problems

    def check_item(item: Any, path: str, place: Place, run: Run) -> None:  # noqa: ANN401 - JSON
        number = _find(slices, item, path, run)
        if number is None:
            place.is_past = True
            item_check(item, path, run)
            if is_closed:
                message = f"{element.id}: the item is in none of the slices, and no other may be here"
                run.error("slice-closed", message, path, element.id)
            return
        found = slices[number]
        _check_alone(slices, number, item, path, run)
        _check_order(slicing, found.element, number, path, place, run)
        if not found.has_children:
            item_check(item, path, run)
        _check_slice(found, item, path, place, run)

    def whole(items: list[Any], path: str, holder: str, run: Run) -> None:
        for problem in problems:
            run.not_evaluated(problem, path, element.id)
        place = Place()
        for index, item in enumerate(items):
            check_item(item, f"{path}[{index}]", place, run)
        _check_counts(slices, place.counts, holder, run)

    return whole


def _check_alone(slices: tuple[Slice, ...], number: int, item: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    others = [each.element.id for each in slices[number + 1 :] if each.recognises(item, path, run)]
    if others:
        element = slices[number].element
        message = f"the item is in more than one slice: {one_of([element.id, *others])}"
        run.error("slice-ambiguous", message, path, element.id)


def _check_order(slicing: Slicing, element: Element, number: int, path: str, place: Place, run: Run) -> None:
    if place.is_past and slicing.rules == "openAtEnd":
        message = f"{element.id} stands after items that are in no slice; those come last"
        run.error("slice-order", message, path, element.id)
    if slicing.ordered and number < place.last:
        run.error("slice-order", f"{element.id} does not stand in the order of the slices", path, element.id)
    place.last = max(place.last, number)


def _check_slice(found: Slice, item: Any, path: str, place: Place, run: Run) -> None:  # noqa: ANN401 - JSON
    """The item by its slice, and by the slice of that slice that it may be in."""
    place.counts[found.element.id] = place.counts.get(found.element.id, 0) + 1
    found.check(item, path, run)
    number = _find(found.within, item, path, run)
    if number is not None:
        _check_slice(found.within[number], item, path, place, run)


def _find(slices: tuple[Slice, ...], item: Any, path: str, run: Run) -> int | None:  # noqa: ANN401 - JSON
    for number, each in enumerate(slices):
        if each.recognises(item, path, run):
            return number
    return None


def _check_counts(slices: tuple[Slice, ...], counts: dict[str, int], holder: str, run: Run) -> None:
    for each in slices:
        element = each.element
        count = counts.get(element.id, 0)
        if count < element.min:
            message = f"{element.id}: {count} items are in this slice; at least {element.min} are required"
            run.error("slice-missing", message, holder, element.id)
        elif element.max is not None and count > element.max:
            out_of_bounds(count, element, holder, run)
        if count:
            _check_counts(each.within, counts, holder, run)


def _slices(elements: Elements, base: Element, sliced: Element, problems: list[str]) -> Iterator[Slice]:
    slicing = sliced.slicing or base.slicing
    for each in sliced.slices:
        try:
            recognises = recogniser(elements, each, slicing.discriminators if slicing else ())
        except Unrecognisable as error:
            problems.append(f"{each.id} cannot be told from other items: {error}")
            continue
        ref = each.types[0] if each.types else None
        within = tuple(_slices(elements, base, each, problems))
        yield Slice(each, recognises, elements.value(each, ref), bool(each.children), within)

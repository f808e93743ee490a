"""How an object is checked: the keys that it may have, what must be there, and its invariants.

What stands below a key is compiled when the key is first met, so that types which refer to each other in circles (an
Extension holds Extensions) need no care, and a resource costs only what it uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_adapter.validation.findings import is_safe_name, json_type, one_of
from fhir_adapter.validation.invariants import Invariant
from fhir_adapter.validation.names import nearest_keys
from fhir_adapter.validation.plan import Element
from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]
Check = Callable[[Any, str, Run], None]
"""Checks a whole value that stands at a path."""

Member = Callable[[Any, Json, str, Run], None]
"""Checks what stands under one key: the value, the object that holds it, and that object's path."""


class Members(dict[str, Member]):
    """The checks of the keys of one object, each made when its key is first met."""

    def __init__(self, makers: Mapping[str, Callable[[], Member]], unknown: Member) -> None:
        super().__init__()
        self._makers = makers
        self._unknown = unknown

    def __missing__(self, key: str) -> Member:
        maker = self._makers.get(key)
        if maker is None:
            return self._unknown_under(key)
        made = self[key] = maker()
        return made

    def _unknown_under(self, key: str) -> Member:
        unknown = self._unknown

        def member(_value: Any, holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
            unknown(key, holder, path, run)

        return member


@dataclass(frozen=True, slots=True)
class Needed:
    """Something that must be there: one of these keys."""

    keys: frozenset[str]
    element: Element


@dataclass(frozen=True, slots=True)
class Choice:
    """The keys of one choice element, of which only one type may be there."""

    keys: frozenset[str]
    element: Element


def object_check(
    members: Members,
    needed: tuple[Needed, ...],
    choices: tuple[Choice, ...],
    invariants: tuple[Invariant, ...],
    rule: str,
) -> Check:
    """The check of an object with these members."""
    ask = tuple(invariant.check for invariant in invariants)
    plain_needed = frozenset(min(each.keys, key=lambda key: (key.startswith("_"), key)) for each in needed)

    def check(value: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if value.__class__ is not dict or not value:
            not_a_filled_object(value, path, run, rule)
            return
        for key, item in value.items():
            members[key](item, value, path, run)
        keys = value.keys()
        if not keys >= plain_needed:
            _check_needed(needed, value, path, run)
        for choice in choices:
            if len(choice.keys & keys) > 1:
                _check_choice(choice, value, path, run)
        for each_ask in ask:
            each_ask(value, path, run)

    return check


def _check_needed(needed: tuple[Needed, ...], value: Json, path: str, run: Run) -> None:
    for each in needed:
        if each.keys.isdisjoint(value) and not _has_other_type(each.element, value):
            missing(each.element, path, run)


def _has_other_type(element: Element, value: Json) -> bool:
    """Whether a choice is there in a type that is not allowed, which is said elsewhere."""
    stem = element.name
    return element.is_choice and any(key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper() for key in value)


def missing(element: Element, path: str, run: Run) -> None:
    """Say that an element is not there."""
    types = ", in one of its types" if element.is_choice and element.slice_name is None else ""
    at_least = f"at least {element.min} times" if element.min > 1 else "required"
    run.error("missing-element", f"{element.id} is {at_least}{types}", path, element.id)


def _check_choice(choice: Choice, value: Json, path: str, run: Run) -> None:
    types = sorted({key.lstrip("_") for key in choice.keys & value.keys()})
    if len(types) > 1:
        message = f"only one type of {choice.element.id} may be present; found {one_of(types)}"
        run.error("two-choices", message, path, choice.element.id)


def not_a_filled_object(value: object, path: str, run: Run, rule: str) -> None:
    """Say why a value is no object with something in it."""
    if value is None:
        run.error("null", f"null; leave the element out or give an object ({rule})", path, rule)
    elif isinstance(value, dict):
        run.error("empty", "an empty object; leave the element out", path, "ele-1")
    elif isinstance(value, float):
        run.error("float-not-decimal", f"a binary float; right is an object ({rule})", path, rule)
    else:
        run.error("wrong-json-type", f"{json_type(value)}; right is an object ({rule})", path, rule)


def unknown_member(owner: str, children: list[Element]) -> Member:
    """The check of a key that no element has; it is handed the key instead of the value."""

    def member(key: Any, _holder: Json, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
        if not isinstance(key, str) or not is_safe_name(key):
            run.error("unknown-element", f"a key that cannot be the name of an element of {owner}", path, owner)
            return
        near = nearest_keys(key, children)
        hint = f"; did you mean {one_of(near)}?" if near else ""
        run.error("unknown-element", f"{owner} has no element {key!r}{hint}", path, f"{owner}/{key}")

    return member

"""Which element of a type was probably meant by an unknown name."""

from __future__ import annotations

from difflib import get_close_matches

from fhir_adapter.validation.plan import Element
from fhir_adapter.validation.r4_table import TypeSpec

_ALMOST = 0.85


def nearest_names(name: str, spec: TypeSpec) -> list[str]:
    """The names of the type that are near: the types of a choice (`value`), another spelling (`birth_date`)."""
    plain = name.lstrip("_")
    choices = [e.name for e in spec.elements.values() if e.choice and plain.startswith(e.choice)]
    if choices:
        return get_close_matches(plain, choices, n=1, cutoff=_ALMOST) or choices
    spelled = {_spelling(known): known for known in spec.elements}
    return [spelled[match] for match in get_close_matches(_spelling(plain), spelled, n=1)]


def _spelling(name: str) -> str:
    return name.replace("_", "").lower()


def nearest_keys(name: str, children: list[Element]) -> list[str]:
    """The keys that are near an unknown one: the types of a choice (`value`), another spelling (`birth_date`)."""
    plain = name.lstrip("_")
    keys = [key for child in children for key, _ in child.typed_keys()]
    choices = [
        key for child in children if child.is_choice and plain.startswith(child.name) for key, _ in child.typed_keys()
    ]
    if choices:
        return get_close_matches(plain, choices, n=1, cutoff=_ALMOST) or choices
    spelled = {_spelling(known): known for known in keys}
    return [spelled[match] for match in get_close_matches(_spelling(plain), spelled, n=1)]

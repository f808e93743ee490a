"""Which behaviour of real servers the sandbox imitates on request, by name.

A quirk is one row of `QUIRKS`: what it changes in `Behaviour`. What `Behaviour` says is what the interactions ask for,
so a new quirk is a new field, a new row, and the one line that reads the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What differs between servers; the defaults are the plain sandbox."""

    create_on_update: bool = True
    fhir_version: str = "4.0.1"


QUIRKS: Mapping[str, Mapping[str, Any]] = {
    # Servers that give every id themselves: PUT to an absent id is 405 (https://hl7.org/fhir/R4/http.html#upsert).
    "no-create-on-update": {"create_on_update": False},
    # An R5 server answering where an R4 one was expected; only what /metadata says differs.
    "r5": {"fhir_version": "5.0.0"},
}


def behaviour(quirks: Sequence[str]) -> Behaviour:
    """The behaviour with these quirks; raises `ValueError` for a name that is not a quirk of this sandbox."""
    if isinstance(quirks, str):
        raise ValueError("quirks is a list of names, not one text")  # noqa: TRY004 - callers promise ValueError
    unknown = [name for name in quirks if name not in QUIRKS]
    if unknown:
        raise ValueError(f"quirk {unknown[0]!r} is not one of {sorted(QUIRKS)}")
    changes: dict[str, Any] = {}
    for name in quirks:
        changes |= QUIRKS[name]
    return replace(Behaviour(), **changes)

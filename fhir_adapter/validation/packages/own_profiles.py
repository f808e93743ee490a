"""This project's own profiles and value sets, which lie in `profiles/` and are always at hand.

Their files are called by kind and id as their addresses are, so none has to be read to know what there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from fhir_adapter.validation.canonical_resources import profiles_folder

Json = dict[str, Any]

BASE: Final = "https://w3id.org/fhir-adapter/"
_ELSEWHERE: Final = frozenset({"examples", "example", "fsh", "node_modules"})


class OwnProfiles:
    """The definitions below `profiles/`, by kind and address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _paths(self) -> Mapping[str, Path]:
        """The files by what follows the base in their addresses: `StructureDefinition/trial-dose`."""
        found = {}
        for path in sorted(self._folder.rglob("*-*.json")):
            kind, _, name = path.stem.partition("-")
            if _ELSEWHERE.isdisjoint(path.relative_to(self._folder).parts):
                found[f"{kind}/{name}"] = path
        return found

    def read(self, kind: str, address: str) -> Json | None:
        """A definition by its address, without version; None when there is none."""
        if not self.has(kind, address):
            return None
        definition: Json = json.loads(self.text(address), parse_float=Decimal)
        return definition

    def text(self, address: str) -> bytes:
        """The file of a definition that there is."""
        return self._paths[address.removeprefix(BASE)].read_bytes()

    def has(self, kind: str, address: str) -> bool:
        """Whether there is a definition of that address."""
        return address.startswith(f"{BASE}{kind}/") and address.removeprefix(BASE) in self._paths

    def addresses(self, kind: str) -> list[str]:
        """The addresses of all definitions of a kind."""
        return [BASE + name for name in self._paths if name.startswith(f"{kind}/")]

    @cached_property
    def digest(self) -> str:
        """What tells these files from any other state of them."""
        states = [(name, path.stat().st_size, path.stat().st_mtime_ns) for name, path in self._paths.items()]
        return hashlib.sha256(repr(states).encode()).hexdigest()


@cache
def own_profiles() -> OwnProfiles:
    """What lies in `profiles/` of this installation."""
    return OwnProfiles(profiles_folder())

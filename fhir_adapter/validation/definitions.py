"""Every definition at hand, by its canonical address: R4 core, this project's profiles, and the packages of a user.

What is asked without a version is the definition given last: a package stands before this project's profiles, those
before R4 core. With `|version` it is the last of that version; when there is none, there is no definition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.validation.packages.core import Core, r4_core
from fhir_adapter.validation.packages.given import Given
from fhir_adapter.validation.packages.own_profiles import OwnProfiles, own_profiles
from fhir_adapter.validation.packages.versions import is_version, split

if TYPE_CHECKING:
    from fhir_adapter.validation.packages.package import Package

Json = dict[str, Any]

_TYPES: Final = "http://hl7.org/fhir/StructureDefinition/"
_VERSIONS: Final = ("4.0.1", "4.0", "R4")
_REMEMBERED: Final = 32
_MOST_TRUSTED: Final = 1_000


class Definitions:
    """The definitions that a validator works with, each read when it is first asked for; safe to share.

    What is returned is shared too, and must not be changed.
    """

    def __init__(self, core: Core, own: OwnProfiles, given: Given) -> None:
        self._core = core
        self._own = own
        self._given = given
        self._remembered = lru_cache(_REMEMBERED)(self._find)
        self._trusted = lru_cache(_MOST_TRUSTED)(self._is_shipped)

    @classmethod
    def of(cls, packages: Sequence[Path | str] = (), *, fhir_version: str = "4.0.1") -> Self:
        """R4 core, this project's profiles, and these packages, of which the last given counts most.

        Raises `OSError` for a package that cannot be opened or is refused, `Misconfigured` for another version of FHIR.
        """
        if fhir_version not in _VERSIONS:
            message = f"FHIR version {fhir_version!r}: there are no definitions of it; known are {', '.join(_VERSIONS)}"
            raise Misconfigured(message, Issue("error", "fhir-version", message))
        core, own = r4_core(), own_profiles()
        return cls(core, own, Given(_opened(packages), core, own))

    @property
    def problems(self) -> list[Issue]:
        """What in the packages could not be used, as far as it is known: a file is read in full only when needed."""
        return self._given.problems

    @cached_property
    def digest(self) -> str:
        """What tells these definitions from any others."""
        parts = (self._core.digest, self._own.digest, *self._given.digests)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def global_profiles(self) -> dict[str, list[str]]:
        """For each type the profiles that a package asks of all its resources (`ImplementationGuide.global`)."""
        return self._given.global_profiles()

    def structure(self, address: str) -> Json | None:
        """A StructureDefinition by its canonical address, or the bare name of a type of R4."""
        return self._remembered("StructureDefinition", address if ":" in address else _TYPES + address)

    def value_set(self, address: str) -> Json | None:
        """A ValueSet by its canonical address."""
        return self._remembered("ValueSet", address)

    def code_system(self, address: str) -> Json | None:
        """A CodeSystem by its canonical address."""
        return self._remembered("CodeSystem", address)

    def concept_maps(self) -> Iterator[Json]:
        """Every ConceptMap, each address once."""
        kind = "ConceptMap"
        addresses = [*self._given.addresses(kind), *self._own.addresses(kind), *self._core.rows(kind)]
        for address in dict.fromkeys(addresses):
            found = self._find(kind, address)
            if found is not None:
                yield found

    def resource(self, kind: str, address: str) -> Json | None:
        """A resource of a kind by its canonical address."""
        return self._remembered(kind, address)

    def is_trusted(self, address: str) -> bool:
        """Whether the snapshot of a profile is known to repeat all rules of its base: ours and those of R4 core are."""
        return self._trusted("StructureDefinition", address if ":" in address else _TYPES + address)

    def _is_shipped(self, kind: str, canonical: str) -> bool:
        address, version = split(canonical)
        return not self._given.has(kind, address, version) and self._shipped(kind, address, version) is not None

    def _find(self, kind: str, canonical: str) -> Json | None:
        address, version = split(canonical)
        if self._given.has(kind, address, version):
            return self._given.read(kind, address, version)
        return self._shipped(kind, address, version)

    def _shipped(self, kind: str, address: str, version: str | None) -> Json | None:
        own = self._own.read(kind, address)
        if own is not None and is_version(own.get("version"), version):
            return own
        return self._core.read(kind, address, version)


def _opened(paths: Sequence[Path | str]) -> list[Package]:
    if not paths:
        return []
    from fhir_adapter.validation.packages.package import open_package  # noqa: PLC0415 - paid for by who has packages

    return [open_package(Path(each)) for each in paths]

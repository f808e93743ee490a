"""The definitions of all packages that a user gave: which one an address means, and what does not go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.validation.packages.core import Core
from fhir_adapter.validation.packages.own_profiles import OwnProfiles
from fhir_adapter.validation.packages.refusals import UNREADABLE
from fhir_adapter.validation.packages.versions import is_version

if TYPE_CHECKING:
    from fhir_adapter.validation.packages.entries import Entry
    from fhir_adapter.validation.packages.package import Package

Json = dict[str, Any]

_SHOWN: Final = 3
_MOST_MISSING: Final = 100


class Given:
    """The definitions of the packages, in the order in which they were given."""

    def __init__(self, packages: Sequence[Package], core: Core, own: OwnProfiles) -> None:
        self._core = core
        self._own = own
        self._entries: dict[tuple[str, str], list[tuple[Entry, Package]]] = {}
        self.problems: list[Issue] = []
        used = [each for each in packages if self._is_usable(each)]
        self.digests = [each.digest for each in used]
        for package in used:
            self.problems += package.problems
            self._add(package)
        self.problems += islice(_missing(used, core), _MOST_MISSING)

    def _is_usable(self, package: Package) -> bool:
        manifest = package.manifest
        if manifest is None:
            return True
        if not manifest.is_r4:
            stated = ", ".join(manifest.fhir_versions)
            message = f"{manifest} is for FHIR {stated}; right is {self._core.version}; nothing of it is used"
            self.problems.append(package.problem("error", "package-fhir-version", message))
            return False
        return not package.is_core

    def _add(self, package: Package) -> None:
        replaced = []
        for entry in package.entries:
            before = self._entries.setdefault((entry.kind, entry.address), [])
            same = [one for one, _ in before if one.version == entry.version]
            if self._is_same(entry, same):
                continue
            if same or self._is_shipped(entry):
                replaced.append(entry.address)
            before.append((entry, package))
        if replaced:
            first = ", ".join(replaced[:_SHOWN]) + (f" and {len(replaced) - _SHOWN} more" * (len(replaced) > _SHOWN))
            message = f"{package.name} replaces definitions of the same address and version: {first}"
            self.problems.append(package.problem("warning", "definition-twice", message))

    def _is_shipped(self, entry: Entry) -> bool:
        row = self._core.rows(entry.kind).get(entry.address)
        return (row is not None and row[-1] == entry.version) or self._own.has(entry.kind, entry.address)

    def _is_same(self, entry: Entry, same: list[Entry]) -> bool:
        """Whether what counts so far is the very same text: then nothing is replaced."""
        if same:
            return same[-1].packed == entry.packed
        return self._own.has(entry.kind, entry.address) and self._own.text(entry.address) == entry.text()

    def has(self, kind: str, address: str, version: str | None) -> bool:
        """Whether a package has a definition of that address and version."""
        return self._last(kind, address, version) is not None

    def read(self, kind: str, address: str, version: str | None) -> Json | None:
        """The definition given last; None when there is none, or it is not JSON as FHIR has it: then a problem."""
        found = self._last(kind, address, version)
        return self._content(*found) if found else None

    def _last(self, kind: str, address: str, version: str | None) -> tuple[Entry, Package] | None:
        listed = reversed(self._entries.get((kind, address), []))
        return next((one for one in listed if is_version(one[0].version, version)), None)

    def _content(self, entry: Entry, package: Package) -> Json | None:
        try:
            return entry.read()
        except fhirjson.JsonError as error:
            issue = package.problem("error", UNREADABLE, f"no JSON as FHIR has it: {error}", entry.file)
            if issue not in self.problems:
                self.problems.append(issue)
            return None

    def addresses(self, kind: str) -> list[str]:
        """The addresses of all definitions of a kind."""
        return [address for one, address in self._entries if one == kind]

    def global_profiles(self) -> dict[str, list[str]]:
        """For each type the profiles that the implementation guides of the packages ask of all its resources."""
        found: dict[str, list[str]] = {}
        for address in self.addresses("ImplementationGuide"):
            guide = self.read("ImplementationGuide", address, None) or {}
            stated = guide.get("global")
            for each in stated if isinstance(stated, list) else []:
                kind, profile = (each.get("type"), each.get("profile")) if isinstance(each, dict) else (None, None)
                if isinstance(kind, str) and isinstance(profile, str):
                    found.setdefault(kind, []).append(profile)
        return found


def _missing(packages: Sequence[Package], core: Core) -> Iterator[Issue]:
    """What the packages build upon and is not at hand."""
    manifests = [each.manifest for each in packages if each.manifest]
    at_hand = {core.name: core.version, **{each.name: each.version for each in manifests}}
    for package in packages:
        if package.manifest is None:
            continue
        for name, version in package.manifest.dependencies.items():
            why = package.manifest.misses(name, version, at_hand)
            if why is not None:
                yield package.problem("warning", "package-dependency", why)

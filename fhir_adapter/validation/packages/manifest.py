"""What a FHIR package says of itself in `package.json`: its name, its version of FHIR, and what it builds upon.

Source: https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_adapter import fhirjson
from fhir_adapter.validation.packages.entries import is_r4

CORE: Final = "hl7.fhir.r4.core"
_MOST_BYTES: Final = 256 * 1024
_LONGEST: Final = 200
_CORE_OF: Final[Mapping[str, str]] = {
    "hl7.fhir.r2.core": "1.0.2",
    "hl7.fhir.r3.core": "3.0.2",
    CORE: "4.0.1",
    "hl7.fhir.r4b.core": "4.3.0",
    "hl7.fhir.r5.core": "5.0.0",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The `package.json` of a package, as far as it could be read."""

    name: str
    version: str
    fhir_versions: tuple[str, ...] = ()
    dependencies: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}#{self.version}"

    @property
    def is_r4(self) -> bool:
        """Whether the package is for R4; one that says nothing of it is taken to be."""
        return not self.fhir_versions or any(is_r4(each) for each in self.fhir_versions)

    def misses(self, name: str, version: str, at_hand: Mapping[str, str]) -> str | None:
        """Why a dependency is not satisfied by the packages at hand (their versions by name); None when it is."""
        found = at_hand.get(name)
        if found is None:
            return f"{self} builds upon {name}#{version}, which is not among the packages given"
        if not (_is_version(found, version) or (name == CORE and is_r4(version))):
            return f"{self} builds upon {name}#{version}; given is {found}"
        return None


def read_manifest(content: bytes) -> Manifest | None:
    """The manifest of a FHIR package; None for a `package.json` that is none (any other npm package has one too)."""
    try:
        stated = fhirjson.loads(content) if len(content) <= _MOST_BYTES else None
    except fhirjson.JsonError:
        return None
    if not isinstance(stated, dict) or not _is_name(stated.get("name")):
        return None
    dependencies = stated.get("dependencies")
    upon = {
        name: version
        for name, version in (dependencies.items() if isinstance(dependencies, dict) else ())
        if _is_name(name) and _is_name(version)
    }
    versions = _fhir_versions(stated) or tuple(_CORE_OF[name] for name in upon if name in _CORE_OF)
    if not versions and not str(stated.get("type", "")).startswith("fhir."):
        return None
    version = stated.get("version")
    return Manifest(str(stated["name"]), str(version) if _is_name(version) else "?", versions, upon)


def _fhir_versions(stated: Mapping[str, Any]) -> tuple[str, ...]:
    listed = stated.get("fhirVersions", stated.get("fhir-version-list"))
    return tuple(each for each in listed if _is_name(each)) if isinstance(listed, list) else ()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable()


def _is_version(found: str, asked: str) -> bool:
    """Whether a version is the one asked for: the same, or any by `x` in a place, `latest`, `current` or `dev`."""
    if found == asked or asked.partition("$")[0] in ("latest", "current", "dev", "*"):
        return True
    parts, wanted = found.split("."), asked.split(".")
    pairs = zip(parts, wanted, strict=False)
    return wanted[-1] in ("x", "*") and all(right in ("x", "*", part) for part, right in pairs)

"""Whose a result is that comes without a trial: the Patient that it names for certain, and no guess.

A relative reference is of the server that the entry's address names (https://hl7.org/fhir/R4/bundle.html#references);
a contained Patient, a search, or an identifier without its system may be anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_PATIENT = re.compile(r"(?:(?P<base>https?://[^\s|#?]+)/)?(?P<name>Patient/[A-Za-z0-9.-]{1,64})(?:/_history/[^\s/]+)?")
_URN = re.compile(r"urn:(?:uuid|oid):[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Whose:
    """A Patient: by name on a server (`base` empty where nobody says which), or by an identifier with its system."""

    name: str
    base: str = ""
    system: str = ""

    @property
    def key(self) -> str:
        """What tells this Patient from every other: a reference, or `system|value`."""
        if self.system:
            return f"{self.system}|{self.name}"
        return f"{self.base}/{self.name}" if self.base else self.name

    @property
    def reference(self) -> Mapping[str, object]:
        """The Reference to this Patient."""
        if self.system:
            return {"type": "Patient", "identifier": {"system": self.system, "value": self.name}}
        return {"reference": self.key}


def whose(resource: Mapping[str, object], address: str = "") -> Whose | None:
    """Whose a result is, at the address that its Bundle gives it; None when it is nobody's for certain."""
    stated = resource.get("subject")
    if not isinstance(stated, dict):
        return None
    reference, identifier = stated.get("reference"), stated.get("identifier")
    if isinstance(reference, str) and reference:
        found = _PATIENT.fullmatch(reference)
        if found is not None:
            return Whose(found["name"], found["base"] or base_of(address, str(resource.get("resourceType"))))
        return Whose(reference) if _URN.fullmatch(reference) else None
    if isinstance(identifier, dict) and identifier.get("system") and identifier.get("value"):
        return Whose(str(identifier["value"]), system=str(identifier["system"]))
    return None


def base_of(address: str, kind: str) -> str:
    """The FHIR base in `https://fhir.example/r4/Observation/1` for an Observation; empty in any other address."""
    base, separator, _ = address.rpartition(f"/{kind}/")
    return base if separator and urlsplit(base).scheme in ("http", "https") else ""

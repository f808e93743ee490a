"""What stands on a FHIR server? Read through its own searches, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

import httpx2

Resource = dict[str, Any]

TYPES = (
    "AdverseEvent",
    "Device",
    "Encounter",
    "Group",
    "Location",
    "Medication",
    "MedicationAdministration",
    "Observation",
    "Organization",
    "Patient",
    "Provenance",
    "ResearchStudy",
    "ResearchSubject",
)


@cache
def _client() -> httpx2.Client:
    """Made once, for that takes longer than an answer; every request has a connection of its own."""
    headers = {"Accept": "application/fhir+json"}
    return httpx2.Client(headers=headers, timeout=60, limits=httpx2.Limits(max_keepalive_connections=0))


def get(url: str) -> Resource:
    """One answer of a server, numbers with all their digits; raises for any other status than success."""
    answer = _client().get(url)
    answer.raise_for_status()
    body: Resource = json.loads(answer.text, parse_float=Decimal)
    return body


@dataclass(frozen=True)
class Server:
    """A FHIR server, seen from outside."""

    base: str

    def count(self, query: str) -> int:
        """How many resources the server says a search finds."""
        separator = "&" if "?" in query else "?"
        total: int = get(f"{self.base}/{query}{separator}_summary=count")["total"]
        return total

    def search(self, query: str) -> list[Resource]:
        """The resources a search finds, over all pages."""
        return list(self._pages(f"{self.base}/{query}"))

    def everything(self) -> dict[str, Resource]:
        """Every resource of the types that are ever sent, by its reference."""
        found = (each for kind in TYPES for each in self.search(f"{kind}?_count=1000"))
        return {f"{each['resourceType']}/{each['id']}": each for each in found}

    def versions(self, reference: str) -> int:
        """How many versions a resource ever had here."""
        total: int = get(f"{self.base}/{reference}/_history")["total"]
        return total

    def _pages(self, url: str | None) -> Iterator[Resource]:
        while url:
            page = get(url)
            yield from (entry["resource"] for entry in page.get("entry", []) if entry["search"]["mode"] == "match")
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)


@dataclass(frozen=True)
class Picture:
    """Everything that stood on a server at one moment."""

    resources: dict[str, Resource]

    @classmethod
    def of(cls, base: str) -> Picture:
        """Take the picture."""
        return cls(Server(base).everything())

    @cached_property
    def versions(self) -> dict[str, str]:
        """The version of each resource."""
        return {reference: each["meta"]["versionId"] for reference, each in self.resources.items()}

    @cached_property
    def provenances(self) -> set[str]:
        """The references of all Provenances."""
        return {reference for reference in self.resources if reference.startswith("Provenance/")}

    @property
    def records(self) -> set[str]:
        """The references of everything but the Provenances."""
        return self.resources.keys() - self.provenances

    @property
    def accounted_for(self) -> set[str]:
        """The references that some Provenance names as its target."""
        return {target for each in self.provenances for target in self.targets(each)}

    def holder(self, kind: str, value: str) -> str:
        """The reference of the one resource of a type with this identifier; raises when it is not one."""
        (found,) = (
            reference
            for reference, each in self.resources.items()
            if each["resourceType"] == kind and value in [key for _, key in identifiers(each)]
        )
        return found

    def of_subject(self, subject: str) -> set[str]:
        """The references of everything that carries this subject's number in a business identifier."""
        return {
            reference
            for reference in self.records
            if any(
                value == subject or value.startswith(f"{subject}/")
                for _, value in identifiers(self.resources[reference])
            )
        }

    def at_visit(self, encounter: str) -> set[str]:
        """The references of everything that took place at a visit."""
        return {
            reference
            for reference, each in self.resources.items()
            if {"reference": encounter} in (each.get("encounter"), each.get("context"))
        }

    def targets(self, provenance: str) -> set[str]:
        """What a Provenance is about."""
        return {target["reference"] for target in self.resources[provenance]["target"]}

    def without(self, *references: str) -> dict[str, Resource]:
        """Everything but the Provenances and these."""
        return {each: self.resources[each] for each in self.records - {*references}}


def identifiers(resource: Resource) -> list[tuple[str, str]]:
    """The systems and values of a resource's business identifiers (AdverseEvent has one, the others a list)."""
    found = resource["identifier"]
    listed = found if isinstance(found, list) else [found]
    return [(each["system"], each["value"]) for each in listed]

"""What the tests of value sets share: definitions held in memory, all of them made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.value_sets import ValueSets

Json = dict[str, Any]
AtHand = Callable[..., ValueSets]

COLOUR = "https://example.org/colours"
COLOURS: Json = {
    "resourceType": "CodeSystem",
    "url": COLOUR,
    "version": "1",
    "content": "complete",
    "caseSensitive": True,
    "property": [{"code": "isA", "uri": "http://hl7.org/fhir/concept-properties#parent", "type": "code"}],
    "concept": [
        {
            "code": "warm",
            "display": "Warm colour",
            "concept": [
                {"code": "red", "display": "Red", "concept": [{"code": "scarlet", "display": "Scarlet"}]},
                {"code": "orange", "property": [{"code": "wave", "valueInteger": 600}]},
            ],
        },
        {"code": "cold", "concept": [{"code": "blue", "property": [{"code": "wave", "valueInteger": 470}]}]},
        {"code": "violet", "property": [{"code": "isA", "valueCode": "red"}, {"code": "isA", "valueCode": "blue"}]},
        {"code": "puce", "property": [{"code": "status", "valueCode": "retired"}]},
    ],
}
"""A code system with a hierarchy, by nesting and (violet) by a property; `puce` is no longer used."""


class InMemory:
    """Definitions by their addresses, of one version each."""

    def __init__(self, *resources: Json) -> None:
        self._resources = {(each["resourceType"], each["url"]): each for each in resources}

    def value_set(self, address: str) -> Json | None:
        """A ValueSet."""
        return self._find("ValueSet", address)

    def code_system(self, address: str) -> Json | None:
        """A CodeSystem."""
        return self._find("CodeSystem", address)

    def _find(self, kind: str, address: str) -> Json | None:
        url, _, version = address.partition("|")
        found = self._resources.get((kind, url))
        return found if found and version in ("", found.get("version")) else None


def value_set(name: str, *includes: Json, **more: Any) -> Json:
    """A ValueSet of that name with these includes; `exclude` and `inactive` go into its composition."""
    compose = {"include": list(includes), **more}
    return {"resourceType": "ValueSet", "url": f"https://example.org/{name}", "compose": compose}


@pytest.fixture
def at_hand() -> AtHand:
    """Makes value sets of the colours and of further definitions."""
    return lambda *resources: ValueSets(InMemory(COLOURS, *resources))


@pytest.fixture(scope="session")
def r4() -> ValueSets:
    """The value sets of R4 core."""
    return ValueSets(Definitions.of())

"""What the official FHIRPath suite for R4 asks: each test with its input, its expression and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from fhir_adapter import fhirjson
from fhir_adapter.fhirpath import FhirPathError, compile  # noqa: A004 - the name of the interface
from tests.fhirpath.xml_resources import read_xml

FOLDER = Path(__file__).resolve().parents[1] / "data" / "fhirpath"
SUITE = FOLDER / "tests-fhir-r4.xml"

Output = tuple[str | None, str]


@dataclass(frozen=True)
class Case:
    """One test of the suite: the outputs as type and text, or the word why it must be refused."""

    name: str
    group: str
    input: str | None
    expression: str
    outputs: tuple[Output, ...]
    refused: str | None
    predicate: bool
    ordered: bool

    def resource(self) -> dict[str, Any]:
        """The resource that it asks; one without content where it names none."""
        return deepcopy(read_input(self.input)) if self.input else {}

    def is_met(self, *, strict: bool = False) -> bool:
        """Whether the engine answers as the suite wants."""
        return not self.difference(strict=strict)

    def difference(self, *, strict: bool = False) -> str:
        """What came instead of what the suite wants; empty when it is met."""
        try:
            found = self._ask(strict=strict)
        except FhirPathError as error:
            return "" if self.refused else f"refused: {error}"
        if self.refused:
            return f"not refused: {found}"
        return "" if self._agrees(found) else f"{found} for {list(self.outputs)}"

    def _ask(self, *, strict: bool) -> list[tuple[str, Any]]:
        resource = self.resource()
        expression = compile(self.expression, type=resource.get("resourceType"), strict=strict)
        if self.predicate:
            truth = expression.truth(resource)
            return [] if truth is None else [("System.Boolean", truth)]
        return expression.typed(resource)

    def _agrees(self, found: list[tuple[str, Any]]) -> bool:
        if len(found) != len(self.outputs):
            return False
        if self.ordered:
            return all(map(agrees, self.outputs, found))
        return all(any(agrees(output, one) for one in found) for output in self.outputs)


def agrees(output: Output, found: tuple[str, Any]) -> bool:
    """Whether a value of a type is the one that the suite writes."""
    kind, text = output
    found_kind = found[0].rpartition(".")[2]
    return (kind is None or kind.casefold() == found_kind.casefold()) and _as_text(text, found) == as_written(*found)


def as_written(kind: str, value: Any) -> str:
    """A value in the suite's spelling."""
    name = kind.rpartition(".")[2].casefold()
    if isinstance(value, bool):
        return str(value).lower()
    if name == "quantity":
        return f"{value['value']} '{value['code']}'"
    return f"@T{value}" if name == "time" else f"@{value}" if name in {"date", "datetime", "instant"} else str(value)


def _as_text(text: str, found: tuple[str, Any]) -> str:
    """The text of the suite; as the found decimal's when both are the same number (`1` is found as `1.0`)."""
    value = found[1]
    same = isinstance(value, Decimal) and Decimal(text) == value
    return str(value) if same else text


@cache
def read_input(name: str) -> dict[str, Any]:
    """A resource of the suite, from its XML or its JSON form; one of the XML files exists in its JSON form only."""
    file = FOLDER / name
    file = file if file.exists() else file.with_suffix(".json")
    content = file.read_bytes()
    found = read_xml(content) if file.suffix == ".xml" else fhirjson.loads(content)
    assert isinstance(found, dict)
    return found


@cache
def cases() -> tuple[Case, ...]:
    """All tests of the suite, in its order; a name that stands there twice gets a number."""
    return tuple(_numbered(_read(ET.parse(SUITE).getroot())))  # noqa: S314 - a file of this repository


def _read(root: ET.Element) -> Iterator[Case]:
    for group in root.iter("group"):
        for test in group.iter("test"):
            yield _case(group.attrib["name"], test)


def _case(group: str, test: ET.Element) -> Case:
    expression = test.find("expression")
    assert expression is not None
    return Case(
        name=test.attrib["name"],
        group=group,
        input=test.attrib.get("inputfile"),
        expression=expression.text or "",
        outputs=tuple((output.attrib.get("type"), output.text or "") for output in test.iter("output")),
        refused=expression.attrib.get("invalid"),
        predicate=test.attrib.get("predicate") == "true",
        ordered=test.attrib.get("ordered") != "false",
    )


def _numbered(found: Iterator[Case]) -> Iterator[Case]:
    seen: dict[str, int] = {}
    for case in found:
        seen[case.name] = seen.get(case.name, 0) + 1
        name = case.name if seen[case.name] == 1 else f"{case.name}-{seen[case.name]}"
        yield Case(**(vars(case) | {"name": name}))

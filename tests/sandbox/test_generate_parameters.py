"""How the table of search parameters is made from the official definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.sandbox.generate_parameters import generate

OBSERVATION = {
    "kind": "resource",
    "abstract": False,
    "derivation": "specialization",
    "type": "Observation",
    "snapshot": {
        "element": [
            {"path": "Observation"},
            {"path": "Observation.value[x]", "type": [{"code": "dateTime"}, {"code": "Period"}, {"code": "string"}]},
        ]
    },
}


def parameter(kind: str, expression: str, **elements: Any) -> dict[str, Any]:
    """An official definition of the parameter `it`."""
    return {
        "url": "http://hl7.org/fhir/SearchParameter/it",
        "code": "it",
        "type": kind,
        "base": ["Observation"],
        "expression": expression,
        "xpathUsage": "normal",
    } | elements


def row(folder: Path, definition: dict[str, Any]) -> object:
    """What the table says of the parameter."""
    (folder / "StructureDefinition-Observation.json").write_text(json.dumps(OBSERVATION))
    (folder / "SearchParameter-it.json").write_text(json.dumps(definition))
    return generate(folder)["types"]["Observation"].get("it")


@pytest.mark.parametrize(
    ("kind", "expression", "paths"),
    [
        ("token", "Observation.code", ["code"]),
        ("token", "Patient.x | Observation.code | Observation.component.code", ["code", "component.code"]),
        ("date", "Observation.value", ["valueDateTime", "valuePeriod", "valueString"]),
        ("date", "(Observation.value as dateTime) | (Observation.value as Period)", ["valueDateTime", "valuePeriod"]),
        ("date", "Observation.value.as(dateTime)", ["valueDateTime"]),
    ],
)
def test_paths_are_read_from_the_expression(tmp_path: Path, kind: str, expression: str, paths: list[str]) -> None:
    """Choice elements become the keys that JSON has."""
    assert row(tmp_path, parameter(kind, expression)) == {"kind": kind, "paths": paths}


def test_targets_are_kept(tmp_path: Path) -> None:
    """`where(resolve() is Patient)` narrows them."""
    subject = parameter("reference", "Observation.subject", target=["Patient", "Group"])
    patient = parameter("reference", "Observation.subject.where(resolve() is Patient)", target=["Patient", "Group"])
    assert row(tmp_path, subject) == {"kind": "reference", "paths": ["subject"], "targets": ["Group", "Patient"]}
    assert row(tmp_path, patient) == {"kind": "reference", "paths": ["subject"], "targets": ["Patient"]}


@pytest.mark.parametrize(
    "definition",
    [
        parameter("token", "Observation.telecom.where(system='phone')"),
        parameter("token", "Observation.deceased.exists() and Observation.deceased != false"),
        parameter("quantity", "Observation.code"),
        parameter("string", "Observation.name", xpathUsage="phonetic"),
        parameter("string", "Observation.name", url="https://elsewhere.example/it"),
    ],
)
def test_what_is_more_than_paths_is_left_out(tmp_path: Path, definition: dict[str, Any]) -> None:
    """Half a parameter would find too much."""
    assert row(tmp_path, definition) is None

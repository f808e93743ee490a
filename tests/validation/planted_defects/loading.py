"""The corpus of planted defects: its lines, and each base with its patch (RFC 6902: add, replace, remove)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fhir_adapter import fhirjson

CORPUS = Path(__file__).parents[2] / "data" / "planted-defects"

Json = Any


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be found; `also` are the codes of other rules that the same defect breaks at the same place."""

    severity: str
    expression: str
    code: str
    rule: str | None = None
    also: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One resource of the corpus: a base with a patch, and the profiles against which it is checked."""

    id: str
    type: str
    base: str
    patch: Sequence[Mapping[str, Json]]
    profiles: Sequence[str]
    why: str
    kind: str = "control"
    expect: Expected | None = None


def read_cases(name: str) -> list[Case]:
    """The lines of a file of the corpus."""
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    return [_case(fhirjson.loads(line)) for line in lines]


def resource_of(case: Case) -> Json:
    """The base of a case with its patch."""
    resource = fhirjson.loads(_base(case.base))
    for change in deepcopy(case.patch):
        _change(resource, change)
    return resource


def _case(line: dict[str, Json]) -> Case:
    expect = line.pop("expect")
    return Case(**line, expect=Expected(**expect) if expect else None)


@cache
def _base(name: str) -> bytes:
    return (CORPUS / "bases" / f"{name}.json").read_bytes()


def _change(resource: Json, change: Mapping[str, Json]) -> None:
    *way, last = (int(step) if step.isdigit() else step for step in change["path"].split("/")[1:])
    holder = resource
    for step in way:
        holder = holder[step]
    if change["op"] in ("remove", "replace"):
        del holder[last]
    if change["op"] != "remove":
        _add(holder, last, change["value"])


def _add(holder: Json, last: int | str, value: Json) -> None:
    if isinstance(holder, list):
        holder.insert(int(last), value)
    else:
        holder[last] = value

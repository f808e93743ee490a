"""Which search parameters each resource type has, read from the table `search_parameters.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

Kind = Literal["token", "reference", "date", "string", "uri"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type: the JSON paths it reads, and for references the types it may point at."""

    key: str
    code: str
    kind: Kind
    paths: tuple[tuple[str, ...], ...]
    targets: tuple[str, ...]


@cache
def _table() -> dict[str, dict[str, Any]]:
    return cast("dict[str, dict[str, Any]]", json.loads(table_text()))


@cache
def table_text() -> bytes:
    """The table as it lies in the package; its hash tells whether an index was made from it."""
    return (files("fhir_adapter.sandbox") / "search_parameters.json").read_bytes()


@cache
def resource_types() -> frozenset[str]:
    """The resource types that R4 has and the sandbox stores."""
    return frozenset(_table()["types"])


@cache
def parameters_of(resource_type: str) -> Mapping[str, Parameter]:
    """The parameters of a type by their code; `_id` and `_lastUpdated` are not among them (they are no index rows)."""
    rows = _table()["types"][resource_type] | _table()["common"]
    return {
        code: Parameter(
            key=f"{resource_type}.{code}",
            code=code,
            kind=row["kind"],
            paths=tuple(tuple(path.split(".")) for path in row["paths"]),
            targets=tuple(row.get("targets", ())),
        )
        for code, row in rows.items()
    }

"""What the tests of `fhir_adapter.validation` share: other people's data, and small right resources to spoil."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.validation import check_structure

Defects = Callable[[object], list[tuple[str, str | None]]]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data that others made; skips the test where there is none."""
    named = os.environ.get("FHIR_ADAPTER_SHARED")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared"
    if not (folder / "data" / "fhir").is_dir():
        pytest.skip("needs data/fhir: set FHIR_ADAPTER_SHARED or put a folder `shared` beside the project's folder")
    return folder / "data"


@pytest.fixture(scope="session")
def defects() -> Defects:
    """Checks a resource and gives code and expression of every issue."""
    return lambda resource: [(issue.code, issue.where.expression) for issue in check_structure(resource)]


@pytest.fixture
def patient() -> dict[str, Any]:
    """A right Patient."""
    return {
        "resourceType": "Patient",
        "id": "s01",
        "identifier": [{"system": "https://example.org/subjects", "value": "001"}],
        "name": [{"family": "Example", "given": ["Made", "Up"]}],
        "gender": "female",
        "birthDate": "1980",
    }


@pytest.fixture
def observation() -> dict[str, Any]:
    """A right Observation."""
    return {
        "resourceType": "Observation",
        "id": "f1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
        "subject": {"reference": "Patient/s01"},
        "effectiveDateTime": "2016-03-01T08:10:00+08:00",
        "valueQuantity": {
            "value": Decimal("24560.50"),
            "unit": "ug/L",
            "system": "http://unitsofmeasure.org",
            "code": "ug/L",
        },
    }

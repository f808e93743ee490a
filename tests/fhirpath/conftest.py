"""What the tests of `fhir_adapter.fhirpath` share: the packages of FHIR R4, which lie beside the project's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with hl7.fhir.r4.core and hl7.fhir.r4.examples; skips the test where there is none."""
    named = os.environ.get("FHIR_ADAPTER_SHARED")
    folder = (Path(named) if named else Path(__file__).parents[3] / "shared") / "data" / "fhir"
    if not folder.is_dir():
        pytest.skip("needs data/fhir: set FHIR_ADAPTER_SHARED or put a folder `shared` beside the project's folder")
    return folder

"""The public study as it is mapped, once for all tests that look at the whole of it."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.mappers import map_trial
from fhir_adapter.sources import read_trial
from fhir_adapter.trial_folder import read_trial_folder, trial_path


@pytest.fixture(scope="session")
def public_study() -> list[dict[str, Any]]:
    """Every resource of the public 18-subject study."""
    folder = read_trial_folder(trial_path("cdisc-pilot-18"))
    reading = read_trial(folder)
    mapping = map_trial(reading.study, reading.entities, folder)
    assert (reading.set_aside, mapping.unmapped) == ((), ())
    return [dict(one.resource) for one in mapping.resources]

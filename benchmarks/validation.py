"""Profile validation beside `fhir.resources`, which checks only the base type and none of its invariants."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.mappers import context_of
from fhir_adapter.mappers.r4.observation import map_measurement
from fhir_adapter.mappers.typed import typed
from fhir_adapter.sources import read_trial
from fhir_adapter.trial import Measurement
from fhir_adapter.trial_folder import read_trial_folder, trial_path
from fhir_adapter.validation import Validator

TRIAL = "cdisc-pilot-18"
SAMPLE = 300
_PARTS = ("resourceType", "id", "status", "category", "code", "subject", "effectiveDateTime", "valueQuantity")
_ANCHOR = "fhir.resources model_validate, base type only"
_FIRST = """
from fhir_adapter.validation import Validator
from fhir_adapter import fhirjson
import sys
Validator().check(fhirjson.loads(sys.argv[1]))
"""


def measure_validation() -> Iterator[Figure]:
    """Laboratory results of the public study: as they are sent, and cut down to about 1 KB."""
    folder = read_trial_folder(trial_path(TRIAL))
    context = context_of(folder)
    entities = [one for one in read_trial(folder).entities if isinstance(one, Measurement)]
    sent = [map_measurement(one, context) for one in entities if one.category == "laboratory"][:SAMPLE]
    sent = [fhirjson.loads(fhirjson.dumps(one)) for one in sent]
    small = [{key: one[key] for key in _PARTS if key in one} for one in sent]
    size = sum(len(fhirjson.dumps(one)) for one in small) // len(small)
    validator, structure_only = Validator(), Validator(structure_only=True)
    profile = ("https://w3id.org/fhir-adapter/StructureDefinition/trial-laboratory-result",)
    for what, run, resources in (
        (f"validate {size} bytes of Observation, base type, invariants and codes", validator, small),
        (f"validate {size} bytes of Observation, structure only", structure_only, small),
        ("validate laboratory results as sent, profile, invariants and codes", validator, sent),
    ):
        named = profile if resources is sent else ()
        yield compare(
            what,
            "resources",
            len(resources),
            lambda run=run, resources=resources, named=named: [run.check(one, named) for one in resources],  # type: ignore[misc]
            lambda resources=resources: [typed(one) for one in resources],  # type: ignore[misc]
            _ANCHOR,
        )
    yield _first_answer(fhirjson.dumps(sent[0]).decode())


def _first_answer(resource: str) -> Figure:
    """A process that validates one resource, beside one that only starts."""

    def seconds(*arguments: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True)
        return time.perf_counter() - start

    seconds("-c", _FIRST, resource)
    pairs = [(seconds("-c", _FIRST, resource), seconds("-c", "pass")) for _ in range(5)]
    mine, theirs = (sorted(times)[2] for times in zip(*pairs, strict=True))
    return Figure(
        "validate one resource in a new process", "processes", 1 / mine, 1 / theirs, "a process", theirs / mine
    )

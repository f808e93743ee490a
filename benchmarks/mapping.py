"""Trial rows to FHIR JSON bytes: beside a hand-written dict with orjson, and beside `fhir.resources`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.mappers import context_of
from fhir_adapter.mappers.r4.observation import map_measurement
from fhir_adapter.mappers.typed import typed
from fhir_adapter.sources import read_trial
from fhir_adapter.sources.read_table import read_table
from fhir_adapter.trial import Measurement
from fhir_adapter.trial_folder import read_trial_folder, trial_path

TRIAL = "cdisc-pilot-18"
SAMPLE = 300


def measure_mapping() -> Iterator[Figure]:
    """Laboratory rows of the public study."""
    folder = read_trial_folder(trial_path(TRIAL))
    entities = [one for one in read_trial(folder).entities if isinstance(one, Measurement)]
    results = [one for one in entities if one.category == "laboratory"]
    rows = [row.cells for row in read_table(folder.source_folder / "lb.json").rows]
    context = context_of(folder)
    yield compare(
        "laboratory result -> FHIR bytes",
        "resources",
        len(results),
        lambda: [fhirjson.dumps(map_measurement(one, context)) for one in results],
        lambda: [orjson.dumps(_by_hand(row)) for row in rows],
        "hand-written dict + orjson, a third of the elements",
    )
    sample = [map_measurement(one, context) for one in results[:SAMPLE]]
    yield compare(
        "laboratory result -> FHIR bytes",
        "resources",
        SAMPLE,
        lambda: [fhirjson.dumps(map_measurement(one, context)) for one in results[:SAMPLE]],
        lambda: [typed(resource).model_dump_json() for resource in sample],
        "fhir.resources validate + dump",
    )
    yield compare(
        "files -> trial entities -> FHIR bytes (whole lb file)",
        "rows",
        len(rows),
        lambda: [fhirjson.dumps(map_measurement(one, context)) for one in results] + _read(folder.source_folder),
        lambda: [orjson.dumps(_by_hand(row.cells)) for row in read_table(folder.source_folder / "lb.json").rows],
        "the same reader + hand-written dict + orjson",
    )


def _read(place: Path) -> list[object]:
    return list(read_table(place / "lb.json").rows)


def _by_hand(row: Mapping[str, str]) -> dict[str, object]:
    """What a script for this one file would write, without extensions, ranges or texts as recorded."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"code": row["LBTESTCD"], "display": row["LBTEST"]}]},
        "subject": {"reference": "Patient/" + row["USUBJID"]},
        "effectiveDateTime": row["LBDTC"],
        "valueQuantity": {"value": row["LBORRES"], "unit": row["LBORRESU"]},
    }

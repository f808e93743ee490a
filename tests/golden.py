"""What the public study becomes, for people to read: one resource of each kind, and the remarkable ones.

`python -m tests.golden` shows what would change in the file, and writes it.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhir_adapter import fhirjson
from fhir_adapter.mappers import map_trial
from fhir_adapter.sources import read_trial
from fhir_adapter.trial_folder import read_trial_folder, trial_path

TRIAL = "cdisc-pilot-18"
GOLDEN = Path(__file__).resolve().parent / "data" / "golden" / f"{TRIAL}.ndjson"

REMARKABLE: Mapping[str, str] = {
    "a deceased patient": "Patient/subject/CDISC002",
    "a screen failure": "ResearchSubject/subject/CDISC015",
    "an unplanned visit": "Encounter/visit/CDISC001/5.01",
    "a missed dose": "MedicationAdministration/dose/CDISC009/2013-02-20",
    "a placebo dose": "MedicationAdministration/dose/CDISC004/2013-10-08",
    "a glucose below 40": "Observation/observation/CDISC001/GLUC/5/2012-12-26T08:44",
    "a colour in a word": "Observation/observation/CDISC001/COLOR/1/2012-11-23T11:20",
    "a haemoglobin in g/dL": "Observation/observation/CDISC001/HGB/1/2012-11-23T11:20",
    "a laboratory result without a time": "Observation/observation/CDISC011/ALB/13/2013-06-05",
    "a temperature written 097.3": "Observation/observation/CDISC009/TEMP/2/2012-10-20//",
    "a blood pressure": "Observation/observation/CDISC001/BP/1/2012-11-23/STANDING/",
    "a finding about an event": "Observation/observation/CDISC001/1/OCCUR/ERYTHEMA/2012-12-02",
    "a fatal event": "AdverseEvent/ae/CDISC002/9",
}
"""Why a resource is remarkable, and its name: type, kind of identifier, value."""


def golden_lines() -> list[str]:
    """The golden resources as lines of JSON: each remarkable one, and the first of each type and profile."""
    folder = read_trial_folder(trial_path(TRIAL))
    reading = read_trial(folder)
    mapping = map_trial(reading.study, reading.entities, folder)
    resources = [one.resource for one in mapping.resources if one.resource["resourceType"] != "Device"]
    return [fhirjson.dumps(one).decode() + "\n" for one in _chosen(resources)]


def _chosen(resources: Iterable[Any]) -> Iterator[Any]:
    wanted = set(REMARKABLE.values())
    seen: set[tuple[str, ...]] = set()
    for one in resources:
        kind = (one["resourceType"], *one["meta"].get("profile", ()))
        if kind not in seen or name(one) in wanted:
            yield one
        seen.add(kind)


def name(resource: Any) -> str:
    """What a resource is called in `REMARKABLE`: the same for everybody, whatever its id is."""
    stated = resource["identifier"]
    identifier = stated[0] if isinstance(stated, list) else stated
    return f"{resource['resourceType']}/{identifier['system'].rpartition('/')[2]}/{identifier['value']}"


def difference(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """What changes, line by line of indented JSON."""
    return list(difflib.unified_diff(_indented(old), _indented(new), "golden", "now"))


def _indented(lines: Iterable[str]) -> list[str]:
    return [
        f"{part}\n"
        for line in lines
        for part in json.dumps(json.loads(line, parse_float=str), indent=1, ensure_ascii=False).splitlines()
    ]


def main() -> None:
    """Show the difference, then write the file."""
    old = GOLDEN.read_text(encoding="utf-8").splitlines(keepends=True) if GOLDEN.exists() else []
    new = golden_lines()
    sys.stdout.writelines(difference(old, new))
    GOLDEN.write_text("".join(new), encoding="utf-8")


if __name__ == "__main__":
    main()

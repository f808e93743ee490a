"""A hospital on the embedded server, and the small made-up trial whose subject it treats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from fhir_adapter import fhirjson
from fhir_adapter.client import loopback_server
from fhir_adapter.jobs.pull import PullOptions, PullReport, pull
from fhir_adapter.trial_folder import HospitalSettings, TrialFolder, read_trial_folder
from tests.made_up import MADE_UP

SYSTEM = "https://hospital.example/patient-id"
RESULTS = "https://hospital.example/lab-result"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
NOW = datetime(2024, 3, 1, tzinfo=UTC)
FERRITIN, HEMOGLOBIN, PLATELETS, AST = "2276-4", "718-7", "777-3", "1920-8"

Resource = dict[str, Any]


def trial(**changes: Any) -> TrialFolder:
    """The made-up trial, whose hospital knows subject 001 under the identifier 001."""
    hospital = HospitalSettings(
        patient_system=SYSTEM, patient_field="subject", first_day=-14, last_day=40, unit_when_missing={}
    )
    return replace(read_trial_folder(MADE_UP), hospital=replace(hospital, **changes))


def patient(name: str = "hp-1", value: str = "001", system: str = SYSTEM, **more: Any) -> Resource:
    """The hospital's Patient of a subject."""
    return {"resourceType": "Patient", "id": name, "identifier": [{"system": system, "value": value}], **more}


def result(name: str, value: str = "24560", code: str = FERRITIN, unit: str = "ng/mL", **more: Any) -> Resource:
    """A result of the hospital's laboratory, on study day 1 of subject 001 unless said otherwise."""
    quantity = {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}
    other = any(key.startswith("value") or key in ("dataAbsentReason", "component") for key in more)
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/hp-1"},
        "effectiveDateTime": "2024-01-10T06:30:00+08:00",
        **({} if other else {"valueQuantity": quantity}),
        **more,
    }


def numbered(value: str) -> list[Resource]:
    """The laboratory's own number of a result."""
    return [{"system": RESULTS, "value": value}]


@dataclass(frozen=True)
class Hospital:
    """A server that a test publishes on and pulls from."""

    base: str
    state: Path

    def publishes(self, *resources: Resource) -> None:
        """Put resources under their ids."""
        for one in resources:
            address = f"{self.base}/{one['resourceType']}/{one['id']}"
            headers = {"Content-Type": "application/fhir+json"}
            httpx2.put(address, content=fhirjson.dumps(one), headers=headers).raise_for_status()

    def deletes(self, name: str) -> None:
        """Take a resource off the server."""
        httpx2.delete(f"{self.base}/{name}").raise_for_status()

    def pull(self, folder: TrialFolder | None = None, options: PullOptions | None = None) -> PullReport:
        """Pull from the server, or the file that the options name."""
        options = options or PullOptions(subjects=1)
        settings = None if options.file else loopback_server(self.base)
        return pull(folder or trial(), settings, self.state, options, now=NOW)


def counts(report: PullReport) -> tuple[int, int, int, int]:
    """Fetched, new, changed, withdrawn."""
    return report.fetched, report.new, report.changed, report.withdrawn


def codes(issues: Sequence[Any]) -> list[str]:
    """The codes of issues."""
    return [issue.code for issue in issues]


def kinds(report: PullReport) -> list[str]:
    """What a person is asked to look at."""
    return [item.kind for item in report.review_items]


def write_lines(path: Path, *lines: Mapping[str, Any] | str) -> Path:
    """Write NDJSON; a text goes in as it is."""
    texts = [line if isinstance(line, str) else fhirjson.dumps(dict(line)).decode() for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def bundle(*resources: Resource, **addresses: Resource) -> str:
    """A collection Bundle; `addresses` names entries by their urn."""
    entries: list[Resource] = [{"resource": one} for one in resources]
    entries += [{"fullUrl": f"urn:uuid:{name}", "resource": one} for name, one in addresses.items()]
    text: str = fhirjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).decode()
    return text


def as_json(value: object) -> str:
    """The text of a report."""
    return json.dumps(value, ensure_ascii=False, default=str)

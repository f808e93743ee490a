"""Trial rows to FHIR JSON bytes: beside a hand-written dict with orjson, and beside `fhir.resources`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import orjson

from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.mappers import context_of
from fhir_adapter.mappers.canonical import CORE, SOURCE_VALUE, TERMINOLOGY, UCUM
from fhir_adapter.mappers.r4.observation import map_measurement
from fhir_adapter.mappers.typed import typed
from fhir_adapter.sources import read_trial
from fhir_adapter.trial import Measurement, Quantity
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path

TRIAL = "cdisc-pilot-18"
SAMPLE = 300


def measure_mapping() -> Iterator[Figure]:
    """Laboratory rows of the public study."""
    folder = read_trial_folder(trial_path(TRIAL))
    entities = [one for one in read_trial(folder).entities if isinstance(one, Measurement)]
    results = [one for one in entities if one.category == "laboratory"]
    context = context_of(folder)
    by_hand = ByHand(folder)
    assert by_hand.map(results[0]) == map_measurement(results[0], context), "the anchor writes another resource"
    yield compare(
        "laboratory result -> FHIR bytes",
        "resources",
        len(results),
        lambda: [fhirjson.dumps(map_measurement(one, context)) for one in results],
        lambda: [orjson.dumps(by_hand.map(one), default=str) for one in results],
        "the same resource as a hand-written dict + orjson",
    )
    yield compare(
        "laboratory result -> FHIR bytes",
        "resources",
        len(results),
        lambda: [fhirjson.dumps(map_measurement(one, context)) for one in results],
        lambda: [orjson.dumps(_small(one)) for one in results],
        "a small hand-written dict (six elements) + orjson",
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
        "laboratory file -> trial entities",
        "rows",
        len(results),
        lambda: _read_laboratory(folder),
        lambda: orjson.loads((folder.source_folder / "lb.json").read_bytes()),
        "orjson alone, into floats",
    )


def _read_laboratory(folder: TrialFolder) -> object:
    """The laboratory file with what its rows need of the subjects."""
    wanted = tuple(source for source in folder.sources if source.entity in ("subject", "measurement"))
    only = tuple(source for source in wanted if source.name != "vs")
    return read_trial(replace(folder, sources=only, ignored_files={}))


def _small(one: Measurement) -> dict[str, object]:
    """What a script would write that needs only the value."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": one.name},
        "subject": {"reference": "Patient/" + one.subject},
        "effectiveDateTime": one.recorded,
        "valueQuantity": {"value": one.value, "unit": one.unit},
    }


class ByHand:
    """The whole resource as a script for this one study would write it, everything constant looked up once."""

    def __init__(self, folder: TrialFolder) -> None:
        self.base = f"{folder.identifier_base}/{folder.id}"
        self.namespace = folder.namespace
        self.units = folder.codes.units
        self.tests = folder.codes.tests
        self.indicators = folder.codes.maps["indicator"]
        self.security = [{"system": f"{TERMINOLOGY}v3-ObservationValue", "code": "ANONYED"}]
        self.study = self.id("ResearchStudy|CDISCPILOT01")
        self.known: dict[str, str] = {}

    def id(self, name: str) -> str:
        """A UUIDv5 over the study's namespace."""
        return str(uuid.uuid5(self.namespace, name))

    def cached(self, name: str) -> str:
        """The id of something that many rows refer to."""
        if name not in self.known:
            self.known[name] = self.id(name)
        return self.known[name]

    def amount(self, quantity: Quantity) -> dict[str, object]:
        """A quantity with its UCUM code."""
        code = self.units.get(quantity.unit, "1")
        return {"value": quantity.value, "unit": quantity.unit, "system": UCUM, "code": code}

    def map(self, one: Measurement) -> dict[str, object]:
        """One laboratory result with a number, two limits and a standardised value, as most rows are."""
        key = "/".join(one.key)
        link = {"url": f"{CORE}workflow-researchStudy"}
        site = "ResearchStudy/" + self.cached(f"ResearchStudy|CDISCPILOT01/{one.site}")
        loinc, own = self.tests[one.test].codes[:1], f"{self.base}/code/"
        codings = [{"system": code.system, "code": code.code, "display": code.display} for code in loinc]
        indicator = self.indicators.get(one.indicator, ())
        moment = one.effective
        value = Quantity(Decimal(one.value or 0), one.unit or "", one.recorded)
        standard = one.standard if one.standard and one.standard.unit in self.units else value
        return {
            "resourceType": "Observation",
            "id": self.id("Observation|" + key),
            "meta": {
                "profile": ["https://w3id.org/fhir-adapter/StructureDefinition/trial-laboratory-result"],
                "security": self.security,
            },
            "extension": [
                {**link, "valueReference": {"reference": site}},
                {**link, "valueReference": {"reference": "ResearchStudy/" + self.study}},
            ],
            "identifier": [{"system": f"{self.base}/observation", "value": key}],
            "status": "final",
            "category": [
                {
                    "coding": [
                        {
                            "system": f"{TERMINOLOGY}observation-category",
                            "code": "laboratory",
                            "display": "Laboratory",
                        }
                    ]
                },
                {"coding": [{"system": own + "category", "code": one.group}], "text": one.group},
            ],
            "code": {
                "coding": [
                    *codings,
                    {"system": own + "test", "code": one.test, "display": one.name, "userSelected": True},
                ],
                "text": one.name,
            },
            "subject": {"reference": "Patient/" + self.cached("Patient|" + one.subject)},
            "encounter": {"reference": "Encounter/" + self.cached(f"Encounter|{one.subject}/{one.visit}")},
            "effectiveDateTime": moment.iso if moment else None,
            "_effectiveDateTime": {
                "extension": [{"url": SOURCE_VALUE, "valueString": moment.recorded if moment else None}]
            },
            "valueQuantity": {
                "extension": [{"url": f"{CORE}iso21090-PQ-translation", "valueQuantity": self.amount(standard)}],
                **self.amount(value),
            },
            "interpretation": [
                {
                    "coding": [
                        {"system": code.system, "code": code.code, "display": code.display} for code in indicator
                    ],
                    "text": one.indicator,
                }
            ],
            "referenceRange": [{"low": self.amount(one.low or value), "high": self.amount(one.high or value)}],
        }

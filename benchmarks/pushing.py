"""Push to an embedded server: beside a bare loop that posts the same transactions, and beside nothing to do."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import orjson

from benchmarks.mapping import TRIAL
from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, loopback_server
from fhir_adapter.mappers import Mapping, map_trial
from fhir_adapter.sandbox import running
from fhir_adapter.sources import Reading, read_trial
from fhir_adapter.store import Ledger, Sent, open_store
from fhir_adapter.sync import apply_plan, make_plan
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path

ENTRIES = 50


def measure_push() -> Iterator[Figure]:
    """Sending the whole study to an empty server in transactions of 50, and the plan of an unchanged study.

    Reading and mapping are done before. The server runs in this process, so its own work is in both sides.
    """
    folder = read_trial_folder(trial_path(TRIAL))
    reading = read_trial(folder)
    mapping = map_trial(reading.study, reading.entities, folder)
    bodies = [fhirjson.dumps(one.resource) for one in mapping.resources]
    yield compare(
        "plan and push of the whole study, server included",
        "resources",
        len(bodies),
        lambda: _push(folder, reading, mapping),
        lambda: _bare(bodies),
        f"a bare httpx2 + orjson loop, transactions of {ENTRIES}, server included",
    )
    sent = _push(folder, reading, mapping)
    yield compare(
        "plan of an unchanged study",
        "resources",
        len(bodies),
        lambda: make_plan(reading, mapping, sent, lambda _names: {}),
        lambda: {hashlib.sha256(body).digest() for body in bodies} - {one.sha256 for one in sent.values()},
        "hash of the bytes + one set comparison",
    )


def _push(folder: TrialFolder, reading: Reading, mapping: Mapping) -> dict[str, Sent]:
    """Plan and send everything to an empty server; answers the ledger."""
    with (
        running() as base,
        tempfile.TemporaryDirectory() as place,
        open_store(Path(place) / "state.sqlite", writer=True) as store,
        FhirServer(replace(loopback_server(base), max_entries=ENTRIES + 1)) as server,
    ):
        ledger = Ledger(store, folder.id, base, folder.namespace)
        plan = make_plan(reading, mapping, ledger.sent(), lambda _names: {})
        applied = apply_plan(plan, server, ledger, mapping.context, reading.files, {})
        assert not applied.issues
        return ledger.sent()


def _bare(bodies: list[bytes]) -> None:
    with running() as base, httpx2.Client(headers={"Content-Type": "application/fhir+json"}) as http:
        for start in range(0, len(bodies), ENTRIES):
            entries = []
            for body in bodies[start : start + ENTRIES]:
                resource = fhirjson.loads(body)
                name = f"{resource['resourceType']}/{resource['id']}"
                entries.append({"resource": orjson.Fragment(body), "request": {"method": "PUT", "url": name}})
            bundle = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
            http.post(base, content=bundle).raise_for_status()

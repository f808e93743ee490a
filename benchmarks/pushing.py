"""Push to an embedded server: beside a bare loop that posts the same transactions, and beside nothing to do."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import orjson

from benchmarks.mapping import TRIAL
from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, loopback_server
from fhir_adapter.jobs.map import map_sources
from fhir_adapter.mappers import context_of, map_trial
from fhir_adapter.sandbox import running
from fhir_adapter.sources import read_trial
from fhir_adapter.store import Ledger, open_store
from fhir_adapter.sync import apply_plan, make_plan
from fhir_adapter.trial_folder import read_trial_folder, trial_path

ENTRIES = 50


def measure_push() -> Iterator[Figure]:
    """Transactions of 50 Observations against a server that answers at once, and the plan of an unchanged study.

    The server runs in this process, so its own work is in both sides of the first figure; the ratio is of whole work.
    """
    folder = read_trial_folder(trial_path(TRIAL))
    bodies = map_sources(folder).resources
    with running() as base, tempfile.TemporaryDirectory() as place:
        rounds = iter(range(1_000))
        yield compare(
            "push of the whole study (client and server in one process)",
            "resources",
            len(bodies),
            lambda: _push(base, Path(place) / f"{next(rounds)}.sqlite"),
            lambda: _bare(base, bodies),
            f"a bare httpx2 + orjson loop, transactions of {ENTRIES}",
        )
    reading = read_trial(folder)
    mapping = map_trial(reading.study, reading.entities, folder)
    with tempfile.TemporaryDirectory() as place, running() as base:
        state = Path(place) / "state.sqlite"
        _push(base, state)
        with open_store(state, writer=False) as store:
            sent = Ledger(store, folder.id, base, folder.namespace).sent()
        yield compare(
            "plan of an unchanged study",
            "resources",
            len(bodies),
            lambda: make_plan(reading, mapping, sent, lambda _names: {}),
            lambda: {hashlib.sha256(body).digest() for body in bodies} - {one.sha256 for one in sent.values()},
            "hash of the bytes + one set comparison",
        )


def _push(base: str, state: Path) -> None:
    folder = read_trial_folder(trial_path(TRIAL))
    reading = read_trial(folder)
    mapping = map_trial(reading.study, reading.entities, folder)
    settings = loopback_server(base)
    with open_store(state, writer=True) as store, FhirServer(settings) as server:
        ledger = Ledger(store, folder.id, base, folder.namespace)
        plan = make_plan(reading, mapping, ledger.sent(), lambda _names: {})
        applied = apply_plan(plan, server, ledger, context_of(folder), reading.files, {})
        assert not applied.issues


def _bare(base: str, bodies: list[bytes]) -> None:
    with httpx2.Client(headers={"Content-Type": "application/fhir+json"}) as http:
        for start in range(0, len(bodies), ENTRIES):
            entries = []
            for body in bodies[start : start + ENTRIES]:
                resource = fhirjson.loads(body)
                name = f"{resource['resourceType']}/{resource['id']}"
                entries.append({"resource": orjson.Fragment(body), "request": {"method": "PUT", "url": name}})
            bundle = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
            http.post(base, content=bundle).raise_for_status()

"""The HTTP service: an answer of `$hscore` beside a trivial endpoint of the same bytes, and the score of a Bundle.

Both applications are called as ASGI in this process, so no time of sockets dilutes the ratio.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from benchmarks.timing import Figure, compare
from fhir_adapter import fhirjson
from fhir_adapter.jobs.pull import PullOptions, pull
from fhir_adapter.jobs.score_observations import score_observations
from fhir_adapter.service import create_app
from fhir_adapter.settings import Settings
from fhir_adapter.trial_folder import read_trial_folder, trial_path

TRIAL, PATIENT = "nct02569463", "hp-c335"
CALLS, POSTS = 2000, 100
OBSERVATIONS = 20

_Message = MutableMapping[str, Any]


def measure_service() -> Iterator[Figure]:
    """The seed trial, its made-up hospital pulled from the files; one patient asked for again and again."""
    logging.getLogger("fhir_adapter").setLevel(logging.WARNING)
    folder = read_trial_folder(trial_path(TRIAL))
    hospital = folder.path / "hospital"
    with tempfile.TemporaryDirectory() as place:
        state = Path(place) / "state.sqlite"
        everything = Path(place) / "everything.ndjson"
        files = (hospital / "patients.ndjson", hospital / "results.ndjson")
        everything.write_bytes(b"".join(file.read_bytes() for file in files))
        pull(folder, None, state, PullOptions(file=everything))
        app = create_app(Settings(defaults={"trial": TRIAL, "state": str(state)}))
        yield _kept(app)
        yield _posted(app, (hospital / "results.ndjson").read_bytes().splitlines()[:OBSERVATIONS])


def _kept(app: FastAPI) -> Figure:
    path = f"/fhir/Patient/{PATIENT}/$hscore"
    body = asyncio.run(_call(app, "GET", path))
    assert b"hscore-low" in body, "no score was answered"
    trivial = FastAPI()

    @trivial.get("/fhir/Patient/{patient}/$hscore")
    async def same_bytes(patient: str) -> Response:
        assert patient
        return Response(body, media_type="application/fhir+json")

    assert asyncio.run(_call(trivial, "GET", path)) == body
    return compare(
        "GET Patient/{id}/$hscore from the store",
        "answers",
        CALLS,
        lambda: asyncio.run(_many(app, CALLS, "GET", path)),
        lambda: asyncio.run(_many(trivial, CALLS, "GET", path)),
        "a trivial FastAPI endpoint of the same bytes",
    )


def _posted(app: FastAPI, lines: list[bytes]) -> Figure:
    resources = [fhirjson.loads(line) for line in lines]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
    sent = fhirjson.dumps(bundle)
    assert b"hscore-low" in asyncio.run(_call(app, "POST", "/fhir/Observation/$hscore", sent))
    return compare(
        f"POST Observation/$hscore, a Bundle of {OBSERVATIONS}",
        "answers",
        POSTS,
        lambda: asyncio.run(_many(app, POSTS, "POST", "/fhir/Observation/$hscore", sent)),
        lambda: [score_observations(resources) for _ in range(POSTS)],
        "the bare computation on resources read before",
    )


async def _many(app: FastAPI, times: int, method: str, path: str, body: bytes = b"") -> None:
    for _ in range(times):
        await _call(app, method, path, body)


async def _call(app: FastAPI, method: str, path: str, body: bytes = b"") -> bytes:
    """One request as a server hands it over; raises when it is not answered with 200."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"accept", b"*/*"), (b"content-type", b"application/fhir+json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8090),
    }
    sent: list[_Message] = []

    async def receive() -> _Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: _Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent
    answer: bytes = sent[1]["body"]
    return answer

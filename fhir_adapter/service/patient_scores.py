"""`$hscore` of a Patient: the scores of the served trial, from the store; nothing is pulled or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo

from starlette.concurrency import run_in_threadpool

from fhir_adapter import fhirjson
from fhir_adapter.issues import AdapterError, Misconfigured
from fhir_adapter.jobs.score import ScoreOptions, ScoreReport, score_known
from fhir_adapter.mappers import Names
from fhir_adapter.mappers.r4.score import score_observation
from fhir_adapter.mappers.r4.stored_score import CRITERIA
from fhir_adapter.service.asked import HSCORE, Asked, of_parameters, of_query, require_type
from fhir_adapter.service.metrics import Metrics
from fhir_adapter.service.score_bundle import Entry, Resource, bundle_of, entry_of, used_results
from fhir_adapter.service.trial_data import Snapshot, TrialData
from fhir_adapter.serving.outcome import FhirError, Problem, problem_of, refusal
from fhir_adapter.trial import Subject

_NOBODY = refusal(404, "not-found", "no such patient in the trial that is served here")
_NO_TRIAL = refusal(404, "not-found", "no trial is served here; start the service with one, or send Observations")


class PatientScores:
    """The scores of the served trial's patients."""

    def __init__(self, data: TrialData | None, metrics: Metrics) -> None:
        self._data = data
        self._metrics = metrics

    async def answer(self, patient: str, query: bytes, sent: Resource | None = None) -> bytes:
        """The Bundle for a Patient of the hospital; `sent` are the Parameters of a POST.

        Raises `FhirError`: 404 for a patient who is not of this trial, in the same words as for one who is nobody.
        """
        if self._data is None:
            raise _NO_TRIAL
        key = (patient, _asked(query, sent))
        snapshot = self._data.at_hand()
        kept = snapshot.answers.kept.get(key) if snapshot is not None else None
        if kept is not None:
            self._metrics.kept()
            return kept
        return await run_in_threadpool(self._answer, self._data, key)

    def _answer(self, data: TrialData, key: tuple[str, Asked]) -> bytes:
        snapshot = loaded(data)
        kept = snapshot.answers.kept.get(key)
        if kept is not None:
            self._metrics.kept()
            return kept
        body = _bundle(snapshot, *key)
        snapshot.answers.keep(key, body)
        self._metrics.computed()
        return body


def loaded(data: TrialData) -> Snapshot:
    """The trial's data; raises `FhirError` 503 when they cannot be read now, without a word of what stands in them."""
    try:
        return data.load()
    except AdapterError as error:
        message = "the trial's data cannot be read now"
        problems = [Problem("transient", message, detail=one.code) for one in error.issues]
        raise FhirError(503, problems or [Problem("transient", message)], {"Retry-After": "5"}) from error


_PLAIN = Asked()


def _asked(query: bytes, sent: Resource | None) -> Asked:
    if sent is None:
        return of_query(query, HSCORE) if query else _PLAIN
    of_query(query, {})
    require_type(sent, ("Parameters",))
    return of_parameters(sent, HSCORE)


def _bundle(snapshot: Snapshot, patient: str, asked: Asked) -> bytes:
    subject = snapshot.subjects.get(patient)
    if subject is None:
        raise _NOBODY
    options = ScoreOptions(subject=subject, window=asked.window, cutoff=asked.cutoff)
    try:
        report = score_known(snapshot.known, snapshot.folder, options)
    except Misconfigured as error:
        raise FhirError(422, [problem_of(issue, "processing") for issue in error.issues]) from error
    (scores,) = report.subjects
    entries = list(_entries(snapshot, patient, report, asked))
    return bundle_of(entries, [*scores.issues, *report.issues])


def _entries(snapshot: Snapshot, patient: str, report: ScoreReport, asked: Asked) -> Iterator[Entry]:
    (scores,) = report.subjects
    folder = snapshot.folder
    names = Names(folder)
    # Against another cut-off it is another statement: under the trial's identifier it would pass for the trial's own.
    own = folder.scores is not None and report.cutoff == folder.scores.cutoff
    for one in scores.windows:
        yield entry_of(
            score_observation(
                one,
                subject={"reference": f"Patient/{patient}"},
                labels=folder.labels,
                identifier=names.identifier("score", scores.subject, CRITERIA, one.window) if own else None,
                complete=report.complete,
                zone=_zone(snapshot, scores.subject),
            )
        )
    if asked.evidence:
        used = (result.sha256 for one in scores.windows for result in used_results(one))
        yield from _evidence(snapshot, [digest for digest in dict.fromkeys(used) if digest])


def _zone(snapshot: Snapshot, subject: str) -> tzinfo:
    sites = (one.site for one in snapshot.known.entities.get(subject, ()) if isinstance(one, Subject))
    return next((snapshot.folder.sites[site].zone or UTC for site in sites), UTC)


def _evidence(snapshot: Snapshot, digests: Sequence[str]) -> Iterator[Entry]:
    """The results that were used, by the hash of their content: the very bodies, digit by digit."""
    for received in (snapshot.bodies[digest] for digest in digests if digest in snapshot.bodies):
        at = f"{received.place}/{received.name}" if received.place.startswith("http") else ""
        yield entry_of(fhirjson.loads(received.body), at)

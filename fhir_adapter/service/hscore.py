"""`$hscore`: a patient's scores from the store, or the score of Observations that were sent; it writes nothing.

The one out parameter is called `return` and is a Bundle, so the Bundle itself is the answer
(https://hl7.org/fhir/R4/operations.html#response). It holds a score Observation for each window, on wish the results
that were used, and an OperationOutcome where there is something to say.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from starlette.concurrency import run_in_threadpool

from fhir_adapter import fhirjson
from fhir_adapter.intake import resources_among
from fhir_adapter.issues import AdapterError, Issue, Misconfigured, Where
from fhir_adapter.jobs.score import EVERYTHING, ScoreOptions, ScoreReport, score_known
from fhir_adapter.jobs.score_observations import score_observations, subject_of
from fhir_adapter.mappers.canonical import BASE as CANONICAL_BASE
from fhir_adapter.mappers.r4.score import score_observation
from fhir_adapter.scores import Evidence, WindowScore
from fhir_adapter.service.asked import HSCORE, Asked, of_parameters, of_query
from fhir_adapter.service.metrics import Metrics
from fhir_adapter.service.trial_data import Snapshot, TrialData
from fhir_adapter.serving.outcome import FhirError, Problem, outcome, problem_of, refusal
from fhir_adapter.trial import Subject
from fhir_adapter.validation import check_structure, resource_types

Resource = Mapping[str, object]
_Entry = dict[str, object]

NOBODY = refusal(404, "not-found", "no such patient in the trial that is served here")
_NO_TRIAL = refusal(404, "not-found", "no trial is served here; start the service with one, or send Observations")
_NAMED = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}", re.ASCII)
_BUNDLES = uuid.uuid5(uuid.NAMESPACE_URL, f"{CANONICAL_BASE}/OperationDefinition/hscore")


class PatientScores:
    """The scores of the served trial's patients."""

    def __init__(self, data: TrialData | None, metrics: Metrics) -> None:
        self._data = data
        self._metrics = metrics

    async def answer(self, patient: str, query: bytes, sent: Resource | None = None, content: bytes = b"") -> bytes:
        """The Bundle for a Patient of the hospital; `sent` are the Parameters of a POST, read from `content`.

        Raises `FhirError`: 404 for a patient who is not of this trial, in the same words as for one who is nobody.
        """
        if self._data is None:
            raise _NO_TRIAL
        key = (patient, query, hashlib.sha256(content).digest() if content else sent is None)
        snapshot = self._data.at_hand()
        kept = snapshot.answers.get(key) if snapshot is not None else None
        if kept is not None:
            self._metrics.kept()
            return kept
        asked = _asked_of_patient(query, sent)
        body = await run_in_threadpool(self._compute, self._data, key, patient, asked)
        self._metrics.computed()
        return body

    def _compute(self, data: TrialData, key: object, patient: str, asked: Asked) -> bytes:
        snapshot = loaded(data)
        subject = snapshot.subjects.get(patient)
        if subject is None:
            raise NOBODY
        options = ScoreOptions(subject=subject, window=asked.window, cutoff=asked.cutoff)
        try:
            report = score_known(snapshot.known, snapshot.folder, options)
        except Misconfigured as error:
            raise FhirError(422, [problem_of(issue, "processing") for issue in error.issues]) from error
        body = fhirjson.dumps(_patient_bundle(snapshot, patient, report, asked))
        snapshot.keep(key, body)
        return body


def loaded(data: TrialData) -> Snapshot:
    """The trial's data; raises `FhirError` 503 when they cannot be read now, without a word of what stands in them."""
    try:
        return data.load()
    except AdapterError as error:
        problems = [
            Problem("transient", "the trial's data cannot be read now", detail=one.code) for one in error.issues
        ]
        fallback = [Problem("transient", "the trial's data cannot be read now")]
        raise FhirError(503, problems or fallback, {"Retry-After": "5"}) from error


def score_sent(query: bytes, resource: Resource) -> bytes:
    """The Bundle for Observations that were sent, by subject; raises `FhirError` where nothing can be scored."""
    asked = _asked_of_observations(query, resource)
    if asked.window not in (None, EVERYTHING):
        raise refusal(422, "value", "Observations that are sent have no visits: leave window out, or say all")
    sent = list(_observations(asked))
    good = [one for _, one, found in sent if one is not None and not any(issue.is_error for issue in found)]
    issues = [issue for _, _, found in sent for issue in found]
    places = {f"Observation/{one.get('id', '')}": place for place, one, _ in sent if one is not None}
    read = resources_among(good, "what was sent")
    if not sent or not read.resources:
        problems = [problem_of(issue) for issue in issues]
        raise FhirError(422, problems or [Problem("required", "no Observation was sent")])
    report = score_observations(read.resources, asked.cutoff, (*issues, *read.issues))
    windows = [window for one in report.subjects for window in one.windows]
    labels = _labels(read.resources)
    entries = [
        _entry(score_observation(one, subject=_reference(one.subject), labels=labels[one.subject])) for one in windows
    ]
    if asked.evidence:
        used = {reference for one in windows for reference in _used(one)}
        named = ((f"Observation/{one.get('id')}", one) for one in read.resources)
        entries += [{"resource": one} for name, one in named if name in used]
    return fhirjson.dumps(_bundle(entries, (_placed(issue, places) for issue in report.issues)))


def _labels(resources: Iterable[Resource]) -> Mapping[str, list[Resource]]:
    """The security labels of each subject's results: a score inherits them."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for one in resources:
        meta = one.get("meta")
        stated = meta.get("security") if isinstance(meta, dict) else None
        mine = found[subject_of(one) or ""]
        mine += [label for label in (stated if isinstance(stated, list) else ()) if label not in mine]
    return found


def _asked_of_patient(query: bytes, sent: Resource | None) -> Asked:
    if sent is None:
        return of_query(query, HSCORE)
    of_query(query, {})
    _require_type(sent, ("Parameters",))
    return of_parameters(sent, HSCORE)


def _asked_of_observations(query: bytes, resource: Resource) -> Asked:
    """Parameters, or as FHIR allows where one parameter is a resource, that resource alone with a query."""
    _require_type(resource, ("Parameters", "Bundle", "Observation"))
    if resource["resourceType"] == "Parameters":
        of_query(query, {})
        return of_parameters(resource, HSCORE, ("observation", "bundle"))
    asked = of_query(query, HSCORE)
    return Asked(asked.window, asked.cutoff, asked.evidence, resources=((str(resource["resourceType"]), resource),))


def _require_type(resource: object, kinds: Sequence[str]) -> None:
    found = resource.get("resourceType") if isinstance(resource, dict) else None
    if found not in kinds:
        raise refusal(400, "invalid", f"resourceType must be {' or '.join(kinds)} here", "resourceType")


def _observations(asked: Asked) -> Iterator[tuple[str, Resource | None, list[Issue]]]:
    """Every Observation that was sent at its place in the request, with what is wrong with it as FHIR R4.

    None for an entry that is no resource of R4: it is set aside, the others count.
    """
    for place, resource in asked.resources:
        is_bundle = resource.get("resourceType") == "Bundle"
        for where, one in _of_bundle(place, resource) if is_bundle else [(place, resource)]:
            kind = one.get("resourceType") if isinstance(one, dict) else None
            if isinstance(one, dict) and kind == "Observation":
                yield where, one, [_at(where, issue) for issue in check_structure(one)]
            elif not isinstance(kind, str) or kind not in resource_types():
                message = "no resource of FHIR R4 (a JSON object with a known resourceType); it was left out"
                yield where, None, [Issue("error", "unknown-resource", message, Where(expression=where))]


def _of_bundle(place: str, resource: Resource) -> Iterator[tuple[str, object]]:
    entries = resource.get("entry", [])
    if not isinstance(entries, list):
        raise refusal(400, "structure", "entry is not an array", f"{place}.entry")
    for number, entry in enumerate(entries):
        inside = entry.get("resource") if isinstance(entry, dict) else None
        yield f"{place}.entry[{number}].resource", inside


def _at(place: str, issue: Issue) -> Issue:
    """The issue with its place in the request: `Parameters.parameter[2].resource.status` for `Observation.status`."""
    _, dot, rest = (issue.where.expression or "").partition(".")
    where = Where(resource=issue.where.resource, expression=f"{place}{dot}{rest}")
    return Issue(issue.severity, issue.code, issue.message, where, issue.rule)


def _placed(issue: Issue, places: Mapping[str, str]) -> Issue:
    """An issue of reading a result, with the result's place in the request."""
    place = places.get(issue.where.resource or "")
    expression = issue.where.expression or ""
    if place is None or expression.startswith(place):
        return issue
    where = Where(resource=issue.where.resource, expression=f"{place}.{expression}".rstrip("."))
    return Issue(issue.severity, issue.code, issue.message, where, issue.rule)


def _patient_bundle(snapshot: Snapshot, patient: str, report: ScoreReport, asked: Asked) -> Resource:
    (scores,) = report.subjects
    folder, subject = snapshot.folder, scores.subject
    zone = _zone(snapshot, subject)
    system = folder.identifier("score").system
    entries = [
        _entry(
            score_observation(
                one,
                subject={"reference": f"Patient/{patient}"},
                labels=folder.labels,
                identifier={"system": system, "value": f"{subject}/{one.window}"},
                complete=report.complete,
                **({"zone": zone} if zone is not None else {}),
            )
        )
        for one in scores.windows
    ]
    if asked.evidence:
        used = dict.fromkeys(reference for one in scores.windows for reference in _used(one))
        entries += [one for name in used for one in _evidence(snapshot, subject, name)]
    return _bundle(entries, [*scores.issues, *report.issues])


def _zone(snapshot: Snapshot, subject: str) -> tzinfo | None:
    for one in snapshot.known.entities.get(subject, ()):
        if isinstance(one, Subject):
            return snapshot.folder.sites[one.site].zone
    return None


def _evidence(snapshot: Snapshot, subject: str, name: str) -> Iterator[_Entry]:
    received = snapshot.bodies.get(f"{subject} {name}")
    if received is not None:
        at = {"fullUrl": f"{received.place}/{name}"} if received.place.startswith("http") else {}
        yield {**at, "resource": fhirjson.loads(received.body)}


def _used(one: WindowScore) -> Iterator[str]:
    for evidence in _evidences(one):
        if evidence.used and evidence.result.source == "hospital":
            yield evidence.result.reference.partition("#")[0]


def _evidences(one: WindowScore) -> Iterator[Evidence]:
    for item in one.score.items:
        yield from item.evidence


def _reference(subject: str) -> Resource:
    """The reference to whom a result is of, as `subject_of` read it."""
    system, bar, value = subject.partition("|")
    return {"identifier": {"system": system, "value": value}} if bar else {"reference": subject}


def _entry(resource: Resource) -> _Entry:
    """An entry under an address made of its content: the same score is the same entry."""
    name = uuid.uuid5(_BUNDLES, fhirjson.dumps(resource).decode())
    return {"fullUrl": f"urn:uuid:{name}", "resource": resource}


def _problem(issue: Issue) -> Problem:
    """An issue for the OperationOutcome: which result it is about is said in words too."""
    problem = problem_of(issue, "processing")
    name = issue.where.resource
    return replace(problem, message=f"{name}: {problem.message}") if name and _NAMED.fullmatch(name) else problem


def _bundle(entries: Sequence[_Entry], issues: Iterable[Issue]) -> Resource:
    problems = [_problem(issue) for issue in issues]
    said = [_entry(outcome(problems))] if problems else []
    every = [*entries, *said]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": every} if every else {})}

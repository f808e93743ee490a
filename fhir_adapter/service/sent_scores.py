"""`$hscore` of Observations that are sent: each valid R4 and of one named Patient; others are set aside and said.

What is set aside is not nothing: one of a known analyte may say anything, so it holds its item open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fhir_adapter.intake import resources_among
from fhir_adapter.intake.whose import Whose, whose
from fhir_adapter.issues import Issue, Where
from fhir_adapter.jobs.score import EVERYTHING
from fhir_adapter.jobs.score_observations import score_observations
from fhir_adapter.mappers.r4.score import score_observation
from fhir_adapter.scores import WindowScore
from fhir_adapter.service.asked import HSCORE, Asked, of_parameters, of_query, require_type
from fhir_adapter.service.score_bundle import Entry, Resource, bundle_of, entry_of, problems_of, used_results
from fhir_adapter.serving.outcome import FhirError, Problem, refusal
from fhir_adapter.validation import check_structure, resource_types

_ONE_PATIENT = {"reference": "Patient/one"}


@dataclass(frozen=True, slots=True)
class _Sent:
    """An Observation, its place in the request, the address that its Bundle gives it, and whether it is valid R4."""

    place: str
    resource: dict[str, object]
    address: str = ""
    valid: bool = True


def score_sent(query: bytes, resource: Resource) -> bytes:
    """The Bundle for what was sent, Patient by Patient; raises `FhirError` where nothing can be scored."""
    asked = _asked(query, resource)
    if asked.window not in (None, EVERYTHING):
        raise refusal(422, "value", "Observations that are sent have no visits: leave window out, or say all")
    issues: list[Issue] = []
    by_patient: dict[str, list[_Sent]] = defaultdict(list)
    refused: dict[str, list[_Sent]] = defaultdict(list)
    patients: dict[str, Whose] = {}
    for one in _observations(asked, issues):
        patient = whose(one.resource, one.address)
        if patient is None and one.valid:
            issues.append(_nobody(one))
        elif patient is not None and one.valid:
            patients[patient.key] = patient
            by_patient[patient.key].append(one)
        elif patient is not None:
            refused[patient.key].append(one)
    if not by_patient:
        raise FhirError(422, problems_of(issues) or [Problem("required", "no Observation was sent")])
    scores: list[Entry] = []
    evidence: list[Entry] = []
    shown = _shown(patients)
    for key, many in by_patient.items():
        kept, windows = _scored(many, refused[key], asked, issues)
        labels = _labels(kept)
        scores += [entry_of(score_observation(one, subject=shown[key].reference, labels=labels)) for one in windows]
        used = {result.reference.partition("#")[0] for one in windows for result in used_results(one)}
        evidence += [entry_of(one.resource, one.address) for one in kept if _name(one) in used]
    return bundle_of([*scores, *(evidence if asked.evidence else ())], issues)


def _scored(
    many: list[_Sent], refused: list[_Sent], asked: Asked, issues: list[Issue]
) -> tuple[list[_Sent], list[WindowScore]]:
    """The results of one Patient that were read, and the score; what is to say of them goes to `issues`."""
    copies, unreadable = _copies(many), _copies(refused)
    sent = {id(copy): one for copy, one in zip(copies, many, strict=True)}
    read = resources_among(copies, "what was sent")
    kept = [sent[id(copy)] for copy in read.resources]
    report = score_observations(read.resources, asked.cutoff, read.issues, unreadable)
    places = _places(kept)
    issues += [_placed(issue, places) for issue in report.issues]
    return kept, [window for one in report.subjects for window in one.windows]


def _copies(many: list[_Sent]) -> list[dict[str, object]]:
    """All of one Patient, however each refers to it: the job is told so."""
    return [{**one.resource, "subject": _ONE_PATIENT} for one in many]


def _asked(query: bytes, resource: Resource) -> Asked:
    """Parameters, or as FHIR allows where one parameter is a resource, that resource alone with a query."""
    require_type(resource, ("Parameters", "Bundle", "Observation"))
    if resource["resourceType"] == "Parameters":
        of_query(query, {})
        return of_parameters(resource, HSCORE, ("observation", "bundle"))
    asked = of_query(query, HSCORE)
    return Asked(asked.window, asked.cutoff, asked.evidence, resources=((str(resource["resourceType"]), resource),))


def _observations(asked: Asked, issues: list[Issue]) -> Iterator[_Sent]:
    """Every Observation, and whether it is valid R4; why one is not goes to `issues`."""
    for place, resource in asked.resources:
        is_bundle = resource.get("resourceType") == "Bundle"
        for one in _of_bundle(place, resource, issues) if is_bundle else [_Sent(place, dict(resource))]:
            found = [_at(one.place, issue) for issue in check_structure(one.resource)]
            issues += found
            yield replace(one, valid=not any(issue.is_error for issue in found))


def _of_bundle(place: str, bundle: Resource, issues: list[Issue]) -> Iterator[_Sent]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise refusal(400, "structure", "entry is not an array", f"{place}.entry")
    if _is_page(bundle):
        message = "the Bundle is one page of a search: what the other pages hold is not part of this score"
        issues.append(Issue("warning", "bundle-page", message, Where(expression=f"{place}.link")))
    for number, entry in enumerate(entries):
        inside = entry.get("resource") if isinstance(entry, dict) else None
        kind = inside.get("resourceType") if isinstance(inside, dict) else None
        where = f"{place}.entry[{number}].resource"
        if isinstance(inside, dict) and kind == "Observation":
            yield _Sent(where, inside, str(entry.get("fullUrl") or ""))
        elif not isinstance(kind, str) or kind not in resource_types():
            message = "no resource of FHIR R4 (a JSON object with a known resourceType); it was left out"
            issues.append(Issue("error", "unknown-resource", message, Where(expression=where)))
        elif kind in ("Bundle", "OperationOutcome"):
            message = f"a {kind} among the entries is not read; what it says is not part of this score"
            issues.append(Issue("warning", "entry-not-read", message, Where(expression=where)))


def _is_page(bundle: Resource) -> bool:
    links = bundle.get("link")
    return any(isinstance(link, dict) and link.get("relation") == "next" for link in _list(links))


def _nobody(one: _Sent) -> Issue:
    message = "it names no Patient for certain: right would be Patient/[id], or an identifier with its system"
    return Issue("error", "no-subject", message, Where(expression=f"{one.place}.subject"))


def _shown(patients: Mapping[str, Whose]) -> Mapping[str, Whose]:
    """Patients of one server are told by their names alone, as they were sent."""
    bases = {one.base for one in patients.values() if not one.system and one.name.startswith("Patient/")}
    return patients if len(bases) > 1 else {key: replace(one, base="") for key, one in patients.items()}


def _labels(many: list[_Sent]) -> list[Resource]:
    """The security labels of a Patient's results: a score inherits them."""
    found: list[Resource] = []
    for one in many:
        meta = one.resource.get("meta")
        stated = meta.get("security") if isinstance(meta, dict) else None
        found += [label for label in _list(stated) if isinstance(label, dict) and label not in found]
    return found


def _name(one: _Sent) -> str:
    return f"Observation/{one.resource.get('id', '')}"


def _places(many: list[_Sent]) -> Mapping[str, str]:
    """The place of each result by its name; not of those that share one, such as none at all."""
    names = [_name(one) for one in many]
    return {name: one.place for name, one in zip(names, many, strict=True) if names.count(name) == 1}


def _at(place: str, issue: Issue) -> Issue:
    """The issue with its place in the request: `Parameters.parameter[2].resource.status` for `Observation.status`."""
    _, dot, rest = (issue.where.expression or "").partition(".")
    where = Where(resource=issue.where.resource, expression=f"{place}{dot}{rest}")
    return Issue(issue.severity, issue.code, issue.message, where, issue.rule)


def _placed(issue: Issue, places: Mapping[str, str]) -> Issue:
    """An issue of reading a result, with the result's place in the request."""
    place = places.get(issue.where.resource or "")
    if place is None:
        return issue
    where = Where(resource=issue.where.resource, expression=f"{place}.{issue.where.expression or ''}".rstrip("."))
    return Issue(issue.severity, issue.code, issue.message, where, issue.rule)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []

"""score --input: the HScore from a file of Observations alone, without any store, server or trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.intake import resources_in
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers.r4.read_observation import read_observation
from fhir_adapter.scores import DEFAULT_CUTOFF, SubjectScores, score_everything, written
from fhir_adapter.trial import Result


@dataclass(frozen=True, slots=True)
class FileScores:
    """One score per subject of the file, of every Observation that could be used, and why others could not."""

    subjects: tuple[SubjectScores, ...]
    cutoff: int
    issues: tuple[Issue, ...]

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {**written(self.subjects, self.cutoff), "issues": [issue.to_dict() for issue in self.issues]}


def score_file(path: Path, cutoff: int | None = None) -> FileScores:
    """Score every subject of a file (NDJSON, Bundle or single resource), by the `subject` reference of its results.

    Raises `Misconfigured` for a file that cannot be opened, `Rejected` for one that is no JSON at all.
    """
    by_subject: dict[str, list[Result]] = {}
    read = resources_in(path)
    issues = list(read.issues)
    for resource in read.resources:
        if resource.get("resourceType") != "Observation":
            continue
        subject = subject_of(resource)
        if subject is None:
            issues.append(_nobody(resource))
            continue
        answer = read_observation(resource, subject)
        issues += answer.issues
        by_subject.setdefault(subject, []).extend(answer.results)
    points = DEFAULT_CUTOFF if cutoff is None else cutoff
    scored = [score_everything(subject, results, points, _patient(subject)) for subject, results in by_subject.items()]
    return FileScores(tuple(SubjectScores(one.subject, (one,)) for one in scored), points, tuple(issues))


def subject_of(resource: Mapping[str, object]) -> str | None:
    """Whose result it is: the reference, or `system|value` of a logical one; None when nobody is named."""
    stated = resource.get("subject")
    if not isinstance(stated, dict):
        return None
    reference, identifier = stated.get("reference"), stated.get("identifier")
    if isinstance(reference, str) and reference:
        return reference.partition("/_history/")[0]
    if isinstance(identifier, dict) and identifier.get("value"):
        return f"{identifier.get('system', '')}|{identifier['value']}"
    return None


def _patient(subject: str) -> str | None:
    return subject if subject.startswith("Patient/") else None


def _nobody(resource: Mapping[str, object]) -> Issue:
    message = "the result names no subject, so it is nobody's; it was left out"
    return Issue("error", "no-subject", message, Where(resource=f"Observation/{resource.get('id', '')}"))

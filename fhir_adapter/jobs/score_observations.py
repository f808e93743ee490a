"""score --input, and the operation $hscore of Observations: the HScore from Observations alone, without any store.

No visits are told apart: every result of a subject counts, the worst of each item decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.intake import resources_in
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers.r4.read_observation import read_observation
from fhir_adapter.scores import DEFAULT_CUTOFF, SubjectScores, score_everything, written
from fhir_adapter.trial import Result


@dataclass(frozen=True, slots=True)
class ObservationScores:
    """One score per subject, of every Observation that could be used, and why others could not."""

    subjects: tuple[SubjectScores, ...]
    cutoff: int
    issues: tuple[Issue, ...]

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {**written(self.subjects, self.cutoff), "issues": [issue.to_dict() for issue in self.issues]}


def score_file(path: Path, cutoff: int | None = None) -> ObservationScores:
    """Score every subject of a file (NDJSON, Bundle or single resource), by the `subject` reference of its results.

    Raises `Misconfigured` for a file that cannot be opened, `Rejected` for one that is no JSON at all.
    """
    read = resources_in(path)
    return score_observations(read.resources, cutoff, read.issues)


def score_observations(
    resources: Iterable[Mapping[str, object]], cutoff: int | None = None, issues: Iterable[Issue] = ()
) -> ObservationScores:
    """Score every subject among these resources; what is no Observation is passed over.

    `issues` are those of reading them, which are told with the others.
    """
    by_subject: dict[str, list[Result]] = {}
    found = list(issues)
    for resource in resources:
        if resource.get("resourceType") != "Observation":
            continue
        subject = subject_of(resource)
        if subject is None:
            found.append(_nobody(resource))
            continue
        answer = read_observation(resource, subject)
        found += answer.issues
        by_subject.setdefault(subject, []).extend(answer.results)
    points = DEFAULT_CUTOFF if cutoff is None else cutoff
    scored = [score_everything(subject, results, points, _patient(subject)) for subject, results in by_subject.items()]
    return ObservationScores(tuple(SubjectScores(one.subject, (one,)) for one in scored), points, tuple(found))


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

"""score --input, and the operation $hscore of Observations: the HScore from Observations alone, without any store.

No visits are told apart: every result of a subject counts, the worst of each item decides. A file may hold more than
memory does: what it says is laid aside by subject, and one subject is scored after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fhir_adapter import fhirjson
from fhir_adapter.intake.whose import whose
from fhir_adapter.issues import Issue
from fhir_adapter.jobs.file_results import (
    FileResults,
    held_open,
    name_of,
    nobodys,
    read_or_held_open,
    results_of_file,
)
from fhir_adapter.mappers.r4.read_result import may_hold_results, read_result
from fhir_adapter.scores import DEFAULT_CUTOFF, SubjectScores, score_everything, written
from fhir_adapter.trial import Result

_Resource = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ObservationScores:
    """One score per subject, of every Observation that could be used, and why others could not."""

    subjects: tuple[SubjectScores, ...]
    cutoff: int
    issues: tuple[Issue, ...]

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {**written(self.subjects, self.cutoff), "issues": [issue.to_dict() for issue in self.issues]}


class FileScoring:
    """The scores of a file, one subject after the other; to be read once, by `subjects`, `first` or `chunks`.

    The order is that in which the file names the subjects first. What is said of all of them (`scored`, `in_part`,
    `issues`, `kinds`) is whole when the last one is through.
    """

    def __init__(self, results: FileResults, cutoff: int | None) -> None:
        self._results = results
        self.cutoff = DEFAULT_CUTOFF if cutoff is None else cutoff
        self.subjects = self._scored()
        self.scored = 0

    @property
    def in_part(self) -> bool:
        """True when something that the scores should rest on could not be used."""
        return self._results.in_part

    def chunks(self) -> Iterator[bytes]:
        """The JSON form promised by the command, in pieces: joined, what `ObservationScores.to_dict` says."""
        before = b"{"
        for name, value in written((), self.cutoff).items():
            yield before + fhirjson.dumps(name) + b":"
            if name == "scores":
                yield from _array(fhirjson.dumps(window) for one in self.subjects for window in self._windows(one))
            elif name == "issues":
                yield from _array(self._results.notes())
            else:
                yield fhirjson.dumps(value)
            before = b","
        yield b"}"

    def first(self, shown: int) -> tuple[SubjectScores, ...]:
        """The first scores, for a screen; the others are computed too, so that `issues` and `scored` are of all."""
        first = tuple(islice(self.subjects, shown))
        for _ in self.subjects:
            pass
        return first

    def issues(self, shown: int | None = None) -> Iterator[Issue]:
        """Why Observations, or parts of the file, could not be used: all, or the first of them."""
        return self._results.issues(shown)

    def kinds(self) -> Mapping[str, int]:
        """How many issues there are of each code, the most frequent first."""
        return self._results.kinds()

    def _scored(self) -> Iterator[SubjectScores]:
        for subject, results in self._results.by_subject():
            self.scored += 1
            yield _score(subject, results, self.cutoff)

    def _windows(self, subject: SubjectScores) -> Iterable[object]:
        windows = written((subject,), self.cutoff)["scores"]
        assert isinstance(windows, list)
        return windows


@contextmanager
def scoring_of(path: Path, cutoff: int | None = None) -> Iterator[FileScoring]:
    """Read a file of whatever length, to be scored by the `subject` reference of its results, subject by subject.

    Needs room, and raises, as `results_of_file` does.
    """
    with results_of_file(path) as results:
        yield FileScoring(results, cutoff)


def score_file(path: Path, cutoff: int | None = None) -> ObservationScores:
    """All scores of a file at once; raises as `scoring_of` does."""
    with scoring_of(path, cutoff) as scoring:
        return ObservationScores(tuple(scoring.subjects), scoring.cutoff, tuple(scoring.issues()))


def score_observations(
    resources: Iterable[_Resource],
    cutoff: int | None = None,
    issues: Iterable[Issue] = (),
    unreadable: Iterable[_Resource] = (),
) -> ObservationScores:
    """Score every subject among these resources; what is no Observation is passed over.

    `issues` are those of reading them, which are told with the others. `unreadable` were refused before: of a subject
    that is scored, what they say of an analyte may be anything.
    """
    by_subject: dict[str, list[Result]] = {}
    found = list(issues)
    counting = [one for one in resources if may_hold_results(one)]
    names = {name_of(one) for one in counting}
    for resource in counting:
        patient = whose(resource)
        if patient is None:
            found.append(nobodys(resource))
            continue
        results, issues_of_it = read_or_held_open(resource, patient.key, names)
        found += issues_of_it
        by_subject.setdefault(patient.key, []).extend(results)
    for refused in unreadable:
        patient = whose(refused)
        if patient is not None and patient.key in by_subject:
            by_subject[patient.key] += _refused(refused, patient.key)
    points = DEFAULT_CUTOFF if cutoff is None else cutoff
    scored = tuple(_score(subject, results, points) for subject, results in by_subject.items())
    return ObservationScores(scored, points, tuple(found))


def _refused(resource: _Resource, subject: str) -> list[Result]:
    """What a refused resource holds open: nothing when it says itself that it does not count, or has no value."""
    answer = read_result(resource, subject)
    says_something = answer.results or any(issue.is_error for issue in answer.issues)
    return held_open(resource, subject) if says_something else []


def _score(subject: str, results: Iterable[Result], cutoff: int) -> SubjectScores:
    patient = subject if subject.startswith("Patient/") else None
    return SubjectScores(subject, (score_everything(subject, results, cutoff, patient),))


def _array(elements: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for element in elements:
        yield before + element
        before = b","
    yield b"]" if before == b"," else b"[]"

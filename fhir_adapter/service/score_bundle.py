"""How scores become the Bundle that `$hscore` answers: scores, on wish the results that were used, and what is to say.

The one out parameter is called `return` and is a Bundle, so the Bundle itself is the answer
(https://hl7.org/fhir/R4/operations.html#response).
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue
from fhir_adapter.mappers.canonical import BASE as CANONICAL_BASE
from fhir_adapter.scores import WindowScore
from fhir_adapter.serving.outcome import Problem, outcome, problem_of
from fhir_adapter.trial import Result

Resource = Mapping[str, object]
Entry = dict[str, object]

MOST_PROBLEMS = 100
"""How many problems an answer tells one by one; hostile content could have millions."""

_NAMED = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}", re.ASCII)
_ENTRIES = uuid.uuid5(uuid.NAMESPACE_URL, f"{CANONICAL_BASE}/OperationDefinition/hscore")


def bundle_of(entries: Sequence[Entry], issues: Iterable[Issue]) -> bytes:
    """The answer; an OperationOutcome is its last entry where there is something to say."""
    problems = problems_of(issues)
    every = [*entries, *([entry_of(outcome(problems))] if problems else [])]
    return fhirjson.dumps({"resourceType": "Bundle", "type": "collection", **({"entry": every} if every else {})})


def entry_of(resource: Resource, address: str = "") -> Entry:
    """An entry under its own address, else under one made of its content: the same score is the same entry."""
    if ":" not in address:
        address = f"urn:uuid:{uuid.uuid5(_ENTRIES, fhirjson.dumps(resource).decode())}"
    return {"fullUrl": address, "resource": resource}


def used_results(one: WindowScore) -> Iterator[Result]:
    """The hospital's results that count in a score."""
    for item in one.score.items:
        yield from (each.result for each in item.evidence if each.used and each.result.source == "hospital")


def problems_of(issues: Iterable[Issue]) -> list[Problem]:
    """Issues for an OperationOutcome: the first ones each, the others counted."""
    every = list(issues)
    problems = [_problem(issue) for issue in every[:MOST_PROBLEMS]]
    rest = Counter(issue.code for issue in every[MOST_PROBLEMS:])
    if rest:
        counted = ", ".join(f"{count} {code}" for code, count in rest.most_common())
        problems.append(Problem("too-long", f"and {rest.total()} more: {counted}", severity="warning"))
    return problems


def _problem(issue: Issue) -> Problem:
    """Which result, or which row of which file, it is about is said in words too."""
    problem = problem_of(issue, "processing")
    where = issue.where
    name = where.resource if where.resource and _NAMED.fullmatch(where.resource) else ""
    place = f"{where.file}:{where.line}" if where.file and where.line else where.file or ""
    said = " ".join(part for part in (place, name) if part)
    return replace(problem, message=f"{said}: {problem.message}") if said else problem

"""What HL7's own engine says of the corpus, and where that differs from what the corpus expects.

    python -m tests.validation.planted_defects.ask_hl7

Needs the engine (`python -m fhir_adapter.validation.backends.build_hl7`) and five minutes; without terminology server.
Writes `hl7.ndjson` beside the corpus: one line for each case or control on which the two differ.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fhir_adapter.issues import Issue
from fhir_adapter.validation.backends.hl7 import Hl7Backend
from fhir_adapter.validation.canonical_resources import profiles_folder
from tests.validation.planted_defects.loading import CORPUS, Case, read_cases, resource_of

RECORD: Final = CORPUS / "hl7.ndjson"
Said = frozenset[tuple[str, str]]
"""Severities and expressions."""


def main() -> int:
    """Ask, write what differs, and print the figures."""
    every = [*read_cases("cases.ndjson"), *read_cases("controls.ndjson")]
    with Hl7Backend([profiles_folder(), CORPUS / "profiles"]) as engine:
        lines = list(differing(engine, every))
    RECORD.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for verdict, count in sorted(Counter(line["verdict"] for line in lines).items()):
        sys.stdout.write(f"{verdict}: {count}\n")
    return 0


def differing(engine: Hl7Backend, cases: Iterable[Case]) -> Iterator[Mapping[str, object]]:
    """The lines of the record."""
    of_bases: dict[tuple[str, tuple[str, ...]], Said] = {}
    for case in cases:
        key = (case.base, tuple(case.profiles))
        if key not in of_bases:
            of_bases[key] = said(engine.check(resource_of(base_of(case)), case.profiles))
        answer = said(engine.check(resource_of(case), case.profiles))
        verdict = verdict_on(case, answer, of_bases[key])
        if verdict is not None:
            yield {"id": case.id, "verdict": verdict, "said": told(answer - of_bases[key])}


def base_of(case: Case) -> Case:
    """The same with nothing planted: what is said of it has nothing to do with the defect."""
    return Case(case.id, case.type, case.base, (), case.profiles, case.why)


def said(issues: Iterable[Issue]) -> Said:
    """Where the engine found something, and how bad."""
    return frozenset((severity(issue), place(issue.where.expression or "")) for issue in issues)


def severity(issue: Issue) -> str:
    """How bad; what ends the engine's reading of a resource is an error as well."""
    return "error" if issue.is_error else issue.severity


def place(expression: str) -> str:
    """A place without what the engine adds to it: `extension[0][url='...']`."""
    return expression.partition("[url=")[0]


def verdict_on(case: Case, answer: Said, base: Said) -> str | None:
    """In which way the engine differs; None when it does not."""
    if case.expect is None:
        return "error-at-control" if any(bad == "error" for bad, _ in answer) else None
    expected = case.expect
    if (expected.severity, expected.expression) in answer:
        return None
    if any(bad == expected.severity for bad, _ in answer - base):
        return "elsewhere"
    return "other-severity" if any(where == expected.expression for _, where in answer - base) else "not-found"


def told(answer: Said) -> list[str]:
    """As texts, errors and warnings only."""
    return sorted(f"{bad} {where}" for bad, where in answer if bad in ("error", "warning"))


if __name__ == "__main__":
    raise SystemExit(main())

"""How files are put into the sandbox before it listens: JSON, NDJSON and Bundles, resources keeping their ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Misconfigured, Rejected, Where
from fhir_adapter.sandbox.calls import Address, Call
from fhir_adapter.sandbox.dispatch import Sandbox
from fhir_adapter.serving.outcome import FhirError, Problem

LINES_AT_ONCE = 1000
LINE_SUFFIXES = frozenset({".ndjson", ".jsonl"})

_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\](?:\.resource)?\.?(.*)")


class _Line(NamedTuple):
    number: int
    value: Any


def load_files(paths: Sequence[Path], sandbox: Sandbox, base: str) -> int:
    """Store what the files hold and give the number of resources.

    A Bundle of type transaction or batch is done as if it were posted. Resources with an id keep it, loading them
    again changes nothing; those without get a new one each time. Raises `Misconfigured` for a file that cannot be
    read, `Rejected` with the issues for one that holds what cannot be stored; of that file or part nothing is kept.
    """
    return sum(_load_file(path, sandbox, base) for path in paths)


def _load_file(path: Path, sandbox: Sandbox, base: str) -> int:
    lines = _lines(path)
    count = 0
    while part := list(islice(lines, LINES_AT_ONCE)):
        count += _load_part(path, part, sandbox, base)
    return count


def _lines(path: Path) -> Iterator[_Line]:
    """The values of a file with their lines; raises `Misconfigured` or `Rejected` where it cannot be read."""
    try:
        with path.open("rb") as file:
            if path.suffix.lower() not in LINE_SUFFIXES:
                yield from _values(path, file.read())
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _Line(number, _parsed(path, number, line))
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read: {error.strerror}") from error


def _values(path: Path, raw: bytes) -> list[_Line]:
    """The entries of a collection Bundle, or the one value of the file."""
    value = _parsed(path, None, raw)
    entries = value.get("entry", []) if isinstance(value, dict) and value.get("resourceType") == "Bundle" else None
    if not isinstance(entries, list) or _is_posted(value):
        return [_Line(0, value)]
    return [_Line(0, entry) for entry in entries]


def _is_posted(value: dict[str, Any]) -> bool:
    return value.get("resourceType") == "Bundle" and value.get("type") in ("transaction", "batch")


def _parsed(path: Path, line: int | None, raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return fhirjson.loads(raw)
    except fhirjson.JsonError as error:
        raise _rejected(path, [Issue("error", "not-json", str(error), Where(str(path), line))]) from error


def _load_part(path: Path, part: list[_Line], sandbox: Sandbox, base: str) -> int:
    first = part[0].value
    posted = len(part) == 1 and isinstance(first, dict) and _is_posted(first)
    bundle = first if posted else {"resourceType": "Bundle", "type": "transaction", "entry": [*map(_entry, part)]}
    call = Call("POST", Address("system"), base, sandbox.behaviour, resource=bundle)
    try:
        answer = sandbox.answer(call)
    except FhirError as error:
        raise _rejected(path, [_issue(path, problem, part) for problem in error.problems]) from error
    return _stored(path, fhirjson.loads(answer.body).get("entry", []))


def _entry(line: _Line) -> dict[str, Any]:
    """An entry that stores a resource under its id, or under a new one; what is no resource is refused later."""
    found = line.value if isinstance(line.value, dict) else {}
    resource = found if "resourceType" in found else found.get("resource", {})
    kind, own_id = resource.get("resourceType", ""), resource.get("id")
    request = {"method": "PUT", "url": f"{kind}/{own_id}"} if own_id else {"method": "POST", "url": str(kind)}
    named = {"fullUrl": found["fullUrl"]} if resource is not found and "fullUrl" in found else {}
    return {**named, "resource": resource, "request": request}


def _stored(path: Path, entries: list[dict[str, Any]]) -> int:
    """The number of entries answered well; raises `Rejected` for a batch of which some were refused."""
    failed = [(n, entry) for n, entry in enumerate(entries) if "outcome" in entry["response"]]
    if failed:
        issues = [
            Issue("error", "not-stored", issue["diagnostics"], Where(str(path), expression=f"Bundle.entry[{n}]"))
            for n, entry in failed
            for issue in entry["response"]["outcome"]["issue"]
        ]
        raise _rejected(path, issues)
    return len(entries)


def _issue(path: Path, problem: Problem, part: list[_Line]) -> Issue:
    match = _ENTRY.match(problem.expression or "")
    line = part[min(int(match[1]), len(part) - 1)] if match else None
    resource = line.value if line and isinstance(line.value, dict) else {}
    kind = resource.get("resourceType") or "Resource"
    expression = f"{kind}.{match[2]}" if match and line and line.number and match[2] else problem.expression
    where = Where(str(path), line.number or None if line else None, None, expression)
    return Issue(problem.severity, problem.detail or "not-stored", problem.message, where)


def _rejected(path: Path, issues: list[Issue]) -> Rejected:
    return Rejected(f"{path}: {len(issues)} problem(s), first: {issues[0].message} ({issues[0].where})", *issues)

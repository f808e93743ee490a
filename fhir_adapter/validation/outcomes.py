"""How findings become an OperationOutcome, and the OperationOutcome of another validator findings of ours.

Sources: https://hl7.org/fhir/R4/operationoutcome.html, and for file, line and column the extensions
`operationoutcome-file`, `operationoutcome-issue-line` and `operationoutcome-issue-col` that HL7 defines beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from fhir_adapter.issues import Issue, Severity, Source, Where
from fhir_adapter.serving.outcome import ISSUE_CODES, problem_of

Json = Mapping[str, Any]

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/operationoutcome-"
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "fatal": "fatal",
    "error": "error",
    "warning": "warning",
    "information": "information",
}
FOREIGN_CODES: Final[Mapping[str, str]] = {
    "business-rule": "other-business-rule",
    "code-invalid": "other-code-invalid",
    "informational": "other-informational",
    "invalid": "other-invalid",
    "invariant": "other-invariant",
    "not-found": "other-not-found",
    "not-supported": "other-not-supported",
    "processing": "other-processing",
    "required": "other-required",
    "structure": "other-structure",
    "value": "other-value",
}
"""FHIR's kinds of issue, as codes of ours: what another validator found, in its own words."""

OTHER: Final = "other-finding"
"""The code for every other kind."""

_COMMENT = re.compile(r"/\*.*?\*/")
_LITERAL = re.compile(r"'(?![a-z]+:[^\s']*')[^']*'")
"""A text in a path, as in `where(family = 'Miller')`, that is no address."""

_PLACE = re.compile(r"Line\[(?P<line>\d{1,9})\] Col\[(?P<column>\d{1,9})\]|\[(?P<row>\d{1,9}),\s*(?P<place>\d{1,9})\]")
_INVARIANT = re.compile(r"(?P<profile>[a-z]+:[^\s#|]+)(?:\|[^#\s]*)?#(?P<key>[A-Za-z0-9.-]{1,64})")
_BROKEN = re.compile(r"Constraint failed: (?P<key>[A-Za-z0-9.-]{1,64}):")
_FROM = re.compile(r"\(from (?P<profile>[a-z]+:[^\s|)]+)(?:\|[^)]*)?\)")
_RULE = re.compile(r"[A-Za-z0-9_.#:/-]{1,200}")
_SAFE_KEYS = frozenset(
    {*("code", "fullUrl", "method", "mode", "profile", "reference", "resourceType"), *("status", "system", "type")}
    | {"unit", "url", "use", "version", "versionId"}
)
"""Elements whose values are words of a definition or addresses, not what was found of a subject."""
_LONGEST_MESSAGE = 1000
_LEFT_OUT = "…"


# Ours, as an OperationOutcome


def outcome_issue(issue: Issue) -> dict[str, object]:
    """One element `OperationOutcome.issue`, with file, line and column where they are known."""
    kind = next((kind for kind, code in FOREIGN_CODES.items() if code == issue.code), "processing")
    told = problem_of(issue, kind if issue.source != "native" else "structure").to_dict()
    extensions = list(_extensions(issue))
    return {"extension": extensions, **told} if extensions else told


def _extensions(issue: Issue) -> Iterator[dict[str, object]]:
    where = issue.where
    if where.file is not None:
        yield {"url": f"{_EXTENSION}file", "valueString": where.file}
    if where.line is not None:
        yield {"url": f"{_EXTENSION}issue-line", "valueInteger": where.line}
    if where.column is not None:
        yield {"url": f"{_EXTENSION}issue-col", "valueInteger": where.column}
    if issue.source != "native":
        yield {"url": f"{_EXTENSION}issue-source", "valueString": issue.source}


# Another validator's, as ours


def issues_of(outcome: object, source: Source, resource: Json) -> list[Issue]:
    """What an OperationOutcome says of a resource; that all is well is no finding."""
    stated = outcome.get("issue") if isinstance(outcome, dict) else None
    found = [one for one in (stated if isinstance(stated, list) else ()) if isinstance(one, dict)]
    values = values_of(resource)
    return [_issue(one, source, resource, values) for one in found if not _says_all_well(one)]


def _says_all_well(stated: Json) -> bool:
    """True for what servers answer when there is nothing to say."""
    mild = stated.get("severity") in ("information", "success")
    placed = bool(stated.get("expression"))
    return mild and not placed and stated.get("code") in ("informational", "success")


def _issue(stated: Json, source: Source, resource: Json, values: Sequence[str]) -> Issue:
    told = _message(stated)
    severity = _SEVERITIES.get(str(stated.get("severity")), "error")
    line, column = _line_and_column(stated)
    where = Where(None, line, label_of(resource), expression_of(_expression(stated)), column)
    rule, profile = rule_of(_message_id(stated), told)
    code = _own_code(stated) or FOREIGN_CODES.get(str(stated.get("code")), OTHER)
    return Issue(severity, code, without_values(told, values), where, rule, profile, source)


def foreign_code(kind: object) -> str:
    """The code for a kind of issue that another validator names."""
    return FOREIGN_CODES.get(str(kind), OTHER)


def severity_of(stated: object) -> Severity:
    """The severity that another validator names; an unknown one is an error, for nobody knows that it is less."""
    return _SEVERITIES.get(str(stated), "error")


def label_of(resource: Json) -> str:
    """`Observation/1`, or the type alone."""
    kind, name = str(resource.get("resourceType", "Resource"))[:64], resource.get("id")
    return f"{kind}/{name}" if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,64}", name) else kind


def expression_of(text: object) -> str | None:
    """A FHIRPath without the comments that HL7's engine puts into it, without texts, and without what is no path."""
    if not isinstance(text, str) or not text:
        return None
    path = _LITERAL.sub(f"'{_LEFT_OUT}'", _COMMENT.sub("", text))
    return path[:500] if re.match(r"[A-Za-z]", path) and not _PLACE.match(path) else None


def rule_of(identifier: str | None, message: str) -> tuple[str | None, str | None]:
    """The rule and the profile that another validator means: an invariant's key, or its own name of the message."""
    named = _INVARIANT.fullmatch(identifier or "")
    if named:
        return named["key"], named["profile"]
    broken, origin = _BROKEN.match(message), _FROM.search(message)
    profile = origin["profile"] if origin else None
    if broken:
        return broken["key"], profile
    return (identifier if identifier and _RULE.fullmatch(identifier) else None), profile


def _message(stated: Json) -> str:
    details = stated.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    told = text or stated.get("diagnostics")
    return str(told) if told else "no words were given"


def _expression(stated: Json) -> object:
    for name in ("expression", "location"):
        found = stated.get(name)
        if isinstance(found, list) and found:
            return found[0]
    return None


def _message_id(stated: Json) -> str | None:
    """HL7's own name of a message, as HAPI puts it into `details.coding` and others into an extension."""
    for one in _dicts(stated.get("extension")):
        if str(one.get("url")).endswith("operationoutcome-message-id"):
            return str(one.get("valueCode") or one.get("valueString"))
    for one in _codings(stated):
        if one.get("system") != ISSUE_CODES and isinstance(one.get("code"), str):
            return str(one["code"])
    return None


def _own_code(stated: Json) -> str | None:
    """Our own code, where the other validator is this program's service."""
    for one in _codings(stated):
        if one.get("system") == ISSUE_CODES and re.fullmatch(r"[a-z][a-z-]{1,40}", str(one.get("code"))):
            return str(one["code"])
    return None


def _codings(stated: Json) -> list[Json]:
    details = stated.get("details")
    return _dicts(details.get("coding")) if isinstance(details, dict) else []


def _dicts(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _line_and_column(stated: Json) -> tuple[int | None, int | None]:
    """Where in the text that was sent it is: extensions, `Line[1] Col[82]` among locations, `[1,82]` as diagnostics."""
    told = {
        str(one.get("url")).removeprefix(_EXTENSION): one.get("valueInteger") for one in _dicts(stated.get("extension"))
    }
    line, column = told.get("issue-line"), told.get("issue-col")
    if isinstance(line, int):
        return line, column if isinstance(column, int) else None
    locations = stated.get("location")
    for text in (*(locations if isinstance(locations, list) else ()), stated.get("diagnostics")):
        found = _PLACE.fullmatch(str(text))
        if found:
            return int(found["line"] or found["row"]), int(found["column"] or found["place"])
    return None, None


# Words of another validator repeat what they refuse; what a subject's record says is left out of them


def values_of(resource: object) -> list[str]:
    """The texts and numbers of a resource that are neither codes nor addresses, the longest first."""
    found: set[str] = set()
    waiting: list[tuple[str, object]] = [("", resource)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += ((key, one) for one in value)
        elif isinstance(value, str | int | Decimal) and not isinstance(value, bool) and key not in _SAFE_KEYS:
            found.add(str(value))
    return sorted((one for one in found if len(one) > 1), key=len, reverse=True)


def without_values(message: str, values: Sequence[str]) -> str:
    """The message without any of these values, and not longer than a person reads."""
    for value in values:
        if value in message:
            message = re.sub(rf"(?<![\w.]){re.escape(value)}(?!\w)", _LEFT_OUT, message)
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}{_LEFT_OUT}"

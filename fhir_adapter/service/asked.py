"""What a call of `$hscore` or `$validate` asks for: its query, or the Parameters resource that it sent.

Source: https://hl7.org/fhir/R4/operations.html#executing, parameters as our OperationDefinition names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from fhir_adapter.scores import MAXIMUM
from fhir_adapter.serving.content import without_format
from fhir_adapter.serving.outcome import refusal

HSCORE = {"window": "valueString", "cutoff": "valueInteger", "evidence": "valueBoolean"}
"""The simple parameters of `$hscore`, each with the type in which Parameters carry it."""
VALIDATE = {"profile": "valueUri", "mode": "valueCode"}

_ALIKE = {
    "valueString": ("valueString", "valueCode"),
    "valueUri": ("valueUri", "valueCanonical", "valueUrl", "valueString"),
    "valueCode": ("valueCode", "valueString"),
}
_TEXTS = {
    "valueString": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII),  # the name of a window
    "valueUri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,999}", re.ASCII),
    "valueCode": re.compile(r"[a-z][a-z-]{0,31}", re.ASCII),
}
"""What a text of each type can be; whatever else stands there is no name of ours and may be anything."""
_KINDS = {"observation": "Observation", "bundle": "Bundle"}
_ONCE = ("bundle", "resource")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of one call; `resources` are those sent, with the place of each."""

    window: str | None = None
    cutoff: int | None = None
    evidence: bool = False
    profile: str | None = None
    mode: str | None = None
    resources: tuple[tuple[str, Mapping[str, object]], ...] = field(default=())


def of_query(raw: bytes, known: Mapping[str, str]) -> Asked:
    """What a query asks for; raises `FhirError` 400 for a parameter that is unknown, said twice or wrong.

    A mistyped parameter is never ignored: the answer would be to another question.
    """
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise refusal(400, "invalid", "the query cannot be read: not UTF-8, or more than 100 parameters") from error
    asked = without_format([(name, value) for name, value in pairs if name != "_pretty"])
    for name in {name for name, _ in asked}:
        _check_name(name, [one for one, _ in asked].count(name), known)
    return _asked({name: _typed(name, value, known) for name, value in asked})


def of_parameters(resource: Mapping[str, object], known: Mapping[str, str], resources: Sequence[str] = ()) -> Asked:
    """What a Parameters resource asks for; raises `FhirError` as `of_query` does, `resources` may be sent in it."""
    parts = resource.get("parameter", [])
    _check_keys(resource, ("resourceType", "id", "meta", "language", "parameter"), "Parameters")
    if not isinstance(parts, list):
        raise refusal(400, "structure", "parameter is not an array", "Parameters.parameter")
    values: dict[str, object] = {}
    sent: list[tuple[str, Mapping[str, object]]] = []
    for name, part, place in _parts(parts):
        if name in resources:
            if name in values:
                raise refusal(400, "invalid", f"{name} may be sent once", place)
            if name in _ONCE:
                values[name] = None
            sent.append((f"{place}.resource", _resource(name, part, place)))
            continue
        _check_name(name, 2 if name in values else 1, known, place)
        values[name] = _value(name, part, place, known[name])
    simple = {name: value for name, value in values.items() if name in known}
    return replace(_asked(simple), resources=tuple(sent))


def _parts(parts: list[object]) -> Iterator[tuple[str, Mapping[str, object], str]]:
    for number, part in enumerate(parts):
        place = f"Parameters.parameter[{number}]"
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise refusal(400, "structure", "a parameter is an object with a name", place)
        _check_keys(part, ("id", "name", "resource", *(key for key in part if key.startswith("value"))), place)
        yield part["name"], part, place


def require_type(resource: object, kinds: Sequence[str]) -> None:
    """Raise `FhirError` 400 for what is no resource of one of these types."""
    found = resource.get("resourceType") if isinstance(resource, dict) else None
    if found not in kinds:
        raise refusal(400, "invalid", f"resourceType must be {' or '.join(kinds)} here", "resourceType")


def _check_keys(stated: Mapping[str, object], known: Sequence[str], place: str) -> None:
    """Whatever else is said there would change the question, and is not understood."""
    if not stated.keys() <= set(known):
        raise refusal(400, "not-supported", f"nothing is read here but {', '.join(known)}", place)


def _resource(name: str, part: Mapping[str, object], place: str) -> Mapping[str, object]:
    found = part.get("resource")
    kind = _KINDS.get(name)
    if not isinstance(found, dict) or (kind is not None and found.get("resourceType") != kind):
        raise refusal(400, "invalid", f"the parameter {name} carries a resource, {kind or 'of any type'}", place)
    return found


def _check_name(name: str, times: int, known: Mapping[str, str], place: str | None = None) -> None:
    if name not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "they stand in the Parameters that are sent"
        raise refusal(400, "not-supported", f"no parameter of that name here; {there}", place)
    if times > 1:
        raise refusal(400, "invalid", f"{name} may be said once", place)


def _typed(name: str, text: str, known: Mapping[str, str]) -> object:
    """The value of a query's text."""
    if known[name] == "valueInteger" and text.isascii() and text.isdigit() and len(text) < len("1000"):
        return int(text)
    if known[name] == "valueBoolean" and text in _BOOLEANS:
        return _BOOLEANS[text]
    if known[name] in _TEXTS and _TEXTS[known[name]].fullmatch(text):
        return text
    raise _wrong(name, known[name], None)


def _value(name: str, part: Mapping[str, object], place: str, kind: str) -> object:
    found = [key for key in part if key.startswith("value")]
    value = part[found[0]] if len(found) == 1 and found[0] in _ALIKE.get(kind, (kind,)) else None
    if isinstance(value, str) and kind in _TEXTS and _TEXTS[kind].fullmatch(value):
        return value
    if (kind == "valueInteger" and type(value) is int) or (kind == "valueBoolean" and isinstance(value, bool)):
        return value
    raise _wrong(name, kind, place)


def _wrong(name: str, kind: str, place: str | None) -> Exception:
    what = kind.removeprefix("value").lower()
    return refusal(400, "value", f"{name} is one {what}", place)


def _asked(values: Mapping[str, object]) -> Asked:
    cutoff = values.get("cutoff")
    if isinstance(cutoff, int) and not 0 <= cutoff <= MAXIMUM:
        raise refusal(422, "value", f"cutoff is from 0 to {MAXIMUM}")
    checked: dict[str, Any] = dict(values)  # each against its type, above
    return Asked(**checked)

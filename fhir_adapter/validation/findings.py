"""How a defect of a resource is said: one issue with a stable code, the place and the broken rule, never the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from fhir_adapter.issues import Issue, Where

Code = Literal[
    "no-resource-type",
    "unknown-element",
    "wrong-json-type",
    "float-not-decimal",
    "missing-element",
    "too-many",
    "unexpected-array",
    "expected-array",
    "empty",
    "null",
    "two-choices",
    "code-not-allowed",
    "format",
    "reference-type",
    "unresolved-fragment",
    "sibling-length",
    "control-character",
    "bidi-control",
    "invariant",
    "too-deep",
    "more-defects",
]

CODES: Final[Mapping[Code, str]] = {
    "no-resource-type": "A resource has no `resourceType`, or it is not a text.",
    "unknown-element": "FHIR R4 has no element of this name here.",
    "wrong-json-type": "The JSON value has another type than the element: a number as text, an object for a text.",
    "float-not-decimal": "The number is a binary float, so its digits are lost already; it must be a `Decimal`.",
    "missing-element": "An element that must be there is not.",
    "too-many": "The element has more items than FHIR R4 allows.",
    "unexpected-array": "An array stands where the element occurs at most once.",
    "expected-array": "The element repeats, so it must be an array even with one item.",
    "empty": "An object, array or text is empty; what is empty must be left out.",
    "null": "`null` stands where it means nothing: only arrays of primitives with a `_` sibling may hold it.",
    "two-choices": "Two types of one choice element (`value[x]`) are present at once.",
    "code-not-allowed": "The code is outside the value set that FHIR R4 binds as required.",
    "format": "The text or number does not have the form of its primitive type.",
    "reference-type": "The reference points to a resource type that is not allowed here.",
    "unresolved-fragment": "A reference `#id` has no contained resource of that id.",
    "sibling-length": "An array of primitives and its `_` sibling differ in length.",
    "control-character": "A text holds a control character other than tab, carriage return and line feed.",
    "bidi-control": "An identifying text holds a character that changes the direction in which it is shown.",
    "invariant": "A rule between elements is broken; `rule` names it (obs-6, ext-1).",
    "too-deep": "The resource is nested too deep to be checked.",
    "more-defects": "The resource has so many defects that the rest was not looked at.",
}
"""Every issue code of the structural check, with what it means."""

_SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SAFE_CODE = re.compile(r"[a-z][a-z-]{0,31}")
_SHOWN = 15
_NUMBERS = (int, float, Decimal)


MOST_ISSUES = 100
"""How many defects of one resource are told: one request could hold a million."""


class TooManyError(Exception):
    """The resource has more defects than are told."""


@dataclass(slots=True)
class Scan:
    """One walk over one resource: its name, what it contains, and what was found wrong so far."""

    resource: str
    contained: Mapping[str, str]
    issues: list[Issue] = field(default_factory=list)
    is_contained: bool = False

    def report(self, code: Code, message: str, expression: str, rule: str) -> None:
        """Note one error at the FHIRPath `expression`; raises `TooManyError` where there are enough."""
        if len(self.issues) >= MOST_ISSUES:
            raise TooManyError
        self.issues.append(Issue("error", code, message, Where(resource=self.resource, expression=expression), rule))


def is_safe_name(name: object) -> bool:
    """True for a key that can be an element's name, so that it may be shown."""
    return isinstance(name, str) and _SAFE_NAME.fullmatch(name) is not None


def shown_code(value: object) -> str:
    """The code in quotes when it looks like one and not like a name; else no word of it: it may be a subject's data."""
    return repr(value) if isinstance(value, str) and _SAFE_CODE.fullmatch(value) else "the code"


def one_of(names: Iterable[str]) -> str:
    """Names in quotes for a message; of a long list only the first."""
    every = list(names)
    shown = ", ".join(repr(name) for name in every[:_SHOWN])
    return shown if len(every) <= _SHOWN else f"{shown} and {len(every) - _SHOWN} more"


def json_type(value: object) -> str:
    """What a JSON reader calls the value, without the value."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return "null" if value is None else "a number" if isinstance(value, _NUMBERS) else f"a {type(value).__name__}"

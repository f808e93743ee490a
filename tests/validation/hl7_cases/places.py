"""Where a validator finds what: severity and place in a form in which two validators can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_SEVERITIES = {"fatal": "error", "error": "error", "warning": "warning"}
_ASIDE = re.compile(r"/\*.*?\*/|\.ofType\(\w+\)|\[url='[^']*'\]")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An error or a warning at a FHIRPath expression."""

    severity: str
    expression: str

    @classmethod
    def of(cls, severity: str, expression: str | None) -> Self | None:
        """The place of a finding; None for what is only information."""
        kind = _SEVERITIES.get(severity)
        return None if kind is None else cls(kind, normalised(expression or ""))

    def is_of(self, severity: str, expression: str | None) -> bool:
        """Whether a finding is the one meant."""
        return self == Place.of(severity, expression)

    def __str__(self) -> str:
        return f"{self.severity} {self.expression}"


def normalised(expression: str) -> str:
    """An expression without what the Java engine adds: `/*Type/id*/`, `[url='...']`, and the types of choices.

    `Bundle.entry[0].resource/*Observation/o1*/.value.ofType(Quantity)` is `Bundle.entry[0].resource.value`.
    """
    return _ASIDE.sub("", expression)


def errors(places: frozenset[Place]) -> frozenset[Place]:
    """The errors among them."""
    return frozenset(place for place in places if place.severity == "error")

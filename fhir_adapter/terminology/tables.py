"""Which tables say what an analyte, a unit and a finding are: `analytes.toml` and `findings.toml`, read once.

A table that contradicts itself (a code twice, an alias without its unit, a binary float) stops the program at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from fhir_adapter.trial import Interval

LOINC = "http://loinc.org"
HSCORE_ITEM = "https://w3id.org/fhir-adapter/CodeSystem/hscore-item"
"""The system of the items of the score that are not numbers."""

Coding = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that is read: what tells it from the others, and the method that its results carry."""

    name: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class UnitFactor:
    """How a unit reads in the canonical one: (value - zero) times factor, exactly."""

    factor: Fraction
    zero: Fraction = Fraction(0)

    def apply(self, value: Fraction) -> Fraction:
        """The value in the canonical unit."""
        return (value - self.zero) * self.factor


@dataclass(frozen=True, slots=True)
class Edge:
    """A value at which points change; `relation` (< <= > >=) says on which side the value itself lies."""

    relation: str
    value: Fraction

    def holds(self, value: Fraction) -> bool:
        """True when the value lies on the side that the relation names."""
        return Interval.of(self.value, self.relation).contains(Interval.of(value))


@dataclass(frozen=True, slots=True)
class Near:
    """A flag for values that came in one of the units and lie beside an edge, where rounding decides."""

    units: tuple[str, ...]
    edge: Fraction
    within: Fraction
    flag: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A flag for values that a person can have, and that are more likely meant in another unit than they came in."""

    units: tuple[str, ...]
    low: Fraction
    high: Fraction
    flag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyte:
    """What is measured: its canonical unit, the LOINC codes and units that are read, and what cannot be true.

    `scored` analytes count in the HScore; a hospital is searched for their codes alone.
    """

    name: str
    unit: str
    scored: bool
    codes: Mapping[str, Code]
    configured: Mapping[str, str]
    rejected: Mapping[str, str]
    units: Mapping[str, UnitFactor]
    aliases: Mapping[str, str]
    limits: Interval
    edges: tuple[Edge, ...]
    near: tuple[Near, ...]
    divisors: Mapping[str, Fraction]
    doubts: tuple[Doubt, ...] = ()

    def ucum(self, written: str) -> str | None:
        """The UCUM unit that is meant by what was written: the alias table first, then the analyte's units."""
        found = self.aliases.get(written, written)
        return found if found in self.units else None


@dataclass(frozen=True, slots=True)
class FindingCode:
    """A code that asks for a finding of the score."""

    name: str
    needs_marrow: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """Codes of findings, codes that look alike, and the answers present and absent (texts have the system '')."""

    codes: Mapping[Coding, FindingCode]
    rejected: Mapping[Coding, str]
    answers: Mapping[Coding, bool]


@cache
def analytes() -> Mapping[str, Analyte]:
    """Every analyte by its name, in the order of the table."""
    raw = _read("analytes.toml")
    found = {name: _analyte(name, table, raw) for name, table in raw.items()}
    codes = [code for one in found.values() for code in (*one.codes, *one.configured, *one.rejected)]
    _once(codes, "LOINC code")
    return MappingProxyType(found)


@cache
def findings() -> Findings:
    """Every code of a finding, and every coded answer."""
    raw = _read("findings.toml")
    systems: Mapping[str, list[str]] = raw["systems"]
    rejected = {
        (system, code): reason
        for name, codes in raw["rejected"].items()
        for system in systems[name]
        for code, reason in codes.items()
    }
    answers = [(coding, said == "present") for said in ("present", "absent") for coding in _codings(raw[said], systems)]
    codes = [
        (coding, FindingCode(name, coding[1] in table.get("needs_marrow", ())))
        for name, table in raw["findings"].items()
        for coding in _codings(table, systems)
    ]
    _once([coding for coding, _ in (*codes, *answers)], "code of a finding")
    return Findings(MappingProxyType(dict(codes)), MappingProxyType(rejected), MappingProxyType(dict(answers)))


def _codings(table: Mapping[str, list[str]], systems: Mapping[str, list[str]]) -> Iterator[Coding]:
    for name, codes in table.items():
        if name != "needs_marrow":
            yield from ((system, code) for system in systems.get(name, [""]) for code in codes)


def _analyte(name: str, table: Mapping[str, Any], raw: Mapping[str, Any]) -> Analyte:
    same = raw[table["like"]] if "like" in table else table
    aliases = [(text, ucum) for ucum, texts in same["aliases"].items() for text in texts]
    _once([text for text, _ in aliases], f"alias of {name}")
    units = {ucum: _factor(stated) for ucum, stated in same["units"].items()}
    if units.get(table["unit"]) != UnitFactor(Fraction(1)) or not {ucum for _, ucum in aliases} <= set(units):
        raise ValueError(f"analytes.toml: {name} needs its own unit with factor 1, and the unit of every alias")
    return Analyte(
        name=name,
        unit=table["unit"],
        scored=table["scored"],
        codes=MappingProxyType({code: Code(**stated) for code, stated in table["codes"].items()}),
        configured=MappingProxyType(table.get("configured", {})),
        rejected=MappingProxyType(table.get("rejected", {})),
        units=MappingProxyType(units),
        aliases=MappingProxyType(dict(aliases)),
        limits=_limits(*table["limits"]),
        edges=tuple(_edge(text) for text in table.get("edges", ())),
        near=tuple(_near(one) for one in table.get("near", ())),
        divisors=MappingProxyType({ucum: _exact(text) for ucum, text in table.get("divisors", {}).items()}),
        doubts=tuple(_doubt(one) for one in table.get("doubts", ())),
    )


def _factor(stated: object) -> UnitFactor:
    if isinstance(stated, dict):
        return UnitFactor(_exact(stated["factor"]), _exact(stated["zero"]))
    return UnitFactor(_exact(stated))


def _limits(low: str, high: str | None = None) -> Interval:
    return Interval(_exact(low), _exact(high) if high is not None else None)


def _edge(text: str) -> Edge:
    value = text.lstrip("<>=")
    return Edge(text.removesuffix(value), _exact(value))


def _near(stated: Mapping[str, Any]) -> Near:
    return Near(tuple(stated["units"]), _exact(stated["edge"]), _exact(stated["within"]), stated["flag"])


def _doubt(stated: Mapping[str, Any]) -> Doubt:
    low, high = map(_exact, stated["between"])
    return Doubt(tuple(stated["units"]), low, high, stated["flag"])


def _exact(text: object) -> Fraction:
    """A number that was written as text: TOML's own numbers are binary floats."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} must be written as text")
    return Fraction(text)


def _once(things: list[Any], what: str) -> None:
    twice = {str(one) for one in things if things.count(one) > 1}
    if twice:
        raise ValueError(f"{what} twice: {', '.join(sorted(twice))}")


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))

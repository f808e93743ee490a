"""What a set of criteria says of a subject: each criterion met, not met or undetermined, and the whole of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from fhir_adapter.issues import Issue
from fhir_adapter.scores.model import Evidence
from fhir_adapter.terminology import analytes
from fhir_adapter.trial import Interval, Result

Verdict = Literal["met", "not met", "undetermined"]
Status = Literal["met", "not met", "undetermined", "not applicable", "outside its population"]
State = Literal["measured", "partial", "not_done", "unknown", "conflicting", "not_interpretable"]


@dataclass(frozen=True, slots=True)
class Limit:
    """The values of an analyte that fulfil a criterion, as printed: UCUM unit and value, the first one for all others.

    A second unit is there where what is printed in it is not the same value: 3.0 mmol/L and 265 mg/dL.
    """

    relation: str
    printed: Mapping[str, str]

    def words(self, analyte: str, result: Result | None = None) -> str:
        """The limit as printed, in the unit that a result is compared in."""
        unit = self._unit(analyte, result)
        return f"{self.relation} {self.printed[unit]} {unit}"

    def values(self, analyte: str, result: Result) -> Interval:
        """All values that fulfil it, in the canonical unit; the edge is the one printed for the unit received."""
        unit = self._unit(analyte, result)
        edge = analytes()[analyte].units[unit].apply(Fraction(self.printed[unit]))
        return Interval.of(edge, self.relation)

    def _unit(self, analyte: str, result: Result | None) -> str:
        first = next(iter(self.printed))
        received = received_in(analyte, result) if result is not None and len(self.printed) > 1 else first
        return next((unit for unit in self.printed if _of_moles(unit) == _of_moles(received)), first)


def received_in(analyte: str, result: Result) -> str:
    """The UCUM unit in which a result came: the one whose factor leads from its number to its interval.

    The unit as written is the site's own word and may be in no table here; the factor that was used is exact.
    """
    known = analytes()[analyte]
    interval = result.interval or Interval()
    end = interval.low if interval.low is not None else interval.high
    for unit, factor in known.units.items():
        if end and result.value and factor.apply(Fraction(result.value)) == end:
            return unit
    return known.ucum(result.unit) or known.unit


def _of_moles(unit: str) -> bool:
    return "mol" in unit


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of criteria: fulfilled when at least so many of its parts are.

    `if_stated` are parts that count only where somebody stated them; nothing stated there leaves nothing open.
    `required` rows are needed whatever the count of the others.
    """

    item: str
    parts: tuple[str, ...]
    at_least: int = 1
    if_stated: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """What is printed of a set of criteria: where it stands, its limits, and what a reader must know.

    `fever` (Cel) is the setting of its own; `limits` holds all others, by part. So many counted rows are `needed`.
    """

    name: str
    title: str
    citation: str
    caution: str
    fever: str
    needed: int
    limits: Mapping[str, Limit]
    rows: tuple[Row, ...]

    def limits_with(self, fever: str) -> Mapping[str, Limit]:
        """The table with a setting of fever, in Cel."""
        return {"temperature": Limit(">=", {"Cel": fever}), **self.limits}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a subject, the evidence of it, and why it reads as it does."""

    item: str
    verdict: Verdict
    state: State
    why: str
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """A whole set of criteria: how many are certainly met (`low`) and can be met (`high`), and whether enough are.

    `apart` is what is told beside the count: another way in. `why` says what stands in the way of an answer.
    """

    items: tuple[Criterion, ...]
    needed: int
    status: Status
    why: str = ""
    apart: Criterion | None = None

    @property
    def counted(self) -> tuple[Criterion, ...]:
        """The criteria of which enough must be met."""
        return tuple(one for one in self.items if not one.required)

    @property
    def low(self) -> int:
        """How many of them are certainly met."""
        return sum(one.verdict == "met" for one in self.counted)

    @property
    def high(self) -> int:
        """How many of them can be met."""
        return sum(one.verdict != "not met" for one in self.counted)

    @property
    def anything(self) -> bool:
        """True when at least one result counts for at least one criterion."""
        return any(found.used and not found.result.not_done for one in self.items for found in one.evidence)

    def item(self, name: str) -> Criterion:
        """One criterion by its name."""
        return next(one for one in self.items if one.item == name)


@dataclass(frozen=True, slots=True)
class WindowCriteria:
    """The criteria of a subject at a visit; `as_of` is the data cut."""

    subject: str
    window: str
    criteria: Criteria
    patient: str | None = None
    as_of: str | None = None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True, slots=True)
class SubjectCriteria:
    """Everything computed for one subject; `issues` say why something was not."""

    subject: str
    windows: tuple[WindowCriteria, ...]
    issues: tuple[Issue, ...] = ()

    def at(self, window: str) -> WindowCriteria | None:
        """The criteria of one visit, when there are any."""
        return next((one for one in self.windows if one.window == window), None)


Population = Literal["sjia", "aosd", "sle"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Which underlying diseases a subject's records name, and in which words."""

    populations: frozenset[Population] = frozenset()
    terms: tuple[str, ...] = ()

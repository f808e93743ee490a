"""What a word or a unit in the source means: the trial's own maps, looked up and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from fhir_adapter.issues import Issue, Rejected

_RESULTS = ("word", "finding_result", "finding_present", "eligibility")
"""Tables whose words are a subject's results: messages do not repeat those."""
_SHOWN = 40
_EXACT_DIGITS = 200
"""More than a number of a cell (64 characters) times a factor (40) can have."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code in a code system; `display` is the system's own wording."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """What a test code of the source measures, and which UCUM unit an empty unit means.

    `unitless` is for the value as recorded, `standard_unitless` for the standardised one (a fraction beside per cent).
    """

    name: str
    codes: tuple[Code, ...]
    unitless: str | None = None
    standard_unitless: str | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Tests that are components of one observation, such as a blood pressure."""

    name: str
    title: str
    codes: tuple[Code, ...]
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoseUnit:
    """What a unit of doses means: so many of a UCUM unit (`factor` is exact)."""

    factor: Decimal
    ucum: str


@dataclass(frozen=True, slots=True)
class Codes:
    """All code tables of a trial; `maps` by name, each from the source's word to codes (none: text only)."""

    maps: Mapping[str, Mapping[str, tuple[Code, ...]]]
    tests: Mapping[str, Test]
    panels: tuple[Panel, ...]
    units: Mapping[str, str]
    dictionaries: Mapping[str, str]
    dose_units: Mapping[str, DoseUnit] = field(default_factory=dict)

    def of(self, table: str, word: str) -> tuple[Code, ...]:
        """The codes of a word; raises `Rejected` when the table does not list it."""
        known = self.maps.get(table, {})
        if word not in known:
            shown = "a result" if table in _RESULTS else repr(word[:_SHOWN])
            raise _unmapped("unmapped-code", f"{shown} is not in the map {table!r} of codes.yaml", f"maps.{table}")
        return known[word]

    def one(self, table: str, word: str) -> str:
        """The single code of a word, for elements that are a plain code."""
        codes = self.of(table, word)
        if len(codes) != 1:
            raise _unmapped("unmapped-code", f"{word!r} in the map {table!r} needs exactly one code", f"maps.{table}")
        return codes[0].code

    def test(self, name: str) -> Test:
        """What a test code means; raises `Rejected` when codes.yaml does not list it."""
        if name not in self.tests:
            raise _unmapped("unmapped-test", f"the test {name[:_SHOWN]!r} is not under tests in codes.yaml", "tests")
        return self.tests[name]

    def unit(self, recorded: str) -> str:
        """The UCUM code of a unit as recorded; raises `Rejected` when codes.yaml does not list it."""
        if recorded not in self.units:
            raise _unmapped(
                "unmapped-unit", f"the unit {recorded[:_SHOWN]!r} is not under units in codes.yaml", "units"
            )
        return self.units[recorded]

    def knows_dose_unit(self, recorded: str) -> bool:
        """True when codes.yaml says what this unit of a dose means."""
        return recorded in self.dose_units or recorded in self.units

    def dose(self, value: Decimal, recorded: str) -> tuple[Decimal, str]:
        """An amount in its UCUM unit, exactly; raises `Rejected` when codes.yaml does not list the unit."""
        known = self.dose_units.get(recorded)
        if known is None:
            return value, self.unit(recorded)
        with localcontext(prec=_EXACT_DIGITS):
            return value * known.factor, known.ucum


def _unmapped(code: str, message: str, rule: str) -> Rejected:
    return Rejected(message, Issue("error", code, message, rule=rule))

"""What a trial's folder adds to the tables for its hospital: codes, units and words that a person decided to read.

Nothing here overrides a table: what is read already keeps its meaning, and a look-alike stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fhir_adapter.terminology.tables import LOINC, Coding, analytes, findings

LOCAL_CODE_FLAG = "read by the trial's folder: "
"""How a flag begins that a code of the hospital's own made; a person looks at the first of each."""


@dataclass(frozen=True, slots=True)
class SiteCodes:
    """The hospital's own map.

    `loinc` are codes of the tables `configured` that count here; `local` leads from a (system, code) to an analyte or a
    finding; `units` from an analyte's unit as written to its UCUM unit; `answers` from a word or `system|code` to
    present (True) or absent.
    """

    loinc: frozenset[str] = frozenset()
    local: Mapping[Coding, str] = field(default_factory=lambda: MappingProxyType({}))
    units: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    answers: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    def unit(self, analyte: str, written: str) -> str | None:
        """The UCUM unit that the trial's folder gives a unit of an analyte."""
        return self.units.get(analyte, {}).get(written.strip())


TABLES_ONLY = SiteCodes()
"""Where no trial's folder says more."""


def why_not(coding: Coding) -> str:
    """Why a code cannot be mapped: the tables say already what it is, or that it is never read; empty when it can."""
    table = findings()
    if coding in table.codes:
        return f"it is read as {table.codes[coding].name} already"
    if coding in table.rejected:
        return table.rejected[coding]
    return next(_why_not_loinc(coding[1]), "") if coding[0] == LOINC else ""


def _why_not_loinc(code: str) -> Iterator[str]:
    for analyte in analytes().values():
        if code in analyte.codes:
            yield f"it is read as {analyte.name} already"
        if code in analyte.configured:
            yield f"name it under `loinc`: it is {analyte.name} or nothing"
        if code in analyte.rejected:
            yield analyte.rejected[code]

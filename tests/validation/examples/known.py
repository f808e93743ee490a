"""Which examples of the specification are wrong themselves: the table of `docs/validator-cases.md`."""

from __future__ import annotations

from functools import cache

from tests.validation.examples.checking import FalseAlarm
from tests.validation.hl7_cases.page import table

_CORE = "http://hl7.org/fhir/StructureDefinition/"


@cache
def known() -> frozenset[tuple[str, str]]:
    """File, without package and ending, and rule of every error that is right."""
    rows = table("Examples that are wrong")
    return frozenset((file.strip("`"), rule) for files, rule, _ in rows for file in files.split(", "))


def key_of(alarm: FalseAlarm) -> tuple[str, str]:
    """How the table names an error."""
    return alarm.file.rpartition("/")[2].removesuffix(".json"), alarm.rule.replace(_CORE, "")


def is_known(alarm: FalseAlarm) -> bool:
    """Whether the example is wrong, not the validator."""
    return key_of(alarm) in known()

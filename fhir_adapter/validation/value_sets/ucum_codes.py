"""Whether a text is a UCUM code: read by this program's own units, else judged by the grammar alone.

Source: https://ucum.org/ucum, section 2.2. The units that this program converts are a part of UCUM, so what it cannot
read may still be right. What breaks the grammar cannot, nor can the names that laboratories write for a unit.
"""

from __future__ import annotations

import re
from typing import Final

from fhir_adapter.units import UnitError
from fhir_adapter.units.scales import read_scale
from fhir_adapter.validation.value_sets.answers import NO, YES, Answer, unknown

_MOST_CHARACTERS: Final = 256
_OPEN: Final = unknown("the table of all UCUM units is not at hand")

# The grammar allows no blank in an annotation; HL7's own list of common codes has `{clock time}`.
_ANNOTATION = r"\{[ -z|~]*\}"
_BRACKETS = r"\[[!-Z\\^-z|~]*\]"
_LETTERS = r"[!#-'*,:<>?@A-Z\\^_`a-z|~]"
_TOKEN = re.compile(
    rf"(?P<mark>[/.(])|(?P<close>\))(?:{_ANNOTATION})?"
    rf"|(?P<unit>(?:\d*(?:{_LETTERS}|{_BRACKETS}))+)(?:[+-]?\d+)?(?:{_ANNOTATION})?"
    rf"|\d+(?:{_ANNOTATION})?|{_ANNOTATION}",
    re.ASCII,
)
_FOLLOWERS: Final = {
    "(": frozenset({"unit", "(", "/"}),  # a code may begin with a solidus, as /min does
    ".": frozenset({"unit", "("}),
    "/": frozenset({"unit", "("}),
    "unit": frozenset({".", "/", ")"}),
    ")": frozenset({".", "/", ")"}),
}
"""What may come after what; a code begins as a parenthesis does."""

_NOT_UCUM: Final = frozenset(
    (
        *("IU", "mIU", "uIU", "kIU", "cc", "mcg", "mcL", "mcmol", "mmHg", "cmH2O", "hr"),
        *("hrs", "hour", "hours", "mins", "sec", "secs", "day", "days", "week", "weeks", "month"),
        *("year", "years", "cell", "cells", "copies", "gm", "gms", "mgs", "mOsm", "Osm", "ppm"),
        *("ppb", "percent", "bpm", "degC", "degF"),
    )
)
"""Names that are no UCUM code: `mcg` is ug, `IU` is [iU], `cc` is mL, `cells` is {cells}."""


def ucum_code(code: str) -> Answer:
    """Whether a text is a UCUM code."""
    try:
        read_scale(code)
    except UnitError:
        return _OPEN if len(code) > _MOST_CHARACTERS or _may_be_one(code) else NO
    return YES


def _may_be_one(code: str) -> bool:
    """Whether there are units, known or not, with operators between them, and parentheses close."""
    position, depth, last = 0, 0, "("
    while position < len(code):
        token = _TOKEN.match(code, position)
        if token is None or token["unit"] in _NOT_UCUM:
            return False
        kind = token["mark"] or token["close"] or "unit"
        depth += {"(": 1, ")": -1}.get(kind, 0)
        if kind not in _FOLLOWERS[last] or depth < 0:
            return False
        last, position = kind, token.end()
    return depth == 0 and last in ("unit", ")")

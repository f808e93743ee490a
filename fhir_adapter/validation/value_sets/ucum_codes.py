"""Whether a text is a UCUM code: its grammar, and the table of all prefixes and units that UCUM itself publishes.

Source: https://ucum.org/ucum, section 2.2, and `ucum/ucum-essence.xml`, unchanged, under the licence beside it. Codes
are case-sensitive: `UG/L` is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fhir_adapter.validation.value_sets.answers import NO, Answer, yes_if

_NAMESPACE: Final = "{http://unitsofmeasure.org/ucum-essence}"

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


@dataclass(frozen=True, slots=True)
class Units:
    """The symbols of UCUM: every unit, those that take a prefix, and the prefixes."""

    every: frozenset[str]
    metric: frozenset[str]
    prefixes: frozenset[str]

    def has(self, symbol: str) -> bool:
        """Whether a symbol is a unit, alone or behind a prefix of one or two letters."""
        if symbol in self.every:
            return True
        return any(symbol[:size] in self.prefixes and symbol[size:] in self.metric for size in (1, 2))


@cache
def units() -> Units:
    """The table, read when it is first asked for."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - for who has units

    text = (Path(__file__).parent / "ucum" / "ucum-essence.xml").read_text(encoding="ascii")
    root = ET.fromstring(text)  # noqa: S314 - a file of our own
    named = [*root.iter(f"{_NAMESPACE}base-unit"), *root.iter(f"{_NAMESPACE}unit")]
    metric = [each for each in named if each.tag.endswith("base-unit") or each.get("isMetric") == "yes"]
    return Units(
        every=frozenset(each.attrib["Code"] for each in named),
        metric=frozenset(each.attrib["Code"] for each in metric),
        prefixes=frozenset(each.attrib["Code"] for each in root.iter(f"{_NAMESPACE}prefix")),
    )


def ucum_code(code: str) -> Answer:
    """Whether a text is a UCUM code: units with operators between them, and parentheses that close."""
    position, depth, last, table = 0, 0, "(", units()
    while position < len(code):
        token = _TOKEN.match(code, position)
        if token is None or (token["unit"] and not table.has(token["unit"])):
            return NO
        kind = token["mark"] or token["close"] or "unit"
        depth += {"(": 1, ")": -1}.get(kind, 0)
        if kind not in _FOLLOWERS[last] or depth < 0:
            return NO
        last, position = kind, token.end()
    return yes_if(depth == 0 and last in ("unit", ")"))

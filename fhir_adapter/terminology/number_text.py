"""Whether a text is nothing but a number, perhaps capped, perhaps with a unit: `>40000`, `<0.5 g/L`, never `12,5`."""

from __future__ import annotations

import re
import unicodedata

_LENGTH = 64
_SIGNS = {
    "≤": "<=",
    "≦": "<=",
    "⩽": "<=",
    "≥": ">=",
    "≧": ">=",
    "⩾": ">=",
    "﹤": "<",
    "﹥": ">",
    "\N{NO-BREAK SPACE}": " ",
}
# A unit begins with a letter, a sign or ten to a power, so that `1.5-2.0`, `12,5`, `3+` and `40 000` are no numbers
# with a unit. Words of a person ("12 see note") have spaces between them.
_NUMBER = re.compile(
    r"\s*(?P<comparator><=|>=|<|>)?\s*(?P<value>\d{1,20}(?:\.\d{1,20})?)"
    r"\s*(?P<unit>(?:[x\u00d7*]?\s?10[*^⁰-⁹¹²³eE]|[A-Za-zµμ°º℃℉%\[{#]|/(?=[A-Za-zµμ]))[A-Za-z0-9µμ°º%/*^.\[\]{}#⁰-⁹¹²³-]*)?\s*",
    re.ASCII,
)


def numbers_in_text(text: str) -> tuple[str | None, str, str] | None:
    """Comparator, value and unit of a text that is one number; None for anything else."""
    if len(text) > _LENGTH:
        return None
    found = _NUMBER.fullmatch("".join(_plain(character) for character in text))
    if found is None:
        return None
    return found["comparator"], found["value"], found["unit"] or ""


def _plain(character: str) -> str:
    """A full-width sign or a digit of any script as in ASCII.

    Not Unicode's compatibility form: it turns 10⁹ into 109.
    """
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if "\N{FULLWIDTH EXCLAMATION MARK}" <= character <= "\N{FULLWIDTH TILDE}":
        return chr(ord(character) - 0xFEE0)
    return _SIGNS.get(character, " " if character == "\N{IDEOGRAPHIC SPACE}" else character)

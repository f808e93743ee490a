"""How the cells of one row become values: texts, numbers, moments, flags; what is wrong is said with its column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from fhir_adapter.issues import Issue, Rejected
from fhir_adapter.trial import Moment, MomentError, Quantity, read_moment

_NUMBER = re.compile(r"(?P<comparator><=|>=|<|>)?\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))", re.ASCII)
_COMPARATORS = str.maketrans({"＜": "<", "＞": ">"})  # noqa: RUF001 - full-width signs of East Asian input
_COMPARATOR_WORDS = {"≤": "<=", "≥": ">="}
_MAX_NUMBER = 64
_FLAGS = {"Y": True, "N": False, "": None}
"""The CDISC codelist NY (C66742) of yes and no; an empty cell says nothing."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of control, format (direction, width zero), surrogate and separator characters."""


class RowError(Rejected):
    """A row that cannot be used: which column, what was found, what would be right."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, Issue("error", code, message))


class Fields:
    """One row, read by the names of entity fields instead of the source's columns."""

    __slots__ = ("_cells", "_columns", "_constants", "_numeric", "zone")

    def __init__(
        self,
        cells: Mapping[str, str],
        columns: Mapping[str, str],
        constants: Mapping[str, str],
        zone: ZoneInfo | None = None,
        numeric: frozenset[str] = frozenset(),
    ) -> None:
        self._cells = cells
        self._columns = columns
        self._constants = constants
        self._numeric = numeric
        self.zone = zone

    def text(self, name: str) -> str:
        """The text of a field as recorded; empty when the source has no such column or the cell is empty."""
        column = self._columns.get(name)
        return self._cells[column] if column is not None else self._constants.get(name, "")

    def identifier(self, name: str) -> str:
        """The text of a field that names something: spelled in one way (NFC), without invisible characters."""
        text = self.text(name)
        return check_key_part(self.column(name), plain_number(text) if self.column(name) in self._numeric else text)

    def needed_identifier(self, name: str) -> str:
        """An identifier that must be there."""
        self.needed(name)
        return self.identifier(name)

    def needed(self, name: str) -> str:
        """The text of a field that must be there; raises `RowError` when it is empty."""
        text = self.text(name)
        if not text.strip():
            raise RowError("missing-value", f"{self.column(name)}: empty, but {name} is needed")
        return text

    def moment(self, name: str) -> Moment | None:
        """A date or time in the site's zone; raises `RowError` when it is none."""
        text = self.text(name)
        if not text:
            return None
        try:
            return read_moment(text, self.zone)
        except MomentError as error:
            raise RowError("invalid-date", f"{self.column(name)}: {error}") from error

    def needed_moment(self, name: str) -> Moment:
        """A date or time that must be there."""
        self.needed(name)
        moment = self.moment(name)
        assert moment is not None
        return moment

    def flag(self, name: str) -> bool | None:
        """Y or N as a truth, empty as unknown; raises `RowError` for any other word."""
        text = self.text(name)
        if text not in _FLAGS:
            raise RowError("invalid-flag", f"{self.column(name)}: neither Y nor N nor empty")
        return _FLAGS[text]

    def quantity(self, name: str, unit: str) -> Quantity | None:
        """A number with its unit; None when the cell is empty; raises `RowError` when it is no number."""
        text = self.text(name)
        if not text:
            return None
        quantity = read_quantity(text, unit)
        if quantity is None:
            raise RowError("invalid-number", f"{self.column(name)}: not a number such as 1.50 or <40")
        return quantity

    def column(self, name: str) -> str:
        """The source's column of a field, for messages."""
        return self._columns.get(name, name)


def read_quantity(text: str, unit: str) -> Quantity | None:
    """A number, with comparator if it has one, every digit kept; None when the text is no number."""
    plain = text.strip().translate(_COMPARATORS)
    plain = _COMPARATOR_WORDS.get(plain[:1], plain[:1]) + plain[1:]
    match = _NUMBER.fullmatch(plain)
    if match is None or len(plain) > _MAX_NUMBER:
        return None
    return Quantity(Decimal(match["number"]), unit, text, match["comparator"])


def plain_number(text: str) -> str:
    """A number of a numeric column in its one spelling, as names use it: 1.0 and 1 name the same visit."""
    try:
        return f"{Decimal(text).normalize():f}" if text else text
    except InvalidOperation:
        return text


def check_key_part(column: str, text: str) -> str:
    """A part of a business key in its one spelling (NFC), refused when it holds what a reader cannot see."""
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if unicodedata.category(character) in _INVISIBLE:
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise RowError("invisible-character", f"{column}: the invisible character {name} in an identifier")
    return unicodedata.normalize("NFC", text)

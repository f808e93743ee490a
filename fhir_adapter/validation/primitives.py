"""Whether a JSON value is a right value of a primitive type, and if not, why (https://hl7.org/fhir/R4/datatypes.html).

The regular expressions come from the definitions of R4; added here is what they leave to the text of the page: days
that the calendar does not have, control characters, and limits of length and range.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from fhir_adapter.validation.findings import Code, json_type, one_of, shown_code
from fhir_adapter.validation.r4_table import Primitive, Table

Defect = tuple[Code, str]

CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff"
"""What R4 allows in no text; of those from U+007F on it says nothing."""

_INVISIBLE = r"\x7f-\x9f"
"""Controls that no address, code or other identifying text needs."""

BIDI = r"\u202a-\u202e\u2066-\u2069"
_HAS_CONTROL = re.compile(f"[{CONTROL}]")
_HAS_INVISIBLE = re.compile(f"[{_INVISIBLE}]")
_HAS_BIDI = re.compile(f"[{BIDI}]")
# The page's own expression, (\s*([0-9a-zA-Z\+/=]){4}\s*)+, tries all ways to share out blanks: 2^n steps on bad input.
_BASE64 = r"(?=\s*[A-Za-z0-9+/])\s*+(?:[A-Za-z0-9+/]{4}\s*+)*+(?:(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)\s*+)?"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_SAFE_DAY = "28"
_DATE = slice(0, 10)

SHOWN_TEXTS = frozenset({"Identifier.value"})
"""Elements of type string that identify: like codes, they may not change the direction in which they are shown."""

_REMEMBERED, _SHORT = 4_000, 100
"""How many right texts of a type are remembered, and up to what length: systems and codes come again and again."""

_FREE_TEXTS = frozenset({"string", "markdown", "xhtml"})
_DATES = frozenset({"date", "dateTime", "instant"})
_INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})
_FORMS = {
    "base64Binary": "base64 in groups of four characters",
    "canonical": "an address without blanks",
    "code": "a code without blanks at its ends or two blanks together",
    "date": "a day of the calendar: YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz; a time needs seconds and an offset (or Z),"
    " the day must be in the calendar, midnight is 00:00:00",
    "id": "1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'",
    "instant": "YYYY-MM-DDThh:mm:ss+zz:zz with seconds and an offset (or Z), a day of the calendar",
    "integer": "a whole number of at most 32 bits, without fraction or exponent",
    "oid": "urn:oid: and digits with dots",
    "positiveInt": "a whole number from 1 to 2147483647",
    "time": "hh:mm:ss, from 00:00:00, without offset",
    "unsignedInt": "a whole number from 0 to 2147483647",
    "uri": "an address without blanks",
    "url": "an address without blanks",
    "uuid": "urn:uuid: and 36 characters in small letters",
    "xhtml": "one <div> element",
    "string": "at most 1048576 characters",
    "markdown": "at most 1048576 characters",
}


@dataclass(frozen=True, slots=True)
class PrimitiveCheck:
    """`accepts` answers fast; `explain` says what is wrong with a value that was not accepted."""

    accepts: Callable[[object], bool]
    explain: Callable[[object], Defect]


def primitive_checks(table: Table) -> dict[str, PrimitiveCheck]:
    """One check for each primitive type of the table, and one for texts that identify (`SHOWN_TEXTS`)."""
    checks = {name: _check(name, spec, table) for name, spec in table.primitives.items()}
    pattern = f"[^{CONTROL}{_INVISIBLE}{BIDI}]{{1,{table.primitives['string'].max_length}}}"
    return checks | dict.fromkeys(SHOWN_TEXTS, _text_check("string", re.compile(pattern), identifies=True))


def is_id(value: object) -> bool:
    """True for a right logical id, which may be shown in messages."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def coded_check(code: PrimitiveCheck, allowed: frozenset[str], listed: list[str]) -> PrimitiveCheck:
    """A check of type code that also accepts only the codes of a required value set."""

    def accepts(value: object) -> bool:
        return isinstance(value, str) and value in allowed

    def explain(value: object) -> Defect:
        if not code.accepts(value):
            return code.explain(value)
        return "code-not-allowed", f"{shown_code(value)} is not one of {one_of(listed)}"

    return PrimitiveCheck(accepts, explain)


def _check(name: str, spec: Primitive, table: Table) -> PrimitiveCheck:
    if name == "boolean":
        return PrimitiveCheck(lambda value: isinstance(value, bool), lambda value: _wrong_type(value, "true or false"))
    if name == "decimal":
        return PrimitiveCheck(_is_decimal, _explain_decimal)
    if name in _INTEGERS:
        return _integer_check(name, spec, table.primitives[spec.base or name])
    pattern = re.compile(_pattern(name, spec, table))
    if name in _DATES:
        return _date_check(name, pattern)
    return _text_check(name, pattern, identifies=name not in _FREE_TEXTS)


def _pattern(name: str, spec: Primitive, table: Table) -> str:
    if name == "base64Binary":
        return _BASE64
    if name == "xhtml":
        return rf"\s*<div[\s/>][^{CONTROL}]*"
    if name in _FREE_TEXTS:
        return f"[^{CONTROL}]{{1,{spec.max_length or table.primitives['string'].max_length}}}"
    return rf"(?=[^{CONTROL}{_INVISIBLE}{BIDI}]+\Z)(?:{spec.regex})"


def _text_check(name: str, pattern: re.Pattern[str], *, identifies: bool) -> PrimitiveCheck:
    fullmatch = pattern.fullmatch
    known: set[object] = set()

    def accepts(value: object) -> bool:
        if value.__class__ is not str:
            return False
        if value in known:
            return True
        if fullmatch(value) is None:
            return False
        if len(known) < _REMEMBERED and len(value) < _SHORT:
            known.add(value)
        return True

    return PrimitiveCheck(accepts, lambda value: _explain_text(name, value, identifies=identifies))


def _date_check(name: str, pattern: re.Pattern[str]) -> PrimitiveCheck:
    fullmatch = pattern.fullmatch

    def accepts(value: object) -> bool:
        if not isinstance(value, str) or fullmatch(value) is None:
            return False
        return value[8:10] <= _SAFE_DAY or _is_in_calendar(value[_DATE])

    return PrimitiveCheck(accepts, lambda value: _explain_text(name, value, identifies=True))


def _is_in_calendar(date: str) -> bool:
    return int(date[8:10]) <= monthrange(int(date[:4]), int(date[5:7]))[1]


def _integer_check(name: str, spec: Primitive, base: Primitive) -> PrimitiveCheck:
    fullmatch = re.compile(spec.regex or "").fullmatch
    low, high = base.min or 0, base.max or 0

    def accepts(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return False
        if isinstance(value, Decimal) and not value.is_finite():
            return False
        return low <= value <= high and fullmatch(str(value)) is not None

    def explain(value: object) -> Defect:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return "format", f"not a right {name}: {_FORMS[name]}"
        return _wrong_type(value, "a whole number without quotation marks")

    return PrimitiveCheck(accepts, explain)


def _is_decimal(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) and not isinstance(value, bool)


def _explain_decimal(value: object) -> Defect:
    if isinstance(value, Decimal):
        return "format", "not a number: NaN and infinities cannot be written in JSON"
    return _wrong_type(value, "a JSON number without quotation marks, held as Decimal")


def _explain_text(name: str, value: object, *, identifies: bool) -> Defect:
    if not isinstance(value, str):
        return _wrong_type(value, f"a text ({name})")
    if not value:
        return "empty", "an empty text; leave the element out"
    if _HAS_CONTROL.search(value) or (identifies and _HAS_INVISIBLE.search(value)):
        return "control-character", "a control character; only tab, carriage return and line feed may stand in a text"
    if identifies and _HAS_BIDI.search(value):
        return "bidi-control", "a character that changes the direction of text; none may stand where something is named"
    return "format", f"not a right {name}: {_FORMS[name]}"


def _wrong_type(value: object, right: str) -> Defect:
    if value is None:
        return "null", f"null; leave the element out or give {right}"
    if isinstance(value, float):
        return "float-not-decimal", "a binary float, its digits are lost already; read numbers as Decimal"
    return "wrong-json-type", f"{json_type(value)}; right is {right}"

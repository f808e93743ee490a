"""How JSON is read and written without losing a digit.

Numbers keep the text in which they came (`1.50` stays `1.50`), as FHIR demands for decimals
(https://hl7.org/fhir/R4/datatypes.html#decimal). What has no safe meaning is refused with the place where it stands:
NaN and infinities, numbers out of range, repeated keys, lone surrogates, texts that are not UTF-8, and values that are
nested or sized beyond any resource.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NoReturn, Self

import orjson

MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 200
MAX_NUMBER_LENGTH = 256
MAX_EXPONENT = 308
"""The largest power of ten that other readers hold as a number (IEEE 754 double)."""

_MACHINE_INTEGER_DIGITS = 18
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or the rest of the text where it is never closed: so each byte is looked at once, whatever is sent."""

_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_BOM = b"\xef\xbb\xbf"


class JsonError(ValueError):
    """The text is not JSON that can be trusted; the message says where and why, never what the values are."""


class NumberText(Decimal):
    """A number whose text Python would write otherwise (`1E3`, `1.0e-3`): value and text are both kept."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read a JSON number and remember its text."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        """The number as it was written."""
        return self.text

    def __reduce__(self) -> tuple[type[NumberText], tuple[str]]:
        """Copies keep the text too."""
        return NumberText, (self.text,)


def loads(data: bytes | str) -> Any:  # noqa: ANN401 - JSON is any value; callers parse it into their types
    """Read one JSON value; decimals arrive as `Decimal`, whole numbers as `int`, texts as `str`.

    Raises `JsonError` for everything named in this module's head. A UTF-8 byte order mark is skipped.
    """
    raw = _bytes(data)
    _refuse_depth(raw)
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise JsonError(f"byte {error.start}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels") from error
    if _SURROGATE_ESCAPE.search(raw):
        _refuse_surrogates(value)
    return value


def dumps(value: Any) -> bytes:  # noqa: ANN401 - JSON is any value
    """Write one JSON value as compact UTF-8; keys keep their order and decimals their digits.

    Raises `JsonError` for a float (its digits are already lost), a NaN or infinite decimal and a lone surrogate.
    """
    decimals: list[bytes] = []

    def number(one: object) -> orjson.Fragment:
        decimals.append(_decimal_text(one))
        return orjson.Fragment(decimals[-1])

    try:
        written = orjson.dumps(value, default=number)
    except orjson.JSONEncodeError as error:
        raise JsonError(f"cannot be written as JSON: {error}") from error
    if _may_hold_floats(written, decimals):
        _refuse_floats(value)
    return written


def parse_number(text: str) -> Decimal | int:
    """Read the text of a JSON number; raises `JsonError` where it is too long or out of range."""
    if len(text) > MAX_NUMBER_LENGTH:
        raise JsonError(f"a number of {len(text)} characters; at most {MAX_NUMBER_LENGTH} are read")
    if text.lstrip("-").isdigit() and len(text) <= _MACHINE_INTEGER_DIGITS and text != "-0":
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # a power of ten of twenty digits is beyond Decimal itself
        raise JsonError("a number out of range") from error
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise JsonError(f"a number out of range: its power of ten is beyond {MAX_EXPONENT}")
    return number if str(number) == text else NumberText(text)


def _bytes(data: bytes | str) -> bytes:
    if isinstance(data, str):
        try:
            data = data.encode("utf-8")
        except UnicodeEncodeError as error:
            raise JsonError(f"character {error.start}: a lone surrogate") from error
    if len(data) > MAX_BYTES:
        raise JsonError(f"{len(data)} bytes; at most {MAX_BYTES} are read")
    return data.removeprefix(_BOM)


def _refuse_depth(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    brackets = _without_strings(raw).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        name = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise JsonError(f"the key {name[:64]!r} stands twice in one object")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is no JSON number")


def _refuse_surrogates(value: object) -> None:
    for item in _walk(value):
        if isinstance(item, str) and not item.isascii():
            try:
                item.encode("utf-8")
            except UnicodeEncodeError as error:
                raise JsonError("a lone surrogate in a text") from error


def _refuse_floats(value: object) -> None:
    for item in _walk(value):
        if isinstance(item, float):
            raise JsonError("a float: its digits are lost already; use Decimal")


def _walk(value: object) -> list[object]:
    """Every key and value below, containers included."""
    found: list[object] = [value]
    for item in found:
        if isinstance(item, dict):
            found.extend(item)
            found.extend(item.values())
        elif isinstance(item, (list, tuple)):
            found.extend(item)
    return found


def _may_hold_floats(written: bytes, decimals: list[bytes]) -> bool:
    """True unless every point and exponent outside strings came from a `Decimal`, and no NaN can hide as null.

    Looking at the text is several times faster than walking the value, and the walk decides when in doubt.
    """
    bare = _without_strings(written)
    exponents = bare.count(b"e") - bare.count(b"true") - bare.count(b"false")
    if b"null" in bare or exponents or bare.count(b"E"):
        return True
    return bare.count(b".") != sum(b"." in text for text in decimals)


def _without_strings(raw: bytes) -> bytes:
    if b"\\" in raw:
        return _STRING.sub(b"", raw)
    return b"".join(raw.split(b'"')[::2])


def _decimal_text(value: object) -> bytes:
    if isinstance(value, Decimal) and value.is_finite():
        return str(value).encode()
    raise TypeError(f"a {type(value).__name__} that is no finite number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=parse_number,
    parse_int=parse_number,
    parse_constant=_refuse_constant,
)

"""JSON in and out without losing a digit, and what is refused (bad input A 1 to 11)."""

from __future__ import annotations

import copy
import pickle
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter import fhirjson
from fhir_adapter.fhirjson import JsonError, NumberText, dumps, loads, parse_number

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXTS | st.decimals(-(10**9), 10**9, places=5)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=12)


@pytest.mark.parametrize(
    "text", ["1.50", "0.0", "-0", "-0.0", "1E3", "1.0e-3", "100", "0.10000000000000000000001", "12345678901234567890"]
)
def test_a3_a_number_keeps_its_text(text: str) -> None:
    """A number that came in goes out byte for byte."""
    assert dumps(loads(text)) == text.encode()


@given(_NUMBERS)
def test_a3_every_number_keeps_its_text(text: str) -> None:
    """Any JSON number of a usual size is written as it was read."""
    assert dumps(loads(text)) == text.encode()


@given(_VALUES)
def test_a_value_is_the_same_after_writing_and_reading(value: object) -> None:
    """Whatever is written is read back as the same value."""
    assert loads(dumps(value)) == value


def test_whole_numbers_are_int_and_others_decimal() -> None:
    """Small whole numbers arrive as int, decimals as Decimal, never as float."""
    assert [type(one) for one in loads("[1, 1.0]")] == [int, Decimal]


def test_the_order_of_keys_is_kept() -> None:
    """Members stand in the order in which they came, without blanks."""
    assert dumps(loads('{"b": 1, "a": {"d": 2, "c": 3}}')) == b'{"b":1,"a":{"d":2,"c":3}}'


def test_texts_are_written_as_utf8() -> None:
    """Characters of all scripts are written as themselves."""
    assert dumps({"name": "李 Muñoz 🙂"}) == '{"name":"李 Muñoz 🙂"}'.encode()


def test_a_number_with_its_text_survives_copies() -> None:
    """Deep copies and pickles of a number keep the text in which it came."""
    number = loads("1E3")
    assert [str(copy.deepcopy(number)), str(pickle.loads(pickle.dumps(number)))] == ["1E3", "1E3"]  # noqa: S301


def test_a_number_with_its_text_is_still_that_number() -> None:
    """The text changes nothing about the value."""
    assert NumberText("1E3") == Decimal(1000)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"value": NaN}'])
def test_a1_what_is_no_number_is_refused(text: str) -> None:
    """NaN and infinities are no JSON numbers."""
    with pytest.raises(JsonError, match="is no JSON number"):
        loads(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e-400", "1e99999999999999999999999", "0.0001e-306"])
def test_a2_a_number_out_of_range_is_refused(text: str) -> None:
    """A power of ten that other readers cannot hold is refused and not turned into infinity or zero."""
    with pytest.raises(JsonError, match="out of range"):
        loads(text)


def test_a2_zero_is_in_range_with_every_exponent() -> None:
    """Zero is zero."""
    assert parse_number("0e400") == 0


def test_a6_a_number_of_thousands_of_digits_is_refused_at_once() -> None:
    """A huge integer is refused by its length, before any arithmetic."""
    start = time.process_time()
    with pytest.raises(JsonError, match="a number of 5000 characters; at most 256 are read"):
        loads("9" * 5000)
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '["\\"[", ' + "[" * 100_000])
def test_a7_deep_nesting_is_refused_at_once(text: str) -> None:
    """A hundred thousand levels are refused within a tenth of a second, without talk of recursion."""
    start = time.process_time()
    with pytest.raises(JsonError, match="nested deeper than 200 levels"):
        loads(text)
    assert time.process_time() - start < 0.1


def test_a7_nesting_up_to_the_limit_is_read() -> None:
    """Two hundred levels are read."""
    assert dumps(loads("[" * 200 + "]" * 200)) == b"[" * 200 + b"]" * 200


def test_a7_many_brackets_side_by_side_are_no_depth() -> None:
    """Brackets beside each other or inside texts do not count as nesting."""
    assert len(loads("[" + ",".join(["[]"] * 500) + ',"[[[["]')) == 501


def test_a7_running_out_of_stack_is_refused_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the depth does get through, the reader's own limit is told as nesting."""
    monkeypatch.setattr(fhirjson, "MAX_DEPTH", 1_000_000)
    with pytest.raises(JsonError, match="nested deeper than 1000000 levels"):
        loads("[" * 500_000)


def test_a_value_larger_than_any_resource_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes than are read are refused by their number."""
    monkeypatch.setattr(fhirjson, "MAX_BYTES", 10)
    with pytest.raises(JsonError, match="11 bytes; at most 10 are read"):
        loads(b'"123456789"')


@pytest.mark.parametrize("text", ['"\\ud800"', '{"a\\uDC00": 1}', '["\\ud800\\u0041"]', "\ud800"])
def test_a9_a_lone_surrogate_is_refused(text: str) -> None:
    """Half a character is refused at reading, in values and in keys."""
    with pytest.raises(JsonError, match="a lone surrogate"):
        loads(text)


def test_a9_a_pair_of_surrogates_is_one_character() -> None:
    """A character outside the basic plane may be escaped as a pair."""
    assert loads('"\\ud83d\\ude42"') == "🙂"


def test_a9_a_lone_surrogate_is_not_written() -> None:
    """Half a character never reaches the wire."""
    with pytest.raises(JsonError, match="cannot be written as JSON"):
        dumps({"text": "\ud800"})


def test_a10_a_byte_order_mark_is_skipped() -> None:
    """UTF-8 with a byte order mark is read."""
    assert loads(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize("data", [b'"\xff"', '{"a": "é"}'.encode("utf-16"), '"é"'.encode("latin-1")])
def test_a10_bytes_that_are_not_utf8_are_refused(data: bytes) -> None:
    """UTF-16 and broken UTF-8 are refused with the place."""
    with pytest.raises(JsonError, match=r"byte \d+: not UTF-8"):
        loads(data)


@pytest.mark.parametrize("text", ["", "{", '{"a" 1}', "[1,]", "tru", "1 2", "01", ".5", "+1", "'a'"])
def test_a11_what_is_no_json_is_refused_with_its_place(text: str) -> None:
    """A broken text is refused with line and column."""
    with pytest.raises(JsonError, match=r"line 1 column \d+: "):
        loads(text)


def test_a_key_that_stands_twice_is_refused() -> None:
    """Of two members with one name nobody knows which is meant."""
    with pytest.raises(JsonError, match="the key 'b' stands twice in one object"):
        loads('{"a": 1, "b": 2, "b": 3}')


@pytest.mark.parametrize("value", [0.1, {"value": 0.1}, [[0.1]], [(0.1,)]])
def test_a_float_is_never_written(value: object) -> None:
    """The digits of a float are lost already, wherever it stands."""
    with pytest.raises(JsonError, match="a float"):
        dumps(value)


@given(st.lists(st.decimals(-(10**9), 10**9, places=3)), st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_found_among_decimals(decimals: list[Decimal], number: float) -> None:
    """However many decimals stand around it, and even if one of them looks the same."""
    with pytest.raises(JsonError, match="a float"):
        dumps([*decimals, Decimal(repr(number)), number])


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object(), {1: "a"}, {0.1: "a"}, 2**70])
def test_what_json_cannot_say_is_not_written(value: object) -> None:
    """Numbers that are none, and objects that are no JSON, are refused."""
    with pytest.raises(JsonError, match="cannot be written as JSON"):
        dumps(value)


def test_a_refusal_never_shows_the_values() -> None:
    """What is refused may be about a subject, so the message says only where and why."""
    with pytest.raises(JsonError) as caught:
        loads('{"name": "Secret", "value": 1e999}')
    assert "Secret" not in str(caught.value)

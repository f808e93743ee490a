"""How one cell is read: numbers with every digit, flags, dates, and keys without invisible characters."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.sources.fields import Fields, RowError, check_key_part, read_quantity
from fhir_adapter.trial import Moment, Quantity


def fields(cell: str, **constants: str) -> Fields:
    """A row of one column, COL, which fills the field `name`."""
    return Fields({"COL": cell}, {"name": "COL"}, constants, ZoneInfo("Asia/Shanghai"))


def refused(read: Callable[[], object]) -> tuple[str, str]:
    """Code and message with which a row is refused."""
    with pytest.raises(RowError) as caught:
        read()
    (issue,) = caught.value.issues
    assert issue.is_error
    return issue.code, issue.message


def test_a_text_is_the_cell_as_recorded() -> None:
    """Nothing is trimmed or changed."""
    assert fields(" 001 ").text("name") == " 001 "


def test_a_constant_fills_a_field_without_column() -> None:
    """What is the same for every row stands in the mapping."""
    assert fields("x", category="laboratory").text("category") == "laboratory"


def test_a_field_of_which_nothing_is_known_is_empty() -> None:
    """Neither column nor constant: an empty text."""
    assert fields("x").text("other") == ""


@pytest.mark.parametrize("cell", ["", "  "])
def test_a_needed_field_must_have_a_value(cell: str) -> None:
    """The message names the column and the field."""
    assert refused(lambda: fields(cell).needed("name")) == ("missing-value", "COL: empty, but name is needed")


def test_a_needed_field_without_column_is_named_itself() -> None:
    """Where no column fills it the field stands in the message."""
    assert refused(lambda: fields("x").needed("test")) == ("missing-value", "test: empty, but test is needed")


@pytest.mark.parametrize(("cell", "truth"), [("Y", True), ("N", False), ("", None)])
def test_a_flag_is_yes_no_or_unknown(cell: str, truth: bool | None) -> None:
    """An empty cell is not taken for no."""
    assert fields(cell).flag("name") is truth


@pytest.mark.parametrize("cell", ["y", "YES", "1", " "])
def test_another_word_is_no_flag(cell: str) -> None:
    """Only the words of the CDISC codelist count."""
    assert refused(lambda: fields(cell).flag("name")) == ("invalid-flag", "COL: neither Y nor N nor empty")


def test_a_date_is_read_in_the_zone_of_the_site() -> None:
    """A local time takes the site's offset."""
    found = fields("2024-01-02T08:00").moment("name")
    assert found == Moment("2024-01-02T08:00:00+08:00", "2024-01-02T08:00", "time")


def test_an_empty_cell_is_no_date() -> None:
    """A missing date is not an error."""
    assert fields("").moment("name") is None


def test_what_is_no_date_is_refused_without_showing_it() -> None:
    """The message names the column and what would be right, and no data."""
    code, message = refused(lambda: fields("canary").moment("name"))
    assert code == "invalid-date"
    assert message.startswith("COL: not an ISO 8601 date")
    assert "canary" not in message


def test_a_needed_date_must_be_there() -> None:
    """A dose without a start cannot be sent."""
    assert refused(lambda: fields("").needed_moment("name"))[0] == "missing-value"


@pytest.mark.parametrize(
    ("cell", "value", "comparator"),
    [
        ("12.50", "12.50", None),
        ("097.3", "97.3", None),
        ("072", "72", None),
        (".94", "0.94", None),
        ("-1.0", "-1.0", None),
        ("+5", "5", None),
        ("5.", "5", None),
        ("<40", "40", "<"),
        ("> 100000", "100000", ">"),
        ("<=0.10", "0.10", "<="),
        (">=3", "3", ">="),
        ("≤0.5", "0.5", "<="),
        ("≥ 2", "2", ">="),
        ("＜40", "40", "<"),  # noqa: RUF001 - the sign of East Asian keyboards
        ("＞40", "40", ">"),  # noqa: RUF001
        (" 7 ", "7", None),
    ],
)
def test_a_number_keeps_digits_comparator_and_text(cell: str, value: str, comparator: str | None) -> None:
    """Trailing zeros stay, leading ones go, and the whole text is kept."""
    found = read_quantity(cell, "mg")
    assert found == Quantity(Decimal(value), "mg", cell, comparator)
    assert str(found.value) == value


@pytest.mark.parametrize(
    "cell", ["", "NORMAL", "12,5", "1 000", "1e3", "阳性", "see note", "<", "<>5", "5 mg", "1-2", "٣", "9" * 65, "++"]
)
def test_b31_what_is_no_number_is_not_taken_for_one(cell: str) -> None:
    """Words, decimal commas, ranges and other digits are left to the maps of words."""
    assert read_quantity(cell, "mg") is None


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=7))
def test_every_decimal_survives(number: Decimal) -> None:
    """Any plain decimal is read with all its digits."""
    text = format(number, "f")
    found = read_quantity(text, "")
    assert found is not None
    assert format(found.value, "f") == text


def test_an_empty_cell_is_no_quantity() -> None:
    """Nothing recorded is nothing, not zero."""
    assert fields("").quantity("name", "mg") is None


def test_a_quantity_that_is_no_number_is_refused() -> None:
    """An amount must be a number; what stands there is not shown."""
    expected = ("invalid-number", "COL: not a number such as 1.50 or <40")
    assert refused(lambda: fields("canary").quantity("name", "mg")) == expected


@pytest.mark.parametrize("text", ["001", "李-01", "S 1", "Muñoz", "a|b", ""])
def test_a_part_of_a_key_may_hold_any_visible_text(text: str) -> None:
    """Leading zeros, other scripts, blanks and signs are all right."""
    assert check_key_part("COL", text) == text


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066", "LEFT-TO-RIGHT ISOLATE"),
        ("\n", "U+000A"),
        ("\x1b", "U+001B"),
        ("\ud800", "U+D800"),
    ],
)
def test_c59_an_invisible_character_in_a_key_is_refused(character: str, name: str) -> None:
    """Two subjects whose numbers look the same must not be two subjects."""
    message = f"COL: the invisible character {name} in an identifier"
    assert refused(lambda: check_key_part("COL", f"00{character}1")) == ("invisible-character", message)


@pytest.mark.parametrize("character", ["\u200b", "\u2060", "\ufeff", "\u00ad"])
def test_c59_a_character_without_width_in_a_key_is_refused(character: str) -> None:
    """A zero-width space is as invisible as a direction mark."""
    assert refused(lambda: check_key_part("COL", f"00{character}1"))[0] == "invisible-character"

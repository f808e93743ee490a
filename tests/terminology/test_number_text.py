"""A text is a number when it is nothing else; everything else needs a person."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.terminology import normalise, numbers_in_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2140", (None, "2140", "")),
        ("1.50", (None, "1.50", "")),
        (">40000", (">", "40000", "")),
        ("> 40000 ng/mL", (">", "40000", "ng/mL")),
        ("<0.5 g/L", ("<", "0.5", "g/L")),
        ("<=110", ("<=", "110", "")),
        (">=1.5mmol/L", (">=", "1.5", "mmol/L")),
        ("≤2.5 g/L", ("<=", "2.5", "g/L")),
        ("≥ 30", (">=", "30", "")),
        ("≦2.5", ("<=", "2.5", "")),
        ("＞40000", (">", "40000", "")),  # noqa: RUF001
        ("＜０．５　ｇ／Ｌ", ("<", "0.5", "g/L")),  # noqa: RUF001
        ("＞＝１５００", (">=", "1500", "")),  # noqa: RUF001
        ("٣٨.٤", (None, "38.4", "")),
        ("5.2 10*9/L", (None, "5.2", "10*9/L")),
        ("5.2×10⁹/L", (None, "5.2", "×10⁹/L")),  # noqa: RUF001
        ("5.2 x10^9/L", (None, "5.2", "x10^9/L")),
        ("38.5℃", (None, "38.5", "℃")),
        ("38.5 °C", (None, "38.5", "°C")),
        (" 62 K/uL ", (None, "62", "K/uL")),
        ("30 [IU]/L", (None, "30", "[IU]/L")),
        ("4200 /mm3", (None, "4200", "/mm3")),
    ],
)
def test_texts_that_are_one_number(text: str, expected: tuple[str | None, str, str]) -> None:
    """Comparator, digits and unit are kept; the sign is never lost."""
    assert numbers_in_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "12,5",
            "1,500",
            "40 000",
            "阳性",
            "see note",
            "1.5-2.0",
            "1.5 - 2.0",
            "1-2",
            "3+",
            "+++",
            "<",
            "-5",
        ),
        *("10⁹", "10^9/L", "½", "②", "2²", "5 阳性", "12 see note", "about 5", "~5", "5.", ".5", "1.2.3", "<>5", "<<5"),
        *("5/6", "不凝", "38.5 (axillary)", "溶血 5", "9" * 21, "5" + " " * 100, "5\n6", "NaN"),
    ],
)
def test_bad_input_31_texts_that_are_no_number(text: str) -> None:
    """A list, a range, a word, a superscript or a decimal comma is never read as a number."""
    assert numbers_in_text(text) is None


def test_a_power_of_ten_without_a_number_is_refused_later() -> None:
    """`10E9/L` is a unit that lost its number; what is left of it is no unit of any analyte."""
    assert numbers_in_text("10E9/L") == (None, "10", "E9/L")


def test_a_count_with_a_chinese_unit_reads_as_it_was_meant() -> None:
    """Superscripts stay superscripts: 10⁹ is never 109."""
    found = numbers_in_text("0.9×10⁹/L")  # noqa: RUF001
    assert found is not None
    comparator, value, unit = found
    assert normalise("leukocytes", value, "", unit, comparator=comparator).interval.point is not None


@given(st.text(max_size=70))
def test_whatever_is_read_is_ascii_digits(text: str) -> None:
    """Any text is read as plain digits or not at all."""
    found = numbers_in_text(text)
    assert found is None or re.fullmatch(r"[0-9]+(\.[0-9]+)?", found[1])


@given(st.decimals(0, 10**6, places=3), st.sampled_from(["<", "<=", ">", ">=", ""]), st.sampled_from(["", " "]))
def test_every_plain_number_is_read(value: object, comparator: str, space: str) -> None:
    """What a laboratory prints comes back digit for digit."""
    assert numbers_in_text(f"{comparator}{space}{value}") == (comparator or None, str(value), "")

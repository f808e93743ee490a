"""Tables that decide must lead to words that their users know; units of doses are exact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured, Rejected
from fhir_adapter.trial_folder import DoseUnit, read_trial_folder
from tests.made_up import add, change, copy_trial


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the made-up trial."""
    return copy_trial(tmp_path)


def add_map(folder: Path, text: str) -> None:
    """Add a table to maps."""
    change(folder, "codes.yaml", "  action:", f"  {text}\n  action:")


def refused(folder: Path) -> list[tuple[str, str]]:
    """Code and message of everything with which the folder is refused."""
    with pytest.raises(Misconfigured) as caught:
        read_trial_folder(folder)
    return [(issue.code, issue.message) for issue in caught.value.issues]


@pytest.mark.parametrize(
    ("table", "word", "message"),
    [
        ("eligibility", "yes", "'yes' is not one of manual, met, not-met, unknown"),
        ("finding_present", "Y", "'Y' is not one of absent, present"),
        ("hscore_item", "hepatomegalia", "'hepatomegalia' is not one of hepatomegaly, hepatosplenomegaly"),
        ("hscore_item", "marrow-hemophagocytosis", "'marrow-hemophagocytosis' is not one of"),
        ("steroid", "much", "'much' is no factor to prednisolone such as 1.25"),
        ("steroid", "-1", "'-1' is no factor"),
        ("steroid", "NaN", "'NaN' is no factor"),
        ("hscore_item", None, "this word must lead to exactly one code"),
    ],
)
def test_a_table_that_leads_to_an_unknown_word_is_refused(
    folder: Path, table: str, word: str | None, message: str
) -> None:
    """Another word would decide silently."""
    stated = "null" if word is None else f'"{word}"'
    add_map(folder, f"{table}: {{codes: {{X: {stated}}}}}")
    ((code, said),) = refused(folder)
    assert code == "wrong-target"
    assert said.startswith(message)


def test_the_tables_of_treatments_are_read(folder: Path) -> None:
    """Which medication is rescue, and how much prednisolone a steroid stands for."""
    add_map(folder, "rescue: {codes: {VP-16: etoposide}}")
    add_map(folder, 'steroid: {codes: {Methylprednisolone: "1.25"}}')
    codes = read_trial_folder(folder).codes
    assert (codes.one("rescue", "VP-16"), codes.one("steroid", "Methylprednisolone")) == ("etoposide", "1.25")


def test_a_unit_of_doses_is_a_factor_and_a_unit(folder: Path) -> None:
    """100 of 10000 [IU] are 1000000 [IU]; other units are as in `units`."""
    add(folder, "codes.yaml", 'dose_units: {万IU: {factor: "10000", ucum: "[IU]"}}')
    codes = read_trial_folder(folder).codes
    assert codes.dose_units == {"万IU": DoseUnit(Decimal(10000), "[IU]")}
    assert codes.dose(Decimal(100), "万IU") == (Decimal(1000000), "[IU]")
    assert codes.dose(Decimal(5), "mL") == (Decimal(5), "mL")


def test_every_digit_of_a_dose_is_kept(folder: Path) -> None:
    """Beyond the 28 digits that decimals keep by default."""
    add(folder, "codes.yaml", 'dose_units: {x: {factor: "1.000000000000000001", ucum: mg}}')
    long = Decimal("1.234567890123456789012345678901234567890")
    value, _ = read_trial_folder(folder).codes.dose(long, "x")
    assert Fraction(value) == Fraction(long) * Fraction("1.000000000000000001")


def test_a_dose_in_an_unknown_unit_is_rejected(folder: Path) -> None:
    """Neither among the units of doses nor among the others."""
    codes = read_trial_folder(folder).codes
    assert not codes.knows_dose_unit("x")
    with pytest.raises(Rejected) as caught:
        codes.dose(Decimal(1), "x")
    assert [issue.code for issue in caught.value.issues] == ["unmapped-unit"]


@pytest.mark.parametrize(
    "unit", ['{factor: 10000, ucum: "[IU]"}', '{factor: "1e4", ucum: "[IU]"}', '{factor: "0", ucum: mg}', "{ucum: mg}"]
)
def test_a_factor_that_is_no_plain_number_is_refused(folder: Path, unit: str) -> None:
    """A number above 0 in quotes."""
    add(folder, "codes.yaml", f"dose_units: {{x: {unit}}}")
    assert [code for code, _ in refused(folder)] == ["wrong-value"]

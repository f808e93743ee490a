"""Whether doses as collected add up to the exposure as tabulated: totals per interval, never row by row."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from fhir_adapter.issues import Rejected
from fhir_adapter.sources.reconcile import derived_amount
from fhir_adapter.trial import Dose, Quantity, read_moment
from fhir_adapter.trial_folder import Codes, read_trial_folder
from fhir_adapter.units import UnitError
from tests.made_up import MADE_UP, add, change, copy_trial, read, warnings

INTERVAL = "001,DRUG,54,mg,QD,2024-01-10,2024-01-11"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the made-up trial."""
    return copy_trial(tmp_path)


@pytest.fixture(scope="module")
def codes() -> Codes:
    """The tables of the made-up trial."""
    return read_trial_folder(MADE_UP).codes


def dose(amount: str | None, unit: str, strength: str | None = None, strength_unit: str = "g/L") -> Dose:
    """A dose given on the first day."""
    return Dose(
        subject="001",
        site="01",
        key=("001",),
        treatment="DRUG",
        given=True,
        start=read_moment("2024-01-10"),
        amount=Quantity(Decimal(amount), unit, amount) if amount else None,
        strength=Quantity(Decimal(strength), strength_unit, strength) if strength else None,
    )


def differences(folder: Path) -> list[str]:
    """What is said about exposure that differs."""
    reading = read(folder)
    assert {code for code, _, _ in warnings(reading)} <= {"exposure-differs"}
    return [issue.message for issue in reading.warnings]


def test_volume_by_strength_is_the_dose(codes: Codes) -> None:
    """5 mL of 10.8 g/L are 54 mg, exactly."""
    assert derived_amount(dose("5", "mL", "10.8"), "mg", codes) == Fraction(54)


def test_a_dose_in_mass_is_itself(codes: Codes) -> None:
    """Without a strength the amount itself is converted."""
    assert derived_amount(dose("54", "mg"), "mg", codes) == Fraction(54)


def test_without_an_amount_there_is_nothing_to_derive(codes: Codes) -> None:
    """Nothing recorded is not zero."""
    assert derived_amount(dose(None, ""), "mg", codes) is None


def test_units_that_give_no_mass_are_told(codes: Codes) -> None:
    """A volume without a strength is no mass."""
    with pytest.raises(UnitError):
        derived_amount(dose("5", "mL"), "mg", codes)


def test_a_unit_that_the_tables_do_not_list_is_told(codes: Codes) -> None:
    """Nothing is guessed."""
    with pytest.raises(Rejected):
        derived_amount(dose("5", "drops"), "mg", codes)


def test_equal_totals_are_no_matter() -> None:
    """Two doses of 54 mg in an interval of two days; the one missed on the third day is not in it."""
    assert differences(MADE_UP) == []


def test_a_dose_missed_inside_the_interval_makes_a_difference(folder: Path) -> None:
    """EX says three days of 54 mg, EC two doses."""
    change(folder, "data/ex.csv", "2024-01-10,2024-01-11", "2024-01-10,2024-01-12")
    reading = read(folder)
    assert warnings(reading) == [("exposure-differs", "ex.csv", 2)]
    assert reading.warnings[0].message == (
        "the exposure as tabulated is not what was collected in 2 doses of that interval"
    )


def test_a_masked_trial_is_told_of_a_difference_without_the_amounts(folder: Path) -> None:
    """54 or 0 mg tell the arm, so the report of a masked trial does not say them."""
    change(folder, "trial.yaml", "blinding: open", "blinding: masked")
    change(folder, "data/ex.csv", "2024-01-10,2024-01-11", "2024-01-10,2024-01-12")
    (message,) = differences(folder)
    assert [amount for amount in ("162", "108") if amount in message] == []


def test_two_doses_a_day_are_counted_twice(folder: Path) -> None:
    """The frequency is a word of the trial's own table."""
    change(folder, "data/ex.csv", "54,mg,QD", "27,mg,BID")
    assert differences(folder) == []


def test_an_interval_without_an_end_is_one_day(folder: Path) -> None:
    """One row per dose, as the public study writes it."""
    change(folder, "data/ex.csv", INTERVAL, "001,DRUG,54,mg,QD,2024-01-10,\n001,DRUG,54,mg,QD,2024-01-11,")
    assert differences(folder) == []


def test_placebo_adds_up_to_nothing(folder: Path) -> None:
    """A strength of 0 is 0 mg tabulated and collected."""
    ec = (folder / "data" / "ec.csv").read_text()
    (folder / "data" / "ec.csv").write_text(ec.replace("10.8", "0"))
    change(folder, "data/ex.csv", "DRUG,54", "DRUG,0")
    assert differences(folder) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2024-01-10,2024-01-11", "2024-01,2024-01-11", "an interval without whole dates cannot be compared"),
        ("54,mg", "54,mL", "cannot be compared with the doses as collected: 'mL' times 'g/L' is not a 'mL'"),
        ("54,mg", "54,drops", "cannot be compared with the doses as collected: the unit 'drops' is not under units"),
        ("QD", "TID", "cannot be compared with the doses as collected: 'TID' is not in the map 'doses_a_day'"),
    ],
)
def test_what_cannot_be_compared_is_said(folder: Path, old: str, new: str, message: str) -> None:
    """A warning with the reason instead of a silent pass."""
    change(folder, "data/ex.csv", old, new)
    (found,) = differences(folder)
    assert found.startswith(message)


@pytest.mark.parametrize("count", ["once", "1/0"])
def test_a_table_of_frequencies_that_holds_no_numbers_is_a_warning_too(folder: Path, count: str) -> None:
    """What codes.yaml says wrongly does not break the run."""
    change(folder, "codes.yaml", 'QD: "1"', f"QD: {count}")
    (found,) = differences(folder)
    assert found.startswith("cannot be compared with the doses as collected: ")


def test_an_exposure_without_an_amount_is_set_aside(folder: Path) -> None:
    """It says nothing that could be compared."""
    change(folder, "data/ex.csv", "DRUG,54", "DRUG,")
    assert [aside.issue.code for aside in read(folder).set_aside] == ["missing-value"]


def test_exposure_of_another_subject_is_compared_with_its_own_doses(folder: Path) -> None:
    """Subject 002 had none."""
    add(folder, "data/ex.csv", "002,DRUG,54,mg,QD,2024-01-10,")
    assert differences(folder) == ["the exposure as tabulated is not what was collected in 0 doses of that interval"]

"""A trial may state the one amount of a dose: any other, or the same number of another unit, is set aside."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fhir_adapter.sources.reconcile import derived_amount
from fhir_adapter.trial import Dose, Quantity
from fhir_adapter.trial_folder import read_trial_folder
from tests.made_up import add, change, copy_trial, read, set_aside, warnings

HEAD = "USUBJID,ECTRT,ECOCCUR,ECDOSE,ECDOSU,ECPSTRG,ECPSTRGU,ECSTDTC"
UNITS = 'dose_units: {万IU: {factor: "10000", ucum: "[IU]"}, "[iU]": {factor: "1", ucum: "[IU]"}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trial of 1,000,000 IU, written as 100 万IU."""
    place = copy_trial(tmp_path)
    expected = 'doses:\n  expected: {amount: "1000000", unit: "[IU]"}\n'
    change(place, "trial.yaml", "doses:\n  derived_unit: mg\n", expected)
    change(place, "codes.yaml", "mg: mg,", 'mg: mg, "[IU]": "[IU]",')
    add(place, "codes.yaml", UNITS)
    write(place, "100,万IU")
    (place / "data" / "ex.csv").write_text("USUBJID,EXTRT,EXDOSE,EXDOSU,EXDOSFRQ,EXSTDTC,EXENDTC\n", encoding="utf-8")
    return place


def write(folder: Path, *amounts: str, given: str = "Y") -> None:
    """Doses of these amounts and units, one a day."""
    rows = [f"001,DRUG,{given},{amount},,,2024-01-1{day}" for day, amount in enumerate(amounts)]
    (folder / "data" / "ec.csv").write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")


@pytest.mark.parametrize("amount", ["100,万IU", "100.0,万IU", "1000000,[IU]", "1000000,[iU]"])
def test_the_expected_dose_in_each_spelling_is_read(folder: Path, amount: str) -> None:
    """The same amount, exactly, in every unit that codes.yaml lists."""
    write(folder, amount)
    reading = read(folder)
    assert set_aside(reading) == []
    assert sum(isinstance(entity, Dose) for entity in reading.entities) == 1


@pytest.mark.parametrize(
    "amount",
    [
        "100,[IU]",
        "1000000,万IU",
        "100.0000000000000000000000000000000001,万IU",
        "50,万IU",
        "<100,万IU",
        "1,mg",
        "100,IU",
        "100,",
        ",",
    ],
)
def test_any_other_dose_is_set_aside(folder: Path, amount: str) -> None:
    """Wrong amount, wrong unit, no exact amount, an unknown unit, none: an issue, and no administration."""
    write(folder, "100,万IU", amount)
    reading = read(folder)
    assert set_aside(reading) == [("unexpected-dose", "ec.csv", 3)]
    assert reading.set_aside[0].issue.is_error
    assert sum(isinstance(entity, Dose) for entity in reading.entities) == 1
    (count,) = (rows for rows in reading.rows if rows.source == "ec")
    assert (count.used, count.set_aside) == (1, 1)


def test_the_message_says_what_would_be_right(folder: Path) -> None:
    """The column, what was found, and the amount that the trial expects."""
    write(folder, "100,[IU]")
    (issue,) = read(folder).issues
    assert issue.message == "ECDOSE: another amount or another unit; expected are exactly 1000000 [IU]"


def test_a_missed_dose_needs_no_amount(folder: Path) -> None:
    """It was not given, so there is none."""
    write(folder, ",", given="N")
    assert read(folder).issues == ()


def test_without_an_expectation_every_amount_is_read(folder: Path) -> None:
    """A trial of several doses states none."""
    change(folder, "trial.yaml", '  expected: {amount: "1000000", unit: "[IU]"}\n', "  planned_count: [3]\n")
    write(folder, "50,万IU", "100,万IU")
    assert read(folder).issues == ()


def test_doses_in_such_units_are_reconciled_with_the_exposure(folder: Path) -> None:
    """Two of 100 万IU are 2,000,000 IU, and one is not 1,500,000."""
    write(folder, "100,万IU", "100,万IU")
    add(folder, "data/ex.csv", "001,DRUG,1000000,[IU],QD,2024-01-10,2024-01-11")
    assert warnings(read(folder)) == []
    add(folder, "data/ex.csv", "001,DRUG,1500000,[IU],QD,2024-01-11,2024-01-11")
    assert warnings(read(folder)) == [("exposure-differs", "ex.csv", 3)]


def test_an_amount_in_such_a_unit_is_itself(folder: Path) -> None:
    """No conversion beyond the trial's own factor."""
    (dose,) = (entity for entity in read(folder).entities if isinstance(entity, Dose))
    assert dose.amount == Quantity(Decimal(100), "万IU", "100")
    assert derived_amount(dose, "[IU]", read_trial_folder(folder).codes) == 1_000_000

"""What is not read as a fact: contradictions, keys that would unblind, values that have no place."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from tests.made_up import change, copy_trial, read, set_aside, warnings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small trial, to be spoilt."""
    return copy_trial(tmp_path)


def test_a_result_that_was_not_done_has_no_value(folder: Path) -> None:
    """Nobody knows which is right, so the whole blood pressure waits."""
    change(folder, "data/vs.csv", "001,SYSBP,120,mmHg,,", "001,SYSBP,120,mmHg,NOT DONE,")
    codes = [code for code, _, _ in set_aside(read(folder))]
    assert codes == ["contradiction", "panel-incomplete"]


def test_somebody_alive_has_no_date_of_death(folder: Path) -> None:
    """The subject is set aside, with all that is theirs."""
    change(folder, "data/dm.csv", "RFSTDTC\n", "RFSTDTC,DTHFL,DTHDTC\n")
    change(folder, "data/dm.csv", "2024-01-10\n", "2024-01-10,N,2024-02-01\n")
    change(folder, "data/dm.csv", "2024-01-11\n", "2024-01-11,,\n")
    change(folder, "sources.yaml", "RFSTDTC: reference_start}", "RFSTDTC: reference_start, DTHFL: died, DTHDTC: death}")
    reading = read(folder)
    assert set_aside(reading)[0] == ("contradiction", "dm.csv", 2)
    assert {entity.subject for entity in reading.entities} == {"002"}


@pytest.mark.parametrize("column", ["ECTRT", "ECPSTRG"])
def test_the_key_of_a_masked_trial_does_not_tell_the_arm(folder: Path, column: str) -> None:
    """A key stands in every identifier."""
    change(folder, "trial.yaml", "blinding: open", "blinding: masked")
    change(folder, "sources.yaml", "key: [USUBJID, ECSTDTC]", f"key: [USUBJID, {column}, ECSTDTC]")
    with pytest.raises(Misconfigured) as caught:
        read(folder)
    assert [issue.code for issue in caught.value.issues] == ["unblinding-key"]


def test_a_standardised_value_without_a_place_is_told(folder: Path) -> None:
    """The same unit and another value cannot stand beside the one as recorded: a warning, never silence."""
    change(folder, "data/lb.csv", "LBDTC\n", "LBDTC,LBSTRESC,LBSTRESU\n")
    text = (folder / "data" / "lb.csv").read_text(encoding="utf-8")
    head, first, *others = text.splitlines()
    lines = [head, f"{first},777,mg/dL", *(f"{line},," for line in others)]
    (folder / "data" / "lb.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    change(
        folder,
        "sources.yaml",
        "LBDTC: effective}",
        "LBDTC: effective, LBSTRESC: standard_value, LBSTRESU: standard_unit}",
    )
    assert warnings(read(folder)) == [("standard-differs", "lb.csv", 2)]

"""Before it is spoiled, the made-up trial is good: a second trial is a folder, never a branch of code."""

from __future__ import annotations

from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import plan_of


def test_a_trial_that_no_line_of_code_knows_is_pushed(river: SmallTrial) -> None:
    """A folder of YAML and CSV is all it takes: everything is written, nothing is set aside."""
    told = river.push()
    assert (told.run.exit_code, told.run.set_aside) == (0, [])
    assert {*told.of("Patient")} == {"001", "002", "003"}
    assert len(told.of("Encounter")) == 4
    assert len(told.of("Observation")) == 5
    assert len(told.of("AdverseEvent")) == 3


def test_its_numbers_keep_their_digits(river: SmallTrial) -> None:
    """A ferritin of 1250.50 is still 1250.50 on the server."""
    (result,) = (each for key, each in river.push().of("Observation").items() if key.startswith("001/FERR/2/"))
    assert (str(result["valueQuantity"]["value"]), result["valueQuantity"]["code"]) == ("1250.50", "ug/L")


def test_it_is_pushed_once(river: SmallTrial) -> None:
    """The same push again sends nothing."""
    with river.pushing() as pushing:
        first, again = pushing.push(), pushing.push()
    assert again.report["plan"] == plan_of(unchanged=first.report["plan"]["create"])
    assert (again.exit_code, again.report["requests"]) == (0, 0)

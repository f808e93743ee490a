"""What a row of a batch is refused with: its number, what is wrong with it, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from fhir_adapter.issues import Issue, Rejected, Where
from fhir_adapter.scores.batch import Value, hscore_bounds
from fhir_adapter.trial import Interval

PARTS = (
    "ast, ferritin, fibrinogen, hemoglobin, hepatomegaly, hepatosplenomegaly, known_immunosuppression, leukocytes, "
    "marrow_hemophagocytosis, platelets, splenomegaly, temperature, triglycerides"
)
NOT_READ = "a value is neither an interval with values in it nor, of a finding, True, False or None"
THREE = Fraction(3)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"ferritin": True}, NOT_READ),
        ({"ferritin": Interval(THREE, THREE, low_open=True)}, NOT_READ),
        ({"ferritin": Interval(THREE, THREE, high_open=True)}, NOT_READ),
        ({"x" * 50: None, "ast": None}, f"'{'x' * 40}' is no part of the HScore; its parts are {PARTS}"),
        ({"zinc": None, "copper": None}, f"'copper' is no part of the HScore; its parts are {PARTS}"),
    ],
)
def test_a_row_is_refused_with_its_place_and_what_would_be_right(row: Mapping[str, Value], wrong: str) -> None:
    """The third row: `rows[2]` for a program, row 3 for a person; of a name no more than forty characters."""
    with pytest.raises(Rejected) as error:
        hscore_bounds([{}, {}, row])
    message = f"row 3: {wrong}"
    assert str(error.value) == message
    assert error.value.issues == (Issue("error", "batch-row", message, Where(expression="rows[2]")),)

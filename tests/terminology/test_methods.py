"""Which codes say how something was measured: it stands beside the value, and tells one examination from another."""

from __future__ import annotations

import pytest

from fhir_adapter.terminology import analytes, match_codes

METHODS = {
    "fasting": "30524-3 47210-0",
    "derived": "48664-7",
    "heat denaturation": "30902-1",
    "with P-5'-P": "30239-8",
    "without P-5'-P": "88112-8",
    "calculated": "20509-6",
    "blood gas": "30313-1 30350-3 30352-9 55782-7 14775-1 76768-1 76769-9 75928-2 93846-4",
    "manual count": "804-5 778-1 74464-9 753-4 712-0",
    "estimate": "49498-9 49497-1",
    "corrected": "33256-9 12227-5",
    "oral": "8331-1",
    "rectal": "8332-9",
    "tympanic": "8333-7",
    "axillary": "8328-7",
    "core": "8329-5",
    "bladder": "8334-5",
    "temporal": "75539-7",
    "measured": "3141-9",
    "lactate to pyruvate": "14804-9",
    "pyruvate to lactate": "14805-6",
    "Westergren": "4537-7",
}


@pytest.mark.parametrize(
    ("method", "code"), [(method, code) for method, codes in METHODS.items() for code in codes.split()]
)
def test_the_method_of_a_code_goes_with_its_result(method: str, code: str) -> None:
    """As the name of the code says it."""
    assert match_codes([("http://loinc.org", code)]).method == method


def test_no_other_code_names_a_method() -> None:
    """The list above is the whole table."""
    named = {code for one in analytes().values() for code, stated in one.codes.items() if stated.method}
    assert named == {code for codes in METHODS.values() for code in codes.split()}

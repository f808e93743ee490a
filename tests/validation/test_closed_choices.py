"""A choice whose slices are closed: a type that is in none of them is refused, however little of its value is there."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.validation import Validator

PROFILE = "https://example.org/StructureDefinition/closed"
NOT_KNOWN = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}
TYPES = [{"code": code} for code in ("Quantity", "string", "dateTime")]
ELEMENTS = [
    {"id": "Observation", "path": "Observation"},
    {
        "id": "Observation.value[x]",
        "path": "Observation.value[x]",
        "slicing": {"discriminator": [{"type": "type", "path": "$this"}], "rules": "closed"},
        "type": TYPES,
    },
    *(
        {
            "id": f"Observation.value[x]:{name}",
            "path": "Observation.value[x]",
            "sliceName": name,
            "min": 0,
            "max": most,
            "type": [kind],
        }
        for name, most, kind in zip(("valueQuantity", "valueString"), ("1", "0"), TYPES, strict=False)
    ),
]


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Validator:
    """One that knows a profile: a quantity or nothing; a text is forbidden, a date in no slice."""
    profile = {
        "resourceType": "StructureDefinition",
        "url": PROFILE,
        "name": "Closed",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {"element": ELEMENTS},
    }
    file = tmp_path_factory.mktemp("closed") / "closed.json"
    file.write_bytes(fhirjson.dumps(profile))
    return Validator([file])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"valueQuantity": {"value": 1}}, []),
        ({"valueString": "made up"}, [("too-many", "Observation.value.ofType(string)")]),
        ({"_valueString": NOT_KNOWN}, [("too-many", "Observation.value.ofType(string)")]),
        ({"valueString": "made up", "_valueString": NOT_KNOWN}, [("too-many", "Observation.value.ofType(string)")]),
        ({"valueDateTime": "2016"}, [("slice-closed", "Observation.value.ofType(dateTime)")]),
        ({"_valueDateTime": NOT_KNOWN}, [("slice-closed", "Observation.value.ofType(dateTime)")]),
        (
            {"_valueDateTime": NOT_KNOWN, "valueDateTime": "2016"},
            [("slice-closed", "Observation.value.ofType(dateTime)")],
        ),
    ],
)
def test_what_is_in_no_slice_is_refused_once(
    validator: Validator, observation: dict[str, Any], value: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    """A value, a reason why there is none, or both."""
    resource = {key: each for key, each in observation.items() if not key.startswith("value")} | value
    issues = validator.check(resource, [PROFILE])
    assert [(each.code, each.where.expression) for each in issues if each.is_error] == found

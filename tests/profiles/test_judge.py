"""HL7's own engine as judge of the profiles and their examples, where it is built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_adapter import fhirjson
from fhir_adapter.issues import AdapterError, Issue
from fhir_adapter.validation.backends.hl7 import Hl7Backend, engine_command, engine_home
from tests.profiles.build import PROFILES
from tests.profiles.defects import DEFECTS, EXAMPLES, INVALID, Defect

KNOWN = {"trial-study": "Terminology_TX_Code_ValueSet_MISSING"}
"""A status that nobody decided is absent with a reason, as R4 allows; the engine wants a code whatever stands there."""
NOT_EVALUATED = {
    "trial-laboratory-result.impossible-unit": "value sets of UCUM units need a terminology server",
    "trial-laboratory-result.look-alike": "value sets of LOINC codes need a terminology server",
}
ONE_ABOVE = {"type-not-allowed"}
"""A value of another type: the engine names the element that holds it."""


def is_built() -> bool:
    try:
        engine_command(engine_home())
    except AdapterError:
        return False
    return True


pytestmark = [
    pytest.mark.skipif(not is_built(), reason="HL7's engine is not built: fhir_adapter.validation.backends.build_hl7"),
    pytest.mark.xdist_group("hl7"),
]


@pytest.fixture(scope="module")
def judge() -> Iterator[Hl7Backend]:
    """The engine with the project's profiles."""
    with Hl7Backend([PROFILES]) as engine:
        yield engine


def errors(issues: list[Issue]) -> list[Issue]:
    return [one for one in issues if one.severity in ("error", "fatal")]


def test_the_definitions_themselves_are_valid(judge: Hl7Backend) -> None:
    """Profiles, extensions, value sets, code systems, maps, operations, statements."""
    files = sorted(PROFILES.glob("*.json"))
    found = {file.name: errors(judge.check(fhirjson.loads(file.read_bytes()))) for file in files}
    assert {name: [one.message for one in issues] for name, issues in found.items() if issues} == {}


def test_valid_examples_have_no_error(judge: Hl7Backend) -> None:
    """But the one that is known."""
    files = sorted(EXAMPLES.glob("*.json"))
    found = {file.stem: errors(judge.check(fhirjson.loads(file.read_bytes()))) for file in files}
    assert {name: [one.rule for one in issues] for name, issues in found.items() if issues} == {
        name: [rule] for name, rule in KNOWN.items()
    }


@pytest.mark.parametrize(
    "defect", [one for one in DEFECTS if one.file not in NOT_EVALUATED], ids=lambda defect: defect.file
)
def test_an_invalid_example_is_refused_at_its_place(judge: Hl7Backend, defect: Defect) -> None:
    """At the place that we name, or directly below it."""
    resource = fhirjson.loads((INVALID / f"{defect.file}.json").read_bytes())
    found = errors(judge.check(resource, defect.asked))
    place = defect.expression.rpartition(".value.ofType(")[0] if defect.code in ONE_ABOVE else defect.expression
    assert [one for one in found if (one.where.expression or "").startswith(place) and defect.rule in (one.rule, "")]

"""What is said of codes that do not exist, systems that are none, and displays that the code system does not use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_adapter.validation.codings import coding_checks
from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.engine import Engine, Options
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]
Found = list[tuple[str, str, str | None]]
Check = Callable[..., Found]

CORE = "http://hl7.org/fhir/"
GENDER = f"{CORE}administrative-gender"
MALE = {"system": GENDER, "code": "male"}
FERRITIN = {"system": "http://loinc.org", "code": "2276-4"}
PATH = "Observation.code.coding[0]"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The definitions of R4."""
    return Engine(Definitions.of(), Options())


def issues_of(engine: Engine, value: object, kind: str, resource: Json) -> Run:
    """What is found of one value of this type."""
    run = Run("Observation/1", resource, Surroundings.of(resource), {})
    coding_checks(engine)[kind](value, PATH, run)
    return run


@pytest.fixture(scope="module")
def found(engine: Engine) -> Check:
    """Checks a coding and gives severity, code and expression of every issue."""

    def check(value: object, kind: str = "Coding", **resource: str) -> Found:
        run = issues_of(engine, value, kind, resource)
        return [(issue.severity, issue.code, issue.where.expression) for issue in run.issues]

    return check


@pytest.mark.parametrize(
    "coding",
    [
        MALE,
        {**MALE, "display": "Male"},
        {**MALE, "display": " MALE  "},
        {"system": "http://loinc.org", "code": "8310-5", "display": "anything"},
        {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"},
        {"system": GENDER},
        {"display": "Male"},
        {},
    ],
)
def test_right_codings_pass(found: Check, coding: Json) -> None:
    """Displays are compared without case; what is not there is not judged, nor are displays that nobody knows."""
    assert found(coding) == []


def test_a_code_that_its_code_system_lacks_is_an_error(found: Check) -> None:
    """Also where nothing is bound."""
    assert found({"system": GENDER, "code": "man"}) == [("error", "code-unknown", f"{PATH}.code")]


@pytest.mark.parametrize(
    ("system", "code"),
    [("http://loinc.org", "2276-5"), ("http://snomed.info/sct", "80394008"), ("http://unitsofmeasure.org", "mg//L")],
)
def test_a_code_that_cannot_be_one_of_its_terminology_is_an_error(found: Check, system: str, code: str) -> None:
    """A check digit that does not fit, a unit without grammar."""
    assert found({"system": system, "code": code}) == [("error", "code-unknown", f"{PATH}.code")]


def test_a_code_of_a_terminology_that_is_not_at_hand_is_said(found: Check) -> None:
    """It may exist; nothing is wrong."""
    assert found(FERRITIN) == [("information", "not-evaluated", PATH)]


def test_each_terminology_is_said_once(engine: Engine) -> None:
    """However many codes of it a resource has."""
    run = issues_of(engine, FERRITIN, "Coding", {})
    check = coding_checks(engine)["Coding"]
    check({"system": "http://loinc.org", "code": "718-7"}, "Observation.component[0].code.coding[0]", run)
    check({"system": "http://snomed.info/sct", "code": "80394007"}, "Observation.method.coding[0]", run)
    assert [issue.rule for issue in run.issues] == ["LOINC", "SNOMED CT"]


def test_a_code_system_that_nobody_knows_is_a_warning(found: Check) -> None:
    """As in HL7's engine: it may be the hospital's own."""
    coding = {"system": "https://example.org/tests", "code": "FER"}
    assert found(coding) == [("warning", "code-system-unknown", f"{PATH}.system")]


def test_a_version_behind_the_system_makes_it_another_system(found: Check) -> None:
    """The version belongs in `version`, so nobody knows this system."""
    coding = {"system": f"{GENDER}|4.0.1", "code": "male"}
    assert found(coding) == [("warning", "code-system-unknown", f"{PATH}.system")]


def test_a_code_without_its_system_is_a_warning(found: Check) -> None:
    """As in HL7's engine: it means nothing."""
    assert found({"code": "male"}) == [("warning", "no-system", PATH)]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("LOINC", "system-not-absolute"),
        (f"{CORE}ValueSet/administrative-gender", "system-is-value-set"),
        ("https://loinc.org", "system-misspelt"),
        ("http://www.snomed.info/sct/", "system-misspelt"),
    ],
)
def test_a_system_that_is_none_is_an_error(found: Check, system: str, code: str) -> None:
    """A name, a value set, and an address that is nearly right."""
    assert found({"system": system, "code": "a"}) == [("error", code, f"{PATH}.system")]


def test_a_system_that_is_none_is_an_error_without_code(found: Check) -> None:
    """The system alone can be judged."""
    assert found({"system": "LOINC"}) == [("error", "system-not-absolute", f"{PATH}.system")]


def test_a_code_outside_the_part_at_hand_is_a_warning(found: Check) -> None:
    """R4 holds the types of insurance plans as a fragment."""
    coding = {"system": "http://terminology.hl7.org/CodeSystem/insurance-plan-type", "code": "trial"}
    assert found(coding) == [("warning", "code-unknown", f"{PATH}.code")]


def test_a_code_outside_an_example_of_a_code_system_cannot_be_told(found: Check) -> None:
    """R4 holds the service types as an example."""
    coding = {"system": "http://terminology.hl7.org/CodeSystem/service-type", "code": "trial"}
    assert found(coding) == [("information", "not-evaluated", PATH)]


def test_another_version_of_a_code_system_cannot_be_told(found: Check) -> None:
    """A code that the version at hand lacks may be in the one that is given; one that it has is right."""
    assert found({**MALE, "version": "9"}) == []
    assert found({**MALE, "code": "man", "version": "9"}) == [("information", "not-evaluated", PATH)]


def test_a_display_that_the_code_system_does_not_use_is_an_error(found: Check) -> None:
    """As in HL7's engine."""
    assert found({**MALE, "display": "Female"}) == [("error", "display", f"{PATH}.display")]


def test_a_display_in_another_language_is_a_warning(found: Check) -> None:
    """The resource says its language, or the script does: the translation is not at hand."""
    assert found({**MALE, "display": "Mann"}, language="de") == [("warning", "display", f"{PATH}.display")]
    assert found({**MALE, "display": "Mann"}, language="en-US") == [("error", "display", f"{PATH}.display")]
    assert found({**MALE, "display": "男"}) == [("warning", "display", f"{PATH}.display")]


def test_the_unit_of_a_quantity_is_checked(found: Check) -> None:
    """A unit without system or of the hospital's own is none of this check's business."""
    ucum = "http://unitsofmeasure.org"
    assert found({"value": 1, "system": ucum, "code": "mg/dL"}, "Quantity") == []
    assert found({"value": 1, "system": ucum, "code": "mcg"}, "Age") == [("error", "code-unknown", f"{PATH}.code")]
    assert found({"value": 1, "code": "mcg"}, "Quantity") == []
    own = {"value": 1, "system": "https://example.org/units", "code": "drops"}
    assert found(own, "Quantity") == [("information", "not-evaluated", PATH)]


@pytest.mark.parametrize("value", [None, [], "x", {"system": [], "code": {}}, {"system": 1, "code": True}])
def test_what_is_no_coding_is_left_to_others(found: Check, value: object) -> None:
    """The types of its elements are checked elsewhere."""
    assert found(value) == []


def test_a_message_shows_no_data(engine: Engine) -> None:
    """Neither the display nor a code or system that may be a name."""
    coding = {"system": "urn:name:Zhang San", "code": "Zhang San", "display": "Zhang San"}
    wrong = {**MALE, "display": "Zhang San"}
    messages = [each.message for value in (coding, wrong) for each in issues_of(engine, value, "Coding", {}).issues]
    assert messages == [
        "the code system is not at hand, so the code cannot be checked",
        f"the display is not what the code system {GENDER} calls the code: 'Male'",
    ]


def test_structure_alone_asks_nothing_of_codes() -> None:
    """The option leaves value sets and code systems out."""
    assert coding_checks(Engine(Definitions.of(), Options(structure_only=True))) == {}

"""Results, vital signs and findings become Observations, value and unit as recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapter.mappers.r4.observation import map_finding, map_measurement
from fhir_adapter.trial import Quantity
from fhir_adapter.validation import check_structure
from tests.mappers.small import (
    BASE,
    CORE,
    HL7,
    OURS,
    amount,
    context,
    finding,
    meta,
    moment,
    recorded,
    refused,
    result,
    study_links,
    vital_sign,
)

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def category(code: str, display: str) -> dict[str, Any]:
    """A category of Observation."""
    return {"coding": [{"system": f"{HL7}/observation-category", "code": code, "display": display}]}


def test_a_laboratory_result() -> None:
    """Everything that a row fills: code, time with zone, value, limits, interpretation."""
    here = context()
    high = result(
        "GLUC",
        "12.50",
        "mmol/L",
        name="Glucose",
        group="CHEMISTRY",
        visit="1",
        indicator="HIGH",
        low=amount("3.9", "mmol/L"),
        high=amount("5.60", "mmol/L"),
    )
    assert map_measurement(high, here) == {
        "resourceType": "Observation",
        "id": here.names.id("Observation", "001", "GLUC"),
        "meta": meta(f"{OURS}/trial-laboratory-result"),
        "extension": study_links(here.names),
        "identifier": [{"system": f"{BASE}/observation", "value": "001/GLUC"}],
        "status": "final",
        "category": [
            category("laboratory", "Laboratory"),
            {"coding": [{"system": f"{BASE}/code/category", "code": "CHEMISTRY"}], "text": "CHEMISTRY"},
        ],
        "code": {
            "coding": [
                {"system": LOINC, "code": "2345-7", "display": "Glucose [Mass/volume] in Serum or Plasma"},
                {"system": f"{BASE}/code/test", "code": "GLUC", "display": "Glucose", "userSelected": True},
            ],
            "text": "Glucose",
        },
        "subject": here.names.reference("Patient", "001"),
        "encounter": here.names.reference("Encounter", "001", "1"),
        "effectiveDateTime": "2024-01-10T08:15:00+08:00",
        "_effectiveDateTime": recorded("2024-01-10T08:15"),
        "valueQuantity": {"value": Decimal("12.50"), "unit": "mmol/L", "system": UCUM, "code": "mmol/L"},
        "interpretation": [
            {
                "coding": [{"system": f"{HL7}/v3-ObservationInterpretation", "code": "H", "display": "High"}],
                "text": "HIGH",
            }
        ],
        "referenceRange": [
            {
                "low": {"value": Decimal("3.9"), "unit": "mmol/L", "system": UCUM, "code": "mmol/L"},
                "high": {"value": Decimal("5.60"), "unit": "mmol/L", "system": UCUM, "code": "mmol/L"},
            }
        ],
    }


def test_a_result_below_the_limit_keeps_its_comparator() -> None:
    """`<40` is a number with a comparator, no text beside it needed."""
    found = map_measurement(result("GLUC", "40", "mg/dL", comparator="<", recorded="<40"), context())
    assert found["valueQuantity"] == {
        "value": Decimal(40),
        "comparator": "<",
        "unit": "mg/dL",
        "system": UCUM,
        "code": "mg/dL",
    }


def test_a_comparator_written_with_a_blank_keeps_its_text() -> None:
    """What reads differently from what was recorded has the text beside it."""
    found = map_measurement(result("GLUC", "40", "mg/dL", comparator="<", recorded="< 40"), context())
    assert found["valueQuantity"]["_value"] == recorded("< 40")  # type: ignore[index]


def test_a_result_in_words_is_a_coded_value() -> None:
    """NORMAL is the laboratory's own code."""
    found = map_measurement(result("COLOR", "", None, value=None, word="NORMAL"), context())
    assert found["valueCodeableConcept"] == {
        "coding": [{"system": f"{BASE}/code/result", "code": "NORMAL"}],
        "text": "NORMAL",
    }
    assert "valueQuantity" not in found


def test_an_unmapped_word_is_rejected() -> None:
    """A word that the table does not list is not read into anything, nor repeated: it is a subject's result."""
    expected = ("unmapped-code", "a result is not in the map 'word' of codes.yaml")
    assert refused(map_measurement, result("COLOR", "", None, value=None, word="阳性"), context()) == expected


def test_a_result_without_unit_takes_the_one_of_its_test() -> None:
    """Only where codes.yaml says that the test has none; no unit text is made up."""
    found = map_measurement(result("COLOR", "2", None), context())
    assert found["valueQuantity"] == {"value": Decimal(2), "system": UCUM, "code": "1"}


def test_b29_a_missing_unit_is_rejected() -> None:
    """Glucose has a unit, and nobody wrote it."""
    assert refused(map_measurement, result("GLUC", "90", None), context())[0] == "unmapped-unit"


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (result("XXX", "1", "g/L"), "unmapped-test"),
        (result("GLUC", "1", "K/uL"), "unmapped-unit"),
        (result("GLUC", "1", "g/L", indicator="WEIRD"), "unmapped-code"),
        (result("GLUC", "1", "g/L", location="TOE"), "unmapped-code"),
        (vital_sign("TEMP", "97", "F", position="UPSIDE DOWN"), "unmapped-code"),
        (result("GLUC", "1", "g/L", category="imaging"), "unknown-category"),
    ],
)
def test_what_the_tables_do_not_list_is_rejected(one: Any, code: str) -> None:
    """Tests, units, indicators, places, positions, categories."""
    assert refused(map_measurement, one, context())[0] == code


def test_a_test_without_loinc_code_has_its_own() -> None:
    """The source's code alone, chosen by a person."""
    found = map_measurement(result("OWN", "1", "g/L"), context())
    own = {"system": f"{BASE}/code/test", "code": "OWN", "display": "OWN", "userSelected": True}
    assert found["code"] == {"coding": [own]}


def test_a_standardised_copy_is_a_translation() -> None:
    """Haemoglobin stays in g/dL; mmol/L stands beside it, never instead."""
    found = map_measurement(result("HGB", "14.2", "g/dL", standard=amount("8.81", "mmol/L")), context())
    assert found["valueQuantity"] == {
        "extension": [
            {
                "url": f"{CORE}/iso21090-PQ-translation",
                "valueQuantity": {"value": Decimal("8.81"), "unit": "mmol/L", "system": UCUM, "code": "mmol/L"},
            }
        ],
        "value": Decimal("14.2"),
        "unit": "g/dL",
        "system": UCUM,
        "code": "g/dL",
    }


@pytest.mark.parametrize("standard", [amount("14.2", "g/dL"), amount("14.2", "")])
def test_a_copy_in_the_same_unit_says_nothing_new(standard: Quantity) -> None:
    """Nor one without a unit."""
    found = map_measurement(result("HGB", "14.2", "g/dL", standard=standard), context())
    assert "extension" not in found["valueQuantity"]  # type: ignore[operator]


@pytest.mark.parametrize("text", ["<40", ">=40"])
def test_a_limit_with_a_comparator_is_no_simple_quantity(text: str) -> None:
    """referenceRange.low and high are SimpleQuantity (sqty-1): a limit of `<40` is told as text."""
    limit = Quantity(Decimal(40), "mg/dL", text, text.rstrip("40"))
    found: Any = map_measurement(result("GLUC", "90", "mg/dL", high=limit), context())
    (limits,) = found["referenceRange"]
    assert "comparator" not in limits.get("high", {})
    assert text in limits["text"]


def test_a_result_that_was_not_done_says_so() -> None:
    """Cancelled, with the reason why there is no value."""
    found = map_measurement(result("GLUC", "", None, value=None, not_done=True), context())
    assert found["status"] == "cancelled"
    assert found["dataAbsentReason"] == {
        "coding": [{"system": f"{HL7}/data-absent-reason", "code": "not-performed", "display": "Not Performed"}]
    }


def test_the_status_of_results_is_the_trials() -> None:
    """Preliminary before the database is locked."""
    assert map_measurement(result("GLUC", "1", "g/L"), context(result_status="preliminary"))["status"] == "preliminary"


def test_a_date_without_time_stays_one() -> None:
    """Nothing is invented, nothing stands beside it."""
    found = map_measurement(result("GLUC", "1", "g/L", effective=moment("2024-01-10")), context())
    assert found["effectiveDateTime"] == "2024-01-10"
    assert "_effectiveDateTime" not in found


def test_a_laboratory_result_may_have_a_month_only() -> None:
    """vs-1 is a rule of vital signs."""
    found = map_measurement(result("GLUC", "1", "g/L", effective=moment("2024-01")), context())
    assert found["effectiveDateTime"] == "2024-01"


def test_a_temperature_has_its_core_profile_and_its_unit() -> None:
    """Degrees Fahrenheit as recorded; 097.3 is 97.3 with the text kept."""
    one = vital_sign("TEMP", "97.3", "F", recorded="097.3", position="SUPINE", location="ARM")
    found = map_measurement(one, context())
    assert found["meta"] == meta(f"{OURS}/trial-vital-sign", f"{CORE}/bodytemp")
    assert found["category"] == [category("vital-signs", "Vital Signs")]
    assert found["valueQuantity"] == {
        "value": Decimal("97.3"),
        "_value": recorded("097.3"),
        "unit": "F",
        "system": UCUM,
        "code": "[degF]",
    }
    assert found["extension"][-1] == {  # type: ignore[index]
        "url": f"{CORE}/observation-bodyPosition",
        "valueCodeableConcept": {
            "coding": [{"system": "http://snomed.info/sct", "code": "40199007", "display": "Supine body position"}],
            "text": "SUPINE",
        },
    }
    assert found["bodySite"]["text"] == "ARM"  # type: ignore[index]


def test_a_vital_sign_without_core_profile_of_its_own_has_the_general_one() -> None:
    """Every vital sign conforms to vitalsigns."""
    found = map_measurement(vital_sign("OWN", "1", "g/L"), context())
    assert found["meta"] == meta(f"{OURS}/trial-vital-sign", f"{CORE}/vitalsigns")


@pytest.mark.parametrize("effective", [None, moment("2024"), moment("2024-01")])
def test_a_vital_sign_needs_a_day(effective: Any) -> None:
    """vs-1: a month alone is rejected."""
    expected = ("vs-1", "a vital sign needs a date at least to the day")
    assert refused(map_measurement, vital_sign("TEMP", "97", "F", effective=effective), context()) == expected


def pressure(*parts: Any, **changes: Any) -> Any:
    """A blood pressure of these parts."""
    return vital_sign("BP", "", None, value=None, name="Blood pressure", panel=parts, **changes)


def component(code: str, display: str, own: str) -> dict[str, Any]:
    """The code of a part of a blood pressure."""
    return {
        "coding": [
            {"system": LOINC, "code": code, "display": display},
            {"system": f"{BASE}/code/test", "code": own, "display": own, "userSelected": True},
        ]
    }


def test_a_blood_pressure_has_two_components() -> None:
    """Systolic and diastolic in mm[Hg] under the core profile, no value of its own."""
    parts = vital_sign("SYSBP", "120", "mmHg"), vital_sign("DIABP", "80", "mmHg")
    found = map_measurement(pressure(*parts), context())
    assert found["meta"] == meta(f"{OURS}/trial-vital-sign", f"{CORE}/bp")
    assert found["component"] == [
        {
            "code": component("8480-6", "Systolic blood pressure", "SYSBP"),
            "valueQuantity": {"value": Decimal(120), "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        },
        {
            "code": component("8462-4", "Diastolic blood pressure", "DIABP"),
            "valueQuantity": {"value": Decimal(80), "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        },
    ]
    assert not {"valueQuantity", "dataAbsentReason"} & found.keys()


@pytest.mark.parametrize(("there", "missing"), [(0, 1), (1, 0)])
def test_a_missing_part_of_a_blood_pressure_is_said_to_be_missing(there: int, missing: int) -> None:
    """Both components stand in their order; the one that was not recorded has a reason instead of a value."""
    parts = vital_sign("SYSBP", "120", "mmHg"), vital_sign("DIABP", "80", "mmHg")
    components = map_measurement(pressure(parts[there]), context())["component"]
    assert components[missing]["dataAbsentReason"] == {  # type: ignore[index]
        "coding": [{"system": f"{HL7}/data-absent-reason", "code": "unknown", "display": "Unknown"}]
    }
    assert "valueQuantity" in components[there]  # type: ignore[index]


def test_a_blood_pressure_that_was_not_done_is_cancelled() -> None:
    """Both components say that they were not performed."""
    parts = [vital_sign(test, "", None, value=None, not_done=True) for test in ("SYSBP", "DIABP")]
    found = map_measurement(pressure(*parts, not_done=True), context())
    reasons = [part["dataAbsentReason"]["coding"][0]["code"] for part in found["component"]]  # type: ignore[attr-defined]
    assert (found["status"], reasons) == ("cancelled", ["not-performed"] * 2)


def test_a_finding_about_an_event() -> None:
    """The event is the focus, the answer a code, the code made of what was looked at and the question."""
    here = context()
    one = finding(about="1", group="INJECTION SITE", location="ARM", effective=moment("2024-01-12"))
    assert map_finding(one, here) == {
        "resourceType": "Observation",
        "id": here.names.id("Observation", "001", "1", "OCCUR"),
        "meta": meta(f"{OURS}/trial-finding"),
        "extension": study_links(here.names),
        "identifier": [{"system": f"{BASE}/observation", "value": "001/1/OCCUR"}],
        "status": "final",
        "category": [
            category("exam", "Exam"),
            {"coding": [{"system": f"{BASE}/code/category", "code": "INJECTION SITE"}], "text": "INJECTION SITE"},
        ],
        "code": {
            "coding": [{"system": f"{BASE}/code/finding", "code": "ERYTHEMA/OCCUR"}],
            "text": "ERYTHEMA: Occurrence Indicator",
        },
        "subject": here.names.reference("Patient", "001"),
        "focus": [here.names.reference("AdverseEvent", "001", "1")],
        "effectiveDateTime": "2024-01-12",
        "valueCodeableConcept": {
            "coding": [{"system": f"{HL7}/v2-0136", "code": "Y", "display": "Yes"}],
            "text": "Y",
        },
        "bodySite": {"coding": [{"system": "http://snomed.info/sct", "code": "40983000"}], "text": "ARM"},
    }


def test_an_examination_at_a_visit() -> None:
    """It is about no event, and belongs to its visit."""
    here = context()
    found = map_finding(finding(item="", visit="2"), here)
    assert found["encounter"] == here.names.reference("Encounter", "001", "2")
    assert found["code"]["text"] == "Occurrence Indicator"  # type: ignore[index]
    assert not {"focus", "effectiveDateTime", "bodySite"} & found.keys()


def test_a_finding_in_another_word_is_rejected() -> None:
    """A word that the table does not list."""
    assert refused(map_finding, finding(result="MAYBE"), context())[0] == "unmapped-code"


@pytest.mark.parametrize(
    "resource",
    [
        map_measurement(result("GLUC", "40", "mg/dL", comparator="<", recorded="< 40"), context()),
        map_measurement(pressure(vital_sign("SYSBP", "120", "mmHg")), context()),
        map_measurement(result("GLUC", "", None, value=None, not_done=True), context()),
        map_finding(finding(), context()),
    ],
)
def test_every_form_is_sound_fhir(resource: Any) -> None:
    """The structural check finds nothing."""
    assert check_structure(resource) == []

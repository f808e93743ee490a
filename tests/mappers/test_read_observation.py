"""How a hospital's Observation is read: what counts, what does not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from fhir_adapter.mappers.r4.read_observation import NOTE_FLAG, ReadObservation, read_observation
from fhir_adapter.terminology import HSCORE_ITEM
from fhir_adapter.trial import Interval, Result
from tests.intake.hospital import HEMOGLOBIN, LOINC, PLATELETS, UCUM, result

NOW = datetime(2024, 3, 1, tzinfo=UTC)
SNOMED = "http://snomed.info/sct"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def read(resource: Mapping[str, Any], **units: str) -> ReadObservation:
    """Read one Observation on 1 March 2024."""
    return read_observation(resource, "001", sha256="ab", unit_when_missing=units, now=NOW)


def only(resource: Mapping[str, Any], **units: str) -> Result:
    """The one result, with nothing to say beside it."""
    found = read(resource, **units)
    assert found.issues == ()
    (one,) = found.results
    return one


def refused(resource: Mapping[str, Any], **units: str) -> list[tuple[str, str]]:
    """Severity and code of what was said; there is no result."""
    found = read(resource, **units)
    assert found.results == ()
    return [(issue.severity, issue.code) for issue in found.issues]


def finding(item: str = "splenomegaly", system: str = HSCORE_ITEM, **more: Any) -> dict[str, Any]:
    """An observation of an organ."""
    code = {"coding": [{"system": system, "code": item}]}
    return {**result("o1", **(more or {"valueBoolean": True})), "code": code}


def coded(system: str, code: str, **more: Any) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}], **more}


def test_a_number_is_read_with_all_that_tells_where_it_comes_from() -> None:
    """Value as received, interval in the canonical unit, version, hash, specimen, method."""
    one = only(
        result(
            "f1",
            "24560.0",
            meta={"versionId": "3"},
            issued="2024-01-11T09:00:00+08:00",
            specimen={"reference": "Specimen/s1"},
            method={"text": "immunoassay"},
            bodySite={"text": "vein"},
        )
    )
    assert (one.name, one.interval, one.value) == ("ferritin", Interval.of(Fraction(24560)), "24560.0")
    assert (one.reference, one.version, one.sha256, one.source) == ("Observation/f1", "3", "ab", "hospital")
    assert (one.specimen, one.method, one.body_site, one.status) == ("Specimen/s1", "immunoassay", "vein", "final")
    assert one.issued is not None


def test_b30_a_comparator_makes_a_half_line() -> None:
    """`>40000` is no number."""
    one = only(
        result("f1")
        | {"valueQuantity": {"value": 40000, "comparator": ">", "unit": "ng/mL", "system": UCUM, "code": "ng/mL"}}
    )
    assert (one.interval, one.comparator) == (Interval.of(Fraction(40000), ">"), ">")


def test_b31_a_text_that_is_a_number_needs_a_unit() -> None:
    """Of its own, or by the trial's folder; then that is flagged. Its sign may be a wide one."""
    capped = result("f1", valueString="\uff1e40000")
    assert refused(capped) != []
    one = only(capped, ferritin="ng/mL")
    assert (one.interval, one.comparator) == (Interval.of(Fraction(40000), ">"), ">")
    assert "came without a unit; ng/mL by the trial's folder" in one.flags


@pytest.mark.parametrize("text", ["12,5", "阳性", "see note"])
def test_b31_other_texts_are_no_numbers(text: str) -> None:
    """They are shown with the reason; the reason does not repeat them."""
    found = read(result("f1", valueString=text), ferritin="ng/mL")
    assert ([issue.code for issue in found.issues], found.results) == (["text-value"], ())
    assert text not in found.issues[0].message


def test_b29_a_number_without_a_unit_is_refused() -> None:
    """Unless the trial's folder says which it is."""
    bare = result("f1") | {"valueQuantity": {"value": 5}}
    assert refused(bare) != []
    assert only(bare, ferritin="ng/mL").interval == Interval.of(Fraction(5))
    assert only(result("p1", code=PLATELETS, valueInteger=62), platelets="10*9/L").value == "62"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valueQuantity": {"value": "5", "unit": "ng/mL"}}, "no-value"),
        ({"valueQuantity": {"value": True, "unit": "ng/mL"}}, "no-value"),
        ({"valueQuantity": {"value": 5, "comparator": "ad", "unit": "ng/mL"}}, "comparator"),
        ({"valueRange": {"low": {"value": 1}}}, "value-type"),
        ({"valueBoolean": True}, "value-type"),
    ],
)
def test_what_is_no_number_is_refused(more: dict[str, Any], code: str) -> None:
    """With the reason, and as an error: somebody must look."""
    assert refused(result("f1", **more)) == [("error", code)]


def test_an_observation_that_says_nothing_is_named() -> None:
    """Neither a value nor a reason."""
    empty = result("f1", component=[])
    assert refused(empty) == [("error", "no-value")]


def test_b34_a_reason_instead_of_a_value_is_missing_and_not_zero() -> None:
    """Not performed is a statement of its own."""
    assert refused(result("f1", dataAbsentReason=coded(ABSENT_REASON, "error"))) == [("information", "no-value")]
    one = only(result("f1", dataAbsentReason=coded(ABSENT_REASON, "not-performed")))
    assert (one.not_done, one.interval) == (True, None)


def test_a_cancelled_result_was_not_done() -> None:
    """Even when it still carries a number."""
    one = only(result("f1", status="cancelled"))
    assert (one.not_done, one.interval) == (True, None)


@pytest.mark.parametrize("status", ["entered-in-error", "registered", "preliminary", "unknown"])
def test_a_status_that_does_not_count_is_said(status: str) -> None:
    """It is no fault."""
    assert refused(result("f1", status=status)) == [("information", "result-status")]


def test_a_status_that_does_not_exist_is_a_fault() -> None:
    """Nobody knows what it means."""
    assert refused(result("f1", status="banana")) == [("error", "result-status")]


def test_a19_an_unknown_modifier_forbids_the_value() -> None:
    """On top or in a component: it may turn the meaning round."""
    modifier = [{"url": "https://example.org/not", "valueBoolean": True}]
    part = {"code": coded(LOINC, HEMOGLOBIN), "modifierExtension": modifier}
    assert refused(result("f1") | {"modifierExtension": modifier}) == [("error", "modifier-extension")]
    assert refused(result("f1") | {"component": [part]}) == [("error", "modifier-extension")]


@pytest.mark.parametrize(
    "collected", ["2024-01-10T06:30:00", "2023-02-29", "2024-01-10T24:00:00+08:00", "yesterday", None, 20240110]
)
def test_c51_what_cannot_be_placed_in_time_is_refused(collected: object) -> None:
    """A time without offset most of all."""
    assert refused(result("f1") | {"effectiveDateTime": collected}) == [("error", "result-time")]


@pytest.mark.parametrize("collected", ["2024", "2024-01", "2024-01-10"])
def test_c50_a_partial_date_is_kept_partial(collected: str) -> None:
    """No day is invented."""
    one = only(result("f1", effectiveDateTime=collected))
    assert one.effective is not None
    assert one.effective.iso == collected


def test_a_period_counts_by_its_start() -> None:
    """And is flagged."""
    period = result("f1") | {"effectivePeriod": {"start": "2024-01-10T06:00:00+08:00", "end": "2024-01-11"}}
    del period["effectiveDateTime"]
    one = only(period)
    assert one.effective is not None
    assert (one.effective.iso, one.flags) == (
        "2024-01-10T06:00:00+08:00",
        ("collected over a period; its start counts",),
    )


def test_c55_a_result_of_the_future_is_quarantined() -> None:
    """Five minutes are a clock's fault; more is nobody's."""
    assert only(result("f1", effectiveDateTime="2024-03-01T00:05:00Z")).name == "ferritin"
    assert refused(result("f1", effectiveDateTime="2024-03-01T00:05:01Z")) == [("error", "future-dated")]


@pytest.mark.parametrize(("day", "future"), [("2024-03-02", False), ("2024-03-03", True), ("2024-03", False)])
def test_a_day_has_begun_where_it_begins_first(day: str, future: bool) -> None:
    """At 10:30 UTC the next day has begun at UTC+14: a date without a time may be one of there."""
    now = datetime(2024, 3, 1, 10, 30, tzinfo=UTC)
    found = read_observation(result("f1", effectiveDateTime=day), "001", now=now)
    assert ("future-dated" in [issue.code for issue in found.issues]) is future


def test_a_broken_issue_date_is_only_flagged() -> None:
    """The result itself is whole."""
    one = only(result("f1", issued="2024-01-11T09:00:00"))
    assert (one.issued, one.flags) == (None, ("when it was issued cannot be read",))


@pytest.mark.parametrize(
    ("note", "word"),
    [
        ("标本溶血", "haemolysed"),
        ("Slightly hemolyzed", "haemolysed"),
        ("haemolysed", "haemolysed"),
        ("标本有凝块", "clotted or not clotting"),
        ("Sample CLOTTED", "clotted or not clotting"),
        ("脂血", "lipaemic"),
        ("lipemic", "lipaemic"),
    ],
)
def test_a_note_about_the_sample_is_flagged(note: str, word: str) -> None:
    """The value counts; a person looks at it."""
    assert only(result("f1") | {"note": [{"text": note}]}).flags == (f"{NOTE_FLAG}: {word}",)


def test_the_name_of_the_coagulation_test_is_no_note() -> None:
    """凝血 is in the name of the test."""
    assert only(result("f1") | {"note": [{"text": "凝血四项"}]}).flags == ()


def test_a_look_alike_is_named_as_one() -> None:
    """A goal for ferritin has the same unit and is no result."""
    found = read(result("f1", code="86914-9"))
    assert ([issue.code for issue in found.issues], found.results) == (["rejected-code"], ())
    assert [issue.message for issue in found.issues] == ["86914-9 is a goal, not a result"]


def test_an_unknown_code_is_information() -> None:
    """A laboratory publishes much that no score needs."""
    found = read(result("s1", code="2951-2"))
    assert [(issue.severity, issue.code, issue.rule) for issue in found.issues] == [
        ("information", "unknown-code", f"{LOINC}|2951-2")
    ]


def test_b39_value_on_top_and_components_are_both_read() -> None:
    """A component that means nothing here is passed over in silence."""
    parts = [
        {
            "code": coded(LOINC, HEMOGLOBIN),
            "valueQuantity": {"value": 84, "unit": "g/L", "system": UCUM, "code": "g/L"},
        },
        {"code": coded(LOINC, "99999-9"), "valueString": "x"},
    ]
    found = read(result("p1", "62", PLATELETS, "10*9/L") | {"component": parts})
    assert ([one.name for one in found.results], found.issues) == (["platelets", "hemoglobin"], ())


def test_an_issue_of_a_component_says_which() -> None:
    """The second one, counted from 0."""
    part = {"code": coded(LOINC, HEMOGLOBIN), "valueString": "?"}
    found = read(result("p1", "62", PLATELETS, "10*9/L") | {"component": [{"code": {}}, part]})
    assert [issue.where.expression for issue in found.issues] == ["component[1].value"]


@pytest.mark.parametrize(
    ("more", "present"),
    [
        ({"valueBoolean": True}, True),
        ({"valueBoolean": False}, False),
        ({"valueCodeableConcept": coded(LOINC, "LA9633-4")}, True),
        ({"valueCodeableConcept": coded(SNOMED, "2667000")}, False),
        ({"interpretation": [coded(INTERPRETATION, "POS")]}, True),
        ({"interpretation": [coded(INTERPRETATION, "NEG")]}, False),
    ],
)
def test_a_finding_is_present_or_absent(more: dict[str, Any], *, present: bool) -> None:
    """By a boolean, a code, or an interpretation."""
    base = finding(**more) if any(key.startswith("value") for key in more) else finding(valueString="") | more
    base.pop("valueString", None)
    one = only(base)
    assert (one.name, one.present, one.interval) == ("splenomegaly", present, None)


def test_a_finding_that_says_nothing_clear_is_unknown() -> None:
    """Never absent."""
    assert refused(finding(valueString="see report")) == [("error", "finding-not-read")]


def test_a_finding_that_contradicts_itself_is_unknown() -> None:
    """Value and interpretation disagree."""
    both = finding(valueBoolean=False) | {"interpretation": [coded(INTERPRETATION, "POS")]}
    assert refused(both) == [("error", "finding-contradicts-itself")]


def test_haemophagocytosis_counts_only_in_marrow() -> None:
    """A spleen shows it too."""
    code = "61070002"
    assert refused(finding(code, SNOMED)) == [("information", "not-marrow")]
    assert refused(finding(code, SNOMED) | {"bodySite": {"text": "spleen"}}) == [("information", "not-marrow")]
    assert only(finding(code, SNOMED) | {"bodySite": {"text": "骨髓"}}).present
    assert only(finding(code, SNOMED) | {"specimen": {"display": "Bone marrow aspirate"}}).present


def test_a_specimen_is_told_by_its_own_number() -> None:
    """An identifier says more than a reference."""
    specimen = {"reference": "Specimen/s1", "identifier": {"system": "https://lab.example", "value": "9"}}
    assert only(result("f1", specimen=specimen)).specimen == "https://lab.example|9"


@pytest.mark.parametrize("element", ["code", "component", "note", "meta", "specimen", "interpretation", "identifier"])
def test_elements_of_a_wrong_form_do_not_stop_the_reading(element: str) -> None:
    """What comes from outside may be anything."""
    read(result("f1") | {element: "nonsense"})
    read(result("f1") | {element: ["nonsense"]})

"""How a hospital's Condition is read: when it says present, when absent, and when nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_adapter.mappers.r4.read_observation import ReadObservation
from fhir_adapter.mappers.r4.read_result import is_retracted, may_hold_results, read_result
from fhir_adapter.terminology import HSCORE_ITEM, LOCAL_CODE_FLAG, SiteCodes
from fhir_adapter.trial import Result, read_moment
from tests.intake.diagnoses import condition
from tests.intake.hospital import LOINC, PLATELETS, result

NOW = datetime(2024, 3, 1, tzinfo=UTC)
SNOMED = "http://snomed.info/sct"
HPO = "http://human-phenotype-ontology.org"
LAB = "https://lab.example/codes"


def read(resource: Mapping[str, Any], **more: Any) -> ReadObservation:
    """Read one resource on 1 March 2024."""
    return read_result(resource, "001", sha256="ab", now=NOW, **more)


def only(resource: Mapping[str, Any], **more: Any) -> Result:
    """The one result, with nothing to say beside it."""
    found = read(resource, **more)
    assert found.issues == ()
    (one,) = found.results
    return one


def refused(resource: Mapping[str, Any], **more: Any) -> list[tuple[str, str]]:
    """Severity and code of what was said; there is no result."""
    found = read(resource, **more)
    assert found.results == ()
    return [(issue.severity, issue.code) for issue in found.issues]


def span(one: Result) -> tuple[str, str]:
    """From when until when it is known."""
    assert one.effective is not None
    assert one.until is not None
    return one.effective.iso, one.until.iso


def coded(system: str, code: str, **more: Any) -> dict[str, Any]:
    """The code of a Condition."""
    return {"code": {"coding": [{"system": system, "code": code}]}, **more}


def test_a_confirmed_active_condition_is_present() -> None:
    """With all that tells where it comes from, and that it is a diagnosis and no examination."""
    one = only(condition("c1", meta={"versionId": "3"}))
    assert (one.name, one.present, one.value, one.source) == ("splenomegaly", True, "present", "hospital")
    assert (one.reference, one.version, one.sha256, one.method) == ("Condition/c1", "3", "ab", "condition")
    assert (one.status, one.code, one.interval) == ("confirmed", "16294009", None)


def test_an_active_one_lasts_until_the_record_was_read() -> None:
    """What the server calls active was so when it was asked."""
    one = only(condition("c1", onsetDateTime="2024-01-02"), as_of=read_moment("2024-02-20T10:00:00Z"))
    assert span(one) == ("2024-01-02", "2024-02-20T10:00:00Z")
    assert one.flags == ("active: from 2024-01-02 known to be active until 2024-02-20T10:00:00Z",)


def test_without_a_server_it_lasts_until_the_last_moment_that_the_record_speaks_of() -> None:
    """A file says what is there, not that it still is."""
    changed = {"lastUpdated": "2024-01-20T08:00:00Z"}
    assert span(only(condition("c1", recordedDate="2024-01-05"))) == ("2024-01-05", "2024-01-05")
    assert span(only(condition("c1", meta=changed))) == ("2024-01-05", "2024-01-20T08:00:00Z")


def test_one_that_is_over_was_present_until_its_end() -> None:
    """A score of an earlier visit does not depend on when we looked."""
    over = condition("c1", clinical="resolved", onsetDateTime="2024-01-02", abatementDateTime="2024-01-30")
    one = only(over, as_of=read_moment("2024-02-20T10:00:00Z"))
    assert (span(one), one.flags) == (("2024-01-02", "2024-01-30"), ("resolved: from 2024-01-02 to 2024-01-30",))


@pytest.mark.parametrize("clinical", ["inactive", "remission", "resolved"])
def test_one_that_is_over_since_nobody_knows_when_is_not_used(clinical: str) -> None:
    """Nobody knows at which visit it was there."""
    assert refused(condition("c1", clinical=clinical)) == [("information", "result-time")]


@pytest.mark.parametrize("clinical", ["recurrence", "relapse"])
def test_one_that_came_back_is_present_and_flagged(clinical: str) -> None:
    """In between it may have been away."""
    one = only(condition("c1", clinical=clinical))
    assert (one.present, one.flags[-1]) == (True, "it came back: it may have been absent in between")


@pytest.mark.parametrize(
    ("more", "start"),
    [
        ({"onsetDateTime": "2024-01"}, "2024-01"),
        ({"onsetPeriod": {"start": "2024-01-02", "end": "2024-01-03"}}, "2024-01-02"),
        ({}, "2024-01-05"),
    ],
)
def test_it_begins_with_its_onset_or_else_when_it_was_recorded(more: dict[str, Any], start: str) -> None:
    """Partial dates stay partial."""
    assert span(only(condition("c1", **more)))[0] == start


@pytest.mark.parametrize("onset", [{"onsetString": "last spring"}, {"onsetAge": {"value": 30, "code": "a"}}])
def test_an_onset_that_is_no_date_is_flagged(onset: dict[str, Any]) -> None:
    """It was there when somebody recorded it."""
    one = only(condition("c1", **onset))
    assert (span(one)[0], one.flags[-1]) == (
        "2024-01-05",
        "its onset is no date; it counts from when it was recorded",
    )


def test_an_end_that_took_a_while_ends_when_it_began() -> None:
    """While it abates, nobody knows."""
    over = condition("c1", clinical="remission", abatementPeriod={"start": "2024-01-20", "end": "2024-01-30"})
    assert span(only(over))[1] == "2024-01-20"


def test_a_refuted_one_is_absent_when_the_suspicion_was_recorded() -> None:
    """At one moment, and not for as long as nothing else is said."""
    one = only(condition("c1", "refuted", onsetDateTime="2023-12-01"))
    assert (one.present, one.value, one.until) == (False, "absent", None)
    assert one.effective is not None
    assert one.effective.iso == "2024-01-05"


@pytest.mark.parametrize("verification", ["unconfirmed", "provisional", "differential", "entered-in-error"])
def test_a_suspicion_is_neither_present_nor_absent(verification: str) -> None:
    """It is said, and is no fault."""
    assert refused(condition("c1", verification)) == [("information", "result-status")]


@pytest.mark.parametrize(
    "change",
    [
        {"verificationStatus": {}},
        {"verificationStatus": {"text": "confirmed"}},
        {"verificationStatus": {"coding": [{"code": "confirmed"}]}},
        {"verificationStatus": "confirmed"},
        {"clinicalStatus": {}},
        {"clinicalStatus": "active"},
        {"clinicalStatus": {"coding": [{"system": "https://x.example", "code": "active"}]}},
    ],
)
def test_a_status_that_is_missing_or_of_another_system_counts_as_none(change: dict[str, Any]) -> None:
    """Both are modifiers: without them nobody knows what is meant."""
    assert refused(condition("c1") | change) == [("error", "result-status")]


def test_two_statuses_at_once_are_none() -> None:
    """Confirmed and refuted is neither."""
    one, other = (condition("c1", status)["verificationStatus"]["coding"] for status in ("confirmed", "refuted"))
    assert refused(condition("c1") | {"verificationStatus": {"coding": one + other}}) == [("error", "result-status")]


def test_one_that_is_active_and_has_ended_contradicts_itself() -> None:
    """R4's rule con-4."""
    assert refused(condition("c1", abatementDateTime="2024-01-20")) == [("error", "finding-contradicts-itself")]


def test_one_that_ended_before_it_is_known_to_have_begun_is_not_used() -> None:
    """Recorded later as history: since when it was there is not said."""
    over = condition("c1", clinical="resolved", abatementDateTime="2023-06-01")
    assert refused(over) == [("information", "result-time")]


@pytest.mark.parametrize(
    "change", [{"recordedDate": None}, {"recordedDate": "yesterday"}, {"onsetDateTime": "2024-01-02T08:00:00"}]
)
def test_one_that_cannot_be_placed_in_time_is_refused(change: dict[str, Any]) -> None:
    """A time without an offset most of all."""
    assert refused(condition("c1", **change)) == [("error", "result-time")]


def test_one_of_the_future_is_refused() -> None:
    """As with results."""
    assert refused(condition("c1", recordedDate="2024-04-01")) == [("error", "future-dated")]


@pytest.mark.parametrize("change", [{"modifierExtension": [{"url": "https://x.example"}]}, {"implicitRules": "urn:x"}])
def test_an_unknown_modifier_forbids_it(change: dict[str, Any]) -> None:
    """It may turn the meaning round."""
    assert refused(condition("c1") | change) == [("error", "modifier-extension")]


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (SNOMED, "80515008", "hepatomegaly"),
        (HPO, "HP:0002240", "hepatomegaly"),
        (HPO, "HP:0001744", "splenomegaly"),
        (HSCORE_ITEM, "splenomegaly", "splenomegaly"),
        (SNOMED, "36760000", "hepatosplenomegaly"),
        (HPO, "HP:0001433", "hepatosplenomegaly"),
        (HPO, "HP:6000980", "marrow_hemophagocytosis"),
        (HSCORE_ITEM, "known-immunosuppression", "known_immunosuppression"),
    ],
)
def test_every_code_of_a_finding_is_read(system: str, code: str, name: str) -> None:
    """As in Observations."""
    assert only(condition("c1", **coded(system, code))).name == name


def test_another_diagnosis_is_passed_over_in_silence() -> None:
    """A list of diagnoses holds much that no score asks for."""
    assert read(condition("c1", **coded(SNOMED, "38341003"))) == ReadObservation()


def test_a_look_alike_is_named() -> None:
    """Haemophagocytosis anywhere is not that of the marrow."""
    assert refused(condition("c1", **coded(HPO, "HP:0012156"))) == [("information", "rejected-code")]


def test_a_code_that_asks_for_a_number_is_no_diagnosis() -> None:
    """A platelet count as a Condition says nothing that can be counted."""
    assert refused(condition("c1", **coded(LOINC, PLATELETS))) == [("error", "rejected-code")]


def test_haemophagocytosis_counts_only_with_bone_marrow_as_its_site() -> None:
    """Evidence that somebody attached does not say where it was seen."""
    code = coded(SNOMED, "61070002")
    spleen, marrow = {"text": "spleen"}, {"coding": [{"system": SNOMED, "code": "14016003"}], "text": "Bone marrow"}
    evidence = [{"detail": [{"reference": "Observation/m1", "display": "bone marrow"}]}]
    assert refused(condition("c1", **code)) == [("information", "not-marrow")]
    assert refused(condition("c1", **code, bodySite=[spleen], evidence=evidence)) == [("information", "not-marrow")]
    one = only(condition("c1", **code, bodySite=[marrow]))
    assert (one.name, one.present, one.body_site) == ("marrow_hemophagocytosis", True, "Bone marrow")


def test_immunosuppression_comes_from_configured_codes_only() -> None:
    """The trial names the diagnosis; it is shown as such."""
    hiv = condition("c1", **coded(SNOMED, "86406008"))
    assert read(hiv) == ReadObservation()
    one = only(hiv, site=SiteCodes(local={(SNOMED, "86406008"): "known_immunosuppression"}))
    flag = f"{LOCAL_CODE_FLAG}{SNOMED}|86406008 as known_immunosuppression"
    assert (one.name, one.present, one.flags[0]) == ("known_immunosuppression", True, flag)


def test_one_cause_refuted_is_not_no_immunosuppression() -> None:
    """Only the question itself, under our own code, can be answered by no."""
    site = SiteCodes(local={(SNOMED, "86406008"): "known_immunosuppression"})
    hiv = condition("c1", "refuted", **coded(SNOMED, "86406008"))
    assert refused(hiv, site=site) == [("information", "finding-not-read")]
    assert only(condition("c1", "refuted", **coded(HSCORE_ITEM, "known-immunosuppression"))).present is False


def test_entered_in_error_takes_a_condition_back() -> None:
    """As the status of an Observation does."""
    assert [is_retracted(condition("c1", status)) for status in ("entered-in-error", "refuted")] == [True, False]
    assert [is_retracted(result("f1", status=status)) for status in ("cancelled", "final")] == [True, False]


def test_what_a_file_of_results_may_hold() -> None:
    """Observations, and diagnoses that the score asks for; a list of others makes nobody a subject."""
    other = condition("c2", **coded(SNOMED, "38341003"))
    resources: list[dict[str, Any]] = [result("x1", code="2951-2"), condition("c1"), other, {}]
    assert [may_hold_results(one) for one in resources] == [True, True, False, False]


def test_another_type_has_no_results() -> None:
    """A Patient says nothing of a score."""
    assert read({"resourceType": "Patient", "id": "p1"}) == ReadObservation()


@pytest.mark.parametrize(
    "element", ["id", "code", "bodySite", "meta", "onsetPeriod", "abatementPeriod", "verificationStatus"]
)
@pytest.mark.parametrize("value", ["nonsense", ["nonsense"], 7, None])
def test_elements_of_a_wrong_form_do_not_stop_the_reading(element: str, value: object) -> None:
    """What comes from outside may be anything."""
    read(condition("c1") | {element: value})


def panel(**more: Any) -> dict[str, Any]:
    """A blood count with a member inside and one outside."""
    inside = {"resourceType": "Observation", "id": "m1", "status": "final", "code": result("", code=PLATELETS)["code"]}
    member = inside | {"valueQuantity": {"value": 62, "system": "http://unitsofmeasure.org", "code": "10*9/L"}}
    base = result("cbc", dataAbsentReason=None, contained=[member])
    members = [{"reference": "#m1"}, {"reference": "Observation/m2"}]
    return base | {"code": coded(LOINC, "58410-2")["code"], "hasMember": members} | more


def test_b39_a_member_inside_its_panel_is_read() -> None:
    """With the time of the panel, and found under its name; a member outside is a resource of its own."""
    found = read(panel())
    (one,) = found.results
    assert (one.name, one.reference, [issue.code for issue in found.issues]) == (
        "platelets",
        "Observation/cbc",
        ["unknown-code"],
    )
    assert one.effective is not None
    assert one.effective.iso == "2024-01-10T06:30:00+08:00"


@pytest.mark.parametrize(
    "change", [{"status": "entered-in-error"}, {"modifierExtension": [{"url": "https://x.example"}]}, {"hasMember": []}]
)
def test_b39_a_member_does_not_stand_without_its_panel(change: dict[str, Any]) -> None:
    """What lies inside is not to be used when the whole is not, or when nobody names it."""
    assert read(panel(**change)).results == ()


def test_b39_a_member_keeps_a_time_of_its_own() -> None:
    """It says it itself."""
    base = panel()
    own = base["contained"][0] | {"effectivePeriod": {"start": "2024-01-09T06:30:00+08:00"}}
    (one,) = read(base | {"contained": [own]}).results
    assert one.effective is not None
    assert one.effective.iso == "2024-01-09T06:30:00+08:00"

"""A finding that is an item of the score is answered by yes or no under one code; one not done by the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter.mappers import Context
from fhir_adapter.mappers.r4.observation import map_finding
from fhir_adapter.trial import Finding
from fhir_adapter.trial_folder import Code
from fhir_adapter.validation import check_structure
from tests.mappers.small import BASE, HL7, context, finding, moment, recorded, refused

ITEM = "https://w3id.org/fhir-adapter/CodeSystem/hscore-item"
NOT_DONE = {"coding": [{"system": f"{HL7}/data-absent-reason", "code": "not-performed", "display": "Not Performed"}]}


@pytest.fixture(scope="module")
def here() -> Context:
    """The made-up trial with the tables of the score's items."""
    codes = context().folder.codes
    maps = {
        **codes.maps,
        "hscore_item": {"HEMOPHAG": (Code("", "marrow_hemophagocytosis"),)},
        "finding_present": {"seen": (Code("", "present"),), "not seen": (Code("", "absent"),)},
    }
    return context(codes=replace(codes, maps=maps))


def marrow(**changes: Any) -> Finding:
    """A marrow aspirate in which it was seen."""
    one = finding(test="HEMOPHAG", name="Hemophagocytosis", item="", result="seen", method="aspirate")
    return replace(one, **changes)


@pytest.mark.parametrize(("word", "present"), [("seen", True), ("not seen", False)])
def test_an_item_of_the_score_is_answered_by_yes_or_no(here: Context, word: str, present: bool) -> None:
    """The word as recorded stands beside it; the score's code stands first, the source's own after it."""
    found = map_finding(marrow(result=word), here)
    assert found["code"] == {
        "coding": [
            {"system": ITEM, "code": "marrow-hemophagocytosis"},
            {"system": f"{BASE}/code/finding", "code": "HEMOPHAG/HEMOPHAG"},
        ],
        "text": "Hemophagocytosis",
    }
    assert (found["status"], found["valueBoolean"], found["_valueBoolean"]) == ("final", present, recorded(word))
    assert found["method"] == {"text": "aspirate"}
    assert "valueCodeableConcept" not in found


def test_an_item_that_was_not_examined_is_cancelled(here: Context) -> None:
    """No value, and the reason for it: never a no."""
    found = map_finding(marrow(result="", not_done=True), here)
    assert (found["status"], found["dataAbsentReason"]) == ("cancelled", NOT_DONE)
    assert not {"valueBoolean", "_valueBoolean", "valueCodeableConcept"} & found.keys()


def test_any_finding_may_be_not_done(here: Context) -> None:
    """Also one that no score counts."""
    found = map_finding(finding(result="", not_done=True), here)
    assert (found["status"], found["dataAbsentReason"]) == ("cancelled", NOT_DONE)
    assert "valueCodeableConcept" not in found


def test_another_answer_is_rejected_and_not_repeated(here: Context) -> None:
    """A word that is neither present nor absent by the trial's table."""
    code, message = refused(map_finding, marrow(result="doubtful"), here)
    assert code == "unmapped-code"
    assert "doubtful" not in message


def test_who_stated_it_and_when_is_a_note(here: Context) -> None:
    """Known immunosuppression is a person's judgement."""
    found = map_finding(marrow(stated_by="Dr A", stated_on=moment("2024-01-05")), here)
    assert found["note"] == [
        {"authorString": "Dr A", "time": "2024-01-05", "text": "The author of this note stated it"}
    ]


def test_other_findings_are_as_before(here: Context) -> None:
    """The tables of the score change nothing about them."""
    assert map_finding(finding(), here) == map_finding(finding(), context())


@pytest.mark.parametrize(
    "changes",
    [{}, {"result": "", "not_done": True}, {"stated_by": "Dr A"}, {"stated_on": moment("2024-01-05T10:00")}],
)
def test_every_form_is_sound_fhir(here: Context, changes: dict[str, Any]) -> None:
    """The structural check finds nothing."""
    assert check_structure(map_finding(marrow(**changes), here)) == []

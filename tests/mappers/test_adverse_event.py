"""An adverse event as reported, coded by the dictionary where the export is."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.mappers.r4.adverse_event import map_adverse_event
from fhir_adapter.trial_folder import Codes
from tests.mappers.small import BASE, HL7, OURS, context, event, meta, moment, refused

R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent"


def test_an_event_of_which_only_the_term_is_known() -> None:
    """Term, subject, and both studies."""
    here = context()
    assert map_adverse_event(event(), here) == {
        "resourceType": "AdverseEvent",
        "id": here.names.id("AdverseEvent", "001", "1"),
        "meta": meta(f"{OURS}/trial-adverse-event"),
        "identifier": {"system": f"{BASE}/ae", "value": "001/1"},
        "actuality": "actual",
        "event": {"text": "Rash"},
        "subject": here.names.reference("Patient", "001"),
        "study": [
            here.names.reference("ResearchStudy", "MADEUP-1", "01"),
            here.names.reference("ResearchStudy", "MADEUP-1"),
        ],
    }


def test_an_event_is_coded_by_the_dictionary() -> None:
    """Each level of the dictionary with its term."""
    found = map_adverse_event(event(dictionary_terms=(("Rash", "10037844"),)), context())
    assert found["event"] == {
        "coding": [{"system": f"{HL7}/mdr", "code": "10037844", "display": "Rash"}],
        "text": "Rash",
    }


def test_without_a_named_dictionary_codes_are_not_sent() -> None:
    """A number without a system means nothing."""
    codes = Codes({}, {}, (), {}, {})
    found = map_adverse_event(event(dictionary_terms=(("Rash", "10037844"),)), context(codes=codes))
    assert found["event"] == {"text": "Rash"}


def test_start_end_and_action() -> None:
    """R4 has a date; end and action use the elements of R5."""
    one = event(start=moment("2024-01-12"), end=moment("2024-01"), action="DRUG WITHDRAWN")
    found = map_adverse_event(one, context())
    assert found["date"] == "2024-01-12"
    assert found["extension"] == [
        {"url": f"{R5}.occurrence", "valuePeriod": {"start": "2024-01-12", "end": "2024-01"}},
        {
            "url": f"{R5}.mitigatingAction",
            "extension": [{"url": "item", "valueCodeableConcept": {"text": "DRUG WITHDRAWN"}}],
        },
    ]


@pytest.mark.parametrize(("serious", "code"), [(True, "Serious"), (False, "Non-serious")])
def test_seriousness(serious: bool, code: str) -> None:
    """Yes and no are both said."""
    found = map_adverse_event(event(serious=serious), context())
    system = f"{HL7}/adverse-event-seriousness"
    assert found["seriousness"] == {"coding": [{"system": system, "code": code, "display": code}]}


def test_why_an_event_is_serious_stands_in_words() -> None:
    """All criteria that apply."""
    one = event(serious=True, serious_criteria=("Results in death", "Involves cancer"))
    assert map_adverse_event(one, context())["seriousness"]["text"] == "Results in death; Involves cancer"  # type: ignore[index]


def test_severity_outcome_and_causality() -> None:
    """Coded by the trial's tables, words kept; the suspect is named without the drug."""
    found = map_adverse_event(event(severity="SEVERE", outcome="FATAL", causality="RELATED"), context())
    assert found["severity"] == {
        "coding": [{"system": f"{HL7}/adverse-event-severity", "code": "severe"}],
        "text": "SEVERE",
    }
    assert found["outcome"] == {
        "coding": [{"system": f"{HL7}/adverse-event-outcome", "code": "fatal"}],
        "text": "FATAL",
    }
    assert found["suspectEntity"] == [
        {"instance": {"display": "the study treatment"}, "causality": [{"assessment": {"text": "RELATED"}}]}
    ]


@pytest.mark.parametrize("field", ["severity", "outcome", "causality", "action"])
def test_another_word_is_rejected(field: str) -> None:
    """Also for a required binding nothing is guessed."""
    expected = ("unmapped-code", f"'WEIRD' is not in the map {field!r} of codes.yaml")
    assert refused(map_adverse_event, event(**{field: "WEIRD"}), context()) == expected


def test_in_a_flat_trial_there_is_one_study() -> None:
    """Named once."""
    here = context(flat=True)
    assert map_adverse_event(event(), here)["study"] == [here.names.reference("ResearchStudy", "MADEUP-1")]


def test_a_criterion_of_seriousness_is_kept_when_seriousness_is_empty() -> None:
    """A death is never lost because another cell is empty."""
    found = map_adverse_event(event(serious=None, serious_criteria=("Results in death", "Involves cancer")), context())
    assert found["seriousness"] == {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness",
                "code": "SeriousResultsInDeath",
                "display": "Results in death",
            }
        ],
        "text": "Results in death; Involves cancer",
    }


def test_a_term_of_the_dictionary_without_its_code_is_kept() -> None:
    """As a display: no code is made up."""
    found: Any = map_adverse_event(event(dictionary_terms=(("Injection site reaction", ""),)), context())
    (coding,) = found["event"]["coding"]
    assert (coding.get("code"), coding["display"]) == (None, "Injection site reaction")

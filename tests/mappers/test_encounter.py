"""A visit becomes an Encounter; its plan is the type, the reason of an unplanned one the reason."""

from __future__ import annotations

from fhir_adapter.mappers.r4.encounter import map_visit
from tests.mappers.small import BASE, HL7, OURS, context, meta, moment, recorded, refused, study_links, visit


def test_a_planned_visit() -> None:
    """Everything that the row fills."""
    here = context()
    assert map_visit(visit(), here) == {
        "resourceType": "Encounter",
        "id": here.names.id("Encounter", "001", "1"),
        "meta": meta(f"{OURS}/trial-visit"),
        "extension": study_links(here.names),
        "identifier": [{"system": f"{BASE}/visit", "value": "001/1"}],
        "status": "finished",
        "class": {"system": f"{HL7}/v3-ActCode", "code": "AMB", "display": "ambulatory"},
        "type": [
            {
                "coding": [{"system": f"{BASE}/code/visit", "code": "1", "display": "BASELINE"}],
                "text": "BASELINE",
            }
        ],
        "subject": here.names.reference("Patient", "001"),
        "period": {"start": "2024-01-10"},
        "location": [{"location": here.names.reference("Location", "01")}],
        "serviceProvider": here.names.reference("Organization", "site", "01"),
    }


def test_an_unplanned_visit_says_why() -> None:
    """Its number is a fraction."""
    found = map_visit(visit(number="5.01", unplanned="Safety check"), context())
    assert found["reasonCode"] == [{"text": "Safety check"}]


def test_both_ends_of_a_visit_with_times() -> None:
    """The text as recorded stays beside each time."""
    found = map_visit(visit(start=moment("2024-01-10T08:00"), end=moment("2024-01-10T09:30")), context())
    assert found["period"] == {
        "start": "2024-01-10T08:00:00+08:00",
        "_start": recorded("2024-01-10T08:00"),
        "end": "2024-01-10T09:30:00+08:00",
        "_end": recorded("2024-01-10T09:30"),
    }


def test_a_visit_without_dates_has_no_period() -> None:
    """An empty period would be invalid."""
    assert "period" not in map_visit(visit(start=None), context())


def test_without_a_class_visits_are_rejected() -> None:
    """Encounter.class is required and is not guessed."""
    expected = ("no-visit-class", "Encounter.class is required: state visits.class in trial.yaml")
    assert refused(map_visit, visit(), context(visit_class=None)) == expected


def test_in_a_flat_trial_a_visit_belongs_to_the_one_study() -> None:
    """One link instead of two."""
    here = context(flat=True)
    assert map_visit(visit(), here)["extension"] == study_links(here.names)[1:]

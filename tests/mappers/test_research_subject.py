"""A subject becomes a ResearchSubject of its site's study, with the status that its dispositions decide."""

from __future__ import annotations

import pytest

from fhir_adapter.mappers.r4.research_subject import map_research_subject
from tests.mappers.small import BASE, OURS, context, disposition, meta, moment, refused, subject

CONSENT = disposition("INFORMED CONSENT OBTAINED", "", "2024-01-01")
COMPLETED = disposition("COMPLETED", "STUDY PARTICIPATION", "2024-06-01")


def status(*dispositions: object, first_dose: str | None = "2024-01-10") -> object:
    """The status of a subject with these dispositions."""
    dosed = moment(first_dose) if first_dose else None
    return map_research_subject(subject(dispositions=dispositions, first_dose=dosed), context())["status"]


def test_a_subject_in_screening() -> None:
    """Consent given, nothing else known."""
    here = context()
    assert map_research_subject(subject(), here) == {
        "resourceType": "ResearchSubject",
        "id": here.names.id("ResearchSubject", "001"),
        "meta": meta(f"{OURS}/trial-subject"),
        "identifier": [{"system": f"{BASE}/subject", "value": "001"}],
        "status": "screening",
        "period": {"start": "2024-01-01"},
        "study": here.names.reference("ResearchStudy", "MADEUP-1", "01"),
        "individual": here.names.reference("Patient", "001"),
    }


def test_a_screening_number_belongs_to_its_site() -> None:
    """Two sites may both have a first screened subject."""
    found = map_research_subject(subject(screening_number="S1"), context())
    assert found["identifier"] == [
        {"system": f"{BASE}/subject", "value": "001"},
        {"system": f"{BASE}/screening", "value": "01/S1"},
    ]


def test_participation_lasts_from_consent_to_its_end() -> None:
    """Both ends as recorded."""
    found = map_research_subject(subject(participation_end=moment("2024-06-01")), context())
    assert found["period"] == {"start": "2024-01-01", "end": "2024-06-01"}


def test_planned_and_actual_arm_are_named() -> None:
    """By the stable key of the arm."""
    found = map_research_subject(subject(planned_arm="A", actual_arm="B"), context())
    assert (found["assignedArm"], found["actualArm"]) == ("A", "B")


def test_a_masked_trial_hides_the_arm() -> None:
    """Neither planned nor actual."""
    found = map_research_subject(subject(planned_arm="A", actual_arm="B"), context(masked=True))
    assert not {"assignedArm", "actualArm"} & found.keys()


def test_in_a_flat_trial_the_subject_is_in_the_one_study() -> None:
    """There are no studies of sites."""
    here = context(flat=True)
    assert map_research_subject(subject(), here)["study"] == here.names.reference("ResearchStudy", "MADEUP-1")


def test_consent_alone_is_screening() -> None:
    """Before the first dose."""
    assert status(CONSENT, first_dose=None) == "screening"


def test_a_screen_failure_is_ineligible() -> None:
    """It ends the participation before any dose."""
    failure = disposition("SCREEN FAILURE", "STUDY PARTICIPATION", "2024-01-09")
    assert status(CONSENT, failure, first_dose=None) == "ineligible"


def test_after_the_first_dose_a_subject_is_on_the_intervention() -> None:
    """Until something ends it."""
    assert status(CONSENT) == "on-study-intervention"


@pytest.mark.parametrize("word", ["COMPLETED", "DEATH"])
def test_any_end_after_the_first_dose_is_off_study(word: str) -> None:
    """Death included."""
    assert status(CONSENT, disposition(word, "STUDY PARTICIPATION", "2024-06-01")) == "off-study"


def test_the_end_of_treatment_is_not_the_end_of_the_participation() -> None:
    """Who stops the drug may stay in the study."""
    assert status(CONSENT, disposition("COMPLETED", "STUDY TREATMENT", "2024-05-01")) == "on-study-intervention"


def test_on_one_day_an_end_comes_after_a_milestone() -> None:
    """Whatever the order of the rows."""
    end = disposition("DEATH", "STUDY PARTICIPATION", "2024-01-01")
    assert status(end, CONSENT) == "off-study"


@pytest.mark.parametrize("at", [None, "2024", "2023-12"])
def test_an_end_of_which_the_day_is_not_known_is_an_end(at: str | None) -> None:
    """An undated or half-dated death does not put the subject back on the drug."""
    assert status(CONSENT, disposition("DEATH", "STUDY PARTICIPATION", at)) == "off-study"


def test_a_placeholder_for_never_is_a_date() -> None:
    """9999-12-31 does not stop the whole trial."""
    assert status(CONSENT, disposition("COMPLETED", "STUDY PARTICIPATION", "9999-12-31")) == "off-study"


def test_the_words_of_the_source_stay_beside_the_status() -> None:
    """Decoded word and term as recorded, once where they are equal."""
    end = disposition("DEATH", "STUDY PARTICIPATION", "2024-06-01", term="Died at home")
    found = map_research_subject(subject(dispositions=(end,), first_dose=moment("2024-01-10")), context())
    url = f"{OURS}/source-value"
    assert found["_status"] == {
        "extension": [{"url": url, "valueString": "DEATH"}, {"url": url, "valueString": "Died at home"}]
    }


def test_an_end_that_the_table_does_not_list_is_rejected() -> None:
    """No status is guessed."""
    end = disposition("LOST", "STUDY PARTICIPATION", "2024-06-01")
    expected = ("unmapped-code", "'LOST' is not in the map 'status_before_first_dose' of codes.yaml")
    assert refused(map_research_subject, subject(dispositions=(end,)), context()) == expected


def test_a_participation_without_dates_has_no_period() -> None:
    """An empty period would be invalid."""
    one = subject(consent=None, dispositions=(CONSENT,))
    assert "period" not in map_research_subject(one, context())


def test_a_subject_of_which_nothing_is_known_is_rejected() -> None:
    """Neither consent nor disposition: no status can be said."""
    assert refused(map_research_subject, subject(consent=None), context())[0] == "unmapped-code"

"""A computed score becomes an Observation that can be searched, read and traced to its evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter import fhirjson
from fhir_adapter.mappers.r4.score import score_observation
from fhir_adapter.mappers.typed import typed
from fhir_adapter.scores import (
    ITEMS,
    HScore,
    ItemScore,
    State,
    WindowScore,
    score_everything,
    score_subject,
)
from fhir_adapter.scores.explain import CAUTION
from fhir_adapter.trial import Result
from fhir_adapter.validation import check_structure
from tests.scores.made_up import COURSE, RULES, ZONE, count, found, measured

OURS = "https://w3id.org/fhir-adapter"
ITEM = f"{OURS}/CodeSystem/hscore-item"
HL7 = "http://terminology.hl7.org/CodeSystem"
PATIENT = {"reference": "Patient/made-up"}
MORNING = "2016-03-01T08:10"

EVERYTHING = [
    found("known_immunosuppression", True, "2016-02-20"),
    measured("temperature", "39.6", MORNING, body_site="axillary"),
    found("hepatomegaly", True, "2016-02-29"),
    found("splenomegaly", True, "2016-02-29"),
    *count(MORNING, "7.1", "2", "48"),
    measured("ferritin", "24560", MORNING),
    measured("triglycerides", "4.4", MORNING),
    measured("fibrinogen", "1.1", MORNING),
    measured("ast", "143", MORNING),
    found("marrow_hemophagocytosis", True, "2016-02-25"),
]
"""Results of a made-up subject that give all 337 points at baseline."""


def points(number: int) -> dict[str, Any]:
    """A Quantity of points."""
    return {"value": number, "unit": "points", "system": "http://unitsofmeasure.org", "code": "{score}"}


def between(low: int, high: int) -> dict[str, Any]:
    """A Range of points."""
    return {"valueRange": {"low": points(low), "high": points(high)}}


def without(*names: str) -> list[Result]:
    """All results but those of some parts."""
    return [one for one in EVERYTHING if one.name not in names]


def baseline(results: list[Result], **more: Any) -> WindowScore:
    """The score at baseline, by the rule of the made-up trial."""
    (first, *_) = score_subject("S01", results, RULES, COURSE, **more).windows
    return first


def mapped(results: list[Result], **more: Any) -> dict[str, Any]:
    """The Observation of the score at baseline."""
    return score_observation(baseline(results), subject=PATIENT, zone=ZONE, **more)


def component(resource: dict[str, Any], code: str) -> dict[str, Any]:
    """What one component says, without its code."""
    (one,) = [part for part in resource["component"] if part["code"]["coding"][0]["code"] == code]
    return {key: value for key, value in one.items() if key != "code"}


def absent(code: str, display: str) -> dict[str, Any]:
    """Why there is no value."""
    return {"dataAbsentReason": {"coding": [{"system": f"{HL7}/data-absent-reason", "code": code, "display": display}]}}


def notes(resource: dict[str, Any]) -> list[str]:
    """The texts of all notes."""
    return [note["text"] for note in resource["note"]]


def test_a_score_that_is_one_number_is_a_quantity() -> None:
    """Points are whole numbers, in the UCUM unit {score}."""
    resource = mapped(EVERYTHING)
    assert resource["valueQuantity"] == points(337)
    assert b'"value":337,' in fhirjson.dumps(resource)
    assert "valueRange" not in resource


def test_an_open_score_is_a_range() -> None:
    """Both ends, and no reason for a missing value: there is one (obs-6)."""
    resource = mapped(without("marrow_hemophagocytosis"))
    assert resource["valueRange"] == between(302, 337)["valueRange"]
    assert not {"valueQuantity", "dataAbsentReason"} & set(resource)


def test_what_every_score_says_of_itself() -> None:
    """Status, category, code, whose it is, and our profile."""
    resource = mapped(EVERYTHING)
    assert (resource["resourceType"], resource["status"], resource["subject"]) == ("Observation", "final", PATIENT)
    assert resource["category"] == [
        {"coding": [{"system": f"{HL7}/observation-category", "code": "survey", "display": "Survey"}]}
    ]
    assert resource["code"] == {"coding": [{"system": ITEM, "code": "hscore", "display": "HScore"}], "text": "HScore"}
    assert resource["meta"] == {"profile": [f"{OURS}/StructureDefinition/hscore-score"]}
    assert "id" not in resource


def test_the_components_in_order() -> None:
    """The bounds and the cut-off, which servers search, then the items of the paper; none has the score's own code."""
    codes = [one["code"]["coding"][0]["code"] for one in mapped(EVERYTHING)["component"]]
    assert codes == [
        *("hscore-low", "hscore-high", "hscore-cutoff"),
        *("known-immunosuppression", "temperature", "organomegaly", "cytopenias", "ferritin", "triglycerides"),
        *("fibrinogen", "ast", "marrow-hemophagocytosis"),
    ]


def test_the_bounds_are_components_of_an_open_score() -> None:
    """`component-code-value-quantity=hscore-low$ge169` finds it: servers index no Range."""
    resource = mapped(without("marrow_hemophagocytosis"))
    assert component(resource, "hscore-low") == {"valueQuantity": points(302)}
    assert component(resource, "hscore-high") == {"valueQuantity": points(337)}


def test_a_known_item_has_its_points() -> None:
    """Ferritin above 6000 ng/mL."""
    assert component(mapped(EVERYTHING), "ferritin") == {"valueQuantity": points(50)}


def test_an_item_known_in_part_is_a_range() -> None:
    """The liver is enlarged, of the spleen nothing is known."""
    assert component(mapped(without("splenomegaly")), "organomegaly") == between(23, 38)


def test_a_capped_result_that_decides_nothing_is_a_range() -> None:
    """`>1500` was measured, so it has no reason for being absent, although all points stay possible."""
    capped = [*without("ferritin"), measured("ferritin", ">1500", MORNING)]
    assert component(mapped(capped), "ferritin") == between(0, 50)


def test_an_item_that_nobody_knows_has_a_reason() -> None:
    """Nothing was recorded of the marrow."""
    resource = mapped(without("marrow_hemophagocytosis"))
    assert component(resource, "marrow-hemophagocytosis") == absent("unknown", "Unknown")


def test_an_item_that_was_not_done_has_a_reason() -> None:
    """The site recorded that the marrow was not examined."""
    not_done = [*without("marrow_hemophagocytosis"), found("marrow_hemophagocytosis", None, "2016-02-25")]
    assert component(mapped(not_done), "marrow-hemophagocytosis") == absent("not-performed", "Not Performed")


def contradicting() -> list[Result]:
    """Two specimens of one time that give different points."""
    return [
        *without("ferritin"),
        measured("ferritin", "1800", MORNING, specimen="A", reference="Observation/a"),
        measured("ferritin", "7000", MORNING, specimen="B", reference="Observation/b"),
    ]


def test_a_contradiction_is_a_range_with_words() -> None:
    """No code: one beside a component could be read as present or absent."""
    assert component(mapped(contradicting()), "ferritin") == {
        **between(0, 50),
        "interpretation": [{"text": "contradictory: results that count lead to different points"}],
    }


@pytest.mark.parametrize(
    ("cutoff", "code", "display", "text"),
    [
        (302, "POS", "Positive", "at or above 302"),
        (303, "IND", "Indeterminate", "undetermined at 303"),
        (338, "NEG", "Negative", "below 338"),
    ],
)
def test_the_score_against_its_cutoff(cutoff: int, code: str, display: str, text: str) -> None:
    """From 302 to 337 points: positive when all of it is, negative when none is."""
    one = baseline(without("marrow_hemophagocytosis"))
    resource: Any = score_observation(replace(one, score=replace(one.score, cutoff=cutoff)), subject=PATIENT)
    assert resource["interpretation"] == [
        {"coding": [{"system": f"{HL7}/v3-ObservationInterpretation", "code": code, "display": display}], "text": text}
    ]
    assert component(resource, "hscore-cutoff") == {"valueQuantity": points(cutoff)}


def test_the_cutoff_is_no_limit_of_normal() -> None:
    """The reference range is words: a number there reads as usual values, which the score does not have."""
    assert mapped(EVERYTHING)["referenceRange"] == [{"text": "compared with a cut-off of 169 points"}]


def test_it_is_derived_from_the_observations_that_count() -> None:
    """Once each, in the order of the items; typed values have no reference, those passed over are not listed."""
    named = [replace(one, reference=f"Observation/{one.name}") for one in EVERYTHING if one.source == "hospital"]
    typed_ones = [one for one in EVERYTHING if one.source == "typed"]
    earlier = measured("ferritin", "900", "2016-02-28T07:00", reference="Observation/earlier")
    assert mapped([*typed_ones, *named, earlier])["derivedFrom"] == [
        {"reference": f"Observation/{name}"}
        for name in (
            *("temperature", "hemoglobin", "leukocytes", "platelets"),
            *("ferritin", "triglycerides", "fibrinogen", "ast"),
        )
    ]


def test_a_panel_is_referred_to_once() -> None:
    """Three lineages of one Observation."""
    panel = [replace(one, reference="Observation/panel") for one in count(MORNING, "7.1", "2", "48")]
    assert mapped(panel)["derivedFrom"] == [{"reference": "Observation/panel"}]


@pytest.mark.parametrize("reference", ["Observation/", "", "urn:uuid:1", "Condition/c1", "Observation/a b"])
def test_what_is_no_reference_to_an_observation_is_not_listed(reference: str) -> None:
    """R4 takes Observations there, and one that was sent without an id cannot be referred to."""
    assert "derivedFrom" not in mapped([measured("ferritin", "7000", MORNING, reference=reference)])


def test_the_time_is_that_of_the_values() -> None:
    """From the first to the last collection; of immunosuppression no: it is the status before the episode."""
    assert mapped(EVERYTHING)["effectivePeriod"] == {
        "start": "2016-02-25",
        "end": "2016-03-01T08:10:00+08:00",
        "_end": {"extension": [{"url": f"{OURS}/StructureDefinition/source-value", "valueString": "2016-03-01T08:10"}]},
    }


def test_values_of_one_time_have_a_time() -> None:
    """No period where nothing lies between."""
    resource = mapped(count("2016-03-01T08:10:00+08:00", "7.1", "2", "48"))
    assert resource["effectiveDateTime"] == "2016-03-01T08:10:00+08:00"
    assert not {"_effectiveDateTime", "effectivePeriod"} & set(resource)


def test_one_instant_written_in_two_zones_is_one_time() -> None:
    """The offset does not make two of it."""
    shanghai, london = (
        measured("ferritin", "7000", at) for at in ("2016-03-01T08:10:00+08:00", "2016-03-01T00:10:00Z")
    )
    resource: Any = score_observation(score_everything("S01", [shanghai, london], 169), subject=PATIENT)
    assert resource["effectiveDateTime"] == "2016-03-01T08:10:00+08:00"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("2016-03-01", "2016-03-01T07:00:00+08:00", "2016-03-01"),
        ("2016-03-01T07:00:00+08:00", "2016-03-01", "2016-03-01"),
        ("2016-02-29", "2016-02", "2016-02"),
        ("2016-02", "2016-02-29", "2016-02"),
    ],
)
def test_a_day_and_a_time_of_it_are_that_day(first: str, second: str, said: str, zone: str) -> None:
    """A Period from one to the other could not be compared (per-1)."""
    results = [measured("ferritin", "7000", first), measured("ast", "50", second)]
    one = score_everything("S01", results, 169)
    resource: Any = score_observation(one, subject=PATIENT, zone=ZoneInfo(zone))
    assert (resource.get("effectiveDateTime"), resource.get("effectivePeriod")) == (said, None)


def test_what_was_not_examined_has_no_time_of_collection() -> None:
    """Nor has a statement of before the episode: the score has no time at all."""
    results = [
        found("marrow_hemophagocytosis", None, "2016-02-25"),
        found("known_immunosuppression", True, "2016-02-20"),
    ]
    resource: Any = score_observation(score_everything("S01", results, 169), subject=PATIENT)
    assert not {"effectiveDateTime", "effectivePeriod"} & set(resource)


def as_of(mark: str | None) -> dict[str, Any]:
    """The Observation of a score whose data were cut at `mark`."""
    return score_observation(replace(baseline(EVERYTHING), as_of=mark), subject=PATIENT)


def test_it_is_issued_when_the_data_were_cut() -> None:
    """A full instant, kept as it is."""
    resource = as_of("2016-04-02T10:00:00+08:00")
    assert resource["issued"] == "2016-04-02T10:00:00+08:00"
    assert notes(resource)[-1] == "Data as of 2016-04-02T10:00:00+08:00, complete."


@pytest.mark.parametrize("mark", [None, "2016-04-02", "2016-04-02T10:00", "2016-04-02T10:00+08:00", "mark 7"])
def test_less_than_an_instant_is_not_made_one(mark: str | None) -> None:
    """No second and no offset is invented."""
    assert "issued" not in as_of(mark)


def test_incomplete_data_are_called_so() -> None:
    """In a note and in the text."""
    one = replace(baseline(EVERYTHING), as_of="2016-04-02T10:00:00+08:00")
    resource: Any = score_observation(one, subject=PATIENT, complete=False)
    assert notes(resource)[-1] == "Data as of 2016-04-02T10:00:00+08:00, incomplete."
    assert "incomplete" in resource["text"]["div"]


def test_labels_are_those_of_the_inputs() -> None:
    """Each in its own code system, once."""
    assert mapped(EVERYTHING, labels=["HTEST", "PSEUDED", "HTEST"])["meta"]["security"] == [
        {"system": f"{HL7}/v3-ActReason", "code": "HTEST"},
        {"system": f"{HL7}/v3-ObservationValue", "code": "PSEUDED"},
    ]


def test_labels_of_received_results_stay_as_they_were() -> None:
    """Also those that no trial of ours gives, which a score from such results inherits."""
    restricted = {"system": f"{HL7}/v3-Confidentiality", "code": "R"}
    assert mapped(EVERYTHING, labels=[restricted, restricted])["meta"]["security"] == [restricted]


def test_an_identifier_is_carried() -> None:
    """The one that it is given."""
    identifier = {"system": "https://example.org/scores", "value": "S01/baseline"}
    assert mapped(EVERYTHING, identifier=identifier)["identifier"] == [identifier]


def test_the_window_is_the_coding_of_the_method() -> None:
    """Servers search it: `Observation?method=...score-window|baseline`."""
    assert mapped(EVERYTHING)["method"]["coding"] == [{"system": f"{OURS}/CodeSystem/score-window", "code": "baseline"}]


def test_the_method_says_which_value_counts() -> None:
    """Each rule once, with the items that follow it."""
    assert mapped(EVERYTHING)["method"]["text"] == (
        "HScore (Fardet L et al., Arthritis Rheumatol 2014;66(9):2613-20), baseline. "
        "Known underlying immunosuppression: stated once at enrolment; holds at every visit. "
        "Temperature: highest reading of the 3 calendar days ending on the day of the blood count. "
        "Organomegaly, ferritin, triglycerides, fibrinogen, AST, haemophagocytosis on marrow aspirate: "
        "last before injection 1. "
        "Cytopenias: last before injection 1; the three lineages come from one blood count."
    )


def nothing() -> WindowScore:
    """A score of which nothing is known."""
    return score_everything("S01", [], 169)


def test_a_method_without_results_says_so() -> None:
    """Where nothing counts there is no rule to tell."""
    resource: Any = score_observation(nothing(), subject=PATIENT)
    assert resource["method"]["text"].endswith("all. No result counts.")


def test_the_notes_say_what_must_be_known() -> None:
    """What the score is for, what was noted of an item, and nothing else when all is known."""
    assert notes(mapped(EVERYTHING)) == [CAUTION, "temperature: axillary: not corrected"]


def test_the_notes_say_what_is_not_known() -> None:
    """In words, with what it may add; and no advice to test."""
    results = without("marrow_hemophagocytosis", "known_immunosuppression", "triglycerides")
    not_done = found("marrow_hemophagocytosis", None, "2016-02-25")
    assert notes(mapped([*results, not_done]))[-1] == (
        "Items whose value could change the result (not a recommendation to test): "
        "immunosuppression not known (0 or 18); triglycerides not known (0-64); marrow not examined (0 or 35)."
    )


def test_a_note_from_outside_marks_nothing_up() -> None:
    """A note of FHIR is Markdown, and the body site is what a hospital wrote."""
    hostile = measured("temperature", "39", MORNING, body_site="<b>[x](http://x)</b> *_`\x00")
    assert notes(mapped([hostile]))[1] == r"temperature: \<b\>\[x\](http://x)\</b\> \*\_\`" + " : not corrected"


def test_the_text_is_what_people_read() -> None:
    """The score, what is not known, and a line for each item."""
    not_done = [*without("marrow_hemophagocytosis"), found("marrow_hemophagocytosis", None, "2016-02-25")]
    text = mapped(not_done)["text"]
    assert text["status"] == "generated"
    assert text["div"].startswith(
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>HScore 302-337 of 337, baseline; at or above 169. '
        "Marrow not examined (0 or 35).</p><ul><li>known underlying immunosuppression: 18 points, measured</li>"
        "<li>temperature: 49 points, measured; axillary: not corrected</li>"
    )
    assert f"{CAUTION.replace('<', '&lt;')}</p></div>" in text["div"]


def test_the_text_escapes_what_came_from_outside() -> None:
    """Neither tags nor control characters of a hospital get into the XHTML."""
    hostile = measured("temperature", "39", MORNING, body_site="<script>alert('&')</script>\x00\x1b")
    div = mapped([hostile])["text"]["div"]
    assert "&lt;script&gt;alert('&amp;')&lt;/script&gt;  : not corrected" in div


def test_a_score_without_visits_is_called_all() -> None:
    """What was posted has no windows."""
    resource: Any = score_observation(score_everything("S01", EVERYTHING, 169), subject=PATIENT)
    assert resource["method"]["coding"][0]["code"] == "all"


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(baseline(EVERYTHING), id="exact"),
        pytest.param(baseline(without("splenomegaly", "platelets", "ast")), id="partial"),
        pytest.param(baseline(contradicting()), id="conflicting"),
        pytest.param(nothing(), id="everything unknown"),
        pytest.param(score_everything("S01", EVERYTHING, 169), id="without visits"),
    ],
)
def test_it_is_sound(one: WindowScore) -> None:
    """The structural check and the typed models agree."""
    resource = score_observation(
        replace(one, as_of="2016-04-02T10:00:00+08:00"),
        subject=PATIENT,
        labels=["HTEST"],
        identifier={"system": "https://example.org/scores", "value": "1"},
    )
    assert check_structure(resource) == []
    assert typed(resource).get_resource_type() == "Observation"


STATES: tuple[State, ...] = ("measured", "partial", "not_done", "unknown", "conflicting")


@st.composite
def items(draw: st.DrawFn) -> tuple[ItemScore, ...]:
    """Nine items with any points and any state, and notes of any text."""
    return tuple(
        ItemScore(
            name,
            low := draw(st.integers(0, 64)),
            draw(st.integers(low, 64)),
            draw(st.sampled_from(STATES)),
            notes=tuple(draw(st.lists(st.text(min_size=1), max_size=1))),
        )
        for name in ITEMS
    )


@given(items(), st.integers(1, 337))
def test_any_score_is_sound(made_up: tuple[ItemScore, ...], cutoff: int) -> None:
    """Whatever the points: sound R4, no float, and the bounds stand in the components."""
    score = HScore(made_up, cutoff)
    resource: Any = score_observation(WindowScore("S01", "all", score), subject=PATIENT)
    assert check_structure(fhirjson.loads(fhirjson.dumps(resource))) == []
    assert component(resource, "hscore-low") == {"valueQuantity": points(score.low)}
    assert component(resource, "hscore-high") == {"valueQuantity": points(score.high)}

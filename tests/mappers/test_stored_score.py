"""A score as it is kept: its id, its links, what is compared from run to run; what a Provenance says of its results."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.mappers.r4.provenance import sources_in
from fhir_adapter.mappers.r4.stored_score import cutoff_in, own_score, referred_to, timeless
from fhir_adapter.scores import score_subject
from fhir_adapter.trial import Result, Subject
from tests.mappers.small import context
from tests.scores.made_up import COURSE, RULES, measured

SUBJECT = Subject(subject="001", site="01", key=("001",))
FERRITIN = measured("ferritin", "2500", "2016-03-01T06:30", reference="Observation/f1")


def refer(result: Result) -> dict[str, object]:
    """As on the hospital's own server."""
    return {"reference": result.reference}


def stored(stands: set[str], **changes: Any) -> dict[str, Any]:
    """The score at baseline."""
    (one, *_) = score_subject("001", [FERRITIN], RULES, COURSE, as_of="2016-04-02T10:00:00+08:00").windows
    return own_score(one, SUBJECT, context(**changes), stands=stands, refer=refer)


def entity(**what: Any) -> dict[str, Any]:
    """A Provenance with one entity."""
    return {"entity": [{"role": "source", "what": {"type": "Observation", **what}}]}


def test_its_id_is_no_records_id() -> None:
    """A site may type a score of its own under the same key."""
    names = context().names
    key = ("001", "hscore", "baseline")
    assert stored(set())["id"] == names.score_id(*key) != names.id("Observation", *key)


def test_what_stands_on_the_server_is_referred_to_literally() -> None:
    """The Patient stands there, the studies do not."""
    patient = referred_to(SUBJECT, context())[0]
    found = stored({patient})
    assert found["subject"] == {"reference": patient}
    assert ["reference" in one["valueReference"] for one in found["extension"]] == [False, False]


def test_a_flat_trial_has_one_study() -> None:
    """One link and one name to look for."""
    assert len(stored(set(), flat=True)["extension"]) == 1
    assert [name.partition("/")[0] for name in referred_to(SUBJECT, context(flat=True))] == ["Patient", "ResearchStudy"]


def test_the_data_cut_and_the_status_are_not_compared() -> None:
    """A later cut that changes nothing is no new version."""
    told = timeless(stored(set()))
    assert not {"issued", "status", "text"} & told.keys()
    assert "Data as of" not in str(told)


def test_the_cutoff_is_read_from_its_component() -> None:
    """None where a score does not say."""
    assert (cutoff_in(stored(set())), cutoff_in({"component": [{"code": {}}]}), cutoff_in({})) == (169, None, None)


@pytest.mark.parametrize(
    "what",
    [
        {"display": "Observation/f1 (hscore/week-2)", "identifier": {"value": "ni:///sha-256;qw"}},
        {"display": "Observation/f1 (hscore/baseline)", "identifier": {"value": "F-1"}},
        {"display": "Observation/f1 (hscore/baseline)", "identifier": {"value": "ni:///sha-256;a"}},
        {"display": "Observation/f1 (hscore/baseline)"},
        {"reference": "Observation/f1"},
    ],
)
def test_what_does_not_say_it_in_our_form_is_not_read(what: dict[str, Any]) -> None:
    """Of another score, without a hash, or written by somebody else."""
    assert sources_in(entity(**what), "hscore/baseline") == {}

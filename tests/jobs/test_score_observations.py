"""Whose a result of a file is, and what a trial without a rule answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.score import ScoreOptions, rules_of
from fhir_adapter.jobs.score_observations import subject_of
from fhir_adapter.trial_folder import read_trial_folder, trial_path


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        ({"reference": "Patient/a"}, "Patient/a"),
        ({"reference": "Patient/a/_history/2"}, "Patient/a"),
        ({"identifier": {"system": "urn:x", "value": "7"}}, "urn:x|7"),
        ({"display": "测试一"}, None),
        ("Patient/a", None),
    ],
)
def test_a_result_belongs_to_whom_it_refers_to(subject: object, named: str | None) -> None:
    """By reference, or by a logical one; a name alone is nobody."""
    assert subject_of({"resourceType": "Observation", "subject": subject}) == named


def test_a_trial_without_a_rule_is_not_scored() -> None:
    """Which result counts is never a default."""
    folder = replace(read_trial_folder(trial_path("nct02569463")), scores=None)
    with pytest.raises(Misconfigured) as error:
        rules_of(folder, ScoreOptions())
    assert [issue.code for issue in error.value.issues] == ["no-score-rule"]

"""What is to be done with a score, given what the ledger, the server and the Provenance beside it say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter.mappers import map_provenance
from fhir_adapter.mappers.r4.provenance import Grounds, ReadSource, adapter_of
from fhir_adapter.store import EDITED, Sent
from fhir_adapter.sync import Draft, SyncPlan, make_score_plan
from tests.mappers.small import context

Resource = dict[str, Any]
HERE = context()
NAME = "Observation/s1"
THEN, NOW = "aa" * 32, "bb" * 32


def score(**more: Any) -> Resource:
    """A score in short."""
    return {
        "resourceType": "Observation",
        "id": "s1",
        "identifier": [{"system": "https://example.org/score", "value": "S01/hscore/baseline"}],
        "status": "final",
        "code": {"text": "HScore"},
        "valueQuantity": {"value": 50},
        **more,
    }


def draft(*sources: ReadSource, **more: Any) -> Draft:
    """That score as it is to stand, resting on these results."""
    resource = score(**more)
    return Draft(
        name=NAME,
        subject="S01",
        render=lambda _stands: resource,
        refers_to=(),
        grounds=Grounds(
            "hscore/baseline", adapter_of(HERE, stands=True), sources or (ReadSource("f1", NOW, said="n"),)
        ),
        around=lambda _name, _digest: False,
        said_of=lambda _name, _digest: None,
    )


def provenance(recorded: str = "2024-01-10T08:00:00Z", **more: Any) -> Resource:
    """What an earlier push said: the score rested on f1 as it was then."""
    said = {"author": adapter_of(HERE, stands=True), "sources": (ReadSource("f1", THEN),), **more}
    return map_provenance("p1", [NAME], recorded, "create", {}, HERE, [Grounds("hscore/baseline", **said)])


def standing(**more: Any) -> Resource:
    """The score as it stands on the server."""
    return score(meta={"versionId": "1"}, **more)


def plan(one: Draft, there: Resource | None, *told: Resource, sent: Sent | None = None) -> SyncPlan:
    """The plan for one score."""
    scores: Mapping[str, Resource] = {} if there is None else {NAME: there}

    def existing(names: Sequence[str]) -> Mapping[str, Resource]:
        return {name: scores[name] for name in names if name in scores}

    return make_score_plan([one], {} if sent is None else {NAME: sent}, (), existing, lambda _names: told)


def known(version: str | None = "1") -> Sent:
    """What the ledger says of the last push."""
    return Sent(NAME, "S01", "hscore/baseline", b"then", version, 1)


def reasons(found: SyncPlan) -> tuple[str, ...]:
    """Why the one new version is written."""
    (item,) = found.of("update")
    assert item.grounds is not None
    return item.grounds.reasons


def test_the_newest_provenance_says_what_it_rested_on() -> None:
    """By when it was recorded; one without a time is the oldest."""
    older = provenance("2024-01-09T08:00:00Z", sources=(ReadSource("f1", NOW),))
    found = plan(draft(), standing(), older, provenance(), {**older, "recorded": "some day"}, sent=known())
    assert reasons(found) == (f"f1 changed from sha-256 {THEN} to sha-256 {NOW}",)


def test_the_provenance_of_another_score_says_nothing() -> None:
    """Not of this target: what it rested on is not known."""
    other = {**provenance(), "target": [{"reference": "Observation/s2"}]}
    found = plan(draft(), standing(), other, sent=known())
    assert reasons(found) == ("what the version before rested on cannot be read on this server",)


def test_a_provenance_that_names_its_target_with_version_and_base_counts() -> None:
    """Servers write references in more than one way."""
    target = {"reference": f"https://fhir.test/r4/{NAME}/_history/1"}
    found = plan(draft(), standing(), {**provenance(), "target": [target]}, sent=known())
    assert reasons(found)[0].startswith("f1 changed from ")


def test_another_version_of_the_program_is_a_reason() -> None:
    """What it tells otherwise is said to be of the program, and the status stays."""
    author = {"display": "fhir-adapter 0.0.1"}
    told = provenance(author=author, sources=(ReadSource("f1", NOW),))
    found = plan(draft(note=[{"text": "in other words"}]), standing(status="corrected"), told, sent=known())
    (item,) = found.of("update")
    assert b'"status":"corrected"' in item.body
    assert reasons(found)[0].endswith(" instead of fhir-adapter 0.0.1")


def test_a_rule_that_changed_is_a_reason() -> None:
    """Other points from the same results: amended."""
    told = provenance(sources=(ReadSource("f1", NOW),))
    found = plan(draft(valueQuantity={"value": 35}), standing(), told, sent=known())
    (item,) = found.of("update")
    assert b'"status":"amended"' in item.body
    assert reasons(found) == ("the rule of the trial, or how the score is told, changed",)


@pytest.mark.parametrize("version", ["2", EDITED])
def test_a_version_that_is_not_ours_is_a_conflict(version: str) -> None:
    """The ledger knows another version, or that somebody wrote after us."""
    found = plan(draft(), standing(), provenance(), sent=known(version))
    assert [item.action for item in found.items] == ["conflict"]
    assert [issue.code for issue in found.set_aside] == ["edited-on-server"]


def test_a_server_without_versions_is_brought_in_line() -> None:
    """Nobody can tell an edit there; the new version names none before it."""
    found = plan(draft(), score(), provenance(), sent=known(None))
    (item,) = found.of("update")
    assert (item.version, item.grounds and item.grounds.replaces) == (None, None)


def test_a_score_that_another_state_of_ours_sent_is_adopted() -> None:
    """It stands there as it would be written, in a version that this ledger does not know."""
    told = provenance(sources=(ReadSource("f1", NOW),))
    found = plan(draft(), {**standing(), "meta": {"versionId": "5"}}, told, sent=known())
    assert [(item.action, item.version, item.adopted) for item in found.items] == [("unchanged", "5", True)]


def test_an_invalid_score_is_blocked() -> None:
    """It is checked like everything that is sent, and the issue names it."""
    found = plan(draft(status="done"), None)
    assert [item.action for item in found.items] == ["blocked"]
    assert {issue.where.resource for issue in found.set_aside} == {NAME}


def test_two_results_of_one_name_are_told_apart_by_what_they_say() -> None:
    """The same two as before, in whatever order: nothing changed."""
    both = (ReadSource("f1", THEN, said="t"), ReadSource("f1", NOW, said="n"))
    told = provenance(sources=tuple(reversed(both)))
    found = plan(draft(*both), standing(), told)
    assert [(item.action, item.adopted) for item in found.items] == [("unchanged", True)]


def nobody_asks(_names: Sequence[str]) -> Any:
    """The server is not to be asked."""
    pytest.fail("the server was asked")


def test_a_known_score_costs_no_question() -> None:
    """Its digest is in the ledger: the server is not asked, whatever its data cut."""
    one = draft(note=[{"text": "Data as of 2024-01-10T08:00:00Z, complete."}], issued="2024-01-10T08:00:00Z")
    sent = replace(known(), sha256=draft().digest(score()))
    found = make_score_plan([one], {NAME: sent}, (), nobody_asks, nobody_asks)
    assert [item.action for item in found.items] == ["unchanged"]

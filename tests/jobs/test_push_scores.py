"""push_scores against the embedded server: each score once, a new version that says why, and what is not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import respx

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, ServerSettings, loopback_server
from fhir_adapter.issues import Refused
from fhir_adapter.jobs.pull import PullOptions
from fhir_adapter.jobs.push import PushOptions, push
from fhir_adapter.jobs.push_scores import PushScoresOptions, PushScoresReport, _provenances, push_scores
from fhir_adapter.mappers.typed import typed
from fhir_adapter.sync import SyncPlan
from fhir_adapter.trial_folder import TrialFolder
from fhir_adapter.validation import check_structure
from tests.conftest import BASE
from tests.intake.hospital import (
    AST,
    PLATELETS,
    Hospital,
    Resource,
    numbered,
    patient,
    result,
    trial,
    write_lines,
)
from tests.jobs.rewinding import Moment
from tests.made_up import add, change, copy_trial
from tests.scores.made_up import RULES
from tests.stories.sandbox import running
from tests.sync.test_lost_answers import First, unreliable

TRIGLYCERIDES = "14927-8"
MONTH_1_MORNING = "2024-02-07T06:30:00+08:00"
ONE = PushOptions(subjects=1)


def quiet(_plan: SyncPlan) -> Callable[[int], None]:
    return lambda _done: None


@pytest.fixture(scope="module")
def folder() -> TrialFolder:
    """The made-up trial, with a rule of three visits."""
    return replace(trial(), scores=RULES)


@dataclass(frozen=True)
class Moments:
    """The hospital after it published, after we pulled, and after we sent the one score."""

    published: Moment
    pulled: Moment
    pushed: Moment


@pytest.fixture(scope="module")
def moments(folder: TrialFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moments]:
    """A hospital that published subject 001's ferritin and AST of day 1."""
    place = tmp_path_factory.mktemp("moments")
    live = place / "server.sqlite"
    with running(str(live)) as base:
        one = Hospital(base, place / "state.sqlite")
        one.publishes(patient(), result("f1", "2500", identifier=numbered("F-1")), result("a1", "186", AST, "U/L"))
        published = Moment.of(one, live, place, "published")
        one.pull(folder)
        pulled = Moment.of(one, live, place, "pulled")
        assert pushes(one, folder).push.plan.counts()["create"] == 1
        yield Moments(published, pulled, Moment.of(one, live, place, "pushed"))


@pytest.fixture
def hospital(moments: Moments, tmp_path: Path) -> Hospital:
    """A hospital from which nothing was pulled yet."""
    return moments.published.again(tmp_path)


@pytest.fixture
def pulled(moments: Moments, tmp_path: Path) -> Hospital:
    """The same, after a pull."""
    return moments.pulled.again(tmp_path)


@pytest.fixture
def pushed(moments: Moments, tmp_path: Path) -> Hospital:
    """The same, after its one score was sent."""
    return moments.pushed.again(tmp_path)


def pushes(hospital: Hospital, folder: TrialFolder, to: ServerSettings | None = None, **more: Any) -> PushScoresReport:
    """Send the scores of subject 001, to the hospital's own server unless another is named."""
    options = PushScoresOptions(**{"subjects": 1, **more})
    return push_scores(folder, to or loopback_server(hospital.base), hospital.state, options, quiet)


def pull_and_push(hospital: Hospital, folder: TrialFolder, **more: Any) -> PushScoresReport:
    """What a person does after the hospital published something."""
    hospital.pull(folder)
    return pushes(hospital, folder, **more)


def there(base: str, path: str) -> Any:
    """What a server answers."""
    return fhirjson.loads(httpx2.get(f"{base}/{path}").raise_for_status().content)


def found(base: str, search: str) -> list[Resource]:
    """The resources that a server finds."""
    return [entry["resource"] for entry in there(base, search).get("entry", [])]


def scores(base: str) -> list[Resource]:
    """The scores that stand on a server."""
    return [one for one in found(base, "Observation?_count=1000") if one["code"].get("text") == "HScore"]


def reasons(report: PushScoresReport) -> list[str]:
    """Why new versions were written."""
    items = report.push.plan.of("update")
    return [text for item in items if item.grounds is not None for text in item.grounds.reasons]


def codes(report: PushScoresReport) -> list[str]:
    """The codes of what was set aside."""
    return [issue.code for issue in report.push.set_aside]


def told(hospital: Hospital) -> list[tuple[str, list[str]]]:
    """What became of each Provenance about the score: activity and reasons, the first first."""
    (score,) = scores(hospital.base)
    about = found(hospital.base, f"Provenance?target=Observation/{score['id']}")
    about.sort(key=lambda one: str(one["recorded"]))
    return [(one["activity"]["coding"][0]["code"], [why["text"] for why in one.get("reason", [])]) for one in about]


def sources(provenance: Resource) -> Sequence[Resource]:
    """The sources that a Provenance names."""
    return [one["what"] for one in provenance["entity"] if one["role"] == "source"]


def test_a_score_is_created_once_with_its_provenance(pulled: Hospital, folder: TrialFolder) -> None:
    """One Observation under our identifier, in one transaction with one Provenance."""
    report = pushes(pulled, folder)
    (score,) = scores(pulled.base)
    assert report.push.applied is not None
    assert (report.outcome, report.push.applied.to_dict()["create"], report.push.applied.provenances) == ("done", 1, 1)
    assert score["identifier"] == [
        {"system": folder.identifier("score").system, "value": "001/hscore/baseline"},
    ]
    assert (score["status"], told(pulled)) == ("final", [("CREATE", [])])


def test_asking_twice_sends_nothing(pushed: Hospital, folder: TrialFolder) -> None:
    """The second time costs not one request; nor after a pull that brought nothing new but a later data cut."""
    assert (pushes(pushed, folder).push.requests, pull_and_push(pushed, folder).push.requests) == (0, 0)
    assert pushes(pushed, folder).to_dict()["plan"] == {
        **dict.fromkeys(("create", "update", "withdrawn", "conflict", "blocked"), 0),
        "unchanged": 1,
    }


def test_a_dry_run_writes_nothing_and_is_what_is_then_done(pulled: Hospital, folder: TrialFolder) -> None:
    """The plan of a dry run is that of the push after it."""
    dry = pushes(pulled, folder, dry_run=True)
    assert scores(pulled.base) == []
    assert dry.to_dict()["plan"] == pushes(pulled, folder).to_dict()["applied"]


def test_a_corrected_result_corrects_the_score_and_says_from_what_to_what(
    pushed: Hospital, folder: TrialFolder
) -> None:
    """The same reference, another body: status corrected, and both hashes in the reason."""
    pushed.publishes(result("f1", "7000", status="corrected", identifier=numbered("F-1")))
    report = pull_and_push(pushed, folder)
    (score,) = scores(pushed.base)
    (why,) = reasons(report)
    assert (score["status"], score["meta"]["versionId"]) == ("corrected", "2")
    assert why.startswith("Observation/f1 changed from sha-256 ")
    assert told(pushed) == [("CREATE", []), ("UPDATE", [why])]


def test_the_version_before_stays_and_the_new_provenance_names_it(pushed: Hospital, folder: TrialFolder) -> None:
    """Version 1 is in the history as it was; the second Provenance says what it revises."""
    (score,) = scores(pushed.base)
    pushed.publishes(result("f1", "7000", status="corrected", identifier=numbered("F-1")))
    pull_and_push(pushed, folder)
    name = f"Observation/{score['id']}"
    (newest,) = [one for one in found(pushed.base, "Provenance") if one.get("reason")]
    assert there(pushed.base, f"{name}/_history/1") == score
    assert newest["target"] == [{"reference": name}]
    assert {"role": "revision", "what": {"reference": f"{name}/_history/1"}} in newest["entity"]


def test_a_correction_that_changes_no_points_is_a_new_version_too(pushed: Hospital, folder: TrialFolder) -> None:
    """What the score rests on says something else, so the version of before must not be taken for it."""
    pushed.publishes(result("f1", "2501", status="corrected", identifier=numbered("F-1")))
    pull_and_push(pushed, folder)
    (score,) = scores(pushed.base)
    assert (score["status"], score["meta"]["versionId"]) == ("corrected", "2")


def test_a_result_written_again_with_the_same_content_is_no_correction(pushed: Hospital, folder: TrialFolder) -> None:
    """The hospital's server gives it a new version and another hash; it says what it said."""
    pushed.publishes(result("f1", "2500", identifier=numbered("F-1"), meta={"tag": [{"code": "sent-again"}]}))
    assert pull_and_push(pushed, folder).push.requests == 0


def test_the_same_content_is_no_reason_beside_another_one(pushed: Hospital, folder: TrialFolder) -> None:
    """AST was corrected, ferritin only written again: the reason names AST alone."""
    pushed.publishes(
        result("f1", "2500", identifier=numbered("F-1"), meta={"tag": [{"code": "sent-again"}]}),
        result("a1", "20", AST, "U/L", status="corrected"),
    )
    (why,) = reasons(pull_and_push(pushed, folder))
    assert why.startswith("Observation/a1 changed from ")


def test_a_new_result_amends_the_score(pushed: Hospital, folder: TrialFolder) -> None:
    """Evidence is added, none was wrong."""
    pushed.publishes(result("t1", "3.2", TRIGLYCERIDES, "mmol/L"))
    report = pull_and_push(pushed, folder)
    assert [score["status"] for score in scores(pushed.base)] == ["amended"]
    assert any(text.startswith("Observation/t1 counts now (sha-256 ") for text in reasons(report))


def test_a_result_that_another_one_supersedes_was_not_wrong(pushed: Hospital, folder: TrialFolder) -> None:
    """A later ferritin of the same day counts instead: amended, and the first is said to stand unchanged."""
    pushed.publishes(result("f2", "900", effectiveDateTime="2024-01-10T07:30:00+08:00"))
    report = pull_and_push(pushed, folder)
    assert [score["status"] for score in scores(pushed.base)] == ["amended"]
    assert "Observation/f1 does not count any more; it stands unchanged" in reasons(report)


def delete(hospital: Hospital) -> None:
    """The ferritin is gone from the hospital's server."""
    hospital.deletes("Observation/f1")


def retract(hospital: Hospital) -> None:
    """The laboratory says that the ferritin was an error."""
    hospital.publishes(result("f1", "2500", status="entered-in-error"))


@pytest.mark.parametrize("take_back", [delete, retract])
def test_a_result_that_was_taken_back_corrects_the_score(
    pushed: Hospital, folder: TrialFolder, take_back: Callable[[Hospital], None]
) -> None:
    """The score no longer rests on it, and the reason says which it was."""
    take_back(pushed)
    report = pull_and_push(pushed, folder)
    (score,) = scores(pushed.base)
    assert (score["status"], [one["reference"] for one in score["derivedFrom"]]) == ("corrected", ["Observation/a1"])
    assert reasons(report)[0].startswith("Observation/f1 was taken back or changed at its source (was sha-256 ")


def test_a_corrected_typed_value_corrects_the_score(pushed: Hospital, folder: TrialFolder, tmp_path: Path) -> None:
    """The site mended the haemoglobin of its export; the reason names file, test and time, not the row."""
    copied = copy_trial(tmp_path)
    change(copied, "data/lb.csv", "001,HGB,12.50", "001,HGB,8.50")
    report = pushes(pushed, folder, source=copied / "data")
    (why,) = reasons(report)
    assert why.startswith("lb.csv: hemoglobin, 2024-01-10T08:15 changed from sha-256 ")
    assert [score["status"] for score in scores(pushed.base)] == ["corrected"]


def test_a_row_that_only_moved_in_its_file_is_nothing(pushed: Hospital, folder: TrialFolder, tmp_path: Path) -> None:
    """A row inserted before it gives the typed value another number in the file."""
    copied = copy_trial(tmp_path)
    change(copied, "data/lb.csv", "001,HGB", "001,GLUC,60,mg/dL,110,1,2024-01-09T08:15\n001,HGB")
    assert pushes(pushed, folder, source=copied / "data").push.requests == 0


def test_another_cutoff_of_the_trial_amends_the_score(pushed: Hospital, folder: TrialFolder) -> None:
    """No result changed; what is said of them did."""
    report = pushes(pushed, replace(folder, scores=replace(RULES, cutoff=60)))
    assert reasons(report) == ["it is compared with a cut-off of 60 instead of 169"]
    assert [score["status"] for score in scores(pushed.base)] == ["amended"]


def test_the_provenance_names_every_result_exactly(pushed: Hospital) -> None:
    """Version and hash of the hospital's results, files with their hashes, the rule, and who computed it by what."""
    (provenance,) = found(pushed.base, "Provenance")
    by_name = {what["display"]: what for what in sources(provenance)}
    ferritin = by_name["Observation/f1 (hscore/baseline)"]
    assert ferritin["reference"] == "Observation/f1/_history/1"
    assert ferritin["identifier"]["value"].startswith("ni:///sha-256;")
    assert {"lb.csv", "dm.csv", "ec.csv", "trial.yaml"} <= by_name.keys()
    assert provenance["activity"]["text"] == "HScore by the rule of trial.yaml, cut-off 169"
    assert provenance["policy"] == ["https://doi.org/10.1002/art.38690"]
    assert provenance["agent"][0]["who"]["display"].startswith("fhir-adapter ")


def test_what_is_sent_is_valid(pushed: Hospital, folder: TrialFolder) -> None:
    """Our own check and the models of fhir.resources accept both resources, in their first and second version."""
    pushed.publishes(result("f1", "7000", status="corrected", identifier=numbered("F-1")))
    pull_and_push(pushed, folder)
    sent = [*scores(pushed.base), *found(pushed.base, "Provenance")]
    assert [issue for one in sent for issue in check_structure(one)] == []
    assert len([typed(dict(one)) for one in sent]) == 3


def test_references_across_servers_are_logical(pulled: Hospital, folder: TrialFolder) -> None:
    """Results stay at the hospital: by their own identifier, and where they have none by their address there."""
    with running() as research:
        pushes(pulled, folder, loopback_server(research))
        (score,) = scores(research)
        (provenance,) = found(research, "Provenance")
    assert score["derivedFrom"] == [
        {"type": "Observation", "identifier": {"system": "https://hospital.example/lab-result", "value": "F-1"}},
        {
            "type": "Observation",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{pulled.base}/Observation/a1"},
        },
    ]
    assert f"{pulled.base}/Observation/f1 (hscore/baseline)" in {what["display"] for what in sources(provenance)}


def test_what_does_not_stand_on_the_server_is_referred_to_by_identifier(pushed: Hospital, folder: TrialFolder) -> None:
    """The trial was not pushed there: patient and studies by type and business identifier."""
    (score,) = scores(pushed.base)
    study = folder.study_identifier
    assert score["subject"] == {
        "type": "Patient",
        "identifier": {"system": folder.identifier("subject").system, "value": "001"},
    }
    assert [one["valueReference"]["identifier"]["value"] for one in score["extension"]] == ["01", study]


def test_a_score_is_linked_to_the_trials_own_resources(pulled: Hospital, folder: TrialFolder) -> None:
    """After the trial's push they are references that a server can follow and search."""
    push(folder, loopback_server(pulled.base), pulled.state, ONE, quiet)
    pushes(pulled, folder)
    (score,) = scores(pulled.base)
    references = [score["subject"], *(one["valueReference"] for one in score["extension"])]
    kinds = [there(pulled.base, one["reference"])["resourceType"] for one in references]
    assert kinds == ["Patient", "ResearchStudy", "ResearchStudy"]


def test_a_trial_pushed_later_links_the_score_and_keeps_its_status(pushed: Hospital, folder: TrialFolder) -> None:
    """A link is no new finding: still final, with the reason in the Provenance."""
    push(folder, loopback_server(pushed.base), pushed.state, ONE, quiet)
    report = pushes(pushed, folder)
    (score,) = scores(pushed.base)
    assert (score["status"], score["meta"]["versionId"]) == ("final", "2")
    assert reasons(report) == ["the trial's own resources that it is linked to stand on this server now, or are others"]
    assert pushes(pushed, folder).push.requests == 0


def test_neither_push_takes_what_the_other_sent_for_gone(pulled: Hospital, folder: TrialFolder) -> None:
    """The trial's push sees no score, the scores' push nothing of the trial, and neither needs a request."""
    push(folder, loopback_server(pulled.base), pulled.state, ONE, quiet)
    pushes(pulled, folder)
    again = push(folder, loopback_server(pulled.base), pulled.state, ONE, quiet)
    scored = pushes(pulled, folder).push
    assert (again.plan.counts()["withdrawn"], again.requests) == (0, 0)
    assert (scored.plan.counts()["withdrawn"], scored.requests) == (0, 0)


def test_a_score_that_somebody_edited_is_left_alone(pushed: Hospital, folder: TrialFolder) -> None:
    """A conflict that keeps the edit, already in the dry run."""
    (score,) = scores(pushed.base)
    pushed.publishes({**score, "status": "entered-in-error"})
    pushed.publishes(result("f1", "7000", status="corrected"))
    dry, report = pull_and_push(pushed, folder, dry_run=True), pushes(pushed, folder)
    assert (codes(dry), codes(report)) == (["edited-on-server"], ["edited-on-server"])
    assert (report.outcome, scores(pushed.base)[0]["status"]) == ("in part", "entered-in-error")


def test_a_score_that_somebody_deleted_is_not_written_again(pushed: Hospital, folder: TrialFolder) -> None:
    """Deleting it was a decision of somebody; a person must say which is right."""
    (score,) = scores(pushed.base)
    pushed.deletes(f"Observation/{score['id']}")
    pushed.publishes(result("f1", "7000", status="corrected"))
    assert codes(pull_and_push(pushed, folder)) == ["edited-on-server"]
    assert scores(pushed.base) == []


def test_somebody_elses_resource_under_our_id_is_left_alone(pulled: Hospital, folder: TrialFolder) -> None:
    """A conflict, and nothing is written."""
    (item,) = pushes(pulled, folder, dry_run=True).push.plan.items
    pulled.publishes(result(item.name.partition("/")[2], "5", PLATELETS, "10*9/L"))
    report = pushes(pulled, folder)
    assert (codes(report), scores(pulled.base)) == (["foreign-resource"], [])


def test_a_lost_state_is_found_again_on_the_server(pushed: Hospital, folder: TrialFolder, tmp_path: Path) -> None:
    """After a pull the score is known again: nothing is written, and the next run needs no request."""
    other = replace(pushed, state=tmp_path / "other.sqlite")
    first = pull_and_push(other, folder).push
    assert (first.plan.counts()["unchanged"], first.complete) == (1, True)
    assert pushes(other, folder).push.requests == 0
    assert scores(pushed.base)[0]["meta"]["versionId"] == "1"


def test_a_lost_state_does_not_lose_the_reason(pushed: Hospital, folder: TrialFolder, tmp_path: Path) -> None:
    """What the score rested on is read from the Provenance on the server."""
    pushed.publishes(result("f1", "7000", status="corrected", identifier=numbered("F-1")))
    other = replace(pushed, state=tmp_path / "other.sqlite")
    (why,) = reasons(pull_and_push(other, folder))
    assert why.startswith("Observation/f1 changed from sha-256 ")
    assert scores(pushed.base)[0]["status"] == "corrected"


def test_a_lost_state_that_never_pulled_overwrites_nothing(
    pushed: Hospital, folder: TrialFolder, tmp_path: Path
) -> None:
    """Without the hospital's results the score would be told from typed values alone."""
    report = pushes(replace(pushed, state=tmp_path / "other.sqlite"), folder)
    assert (codes(report), report.outcome, report.push.requests) == (["never-pulled"], "in part", 0)


def test_a_lost_provenance_is_said(pushed: Hospital, folder: TrialFolder) -> None:
    """Nobody can tell what was corrected: amended, and the reason says why."""
    (provenance,) = found(pushed.base, "Provenance")
    pushed.deletes(f"Provenance/{provenance['id']}")
    pushed.publishes(result("f1", "7000", status="corrected", identifier=numbered("F-1")))
    report = pull_and_push(pushed, folder)
    assert reasons(report) == ["what the version before rested on cannot be read on this server"]
    assert scores(pushed.base)[0]["status"] == "amended"


def test_an_answer_that_was_lost_makes_no_second_version(pulled: Hospital, folder: TrialFolder) -> None:
    """The transaction took place: the next run sees its Provenance, and writes nothing."""
    swallow = First()
    with unreliable(pulled.base, swallow) as address:
        settings = replace(loopback_server(address), attempts=1)
        swallow.left = 1
        stopped, again = pushes(pulled, folder, settings), pushes(pulled, folder, settings)
        last = pushes(pulled, folder, settings)
    assert (stopped.outcome, again.outcome, last.push.requests) == ("stopped", "done", 0)
    assert [score["meta"]["versionId"] for score in scores(pulled.base)] == ["1"]


def test_a_correction_whose_answer_was_lost_is_made_once(pulled: Hospital, folder: TrialFolder) -> None:
    """Version 2 with its reason, no version 3, no conflict with ourselves."""
    swallow = First()
    with unreliable(pulled.base, swallow) as address:
        settings = replace(loopback_server(address), attempts=1)
        pushes(pulled, folder, settings)
        pulled.publishes(result("f1", "7000", status="corrected", identifier=numbered("F-1")))
        pulled.pull(folder)
        swallow.left = 1
        stopped, again = pushes(pulled, folder, settings), pushes(pulled, folder, settings)
    (score,) = scores(pulled.base)
    assert (stopped.outcome, again.outcome, codes(again)) == ("stopped", "done", [])
    assert (score["status"], score["meta"]["versionId"]) == ("corrected", "2")


def test_after_an_incomplete_pull_no_score_is_sent(pushed: Hospital, folder: TrialFolder) -> None:
    """The hospital's Patient was not found: blocked and said, and what stands there stays."""
    pushed.publishes(patient(value="somebody-else"))
    report = pull_and_push(pushed, folder)
    assert (report.outcome, codes(report)) == ("in part", ["incomplete-pull"])
    assert report.to_dict()["plan"] == {
        **dict.fromkeys(("create", "update", "unchanged", "withdrawn", "conflict"), 0),
        "blocked": 1,
    }


def test_an_incomplete_pull_of_somebody_else_blocks_nobody(
    pulled: Hospital, folder: TrialFolder, tmp_path: Path
) -> None:
    """Subject 002 is not known at the hospital; 001 was read whole and is sent."""
    export = copy_trial(tmp_path) / "data"
    add(export, "ec.csv", "002,DRUG,Y,5,mL,10.8,g/L,2024-01-11")
    pulled.pull(folder, PullOptions(source=export))
    report = pushes(pulled, folder, source=export)
    assert (report.scores.complete, report.push.plan.counts()["create"], codes(report)) == (False, 1, [])


def test_a_row_set_aside_blocks_the_scores_that_may_rest_on_it(
    pushed: Hospital, folder: TrialFolder, tmp_path: Path
) -> None:
    """A typed value that cannot be read must not turn a published score into another one."""
    copied = copy_trial(tmp_path)
    change(copied, "data/lb.csv", "12.50,g/dL,,1,2024-01-10", "12.50,g/dL,,1,2024-31-10")
    report = pushes(pushed, folder, source=copied / "data")
    assert (codes(report), report.push.requests) == (["score-in-part"], 0)


def test_strict_writes_nothing_while_anything_is_set_aside(pulled: Hospital, folder: TrialFolder) -> None:
    """Refused, as a push is."""
    pulled.publishes(patient(value="somebody-else"))
    report = pull_and_push(pulled, folder, strict=True)
    assert (report.outcome, report.push.applied) == ("refused", None)


def test_what_has_no_score_any_more_is_withdrawn_and_stays(pushed: Hospital, folder: TrialFolder) -> None:
    """All its results are gone: counted, never deleted, and nothing is sent."""
    pushed.publishes(result("f2", "900", effectiveDateTime=MONTH_1_MORNING))
    pushed.deletes("Observation/f1")
    pushed.deletes("Observation/a1")
    pushed.pull(folder)
    without_typed = replace(folder, codes=replace(folder.codes, tests={}))
    report = pushes(pushed, without_typed)
    assert (report.push.plan.counts()["create"], report.push.plan.counts()["withdrawn"]) == (1, 1)
    assert len(scores(pushed.base)) == 2


@pytest.mark.parametrize("asked", [{"window": "month-1"}, {"window": "all"}])
def test_what_was_not_asked_for_is_not_gone(pushed: Hospital, folder: TrialFolder, asked: dict[str, str]) -> None:
    """One window is sent; the others are neither counted nor touched."""
    pushed.publishes(result("f2", "900", effectiveDateTime=MONTH_1_MORNING))
    counts = pull_and_push(pushed, folder, **asked).push.plan.counts()
    assert (counts["create"], counts["withdrawn"], counts["unchanged"]) == (1, 0, 0)
    assert pushes(pushed, folder).push.plan.counts()["withdrawn"] == 0


def test_made_up_results_do_not_reach_a_server_that_is_no_test(pulled: Hospital, folder: TrialFolder) -> None:
    """A score inherits the labels of its inputs, and with them where it may go."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    pulled.publishes(result("f1", "7000", meta={"security": [label]}))
    real = replace(folder, labels=("ANONYED",))
    pulled.pull(folder)
    report = pushes(pulled, real, replace(loopback_server(pulled.base), test=False))
    assert (codes(report), scores(pulled.base)) == (["test-data"], [])


def test_a_score_carries_the_labels_of_its_results(pulled: Hospital, folder: TrialFolder) -> None:
    """Those of the trial, and those that only the hospital gave."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    pulled.publishes(result("f1", "7000", meta={"security": [label]}))
    pull_and_push(pulled, folder)
    (score,) = scores(pulled.base)
    assert [one["code"] for one in score["meta"]["security"]] == [*folder.labels, "R"]


@pytest.mark.parametrize(
    ("change_to", "code"), [({"role": "read"}, "read-only-server"), ({"kind": "ehr"}, "patients-not-ours")]
)
def test_what_must_not_be_written_to_is_not(
    pulled: Hospital, folder: TrialFolder, change_to: dict[str, Any], code: str
) -> None:
    """The interlock of a push, before any request."""
    with pytest.raises(Refused) as caught:
        pushes(pulled, folder, replace(loopback_server(pulled.base), **change_to))
    assert [issue.code for issue in caught.value.issues] == [code]


def test_what_came_in_a_file_is_named_as_such(hospital: Hospital, folder: TrialFolder, tmp_path: Path) -> None:
    """It stands on no server: referred to by its identifier, or by name alone."""
    lines = [patient(), result("f1", "2500"), result("a1", "186", AST, "U/L", identifier=numbered("A-1"))]
    hospital.pull(folder, PullOptions(file=write_lines(tmp_path / "results.ndjson", *lines)))
    pushes(hospital, folder)
    (score,) = scores(hospital.base)
    identifier = {"system": "https://hospital.example/lab-result", "value": "A-1"}
    assert score["derivedFrom"] == [
        {"type": "Observation", "display": "Observation/f1"},
        {"type": "Observation", "identifier": identifier},
    ]


def our_own_patient(hospital: Hospital, folder: TrialFolder) -> TrialFolder:
    """The trial whose hospital knows subject 001 as the Patient that we pushed, with one result of it."""
    system = folder.identifier("subject").system
    own = replace(trial(patient_system=system), scores=RULES)
    push(own, loopback_server(hospital.base), hospital.state, ONE, quiet)
    (ours,) = found(hospital.base, f"Patient?identifier={system}%7C001")
    hospital.publishes(result("f1", "2500", subject={"reference": f"Patient/{ours['id']}"}))
    return own


def test_a_pull_reads_no_result_from_our_own_scores(hospital: Hospital, folder: TrialFolder) -> None:
    """Where the hospital's Patient is ours, a pull may find the scores by their items; they are no results."""
    own = our_own_patient(hospital, folder)
    before = hospital.pull(own)
    pushes(hospital, own)
    after, again = hospital.pull(own), pushes(hospital, own)
    assert (before.measurements, before.findings) == (after.measurements, after.findings)
    assert scores(hospital.base)[0]["derivedFrom"] == [{"reference": "Observation/f1"}]
    assert (again.push.requests, again.push.plan.counts()["unchanged"]) == (0, 1)


def test_a_server_that_does_not_search_provenances_is_no_failure(fhir_mock: respx.MockRouter) -> None:
    """The reason then says that nobody can tell."""
    fhir_mock.post("/Provenance/_search").respond(400, json={})
    with FhirServer(ServerSettings(BASE, test=True)) as server:
        assert _provenances(server, ["Observation/1"]) == []

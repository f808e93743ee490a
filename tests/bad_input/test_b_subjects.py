"""Group B of the bad-input list: whose result it is, and what a missing baseline, dose or statement means."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fhir_adapter import fhirjson
from fhir_adapter.scores import Finding, Measurement, hscore
from fhir_adapter.store import ResultStore, open_store
from tests.stories.commands import Person, Run
from tests.stories.sandbox import running

SEED = Path(__file__).resolve().parents[2] / "mappings" / "trials" / "nct02569463"
HOSPITAL = "https://hospital.example/patient-id"
Resource = dict[str, Any]


@dataclass(frozen=True)
class Seed:
    """A copy of the seed trial whose records a test may change, and somebody who pulls and scores it."""

    trial: Path
    person: Person
    state: Path

    @classmethod
    def copied(cls, folder: Path) -> Seed:
        """Copy the trial into an empty folder."""
        trial = shutil.copytree(SEED, folder / "trials" / SEED.name)
        return cls(trial, Person.at(folder / "home"), folder / "state.sqlite")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in a file exactly once."""
        path = self.trial / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8", newline="")

    def keep(self, name: str, without: str) -> None:
        """Take the lines that start so out of a file."""
        path = self.trial / name
        kept = [
            line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if not line.startswith(without)
        ]
        path.write_text("".join(kept), encoding="utf-8", newline="")

    def runs(self, command: str, *options: str | Path) -> Run:
        """Run a command on this trial."""
        return self.person.runs(command, "--trial", self.trial, "--state", self.state, "--format", "json", *options)

    def pull(self, *resources: Resource) -> Run:
        """Pull a file of these resources."""
        path = self.person.home / "published.ndjson"
        path.write_bytes(b"".join(fhirjson.dumps(one) + b"\n" for one in resources))
        return self.runs("pull", "--file", path)

    def pull_hospital(self) -> Run:
        """Pull what the hospital published first."""
        path = self.person.home / "hospital.ndjson"
        path.write_bytes(
            b"".join((SEED / "hospital" / name).read_bytes() for name in ("patients.ndjson", "results.ndjson"))
        )
        return self.runs("pull", "--file", path)

    def score(self, *options: str) -> Run:
        """Score what is known."""
        return self.runs("score", *options)


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    """A copy of the seed trial."""
    return Seed.copied(tmp_path / "seed")


def patient(name: str = "hp-a417", value: str = "HP0041732", system: str | None = HOSPITAL, **more: Any) -> Resource:
    """A Patient of the hospital; S01's unless said otherwise."""
    identifier = {"value": value} | ({"system": system} if system else {})
    return {"resourceType": "Patient", "id": name, "identifier": [identifier], **more}


def ferritin(name: str, value: str, subject: Resource, **more: Any) -> Resource:
    """A ferritin of the morning of S01's month 1."""
    unit = {"unit": "ng/mL", "system": "http://unitsofmeasure.org", "code": "ng/mL"}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
        "subject": subject,
        "effectiveDateTime": "2015-12-08T06:20:00+08:00",
        "valueQuantity": {"value": Decimal(value), **unit},
        **more,
    }


def scores(run: Run, subject: str) -> dict[str, tuple[int, int]]:
    """The bounds of a subject's scores by window."""
    return {one["window"]: (one["low"], one["high"]) for one in run.report["scores"] if one["subject"] == subject}


def change_of(run: Run, subject: str) -> dict[str, Any]:
    """A subject's change."""
    (found,) = (one for one in run.report["changes"] if one["subject"] == subject)
    return dict(found)


def references(run: Run) -> set[str]:
    """Everything that any score names as evidence."""
    return {
        evidence["reference"]
        for scored in run.report["scores"]
        for item in scored["items"]
        for evidence in item["evidence"]
    }


def codes(issues: list[dict[str, Any]]) -> list[str]:
    """The codes of issues."""
    return [issue["code"] for issue in issues]


MINE = {"reference": "Patient/hp-a417"}


def test_b42_a_visit_with_missing_items_is_a_range(seed: Seed) -> None:
    """S03 without a marrow aspirate: 209 to 244 at baseline, not complete, on the screen too."""
    seed.pull_hospital()
    run = seed.score("--subject", "S03", "--window", "baseline")
    shown = seed.person.runs(
        "explain", "--trial", seed.trial, "--state", seed.state, "--subject", "S03", "--window", "baseline"
    )
    (scored,) = run.report["scores"]
    assert (scored["low"], scored["high"], scored["complete"], scored["status"]) == (209, 244, False, "met")
    assert "209-244 of 337" in shown.out


def test_b43_a_statement_that_was_never_made_is_not_no(seed: Seed) -> None:
    """Without the investigator's answer S03's baseline is open by 18 points, whatever drugs are listed."""
    seed.pull_hospital()
    seed.keep("data/im.csv", without="S03,")
    run = seed.score("--subject", "S03")
    assert scores(run, "S03")["baseline"] == (209, 262)
    assert scores(run, "S03")["month-1"] == (54, 258)


def test_b43_what_is_not_known_of_immunosuppression_cancels_in_the_change(seed: Seed) -> None:
    """It is one status for all visits: the change stays as it was."""
    seed.pull_hospital()
    seed.keep("data/im.csv", without="S03,")
    change = change_of(seed.score("--subject", "S03"), "S03")
    assert (change["low"], change["high"]) == (-190, 31)


def test_b43_an_answer_that_is_neither_yes_nor_no(seed: Seed) -> None:
    """It is set aside, and counts as unknown."""
    seed.pull_hospital()
    seed.change(
        "data/im.csv",
        "S03,IMMUNSUP,Known Underlying Immunosuppression before the Episode,否",
        "S03,IMMUNSUP,Known Underlying Immunosuppression before the Episode,不详",
    )
    run = seed.score("--subject", "S03")
    assert "a bug" not in run.err
    assert scores(run, "S03")["baseline"] == (209, 262)


def test_b43_unknown_immunosuppression_in_python() -> None:
    """In Python, too: None is not False."""
    marrow = [Finding("marrow_hemophagocytosis", True)]
    unknown = hscore([Measurement("ferritin", "7000", "ug/L")], [*marrow, Finding("known_immunosuppression", None)])
    absent = hscore([Measurement("ferritin", "7000", "ug/L")], [*marrow, Finding("known_immunosuppression", False)])
    assert (unknown.low, unknown.high - absent.high) == (85, 18)


@pytest.fixture
def without_baseline(seed: Seed) -> Seed:
    """S01 with nothing recorded before week 1, and no hospital result."""
    for visit in ("1,SCREENING", "2,BASELINE"):
        for name in ("lb", "pe", "mi", "vs"):
            seed.keep(f"data/{name}.csv", without=f"S01,{visit}")
    for day in range(5, 11):
        path = seed.trial / "data" / "vs.csv"
        kept = [
            line
            for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
            if not (line.startswith("S01,") and f",2015-11-{day:02}T" in line)
        ]
        path.write_text("".join(kept), encoding="utf-8", newline="")
    return seed


def test_b45_without_a_baseline_there_is_no_improvement(without_baseline: Seed) -> None:
    """Null, not 0: the subject is listed with no change value."""
    run = without_baseline.score("--subject", "S01")
    change = change_of(run, "S01")
    assert "month-1" in scores(run, "S01")
    assert "baseline" not in scores(run, "S01")
    assert (change["low"], change["high"]) == (None, None)
    assert "improved" not in change["direction"]


def test_b45_without_a_baseline_the_screen_says_none(without_baseline: Seed) -> None:
    """No number stands where there is none."""
    run = without_baseline.person.runs(
        "score",
        "--trial",
        without_baseline.trial,
        "--state",
        without_baseline.state,
        "--subject",
        "S01",
        COLUMNS="200",
        NO_COLOR="1",
    )
    (row,) = (line for line in run.out.splitlines() if "S01" in line and "none" in line)
    assert run.exit_code == 0
    assert not any(character in row for character in "123456789".replace("1", ""))


OTHERS = [
    patient("hp-other", system="https://other-hospital.example/patient-id"),
    patient("hp-other", system=None),
    patient("hp-other", system=f"{HOSPITAL}/"),
    patient("hp-other", system=HOSPITAL.upper()),
    patient("hp-other", value="HP00417320"),
    patient("hp-other", value="hp0041732"),
    patient("hp-other", value=" HP0041732"),
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: json.dumps(other["identifier"][0]))
def test_b46_the_same_number_elsewhere_is_somebody_else(seed: Seed, other: Resource) -> None:
    """System and value are compared, exactly; the stranger's result is counted, and kept nowhere."""
    stranger = ferritin("stranger-1", "99999", {"reference": "Patient/hp-other"})
    run = seed.pull(patient(), other, ferritin("mine-1", "410", MINE), stranger)
    assert codes(run.report["set_aside"]) == ["foreign-result"]
    assert run.report["new"] == 1
    assert references(seed.score("--subject", "S01")) & {"Observation/mine-1", "Observation/stranger-1"} == {
        "Observation/mine-1"
    }
    assert b"stranger-1" not in seed.state.read_bytes()


@pytest.mark.parametrize("system", ["https://other-hospital.example/patient-id", None])
def test_b46_a_result_that_names_its_subject_by_another_systems_number(seed: Seed, system: str | None) -> None:
    """A logical reference counts with its system only."""
    identifier = {"value": "HP0041732"} | ({"system": system} if system else {})
    run = seed.pull(patient(), ferritin("stranger-1", "99999", {"identifier": identifier}))
    assert run.report["new"] == 0
    assert b"stranger-1" not in seed.state.read_bytes()


def test_b46_the_same_id_on_another_server_is_somebody_else(seed: Seed) -> None:
    """An absolute reference to another server is not our hospital's Patient."""
    elsewhere = {"reference": "https://other-hospital.example/fhir/Patient/hp-a417"}
    run = seed.pull(patient(), ferritin("mine-1", "410", MINE), ferritin("stranger-1", "99999", elsewhere))
    assert run.report["new"] == 1
    assert "Observation/stranger-1" not in references(seed.score("--subject", "S01"))


def test_b46_two_servers_of_one_file_are_two_people(person: Person) -> None:
    """Without a trial, too: Patient/1 here and Patient/1 there are never one subject."""
    path = person.home / "two.ndjson"
    both = [
        ferritin(f"f{number}", value, {"reference": f"https://{number}.example/fhir/Patient/1"})
        for number, value in enumerate(("410", "7000"))
    ]
    path.write_bytes(b"".join(fhirjson.dumps(one) + b"\n" for one in both))
    run = person.runs("score", "--input", path, "--format", "json")
    assert sorted((one["low"], one["high"]) for one in run.report["scores"]) == [(0, 287), (50, 337)]


def test_b46_two_systems_of_one_file_are_two_people(person: Person) -> None:
    """The same number of two systems is not one subject."""
    path = person.home / "two.ndjson"
    both = [
        ferritin(f"f{number}", value, {"identifier": {"system": f"https://{number}.example", "value": "1"}})
        for number, value in enumerate(("410", "7000"))
    ]
    path.write_bytes(b"".join(fhirjson.dumps(one) + b"\n" for one in both))
    run = person.runs("score", "--input", path, "--format", "json")
    assert sorted((one["low"], one["high"]) for one in run.report["scores"]) == [(0, 287), (50, 337)]


def test_b46_two_patients_with_the_number_stop_the_subject(seed: Seed) -> None:
    """Nobody guesses which is meant: a person looks, and the others go on."""
    second = {"reference": "Patient/hp-b902"}
    run = seed.pull(
        patient(),
        patient("hp-twin"),
        patient("hp-b902", "HP0039025"),
        ferritin("mine-1", "410", MINE),
        ferritin("hers-1", "690", second, effectiveDateTime="2016-03-01T06:35:00+08:00"),
    )
    assert (run.exit_code, run.report["complete"], run.report["new"]) == (3, False, 1)
    assert "patient-ambiguous" in codes(run.report["why_incomplete"])
    assert "S01" in [item["subject"] for item in run.report["review_items"]]


def test_b46_on_a_server(seed: Seed) -> None:
    """A server is asked for system and value, and what it answers is compared again."""
    other = patient("hp-other", system="https://other-hospital.example/patient-id")
    with running() as base:
        publish(base, patient(), other, ferritin("mine-1", "410", MINE))
        publish(base, ferritin("stranger-1", "99999", {"reference": "Patient/hp-other"}))
        run = seed.runs("pull", "--server", base)
    assert run.report["new"] == 1
    assert b"stranger-1" not in seed.state.read_bytes()


def publish(base: str, *resources: Resource) -> None:
    """Put resources under their ids."""
    for one in resources:
        address = f"{base}/{one['resourceType']}/{one['id']}"
        headers = {"Content-Type": "application/fhir+json"}
        httpx2.put(address, content=fhirjson.dumps(one), headers=headers).raise_for_status()


MERGED = patient(link=[{"other": {"reference": "Patient/hp-new"}, "type": "replaced-by"}], active=False)
SURVIVOR = patient("hp-new", "HP0099999")
SECOND = patient("hp-b902", "HP0039025")
HERS = ferritin("hers-1", "690", {"reference": "Patient/hp-b902"}, effectiveDateTime="2016-03-01T06:35:00+08:00")


def assert_stopped_for_s01_only(run: Run) -> None:
    """The merged subject is left out and named; the other one is pulled."""
    assert (run.exit_code, run.report["complete"]) == (3, False)
    assert codes(run.report["why_incomplete"])[:1] == ["patient-merged"]
    assert "S01" in run.report["why_incomplete"][0]["message"]
    assert run.report["new"] == 1


def test_b47_a_merged_patient_stops_its_subject(seed: Seed) -> None:
    """Results of either Patient are not used, until a person has decided; the other subjects go on."""
    theirs = ferritin("survivor-1", "99999", {"reference": "Patient/hp-new"})
    run = seed.pull(MERGED, SURVIVOR, SECOND, ferritin("mine-1", "88888", MINE), theirs, HERS)
    assert_stopped_for_s01_only(run)
    assert references(seed.score()) & {"Observation/mine-1", "Observation/survivor-1", "Observation/hers-1"} == {
        "Observation/hers-1"
    }


def test_b47_a_merged_patient_on_a_server(seed: Seed) -> None:
    """The same when a server says so."""
    with running() as base:
        publish(base, SURVIVOR, MERGED, SECOND, ferritin("mine-1", "88888", MINE), HERS)
        run = seed.runs("pull", "--server", base)
    merged = [issue for issue in run.report["why_incomplete"] if issue["code"] == "patient-merged"]
    assert (run.exit_code, run.report["complete"], run.report["new"]) == (3, False, 1)
    assert ["S01" in issue["message"] for issue in merged] == [True]


def test_b47_a_merge_after_the_first_pull(seed: Seed) -> None:
    """What was known stays as it was; nothing of the other Patient is joined, and the scores say incomplete."""
    seed.pull(patient(), ferritin("mine-1", "410", MINE))
    run = seed.pull(MERGED, SURVIVOR, ferritin("mine-2", "88888", MINE))
    scored = seed.score("--subject", "S01")
    assert (run.exit_code, run.report["new"], run.report["withdrawn"]) == (3, 0, 0)
    assert "Observation/mine-1" in references(scored)
    assert "Observation/mine-2" not in references(scored)
    assert scored.exit_code == 3


def doses(run: Run) -> dict[str, int]:
    """How many MedicationAdministrations have each status."""
    mapped = [json.loads(line) for line in run.out.splitlines()]
    statuses = [one["status"] for one in mapped if one["resourceType"] == "MedicationAdministration"]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def test_b49_a_dose_that_was_not_given_is_not_counted(seed: Seed) -> None:
    """S03's held dose is `not-done`: 13 of 14, not 14."""
    assert doses(seed.person.runs("map", "--trial", seed.trial, "--out", "-")) == {"completed": 73, "not-done": 1}
    seed.pull_hospital()
    assert change_of(seed.score("--subject", "S03"), "S03")["notes"][-1] == "13 of 14 planned doses given"


def test_b49_a_full_course_with_one_dose_held_is_no_full_course(seed: Seed) -> None:
    """Another one of S01's 14 not given: 13 are."""
    seed.change(
        "data/ec.csv",
        "S01,rhIL-2,Y,100,万IU,注射剂,SUBCUTANEOUS,QOD,,2015-11-24T09:00",
        "S01,rhIL-2,N,,,注射剂,SUBCUTANEOUS,QOD,发热,2015-11-24T09:00",
    )
    assert change_of(seed.score("--subject", "S01"), "S01")["notes"][-1] == "13 of 14 planned doses given"


def test_b49_a_first_dose_that_was_not_given_is_no_first_dose(seed: Seed) -> None:
    """Day 1 is the day of the first dose *given*: records that say otherwise contradict each other, and it is said."""
    seed.change(
        "data/ec.csv",
        "S01,rhIL-2,Y,100,万IU,注射剂,SUBCUTANEOUS,QOD,,2015-11-10T09:00",
        "S01,rhIL-2,N,,,注射剂,SUBCUTANEOUS,QOD,发热,2015-11-10T09:00",
    )
    run = seed.score("--subject", "S01")
    assert "a bug" not in run.err
    assert run.report["issues"] != []
    assert [issue for issue in run.report["issues"] if issue["code"] != "never-pulled"]


def ferritin_of(run: Run, window: str = "month-1") -> dict[str, Any]:
    """The ferritin of S01's score at a visit."""
    (scored,) = (one for one in run.report["scores"] if one["window"] == window)
    (found,) = (one for one in scored["items"] if one["item"] == "ferritin")
    return dict(found)


def test_b35_two_specimens_of_one_time_contradict_each_other(seed: Seed) -> None:
    """From the least to the most points, both recorded, and a person is asked."""
    results = (
        ferritin(name, value, MINE, specimen={"reference": f"Specimen/{name}"})
        for name, value in (("low", "410"), ("high", "7000"))
    )
    pulled = seed.pull(patient(), *results)
    found = ferritin_of(seed.score("--subject", "S01"))
    used = {one["reference"] for one in found["evidence"] if one["used"]}
    assert (found["low"], found["high"], found["state"]) == (0, 50, "conflicting")
    assert used == {"Observation/low", "Observation/high"}
    assert "conflicting" in [one["kind"] for one in pulled.report["review_items"]]


@pytest.mark.parametrize("status", ["amended", "corrected"])
def test_b37_a_correction_gives_another_score_and_the_old_one_can_be_shown(seed: Seed, status: str) -> None:
    """The store keeps both bodies; the score rests on the new one, and names its version."""
    seed.pull(patient(), ferritin("f1", "410", MINE, meta={"versionId": "1"}))
    before = ferritin_of(seed.score("--subject", "S01"))
    pulled = seed.pull(patient(), ferritin("f1", "7000", MINE, status=status, meta={"versionId": "2"}))
    after = ferritin_of(seed.score("--subject", "S01"))
    (old,), (new,) = ([one for one in each["evidence"] if one["used"]] for each in (before, after))
    with open_store(seed.state, writer=False) as store:
        kept = [one.version for one in ResultStore(store, SEED.name).versions("Observation/f1")]
    assert (before["low"], after["low"], pulled.report["changed"]) == (0, 50, 1)
    assert ((old["value"], old["version"]), (new["value"], new["version"])) == (("410", "1"), ("7000", "2"))
    assert kept == ["1", "2"]
    assert old["sha256"] != new["sha256"]


def test_b37_a_correction_that_takes_it_back_leaves_no_value(seed: Seed) -> None:
    """Entered in error: no evidence rests on it any more, and it is said."""
    seed.pull(patient(), ferritin("f1", "7000", MINE))
    pulled = seed.pull(patient(), ferritin("f1", "7000", MINE, status="entered-in-error"))
    scored = seed.score("--subject", "S01")
    assert (pulled.report["withdrawn"], "Observation/f1" in references(scored)) == (1, False)
    assert "result-status" in codes(scored.report["issues"])


def there(base: str, path: str) -> Resource:
    """What a server answers."""
    found: Resource = httpx2.get(f"{base}/{path}").raise_for_status().json()
    return found


def provenances(base: str) -> list[Resource]:
    """Everything that a server says about how its resources came about, the first first."""
    found = [entry["resource"] for entry in there(base, "Provenance")["entry"]]
    return sorted(found, key=lambda one: str(one["recorded"]))


def pull_and_push(seed: Seed, base: str) -> Any:
    """Pull from a server, and send S01's score of month 1 back to it; what the push planned."""
    seed.runs("pull", "--server", base)
    run = seed.score("--subject", "S01", "--window", "month-1", "--push", "--server", base)
    return {kind: count for kind, count in run.report["push"]["plan"].items() if count}


@pytest.mark.parametrize("status", ["amended", "corrected"])
def test_b37_a_pushed_score_gets_a_new_version_that_says_why(seed: Seed, status: str) -> None:
    """Pushed, its source corrected, pulled, pushed: version 2 of the same score, and version 1 stays as it was."""
    with running() as base:
        publish(base, patient(), ferritin("f1", "410", MINE))
        plans = [pull_and_push(seed, base), pull_and_push(seed, base)]
        name = provenances(base)[0]["target"][0]["reference"]
        first = there(base, name)
        publish(base, ferritin("f1", "7000", MINE, status=status))
        plans.append(pull_and_push(seed, base))
        second, kept, (created, revised) = there(base, name), there(base, f"{name}/_history/1"), provenances(base)
    assert plans == [{"create": 1}, {"unchanged": 1}, {"update": 1}]
    assert (kept, first["status"]) == (first, "final")
    assert (second["meta"]["versionId"], second["status"]) == ("2", "corrected")
    assert "reason" not in created
    assert revised["reason"][0]["text"].startswith("Observation/f1 changed from sha-256 ")
    assert {"role": "revision", "what": {"reference": f"{name}/_history/1"}} in revised["entity"]


def test_b38_a_result_sent_again_under_another_id(seed: Seed) -> None:
    """One business identifier: one result; without it a person is told by a flag."""
    number = [{"system": "https://hospital.example/lab-result", "value": "N1"}]
    again = (ferritin(name, "7000", MINE, identifier=number) for name in ("f1", "f1-again"))
    pulled = seed.pull(patient(), *again)
    assert (pulled.report["fetched"], pulled.report["measurements"]) == (2, 1)
    assert codes(pulled.report["set_aside"]) == ["resent"]

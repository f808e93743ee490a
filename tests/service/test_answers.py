"""What does a user of the service get? The scores of what was pulled, as it is now, and nothing of anybody else."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fhir_adapter.service import create_app
from fhir_adapter.settings import Settings
from tests.service.served import FHIR_JSON, SEED, bounds_of, bundle_of, calling, copied, observations, pull, serve
from tests.stories.commands import Person

SCORE = "/fhir/Patient/hp-a417/$hscore"
SENT = "/fhir/Observation/$hscore"
LOOKS_AT_FOLDER = 1.5
"""Longer than the second for which the service trusts what it read of the trial's folder (decision 6)."""
WINDOWS = ("screening", "baseline", "week-1", "week-2", "week-3", "month-1")


@pytest.fixture(scope="module")
def steady(pulled: Path) -> Iterator[httpx2.Client]:
    """A client of a service whose data no test changes."""
    with calling(create_app(Settings(defaults={"trial": "nct02569463", "state": str(pulled)}))) as opened:
        yield opened


def parameters(**several: Any) -> dict[str, Any]:
    """Parameters by the name of each value's type and its name: `string_window="all"`."""
    named = [(*name.split("_", 1), value) for name, value in several.items()]
    listed = [{"name": name, f"value{kind.capitalize()}": value} for kind, name, value in named]
    return {"resourceType": "Parameters", "parameter": listed}


def sent_with(*results: dict[str, Any], **several: Any) -> dict[str, Any]:
    """Parameters with these Observations, and more."""
    asked = parameters(**several)
    asked["parameter"] += [{"name": "observation", "resource": one} for one in results]
    return asked


def outcome(answer: httpx2.Response) -> tuple[int, str, str]:
    """The status, the type of the resource, and what it says."""
    body = answer.json()
    return answer.status_code, body["resourceType"], body["issue"][0]["diagnostics"]


# The data change


def test_a_correction_is_in_the_next_answer(client: httpx2.Client, state: Path, person: Person) -> None:
    """Another process pulls the hospital's corrections into the same state: the next call knows them."""
    before = bounds_of(client.get(SCORE).json())
    pull(person, state, "later")
    after = bounds_of(client.get(SCORE).json())
    assert (before["screening"], after["screening"]) == ((287, 302), (302, 302))
    assert (before["month-1"], after["month-1"]) == ((18, 53), (62, 97))
    assert before["baseline"] == after["baseline"]


def test_a_correction_is_on_the_next_page(client: httpx2.Client, state: Path, person: Person) -> None:
    """The report, too."""
    before = client.get("/report").text
    pull(person, state, "later")
    assert client.get("/report").text != before


def test_a_correction_in_every_form_of_the_call(client: httpx2.Client, state: Path, person: Person) -> None:
    """One window by GET and by POST, asked before and after: none is remembered too long."""
    asked = parameters(string_window="screening")
    before = [client.get(SCORE, params={"window": "screening"}), client.post(SCORE, json=asked)]
    pull(person, state, "later")
    after = [client.get(SCORE, params={"window": "screening"}), client.post(SCORE, json=asked)]
    assert [bounds_of(one.json())["screening"] for one in before] == [(287, 302)] * 2
    assert [bounds_of(one.json())["screening"] for one in after] == [(302, 302)] * 2


def test_a_state_put_back_in_its_place(client: httpx2.Client, state: Path, person: Person, pulled: Path) -> None:
    """Somebody restores an older copy of the state under the same name: the answers are those of the copy."""
    before = client.get(SCORE).content
    pull(person, state, "later")
    assert client.get(SCORE).content != before
    for left in state.parent.glob(f"{state.name}*"):
        left.unlink()
    copied(pulled, state.parent)
    assert client.get(SCORE).content == before


def test_a_patient_who_was_not_there_yet(person: Person, tmp_path: Path) -> None:
    """A service that began without any data finds them when they come."""
    state = tmp_path / "later.sqlite"
    with calling(create_app(Settings(defaults={"trial": "nct02569463", "state": str(state)}))) as client:
        early = client.get(SCORE)
        pull(person, state, "patients", "results")
        assert early.status_code in {404, 503}
        assert client.get(SCORE).status_code == 200


@pytest.mark.parametrize("path", [SCORE, f"{SCORE}?evidence=true", "/report", "/", "/fhir/metadata", "/openapi.json"])
def test_nothing_changed_is_the_same_bytes(steady: httpx2.Client, path: str) -> None:
    """Asked again, the answer is the same to the last byte."""
    assert steady.get(path).content == steady.get(path).content


def test_another_process_gives_the_same_bytes(steady: httpx2.Client, state: Path, person: Person) -> None:
    """In another process, time zone and order of hashing as well."""
    arguments = ("--trial", SEED, "--state", state)
    paths = (SCORE, f"{SCORE}?evidence=true", "/report")
    with serve(person, *arguments, TZ="America/New_York", PYTHONHASHSEED="7") as service:
        elsewhere = [httpx2.get(f"{service.base}{path}", timeout=30).content for path in paths]
    assert elsewhere == [steady.get(path).content for path in paths]


def test_get_and_post_are_the_same_bytes(steady: httpx2.Client) -> None:
    """What a query says and what Parameters say."""
    got = steady.get(SCORE, params={"window": "week-1", "cutoff": "100", "evidence": "true"})
    posted = steady.post(SCORE, json=parameters(string_window="week-1", integer_cutoff=100, boolean_evidence=True))
    assert got.status_code == 200
    assert got.content == posted.content


def test_a_post_without_content_is_as_a_get(steady: httpx2.Client) -> None:
    """Nobody has to send empty Parameters; whoever does gets the same."""
    answers = [steady.get(SCORE), steady.post(SCORE), steady.post(SCORE, json={"resourceType": "Parameters"})]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1


# What is asked for


def test_every_window(steady: httpx2.Client) -> None:
    """Without a window: all visits of the trial, in their order."""
    assert tuple(bounds_of(steady.get(SCORE).json())) == WINDOWS


@pytest.mark.parametrize("window", WINDOWS)
def test_one_window(steady: httpx2.Client, window: str) -> None:
    """With one: that visit only, as it stands among all."""
    assert bounds_of(steady.get(SCORE, params={"window": window}).json()) == {
        window: bounds_of(steady.get(SCORE).json())[window]
    }


@pytest.mark.parametrize("ask", ["get", "post"])
def test_a_window_that_the_trial_does_not_have(steady: httpx2.Client, ask: str) -> None:
    """422, with the windows it has; what was asked for is not repeated."""
    wrong = "week-9-canary"
    asked = {"get": {"params": {"window": wrong}}, "post": {"json": parameters(string_window=wrong)}}[ask]
    status, kind, told = outcome(steady.request(ask.upper(), SCORE, **asked))  # type: ignore[arg-type]
    assert (status, kind) == (422, "OperationOutcome")
    assert [window for window in WINDOWS if window not in told] == []
    assert "canary" not in told


def interpretation(answer: httpx2.Response) -> str:
    """What the one score is called."""
    (entry,) = (one["resource"] for one in answer.json()["entry"] if one["resource"]["resourceType"] == "Observation")
    text: str = entry["interpretation"][0]["text"]
    return text


def test_the_cutoff_changes_what_a_score_is_called(steady: httpx2.Client) -> None:
    """302 points: at or above 302, below 303; the points stay."""
    answers = {cutoff: steady.get(SCORE, params={"window": "baseline", "cutoff": cutoff}) for cutoff in (302, 303)}
    assert {cutoff: interpretation(one) for cutoff, one in answers.items()} == {
        302: "at or above 302",
        303: "below 303",
    }
    assert [bounds_of(one.json()) for one in answers.values()] == [{"baseline": (302, 302)}] * 2


@pytest.mark.parametrize("cutoff", ["0", "337"])
def test_the_least_and_the_largest_cutoff(steady: httpx2.Client, cutoff: str) -> None:
    """Both ends of the score."""
    assert steady.get(SCORE, params={"cutoff": cutoff}).status_code == 200


@pytest.mark.parametrize("cutoff", ["338", "400", "-1", "99999999999999999999999"])
def test_a_cutoff_that_no_score_can_reach(steady: httpx2.Client, cutoff: str) -> None:
    """An integer outside the score: 400 or 422."""
    status, kind, told = outcome(steady.get(SCORE, params={"cutoff": cutoff}))
    assert status in {400, 422}
    assert (kind, "cutoff" in told) == ("OperationOutcome", True)


@pytest.mark.parametrize(
    "cutoff", ["", "x", "169.0", "1e2", "0x10", " 169", "\uff11\uff16\uff19", "169,5", "true", "1_6_9", "+169"]
)
def test_a_cutoff_that_is_no_integer(steady: httpx2.Client, cutoff: str) -> None:
    """FHIR's integer only: 400, and it is not repeated."""
    answer = steady.get(SCORE, params={"cutoff": cutoff})
    status, kind, told = outcome(answer)
    assert (status, kind, "cutoff" in told) == (400, "OperationOutcome", True)


@pytest.mark.parametrize("value", [169.5, "169", True, None, [169], {"value": 169}])
def test_a_cutoff_of_another_type(steady: httpx2.Client, value: Any) -> None:
    """In Parameters, too."""
    status, kind, _ = outcome(steady.post(SCORE, json=parameters(integer_cutoff=value)))
    assert (status, kind) == (400, "OperationOutcome")


def test_evidence_is_what_was_received(steady: httpx2.Client) -> None:
    """The results that `derivedFrom` names come with the score, as the hospital wrote them; without it none comes."""
    entries = steady.get(SCORE, params={"window": "baseline", "evidence": "true"}).json()["entry"]
    named = {one["reference"] for one in entries[0]["resource"]["derivedFrom"]}
    came = {f"Observation/{entry['resource']['id']}": entry["resource"] for entry in entries[1:]}
    written = {f"Observation/{one['id']}": one for one in observations("hp-a417")}
    assert came == {reference: written[reference] for reference in named} != {}
    plain = steady.get(SCORE, params={"window": "baseline"}).json()["entry"]
    assert [entry["resource"]["code"]["text"] for entry in plain] == ["HScore"]


def test_evidence_keeps_every_digit(client: httpx2.Client, state: Path, person: Person) -> None:
    """A value of 2440.00 comes out as 2440.00."""
    first = next(one for one in observations("hp-a417") if one["id"].endswith("ferr"))
    line = json.dumps(first | {"valueQuantity": first["valueQuantity"] | {"value": "#"}}).replace('"#"', "20451.300")
    (person.home / "digits.ndjson").write_text(f"{line}\n", encoding="utf-8")
    options = ("--trial", SEED, "--state", state, "--file", person.home / "digits.ndjson")
    assert person.runs("pull", *options).exit_code in {0, 3}
    assert '"value":20451.300' in client.get(SCORE, params={"evidence": "true"}).text.replace(" ", "")


@pytest.mark.parametrize("path", [SCORE, f"{SCORE}?window=baseline"])
def test_an_unknown_parameter(steady: httpx2.Client, path: str) -> None:
    """400, with those that exist; nobody believes that a misspelt cut-off was used."""
    separator = "&" if "?" in path else "?"
    status, kind, told = outcome(steady.get(f"{path}{separator}cut-off=120"))
    assert (status, kind) == (400, "OperationOutcome")
    assert [name for name in ("window", "cutoff", "evidence") if name not in told] == []


def test_an_unknown_parameter_in_parameters(steady: httpx2.Client) -> None:
    """There, too, of both forms."""
    patient = outcome(steady.post(SCORE, json=parameters(integer_cuttoff=120)))
    sent = outcome(steady.post(SENT, json=sent_with(*observations("hp-a417", 3), integer_cuttoff=120)))
    assert [one[:2] for one in (patient, sent)] == [(400, "OperationOutcome")] * 2


def test_parameters_in_the_query_of_a_post(steady: httpx2.Client) -> None:
    """They are used or refused, never passed over in silence."""
    answer = steady.post(f"{SCORE}?window=baseline", json={"resourceType": "Parameters"})
    told = bounds_of(answer.json()).keys() if answer.status_code == 200 else {"baseline"}
    assert answer.status_code in {200, 400}
    assert told == {"baseline"}


@pytest.mark.parametrize("kind", ["String", "Code"])
def test_a_cutoff_of_sent_results(steady: httpx2.Client, kind: str) -> None:
    """Results that are sent are compared with the cut-off that is sent."""
    asked = sent_with(*observations("hp-a417", 20), integer_cutoff=10)
    asked["parameter"].append({"name": "window", f"value{kind}": "all"})
    answer = steady.post(SENT, json=asked)
    assert interpretation(answer) == "at or above 10"


def test_evidence_of_sent_results(steady: httpx2.Client) -> None:
    """They come back on demand, by reference and as they were sent."""
    sent = observations("hp-a417", 20)
    entries = steady.post(SENT, json=sent_with(*sent, boolean_evidence=True)).json()["entry"]
    came = [entry["resource"] for entry in entries if entry["resource"].get("id")]
    assert came != []
    assert [one for one in came if one not in sent] == []


def test_sent_results_of_two_subjects(steady: httpx2.Client) -> None:
    """One score for each; nothing of one is in the other's."""
    sent = observations("hp-a417", 20) + observations("hp-b902", 20)
    entries = [entry["resource"] for entry in steady.post(SENT, json=bundle_of(sent)).json()["entry"]]
    whose = {one["id"]: one["subject"]["reference"] for one in sent}
    scores = [one for one in entries if one["resourceType"] == "Observation"]
    assert sorted(one["subject"]["reference"] for one in scores) == ["Patient/hp-a417", "Patient/hp-b902"]
    used = [(one["subject"]["reference"], each["reference"]) for one in scores for each in one["derivedFrom"]]
    assert [pair for pair in used if whose[pair[1].removeprefix("Observation/")] != pair[0]] == []


def test_nothing_that_is_sent_is_kept(steady: httpx2.Client) -> None:
    """A result of a patient of the trial that somebody sends is in no later answer about that patient."""
    before = steady.get(SCORE).content
    absurd = [one | {"valueQuantity": one["valueQuantity"] | {"value": 1}} for one in observations("hp-a417", 10)]
    assert steady.post(SENT, json=sent_with(*absurd)).status_code == 200
    assert steady.get(SCORE).content == before


def test_no_results_at_all(steady: httpx2.Client) -> None:
    """Nothing to score is said: 400 or 422, or a Bundle that says so; never an invented score."""
    answers = [
        steady.post(SENT, json=one) for one in (sent_with(), bundle_of([]), bundle_of([{"resourceType": "Basic"}]))
    ]
    assert [one.status_code for one in answers if one.status_code not in {200, 400, 422}] == []
    assert [one for one in answers if '"hscore-low"' in one.text] == []
    assert [one for one in answers if "OperationOutcome" not in one.text] == []


# What everybody may see


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", SCORE, 200),
        ("POST", SCORE, 200),
        ("GET", "/fhir/Patient/nobody/$hscore", 404),
        ("GET", f"{SCORE}?window=x", 422),
        ("GET", f"{SCORE}?x=x", 400),
        ("DELETE", SCORE, 405),
        ("POST", SENT, 400),
        ("GET", "/report", 200),
        ("GET", "/", 200),
        ("GET", "/metrics", 200),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
        ("GET", "/nowhere", 404),
    ],
)
def test_nothing_is_kept_on_the_way(steady: httpx2.Client, method: str, path: str, status: int) -> None:
    """No browser and no proxy keeps an answer, or guesses what it is."""
    answer = steady.request(method, path)
    assert answer.status_code == status
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/report"])
def test_a_page_runs_nothing(steady: httpx2.Client, path: str) -> None:
    """No script, no other site, no frame."""
    policy = steady.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


def test_figures_name_nobody(steady: httpx2.Client) -> None:
    """After calls of every kind the figures hold no id, subject, window, address or value; they do count."""
    ids = ("hp-a417", "hp-k233", "canary-77", "S01")
    paths = [f"/fhir/Patient/{one}/$hscore" for one in ids] + [f"/fhir/Patient/{one}" for one in ids]
    paths += (
        [f"/{one}" for one in ids] + [f"/fhir/{one}/$validate" for one in ids] + [f"/report?of={one}" for one in ids]
    )
    for path in paths:
        steady.get(path, headers={"User-Agent": "canary-agent", "X-Request-Id": "canary-id"})
        steady.request("CANARY", path)
        steady.post(path, json={"resourceType": "Patient", "id": "canary-77"})
    steady.get(SCORE, params={"window": "week-1"})
    figures = steady.get("/metrics").text
    told = ("hp-", "canary", "CANARY", "S01", "week-1", "127.0.0.1", "nct02569463", "PKUPH")
    assert [word for word in told if word in figures] == []
    assert 'status="404"' in figures
    assert 'status="200"' in figures


def test_figures_do_not_grow_with_what_strangers_ask(steady: httpx2.Client) -> None:
    """Hundred unknown addresses and methods are counted together: nobody can fill the memory."""
    steady.get("/unknown-0")
    steady.request("M0", SCORE)
    before = steady.get("/metrics").text.count("\n")
    for number in range(1, 100):
        steady.get(f"/unknown-{number}")
        steady.get(f"/fhir/Patient/unknown-{number}/$hscore")
        steady.request(f"M{number}", SCORE)
    assert steady.get("/metrics").text.count("\n") <= before + 40


def test_figures_count_every_call(client: httpx2.Client) -> None:
    """Three calls are three more, in the text form that collectors read."""
    for _ in range(3):
        client.get(SCORE)
    answer = client.get("/metrics")
    counted = [line for line in answer.text.splitlines() if "_total{" in line and "$hscore" in line]
    assert answer.headers["content-type"].startswith("text/plain")
    assert [line.rpartition(" ")[2] for line in counted] == ["3.0"]


# Ready or not


def ready(client: httpx2.Client) -> int:
    """The status of readiness."""
    return client.get("/health/ready").status_code


def schema(state: Path, version: str) -> str:
    """Write the version of a state file; gives the one before."""
    connection = sqlite3.connect(state)
    with connection:
        (before,) = connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
        connection.execute("UPDATE about SET value = ? WHERE name = 'schema'", (version,))
    connection.close()
    found: str = before
    return found


def test_a_state_of_a_newer_version(client: httpx2.Client, state: Path) -> None:
    """Not ready, and no score of data that are not understood; ready again when it is put back."""
    assert ready(client) == 200
    before = schema(state, "9999")
    answer = client.get(SCORE)
    assert ready(client) == 503
    assert (answer.status_code, answer.json()["resourceType"]) == (503, "OperationOutcome")
    assert client.get("/report").status_code == 503
    assert client.get("/health/live").status_code == 200
    schema(state, before)
    assert (ready(client), client.get(SCORE).status_code) == (200, 200)


def test_a_state_that_is_no_database(client: httpx2.Client, state: Path) -> None:
    """The same of a file that is something else."""
    whole = client.get(SCORE).content
    kept = state.read_bytes()
    for left in state.parent.glob(f"{state.name}*"):
        left.unlink()
    state.write_bytes(b"nothing of ours\n" * 1000)
    assert (ready(client), client.get(SCORE).status_code) == (503, 503)
    state.write_bytes(kept)
    assert (ready(client), client.get(SCORE).content) == (200, whole)


def test_a_trial_folder_that_is_spoilt_meanwhile(state: Path, tmp_path: Path) -> None:
    """Not ready, with no word of paths; ready again with the same answer when it is mended."""
    folder = tmp_path / "trials" / SEED.name
    shutil.copytree(SEED, folder)
    good = (folder / "trial.yaml").read_text(encoding="utf-8")
    with calling(create_app(Settings(defaults={"trial": str(folder), "state": str(state)}))) as client:
        before = client.get(SCORE)
        (folder / "trial.yaml").write_text("id: [", encoding="utf-8")
        time.sleep(LOOKS_AT_FOLDER)
        broken, health, page = client.get(SCORE), client.get("/health/ready"), client.get("/report")
        (folder / "trial.yaml").write_text(good, encoding="utf-8")
        time.sleep(LOOKS_AT_FOLDER)
        after = client.get(SCORE)
    assert (broken.status_code, health.status_code, page.status_code) == (503, 503, 503)
    assert broken.json()["resourceType"] == "OperationOutcome"
    assert str(tmp_path) not in broken.text + health.text + page.text
    assert (after.status_code, after.content) == (200, before.content)


def test_typed_data_that_change(state: Path, tmp_path: Path) -> None:
    """The site's export is corrected beside the running service: within a second or so the answers know."""
    folder = tmp_path / "trials" / SEED.name
    shutil.copytree(SEED, folder)
    typed = folder / "data" / "vs.csv"
    with calling(create_app(Settings(defaults={"trial": str(folder), "state": str(state)}))) as client:
        before = bounds_of(client.get(SCORE).json())
        lines = typed.read_text(encoding="utf-8").splitlines(keepends=True)
        typed.write_text("".join(line for line in lines if not line.startswith("S01,")), encoding="utf-8")
        time.sleep(LOOKS_AT_FOLDER)
        after = bounds_of(client.get(SCORE).json())
    assert before != after


def test_a_trial_without_any_state(tmp_path: Path) -> None:
    """Before the first pull the service lives, says so without a path, and writes no file."""
    state = tmp_path / "none" / "state.sqlite"
    with calling(create_app(Settings(defaults={"trial": "nct02569463", "state": str(state)}))) as client:
        answers = [client.get(path) for path in (SCORE, "/health/ready", "/report", "/")]
    assert [answer for answer in answers if answer.status_code >= 500 and answer.status_code != 503] == []
    assert [answer for answer in answers if str(tmp_path) in answer.text] == []
    assert not state.parent.exists()


def test_no_trial_at_all(tmp_path: Path) -> None:
    """Without a trial results that are sent are scored; a patient is a 404; it is ready."""
    with calling(create_app(Settings())) as client:
        assert ready(client) == 200
        assert client.post(SENT, json=bundle_of(observations("hp-a417", 20))).status_code == 200
        assert outcome(client.get(SCORE))[:2] == (404, "OperationOutcome")
        assert client.get("/report").status_code == 404
        assert client.get("/").status_code == 200
    assert list(tmp_path.rglob("*.sqlite")) == []


# Only read


def dump(state: Path) -> list[str]:
    """All that stands in a state file."""
    connection = sqlite3.connect(state)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_the_service_writes_nothing(client: httpx2.Client, state: Path) -> None:
    """After calls of every kind the state holds what it held: every table, and the file's own bytes."""
    before, held = state.read_bytes(), dump(state)
    client.get(SCORE, params={"evidence": "true"})
    client.post(SCORE, json=parameters(string_window="baseline"))
    client.post(SENT, json=bundle_of(observations("hp-a417", 20)))
    client.post("/fhir/Observation/$validate", json=observations("hp-a417", 1)[0])
    client.get("/report")
    client.get("/health/ready")
    assert state.read_bytes() == before
    assert dump(state) == held


def test_a_state_that_may_only_be_read(state: Path) -> None:
    """On a read-only place (a container's volume) it scores all the same."""
    state.chmod(0o400)
    state.parent.chmod(0o500)
    try:
        with calling(create_app(Settings(defaults={"trial": "nct02569463", "state": str(state)}))) as client:
            assert (ready(client), client.get(SCORE).status_code) == (200, 200)
    finally:
        state.parent.chmod(0o700)


def test_while_another_process_writes(client: httpx2.Client, state: Path) -> None:
    """A writer that has begun and not ended does not keep readers waiting, and is not seen."""
    before = client.get(SCORE).content
    writer = sqlite3.connect(state, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM received")
    assert client.get(SCORE, timeout=30).content == before
    writer.execute("ROLLBACK")
    writer.close()
    assert client.get(SCORE).content == before


def test_no_hospital_server_is_needed(person: Person, state: Path) -> None:
    """No server is configured, and a proxy that leads nowhere changes nothing: it never asks the hospital."""
    nowhere = "http://127.0.0.1:9"
    variables = {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere}
    with (
        serve(person, "--trial", SEED, "--state", state, **variables) as service,
        httpx2.Client(trust_env=False) as one,
    ):
        answer = one.get(f"{service.base}{SCORE}", timeout=30)
    assert bounds_of(answer.json())["baseline"] == (302, 302)


# Content of other kinds


@pytest.mark.parametrize("accept", ["application/fhir+xml", "text/turtle", "application/pdf"])
def test_another_media_type_is_wanted(steady: httpx2.Client, accept: str) -> None:
    """406, as an OperationOutcome."""
    answer = steady.get(SCORE, headers={"Accept": accept})
    assert (answer.status_code, answer.json()["resourceType"]) == (406, "OperationOutcome")


@pytest.mark.parametrize("query", ["_format=json", "_format=application/fhir%2Bjson", "_format=application/fhir+json"])
def test_the_format_in_the_query(steady: httpx2.Client, query: str) -> None:
    """As FHIR says it may be given."""
    assert steady.get(f"{SCORE}?{query}").content == steady.get(SCORE).content


def test_several_media_types_are_taken(steady: httpx2.Client) -> None:
    """A browser's list with `*/*` at its end, and weights."""
    weights = {"Accept": "text/html,application/fhir+json;fhirVersion=4.0;q=0.9,*/*;q=0.1"}
    assert steady.get(SCORE, headers=weights).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fhir/Patient/hp-a417%2f..%2fhp-b902/$hscore", 400),
        ("/fhir/Patient/..%2fhp-a417/$hscore", 400),
        ("/fhir/Patient/hp-a417%00/$hscore", 400),
        ("/fhir/Patient/hp-a417%0d%0aX: 1/$hscore", 400),
        ("/fhir/Patient/hp-a417;x=1/$hscore", 400),
        ("/fhir/Patient/hp_a417/$hscore", 400),
        (f"/fhir/Patient/{'a' * 65}/$hscore", 400),
        ("/fhir/Patient/%E6%B5%8B/$hscore", 400),
        (f"/fhir/Patient/{'a' * 64}/$hscore", 404),
        ("/fhir/Patient/HP-A417/$hscore", 404),
    ],
)
def test_an_id_that_is_none(steady: httpx2.Client, path: str, status: int) -> None:
    """What cannot be an id is refused; what could be one is of nobody. Neither is repeated."""
    answer = steady.get(path)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert "a417" not in answer.text.lower()


def test_the_longest_content_that_is_taken(steady: httpx2.Client) -> None:
    """One byte more than the limit: 413, as an OperationOutcome."""
    content = b" " * (16 * 1024 * 1024) + b"{}"
    answer = steady.post(SENT, content=content, headers=FHIR_JSON)
    assert (answer.status_code, answer.json()["resourceType"]) == (413, "OperationOutcome")

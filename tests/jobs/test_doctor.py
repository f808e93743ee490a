"""doctor: what it finds on a healthy set-up, on each kind of sick one, and what it says should be done."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import respx

from fhir_adapter.jobs.doctor import Check, DoctorOptions, DoctorReport, examine, read_configuration
from fhir_adapter.jobs.doctor.checks import Notes
from fhir_adapter.jobs.doctor.machine import USES, judge_room, look_at_packages
from fhir_adapter.serving.listening import listening
from fhir_adapter.store import open_store
from tests.bad_input.small_trial import SmallTrial
from tests.conftest import BASE
from tests.stories.commands import COMMAND, Person, surroundings
from tests.stories.sandbox import running

pytestmark = pytest.mark.measured_runs

ROOT = Path(__file__).parents[2]
SEED = "nct02569463"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SERVER = f"servers:\n  research:\n    base: {BASE}\n    test: true\n"
TYPES = (
    *("AdverseEvent", "Device", "Encounter", "Group", "Location", "Medication", "MedicationAdministration"),
    *("Observation", "Organization", "Patient", "Provenance", "ResearchStudy", "ResearchSubject"),
)


@pytest.fixture
def river(tmp_path: Path) -> SmallTrial:
    """A copy of the made-up trial."""
    return SmallTrial.copied(tmp_path / "river")


def capabilities(*, without: str = "", lacking: str = "", **more: Any) -> dict[str, Any]:
    """What a server states that can do everything, but for a type or a search parameter left out."""
    names = [name for name in ("identifier", "patient", "date", "code") if name != lacking]
    resources = [
        {
            "type": kind,
            "interaction": [{"code": "update"}],
            "updateCreate": True,
            "searchParam": [{"name": name} for name in names],
        }
        for kind in TYPES
        if kind != without
    ]
    rest = {"mode": "server", "resource": resources, "interaction": [{"code": "transaction"}]}
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [rest], **more}


def answering(fhir_mock: respx.MockRouter, stated: dict[str, Any], skew: timedelta = timedelta(0)) -> None:
    """The server states this, by a clock that is behind ours by so much, and finds nobody."""
    headers = {"Date": format_datetime(NOW - skew, usegmt=True)}
    fhir_mock.get("/metadata").respond(json=stated, headers=headers)
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    fhir_mock.post(path__regex="/_search$").respond(json=empty, headers=headers)


def doctor(tmp_path: Path, text: str = SERVER, **options: Any) -> DoctorReport:
    """Examine a set-up with a configuration of this text."""
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return examine(read_configuration(path), DoctorOptions(**options), now=lambda: NOW)


def of(report: DoctorReport, name: str, about: str | None = None) -> Check:
    """The one check of that id."""
    (found,) = [one for one in report.checks if one.id == name and about in (None, one.about)]
    return found


def statuses(report: DoctorReport, *names: str) -> dict[str, str]:
    """How checks ended, by id."""
    return {one.id: one.status for one in report.checks if one.id in names}


def not_passed(report: DoctorReport) -> set[str]:
    """The ids of everything that did not pass."""
    return {one.id for one in report.checks if one.status != "pass"}


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with what stands in it."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- a healthy set-up


def test_a_healthy_set_up_passes_everything(tmp_path: Path) -> None:
    """The seed trial and an empty sandbox: nothing to be done but what was not asked for."""
    with running() as base:
        report = examine(read_configuration(None), DoctorOptions(SEED, base, state=str(tmp_path / "state.sqlite")))
    assert report.ok
    assert not_passed(report) == {"service"}


def test_doctor_writes_nothing(river: SmallTrial) -> None:
    """Neither the state file nor a folder for it is made."""
    before = files(river.folder)
    with running() as base:
        examine(read_configuration(None), DoctorOptions(str(river.trial), base, state=f"{river.folder}/new/x.sqlite"))
    assert files(river.folder) == before
    assert not (river.folder / "new").exists()


def test_every_finding_says_what_to_do(tmp_path: Path, river: SmallTrial) -> None:
    """Warnings and failures alike, on a set-up where much is wrong."""
    text = f"servers:\n  research:\n    base: {BASE}\n    role: read\n    auth: {{token_file: nowhere}}\n"
    report = doctor(tmp_path, text, trial=str(river.trial), server="research", state="postgresql://x/y")
    wrong = [one for one in report.checks if one.status in ("warning", "fail")]
    assert {"token", "state", "trial-scores", "trial-hospital"} <= {one.id for one in wrong}
    assert [one.id for one in wrong if not one.do] == []


def test_nothing_named_is_nothing_failed() -> None:
    """What is not named is skipped."""
    report = examine(read_configuration(None), DoctorOptions())
    assert report.ok
    assert not_passed(report) == {"trial", "state", "server", "service"}


# -- machine


def test_a_missing_package_is_named_with_what_needs_it() -> None:
    """And how to get it; those that are there are not told one by one."""
    notes = Notes()
    look_at_packages(notes, ["orjson", "made-up-package-7"])
    (found,) = notes.checks
    assert (found.status, found.about, found.do[:24]) == ("fail", "made-up-package-7", "python -m pip install ma")
    assert "every command" in found.found


def test_every_run_time_package_says_which_commands_need_it() -> None:
    """A package that pyproject.toml names stands in the table of doctor."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (part,) = re.findall(r"^dependencies = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    named = re.findall(r'^ +"([A-Za-z0-9.-]+)', part, re.MULTILINE)
    assert {name.replace(".", "-") for name in named} == set(USES)


@pytest.mark.parametrize(
    ("megabytes", "status"), [(99, "fail"), (100, "warning"), (999, "warning"), (1000, "pass"), (90_000, "pass")]
)
def test_room_on_the_disk(megabytes: int, status: str) -> None:
    """Less than 100 MB will not do; less than 1 GB is worth a warning."""
    notes = Notes()
    judge_room(notes, megabytes * 1000 * 1000, Path("/made-up"))
    assert [one.status for one in notes.checks] == [status]


# -- configuration


def test_h126_a_wrong_configuration_is_one_finding_with_its_line(tmp_path: Path, river: SmallTrial) -> None:
    """The trial is looked at all the same; the server that the configuration would name is not."""
    report = doctor(tmp_path, "servers:\n  research:\n    bse: https://x\n", trial=str(river.trial), server="research")
    assert of(report, "configuration").status == "fail"
    assert f"{tmp_path / 'config.yaml'}:3" in of(report, "configuration").found
    assert statuses(report, "trial", "server") == {"trial": "pass", "server": "skipped"}
    assert report.matters == {"set-up"}


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    """Named, but missing."""
    report = examine(read_configuration(tmp_path / "nowhere.yaml"), DoctorOptions())
    assert of(report, "configuration").status == "fail"
    assert "nowhere.yaml is not there" in of(report, "configuration").found


def test_h126_the_environment_beats_the_file_and_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of two places is read."""
    (tmp_path / "token.txt").write_text("canary-file")
    monkeypatch.setenv("FHIR_ADAPTER_RESEARCH_TOKEN", "canary-environment")
    found = of(doctor(tmp_path, SERVER + "    auth: {token_file: token.txt}\n"), "token")
    assert found.status == "pass"
    assert found.found == (
        "read from the environment variable FHIR_ADAPTER_RESEARCH_TOKEN, which stands before token_file of the "
        "configuration"
    )


def test_h126_a_secret_stated_twice_is_a_finding(tmp_path: Path) -> None:
    """With its line, and without the secret."""
    found = of(doctor(tmp_path, SERVER + "    auth: {token: canary, token_file: t}\n"), "token")
    assert (found.status, found.do) == ("fail", "keep one of token and token_file")
    assert "config.yaml:5" in found.found
    assert "canary" not in found.found


def test_a_variable_that_is_not_set_is_a_finding(tmp_path: Path) -> None:
    """It is named."""
    found = of(doctor(tmp_path, SERVER + "    auth: {token_environment: NOT_SET}\n"), "token")
    assert (found.status, "NOT_SET is not set" in found.found) == ("fail", True)


def test_a_ca_bundle_must_hold_certificates(tmp_path: Path) -> None:
    """A file of something else is found out before the first connection."""
    (tmp_path / "ca.pem").write_text("made up")
    found = of(doctor(tmp_path, SERVER + "    ca_bundle: ca.pem\n"), "ca-bundle")
    assert (found.status, found.found) == ("fail", "ca.pem holds no certificates that can be read")


def test_a_ca_bundle_that_is_not_there(tmp_path: Path) -> None:
    """Missing, and named."""
    found = of(doctor(tmp_path, SERVER + "    ca_bundle: ca.pem\n"), "ca-bundle")
    assert (found.status, found.found) == ("fail", "the file ca.pem is not there")


# -- trial


def test_a_trial_that_is_not_there(tmp_path: Path) -> None:
    """The state of no trial is looked for either."""
    report = examine(read_configuration(None), DoctorOptions(str(tmp_path / "nowhere")))
    assert statuses(report, "trial", "state") == {"trial": "fail", "state": "skipped"}


def test_rows_that_cannot_be_used_are_counted_not_shown(river: SmallTrial) -> None:
    """A warning with codes; the row's values stay where they are."""
    river.add("events.csv", "S01,canary,canary-term,canary,canary,canary-date,")
    found = of(examine(read_configuration(None), DoctorOptions(str(river.trial))), "trial-sources")
    assert found.status == "warning"
    assert "1 " in found.found
    assert "canary" not in found.found


def test_columns_that_nobody_decided_about_are_counted(river: SmallTrial) -> None:
    """They are not named: in a file without a head line they would be values."""
    river.replace("sources.yaml", ", OUTCOME: outcome", "")
    found = of(examine(read_configuration(None), DoctorOptions(str(river.trial))), "trial-columns")
    assert (found.status, "1 in events.csv" in found.found) == ("warning", True)


def test_an_export_without_a_mapped_column_shows_no_head(river: SmallTrial) -> None:
    """The key of the mapping is told, not what the file has instead."""
    path = river.file("events.csv")
    path.write_text(path.read_text(encoding="utf-8").replace("OUTCOME", "canary"), encoding="utf-8")
    report = examine(read_configuration(None), DoctorOptions(str(river.trial)))
    found = of(report, "trial-sources")
    assert found.status == "fail"
    assert report.matters == {"set-up"}
    assert "sources.events.columns.OUTCOME [missing-column]" in found.found
    assert "canary" not in found.found


def test_a_source_folder_that_is_not_there(river: SmallTrial) -> None:
    """Named with --source."""
    options = DoctorOptions(str(river.trial), source=river.folder / "nowhere")
    assert of(examine(read_configuration(None), options), "trial-sources").status == "fail"


def test_sections_that_only_some_commands_need(river: SmallTrial) -> None:
    """Their absence is a warning that names the commands."""
    report = examine(read_configuration(None), DoctorOptions(str(river.trial)))
    assert statuses(report, "trial-scores", "trial-hospital") == {
        "trial-scores": "warning",
        "trial-hospital": "warning",
    }
    assert "pull" in of(report, "trial-hospital").do


# -- state


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file of this version."""
    place = tmp_path / "state" / "x.sqlite"
    open_store(place, writer=True).__exit__(None, None, None)
    return place


def look(state: Path) -> DoctorReport:
    """Examine this state."""
    return examine(read_configuration(None), DoctorOptions(state=str(state)))


def version(place: Path, number: str) -> None:
    """Say that the file is of another version."""
    connection = sqlite3.connect(place)
    connection.execute("UPDATE about SET value = ? WHERE name = 'schema'", [number])
    connection.commit()
    connection.close()


def test_a_state_that_is_there_is_opened_and_left_alone(state: Path) -> None:
    """Not a byte of it changes, and no file is put beside it."""
    before = files(state.parent)
    assert of(look(state), "state").found == "opens; version 2"
    assert files(state.parent) == before


def test_a_state_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """The folder that would hold it can be written, so the first run will make it."""
    report = look(tmp_path / "a" / "b" / "x.sqlite")
    assert (of(report, "state").status, of(report, "state").found) == ("pass", "will be made at the first run")
    assert not (tmp_path / "a").exists()


def test_h121_a_state_of_a_newer_version(state: Path) -> None:
    """Only the newer program can use it."""
    version(state, "99")
    report = look(state)
    assert of(report, "state").status == "fail"
    assert report.matters == {"surroundings"}
    assert of(report, "state").found == "has version 99; this program knows 2"


def test_h121_a_state_of_an_older_version(state: Path) -> None:
    """It will be upgraded by the next run, not by doctor."""
    version(state, "1")
    before = state.read_bytes()
    assert of(look(state), "state").found == "opens; version 1 will be upgraded to 2, with a backup beside it"
    assert state.read_bytes() == before


def test_a_state_that_another_run_is_writing(state: Path) -> None:
    """A warning as long as it does."""
    with open_store(state, writer=True):
        busy = look(state)
    assert (of(busy, "state-free").status, busy.ok) == ("warning", True)
    assert "state-free" not in {one.id for one in look(state).checks}


def test_looking_lets_another_run_begin(state: Path) -> None:
    """The lock is not taken by looking at it."""
    look(state)
    with open_store(state, writer=True) as store:
        assert store.place == str(state)


@pytest.mark.parametrize("content", [b"no database at all, " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_state_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """It is left as it is."""
    place = tmp_path / "x.sqlite"
    place.write_bytes(content)
    assert of(look(place), "state").status == "fail"
    assert place.read_bytes() == content


def test_a_state_whose_first_run_was_killed(tmp_path: Path) -> None:
    """Empty, and as good as new."""
    (tmp_path / "x.sqlite").touch(0o600)
    assert of(look(tmp_path / "x.sqlite"), "state").found == "opens; it is empty"


def test_a_state_of_another_program(tmp_path: Path) -> None:
    """A database, but with tables that we never made."""
    connection = sqlite3.connect(tmp_path / "x.sqlite")
    connection.execute("CREATE TABLE birds (name TEXT)")
    connection.close()
    found = of(look(tmp_path / "x.sqlite"), "state")
    assert (found.status, "no database of this program" in found.found) == ("fail", True)


def test_a_state_below_a_file(tmp_path: Path) -> None:
    """A file is no folder."""
    (tmp_path / "file").write_text("x")
    found = of(look(tmp_path / "file" / "x.sqlite"), "state")
    assert (found.status, found.found) == ("fail", "file is no folder, so nothing can be kept below it")


def test_a_state_that_is_a_pipe(tmp_path: Path) -> None:
    """It is not opened, which would wait for ever."""
    os.mkfifo(tmp_path / "x.sqlite")
    assert of(look(tmp_path / "x.sqlite"), "state").found == "is no regular file"


def test_h119_a_state_that_is_read_only(state: Path) -> None:
    """A warning for an account that may overrule modes, a failure for any other."""
    state.chmod(0o444)
    found = [one for one in look(state).checks if one.id.startswith("state") and one.status != "pass"]
    assert len(found) == 1


def test_a_state_whose_version_is_no_number(state: Path) -> None:
    """Somebody edited it."""
    version(state, "two")
    assert of(look(state), "state").status == "fail"


# -- server


def test_a_server_that_can_do_everything(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """What the seed trial needs is declared."""
    answering(fhir_mock, capabilities())
    report = doctor(tmp_path, trial=SEED, server="research")
    assert report.ok
    assert not_passed(report) == {"token", "service"}


def test_a_server_of_another_fhir_version(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """Refused, as a push would refuse it; what else there is to see is looked at."""
    answering(fhir_mock, capabilities(fhirVersion="5.0.0"))
    report = doctor(tmp_path, trial=SEED, server="research")
    assert of(report, "server-fhir-version").status == "fail"
    assert "5.0.0" in of(report, "server-fhir-version").found
    assert report.matters == {"refused"}
    assert of(report, "server-push").status == "pass"


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_lets_nobody_in(tmp_path: Path, fhir_mock: respx.MockRouter, status: int) -> None:
    """Said as such, and the clock is looked at: skew is one reason for it."""
    date = {"Date": format_datetime(NOW - timedelta(minutes=10), usegmt=True)}
    fhir_mock.get("/metadata").respond(status, headers=date)
    report = doctor(tmp_path, server="research")
    assert str(status) in of(report, "server-token").found
    assert "renew the token" in of(report, "server-token").do
    assert statuses(report, "server-token", "server-clock") == {"server-token": "fail", "server-clock": "fail"}
    assert report.matters == {"surroundings"}


def test_a_token_that_opens_only_the_metadata(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """/metadata is open to all, so a search tells."""
    fhir_mock.get("/metadata").respond(json=capabilities())
    fhir_mock.post("/Patient/_search").respond(401)
    report = doctor(tmp_path, trial=SEED, server="research")
    assert statuses(report, "server-reachable", "server-token") == {"server-reachable": "pass", "server-token": "fail"}


def test_no_subject_is_asked_for(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """The one search names an identifier that nobody has."""
    answering(fhir_mock, capabilities())
    doctor(tmp_path, trial=SEED, server="research")
    sent = [call.request.content.decode() for call in fhir_mock.calls if call.request.method == "POST"]
    assert sent == ["identifier=https%3A%2F%2Fw3id.org%2Ffhir-adapter%2Fdoctor%7Cnobody"]


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "pass"), (60, "pass"), (-61, "warning"), (300, "warning"), (301, "fail"), (-600, "fail")],
)
def test_f101_clocks_that_differ(tmp_path: Path, fhir_mock: respx.MockRouter, seconds: int, status: str) -> None:
    """More than a minute is worth a warning; with more than five, tokens are refused."""
    answering(fhir_mock, capabilities(), timedelta(seconds=seconds))
    assert of(doctor(tmp_path, server="research"), "server-clock").status == status


def test_a_server_that_does_not_tell_its_time(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """Nothing to compare with."""
    fhir_mock.get("/metadata").respond(401)
    assert of(doctor(tmp_path, server="research"), "server-clock").status == "skipped"


def test_a_server_without_transactions(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """It cannot be written to."""
    answering(fhir_mock, capabilities(rest=[{"mode": "server"}]))
    report = doctor(tmp_path, trial=SEED, server="research")
    assert of(report, "server-transaction").status == "fail"
    assert report.matters == {"refused"}


def test_a_resource_type_that_is_not_declared(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """A warning that names it: servers declare less than they can."""
    answering(fhir_mock, capabilities(without="Provenance"))
    found = of(doctor(tmp_path, trial=SEED, server="research"), "server-push")
    assert (found.status, found.found) == ("warning", "not declared: type of Provenance")


def test_a_search_that_is_not_declared(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """A warning that names it."""
    answering(fhir_mock, capabilities(lacking="identifier"))
    found = of(doctor(tmp_path, trial=SEED, server="research"), "server-pull")
    assert (found.status, found.found) == ("warning", "searches not declared: Patient by identifier")


def test_a_server_that_drops_the_identifier_of_a_search(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """It would answer with everybody; a warning."""
    fhir_mock.get("/metadata").respond(json=capabilities())
    link = [{"relation": "self", "url": f"{BASE}/Patient?_count=20"}]
    fhir_mock.post("/Patient/_search").respond(
        json={"resourceType": "Bundle", "type": "searchset", "total": 0, "link": link}
    )
    found = of(doctor(tmp_path, trial=SEED, server="research"), "server-token")
    assert (found.status, "did not apply identifier" in found.found) == ("warning", True)


def test_a_login_page_instead_of_a_server(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """Not FHIR, and said so."""
    fhir_mock.get("/metadata").respond(html="<html>Welcome</html>")
    report = doctor(tmp_path, server="research")
    assert of(report, "server-reachable").status == "fail"
    assert "not FHIR" in of(report, "server-reachable").found


def test_a_base_where_there_is_nothing(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """404 at /metadata: the base URL is to be corrected."""
    fhir_mock.get("/metadata").respond(404)
    found = of(doctor(tmp_path, server="research"), "server-reachable")
    assert (found.status, "correct the base URL" in found.do) == ("fail", True)


@pytest.mark.parametrize(
    ("more", "trial", "job"),
    [("", SEED, "push"), ("    role: read\n", SEED, "pull"), ("    test: true\n    kind: ehr\n", SEED, "push")],
)
def test_a_server_that_must_not_be_used_so(
    tmp_path: Path, fhir_mock: respx.MockRouter, more: str, trial: str, job: str
) -> None:
    """Made-up data and no test server, or a push to an ehr: refused, exit 4."""
    answering(fhir_mock, capabilities())
    report = doctor(tmp_path, f"servers:\n  research:\n    base: {BASE}\n{more}", trial=trial, server="research")
    assert of(report, "server-interlock", f"research, {job}").status == "fail"
    assert report.matters == {"refused"}


def test_a_server_that_is_only_read_is_not_asked_what_it_takes(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """No transaction is needed there."""
    answering(fhir_mock, capabilities(rest=[]))
    report = doctor(tmp_path, SERVER + "    role: read\n", trial=SEED, server="research")
    assert statuses(report, "server-transaction", "server-push", "server-pull") == {
        "server-transaction": "skipped",
        "server-push": "skipped",
        "server-pull": "warning",
    }


def test_a_server_that_is_only_written_is_searched_as_a_push_does(tmp_path: Path, fhir_mock: respx.MockRouter) -> None:
    """By id, and not for patients."""
    answering(fhir_mock, capabilities())
    report = doctor(tmp_path, SERVER + "    role: write\n", trial=SEED, server="research")
    assert [call.request.url.path for call in fhir_mock.calls][-1] == "/r4/ResearchStudy/_search"
    assert (of(report, "server-token").status, of(report, "server-pull").status) == ("pass", "skipped")


def test_a_server_without_tls(tmp_path: Path) -> None:
    """A warning for any address but this machine's own."""
    report = doctor(tmp_path, "servers: {research: {base: 'http://fhir.invalid/r4'}}", server="research")
    assert (of(report, "server").status, of(report, "server-reachable").status) == ("warning", "fail")


@pytest.mark.parametrize("proxy", ["ftp://bob:canary@proxy.test", "http://[canary", "http://proxy canary"])
def test_a_proxy_of_the_environment_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Found out before the request that it would break; its value is not told."""
    monkeypatch.setenv("https_proxy", proxy)
    report = doctor(tmp_path, server="research")
    assert (of(report, "server-proxy").status, "HTTPS_PROXY" in of(report, "server-proxy").found) == ("fail", True)
    assert "canary" not in json.dumps(report.to_dict())


# -- service


def test_a_service_beyond_this_machine_needs_a_token(tmp_path: Path) -> None:
    """Anybody could ask it otherwise."""
    found = of(doctor(tmp_path, "service: {host: 0.0.0.0, port: 0}\n"), "token", "service")
    assert (found.status, "FHIR_ADAPTER_SERVICE_TOKEN" in found.do) == ("fail", True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_service_for_this_machine_needs_none(tmp_path: Path, host: str) -> None:
    """Port 0 takes a free one."""
    report = doctor(tmp_path, f"service: {{host: {host}, port: 0}}\n")
    assert statuses(report, "token", "service") == {"token": "skipped", "service": "pass"}


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """A warning: it may be the service itself."""
    with listening(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        found = of(doctor(tmp_path, f"service: {{port: {port}}}\n"), "service")
    assert (found.status, found.found) == ("warning", f"port {port} on 127.0.0.1 is taken")


def test_an_address_that_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """198.51.100.1 is kept for documentation: no machine has it."""
    monkeypatch.setenv("FHIR_ADAPTER_SERVICE_TOKEN", "made-up")
    assert of(doctor(tmp_path, "service: {host: 198.51.100.1, port: 0}\n"), "service").status == "fail"


# -- the command


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with an empty home."""
    return Person.at(tmp_path / "person")


def test_the_command_tells_a_person_what_to_do(person: Person, river: SmallTrial) -> None:
    """One line a check on standard output, then the remedies."""
    run = person.runs("doctor", "--trial", river.trial)
    assert (run.exit_code, run.err) == (0, "")
    assert re.search(r"^pass +trial-sources +river-7: 30 resources from 4 files$", run.out, re.MULTILINE)
    assert re.search(r"^What to do$.*^warning +trial-hospital", run.out, re.MULTILINE | re.DOTALL)
    assert run.out.endswith("Nothing failed; 2 warnings.\n")


def test_the_command_answers_json(person: Person, river: SmallTrial) -> None:
    """`ok`, and the checks with their promised keys."""
    told = person.runs("doctor", "--trial", river.trial, "--format", "json").report
    assert told["ok"] is True
    assert {"id", "status", "found", "do"} <= set(told["checks"][0])


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [
        (("--trial", "nowhere"), 2),
        (("--config", "nowhere.yaml"), 2),
        (("--trial", SEED, "--server", "https://fhir.invalid/r4"), 4),
        (("--server", "http://127.0.0.1:1/fhir"), 5),
        (("--server", "http://127.0.0.1:1/fhir", "--config", "nowhere.yaml"), 2),
        (("--state", "/dev/null/x.sqlite"), 5),
        (("--server", "https://bob:canary@fhir.test/r4"), 2),
    ],
)
def test_the_exit_code_says_whose_it_is_to_mend(person: Person, options: tuple[str, ...], exit_code: int) -> None:
    """2 before 4 before 5: first what the person in front of the screen can mend."""
    run = person.runs("doctor", *options)
    assert run.exit_code == exit_code
    assert "Traceback" not in run.err + run.out
    assert "canary" not in run.err + run.out


def test_the_configuration_gives_the_defaults(person: Person, river: SmallTrial) -> None:
    """Trial, server and format, as for every other command."""
    config = person.home / "config.yaml"
    config.write_text(f"trial: {river.trial}\nserver: 'http://127.0.0.1:1/fhir'\nformat: json\n", encoding="utf-8")
    told = person.runs("doctor", "--config", config).report
    found = {one["id"]: one["status"] for one in told["checks"]}
    assert (found["trial"], found["server-reachable"]) == ("pass", "fail")


HIDING = """\
import sys

class Hiding:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"httpx2", "jsonschema", "uvicorn"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hiding())
"""


def test_h131_packages_that_are_missing_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """In an interpreter that cannot find three of them."""
    (tmp_path / "sitecustomize.py").write_text(HIDING, encoding="utf-8")
    environment = surroundings(tmp_path, PYTHONPATH=str(tmp_path))
    command = [*COMMAND, "doctor", "--trial", SEED, "--state", str(tmp_path / "x.sqlite"), "--format", "json"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    told = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr) == (5, "")
    missing = {one["about"] for one in told["checks"] if one["id"] == "packages"}
    assert missing == {"httpx2", "jsonschema", "uvicorn"}
    assert {one["status"] for one in told["checks"] if one["id"] in ("python", "time-zones")} == {"pass"}
    assert {one["status"] for one in told["checks"] if one["id"] in ("trial", "configuration", "state")} == {"skipped"}


def test_the_interpreter_of_the_tests_is_the_one_looked_at() -> None:
    """Which Python, in three numbers."""
    report = examine(read_configuration(None), DoctorOptions())
    assert of(report, "python").found.startswith(f"Python {'.'.join(map(str, sys.version_info[:3]))}")


# -- the page about it


def test_every_check_stands_on_the_page() -> None:
    """Whoever meets an id finds it explained."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "fhir_adapter/jobs/doctor").glob("*.py"))
    calls = r'notes\.(?:passed|warned|failed|skipped|border)\(\s*"([a-z-]+)"'
    page = (ROOT / "docs/how-to/check-your-set-up.md").read_text(encoding="utf-8")
    named = set(re.findall(calls, source))
    assert len(named) > 15
    assert named - set(re.findall(r"`([a-z-]+)`", page)) == set()

"""A new trial folder: complete, readable, filled from a registry record, and never over anything."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fhir_adapter import fhirjson
from fhir_adapter.issues import AdapterError, Misconfigured
from fhir_adapter.jobs.init import init
from fhir_adapter.jobs.init_text import fill, quoted
from fhir_adapter.jobs.map import map_sources
from fhir_adapter.sources.registry import STUDIES
from fhir_adapter.sources.registry_record import _words
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, read_yaml

_PROJECT = Path(__file__).resolve().parents[2]
RECORD = _PROJECT / "tests" / "data" / "registry" / "NCT02513394.json"
SCHEMAS = _PROJECT / "mappings" / "schemas"
FILES = ("trial", "sources", "codes", "decisions")
_OFF = re.compile(r"^( *)# (?=[\w-]+:(?: |$))", re.MULTILINE)
"""The start of a line whose key is switched off."""


def saved(tmp_path: Path, **modules: Any) -> str:
    """A made-up record with these modules, saved as a file."""
    modules = {"identificationModule": {"nctId": "NCT00000000"}} | modules
    path = tmp_path / "record.json"
    path.write_bytes(fhirjson.dumps({"protocolSection": modules}))
    return str(path)


def texts(folder: TrialFolder, field: str) -> list[str]:
    """What the folder says of a field of the study."""
    return [fact.text for fact in folder.facts[field]]


def keys_of(schema: object) -> Iterator[str]:
    """Every key that a JSON Schema names."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for child in schema.values():
            yield from keys_of(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from keys_of(child)


def code_of(error: pytest.ExceptionInfo[AdapterError]) -> str:
    """The code of an error's only issue."""
    (issue,) = error.value.issues
    return issue.code


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in this folder."""
    command = [sys.executable, "-m", "fhir_adapter", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


# Without a registry


def test_a_new_folder_reads_and_maps_as_it_is(tmp_path: Path) -> None:
    """A study without subjects: nothing is set aside, and nobody is warned."""
    init(tmp_path / "my-trial")
    report = map_sources(read_trial_folder(tmp_path / "my-trial"))
    assert (report.set_aside, report.plan.warnings) == ((), ())
    assert report.to_dict()["resources"] == {"Device": 1, "Organization": 1, "Location": 1, "ResearchStudy": 2}


@pytest.mark.parametrize("name", FILES)
def test_every_key_of_the_schemas_is_in_the_made_files(tmp_path: Path, name: str) -> None:
    """Set, switched off, or inside braces."""
    init(tmp_path / "my-trial")
    text = (tmp_path / "my-trial" / f"{name}.yaml").read_text(encoding="utf-8")
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert [key for key in keys_of(schema) if not re.search(rf"(?<![\w-]){key}:", text)] == []


@pytest.mark.parametrize("name", FILES)
def test_every_key_that_is_switched_off_can_be_switched_on(tmp_path: Path, name: str) -> None:
    """With the "# " taken away everywhere, the file is what its schema describes."""
    init(tmp_path / "my-trial")
    path = tmp_path / "my-trial" / f"{name}.yaml"
    on = _OFF.sub(r"\1", path.read_text(encoding="utf-8"))
    path.write_text(on, encoding="utf-8")
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(read_yaml(path).value)) == []


@pytest.mark.parametrize("name", FILES)
def test_the_switch_is_seen(tmp_path: Path, name: str) -> None:
    """The test above looks at something: each file but decisions.yaml has keys that are off."""
    init(tmp_path / "my-trial")
    text = (tmp_path / "my-trial" / f"{name}.yaml").read_text(encoding="utf-8")
    assert "${" not in text
    assert bool(_OFF.search(text)) == (name != "decisions")


def test_the_secret_is_its_owners_alone_and_never_the_same(tmp_path: Path) -> None:
    """A random UUID with mode 0600, kept out of repositories by name."""
    init(tmp_path / "one-trial")
    init(tmp_path / "other-trial")
    secret = tmp_path / "one-trial" / "id-namespace.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert uuid.UUID(secret.read_text(encoding="ascii").strip()).version == 4
    assert "id-namespace.secret" in (tmp_path / "one-trial" / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert read_trial_folder(tmp_path / "one-trial").namespace != read_trial_folder(tmp_path / "other-trial").namespace


def test_what_is_not_decided_says_so(tmp_path: Path) -> None:
    """The status names nobody as the one who decided it, and decisions.yaml lists what is open."""
    with time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC), tick=False):
        report = init(tmp_path / "my-trial")
    folder = read_trial_folder(tmp_path / "my-trial")
    assert (folder.status.code, folder.status.decided_by, folder.status.decided_on) == (
        None,
        "nobody yet",
        "2026-11-25",
    )
    assert [one.about for one in folder.decisions] == [f"open: {row.about}" for row in report.open]
    assert folder.labels == ("PSEUDED",)


# The id, and what is in the way


@pytest.mark.parametrize(
    ("name", "trial_id"), [("my-trial", "my-trial"), ("My Trial_2", "my-trial-2"), ("Étude-7", "tude-7")]
)
def test_the_id_comes_from_the_folders_name(tmp_path: Path, name: str, trial_id: str) -> None:
    """In the letters that an id may have."""
    assert init(tmp_path / name).trial_id == trial_id


def test_a_stated_id_stands_before_every_other(tmp_path: Path) -> None:
    """Before that of the record too."""
    assert init(tmp_path / "my-trial", str(RECORD), "pallas").trial_id == "pallas"
    assert read_trial_folder(tmp_path / "my-trial").id == "pallas"


@pytest.mark.parametrize(
    ("name", "stated"), [("試験", None), ("t", None), ("my-trial", "My Trial"), ("my-trial", "nct02569463")]
)
def test_an_id_that_cannot_be_used_is_refused(tmp_path: Path, name: str, stated: str | None) -> None:
    """Nothing of the name is left, it is too short, or it is the id of a trial that comes with the program."""
    with pytest.raises(Misconfigured, match="--id") as error:
        init(tmp_path / name, trial_id=stated)
    assert (code_of(error), list(tmp_path.iterdir())) == ("trial-id", [])


def test_the_number_of_a_trial_that_comes_with_the_program_needs_another_id(tmp_path: Path) -> None:
    """Said before the registry is asked."""
    with pytest.raises(Misconfigured, match="state another id"):
        init(tmp_path / "my-trial", "NCT02569463")


def test_a_folder_named_as_a_trial_that_comes_with_the_program_is_refused(tmp_path: Path) -> None:
    """--trial nct02569463 would mean the other one."""
    with pytest.raises(Misconfigured, match="comes with the program") as error:
        init(tmp_path / "nct02569463", trial_id="my-trial")
    assert code_of(error) == "folder-in-the-way"


def test_a_folder_with_something_in_it_is_refused_by_name(tmp_path: Path) -> None:
    """Six things: five are named, one is counted, and all are as they were."""
    for number in range(6):
        (tmp_path / f"file-{number}").touch()
    with pytest.raises(Misconfigured, match=r"not empty: file-0, .*file-4 and 1 more; nothing is overwritten") as error:
        init(tmp_path)
    assert (code_of(error), len(list(tmp_path.iterdir()))) == ("folder-in-the-way", 6)


def test_a_hidden_file_is_in_the_way_too(tmp_path: Path) -> None:
    """It would be lost like any other."""
    (tmp_path / ".env").touch()
    with pytest.raises(Misconfigured, match=r"not empty: \.env"):
        init(tmp_path)


def test_a_file_in_the_place_is_left_alone(tmp_path: Path) -> None:
    """What it holds is not looked at."""
    (tmp_path / "my-trial").write_text("mine", encoding="utf-8")
    with pytest.raises(Misconfigured, match="a file is there already"):
        init(tmp_path / "my-trial")
    assert (tmp_path / "my-trial").read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """Somebody made it beforehand."""
    (tmp_path / "my-trial").mkdir()
    init(tmp_path / "my-trial")
    assert read_trial_folder(tmp_path / "my-trial").id == "my-trial"


def test_the_folder_in_which_one_stands_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell would stay in a folder that is no longer there."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured, match="in which you are"):
        init(Path())


def test_the_folder_above_must_be_there(tmp_path: Path) -> None:
    """A typing error makes no tree of folders."""
    with pytest.raises(Misconfigured, match="folder above"):
        init(tmp_path / "nowhere" / "my-trial")


@pytest.mark.parametrize("name", ["long" * 80, f"{'long' * 80}/my-trial"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    """A name longer than a file system allows, here."""
    with pytest.raises(Misconfigured, match="cannot be written") as error:
        init(tmp_path / name, trial_id="my-trial")
    assert code_of(error) == "unwritable"


def test_a_link_that_leads_in_a_circle_is_in_the_way(tmp_path: Path) -> None:
    """It is left as it is."""
    (tmp_path / "my-trial").symlink_to(tmp_path / "my-trial")
    with pytest.raises(Misconfigured, match="a file is there already"):
        init(tmp_path / "my-trial")


def test_nothing_is_left_of_a_folder_that_could_not_be_made(tmp_path: Path) -> None:
    """A made-up record with more text than a mapping file may have: no folder, and no part of one."""
    start = saved(tmp_path, descriptionModule={"briefSummary": "long " * 1_000_000})
    with pytest.raises(Misconfigured, match="beyond the limits") as error:
        init(tmp_path / "my-trial", start)
    assert (code_of(error), [path.name for path in tmp_path.iterdir()]) == ("registry-record", ["record.json"])


# With a registry


def test_from_the_registry_to_a_study_in_fhir(tmp_path: Path) -> None:
    """The real record, served by a stub: the folder reads, and the ResearchStudy says what the record says."""
    with responses.RequestsMock() as mock, time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC), tick=False):
        mock.get(f"{STUDIES}/NCT02513394", body=RECORD.read_bytes())
        init(tmp_path / "pallas", "nct02513394")
    report = map_sources(read_trial_folder(tmp_path / "pallas"))
    record = json.loads(RECORD.read_bytes())["protocolSection"]
    studies = [one for one in map(json.loads, report.resources) if one["resourceType"] == "ResearchStudy"]
    study = next(one for one in studies if "partOf" not in one)
    assert (report.set_aside, report.plan.warnings) == ((), ())
    assert study["title"] == record["identificationModule"]["officialTitle"]
    assert study["description"] == record["descriptionModule"]["briefSummary"]
    assert study["phase"]["coding"][0]["code"] == "phase-3"
    assert study["primaryPurposeType"]["coding"][0]["code"] == "treatment"
    assert [one["text"] for one in study["condition"]] == record["conditionsModule"]["conditions"]
    assert [one["text"] for one in study["keyword"]] == record["conditionsModule"]["keywords"]
    assert [one["value"] for one in study["identifier"]] == ["AFT-05", "NCT02513394"]
    assert study["period"] == {"start": "2015-08", "end": "2025-09"}
    assert len(study["location"]) == 21
    words = [one["valueString"] for one in study["extension"] if "valueString" in one]
    outcomes = [one["extension"][1]["valueMarkdown"] for one in study["extension"] if "extension" in one]
    assert (words, "status" in study, len(outcomes)) == (["ACTIVE_NOT_RECRUITING"], False, 5)
    assert outcomes[0] == "Invasive Disease Free Survival (iDFS) (time frame: 4 years)"
    organizations = [json.loads(one)["name"] for one in report.resources if b'"Organization"' in one[:40]]
    assert record["sponsorCollaboratorsModule"]["leadSponsor"]["name"] in organizations


def test_each_value_of_the_registry_is_an_assumption_with_its_source(tmp_path: Path) -> None:
    """Record, place in it, day of its last update, day of fetching; confirmed by nobody yet."""
    with responses.RequestsMock() as mock, time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC), tick=False):
        mock.get(f"{STUDIES}/NCT02513394", body=RECORD.read_bytes())
        report = init(tmp_path / "pallas", "NCT02513394")
    folder = read_trial_folder(tmp_path / "pallas")
    title = next(one for one in folder.decisions if one.about == "study.facts.title")
    assert title.source == (
        "ClinicalTrials.gov NCT02513394, last update posted 2023-06-15, fetched on 2026-11-25, "
        "identificationModule.officialTitle"
    )
    assert {(one.kind, one.who) for one in folder.decisions} == {("assumption", "nobody yet")}
    assert {f"study.facts.{field}" for field in folder.facts} <= {row.about for row in report.taken}


def test_what_the_record_does_not_say_is_listed_and_switched_off(tmp_path: Path) -> None:
    """The key is there for the person who knows."""
    report = init(tmp_path / "pallas", str(RECORD))
    text = (tmp_path / "pallas" / "trial.yaml").read_text(encoding="utf-8")
    assert "    # age_maximum: [{text: replace me}]\n" in text
    assert {"study.facts.age_maximum", "study.facts.planned_size", "sites", "arms"} <= {
        row.about for row in report.open
    }


def test_a_saved_record_names_the_file_and_not_its_place(tmp_path: Path) -> None:
    """Where a person keeps files is nobody's business on the server."""
    init(tmp_path / "pallas", str(RECORD))
    text = (tmp_path / "pallas" / "decisions.yaml").read_text(encoding="utf-8")
    assert "read from the file NCT02513394.json" in text
    assert str(RECORD.parent) not in text


@pytest.mark.parametrize(
    ("masking", "masked", "line"),
    [
        ("NONE", False, "\nblinding: open\n"),
        ("DOUBLE", True, "\nblinding: masked\n"),
        ("A_NEW_WORD", True, "\nblinding: masked\n"),
        (None, False, "\n# blinding: open\n"),
    ],
)
def test_whatever_is_masked_in_the_registry_is_masked_here(
    tmp_path: Path, masking: str | None, masked: bool, line: str
) -> None:
    """A word that nobody knows hides rather than shows; where nothing is said, it is listed as open."""
    start = saved(tmp_path, designModule={"designInfo": {"maskingInfo": {"masking": masking}}})
    report = init(tmp_path / "my-trial", start)
    assert read_trial_folder(tmp_path / "my-trial").masked == masked
    assert line in (tmp_path / "my-trial" / "trial.yaml").read_text(encoding="utf-8")
    assert ("blinding" in {row.about for row in report.open}) == (masking is None)


def test_the_registrys_status_is_never_translated(tmp_path: Path) -> None:
    """Not even COMPLETED, which R4 has too."""
    init(tmp_path / "my-trial", saved(tmp_path, statusModule={"overallStatus": "COMPLETED"}))
    status = read_trial_folder(tmp_path / "my-trial").status
    assert (status.code, status.registry_status, status.decided_by) == (None, "COMPLETED", "nobody yet")


def test_a_record_without_a_sponsors_number_is_known_by_the_registrys(tmp_path: Path) -> None:
    """As the seed trial is."""
    init(tmp_path / "my-trial", saved(tmp_path))
    assert read_trial_folder(tmp_path / "my-trial").study_identifier == "NCT00000000"


@pytest.mark.parametrize("table", ["phase", "purpose"])
def test_each_word_that_is_written_has_its_code_in_the_made_codes(tmp_path: Path, table: str) -> None:
    """So that a study is never set aside for a word of ours."""
    init(tmp_path / "my-trial")
    assert set(_words()[table].values()) == set(read_trial_folder(tmp_path / "my-trial").codes.maps[table])


# Texts


@given(st.text())
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    """Quotes, colons, line breaks, control characters, whatever a registry may hold."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.yaml"
        path.write_text(fill("list:\n  ${item}\n", {"item": f"- text: {quoted(text)}"}), encoding="utf-8")
        assert read_yaml(path).value == {"list": [{"text": text}]}


@pytest.mark.parametrize(
    "text",
    [
        "word " * 100,
        "  two  spaces  " * 20,
        "line\n  indented\n\n\nline\n" * 20,
        "x" * 500 + " y",
        "\t\ttabs \t " * 30,
        'she said: "no" # not a comment',
        "- {a: [1, *b, &c, !!d, %e, @f, `g`]}",
        "${title} $title\\",
        "\x00\x07\x1b[31m\x7f\x85\u2028\u202e\ufeff\uffff\U0001f600\u0301",
    ],
)
def test_awkward_texts_are_read_back_as_they_were(tmp_path: Path, text: str) -> None:
    """Those that a random search is slow to find."""
    path = tmp_path / "text.yaml"
    path.write_text(fill("${item}\n", {"item": f"text: {quoted(text)}"}), encoding="utf-8")
    assert read_yaml(path).value == {"text": text}
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) < 700


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=3, max_size=3))
def test_any_record_becomes_a_folder_that_says_the_same(said: list[str]) -> None:
    """From the record through YAML to what the mappers are told; only spaces around a text are lost."""
    title, condition, status = (one.strip() for one in said)
    with tempfile.TemporaryDirectory() as place:
        start = saved(
            Path(place),
            identificationModule={"nctId": "NCT00000000", "officialTitle": title, "orgStudyIdInfo": {"id": title}},
            conditionsModule={"conditions": [condition]},
            statusModule={"overallStatus": status},
        )
        init(Path(place) / "my-trial", start)
        folder = read_trial_folder(Path(place) / "my-trial")
    assert (texts(folder, "title"), texts(folder, "condition")) == ([title], [condition])
    assert (folder.study_identifier, folder.status.registry_status) == (title, status)


# The command


def test_the_report_says_that_an_old_copy_was_used(tmp_path: Path) -> None:
    """The registry failed after the first time: a warning, and the day of the first time as the source."""
    with responses.RequestsMock() as mock, time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC), tick=False):
        mock.get(f"{STUDIES}/NCT02513394", body=RECORD.read_bytes())
        init(tmp_path / "one-trial", "NCT02513394")
    with responses.RequestsMock() as mock, time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC), tick=False):
        mock.get(f"{STUDIES}/NCT02513394", status=503)
        told = init(tmp_path / "other-trial", "NCT02513394", sleep=lambda _seconds: None).to_dict()
    assert told["record"] == {
        "number": "NCT02513394",
        "updated": "2023-06-15",
        "fetched_on": "2026-11-01",
        "cached": True,
    }
    assert "registry-copy" in str(told["warnings"])
    assert "fetched on 2026-11-01" in str(told["taken"])


def test_a_number_with_a_typing_error_is_not_asked_for(tmp_path: Path) -> None:
    """No stub answers here: a request would fail."""
    with pytest.raises(Misconfigured, match="eight digits") as error:
        init(tmp_path / "my-trial", "NCT0251339")
    assert code_of(error) == "registry-number"


def test_the_command_says_what_it_made_as_json(tmp_path: Path) -> None:
    """One document on standard output; what to do next on standard error."""
    answer = run("init", "pallas", "--from", str(RECORD), "--format", "json", folder=tmp_path)
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["id"], told["folder"]) == (0, "nct02513394", "pallas")
    assert told["files"] == sorted(
        str(path.relative_to(tmp_path / "pallas")) for path in (tmp_path / "pallas").rglob("*") if path.is_file()
    )
    assert told["record"] == {"number": "NCT02513394", "updated": "2023-06-15", "fetched_on": None, "cached": False}
    assert "map --trial pallas" in answer.stderr


def test_the_command_shows_what_is_to_be_decided(tmp_path: Path) -> None:
    """And map runs on what it made."""
    made = run("init", "my-trial", folder=tmp_path)
    mapped = run("map", "--trial", "my-trial", folder=tmp_path)
    assert (made.returncode, mapped.returncode) == (0, 0)
    assert "study.status" in made.stdout
    assert "made: my-trial/trial.yaml" in made.stdout


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("NCT123", "an NCT number is NCT and eight digits"),
        ("subjects.csv", "NCT numbers and saved records"),
        ("https://clinicaltrials.gov/study/NCT02513394", "NCT numbers and saved records"),
    ],
)
def test_what_cannot_be_started_from_is_a_matter_of_usage(tmp_path: Path, start: str, said: str) -> None:
    """Exit 2 without any request, and no folder."""
    (tmp_path / "subjects.csv").write_text("USUBJID\nS01\n", encoding="utf-8")
    answer = run("init", "my-trial", "--from", start, folder=tmp_path)
    assert (answer.returncode, said in answer.stderr) == (2, True)
    assert not (tmp_path / "my-trial").exists()


def test_a_second_init_is_refused(tmp_path: Path) -> None:
    """Exit 2, and the secret is the one of before."""
    run("init", "my-trial", folder=tmp_path)
    secret = (tmp_path / "my-trial" / "id-namespace.secret").read_bytes()
    answer = run("init", "my-trial", folder=tmp_path)
    assert (answer.returncode, "[folder-in-the-way]" in answer.stderr) == (2, True)
    assert (tmp_path / "my-trial" / "id-namespace.secret").read_bytes() == secret

"""What a trial folder says, and how it is told what is wrong in it (bad input D 69)."""

from __future__ import annotations

import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.trial import Fact, Window
from fhir_adapter.trial_folder import IdentifierSystem, StudyStatus, known_trials, read_trial_folder, trial_path
from tests.made_up import change, copy_trial

NAMESPACE = "id_namespace: 3c0b7f6e-2f0d-4d2a-9a55-7d6c1c0e8a01"
SECRET = "7d3a0c52-8c0c-4a55-8a7e-0b8d2f8f4e11"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the made-up trial."""
    return copy_trial(tmp_path)


def issues(folder: Path) -> list[Issue]:
    """Everything with which a folder is refused."""
    with pytest.raises(Misconfigured) as caught:
        read_trial_folder(folder)
    return list(caught.value.issues)


def refused(folder: Path) -> tuple[str, str, int | None, str]:
    """Code, file, line and message of the one issue with which a folder is refused."""
    (issue,) = issues(folder)
    return issue.code, Path(issue.where.file or "").name, issue.where.line, issue.message


def test_a_folder_says_what_stands_in_it(folder: Path) -> None:
    """Id, labels, form and names of records are as written."""
    trial = read_trial_folder(folder)
    said = (trial.id, str(trial.namespace), trial.labels, trial.masked, trial.flat, trial.visit_class)
    assert said == ("made-up", NAMESPACE.split()[1], ("HTEST",), False, False, "AMB")


def test_masked_and_flat_are_said_in_words(folder: Path) -> None:
    """Blinding and structure are choices of the trial."""
    change(folder, "trial.yaml", "blinding: open", "blinding: masked")
    change(folder, "trial.yaml", "structure: two-level", "structure: flat")
    trial = read_trial_folder(folder)
    assert (trial.masked, trial.flat) == (True, True)


def test_what_may_be_left_out_has_a_meaning(folder: Path) -> None:
    """Without a word on it a trial is open and has two levels, and no visit class is guessed."""
    change(folder, "trial.yaml", "blinding: open\nstructure: two-level\n", "")
    change(folder, "trial.yaml", "  class: AMB\n", "")
    trial = read_trial_folder(folder)
    assert (trial.masked, trial.flat, trial.visit_class, trial.result_status) == (False, False, None, "final")


def test_windows_are_read(folder: Path) -> None:
    """A visit's window has its planned day and its width on both sides."""
    assert read_trial_folder(folder).windows == (Window("WEEK 2", 14, 2, 2),)


def test_each_site_has_its_time_zone(folder: Path) -> None:
    """Zones are IANA names."""
    zones = {name: site.zone for name, site in read_trial_folder(folder).sites.items()}
    assert zones == {"01": ZoneInfo("Asia/Shanghai"), "02": ZoneInfo("America/New_York")}


def test_a_site_may_have_no_time_zone(folder: Path) -> None:
    """None is guessed where none is stated."""
    change(folder, "trial.yaml", ", time_zone: Asia/Shanghai", "")
    assert read_trial_folder(folder).sites["01"].zone is None


@pytest.mark.parametrize("zone", ["Asia/Shangai", "America", "../Asia/Shanghai", "/etc/localtime"])
def test_an_unknown_time_zone_is_refused(folder: Path, zone: str) -> None:
    """A name that is no IANA zone is refused on its line, with an example."""
    change(folder, "trial.yaml", "Asia/Shanghai", zone)
    message = f"{zone!r} is no IANA time zone such as Asia/Shanghai"
    assert refused(folder) == ("wrong-value", "trial.yaml", 20, message)


def test_identifier_systems_follow_from_base_and_id(folder: Path) -> None:
    """A kind of record without an own system has {base}/{id}/{kind}."""
    assert read_trial_folder(folder).identifier("dose") == IdentifierSystem("https://example.org/trials/made-up/dose")


def test_identifier_systems_may_be_the_trials_own(folder: Path) -> None:
    """System and assigner of one kind are overridden one by one."""
    own = "trials\n  systems: {subject: {system: 'urn:s', assigner: Ward}, visit: {assigner: Desk}}\n"
    change(folder, "trial.yaml", "trials\n", own)
    trial = read_trial_folder(folder)
    assert trial.identifier("subject") == IdentifierSystem("urn:s", "Ward")
    assert trial.identifier("visit") == IdentifierSystem("https://example.org/trials/made-up/visit", "Desk")


def test_a_status_is_decided_by_a_person(folder: Path) -> None:
    """The status comes with who decided it, when and why."""
    status = read_trial_folder(folder).status
    assert status == StudyStatus("active", None, "the testers", "2026-01-01", "made up")


def test_a_status_may_be_absent_with_the_registrys_word(folder: Path) -> None:
    """The registry's word is kept and not translated."""
    change(folder, "trial.yaml", "code: active", "absent: unknown\n    registry_status: UNKNOWN")
    status = read_trial_folder(folder).status
    assert (status.code, status.registry_status) == (None, "UNKNOWN")


@pytest.mark.parametrize("stated", ["registry_status: UNKNOWN", "code: active\n    absent: unknown"])
def test_a_status_is_either_known_or_absent(folder: Path, stated: str) -> None:
    """Neither and both are refused."""
    change(folder, "trial.yaml", "code: active", stated)
    message = "study.status: exactly one of code and absent must be given"
    assert refused(folder) == ("wrong-value", "trial.yaml", 13, message)


def test_facts_may_stand_in_the_folder(folder: Path) -> None:
    """What no source says can be said by the folder."""
    change(folder, "trial.yaml", "study:\n", "study:\n  facts:\n    title: [{text: A title}]\n")
    assert read_trial_folder(folder).facts == {"title": (Fact("A title"),)}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("trial.yaml", "study:\n", "study:\n  facts:\n    titel: [{text: A title}]\n"),
        ("sources.yaml", "TITLE: title", "TITLE: titel"),
    ],
)
def test_d69_a_field_that_a_study_does_not_have_is_refused(folder: Path, file: str, old: str, new: str) -> None:
    """A misspelt field of the study would be lost without a word."""
    change(folder, file, old, new)
    assert "'titel'" in refused(folder)[3]


def test_decisions_are_read(folder: Path) -> None:
    """Every decision has its source, its author and its date."""
    (decision,) = read_trial_folder(folder).decisions
    assert (decision.about, decision.kind, decision.who, decision.when) == (
        "everything",
        "assumption",
        "the testers",
        "2026-01-01",
    )


def test_the_namespace_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real trial names a variable and keeps the UUID out of the folder."""
    monkeypatch.setenv("MADE_UP_NAMESPACE", f" {SECRET}\n")
    change(folder, "trial.yaml", NAMESPACE, "id_namespace: {environment: MADE_UP_NAMESPACE}")
    assert read_trial_folder(folder).namespace == uuid.UUID(SECRET)


def test_the_namespace_may_come_from_a_file(folder: Path) -> None:
    """A real trial names a file beside the folder or anywhere else."""
    (folder.parent / "secret").write_text(f"{SECRET}\n")
    change(folder, "trial.yaml", NAMESPACE, "id_namespace: {file: ../secret}")
    assert read_trial_folder(folder).namespace == uuid.UUID(SECRET)


def test_a_namespace_that_is_not_in_the_environment_is_missed(folder: Path) -> None:
    """The message names the variable, and what to do."""
    change(folder, "trial.yaml", NAMESPACE, "id_namespace: {environment: MADE_UP_NOWHERE}")
    place = "the environment variable MADE_UP_NOWHERE holds no UUID; make one and keep it secret and safe"
    assert refused(folder) == ("no-namespace", "trial.yaml", 3, f"id_namespace: {place}")


def test_a_namespace_file_that_is_missing_is_missed(folder: Path) -> None:
    """The line that names the file is shown."""
    change(folder, "trial.yaml", NAMESPACE, "id_namespace: {file: secret}")
    assert refused(folder) == ("no-namespace", "trial.yaml", 3, "id_namespace: the file cannot be read")


def test_a_wrong_secret_is_never_shown(folder: Path) -> None:
    """A file that holds something else is refused without its content."""
    (folder / "secret").write_text("canary")
    change(folder, "trial.yaml", NAMESPACE, "id_namespace: {file: secret}")
    code, _, _, message = refused(folder)
    assert (code, "canary" in message) == ("no-namespace", False)


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        ("trial.yaml", "blinding: open", "blindng: open", 5, "unknown key 'blindng'; did you mean 'blinding'?"),
        ("trial.yaml", "code: active", "xyz: active", 14, "unknown key 'xyz'; known here: absent, code, "),
        ("sources.yaml", "entity: visit", "entity: visit\n    include: x", 39, "unknown key 'include'; known here: "),
        ("sources.yaml", "entity: visit", "entity: visit\n    regex: x", 39, "unknown key 'regex'; known here: "),
        ("codes.yaml", "  OWN: {}", "  OWN: {lionc: 1-1}", 34, "unknown key 'lionc'; did you mean 'loinc'?"),
        ("decisions.yaml", "about:", "abuot:", 2, "unknown key 'abuot'; did you mean 'about'?"),
    ],
)
def test_d69_an_unknown_key_is_refused_with_a_suggestion(
    folder: Path, file: str, old: str, new: str, line: int, message: str
) -> None:
    """File, line and the key that was probably meant, in every file."""
    change(folder, file, old, new)
    found = [issue for issue in issues(folder) if issue.code == "unknown-key"]
    assert [(Path(issue.where.file or "").name, issue.where.line) for issue in found] == [(file, line)]
    assert found[0].message.startswith(message)


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        ("trial.yaml", "id: made-up", "id: 5", 2, "id: a int where a string is expected; expected: lower-case letters"),
        ("trial.yaml", "[HTEST]", "[TEST]", 4, "labels.0: 'TEST' is not one of HTEST, ANONYED, PSEUDED"),
        ("trial.yaml", "[HTEST]", "HTEST", 4, "labels: a str where a array is expected; expected: security labels"),
        ("trial.yaml", "day: 14", "day: 0", 26, "visits.windows.0.day: "),
        ("trial.yaml", NAMESPACE, "id_namespace: nonsense", 3, "id_namespace: "),
        ("trial.yaml", "  identifier: MADEUP-1\n", "", 11, "study: the key 'identifier' is missing"),
        ("sources.yaml", "  ts:\n", "  TS:\n", 3, "sources: "),
        ("codes.yaml", "2345-7", "glucose", 31, "tests.GLUC.loinc: "),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(
    folder: Path, file: str, old: str, new: str, line: int, message: str
) -> None:
    """File, line, key, what was found and what is expected."""
    change(folder, file, old, new)
    code, found_file, found_line, said = refused(folder)
    assert (code, found_file, found_line) == ("wrong-value", file, line)
    assert said.startswith(message)


def test_all_problems_of_a_file_are_told_at_once(folder: Path) -> None:
    """A person mends everything in one go."""
    change(folder, "trial.yaml", "[HTEST]", "[TEST]")
    change(folder, "trial.yaml", "class: AMB", "class: XXX")
    assert [issue.where.line for issue in issues(folder)] == [4, 24]


@pytest.mark.parametrize("name", ["site.yaml", "trial.yml", "codes.backup.yaml"])
def test_d69_an_unknown_yaml_file_is_refused(folder: Path, name: str) -> None:
    """A misspelt file would otherwise be passed over in silence."""
    (folder / name).write_text("{}")
    code, file, _, message = refused(folder)
    assert (code, file) == ("unknown-file", name)
    assert message.endswith("known are codes.yaml, decisions.yaml, sources.yaml, trial.yaml")


def test_a_missing_file_is_refused(folder: Path) -> None:
    """All four files belong to a trial."""
    (folder / "codes.yaml").unlink()
    assert refused(folder)[:2] == ("unreadable-file", "codes.yaml")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("folder: data", "folder: ..", 1),
        ("folder: data", "folder: /etc", 1),
        ("file: sv.csv", "file: ../../../etc/passwd", 37),
        ("file: sv.csv", "file: /etc/passwd", 37),
        ("sources:\n", "ignored_files: {../../outside.csv: not ours}\nsources:\n", 3),
    ],
)
def test_d69_a_path_out_of_the_folder_is_refused(folder: Path, old: str, new: str, line: int) -> None:
    """Sources lie inside the trial folder, named on the line of the path."""
    change(folder, "sources.yaml", old, new)
    code, file, found, message = refused(folder)
    assert (code, file, found) == ("path-outside", "sources.yaml", line)
    assert message.endswith("leads out of the trial folder; name a place inside it")


def test_d69_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    """A symbolic link is followed before it is judged."""
    (folder / "elsewhere").symlink_to(folder.parent)
    change(folder, "sources.yaml", "folder: data", "folder: elsewhere")
    assert refused(folder)[0] == "path-outside"


def test_the_public_study_comes_with_the_installation() -> None:
    """It is known by its id."""
    assert "cdisc-pilot-18" in known_trials()
    assert (trial_path("cdisc-pilot-18") / "trial.yaml").is_file()


def test_a_trial_may_be_named_by_its_path(folder: Path) -> None:
    """Any folder with a trial.yaml is a trial."""
    assert trial_path(str(folder)) == folder


@pytest.mark.parametrize("name", ["cdisc-pilot-19", "", "a\0b"])
def test_an_unknown_trial_is_refused_with_the_known_ones(name: str) -> None:
    """The message says which trials there are."""
    with pytest.raises(Misconfigured, match="cdisc-pilot-18") as caught:
        trial_path(name)
    assert caught.value.issues[0].code == "unknown-trial"

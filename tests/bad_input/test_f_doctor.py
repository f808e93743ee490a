"""Group F of the bad-input list: files with secrets that others may read, or that hold something else (102)."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.jobs.doctor import Check, DoctorOptions, examine, read_configuration
from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import Run

CANARY = "canary-5d1f"
NAMESPACE = "6f1c7a52-4b7e-4b0c-9f55-0d6f1a2b3c4d"
OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n"


def openssh(cipher: bytes) -> str:
    """The head of an OpenSSH key, made up."""
    raw = b"openssh-key-v1\0" + len(cipher).to_bytes(4, "big") + cipher + b"\0" * 40
    return OPENSSH.format(base64.b64encode(raw).decode())


def pem(kind: str, head: str = "") -> str:
    """A text in the form of a key, made up."""
    return f"-----BEGIN {kind}-----\n{head}{CANARY}\n-----END {kind}-----\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration that names a file with a token."""
    text = "servers:\n  research:\n    base: https://fhir.test/r4\n    auth: {token_file: secret.token}\n"
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def secret(place: Path, content: str | bytes = CANARY, mode: int = 0o600) -> Path:
    """Write the file with the token."""
    path = place / "secret.token"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def token(place: Path) -> Check:
    """What doctor says of it, which never repeats it."""
    report = examine(read_configuration(place / "config.yaml"), DoctorOptions())
    (found,) = [one for one in report.checks if one.id == "token"]
    assert CANARY not in str(report.to_dict())
    assert (found.status == "fail") == (report.matters == {"set-up"})
    return found


def test_f102_a_token_for_its_owner_alone(place: Path) -> None:
    """This is how it should be."""
    secret(place)
    assert (token(place).status, token(place).found) == ("pass", "read from the file secret.token")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o666, 0o640, 0o660, 0o620])
def test_f102_a_token_that_others_may_use(place: Path, mode: int) -> None:
    """Read or written, by the group or by everybody: refused, with the mode and the command that mends it."""
    secret(place, mode=mode)
    found = token(place)
    assert (found.status, found.do) == ("fail", "chmod 600 secret.token; if others saw it, renew it")
    assert f"(mode {mode:04o})" in found.found


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_f102_a_token_that_only_its_owner_may_use(place: Path, mode: int) -> None:
    """Accepted."""
    secret(place, mode=mode)
    assert token(place).status == "pass"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_f102_a_token_that_we_read_as_members_of_its_group(place: Path) -> None:
    """So containers mount secrets: somebody else's file, for reading by the group alone."""
    os.chown(secret(place, mode=0o440), 12345, 12345)
    assert token(place).status == "pass"


def test_f102_a_link_to_what_everybody_may_read(place: Path) -> None:
    """The mode of the file that it leads to counts."""
    secret(place, mode=0o644).rename(place / "elsewhere")
    (place / "secret.token").symlink_to("elsewhere")
    found = token(place)
    assert (found.status, "links to a file that everybody may use" in found.found) == ("fail", True)


def test_f102_a_token_that_is_not_there(place: Path) -> None:
    """Named, with the place where it is looked for."""
    assert (token(place).status, "secret.token is not there" in token(place).found) == ("fail", True)


def test_f102_a_link_that_leads_nowhere(place: Path) -> None:
    """Said as such."""
    (place / "secret.token").symlink_to("nowhere")
    assert "a link that leads nowhere" in token(place).found


@pytest.mark.parametrize("name", ['"a\\0b"', "config.yaml/x", "x" * 300])
def test_f102_a_name_that_no_file_can_have(place: Path, name: str) -> None:
    """A null byte, a file as a folder, a name too long: one finding each."""
    text = f"servers:\n  research:\n    base: https://fhir.test/r4\n    auth: {{token_file: {name}}}\n"
    (place / "config.yaml").write_text(text, encoding="utf-8")
    assert token(place).status == "fail"


def test_f102_a_folder_in_place_of_a_token(place: Path) -> None:
    """No regular file."""
    (place / "secret.token").mkdir()
    assert "secret.token is a folder" in token(place).found


def test_f102_a_pipe_in_place_of_a_token(place: Path) -> None:
    """It is not opened, which would wait for ever; neither when the server is looked at."""
    os.mkfifo(place / "secret.token")
    report = examine(read_configuration(place / "config.yaml"), DoctorOptions(server="research"))
    found = {one.id: one.status for one in report.checks}
    assert (found["token"], found["server"]) == ("fail", "skipped")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pem("PRIVATE KEY"), "a private key (not encrypted)"),
        (pem("RSA PRIVATE KEY"), "a private key (not encrypted)"),
        (pem("ENCRYPTED PRIVATE KEY"), "a private key (encrypted)"),
        (pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n"), "a private key (encrypted)"),
        (openssh(b"none"), "a private key (not encrypted)"),
        (openssh(b"aes256-ctr"), "a private key (encrypted)"),
        (OPENSSH.format("x"), "a private key (not encrypted)"),
        (pem("CERTIFICATE"), "a certificate"),
        (pem("PUBLIC KEY"), "a key or a certificate"),
        ('{"kty": "RSA", "d": "canary-5d1f"}', "a key in JSON (JWK)"),
    ],
)
def test_f102_a_key_in_place_of_a_token(place: Path, content: str, kind: str) -> None:
    """Which kind it is, and that a bearer token is read here."""
    secret(place, content)
    found = token(place)
    assert (found.status, f"it is {kind}, no token" in found.found) == ("fail", True)
    assert "a bearer token is read here" in found.do


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\x30\x82\x04\xa4" + CANARY.encode(), "no UTF-8 text"),
        ("canary-5d1f\r\nX-Evil: y", "characters that no HTTP header may hold"),
        ("can\u00e4ry", "characters that no HTTP header may hold"),
        ("canary-5d1f" * 800, "longer than 8000 characters"),
    ],
)
def test_f102_what_no_token_can_be(place: Path, content: str | bytes, found: str) -> None:
    """Empty, binary, several lines, too long."""
    secret(place, content)
    assert (token(place).status, found in token(place).found) == ("fail", True)


def test_f102_a_key_in_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same is found out there."""
    monkeypatch.setenv("FHIR_ADAPTER_RESEARCH_TOKEN", pem("PRIVATE KEY"))
    assert "a private key (not encrypted), no token" in token(place).found


@pytest.mark.parametrize("auth", [f"auth: {{token: {CANARY}}}", f"headers: {{X-Api-Key: {CANARY}}}"])
def test_f102_a_configuration_that_holds_secrets_itself(tmp_path: Path, auth: str) -> None:
    """It is a file with secrets then, and must be kept like one."""
    path = tmp_path / "config.yaml"
    path.write_text(f"servers:\n  research:\n    base: https://fhir.test/r4\n    {auth}\n", encoding="utf-8")
    path.chmod(0o644)
    report = examine(read_configuration(path), DoctorOptions())
    (found,) = [one for one in report.checks if one.id == "configuration"]
    assert (found.status, "may be used by everybody (mode 0644)" in found.found) == ("fail", True)
    assert CANARY not in str(report.to_dict())


def namespaced(river: SmallTrial, content: str | None, mode: int = 0o600) -> dict[str, Check]:
    """The checks of a trial whose ids are made from a secret in a file."""
    stated = "id_namespace: 5b0f3f9e-6c0a-4d0e-9b61-7a4f1f6a2c11"
    river.replace("trial.yaml", stated, "id_namespace: {file: namespace.secret}")
    if content is not None:
        (river.trial / "namespace.secret").write_text(content, encoding="utf-8")
        (river.trial / "namespace.secret").chmod(mode)
    report = examine(read_configuration(None), DoctorOptions(str(river.trial)))
    assert NAMESPACE not in str(report.to_dict())
    return {one.id: one for one in report.checks}


def test_f102_the_secret_of_the_ids(river: SmallTrial) -> None:
    """A UUID for its owner alone."""
    found = namespaced(river, f"{NAMESPACE}\n")
    assert (found["id-namespace"].status, found["trial"].status) == ("pass", "pass")


def test_f102_the_secret_of_the_ids_for_everybody(river: SmallTrial) -> None:
    """Refused; the trial is read all the same."""
    found = namespaced(river, NAMESPACE, 0o644)
    assert (found["id-namespace"].status, found["trial"].status) == ("fail", "pass")
    assert "link pseudonyms" in found["id-namespace"].do


@pytest.mark.parametrize("content", [None, "", "canary", "\0"])
def test_f102_the_secret_of_the_ids_is_none(river: SmallTrial, content: str | None) -> None:
    """Missing or no UUID: the trial cannot be read before it is mended."""
    found = namespaced(river, content)
    assert (found["id-namespace"].status, found["trial"].status) == ("fail", "skipped")


@pytest.mark.parametrize(("value", "status"), [(NAMESPACE, "pass"), ("canary", "fail"), ("", "fail")])
def test_f102_the_secret_of_the_ids_in_the_environment(
    river: SmallTrial, monkeypatch: pytest.MonkeyPatch, value: str, status: str
) -> None:
    """A UUID, or a finding that names the variable alone."""
    monkeypatch.setenv("RIVER_NAMESPACE", value)
    stated = "id_namespace: 5b0f3f9e-6c0a-4d0e-9b61-7a4f1f6a2c11"
    river.replace("trial.yaml", stated, "id_namespace: {environment: RIVER_NAMESPACE}")
    report = examine(read_configuration(None), DoctorOptions(str(river.trial)))
    (found,) = [one for one in report.checks if one.id == "id-namespace"]
    assert (found.status, "RIVER_NAMESPACE" in found.found) == (status, True)
    assert "canary" not in str(report.to_dict())


def command(river: SmallTrial, *options: str | Path, **variables: str) -> Run:
    """Run doctor with a configuration that names a token in a file."""
    config = river.folder / "config.yaml"
    text = "servers:\n  place:\n    base: http://127.0.0.1:1/fhir\n    auth: {token_file: token.txt}\n"
    config.write_text(text, encoding="utf-8")
    return river.person.runs("doctor", "--config", config, "--server", "place", *options, **variables)


@pytest.mark.parametrize("output", ["table", "json"])
def test_f102_the_command_refuses_and_tells_no_secret(river: SmallTrial, output: str) -> None:
    """Exit 2 before everything else that is wrong."""
    (river.folder / "token.txt").write_text(CANARY)
    (river.folder / "token.txt").chmod(0o644)
    run = command(river, "--trial", river.trial, "--format", output)
    assert run.exit_code == 2
    assert "mode 0644" in run.out
    assert CANARY not in run.out + run.err


def test_f103_no_subject_is_told(river: SmallTrial) -> None:
    """No name of a subject stands in what doctor says, whatever is set aside."""
    river.add("events.csv", "S01,canary-5d1f,canary-5d1f,canary-5d1f,canary-5d1f,canary-5d1f,")
    run = command(river, "--trial", river.trial, "--format", "json")
    rows = river.file("subjects.csv").read_text(encoding="utf-8").splitlines()[1:]
    told: list[Any] = [row.split(",")[0] for row in rows if row.split(",")[0] in run.out]
    assert told == []
    assert CANARY not in run.out + run.err

"""What the configuration says, and what it is refused for: always with file and line, never with a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.settings import Settings, read_settings, state_file

Write = Callable[[str], Settings]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a configuration and read it."""

    def written(text: str) -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return read_settings(path)

    return written


SERVER = "servers:\n  research:\n    base: https://fhir.test/r4/\n"


def test_a_server_is_read_with_its_defaults(write: Write) -> None:
    """A slash at the end of the base does not make another server."""
    server = write(SERVER).server("research")
    assert (server.base, server.role, server.kind, server.test) == ("https://fhir.test/r4", "both", "research", False)


def test_no_configuration_is_no_error() -> None:
    """Without a file there are no servers and no defaults."""
    assert read_settings(None) == Settings()


@pytest.mark.parametrize(
    ("url", "test"),
    [
        ("http://127.0.0.1:8080/fhir", True),
        ("http://localhost/fhir", True),
        ("http://[::1]:80/fhir", True),
        ("https://fhir.test/r4", False),
        ("http://127.0.0.1.evil.test/fhir", False),
    ],
)
def test_a_bare_url_is_a_test_server_on_loopback_only(url: str, *, test: bool) -> None:
    """Everywhere else nobody has said so."""
    assert Settings().server(url).test is test


@pytest.mark.parametrize("name", ["nobody", "ftp://canary@x.test", "HTTPS://bob:canary@x.test", ""])
def test_an_unknown_server_is_refused(name: str) -> None:
    """The message says what there is, and repeats nothing that may hold credentials."""
    with pytest.raises(Misconfigured, match="none is configured") as caught:
        Settings().server(name)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://user:canary@fhir.test/r4", "https://canary@fhir.test/r4"])
def test_f103_credentials_inside_a_url_are_refused_and_not_repeated(url: str) -> None:
    """URLs end up in logs."""
    with pytest.raises(Misconfigured) as caught:
        Settings().server(url)
    assert "canary" not in str(caught.value) + str(caught.value.issues)


@pytest.mark.parametrize("url", ["https://", "https://fhir.test/r4?x=1", "https://fhir.test/r4#x"])
def test_a_url_that_is_no_base_is_refused(url: str) -> None:
    """A base has a host, and no query."""
    with pytest.raises(Misconfigured, match="host"):
        Settings().server(url)


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        (SERVER + "    tset: true\n", 4, "unknown-key"),
        (SERVER + "    test: 'yes'\n", 4, "wrong-value"),
        (SERVER + "    auth: {token: canary, token_file: t}\n", 4, "secret-twice"),
        (SERVER + "    auth: {token_file: nowhere}\n", 4, "secret-missing"),
        (SERVER + "    auth: {token_file: empty}\n", 4, "secret-missing"),
        (SERVER + "    auth: {token_environment: NOT_SET}\n", 4, "secret-missing"),
        ("servers:\n  research:\n    base: https://canary:canary@fhir.test\n", 3, "secret-in-url"),
        (SERVER + "    auth: {token: 'can\u00e4ry'}\n", 4, "wrong-secret"),
        (SERVER + "    auth: {token_file: two-lines}\n", 4, "wrong-secret"),
        (SERVER + '    headers: {X-Key: "canary\\r\\nX: y"}\n', 4, "wrong-secret"),
        (SERVER + "    ca_bundle: nowhere.pem\n", 4, "missing-file"),
        (SERVER + "    proxy: ftp://canary@proxy.test\n", 4, "wrong-url"),
        (SERVER + "    proxy: http://canary:canary@proxy.test\n", 4, "secret-in-url"),
        ("servers:\n  research:\n    base: http://[::1/canary\n", 3, "wrong-url"),
        ("servers:\n  research:\n    base: htps://canary:canary@fhir.test\n", 3, "wrong-value"),
        (SERVER + "    auth: {token: *canary}\n", 4, "unreadable-file"),
        ("servers: []\n", 1, "wrong-value"),
        ("servers: {a: {}}\n", 1, "wrong-value"),
    ],
)
def test_h126_what_is_wrong_is_refused_with_file_and_line(
    write: Write, tmp_path: Path, text: str, line: int, code: str
) -> None:
    """And a secret is never part of the message."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "two-lines").write_text("canary\nX: y")
    with pytest.raises(Misconfigured) as caught:
        write(text).server("research")
    (issue,) = caught.value.issues
    assert (issue.where.file, issue.where.line, issue.code) == (str(tmp_path / "config.yaml"), line, code)
    assert "canary" not in str(caught.value) + issue.message


def test_the_environment_beats_the_file(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token for one run need not change the file."""
    (tmp_path / "t").write_text("from the file\n")
    settings = write(SERVER + "    auth: {token_file: t}\n")
    token = settings.server("research").token
    assert token is not None
    assert token.reveal() == "from the file"
    monkeypatch.setenv("FHIR_ADAPTER_RESEARCH_TOKEN", "from the environment")
    token = settings.server("research").token
    assert token is not None
    assert token.reveal() == "from the environment"


def test_what_is_beside_the_configuration_is_found_there(write: Write, tmp_path: Path) -> None:
    """A CA bundle by its name, a proxy by its URL, other headers as secrets."""
    (tmp_path / "ca.pem").write_text("made up")
    server = write(
        SERVER + "    ca_bundle: ca.pem\n    proxy: http://proxy.test:3128\n    headers: {X-Key: k}\n"
    ).server("research")
    assert (server.ca_bundle, server.proxy) == (str(tmp_path / "ca.pem"), "http://proxy.test:3128")
    assert server.headers["X-Key"].reveal() == "k"


def test_a_token_may_stand_in_the_file_or_nowhere(write: Write) -> None:
    """Inline, and none at all."""
    token = write(SERVER + "    auth: {token: inline}\n").server("research").token
    assert token is not None
    assert token.reveal() == "inline"
    assert write(SERVER).server("research").token is None


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("{t}/a.sqlite", "{t}/a.sqlite"), ("sqlite:///{t}/a.sqlite", "{t}/a.sqlite"), ("{t}", "{t}/trial.sqlite")],
)
def test_the_state_is_where_it_is_said(tmp_path: Path, stated: str, expected: str) -> None:
    """A file, a URL of one, or a folder."""
    assert state_file(stated.format(t=tmp_path), "trial") == Path(expected.format(t=tmp_path))


def test_the_state_is_in_the_users_folder_by_default() -> None:
    """One file per trial."""
    assert state_file(None, "trial").name == "trial.sqlite"


@pytest.mark.parametrize("stated", ["postgresql:///x", "postgresql://bob:canary@host/x", "sqlite://x"])
def test_a_database_that_is_not_supported_is_refused(stated: str) -> None:
    """Better than a file of that name; credentials are not repeated."""
    with pytest.raises(Misconfigured, match="not supported") as caught:
        state_file(stated, "trial")
    assert "canary" not in str(caught.value)

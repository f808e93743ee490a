"""What every command has in common at its edge: exit codes, what is shown, what is hidden."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from fhir_adapter import cli
from fhir_adapter.cli import border, show
from fhir_adapter.cli.exit_codes import exit_code
from fhir_adapter.cli.push import PUSH_OUTCOMES
from fhir_adapter.issues import Fatal, Issue, Misconfigured, Refused, Rejected, Retriable, Where


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the program in this process; answers its exit code."""
    monkeypatch.setattr(sys, "argv", ["fhir-adapter", *words])
    monkeypatch.setattr(signal, "signal", lambda *_args: None)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(border, "leave", sys.exit)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misconfigured("m"), 2),
        (Refused("r"), 4),
        (Rejected("r"), 4),
        (Fatal("f"), 4),
        (Retriable("r"), 5),
    ],
)
def test_an_error_has_the_exit_code_of_what_to_do_about_it(error: Fatal, code: int) -> None:
    """By kind of recovery, never by its text."""
    assert exit_code(error) == code


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command fail that way."""

    def fail() -> NoReturn:
        raise error

    monkeypatch.setattr(border, "_command", fail)


def test_a_bug_is_one_line_and_its_place_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The message of Python's own error may quote data, so neither screen nor log repeats it."""
    fail_with(KeyError("a subject's name"), monkeypatch)
    assert run(monkeypatch) == 1
    said = capsys.readouterr().err
    assert "a bug (KeyError)" in said
    logs = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("bugs.log")]
    assert "test_border.py" in logs[0]
    assert "subject's name" not in said + logs[0]


def test_issues_are_shown_line_by_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where, what, and the code."""
    issue = Issue("error", "unknown-key", "unknown key 'x'", Where("trial.yaml", 3))
    fail_with(Misconfigured("summary", issue), monkeypatch)
    assert run(monkeypatch) == 2
    assert capsys.readouterr().err == "fhir-adapter: trial.yaml:3: unknown key 'x' [unknown-key]\n"


def test_an_error_without_issues_shows_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing ends without a word."""
    fail_with(Retriable("the network is down"), monkeypatch)
    assert run(monkeypatch) == 5
    assert "the network is down" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--help"], 0), (["--version"], 0), (["push"], 2), (["nonsense"], 2), (["demo", "--subjects", "0"], 2)],
)
def test_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    """Help is no error; a wrong word is, with a hint."""
    assert run(monkeypatch, *words) == code
    assert capsys.readouterr()


def test_map_in_this_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The column report as JSON, the resources in a file, nothing half-written beside it."""
    out = tmp_path / "resources.ndjson"
    words = ["map", "--trial", "cdisc-pilot-18", "--out", str(out), "--format", "json"]
    assert run(monkeypatch, *words) == 0
    report = json.loads(capsys.readouterr().out)
    assert {use["use"] for use in report["columns"]} == {"mapped", "ignored"}
    assert report["resources"]["Encounter"] == 164
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ""] == ["resources.ndjson"]


def test_map_to_standard_output_keeps_the_report_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The resources go to standard output, the tables to standard error."""
    assert run(monkeypatch, "map", "--trial", "cdisc-pilot-18", "--out", "-") == 0
    said = capsys.readouterr()
    assert all(line.startswith('{"resourceType":"') for line in said.out.splitlines())
    assert "What became of every column" in said.err


def test_a_demo_in_this_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The story as a person sees it."""
    assert run(monkeypatch, "demo", "--subjects", "1") == 0
    said = capsys.readouterr()
    assert "What stands on the server" in said.out
    assert "Second push: 0 requests." in said.err


def test_an_unknown_quirk_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the names that there are."""
    assert run(monkeypatch, "sandbox", "--port", "0", "--quirks", "nonsense") == 2
    assert "no-create-on-update" in capsys.readouterr().err


def test_what_moves_the_cursor_is_written_out() -> None:
    """Escapes, line ends and changes of direction of a source are shown, not obeyed."""
    assert show.visible("a\x1b[2J\nb\u202ec\u200d李") == "a\\u001b[2J\\u000ab\\u202ec\u200d李"


def test_many_issues_are_cut_to_a_screenful() -> None:
    """The rest is counted by code."""
    lines = show.issue_lines([Issue("error", "duplicate-key", "m", Where("f", n)) for n in range(25)])
    assert len(lines) == 21
    assert lines[-1] == "and 5 more (5 duplicate-key); --format json lists all"


def test_a_progress_bar_is_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Elsewhere nothing is written."""
    show.progress_bar(3)(1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    advance = show.progress_bar(2)
    advance(2)
    assert "2/2" in capsys.readouterr().err


def test_help_does_not_load_what_it_does_not_need() -> None:
    """The common path stays fast: no database, no HTTP, no FHIR models for --help."""
    code = (
        "import sys; sys.argv = ['fhir-adapter', '--help']\n"
        "from fhir_adapter import cli\n"
        "from fhir_adapter.cli import border\n"
        "border.leave = sys.exit\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'httpx2', 'fhir', 'fastapi', 'ruamel.yaml', 'jsonschema'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert answer.stderr.strip() == "[]"


def test_the_outcome_of_a_push_decides_the_exit_code() -> None:
    """Done, in part, refused, stopped."""
    assert PUSH_OUTCOMES == {"done": 0, "in part": 3, "refused": 4, "stopped": 5}


@pytest.mark.parametrize("kind", ["folder", "link", "nowhere"])
def test_what_is_no_ordinary_file_is_not_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    """A folder, a link to somewhere else, a place that is not there: refused, and left as it is."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    out = {"folder": "folder", "link": "link", "nowhere": "no/where"}[kind]
    assert run(monkeypatch, "map", "--trial", "cdisc-pilot-18", "--out", str(tmp_path / out)) == 2
    assert "[unwritable]" in capsys.readouterr().err
    assert (tmp_path / "kept").read_text() == "kept"


def test_a_failing_disk_is_the_surroundings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No bug of ours, and worth another run."""
    fail_with(OSError(28, "No space left on device"), monkeypatch)
    assert run(monkeypatch) == 5
    assert "No space left on device" in capsys.readouterr().err

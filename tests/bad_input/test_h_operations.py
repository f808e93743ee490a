"""Group H of the bad-input list: what a wrong configuration says, and what an unusual terminal must not break."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.bad_input.small_trial import SmallTrial
from tests.stories.commands import COMMAND, Person, Run, run_command, surroundings

CONFIG = """\
# Servers of the made-up trial.
format: json
servers:
  research:
    base: https://fhir.example/r4
    role: write
    timeout_seconds: 30
    auth:
      token_environment: RESEARCH_TOKEN
"""


def configured(river: SmallTrial, text: str, **variables: str) -> Run:
    """Push with a configuration of this text; the token is in the environment."""
    path = river.folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return river.person.runs(
        *("push", "--trial", river.trial, "--server", "research", "--config", path),
        *("--state", river.folder / "state.sqlite"),
        **variables,
    )


def line_of(text: str, start: str) -> int:
    """The line (from 1) that starts so."""
    return [line.strip().startswith(start) for line in text.splitlines()].index(True) + 1


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("format: json", "formatt: json", "formatt"),
        ("role: write", "roll: write", "roll"),
        ("token_environment:", "token_enviroment:", "token_enviroment"),
        ("# Servers of the made-up trial.", "include: other.yaml", "include"),
    ],
)
def test_h126_an_unknown_key(river: SmallTrial, old: str, new: str, key: str) -> None:
    """A key that nobody reads: exit 2, with file, line and key."""
    text = CONFIG.replace(old, new)
    run = configured(river, text, RESEARCH_TOKEN="t")
    assert run.exit_code == 2
    assert f"config.yaml:{line_of(text, key)}" in run.err
    assert key in run.err


@pytest.mark.parametrize(
    ("old", "new", "start"),
    [
        ("timeout_seconds: 30", "timeout_seconds: soon", "timeout_seconds"),
        ("timeout_seconds: 30", "timeout_seconds: 0", "timeout_seconds"),
        ("role: write", "role: boss", "role"),
        ("base: https://fhir.example/r4", "base: 7", "base"),
        ("format: json", "format: xml", "format"),
    ],
)
def test_h126_a_wrong_type(river: SmallTrial, old: str, new: str, start: str) -> None:
    """A value of another type or outside its list: exit 2, with file and line."""
    text = CONFIG.replace(old, new)
    run = configured(river, text, RESEARCH_TOKEN="t")
    assert run.exit_code == 2
    assert f"config.yaml:{line_of(text, start)}" in run.err


def test_h126_no_yaml(river: SmallTrial) -> None:
    """A file that is no YAML: exit 2, with file and line, and no traceback."""
    run = configured(river, "servers:\n  research: {base: [\n")
    assert run.exit_code == 2
    assert "config.yaml:" in run.err
    assert "a bug" not in run.err


@pytest.mark.parametrize("secret", ["token_environment: RESEARCH_TOKEN", "token_file: not-there.txt"])
def test_h126_a_secret_that_is_missing(river: SmallTrial, secret: str) -> None:
    """A variable that is not set, a file that does not exist: exit 2, with file, line and name."""
    text = CONFIG.replace("token_environment: RESEARCH_TOKEN", secret)
    run = configured(river, text)
    assert run.exit_code == 2
    assert f"config.yaml:{line_of(text, secret)}" in run.err
    assert secret.partition(": ")[2] in run.err


def test_h126_a_secret_that_is_empty(river: SmallTrial) -> None:
    """A variable that is set to nothing is missing, too."""
    run = configured(river, CONFIG, RESEARCH_TOKEN="")
    assert run.exit_code == 2
    assert f"config.yaml:{line_of(CONFIG, 'token_environment')}" in run.err


def test_h126_one_secret_given_twice(river: SmallTrial) -> None:
    """One secret inline and as a file: exit 2, with file and line; nobody guesses which is meant."""
    text = CONFIG.replace("token_environment: RESEARCH_TOKEN", "token: inline\n      token_file: token.txt")
    (river.folder / "token.txt").write_text("from the file\n", encoding="utf-8")
    run = configured(river, text)
    places = [f"config.yaml:{line_of(text, start)}" for start in ("auth", "token: ", "token_file")]
    assert run.exit_code == 2
    assert [place for place in places if place in run.err]
    assert "token_file" in run.err


def test_h126_a_configuration_that_is_not_there(river: SmallTrial) -> None:
    """A file named by --config that does not exist: exit 2, and its name."""
    run = river.person.runs("push", "--trial", river.trial, "--server", "research", "--config", "nowhere.yaml")
    assert run.exit_code == 2
    assert "nowhere.yaml" in run.err


def piped(river: SmallTrial, arguments: str, reader: str, **variables: str) -> Run:
    """Run the command with its standard output going to another program."""
    line = f'set -o pipefail; "$@" {arguments} | {reader}'
    done = subprocess.run(
        ["/bin/bash", "-c", line, "bash", *COMMAND],
        capture_output=True,
        check=False,
        cwd=river.trial.parent,
        env=surroundings(river.person.home, **variables),
        timeout=60,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    "arguments",
    ["map --trial ./river-7 --out -", "map --trial ./river-7", "map --trial ./river-7 --format json", "--help"],
)
@pytest.mark.parametrize("reader", ["head -c 1", "true"])
def test_h127_nobody_reads_to_the_end(river: SmallTrial, arguments: str, reader: str) -> None:
    """Standard output closed before the end: no traceback, and nothing about a broken pipe."""
    run = piped(river, arguments, reader)
    assert "a bug" not in run.err
    assert "BrokenPipe" not in run.err
    assert "Exception ignored" not in run.err


@pytest.mark.parametrize(
    "variables",
    [
        {"NO_COLOR": "1"},
        {"COLUMNS": "20"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb", "COLUMNS": "0"},
    ],
    ids=["no colour", "narrow", "ascii", "dumb"],
)
def test_h127_a_terminal_of_another_kind(river: SmallTrial, variables: dict[str, str]) -> None:
    """Without colour, in 20 columns, in ASCII only: tables and errors come out whole, with no traceback."""
    river.replace("results.csv", "310,ug/L", "310,毫克/L")
    with river.pushing() as pushing:
        run = pushing.push("--format", "table", **variables)
    assert run.exit_code == 3
    assert "a bug" not in run.err
    assert "\x1b[" not in run.out + run.err
    assert "results.csv:5" in (run.out + run.err).replace("\n", "").replace(" ", "")


def test_h127_json_is_never_wrapped(river: SmallTrial) -> None:
    """Machine-readable output is the same object whatever the terminal."""
    river.replace("results.csv", "310,ug/L", "310,毫克/L")
    with river.pushing() as pushing:
        run = pushing.push("--dry-run", COLUMNS="20", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert run.set_aside[0]["where"] | {"file": "results.csv", "line": 5} == run.set_aside[0]["where"]
    assert "毫克" in run.set_aside[0]["message"]


def test_h127_no_standard_output_at_all(river: SmallTrial) -> None:
    """Standard output closed from the start: the push itself is done, and it is not called a bug."""
    with river.pushing() as pushing:
        words = [str(word) for word in pushing.arguments()]
        closed = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&-', "sh", *COMMAND, *words],
            capture_output=True,
            check=False,
            env=surroundings(river.person.home),
            cwd=river.folder,
            timeout=60,
        )
        again = pushing.push()
    assert (again.exit_code, again.report["requests"]) == (0, 0)
    assert b"a bug" not in closed.stderr
    assert closed.returncode != 1


SEED = Path(__file__).resolve().parents[2] / "mappings" / "trials" / "nct02569463"
PULL = f"pull --trial {SEED} --file ./hospital.ndjson"
RESULTS = [
    PULL,
    f"{PULL} --format json",
    f"score --trial {SEED}",
    f"score --trial {SEED} --format json",
    "score --input ./hospital.ndjson",
    "score --input ./hospital.ndjson --format json",
    f"explain --trial {SEED} --subject S03",
    f"explain --trial {SEED} --subject S03 --format json",
    f"report --trial {SEED} --out ./report.html",
    f"report --trial {SEED} --out ./report.html --format json",
]
TERMINALS = {
    "no colour": {"NO_COLOR": "1"},
    "narrow": {"COLUMNS": "20"},
    "ascii": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "dumb": {"TERM": "dumb", "COLUMNS": "0"},
}


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> SmallTrial:
    """Somebody who has pulled the hospital's file of the seed trial, beside the made-up trial."""
    river = SmallTrial.copied(tmp_path_factory.mktemp("pulled") / "river")
    names = ("patients.ndjson", "results.ndjson")
    published = b"".join((SEED / "hospital" / name).read_bytes() for name in names)
    (river.trial.parent / "hospital.ndjson").write_bytes(published)
    seed(river, PULL)
    return river


@pytest.fixture
def ward(pulled: SmallTrial, tmp_path: Path) -> SmallTrial:
    """Somebody whose files are those of the one who has pulled."""
    shutil.copytree(pulled.folder, tmp_path / "river")
    return SmallTrial(tmp_path / "river", Person(tmp_path / "river" / "home"))


def seed(ward: SmallTrial, arguments: str, **variables: str) -> Run:
    """Run a command where the hospital's file lies; on another terminal it does what it does on ours."""
    return run_command(arguments.split(), ward.person.home, ward.trial.parent, **variables)


@pytest.mark.parametrize("arguments", RESULTS)
def test_h127_nobody_reads_results_to_the_end(ward: SmallTrial, arguments: str) -> None:
    """Standard output closed at once, or after one character: no traceback, and nothing about a broken pipe."""
    told = [piped(ward, arguments, reader).err for reader in ("head -c 1", "true")]
    assert [word for word in ("a bug", "Traceback", "BrokenPipe", "Exception ignored") if word in "".join(told)] == []


@pytest.mark.parametrize("kind", sorted(TERMINALS))
def test_h127_results_on_a_terminal_of_another_kind(ward: SmallTrial, kind: str) -> None:
    """Without colour, in 20 columns, in ASCII only: numbers come out whole, with no traceback."""
    commands = [one for one in RESULTS if "--trial" in one and "json" not in one.split()]
    runs = {arguments.split()[0]: seed(ward, arguments, **TERMINALS[kind]) for arguments in commands}
    told = "".join(run.out + run.err for run in runs.values())
    assert {command: run.exit_code for command, run in runs.items()} == {
        "pull": 3,
        "score": 0,
        "explain": 0,
        "report": 0,
    }
    assert [word for word in ("a bug", "Traceback", "\x1b[") if word in told] == []
    assert "209-244" in runs["score"].out
    assert "209-244" in runs["explain"].out


@pytest.mark.parametrize(
    "arguments", ["score --trial {seed} --format json", "explain --trial {seed} --subject S03 --format json"]
)
def test_h127_results_as_json_are_never_wrapped(ward: SmallTrial, arguments: str) -> None:
    """The same object on every terminal, with its Chinese words."""
    line = arguments.format(seed=SEED)
    usual = seed(ward, line).report
    assert [seed(ward, line, **variables).report == usual for variables in TERMINALS.values()] == [True] * 4
    assert "研究者甲" in json.dumps(usual, ensure_ascii=False)


@pytest.mark.parametrize("arguments", [one for one in RESULTS if "json" in one.split()])
def test_h127_no_standard_output_for_results(ward: SmallTrial, arguments: str) -> None:
    """Standard output closed from the start is not called a bug."""
    closed = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {arguments} >&-', "sh", *COMMAND],
        capture_output=True,
        check=False,
        env=surroundings(ward.person.home),
        cwd=ward.trial.parent,
        timeout=60,
    )
    assert b"a bug" not in closed.stderr
    assert closed.returncode != 1


def test_h133_a_report_of_the_same_data_is_the_same_file(ward: SmallTrial) -> None:
    """Another minute, clock, language, width and hash seed: byte for byte the same."""
    first = seed(ward, f"report --trial {SEED} --out ./one.html", PYTHONHASHSEED="1")
    time.sleep(1.1)
    elsewhere = {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C", "COLUMNS": "30", "NO_COLOR": "1"}
    second = seed(ward, f"report --trial {SEED} --out ./two.html", **elsewhere)
    one, two = ((ward.trial.parent / name).read_bytes() for name in ("one.html", "two.html"))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert one == two


def test_h133_a_report_over_an_older_one(ward: SmallTrial) -> None:
    """Written again in place it is the same, with nothing of the older file left."""
    page = ward.trial.parent / "page.html"
    seed(ward, f"report --trial {SEED} --out ./page.html")
    fresh = page.read_bytes()
    page.write_bytes(fresh + b"older and longer" * 1000)
    seed(ward, f"report --trial {SEED} --out ./page.html")
    assert page.read_bytes() == fresh


def test_h133_scores_of_the_same_data_are_the_same_bytes(ward: SmallTrial) -> None:
    """In JSON, too."""
    line = f"score --trial {SEED} --format json"
    assert seed(ward, line, PYTHONHASHSEED="1").out == seed(ward, line, PYTHONHASHSEED="2", TZ="UTC").out

"""Every command of the README is run as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fhir_adapter.client import loopback_server
from fhir_adapter.jobs.demo import publish
from tests.stories.commands import unmeasured
from tests.stories.sandbox import running

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/how-to/your-trial.md",
    "docs/how-to/start-a-trial.md",
    "docs/how-to/your-server.md",
    "docs/how-to/check-your-set-up.md",
    "docs/how-to/your-scores.md",
    "docs/how-to/validate.md",
)
SEND_PAGE = "docs/how-to/send-scores.md"
SERVICE_PAGE = "docs/how-to/your-service.md"
PROGRAM = ".venv/bin/fhir-adapter"


def commands(page: str) -> list[str]:
    """The lines of all shell blocks of a page, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder in which the README's relative paths work, and a server in place of its port 8080."""
    (tmp_path / "mappings").symlink_to(ROOT / "mappings")
    with running(str(tmp_path / "server.sqlite")) as base:
        for name in ("patients", "results"):
            lines = (ROOT / "mappings/trials/nct02569463/hospital" / f"{name}.ndjson").read_bytes().splitlines()
            publish(loopback_server(base), lines)
        config = f"servers:\n  research:\n    base: {base}\n    role: write\n    auth: {{token_file: research.token}}\n"
        (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
        (tmp_path / "research.token").write_text("made-up", encoding="utf-8")
        (tmp_path / "research.token").chmod(0o600)
        yield tmp_path, base


def is_server(line: str) -> bool:
    """True for what runs until it is stopped."""
    return line.split()[1] in ("sandbox", "serve")


def run(line: str, place: tuple[Path, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the README with the program under test, against the server of this test."""
    folder, base = place
    words = line.replace("http://127.0.0.1:8080/fhir", base).split()
    assert words[0] == PROGRAM
    command = [sys.executable, "-m", "fhir_adapter", *words[1:]]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=unmeasured(dict(os.environ)),
    )


def test_every_command_of_the_five_minutes_works(place: tuple[Path, str]) -> None:
    """In order, each exits as the README says: the pull and the score of a file with 3, the others with 0."""
    lines = [line for line in commands("README.md") if line.startswith(PROGRAM) and not is_server(line)]
    answers = dict(zip(lines, (run(line, place) for line in lines), strict=True))
    not_done = [line.split()[1] for line, answer in answers.items() if answer.returncode]
    assert (not_done, [a.returncode for a in answers.values() if a.returncode]) == (["pull", "score"], [3, 3])
    again = json.loads(next(a.stdout for line, a in answers.items() if " push " in line and line.endswith("json")))
    assert (again["plan"]["unchanged"], again["requests"]) == (1438, 0)
    assert len((place[0] / "resources.ndjson").read_bytes().splitlines()) == 1438
    explained = next(answer.stdout for line, answer in answers.items() if " explain " in line)
    assert "HScore 54-240 of 337" in explained
    assert (place[0] / "report.html").exists()


def test_every_command_of_the_guides_works(place: tuple[Path, str]) -> None:
    """The how-to pages, in a folder with the configuration that they describe."""
    lines = [line for page in PAGES[1:] for line in commands(page)]
    assert lines
    assert [line for line in lines if run(line, place).returncode] == []


def test_the_scores_of_the_guide_are_sent(place: tuple[Path, str]) -> None:
    """After the push and the pull that the page asks for: the plan, then the scores."""
    lines = commands("README.md")
    before = [line for line in lines if " push " in line and line.endswith("state.sqlite")]
    before += [line for line in lines if " pull " in line]
    assert [run(line, place).returncode for line in before] == [0, 3]
    answers = [run(line, place) for line in commands(SEND_PAGE)]
    assert [answer.returncode for answer in answers] == [0, 0]
    assert "34 created" in answers[-1].stderr


def test_the_sandbox_starts_says_where_and_stops(tmp_path: Path) -> None:
    """Started as in the README but on a free port, and ended by SIGTERM with 143."""
    (line,) = [line for line in commands("README.md") if " sandbox " in line]
    (tmp_path / "mappings").symlink_to(ROOT / "mappings")
    words = line.replace("8080", "0").split()[1:]
    process = subprocess.Popen(
        [sys.executable, "-m", "fhir_adapter", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    process.terminate()
    process.stderr.close()
    assert re.search(r"sandbox at http://127\.0\.0\.1:\d+/fhir", said)
    assert process.wait(timeout=60) == 143


@contextmanager
def serving(line: str, folder: Path) -> Iterator[str]:
    """The service of a page on a free port; ended by SIGTERM with 143."""
    words = line.replace("8090", "0").split()[1:]
    command = [sys.executable, "-m", "fhir_adapter", *words]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = re.search(r"service at (http://127\.0\.0\.1:\d+)", process.stderr.readline())
        assert found is not None
        yield found[1]
    finally:
        process.terminate()
        process.stderr.close()
        assert process.wait(timeout=60) == 143


def test_the_service_of_the_guide_answers(place: tuple[Path, str]) -> None:
    """Each address that the guide asks with curl answers 200, from the state that the guide's demo kept."""
    folder, _ = place
    demo, serve, *asked = commands(SERVICE_PAGE)
    assert run(demo, place).returncode == 0
    with serving(serve, folder) as base:
        addresses = [line.split("'")[1].replace("http://127.0.0.1:8090", base) for line in asked]
        answers = [httpx2.get(address, timeout=60) for address in addresses]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [entry["resource"]["resourceType"] for entry in answers[2].json()["entry"]] == ["Observation"]


def test_the_service_of_the_readme_shows_the_report(place: tuple[Path, str]) -> None:
    """As the README says: the report in a browser, and a patient's scores."""
    (line,) = [line for line in commands("README.md") if " serve " in line]
    pulls = [line for line in commands("README.md") if " pull " in line]
    assert [run(one, place).returncode for one in pulls] == [3]
    with serving(line, place[0]) as base:
        assert "S03" in httpx2.get(f"{base}/report", timeout=60).text
        scores = httpx2.get(f"{base}/fhir/Patient/hp-c335/$hscore", timeout=60)
        assert scores.json()["resourceType"] == "Bundle"


def test_make_knows_the_two_commands() -> None:
    """`make demo` and `make test`, as a dry run of make shows them."""
    make = shutil.which("make")
    assert make is not None
    for line in [line for line in commands("README.md") if line.startswith("make ")]:
        answer = subprocess.run([make, "-n", *line.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, line


def test_the_demo_tells_the_story(tmp_path: Path) -> None:
    """What `make demo` runs: two subjects of it here, as JSON, with the databases kept."""
    command = [sys.executable, "-m", "fhir_adapter", "demo", "--subjects", "2", "--out", "kept", "--format", "json"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["complete"]) == (0, True)
    assert [step["step"] for step in told["steps"]] == [
        *("push", "push again", "the hospital publishes", "pull", "the hospital publishes", "pull"),
        "what stands on the server",
    ]
    assert {score["subject"] for score in told["scores"]} == {"S01", "S02"}
    assert (tmp_path / "kept" / "demo-server.sqlite").exists()
    assert (tmp_path / told["report"]).exists()


def test_the_notebook_of_the_guide_runs() -> None:
    """The Python block of the guide, as it stands there: a range, and what is open in it."""
    page = (ROOT / "docs/how-to/your-scores.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    known: dict[str, Any] = {}
    exec(block, known)  # noqa: S102 - our own page
    assert (known["score"].low, known["score"].high) == (92, 337)

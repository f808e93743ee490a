"""Where `validate` reads from: standard input, the configuration, as many processes as there are cores."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stories.commands import COMMAND, Person, surroundings

pytestmark = pytest.mark.measured_runs

RIGHT = b'{"resourceType":"Patient","id":"made-up"}'
WRONG = b'{"resourceType":"Patient","birthDate":"1980-02-30"}'


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody with an empty home."""
    return Person.at(tmp_path / "person")


def piped(person: Person, text: bytes, *arguments: str) -> tuple[int, Any]:
    """Exit code and report of `validate` with this on standard input."""
    done = subprocess.run(
        [*COMMAND, "validate", *arguments, "--format", "json"],
        input=text,
        capture_output=True,
        check=False,
        cwd=person.home,
        env=surroundings(person.home),
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("text", [RIGHT + b"\n" + WRONG, gzip.compress(RIGHT + b"\n" + WRONG, mtime=0)])
def test_standard_input_is_read_by_lines(person: Person, text: bytes) -> None:
    """Compressed or not."""
    code, report = piped(person, text, "-")

    [issue] = report["issues"]
    assert (code, report["resources"], report["errors"]) == (4, 2, 1)
    assert (issue["where"]["file"], issue["where"]["line"], issue["where"]["column"]) == ("standard input", 2, 27)


def test_standard_input_that_is_closed_is_a_file_that_cannot_be_read(person: Person) -> None:
    """As `<&-` leaves it."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "validate", "-", "--format", "json"],
        capture_output=True,
        check=False,
        cwd=person.home,
        env=surroundings(person.home),
    )

    assert done.returncode == 5
    assert [one["code"] for one in json.loads(done.stdout)["set_aside"]] == ["file-unreadable"]


def test_as_many_processes_as_there_are_cores_find_the_same(person: Person) -> None:
    """`--jobs 0`."""
    code, report = piped(person, b"\n".join([RIGHT, WRONG] * 300), "-", "--jobs", "0")

    assert (code, report["resources"], report["errors"]) == (4, 600, 300)


def test_the_configuration_gives_defaults(person: Person) -> None:
    """Where there is one: here the way in which findings are told, and a server by its name."""
    config = "format: json\nservers:\n  hospital: {base: http://127.0.0.1:9/fhir}\n"
    (person.home / "config.yaml").write_text(config, encoding="utf-8")
    (person.home / "right.json").write_bytes(RIGHT)

    run = person.runs("validate", "right.json", "--config", "config.yaml")
    asked = person.runs("validate", "right.json", "--config", "config.yaml", "--backend", "server", "--server", "none")

    assert (run.exit_code, run.report["resources"]) == (0, 1)
    assert asked.exit_code == 2
    assert "hospital" in asked.err

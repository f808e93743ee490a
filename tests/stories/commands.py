"""How does a story use the program? Through its command line, in another process, as a person would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stories.ready import Begun, Process, run_ready

PUBLIC_STUDY = "cdisc-pilot-18"
COMMAND = (sys.executable, "-m", "fhir_adapter")
MEASURED_RUNS = "TESTS_MEASURED_RUNS"
"""The variable that the marker `measured_runs` sets: runs of the command are measured, which triples their time."""

_LONGEST_SECONDS = 120.0


# Nothing of Python or of the packages looks at them while it is loaded: variables of our own, secrets, the terminal.
_READ_WHEN_NEEDED = re.compile(r"FHIR_ADAPTER_\w+|\w+_(TOKEN|SECRET)|COLUMNS|NO_COLOR|TERM|TZ").fullmatch


@dataclass(frozen=True)
class Run:
    """What one run of the command left behind."""

    exit_code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        """The JSON object on standard output; raises ValueError when there is anything else."""
        return json.loads(self.out)

    @property
    def set_aside(self) -> list[dict[str, Any]]:
        """The issues of everything that was set aside."""
        issues: list[dict[str, Any]] = self.report["set_aside"]
        return issues


# Compiled modules are kept as on any other machine: without them every start takes twice as long.
_NOT_INHERITED = ("FHIR_ADAPTER_", "XDG_", "PYTHONDONTWRITEBYTECODE")


def surroundings(home: Path, **variables: str) -> dict[str, str]:
    """The environment of a person with an empty home and a clock in Shanghai."""
    left_out = _NOT_INHERITED if MEASURED_RUNS in os.environ else (*_NOT_INHERITED, "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {"HOME": str(home), "TZ": "Asia/Shanghai"} | variables


def unmeasured(variables: dict[str, str]) -> dict[str, str]:
    """These variables without those that have a process measure its coverage."""
    return {name: value for name, value in variables.items() if not name.startswith("COVERAGE_")}


def run_command(
    arguments: Sequence[str | Path], home: Path, folder: Path, seconds: float = _LONGEST_SECONDS, /, **variables: str
) -> Run:
    """Run the command in a folder to its end; raises `TimeoutError` when it takes longer than that."""
    words, environment = list(map(str, arguments)), surroundings(home, **variables)
    if all(map(_READ_WHEN_NEEDED, variables)):
        code, out, err = run_ready(words, folder, environment, seconds)
    else:
        code, out, err = _run_from_the_start(words, folder, environment, seconds)
    return Run(code, out.decode(), err.decode())


def _run_from_the_start(
    words: list[str], folder: Path, environment: dict[str, str], seconds: float
) -> tuple[int, bytes, bytes]:
    try:
        done = subprocess.run(
            [*COMMAND, *words], capture_output=True, check=False, cwd=folder, env=environment, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(str(error)) from error
    return done.returncode, done.stdout, done.stderr


@dataclass(frozen=True)
class Person:
    """Somebody at a terminal, with a home of their own."""

    home: Path
    patience: float = _LONGEST_SECONDS

    @classmethod
    def at(cls, home: Path) -> Person:
        """Somebody with a new, empty home."""
        home.mkdir(parents=True)
        return cls(home)

    def runs(self, *arguments: str | Path, **variables: str) -> Run:
        """Run the command to its end, with these variables in the environment; raises when it takes too long."""
        return run_command(arguments, self.home, self.home, self.patience, **variables)

    def starts(self, *arguments: str | Path) -> Process:
        """Start the command and do not wait for it; nobody reads what it says, or measures it, for it may be killed."""
        environment = unmeasured(surroundings(self.home))
        with Path(os.devnull).open("wb") as nowhere:
            return Begun(list(map(str, arguments)), self.home, environment, nowhere.fileno(), nowhere.fileno())

    def begins(self, out: int, err: int, *arguments: str | Path, **variables: str) -> Process:
        """Start the command, which writes on these files, and do not wait for it."""
        environment = surroundings(self.home, **variables)
        if all(map(_READ_WHEN_NEEDED, variables)):
            return Begun(list(map(str, arguments)), self.home, environment, out, err)
        return self.begins_from_the_start(out, err, *arguments, **variables)

    def begins_from_the_start(self, out: int, err: int, *arguments: str | Path, **variables: str) -> Process:
        """The same, with Python and the program still to be loaded."""
        words, environment = [*COMMAND, *map(str, arguments)], surroundings(self.home, **variables)
        return subprocess.Popen(words, cwd=self.home, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)


@dataclass(frozen=True)
class Pushing:
    """A person who pushes one trial to one server and remembers it in one state file."""

    person: Person
    server: str
    state: Path
    source: Path | None = None
    trial: str | Path = PUBLIC_STUDY

    def arguments(self, *options: str | Path) -> list[str | Path]:
        """The arguments of this push."""
        named = ("--trial", self.trial, "--server", self.server, "--state", self.state, "--format", "json")
        source = ("--source", self.source) if self.source else ()
        return ["push", *named, *source, *options]

    def push(self, *options: str | Path, **variables: str) -> Run:
        """Push, and wait for the end of it."""
        return self.person.runs(*self.arguments(*options), **variables)

    def start(self) -> Process:
        """Start a push and do not wait for it."""
        return self.person.starts(*self.arguments())


def plan_of(**counts: int) -> dict[str, int]:
    """A plan in which everything not named is zero."""
    return dict.fromkeys(("create", "update", "unchanged", "withdrawn", "conflict", "blocked"), 0) | counts

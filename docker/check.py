# ruff: noqa: INP001 - a script beside the files it checks, no package
"""Would these container files still be safe to run? Asked without an engine: python docker/check.py [FOLDER].

Three tools answer first: hadolint, Compose's own reader, compose-lint. What they let pass and we do not stands below.
Everything wrong is told with its place and with what would be right; then the exit code is 1.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TOGETHER = (("compose.yaml",), ("compose.yaml", "compose.test.yaml"))
"""What is started together: the set-up alone, and with the overlay that tries it."""
LOOPBACK = ("127.0.0.1", "::1")
_TAGGED = re.compile(r"[\w./-]+(:\d+/[\w./-]+)?:(?!latest$)[\w.-]+")
_NUMBERS = re.compile(r"[1-9]\d*(:[1-9]\d*)?")
_VARIABLE = re.compile(r"\$\{(\w+)")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong: where, what, and what would be right."""

    where: str
    wrong: str
    right: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.wrong}" + (f" -> {self.right}" if self.right else "")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile, its lines joined."""

    line: int
    word: str
    rest: str


def complaints(folder: Path) -> Iterator[Complaint]:
    """All that is wrong with the container files of a folder."""
    yield from _hadolint(folder)
    yield from _dockerfile(_instructions(folder / "Dockerfile"))
    yield from _settings(folder)
    for files in TOGETHER:
        rendered, said = _rendered(folder, files)
        if rendered is None or said:
            yield Complaint(files[-1], said or "Compose cannot read it")
        if rendered is not None:
            yield from _compose_lint(folder, files, rendered)
            yield from _composition(files[-1], json.loads(rendered))


# The Dockerfile


def _hadolint(folder: Path) -> Iterator[Complaint]:
    answer = _run("hadolint", "--no-color", "--disable-ignore-pragma", "-f", "json", "Dockerfile", folder=folder)
    for found in json.loads(answer.stdout or "[]"):
        yield Complaint(f"Dockerfile:{found['line']}", f"{found['code']} {found['message']}")
    if answer.returncode and not answer.stdout.startswith("[{"):
        yield Complaint("Dockerfile", answer.stderr.strip() or "hadolint cannot read it")


def _instructions(path: Path) -> list[Instruction]:
    found: list[Instruction] = []
    begun, text = 0, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun or number
        text += line.strip().removesuffix("\\") + " "
        if not line.rstrip().endswith("\\"):
            word, _, rest = text.strip().partition(" ")
            found.append(Instruction(begun, word.upper(), rest.strip()))
            begun, text = 0, ""
    return found


def _dockerfile(instructions: list[Instruction]) -> Iterator[Complaint]:
    yield from _bases(instructions)
    yield from _installs(instructions)
    starts = [place for place, one in enumerate(instructions) if one.word == "FROM"]
    last = instructions[starts[-1] :] if starts else []
    user = next((one.rest for one in reversed(last) if one.word == "USER"), "")
    if not _NUMBERS.fullmatch(user):
        yield Complaint(
            "Dockerfile", f"the last stage runs as {user or 'root'}", "USER with numbers, such as 10001:10001"
        )
    if not any(one.word == "HEALTHCHECK" and one.rest != "NONE" for one in last):
        yield Complaint("Dockerfile", "the last stage has no HEALTHCHECK", "one that runs healthcheck.py")
    if not any(one.word == "ENTRYPOINT" for one in last):
        yield Complaint("Dockerfile", "the last stage has no ENTRYPOINT", 'ENTRYPOINT ["fhir-adapter"]')
    if not any(one.word == "RUN" and "pip uninstall" in one.rest for one in last):
        yield Complaint("Dockerfile", "the last stage keeps the base image's pip", "RUN python -m pip uninstall ...")
    for one in last:
        if one.word == "RUN" and re.search(r"\b(pip|uv|apt|apt-get|apk)\b[^&|;]* (install|add)\b", one.rest):
            yield Complaint(
                f"Dockerfile:{one.line}", "the last stage installs", "install in the build stage, then COPY"
            )


def _bases(instructions: list[Instruction]) -> Iterator[Complaint]:
    """A base is named by an ARG whose default has a tag; a digest is the operator's."""
    defaults = dict(one.rest.partition("=")[::2] for one in instructions if one.word == "ARG")
    for one in (one for one in instructions if one.word == "FROM"):
        variable = re.fullmatch(r"\$\{(\w+)\}( AS \w+)?", one.rest)
        image = defaults.get(variable[1], "") if variable else ""
        if not _TAGGED.fullmatch(image):
            wrong = f"the base {image or one.rest!r} is no ARG with an image and its tag (not latest, no digest)"
            yield Complaint(f"Dockerfile:{one.line}", wrong, "ARG PYTHON_IMAGE=python:3.13-slim, FROM ${PYTHON_IMAGE}")


def _installs(instructions: list[Instruction]) -> Iterator[Complaint]:
    """Every package by hash; our own wheel without asking an index."""
    for one in (one for one in instructions if one.word == "RUN"):
        for command in one.rest.split("&&"):
            if re.search(r"\bpip\b.*\binstall\b", command) and not re.search(r"--(require-hashes|no-index)", command):
                wrong = "pip installs what no hash was checked of"
                yield Complaint(f"Dockerfile:{one.line}", wrong, "--require-hashes -r a file made by `make lock`")


# The composition


def _settings(folder: Path) -> Iterator[Complaint]:
    """The example settings name what the compose files ask for, each with a comment, and no digest."""
    text = (folder / ".env.example").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    asked = {name for file in TOGETHER[-1] for name in _VARIABLE.findall((folder / file).read_text(encoding="utf-8"))}
    for name in sorted(asked ^ stated.keys()):
        wrong = f"{name} is {'asked for but not stated' if name in asked else 'stated but never asked for'}"
        yield Complaint(".env.example", wrong, "the same variables here and in the compose files")
    for name, value in stated.items():
        if name.endswith("_IMAGE") and not _TAGGED.fullmatch(value):
            wrong = f"{name} is {value!r}: no tag, latest, or a digest"
            yield Complaint(".env.example", wrong, "a tag; digests are the operator's, in .env")


def _rendered(folder: Path, files: tuple[str, ...]) -> tuple[str | None, str]:
    """The files merged as Compose would run them, as JSON, and what it complained of."""
    named = [word for file in files for word in ("-f", file)]
    answer = _run("docker-compose", "--env-file", ".env.example", *named, "config", "--format=json", folder=folder)
    return (None if answer.returncode else answer.stdout), answer.stderr.strip()


def _compose_lint(folder: Path, files: tuple[str, ...], rendered: str) -> Iterator[Complaint]:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "compose.json"
        path.write_text(rendered, encoding="utf-8")
        rules = ("--fail-on=low", "--strict-config", "--config=.compose-lint.yml")
        answer = _run("compose-lint", "check", *rules, "--no-env", "--format=json", str(path), folder=folder)
    told = json.loads(answer.stdout) if answer.stdout.startswith("{") else {"findings": []}
    found = [one for one in told["findings"] if not one["suppressed"]]
    for one in found:
        where = f"{files[-1]}: service {one['service']}"
        yield Complaint(where, f"{one['rule_id']} {one['message']}", one["fix"].splitlines()[0])
    if answer.returncode and not found:
        yield Complaint(files[-1], answer.stderr.strip() or "compose-lint cannot read it")


def _composition(file: str, model: dict[str, Any]) -> Iterator[Complaint]:
    ended = {
        waited
        for service in model["services"].values()
        for waited, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    for name, service in model["services"].items():
        for wrong, right in _service(service, once=name in ended):
            yield Complaint(f"{file}: service {name}", wrong, right)
    for name, secret in model.get("secrets", {}).items():
        if "file" not in secret:
            yield Complaint(f"{file}: secret {name}", "it is not read from a file", "file: ${SECRETS_FOLDER}/...")


def _service(service: dict[str, Any], *, once: bool) -> Iterator[tuple[str, str]]:
    """What compose-lint lets pass in one service, which may run once: what is wrong, and what would be right."""
    if not _NUMBERS.fullmatch(str(service.get("user", ""))):
        yield f"its user is {service.get('user') or 'the one of the image'!r}", 'numbers, such as user: "10001:10001"'
    if not service.get("pids_limit", 0) > 0:
        yield "it may start any number of processes", "pids_limit"
    for port in service.get("ports", []):
        if port.get("host_ip") not in LOOPBACK:
            yield f"port {port['target']} leaves the loopback address", f"127.0.0.1:...:{port['target']}"
    health = service.get("healthcheck", {})
    if not once and (health.get("disable") or ("build" not in service and "test" not in health)):
        yield "nobody sees whether it is well", "healthcheck with a test"
    for waited, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_started":
            yield f"it does not wait until {waited} is well", "condition: service_healthy"


# Running the tools


def _run(tool: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the tools installed beside this Python, with no setting of ours from outside."""
    command = [str(_place(tool)), *arguments]
    surroundings = {"PATH": "/usr/bin:/bin", "HOME": tempfile.gettempdir()}
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


def _place(tool: str) -> Path:
    """The tool itself: for Compose not its console script, which exits with 0 whatever it found."""
    place = Path(sys.executable).with_name(tool)
    if tool == "docker-compose":
        package = importlib.util.find_spec("compose")
        place = Path(package.origin).with_name(tool) if package is not None and package.origin else place
    if not place.is_file():
        sys.exit(f"{tool} is not installed beside {Path(sys.executable).name}: run `make setup`")
    return place


def main(arguments: list[str]) -> int:
    """Print every complaint once; 1 when there are any."""
    found = list(dict.fromkeys(str(one) for one in complaints(Path(arguments[0]) if arguments else HERE)))
    for one in found:
        sys.stderr.write(f"{one}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""HL7's engine as validator: the lines that go to and fro, told by a small program in its place."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured, Retriable
from fhir_adapter.validation.backends.hl7 import HOME_VARIABLE, Hl7Backend, engine_command

PATIENT = {"resourceType": "Patient", "id": "made-up", "name": [{"family": "Canary-Made-Up"}]}
READY = 'answer({"ready": True})'
ENGINE = """\
import json, sys
def answer(value):
    sys.stdout.write(json.dumps(value) + "\\n"); sys.stdout.flush()
def question():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit()
    head = json.loads(line)
    return head, json.loads(sys.stdin.buffer.read(head.get("length", 0)) or "null")
first, _ = question()
{body}
"""

Start = Callable[..., Hl7Backend]


@pytest.fixture
def engine(tmp_path: Path) -> Start:
    """A backend whose engine does this, after it has read what it is asked first."""

    def start(*lines: str, **options: bool) -> Hl7Backend:
        script = tmp_path / "engine.py"
        script.write_text(ENGINE.replace("{body}", "\n".join(lines)), encoding="utf-8")
        return Hl7Backend((tmp_path / "package.tgz",), command=[sys.executable, str(script)], **options)

    return start


def test_the_engine_is_told_of_packages_profiles_and_resource(engine: Start, tmp_path: Path) -> None:
    """Packages once; then each resource, its length before it."""
    told = 'json.dumps([first, head["profiles"], body["id"]])'
    echo = f'while True:\n    head, body = question()\n    answer({{"issues": [{{"message": {told}}}]}})'

    with engine(READY, echo, strict_extensions=True) as backend:
        messages = [backend.check({**PATIENT, "id": name}, ["https://a.example/p"])[0].message for name in ("a", "b")]

    first = {"packages": [str(tmp_path / "package.tgz")], "strict_extensions": True}
    assert [json.loads(one) for one in messages] == [[first, ["https://a.example/p"], name] for name in ("a", "b")]


def test_its_findings_become_ours(engine: Start) -> None:
    """With its severity, the invariant's key, the path without its comments, and no value of the resource."""
    found = {
        "severity": "error",
        "kind": "invariant",
        "message": "Constraint failed: pat-1: 'Canary-Made-Up' has no contact",
        "expression": "Patient.name[0]/* Canary-Made-Up */.family",
    }

    with engine(READY, "question()", f"answer({ {'issues': [found]}!r})") as backend:
        (issue,) = backend.check(PATIENT)

    assert (issue.severity, issue.code, issue.rule, issue.source) == ("error", "other-invariant", "pat-1", "hl7")
    assert (issue.where.resource, issue.where.expression) == ("Patient/made-up", "Patient.name[0].family")
    assert issue.message == "Constraint failed: pat-1: '…' has no contact"


def test_a_resource_at_which_it_fails_is_not_evaluated(engine: Start) -> None:
    """It says so, and goes on with the next."""
    with engine(READY, "question()", 'answer({"failed": 1})', "question()", 'answer({"issues": []})') as backend:
        found = [[one.code for one in backend.check(PATIENT)] for _ in range(2)]

    assert found == [["not-evaluated"], []]


@pytest.mark.parametrize("end", ["question()\nsys.exit(3)", 'question()\nprint("no JSON")', "question()\nanswer([])"])
def test_an_engine_that_ends_in_the_middle_ends_the_run(engine: Start, end: str) -> None:
    """Nobody knows what is wrong with the rest."""
    with engine(READY, end) as backend, pytest.raises(Retriable) as error:
        backend.check(PATIENT)

    assert [issue.code for issue in error.value.issues] == ["engine-ended"]


def test_packages_that_it_cannot_read_are_a_wrong_set_up(engine: Start) -> None:
    """Said before anything is checked."""
    backend = engine('answer({"failed": 1})')

    with pytest.raises(Misconfigured, match="cannot read the packages"):
        backend.__enter__()

    assert backend._process is None  # ended, though the block was never entered


def test_the_engine_ends_with_the_run(engine: Start) -> None:
    """Also while it is at something; nothing is left behind."""
    with engine(READY, "import time; time.sleep(60)") as backend:
        process = backend._process

    assert process is not None
    assert process.returncode is not None


@pytest.mark.parametrize(
    ("there", "missing"), [((), "not built yet"), (("jars/hl7-engine.jar",), "the package hl7.fhir.r4.core#4.0.1")]
)
def test_what_is_missing_is_said_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], missing: str
) -> None:
    """An engine that was never built, or has no definitions."""
    java = tmp_path / "bin" / "java"
    for path in (java, *(tmp_path / name for name in there)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
    monkeypatch.setenv("PATH", str(java.parent))

    with pytest.raises(Misconfigured, match=missing) as error:
        engine_command(tmp_path)

    assert "build_hl7" in str(error.value)


def test_without_java_it_is_said_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever enters it learns which version is needed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))

    with pytest.raises(Misconfigured, match="a JDK of version 17"):
        Hl7Backend().__enter__()

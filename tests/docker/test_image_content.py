"""What the image will hold, tried without an engine: the steps of docker/Dockerfile, in an empty environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRIAL = ROOT / "mappings" / "trials" / "nct02569463"
pytestmark = pytest.mark.xdist_group("image")  # one worker makes it, once


@dataclass(frozen=True, slots=True)
class Image:
    """An environment with the run-time packages and our wheel, and the folder that stands for its volume."""

    programs: Path
    place: Path

    def surroundings(self) -> dict[str, str]:
        """What a container's process sees: nothing of this checkout, one folder to write to and one for the moment."""
        return {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.place / "home"),
            "TMPDIR": str(self.place / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, as the image would."""
        return subprocess.run(
            [str(self.programs / words[0]), *words[1:]],
            cwd=self.place,
            env=self.surroundings(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Build the wheel offline, install what is locked by hash, then the wheel without asking any index."""
    place = tmp_path_factory.mktemp("image")
    (place / "home").mkdir()
    (place / "tmp").mkdir()
    python = str(place / "environment" / "bin" / "python")
    _step("hatchling", "build", "-t", "wheel", "-d", str(place / "wheel"))
    _step("uv", "venv", "-q", "--python", sys.executable, str(place / "environment"))
    locked = ("--require-hashes", "--only-binary", ":all:", "-r", "docker/requirements.txt")
    _step("uv", "pip", "install", "-q", "--python", python, *locked)
    (wheel,) = (place / "wheel").glob("*.whl")
    _step("uv", "pip", "install", "-q", "--offline", "--no-deps", "--python", python, str(wheel))
    return Image(Path(python).parent, place)


def _step(tool: str, *words: str) -> None:
    """One step of the Dockerfile; skips when the package index cannot be reached, fails for every other reason."""
    command = [str(Path(sys.executable).with_name(tool)), *words]
    surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    if answer.returncode and re.search(r"client error \(Connect\)|dns error|timed out", answer.stderr):
        pytest.skip("the package index cannot be reached, so the image's packages cannot be installed")
    assert answer.returncode == 0, answer.stderr


def test_the_demo_runs_from_the_wheel_and_the_locked_packages_alone(image: Image) -> None:
    """The whole story, with its mappings and profiles from the wheel; the environment itself stays as it was made."""
    installed = set(image.programs.parent.rglob("*"))
    answer = image.run("fhir-adapter", "demo", "--format", "json")
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["complete"]) == (0, True)
    assert (image.place / told["report"]).is_file()
    assert set(image.programs.parent.rglob("*")) == installed


def test_nothing_that_builds_or_tests_is_installed(image: Image) -> None:
    """The environment of the image has no pip, no build backend, and no tool of the developers."""
    code = "from importlib.metadata import distributions as d; print(*sorted(x.name.lower() for x in d()))"
    installed = set(image.run("python", "-c", code).stdout.split())
    assert "fhir-adapter" in installed
    assert installed & {"pip", "setuptools", "wheel", "hatchling", "pytest", "ruff", "mypy", "fhirpy", "httpx"} == set()


def test_the_service_starts_ready_with_the_configuration_of_compose(image: Image) -> None:
    """On a free port, after a first command made the state: ready by the image's health check, 143 on SIGTERM."""
    folder = image.place / "etc"
    shutil.copytree(ROOT / "docker", folder, ignore=shutil.ignore_patterns("secrets"))
    config = (folder / "adapter.yaml").read_text(encoding="utf-8").replace("/run/secrets/", "")
    (folder / "adapter.yaml").write_text(config, encoding="utf-8")
    (folder / "service_token").write_text("made-up\n", encoding="utf-8")
    (folder / "service_token").chmod(0o600)
    settings = ("--config", str(folder / "adapter.yaml"), "--trial", str(TRIAL), "--state", str(image.place / "home"))
    assert (
        image.run("fhir-adapter", "score", "--trial", str(TRIAL), "--state", str(image.place / "home")).returncode == 0
    )
    process = subprocess.Popen(
        [str(image.programs / "fhir-adapter"), "serve", "--host", "127.0.0.1", "--port", "0", *settings],
        cwd=image.place,
        env=image.surroundings(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    base = said.split()[-1]
    healthy = image.run("python", "-I", str(folder / "healthcheck.py"), f"{base}/health/ready")
    process.terminate()
    process.stderr.close()
    ended = process.wait(timeout=30)
    assert (said.startswith("service at http://127.0.0.1:"), healthy.stderr, healthy.returncode) == (True, "", 0)
    assert ended == 143
    assert (image.place / "home" / "nct02569463.sqlite").is_file()

"""HL7's engine itself, where it has been built, and how it is built. The tools that build it are small scripts here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.validation.backends import build_hl7
from fhir_adapter.validation.backends.hl7 import HOME_VARIABLE, Hl7Backend, engine_command, engine_home
from fhir_adapter.validation.canonical_resources import profiles_folder

PROFILE = "https://w3id.org/fhir-adapter/StructureDefinition/trial-patient"
WRONG = {"resourceType": "Patient", "id": "made-up", "birthDate": "1980-02-30", "gender": "Canary-Made-Up"}
MAVEN = """#!/bin/sh
PATH=/usr/bin:/bin
for one in "$@"; do case "$one" in -Dengine.home=*) home="${one#-Dengine.home=}";; esac; done
test -f "$4" && mkdir -p "$home/jars" && touch "$home/jars/hl7-engine.jar"
"""
NPM = """#!/bin/sh
PATH=/usr/bin:/bin
mkdir package && echo '{}' > package/package.json && tar czf "$(echo "$3" | tr @ -).tgz" package && rm -r package
"""


ENGINE = engine_home()
"""Where it is kept for the person who runs the tests; within a test nothing of theirs is seen."""


def _is_built() -> bool:
    try:
        engine_command(ENGINE)
    except Misconfigured:
        return False
    return True


@pytest.mark.skipif(not _is_built(), reason="HL7's engine is not built: see fhir_adapter/validation/backends/hl7.py")
def test_the_engine_finds_what_is_wrong_by_r4_and_by_our_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """With places in FHIRPath, and no value of the resource."""
    monkeypatch.setenv(HOME_VARIABLE, str(ENGINE))

    with Hl7Backend((profiles_folder(),)) as engine:
        by_r4 = engine.check(WRONG)
        by_profile = engine.check({"resourceType": "Patient"}, [PROFILE])

    errors = {issue.where.expression for issue in by_r4 if issue.is_error}
    assert errors == {"Patient.birthDate", "Patient.gender"}
    assert "Canary" not in str(by_r4)
    assert any(issue.is_error and issue.where.expression == "Patient" for issue in by_profile)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the tools on the path, with a home that is empty."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, text in (("mvn", MAVEN), ("npm", NPM), ("javac", "#!/bin/sh\n"), ("java", "#!/bin/sh\n")):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "engine"))
    return folder


def test_the_engine_is_built_with_its_packages(tools: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """After that it can be started; a second time nothing is fetched."""
    built = build_hl7.main([])
    (tools / "npm").unlink()
    again = build_hl7.main([])

    assert (built, again) == (0, 0)
    assert engine_command(tmp_path / "engine")[0] == str(tools / "java")
    assert "is ready in" in capfd.readouterr().err


def test_packages_may_be_named_or_lie_in_the_users_own_cache(tools: Path, tmp_path: Path) -> None:
    """Then no registry is asked."""
    own = tmp_path / "home" / ".fhir" / "packages" / "hl7.fhir.r4.core#4.0.1" / "package"
    own.mkdir(parents=True)
    subprocess.run([tools / "npm", "pack", "--silent", "hl7.fhir.xver-extensions@0.1.0"], cwd=tmp_path, check=True)
    (tools / "npm").unlink()

    assert build_hl7.main([str(tmp_path / "hl7.fhir.xver-extensions-0.1.0.tgz")]) == 0


@pytest.mark.parametrize(
    ("missing", "code", "words"),
    [("mvn", 2, "Maven (mvn) are needed"), ("javac", 2, "a JDK"), ("npm", 2, "npm pack hl7.fhir.r4.core@4.0.1")],
)
def test_what_is_missing_is_named(
    tools: Path, capfd: pytest.CaptureFixture[str], missing: str, code: int, words: str
) -> None:
    """With how to go on."""
    (tools / missing).unlink()

    assert build_hl7.main([]) == code
    assert words in capfd.readouterr().err


def test_a_maven_that_fails_is_said(tools: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its own words stand above."""
    (tools / "mvn").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")

    assert build_hl7.main([]) == 5
    assert "could not build" in capfd.readouterr().err


def test_the_engine_is_started_without_a_way_to_the_network(tools: Path, tmp_path: Path) -> None:
    """Its settings are written beside it before it starts, and are left as a person changed them."""
    build_hl7.main([])
    told = tmp_path / "told"
    (tools / "java").write_text(
        f'#!/bin/sh\nread line\necho "$@" >> {told}\necho \'{{"ready": "made up"}}\'\n', encoding="utf-8"
    )
    settings = tmp_path / "engine" / "settings.json"

    with Hl7Backend():
        written = json.loads(settings.read_bytes())
    settings.write_text("{}", encoding="utf-8")
    with Hl7Backend():
        left = settings.read_text(encoding="utf-8")

    assert (written["prohibitNetworkAccess"], left) == (True, "{}")
    assert f"-Dfhir.settings.path={settings}" in told.read_text(encoding="utf-8")


def test_an_engine_that_does_not_start_is_a_wrong_set_up() -> None:
    """Of the command line, not of a resource."""
    with pytest.raises(Misconfigured, match="does not start"), Hl7Backend(command=["/nowhere/java"]):
        pass

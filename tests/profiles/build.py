"""`make profiles`: SUSHI makes the JSON in profiles/ from the FHIR Shorthand in profiles/fsh/.

Needs Node with npm, once a registry of packages, and R4 core: an archive named on the command line or in `FHIR_CORE`,
or npm's copy. All of it is kept in `build/profiles/`, SUSHI's home; afterwards nothing asks the network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.profiles.tables import shorthand

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"
SOURCES = PROFILES / "fsh"
PLACE = ROOT / "build" / "profiles"
CORE = "hl7.fhir.r4.core"
CORE_VERSION = "4.0.1"
_TOOLS = ("package.json", "package-lock.json", ".npmrc")
_NOWHERE = "http://127.0.0.1:9"
_OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "FPL_REGISTRY"), _NOWHERE)
"""SUSHI would load the newest of three packages where it reaches a registry, and make other files than elsewhere."""
_BY_HAND = "OperationDefinition"
"""Definitions that the service reads; they are written as JSON."""

_BINDABLE = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})
"""The types that a value set can be bound to (https://hl7.org/fhir/R4/terminologies.html#4.1)."""


class BuildError(Exception):
    """What keeps the definitions from being made, for a person."""


def main(stated: str) -> int:
    """Replace the generated files; the exit code is 2 where something is missing, 5 where SUSHI finds an error."""
    try:
        prepare(stated)
        made = build(PLACE)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 5 if "SUSHI" in str(error) else 2
    for file in PROFILES.glob("*.json"):
        if file.name not in made and not file.name.startswith(_BY_HAND):
            file.unlink()
    for name, text in made.items():
        (PROFILES / name).write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(made)} definitions in profiles/\n")
    return 0


def prepare(stated: str = "") -> None:
    """Bring SUSHI and R4 core into `build/profiles/` where they are not there yet."""
    if shutil.which("npm") is None:
        raise BuildError("Node with npm is needed on the path")
    PLACE.mkdir(parents=True, exist_ok=True)
    changed = [name for name in _TOOLS if _text(PLACE / name) != _text(SOURCES / name)]
    if changed or not sushi(PLACE).is_file():
        for name in _TOOLS:
            shutil.copyfile(SOURCES / name, PLACE / name)
        _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], PLACE)
    if stated or not core(PLACE).is_dir():
        _bring_core(stated)


def is_prepared(place: Path) -> bool:
    """Whether SUSHI and R4 core are there, so that nothing has to be fetched."""
    return shutil.which("node") is not None and sushi(place).is_file() and core(place).is_dir()


def build(place: Path) -> dict[str, str]:
    """The text of every definition by file name; raises `BuildError` with what SUSHI says when it finds an error."""
    with tempfile.TemporaryDirectory() as folder:
        source = shutil.copytree(SOURCES, Path(folder) / "fsh")
        (source / "input" / "fsh" / "tables.fsh").write_text(shorthand(), encoding="utf-8")
        home = {**os.environ, **_OFFLINE, "HOME": str(place), "USERPROFILE": str(place)}
        command = [shutil.which("node") or "node", str(sushi(place)), "build", "-s", str(source)]
        done = subprocess.run(command, env=home, check=False, capture_output=True, text=True)
        if done.returncode or " 0 Errors" not in done.stdout:
            raise BuildError(f"SUSHI finds errors:\n{done.stdout}{done.stderr}")
        return {file.name: _made(file) for file in (source / "fsh-generated" / "resources").glob("*.json")}


def sushi(place: Path) -> Path:
    """The program."""
    return place / "node_modules" / "fsh-sushi" / "dist" / "app.js"


def core(place: Path) -> Path:
    """R4 core as SUSHI looks for it in its home."""
    return place / ".fhir" / "packages" / f"{CORE}#{CORE_VERSION}" / "package"


def _bring_core(stated: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if not stated:
            _run(["npm", "pack", "--silent", f"{CORE}@{CORE_VERSION}"], Path(folder))
        archive = Path(stated) if stated else Path(folder) / f"{CORE}-{CORE_VERSION}.tgz"
        if not archive.is_file():
            raise BuildError(f"{archive}: there is no archive of {CORE} {CORE_VERSION}")
        with tarfile.open(archive, "r:gz") as packed:
            packed.extractall(core(PLACE).parent, filter="data")


def _run(command: list[str], place: Path) -> None:
    done = subprocess.run(command, cwd=place, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:2])} failed: {done.stderr.strip()}")


def _made(file: Path) -> str:
    definition = json.loads(_text(file))
    for element in definition.get("snapshot", {}).get("element", ()):
        # SUSHI keeps the binding of the base where no type is left that could be bound; HL7's engine refuses that.
        if "binding" in element and not _BINDABLE.intersection(one["code"] for one in element["type"]):
            del element["binding"]
    return json.dumps(definition, indent=1, ensure_ascii=False) + "\n"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FHIR_CORE", "")))

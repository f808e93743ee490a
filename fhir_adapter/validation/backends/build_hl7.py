"""How is HL7's engine built? `python -m fhir_adapter.validation.backends.build_hl7 [PACKAGE.tgz ...]`.

Needs a JDK (17 or later), and once Maven with its usual access to a repository. The packages `hl7.fhir.r4.core` 4.0.1
and, for cross-version extensions, `hl7.fhir.xver-extensions` 0.1.0 are unpacked into the engine's folder; without any
named, the user's own FHIR package cache (`~/.fhir/packages`) or npm is asked for them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fhir_adapter.validation.backends.hl7 import engine_home

_SOURCES = Path(__file__).parent / "hl7_engine"
_PACKAGES = (("hl7.fhir.r4.core", "4.0.1"), ("hl7.fhir.xver-extensions", "0.1.0"))


def main(stated: Sequence[str]) -> int:
    """Build the engine and fetch its packages; the exit code is 2 where a tool is missing, 5 where one failed."""
    home = engine_home()
    maven = shutil.which("mvn")
    if maven is None or shutil.which("javac") is None:
        return _say("a JDK (17 or later) and Maven (mvn) are needed on the path", 2)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sources = shutil.copytree(_SOURCES, Path(folder) / "engine")
        command = [maven, "-q", "-B", "-f", str(sources / "pom.xml"), f"-Dengine.home={home}", "package"]
        if subprocess.run(command, check=False).returncode:
            return _say("Maven could not build the engine; see above", 5)
    for path in stated:
        _unpack(Path(path), home)
    for name, version in _PACKAGES:
        if not _have(home, name, version):
            return _say(f"the package {name} {version} is missing: npm pack {name}@{version}, and name the file", 2)
    return _say(f"HL7's engine is ready in {home}", 0)


def _have(home: Path, name: str, version: str) -> bool:
    """Whether the package is there now: already, from the user's own cache, or by npm."""
    place = home / ".fhir" / "packages" / f"{name}#{version}"
    own = Path.home() / ".fhir" / "packages" / f"{name}#{version}"
    if place.is_dir():
        return True
    if own.is_dir():
        shutil.copytree(own, place)
        return True
    npm = shutil.which("npm")
    if npm is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", "--silent", f"{name}@{version}"], cwd=folder, check=False, stdout=subprocess.DEVNULL
        )
        for archive in Path(folder).glob("*.tgz"):
            _unpack(archive, home)
    return place.is_dir()


def _unpack(archive: Path, home: Path) -> None:
    """A package of a registry, named by its file `NAME-VERSION.tgz`."""
    name, _, version = archive.name.removesuffix(".tgz").rpartition("-")
    with tarfile.open(archive, "r:gz") as packed:
        packed.extractall(home / ".fhir" / "packages" / f"{name}#{version}", filter="data")


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

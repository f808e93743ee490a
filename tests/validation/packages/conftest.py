"""What the tests of packages share: definitions that are made up, and archives of them, right and wrong."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
MakeArchive = Callable[..., Path]

MANIFEST: Json = {
    "name": "example.trial",
    "version": "1.2.0",
    "fhirVersions": ["4.0.1"],
    "dependencies": {"hl7.fhir.r4.core": "4.0.1"},
}


@pytest.fixture
def manifest() -> Json:
    """The `package.json` of a package for R4."""
    return json.loads(json.dumps(MANIFEST))  # type: ignore[no-any-return]


@pytest.fixture
def profile() -> Json:
    """A profile, made up, with a decimal whose last digit must be kept."""
    return {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/fhir/StructureDefinition/ferritin",
        "version": "1.2.0",
        "name": "Ferritin",
        "status": "draft",
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Observation.status", "path": "Observation.status", "fixedCode": "final"}]},
    }


@pytest.fixture
def value_set() -> Json:
    """A value set, made up."""
    return {
        "resourceType": "ValueSet",
        "url": "https://example.org/fhir/ValueSet/grades",
        "version": "1.2.0",
        "status": "draft",
        "compose": {"include": [{"system": "https://example.org/grades", "concept": [{"code": "low"}]}]},
    }


@pytest.fixture
def make_archive(tmp_path: Path) -> MakeArchive:
    """Writes a .tgz of files by name (an object is written as JSON), then of members as they are."""

    def make(
        files: Mapping[str, object],
        *members: tarfile.TarInfo,
        name: str = "made-up.tgz",
        form: int = tarfile.PAX_FORMAT,
    ) -> Path:
        path = tmp_path / name
        with tarfile.open(path, "w:gz", format=form) as archive:
            for file, content in files.items():
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                info = tarfile.TarInfo(file)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            for member in members:
                archive.addfile(member)
        return path

    return make


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[[Mapping[str, object]], Path]:
    """Writes files by name into a folder."""

    def make(files: Mapping[str, object]) -> Path:
        folder = tmp_path / "made-up"
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return folder

    return make

"""How R4 core is made ready to be shipped: `python -m` this module, `PACKAGE.tgz OUT.zip`.

Reads the package hl7.fhir.r4.core (CC0) and writes its conformance resources, trimmed to what a validator needs and
without examples, as shelves: members of a zip with some sixty thousand characters of definitions each, one a line. The
index says on which shelf and at which bytes each one stands, so one is read without the others. The same package gives
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from fhir_adapter.validation.packages.core import ABOUT, INDEX, OTHER_KINDS, Row
from fhir_adapter.validation.packages.trimming import trimmed

Json = dict[str, Any]

_KINDS: Final = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap")
_OTHERS: Final = ("SearchParameter", "OperationDefinition", "CompartmentDefinition")
_SHELF_BYTES: Final = 60_000
_NO_DAY: Final = (1980, 1, 1, 0, 0, 0)
_ARGUMENTS: Final = 3
_LICENCE: Final = (
    "The FHIR R4 (4.0.1) definitions of the package hl7.fhir.r4.core, published by HL7 under CC0 1.0 (public domain), "
    "without narrative, documentation, mappings and examples. FHIR is a trademark of HL7."
)


def main(arguments: list[str]) -> int:
    """Write the archive; the exit code is 2 where the arguments are wrong."""
    if len(arguments) != _ARGUMENTS:
        sys.stderr.write("usage: python -m fhir_adapter.validation.packages.generate_core PACKAGE.tgz OUT.zip\n")
        return 2
    manifest, resources = read_core(Path(arguments[1]))
    write_core(manifest, resources, Path(arguments[2]))
    return 0


def read_core(package: Path) -> tuple[Json, list[Json]]:
    """The `package.json` of R4 core and its conformance resources, trimmed."""
    manifest: Json = {}
    resources: list[Json] = []
    with tarfile.open(package, "r:gz") as archive:
        for member in archive:
            folder, _, name = member.name.partition("/")
            file = archive.extractfile(member) if folder == "package" and name.endswith(".json") else None
            if file is None:
                continue
            content = json.load(file)
            if name == "package.json":
                manifest = content
            elif content.get("resourceType") in (*_KINDS, *_OTHERS) and "url" in content:
                resources.append(trimmed(content))
    return manifest, resources


def write_core(manifest: Json, resources: Iterable[Json], out: Path) -> None:
    """Write the resources as shelves with an index."""
    every = list(resources)
    members: dict[str, bytes] = {}
    members[INDEX] = _as_json(dict(_shelved(every, _KINDS, members)))
    members[OTHER_KINDS] = _as_json(dict(_shelved(every, _OTHERS, members)))
    digest = hashlib.sha256(b"".join(name.encode() + content for name, content in sorted(members.items())))
    about = {
        "name": manifest["name"],
        "version": manifest["version"],
        "licence": _LICENCE,
        "digest": digest.hexdigest(),
    }
    members = {ABOUT: _as_json(about), **members}
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _NO_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, compresslevel=9)


def _shelved(
    resources: list[Json], kinds: tuple[str, ...], members: dict[str, bytes]
) -> Iterator[tuple[str, dict[str, Row]]]:
    """Put the resources of each kind on shelves; its index says where each address stands."""
    for kind in kinds:
        rows: dict[str, Row] = {}
        for number, shelf in enumerate(_shelves([each for each in resources if each["resourceType"] == kind]), 1):
            start = 0
            lines = []
            for resource in shelf:
                line = _as_json(resource)
                rows[resource["url"]] = (number, start, len(line), resource.get("version"))
                lines.append(line)
                start += len(line) + 1
            members[f"{kind}/{number:03}.ndjson"] = b"\n".join(lines) + b"\n"
        yield kind, rows


def _shelves(resources: list[Json]) -> Iterator[list[Json]]:
    """Types first, then what restricts them, by address: what is alike compresses well together."""
    shelf: list[Json] = []
    size = 0
    for resource in sorted(resources, key=lambda one: (one.get("derivation") == "constraint", one["url"])):
        shelf.append(resource)
        size += len(_as_json(resource))
        if size >= _SHELF_BYTES:
            yield shelf
            shelf, size = [], 0
    if shelf:
        yield shelf


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv))

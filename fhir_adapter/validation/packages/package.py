"""One package as a user names it: a .tgz, a folder with or without `package/`, a set of definitions, or one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from fhir_adapter.issues import Issue, Severity, Where
from fhir_adapter.validation.packages.archive import files_of_archive
from fhir_adapter.validation.packages.entries import Entry, Unusable, containers, entries_of
from fhir_adapter.validation.packages.folder import files_of_folder, read_file
from fhir_adapter.validation.packages.manifest import CORE, Manifest, read_manifest
from fhir_adapter.validation.packages.refusals import LIMITS, UNREADABLE, Limits, PackageRefused, shown

_MANIFEST: Final = "package.json"
_FOLDER: Final = "package"
_GZIP: Final = b"\x1f\x8b"
_JSON: Final = (b"{", b"\xef\xbb\xbf{")
_HEAD: Final = 1_000
_MOST_PROBLEMS: Final = 20


@dataclass(slots=True)
class Package:
    """What could be read of a package: its definitions, what in it cannot be used, and what tells it from others."""

    path: Path
    manifest: Manifest | None = None
    entries: list[Entry] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)
    digest: str = ""
    containers: int = 0
    """How many objects and arrays were read so far."""

    @property
    def name(self) -> str:
        """What it is called in a message."""
        return str(self.manifest) if self.manifest else self.path.name

    @property
    def is_core(self) -> bool:
        """Whether it is R4 core, which is here already, without the texts that no check needs."""
        return self.manifest is not None and self.manifest.name == CORE

    def problem(self, severity: Severity, code: str, message: str, file: str | None = None) -> Issue:
        """An issue with this package, or a file in it."""
        is_inside = file is not None and file.isprintable() and file != self.path.name
        return Issue(severity, code, message, Where(file=f"{self.path}/{file}" if is_inside else str(self.path)))


def open_package(path: Path, limits: Limits = LIMITS) -> Package:
    """Read which definitions a package holds.

    Raises `OSError` when it cannot be opened, and `PackageRefused`, which is one, when it is no package, is damaged, or
    is built to do harm. One file in it that cannot be used is a problem of the package.
    """
    if path.is_dir():
        return _of_folder(path, limits)
    content = read_file(path, Limits(file_bytes=limits.packed_bytes))
    if content.startswith(_GZIP):
        return _of_archive(path, content, limits)
    if content[:_HEAD].lstrip().startswith(_JSON):
        return _of_file(path, content, limits)
    raise PackageRefused(path, "neither a package (.tgz or a folder) nor a definition in JSON")


def _of_archive(path: Path, content: bytes, limits: Limits) -> Package:
    package = Package(path, digest=hashlib.sha256(content).hexdigest())
    # Read by the path of each file: `package/` may follow other folders, and may be missing in a home-made archive.
    found: dict[str, list[Entry | Unusable]] = {}
    for name, text in files_of_archive(path, content, _may_be_definition, limits):
        if name == f"{_FOLDER}/{_MANIFEST}":
            _take_manifest(package, text or b"", name)
            if package.is_core:
                return package
        elif PurePosixPath(name).name != _MANIFEST:
            content_or_why = f"more than {limits.file_bytes} bytes" if text is None else text
            found[name] = list(_read(package, name, content_or_why, limits, with_bundles=False))
    is_packed = package.manifest is not None
    names = (name for name in found if not is_packed or name.startswith(f"{_FOLDER}/"))
    return _filled(package, (one for name in names for one in found[name]))


def _may_be_definition(name: str) -> bool:
    """Only JSON, and of a package only what lies in it itself: its folders hold examples and other material."""
    if not name.endswith(".json"):
        return False
    first, _, rest = name.partition("/")
    return not (first == _FOLDER and "/" in rest) and not PurePosixPath(name).name.startswith(".")


def _of_folder(path: Path, limits: Limits) -> Package:
    package = Package(path)
    inner = path / _FOLDER
    root = inner if (inner / _MANIFEST).is_file() else path
    if (root / _MANIFEST).is_file():
        _take_manifest(package, read_file(root / _MANIFEST, limits), _MANIFEST)
    if package.is_core:
        return package
    digest = hashlib.sha256()
    found: list[Entry | Unusable] = []
    is_loose = package.manifest is None
    for name, content in files_of_folder(root, is_deep=is_loose, limits=limits):
        digest.update(repr((name, len(content))).encode())
        digest.update(content if isinstance(content, bytes) else content.encode())
        if PurePosixPath(name).name != _MANIFEST:
            shown_name = (root / name).relative_to(path).as_posix()
            found += _read(package, shown_name, content, limits, with_bundles=is_loose)
    package.digest = digest.hexdigest()
    return _filled(package, found)


def _take_manifest(package: Package, content: bytes, name: str) -> None:
    package.manifest = read_manifest(content)
    if package.manifest is None:
        message = "the package.json is none of a FHIR package: its version and what it builds upon are not known"
        package.problems.append(package.problem("warning", "package-manifest", message, name))


def _of_file(path: Path, content: bytes, limits: Limits) -> Package:
    package = Package(path, digest=hashlib.sha256(content).hexdigest())
    found = list(_read(package, path.name, content, limits, with_bundles=True))
    for each in found:
        if isinstance(each, Unusable) and each.code == UNREADABLE:
            raise PackageRefused(path, each.message)
    return _filled(package, found)


def _read(
    package: Package, name: str, content: bytes | str, limits: Limits, *, with_bundles: bool
) -> Iterator[Entry | Unusable]:
    """The definitions of a file; a text instead of its content is why it could not be read."""
    if isinstance(content, str):
        yield Unusable(name, UNREADABLE, content)
    elif len(content) > limits.file_bytes:
        yield Unusable(name, UNREADABLE, f"more than {limits.file_bytes} bytes")
    else:
        package.containers += containers(content)
        if package.containers > limits.all_containers:
            raise PackageRefused(package.path, f"more than {limits.all_containers} objects and lists")
        yield from entries_of(name, content, with_bundles=with_bundles, limits=limits)


def _filled(package: Package, found: Iterable[Entry | Unusable]) -> Package:
    left_out = 0
    for each in found:
        if isinstance(each, Entry):
            package.entries.append(each)
        elif len(package.problems) < _MOST_PROBLEMS:
            message = f"{shown(each.file)}: {each.message}"
            package.problems.append(package.problem(each.severity, each.code, message, each.file))
        else:
            left_out += 1
    if left_out:
        package.problems.append(package.problem("error", UNREADABLE, f"{left_out} more files cannot be used"))
    if not package.entries:
        package.problems.append(package.problem("warning", "package-empty", "no definition in it can be used"))
    return package

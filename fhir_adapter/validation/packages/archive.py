"""What is in a package that came as .tgz, read without unpacking it to disk and without trusting anything in it.

Sources: https://confluence.hl7.org/display/FHIR/NPM+Package+Specification; POSIX.1-2001 pax format. The headers are
read by `tarfile`, one at a time: its own loop follows what an archive claims, and here a claim is checked before it is
acted on. Only plain files and folders are accepted.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from fhir_adapter.validation.packages.gzip_stream import GzipStream
from fhir_adapter.validation.packages.refusals import LIMITS, Limits, PackageRefused, shown

_BLOCK: Final = 512
_HEADER_BYTES: Final = 64 * 1024
_NUMBER: Final = 20
_NAME: Final = 1_000
_FILES: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_NAMES: Final = frozenset({tarfile.GNUTYPE_LONGNAME})
_EXTENDED: Final = frozenset({tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE})
_FOR_ALL: Final = frozenset({tarfile.XGLTYPE})
_RECORDS: Final = frozenset({b"path", b"size"})
_INDEX: Final = ".index.json"


class Archive:
    """The files of one .tgz, once, in order."""

    def __init__(self, path: Path, stream: GzipStream, limits: Limits) -> None:
        self._path = path
        self._stream = stream
        self._limits = limits
        self._seen: set[str] = set()
        self._headers = 0

    def files(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
        """The wanted files by name, with their content; without where one is too large."""
        stated: dict[str, str] = {}
        while (info := self._header()) is not None:
            if info.type in _EXTENDED or info.type in _NAMES or info.type in _FOR_ALL:
                stated |= self._further_header(info)
                continue
            name = self._name(stated.get("path", info.name))
            size = self._size(name, stated.get("size") or info.size)
            stated = {}
            if info.isdir():
                continue
            if info.type not in _FILES:
                raise self._refused(f"{shown(name)} is no plain file: links and devices are not read")
            self._count(name)
            if is_wanted(name):
                yield name, self._content(size)
            else:
                self._skip(size)
        self._stream.finish()

    def _header(self) -> tarfile.TarInfo | None:
        block = self._stream.read(_BLOCK)
        if not block.strip(b"\0"):
            return None
        self._headers += 1
        if self._headers > 2 * self._limits.files:
            raise self._refused(f"more than {self._limits.files} files")
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.TarError as error:
            raise self._refused("not a tar archive, or a damaged one") from error

    def _name(self, written: str) -> str:
        parts = PurePosixPath(written.replace("\\", "/")).parts
        if not written.isprintable() or not 0 < len(written) <= _NAME:
            raise self._refused(f"{shown(written)} is no usable name of a file")
        if ".." in parts or parts[:1] == ("/",) or ":" in "".join(parts[:1]):
            raise self._refused(f"the name {shown(written)} leads out of the package")
        return str(PurePosixPath(written))

    def _count(self, name: str) -> None:
        if name in self._seen:
            raise self._refused(f"{shown(name)} is in it twice")
        self._seen.add(name)
        if len(self._seen) > self._limits.files:
            raise self._refused(f"more than {self._limits.files} files")

    def _size(self, name: str, stated: str | int) -> int:
        if isinstance(stated, str) and not (stated.isascii() and stated.isdigit() and len(stated) <= _NUMBER):
            raise self._refused("a header states no usable size")
        size = int(stated)
        is_index = PurePosixPath(name).name == _INDEX
        if not 0 <= size <= (self._limits.index_bytes if is_index else self._limits.bytes):
            raise self._refused(f"{shown(name)} has {size} bytes: too many")
        return size

    def _content(self, size: int) -> bytes | None:
        if size > self._limits.file_bytes:
            self._skip(size)
            return None
        content = self._stream.read_all_of(size)
        self._stream.skip(-size % _BLOCK)
        return content

    def _skip(self, size: int) -> None:
        self._stream.skip(size + -size % _BLOCK)

    # What stands before a file and says more of it

    def _further_header(self, info: tarfile.TarInfo) -> dict[str, str]:
        if not 0 <= info.size <= _HEADER_BYTES:
            raise self._refused(f"a header of {info.size} bytes")
        content = self._stream.read_all_of(info.size)
        self._stream.skip(-info.size % _BLOCK)
        if info.type in _NAMES:
            return {"path": content.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
        return self._records(content) if info.type in _EXTENDED else {}

    def _records(self, content: bytes) -> dict[str, str]:
        """The records `length key=value` of an extended header that matter here."""
        found: dict[str, str] = {}
        start = 0
        while start < len(content):
            digits = content[start : start + _NUMBER].partition(b" ")[0]
            length = int(digits) if digits.isdigit() else 0
            record = content[start : start + length]
            key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
            if not record.endswith(b"\n") or len(record) < length or not equals or key.startswith(b"GNU.sparse"):
                raise self._refused("an extended header that cannot be read")
            if key in _RECORDS:
                found[key.decode()] = value.decode("utf-8", "surrogateescape")
            start += length
        return found

    def _refused(self, message: str) -> PackageRefused:
        return PackageRefused(self._path, message)


def files_of_archive(
    path: Path, content: bytes, is_wanted: Callable[[str], bool], limits: Limits = LIMITS
) -> Iterator[tuple[str, bytes | None]]:
    """The wanted files of a .tgz by name, with their content; raises `PackageRefused` for a damaged or hostile one."""
    stream = GzipStream(io.BytesIO(content), path, limits)
    return Archive(path, stream, limits).files(is_wanted)

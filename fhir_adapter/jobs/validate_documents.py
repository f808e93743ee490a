"""Which JSON documents are to be checked: of files, folders and standard input, one after the other, never all at once.

A line of NDJSON is a document, and so is a file of one JSON value, such as a Bundle. What is compressed by gzip is read
as what it holds, whatever its name.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Final

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Misconfigured, Where

STANDARD_INPUT: Final = "-"
LONGEST: Final = fhirjson.MAX_BYTES
_LINES: Final = (".ndjson", ".jsonl")
_SUFFIXES: Final = (".json", *_LINES)
_NO_RESOURCES: Final = frozenset({"package.json", "fhir.schema.json"})
"""What stands in the folder of a FHIR package beside its resources."""
_GZIP: Final = b"\x1f\x8b"
_SOME: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON text, the file it stands in and its first line there; `problem` where there is no text to be had."""

    file: str
    line: int
    text: bytes
    problem: Issue | None = None


@dataclass(slots=True)
class Reading:
    """How far the reading is: bytes of the files, as they lie on the disk; `total` is 0 where nobody knows."""

    total: int = 0
    done: int = 0
    before: int = field(default=0, repr=False)


def files_in(stated: Sequence[str]) -> list[str]:
    """The files that are meant: a folder's, sorted, and those below it; raises `Misconfigured` where there are none."""
    found: list[str] = []
    for one in stated:
        path = Path(one)
        if one == STANDARD_INPUT or path.is_file():
            found.append(one)
        elif path.is_dir():
            found += _below(path) or [_refuse(one, "there is no file *.json or *.ndjson in this folder")]
        elif path.exists():
            found.append(one)  # a pipe, as `<(...)` gives one
        else:
            _refuse(one, "there is no such file or folder")
    return found


def _refuse(name: str, message: str) -> str:
    raise Misconfigured(message, Issue("error", "missing-file", message, Where(name)))


def _below(folder: Path) -> list[str]:
    found: list[str] = []
    closed: list[str] = []
    for root, folders, names in os.walk(folder, onerror=lambda error: closed.append(str(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            str(Path(root) / name)
            for name in sorted(names)
            if name.lower().removesuffix(".gz").endswith(_SUFFIXES)
            and not name.startswith(".")
            and name not in _NO_RESOURCES
            and _can_be_read_through(Path(root) / name)
        ]
    return [*found, *closed]  # a folder that cannot be looked into is told as a file that cannot be read


def _can_be_read_through(path: Path) -> bool:
    """False for a pipe or a device, for which a run would wait; a link that leads nowhere is told when it is opened."""
    return path.is_file() or not path.exists()


def documents_in(files: Iterable[str], reading: Reading | None = None) -> Iterator[Document]:
    """Every document of the files, in order; a file that cannot be read to its end is told as its last document."""
    progress = reading or Reading()
    files = list(files)
    progress.total = sum(Path(one).stat().st_size for one in files if Path(one).is_file())
    for name in files:
        try:
            with _opened(name) as (file, raw):
                for document in _documents(name, file):
                    progress.done = progress.before + _told(raw)
                    yield document
        except (OSError, EOFError, zlib.error) as error:
            yield _unread(name, error)
        progress.before += Path(name).stat().st_size if Path(name).is_file() else 0


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file as it is to be read, and as it lies on the disk."""
    if name == STANDARD_INPUT:
        if sys.stdin is None:  # closed before we began (`<&-`)
            raise OSError(errno.EBADF, "it is closed")
        raw: io.BufferedReader = io.BufferedReader(sys.stdin.buffer)  # type: ignore[arg-type]
        try:
            yield _unpacked(raw), raw
        finally:
            raw.detach()  # which would close standard input with it; `-` may be named twice
        return
    with Path(name).open("rb") as raw:
        yield _unpacked(raw), raw


def _unpacked(raw: io.BufferedReader) -> IO[bytes]:
    if raw.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    return raw


def _told(raw: IO[bytes]) -> int:
    return raw.tell() if raw.seekable() else 0


def _unread(name: str, error: Exception) -> Document:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "it ends too early, or is damaged"
    message = f"the file cannot be read: {reason}"
    return Document(_shown(name), 1, b"", Issue("error", "file-unreadable", message, Where(_shown(name))))


def _shown(name: str) -> str:
    """The name as it can be written: one that is no UTF-8 has its odd bytes escaped."""
    return "standard input" if name == STANDARD_INPUT else os.fsencode(name).decode("utf-8", "backslashreplace")


def _documents(name: str, file: IO[bytes]) -> Iterator[Document]:
    lines = _numbered(file)
    if name.lower().removesuffix(".gz").endswith(_LINES):
        yield from _by_line(name, lines)
        return
    head = _through_next_text(lines)
    more = _through_next_text(lines) if head and _may_be_whole(head[-1][1]) else []
    if more and more[-1][1].strip() and _is_whole(head[-1][1]):
        yield from _by_line(name, chain(head, more, lines))
        return
    yield from _whole(name, chain(head, more), file)


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers; one that is longer than any document is cut, and its rest passed over."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        yield number, line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = line[:0]
            for part in iter(lambda: file.readline(_SOME), b""):
                if part.endswith(b"\n"):
                    break


def _through_next_text(lines: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The next lines up to one that is not blank, that one too."""
    found = []
    for number, line in lines:
        found.append((number, line))
        if line.strip():
            break
    return found


def _may_be_whole(line: bytes) -> bool:
    """Whether a line could be a resource of its own; `{` alone begins a file of one resource."""
    text = line.strip().removeprefix(b"\xef\xbb\xbf")
    return text.startswith(b"{") and text.endswith(b"}")


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(fhirjson.loads(line), dict)
    except fhirjson.JsonError:
        return False


def _by_line(name: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Document]:
    for number, line in lines:
        text = line.rstrip(b"\r\n")
        if len(text) > LONGEST:
            yield _too_large(name, number)
        elif text.strip():
            yield Document(_shown(name), number, text)


def _whole(name: str, head: Iterable[tuple[int, bytes]], file: IO[bytes]) -> Iterator[Document]:
    parts = [line for _, line in head]
    parts.append(file.read(LONGEST + 1))
    text = b"".join(parts)
    yield _too_large(name, 1) if len(text) > LONGEST else Document(_shown(name), 1, text)


def _too_large(name: str, line: int) -> Document:
    message = f"more than {LONGEST} bytes in one document; it was not looked at"
    return Document(_shown(name), line, b"", Issue("error", "too-large", message, Where(_shown(name), line)))

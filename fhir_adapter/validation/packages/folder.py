"""What is in a package or a set of definitions that is a folder: its plain JSON files, and none outside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fhir_adapter.validation.packages.refusals import LIMITS, Limits, PackageRefused

_OTHERS: Final = frozenset({"node_modules"})


def files_of_folder(folder: Path, *, is_deep: bool, limits: Limits = LIMITS) -> Iterator[tuple[str, bytes | str]]:
    """The JSON files of a folder by name, sorted, each with its content, or with why it is not read.

    `is_deep` includes the folders below; what is called `.something` is left out, and no link to a folder is
    followed. Raises `PackageRefused` when there are too many.
    """
    left = limits.bytes
    for number, path in enumerate(_json_files(folder, is_deep=is_deep, limits=limits)):
        if number >= limits.files:
            raise PackageRefused(folder, f"more than {limits.files} files")
        content = _content(path, folder, limits)
        left -= len(content)
        if left < 0:
            raise PackageRefused(folder, f"more than {limits.bytes} bytes of definitions")
        yield path.relative_to(folder).as_posix(), content


def _json_files(folder: Path, *, is_deep: bool, limits: Limits) -> Iterator[Path]:
    entries = 0
    for place, folders, names in os.walk(folder, onerror=_raise):
        entries += len(names) + len(folders)
        if entries > 2 * limits.files:
            raise PackageRefused(folder, f"more than {2 * limits.files} files and folders")
        folders[:] = sorted(each for each in folders if is_deep and not each.startswith(".") and each not in _OTHERS)
        yield from (Path(place) / name for name in sorted(names) if name.endswith(".json") and not name.startswith("."))


def _raise(error: OSError) -> None:
    raise error


def _content(path: Path, folder: Path, limits: Limits) -> bytes | str:
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return "a link that leads out of the folder"
        return read_file(path, limits)
    except OSError as error:
        return error.strerror or "it cannot be read"


def read_file(path: Path, limits: Limits = LIMITS) -> bytes:
    """The content of a plain file that is not too large; raises `OSError` for any other."""
    # Opened without waiting: a pipe that nobody writes to would block for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PackageRefused(path, "it is no plain file")
        content = file.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise PackageRefused(path, f"more than {limits.file_bytes} bytes")
    return content

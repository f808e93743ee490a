"""What keeps a package, or a file in it, from being read, and how large one may be."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UNREADABLE: Final = "definition-unreadable"
"""The code of the issue with one file that cannot be read."""
_SHOWN: Final = 100


class PackageRefused(OSError):
    """A package that is no package, is damaged, or is built to do harm; `strerror` says what was found."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(errno.EINVAL, message, str(path))


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a package may be: well above the largest that are published, well below what exhausts a machine."""

    packed_bytes: int = 128 * 1024 * 1024
    bytes: int = 256 * 1024 * 1024
    file_bytes: int = 64 * 1024 * 1024
    index_bytes: int = 16 * 1024 * 1024
    files: int = 50_000
    containers: int = 1_000_000
    """Objects and arrays in one file: small in text, they are large in memory and slow to make."""
    all_containers: int = 5_000_000
    """The same in all files together; R4 core has a third of a million."""
    values: int = 5_000_000


LIMITS: Final = Limits()


def shown(name: str) -> str:
    """The name of a file in quotes, harmless on a terminal, and not too long."""
    return ascii(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")

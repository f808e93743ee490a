"""A gzip file read as a stream of bytes that is counted, so that a small file cannot become an endless one."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO, Final

from fhir_adapter.validation.packages.refusals import Limits, PackageRefused

_CHUNK: Final = 64 * 1024
_GZIP: Final = 31
"""What zlib calls the format: a header, the largest window, and a checksum that it verifies."""


class GzipStream:
    """The bytes in a gzip file, each read once and in order; raises `PackageRefused` where they are damaged or many."""

    def __init__(self, packed: BinaryIO, path: Path, limits: Limits) -> None:
        self._packed = packed
        self._path = path
        self._left = limits.bytes
        self._limits = limits
        self._inflate = zlib.decompressobj(wbits=_GZIP)
        self._buffer = bytearray()

    def read(self, size: int) -> bytes:
        """So many bytes; fewer only at the end."""
        while len(self._buffer) < size and self._fill():
            pass
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def read_all_of(self, size: int) -> bytes:
        """So many bytes; refuses the file when it ends before."""
        found = self.read(size)
        if len(found) < size:
            raise PackageRefused(self._path, "the archive is cut off")
        return found

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        while size > 0:
            size -= len(self.read_all_of(min(size, _CHUNK)))

    def finish(self) -> None:
        """Read to the end, so that the checksum is verified and nothing hides behind it."""
        self._buffer.clear()
        while self._fill():
            self._buffer.clear()
        rest = self._inflate.unused_data
        while rest:
            if rest.strip(b"\0"):
                raise PackageRefused(self._path, "something follows the end of the gzip stream")
            rest = self._packed.read(_CHUNK)

    def _fill(self) -> bool:
        """Unpack a little more; False at the end of the stream."""
        if self._inflate.eof:
            return False
        try:
            more = self._inflate.decompress(self._inflate.unconsumed_tail or self._next_chunk(), _CHUNK)
        except zlib.error as error:
            raise PackageRefused(self._path, "not a gzip archive, or a damaged one") from error
        self._left -= len(more)
        if self._left < 0:
            raise PackageRefused(self._path, f"more than {self._limits.bytes} bytes when unpacked")
        self._buffer += more
        return True

    def _next_chunk(self) -> bytes:
        chunk = self._packed.read(_CHUNK)
        if not chunk:
            raise PackageRefused(self._path, "the gzip stream is cut off")
        return chunk

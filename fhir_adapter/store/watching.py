"""Whether somebody changed a state file since we looked: asked of SQLite itself, in microseconds.

Source: https://sqlite.org/pragma.html#pragma_data_version
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

StateVersion = tuple[int, int] | None


class StateWatcher:
    """One state file, watched over a connection of its own; to be used by one thread at a time."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._name = str(place)
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._opened = 0

    def version(self) -> StateVersion:
        """Another value after every change by whomever; None while there is no file that can be read.

        Raises nothing: a reader of the file says what is wrong with it better.
        """
        try:
            inode = os.stat(self._name).st_ino  # noqa: PTH116 - at every call of the service: a third of the time
            if self._connection is None or inode != self._inode:
                self._open(inode)
            assert self._connection is not None
            return self._opened, int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except (OSError, sqlite3.Error):
            self.close()
            return None

    def close(self) -> None:
        """Let go of the file; the next look opens it again."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _open(self, inode: int) -> None:
        self.close()
        # SQLite counts changes per connection: each connection is a count of its own.
        self._opened += 1
        self._inode = inode
        uri = f"{self._place.absolute().as_uri()}?mode=rw"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

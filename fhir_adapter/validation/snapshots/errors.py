"""What is said of a definition from which no snapshot can be made."""

from __future__ import annotations


class SnapshotError(Exception):
    """The definition cannot be used; the message says why and where."""

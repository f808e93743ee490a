"""What the exit code of a command means; 0 is done, 130 and 143 are signals."""

from __future__ import annotations

from fhir_adapter.issues import AdapterError, Misconfigured, Refused, Rejected, Retriable

BUG = 1
USAGE = 2
IN_PART = 3
REFUSED = 4
SURROUNDINGS = 5
PIPE_CLOSED = 141

_OF_ERRORS: tuple[tuple[type[AdapterError], int], ...] = (
    (Misconfigured, USAGE),
    (Refused, REFUSED),
    (Rejected, REFUSED),
    (Retriable, SURROUNDINGS),
)


def exit_code(error: AdapterError) -> int:
    """The exit code of an error, by what the caller should do about it."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), REFUSED)

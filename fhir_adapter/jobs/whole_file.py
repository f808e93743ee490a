"""How a job writes a file: whole or not at all, so that no reader ever meets half of one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fhir_adapter.issues import Issue, Misconfigured, Where


def write_whole(out: Path, text: str) -> Path:
    """Write a text as UTF-8; raises `Misconfigured` where it cannot be written."""
    temporary = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(out)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror}"
        raise Misconfigured(message, Issue("error", "unwritable", message, Where(out.name))) from error
    return out

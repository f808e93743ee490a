"""Whether this program can remember what it does: where the state is, who may write it, who is writing it now."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_adapter.issues import AdapterError
from fhir_adapter.jobs.doctor.checks import Notes, matter_of, said
from fhir_adapter.jobs.doctor.machine import look_at_disk

if TYPE_CHECKING:
    from fhir_adapter.store.inspect import StateLook

_OTHER_PLACE = "let this account write there, or keep the state elsewhere with --state"
_REMEDIES = "move it away, or name another file with --state; a backup of it may stand beside it"


def look_at_state(notes: Notes, stated: str | None, trial: str | None) -> None:
    """The state file, which is not made when it is not there, and the disk below it."""
    with notes.border("state"):
        from fhir_adapter.settings import state_file  # noqa: PLC0415 - a package that it needs may be missing

        if trial is None and stated is None:
            notes.skipped("state", "each trial has its own, and no trial was read", "name a trial with --trial")
            look_at_disk(notes, nearest_folder(Path.home()))
            return
        place = state_file(stated, trial or "trial")
        _look_at_place(notes, place)
        look_at_disk(notes, nearest_folder(place.parent))


def nearest_folder(place: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((one for one in (place, *place.parents) if one.is_dir()), place)


def _look_at_place(notes: Notes, place: Path) -> None:
    about = str(place)
    if not _is_writable_folder(notes, place):
        return
    if not place.exists():
        notes.passed("state", "will be made at the first run", about)
        return
    mode = place.stat().st_mode
    if not stat.S_ISREG(mode):
        notes.failed("state", "is no regular file", "name another place with --state", "surroundings", about)
        return
    if not os.access(place, os.R_OK | os.W_OK):
        notes.failed("state", "cannot be written by this account", _OTHER_PLACE, "surroundings", about)
        return
    _look_inside(notes, place)
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        found = f"is marked as read-only (mode {stat.S_IMODE(mode):04o}), which this account may overrule"
        notes.warned("state-writable", found, f"chmod u+w {place.name}", about)


def _is_writable_folder(notes: Notes, place: Path) -> bool:
    """The folder itself, or where it would have to be made."""
    folder = nearest_folder(place.parent)
    blocking = next((one for one in place.parents if one.exists()), folder)
    if not blocking.is_dir():
        found = f"{blocking.name} is no folder, so nothing can be kept below it"
        notes.failed("state", found, "name another place with --state", "surroundings", str(place))
        return False
    if not os.access(folder, os.W_OK | os.X_OK):
        found = f"the folder {folder} cannot be written by this account"
        notes.failed("state", found, _OTHER_PLACE, "surroundings", str(place))
        return False
    return True


def _look_inside(notes: Notes, place: Path) -> None:
    from fhir_adapter.store.inspect import inspect_state  # noqa: PLC0415 - a package that it needs may be missing

    try:
        look = inspect_state(place)
    except AdapterError as error:
        matter = matter_of(error)
        notes.failed("state", said(error), _REMEDIES, "surroundings" if matter == "refused" else matter, str(place))
        return
    _tell(notes, look, str(place))


def _tell(notes: Notes, look: StateLook, about: str) -> None:
    if look.version is not None and look.version > look.known:
        found = f"has version {look.version}; this program knows {look.known}"
        notes.failed("state", found, "use the newer program that wrote it", "surroundings", about)
        return
    if look.at_work:
        do = "wait until it has ended; if none is running, something keeps the file ending in .lock open"
        notes.warned("state-free", "another run is writing it now", do, about)
    if look.version is None:
        notes.passed("state", "opens; it is empty", about)
    elif look.version < look.known:
        found = f"opens; version {look.version} will be upgraded to {look.known}, with a backup beside it"
        notes.passed("state", found, about)
    else:
        notes.passed("state", f"opens; version {look.version}", about)

"""init: a new trial folder to start from, filled with what a registry says of the study; whole, or not at all."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.jobs.init_text import Row, decision_rows, decisions_text, fill, trial_values
from fhir_adapter.sources.registry import FoundRecord, find_record, read_saved_record
from fhir_adapter.sources.registry_record import registry_number
from fhir_adapter.trial_folder import known_trials, mappings_folder, read_trial_folder

SECRET = "id-namespace.secret"  # noqa: S105 - the name of a file
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}", re.ASCII)
_NAMED = 5
"""How many of the things in the way are named."""


@dataclass(frozen=True, slots=True)
class InitReport:
    """What was made, what the registry filled in, and what is left to a person."""

    folder: Path
    trial_id: str
    files: tuple[str, ...]
    found: FoundRecord | None
    rows: tuple[Row, ...]

    @property
    def warnings(self) -> tuple[Issue, ...]:
        """What a person should know of the registry's record."""
        return self.found.warnings if self.found else ()

    @property
    def taken(self) -> list[Row]:
        """What was taken from the registry."""
        return [row for row in self.rows if not row.is_open]

    @property
    def open(self) -> list[Row]:
        """What nobody has decided yet."""
        return [row for row in self.rows if row.is_open]

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {
            "folder": str(self.folder),
            "id": self.trial_id,
            "files": list(self.files),
            "record": _record(self.found) if self.found else None,
            "taken": [{"about": row.about, "value": row.value, "source": row.source} for row in self.taken],
            "open": [{"about": row.about, "why": row.value} for row in self.open],
            "warnings": [issue.to_dict() for issue in self.warnings],
        }


def init(
    folder: Path,
    start: str | None = None,
    trial_id: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> InitReport:
    """Make a trial folder; `start` is an NCT number or a saved registry record.

    Raises `Misconfigured` where something is in the way, and as `find_record` does. Nothing is ever overwritten.
    """
    target = Path(os.path.realpath(folder))  # a link that leads in a circle is a file in the way, and no error
    _check_free(folder, target)
    named = trial_id or (registry_number(start) if start else None)
    if named is not None or start is None:
        named = _checked_id(named or target.name, stated=trial_id is not None)
    found = None if start is None else _found(start, sleep)
    identifier = named or _checked_id(found.record.number if found else "", stated=False)
    today = datetime.now(UTC).astimezone().date()
    rows = tuple(decision_rows(identifier, found.record if found else None, _source(found, start, today)))
    files = _texts(identifier, found, rows, today)
    _make(target, files, from_registry=found is not None)
    return InitReport(folder, identifier, tuple(sorted([*files, SECRET])), found, rows)


def _found(start: str, sleep: Callable[[float], None]) -> FoundRecord:
    number = registry_number(start)
    if number is not None:
        return find_record(number, sleep)
    if start[:3].upper() == "NCT" and not os.path.lexists(start.replace("\0", "")):
        message = "an NCT number is NCT and eight digits, such as NCT02569463"
        raise Misconfigured(message, Issue("error", "registry-number", message, Where("--from")))
    return read_saved_record(Path(start))


def _source(found: FoundRecord | None, start: str | None, today: date) -> str:
    """Where the record comes from, as each row of decisions.yaml names it."""
    if found is None or start is None:
        return ""
    record = found.record
    updated = f"last update posted {record.updated}" if record.updated else "day of last update not said"
    if found.fetched_on is not None:
        return f"ClinicalTrials.gov {record.number}, {updated}, fetched on {found.fetched_on.isoformat()}"
    name = Path(start).name
    return f"ClinicalTrials.gov {record.number}, {updated}, read from the file {name} on {today.isoformat()}"


def _texts(trial_id: str, found: FoundRecord | None, rows: tuple[Row, ...], today: date) -> dict[str, str]:
    """Each file of the folder and its text, the secret excepted."""
    values = trial_values(trial_id, today, found.record if found else None)
    values["decisions"] = decisions_text(rows, today)
    template = mappings_folder() / "template"
    names = ("trial.yaml", "sources.yaml", "codes.yaml", "decisions.yaml")
    return {
        **{name: fill((template / name).read_text(encoding="utf-8"), values) for name in names},
        "data/subjects.csv": (template / "subjects.csv").read_text(encoding="utf-8"),
        ".gitignore": f"# What resource ids are made from stays out of every repository.\n{SECRET}\n",
    }


# The id


def _checked_id(named: str, *, stated: bool) -> str:
    """The id as stated, or made from a number or a folder's name; raises `Misconfigured` for none that can be used."""
    trial_id = named if stated else re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")
    if not _ID.fullmatch(trial_id):
        message = "a trial's id has 2 to 63 lower-case letters, digits and hyphens; state one with --id"
    elif trial_id in known_trials():
        message = f"{trial_id} comes with the program: state another id with --id"
    else:
        return trial_id
    raise Misconfigured(message, Issue("error", "trial-id", message, Where("--id")))


# The folder


def _check_free(folder: Path, target: Path) -> None:
    try:
        message = _in_the_way(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    if message:
        raise Misconfigured(message, Issue("error", "folder-in-the-way", message, Where(str(folder))))


def _in_the_way(target: Path) -> str:
    """Why the folder cannot be made here; empty when it can."""
    if target.name in known_trials():
        return "a trial of that name comes with the program; choose another name for the folder"
    if not target.parent.is_dir():
        return "the folder above it does not exist; make that first"
    if not os.path.lexists(target):
        return ""
    if not target.is_dir():
        return "a file is there already; nothing is overwritten"
    there = sorted(path.name for path in target.iterdir())
    if there:
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        return f"not empty: {', '.join(there[:_NAMED])}{more}; nothing is overwritten, name a new folder"
    return "the folder in which you are cannot be replaced; name a new one" if target == Path.cwd() else ""


def _make(target: Path, files: dict[str, str], *, from_registry: bool) -> None:
    """Write beside the target, see that it reads, and rename: the folder appears whole, or not at all."""
    part = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir()
        for name, text in files.items():
            path = part / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        _write_secret(part / SECRET)
        if from_registry:
            _check_reads(part)
        part.rename(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_secret(path: Path) -> None:
    """A new random namespace that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{uuid.uuid4()}\n")


def _check_reads(part: Path) -> None:
    try:
        read_trial_folder(part)
    except Misconfigured as error:
        message = "the registry's record cannot be written as a trial folder: its texts are beyond the limits"
        raise Misconfigured(message, Issue("error", "registry-record", message, Where("--from"))) from error


def _unwritable(target: Path, error: OSError) -> Misconfigured:
    message = f"cannot be written: {error.strerror}"
    return Misconfigured(message, Issue("error", "unwritable", message, Where(str(target))))


def _record(found: FoundRecord) -> dict[str, object]:
    fetched = found.fetched_on.isoformat() if found.fetched_on else None
    return {
        "number": found.record.number,
        "updated": found.record.updated,
        "fetched_on": fetched,
        "cached": found.cached,
    }

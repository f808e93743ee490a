"""Whether this trial can be read: its folder, its secret, its files; counts and codes only, never a row's values."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_adapter.issues import AdapterError, Issue
from fhir_adapter.jobs.doctor.checks import Notes, matter_of
from fhir_adapter.jobs.doctor.files import Fault, privacy_fault, read_secret, shape_fault

if TYPE_CHECKING:
    from fhir_adapter.jobs.map import MapReport
    from fhir_adapter.trial_folder import TrialFolder

_MAP = "fhir-adapter map --trial ... lists them with file and row"


@dataclass(frozen=True, slots=True)
class TrialLook:
    """What could be read of the trial; `types` are the resource types that a push would send."""

    folder: TrialFolder | None = None
    types: frozenset[str] = frozenset()


def look_at_trial(notes: Notes, trial: str | None, source: Path | None) -> TrialLook:
    """The folder, then what its files become."""
    if not trial:
        notes.skipped("trial", "none is named", "name one with --trial to have it looked at")
        return TrialLook()
    folder: TrialFolder | None = None
    types: frozenset[str] = frozenset()
    with notes.border("trial"):
        folder = _read_folder(notes, trial)
    if folder is None:
        return TrialLook()
    _look_at_sections(notes, folder)
    with notes.border("trial-sources", folder.id):
        types = _look_at_sources(notes, folder, source)
    return TrialLook(folder, types)


def _read_folder(notes: Notes, trial: str) -> TrialFolder | None:
    from fhir_adapter.trial_folder import read_trial_folder, trial_path  # noqa: PLC0415 - a package may be missing

    path = trial_path(trial)
    if not _look_at_namespace(notes, path):
        notes.skipped("trial", "its id_namespace cannot be read", "mend what id-namespace says first", path.name)
        return None
    folder = read_trial_folder(path)
    labels = ", ".join(folder.labels)
    notes.passed(
        "trial", f"read; labels {labels}; sources: {len(folder.sources)}, sites: {len(folder.sites)}", folder.id
    )
    return folder


def _look_at_namespace(notes: Notes, path: Path) -> bool:
    """The secret from which ids are made, where trial.yaml only says where it is; False when it cannot be read."""
    from fhir_adapter.trial_folder import read_yaml  # noqa: PLC0415 - a package that it needs may be missing

    document = read_yaml(path / "trial.yaml").value
    stated = document.get("id_namespace") if isinstance(document, dict) else None
    if not isinstance(stated, Mapping):
        return True
    if isinstance(stated.get("environment"), str):
        variable = stated["environment"]
        return _judge_namespace(notes, os.environ.get(variable, ""), f"the environment variable {variable}")
    if isinstance(stated.get("file"), str):
        return _look_at_namespace_file(notes, path / stated["file"])
    return True


def _look_at_namespace_file(notes: Notes, file: Path) -> bool:
    fault = shape_fault(file, do="make it, with one UUID in it; if ids were sent before, restore the old one")
    text = fault if fault is not None else read_secret(file)
    if isinstance(text, Fault):
        notes.failed("id-namespace", text.found, text.do, "set-up")
        return False
    open_to = privacy_fault(file)
    if open_to is None:
        return _judge_namespace(notes, text, f"the file {file.name}")
    do = f"chmod 600 {file.name}; whoever read it can link pseudonyms, so tell the sponsor"
    notes.failed("id-namespace", open_to.found, do, "set-up")
    return True


def _judge_namespace(notes: Notes, text: str, place: str) -> bool:
    try:
        uuid.UUID(text.strip())
    except ValueError:
        do = "write the trial's UUID there; if ids were sent before, restore the old one"
        notes.failed("id-namespace", f"{place} holds no UUID", do, "set-up")
        return False
    notes.passed("id-namespace", f"read from {place}")
    return True


def _look_at_sections(notes: Notes, folder: TrialFolder) -> None:
    for name, there, command in (
        ("scores", folder.scores is not None, "score, explain and report"),
        ("hospital", folder.hospital is not None, "pull from a server"),
    ):
        if there:
            notes.passed(f"trial-{name}", f"trial.yaml says what {command} need{'s' if name == 'hospital' else ''}")
        else:
            do = f"state it before you use {command}; docs/reference/trial-folder.md says how"
            notes.warned(f"trial-{name}", f"trial.yaml has no `{name}`", do, folder.id)


def _look_at_sources(notes: Notes, folder: TrialFolder, source: Path | None) -> frozenset[str]:
    from fhir_adapter.jobs.map import map_sources  # noqa: PLC0415 - a package that it needs may be missing

    place = source if source is not None else folder.source_folder
    if not place.is_dir():
        found = f"the folder {place.name} with the exported files is not there"
        notes.failed("trial-sources", found, "name it with --source", "set-up", folder.id)
        return frozenset()
    try:
        mapped = map_sources(folder, source)
    except AdapterError as error:
        found = f"cannot be read: {_places(error.issues)}"
        notes.failed(
            "trial-sources", found, "fhir-adapter map --trial ... says it in full", matter_of(error), folder.id
        )
        return frozenset()
    _tell_rows(notes, mapped, folder.id)
    _tell_columns(notes, mapped, folder.id)
    return frozenset(item.name.partition("/")[0] for item in mapped.plan.of("create"))


def _tell_rows(notes: Notes, mapped: MapReport, trial: str) -> None:
    """An export without anything that can be used fails; single rows that cannot be are what a trial looks like."""
    count, aside = len(mapped.resources), len(mapped.set_aside)
    found = f"{count} resources from {len(mapped.reading.files)} files"
    if not count:
        notes.failed("trial-sources", f"{found}; {aside} rows set aside", _MAP, "set-up", trial)
    elif aside:
        notes.warned("trial-sources", f"{found}; set aside: {_codes(mapped.set_aside)}", _MAP, trial)
    else:
        notes.passed("trial-sources", found, trial)


def _tell_columns(notes: Notes, mapped: MapReport, trial: str) -> None:
    """Columns are counted, not named: in a file without a head line their names are a subject's values."""
    unknown = Counter(use.file for use in mapped.reading.columns if use.use == "unknown")
    if unknown:
        files = ", ".join(f"{count} in {file}" for file, count in unknown.items())
        do = "map them, or ignore them with a reason, in sources.yaml; fhir-adapter map names them"
        notes.warned("trial-columns", f"columns neither mapped nor ignored by decision: {files}", do, trial)
    else:
        notes.passed("trial-columns", "every column is mapped, or ignored by decision", trial)


def _codes(issues: Iterable[Issue]) -> str:
    return ", ".join(f"{count} {code}" for code, count in Counter(issue.code for issue in issues).most_common())


def _places(issues: Iterable[Issue]) -> str:
    """Where and which code; messages about exported files may repeat what stands in them."""
    return "; ".join(f"{issue.where}{f' {issue.rule}' if issue.rule else ''} [{issue.code}]" for issue in issues)

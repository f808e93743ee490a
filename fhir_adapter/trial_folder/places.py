"""Where trial folders and schemas lie, in a checkout and in an installed package alike."""

from __future__ import annotations

from pathlib import Path

from fhir_adapter.issues import Issue, Misconfigured, Where

_PACKAGE = Path(__file__).resolve().parent.parent


def mappings_folder() -> Path:
    """The folder `mappings/`: beside the package in a checkout, inside it when installed."""
    installed = _PACKAGE / "_data" / "mappings"
    return installed if installed.is_dir() else _PACKAGE.parent / "mappings"


def schema_file(name: str) -> Path:
    """The JSON Schema of one kind of mapping file."""
    return mappings_folder() / "schemas" / f"{name}.schema.json"


def known_trials() -> list[str]:
    """The ids of the trials that come with this installation."""
    return sorted(path.parent.name for path in (mappings_folder() / "trials").glob("*/trial.yaml"))


def trial_path(trial: str) -> Path:
    """The folder of a trial, given by id or by path; raises `Misconfigured` when there is none."""
    for folder in (mappings_folder() / "trials" / trial, Path(trial)):
        if "\0" not in trial and (folder / "trial.yaml").is_file():
            return folder
    message = f"no trial {trial!r}: neither a folder with a trial.yaml nor one of {', '.join(known_trials())}"
    raise Misconfigured(message, Issue("error", "unknown-trial", message, Where("--trial")))

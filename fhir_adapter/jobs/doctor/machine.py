"""Whether this machine is fit: Python, time zones, packages, room on the disk; only the standard library is needed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fhir_adapter.jobs.doctor.checks import Notes

OLDEST_PYTHON = (3, 11)
NO_ROOM = 100 * 1000 * 1000
LITTLE_ROOM = 1000 * 1000 * 1000

_EVERY = "every command"
USES = {
    "fastapi": ("fastapi", "demo, sandbox and serve"),
    "fhir-resources": ("fhir.resources", "the second opinion on what is sent"),
    "httpx2": ("httpx2", "push, pull and demo"),
    "jinja2": ("jinja2", "report and demo"),
    "jsonschema": ("jsonschema", _EVERY),
    "orjson": ("orjson", _EVERY),
    "platformdirs": ("platformdirs", _EVERY),
    "prometheus-client": ("prometheus_client", "serve"),
    "regex": ("regex", "FHIRPath expressions with a regular expression"),
    "requests": ("requests", "what is read from a registry"),
    "rich": ("rich", "the tables of every command"),
    "ruamel-yaml": ("ruamel.yaml", _EVERY),
    "sqlalchemy": ("sqlalchemy", "push, pull, score and report"),
    "structlog": ("structlog", "the log of every command"),
    "typer": ("typer", _EVERY),
    "tzdata": ("tzdata", "time zones where the system has none"),
    "uvicorn": ("uvicorn", "demo, sandbox and serve"),
}
"""Each run-time package by its normalised name: what is imported of it, and which commands need it."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def look_at_python(notes: Notes) -> None:
    """The interpreter, and whether it knows time zones."""
    version = ".".join(map(str, sys.version_info[:3]))
    found = f"Python {version} ({sys.implementation.name}, {sys.platform})"
    if sys.version_info[:2] < OLDEST_PYTHON:
        notes.failed("python", found, "install Python 3.11 or later, and make the environment again", "surroundings")
    else:
        notes.passed("python", found)
    try:
        ZoneInfo("Asia/Shanghai")
    except (ZoneInfoNotFoundError, OSError):
        do = f"install the package tzdata: {_install('tzdata')}"
        notes.failed("time-zones", "there is no time zone database", do, "surroundings")
    else:
        notes.passed("time-zones", "the time zone database is there")


def look_at_packages(notes: Notes, wanted: Iterable[str] | None = None) -> None:
    """Every package that the program needs at run time; what is missing, for which commands, and how to get it."""
    names = sorted(declared_packages() if wanted is None else wanted)
    missing = [name for name in names if not _importable(USES.get(name, (name, ""))[0])]
    if not missing:
        notes.passed("packages", f"all {len(names)} packages are there")
    for name in missing:
        needed_by = USES.get(name, ("", _EVERY))[1]
        found = f"{name} is missing; it is needed by: {needed_by}"
        notes.failed("packages", found, _install(name), "surroundings", name)


def declared_packages() -> set[str]:
    """The normalised names of the run-time packages: those we know, and those that the installation declares."""
    try:
        stated = importlib.metadata.requires("fhir-adapter") or []
    except importlib.metadata.PackageNotFoundError:
        stated = []
    plain = [match[0] for text in stated if "extra ==" not in text and (match := _NAME.match(text))]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in plain} | set(USES)


def look_at_disk(notes: Notes, place: Path) -> None:
    """How much room there is where the state is, or will be."""
    with notes.border("disk", str(place)):
        judge_room(notes, shutil.disk_usage(place).free, place)


def judge_room(notes: Notes, free: int, place: Path) -> None:
    """Whether so many bytes are enough for a state file and its log."""
    found = f"{free / 1000**3:,.1f} GB are free"
    do = "make room there, or keep the state elsewhere with --state"
    if free < NO_ROOM:
        notes.failed("disk", f"{found}; a run needs at least {NO_ROOM // 1000**2} MB", do, "surroundings", str(place))
    elif free < LITTLE_ROOM:
        notes.warned("disk", found, do, str(place))
    else:
        notes.passed("disk", found, str(place))


def _importable(module: str) -> bool:
    """True when it can be found; it is not imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _install(name: str) -> str:
    return f"python -m pip install {name} (in a checkout: make setup)"

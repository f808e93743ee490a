"""Which resource does one of our canonical addresses name: read from `profiles/`, in a checkout and when installed."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from fhir_adapter import fhirjson

_PACKAGE = Path(__file__).resolve().parent.parent


def profiles_folder(package: Path = _PACKAGE) -> Path:
    """The folder `profiles/`: beside the package in a checkout, inside it when installed."""
    installed = package / "_data" / "profiles"
    return installed if installed.is_dir() else package.parent / "profiles"


def known_resources(folder: Path | None = None) -> list[str]:
    """The names of all resources that come with this installation, such as `OperationDefinition-hscore`."""
    return sorted(path.stem for path in (folder or profiles_folder()).glob("*.json"))


def canonical_resource(name: str) -> dict[str, Any]:
    """The resource called `Type-id`, a new copy at each call; raises `LookupError` when there is none."""
    return copy.deepcopy(_read(name))


@cache
def _read(name: str) -> dict[str, Any]:
    folder = profiles_folder()
    known = known_resources(folder)
    if name not in known:  # compared with what is there, so that no name leads out of the folder
        raise LookupError(f"no resource {name[:80]!r} in profiles/; there are: {', '.join(known) or 'none'}")
    resource: dict[str, Any] = fhirjson.loads((folder / f"{name}.json").read_bytes())
    return resource

"""Which server may be used for what: test and production kept apart, roles kept, other FHIR versions refused."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_adapter.client import FhirServer, ServerSettings
from fhir_adapter.issues import Issue, Refused, Where
from fhir_adapter.trial_folder import TrialFolder


def may_push(folder: TrialFolder, settings: ServerSettings) -> None:
    """Write only where we may; raises `Refused` before any request."""
    name = settings.name or settings.base
    _check_labels(folder, settings)
    if settings.role == "read":
        raise _refused("read-only-server", f"{name} has the role read; push needs write or both", name)
    if settings.kind == "ehr":
        message = f"{name} is an ehr, which owns its patients; linking to them is not built yet, and we create none"
        raise _refused("patients-not-ours", message, name)


def may_pull(folder: TrialFolder, settings: ServerSettings) -> None:
    """Read only where we may; raises `Refused` before any request."""
    name = settings.name or settings.base
    _check_labels(folder, settings)
    if settings.role == "write":
        raise _refused("write-only-server", f"{name} has the role write; pull needs read or both", name)


def capabilities_of(server: FhirServer) -> Mapping[str, object]:
    """What the server says of itself; raises `Refused` when it speaks another FHIR than we do."""
    found = server.capabilities()
    version = str(found.get("fhirVersion", "none"))
    accepted = server.settings.fhir_versions
    if version.rpartition(".")[0] not in accepted:
        name = server.settings.name or server.base
        wanted = " or ".join(f"{one}.x" for one in accepted)
        raise _refused("fhir-version", f"{name} speaks FHIR {version[:20]}; what we speak is {wanted}", name)
    return found


def _check_labels(folder: TrialFolder, settings: ServerSettings) -> None:
    if "HTEST" in folder.labels and not settings.test:
        name = settings.name or settings.base
        message = f"made-up data (HTEST) go only with a server marked `test: true`; {name} is not"
        raise _refused("test-data", message, name)


def _refused(code: str, message: str, server: str) -> Refused:
    return Refused(message, Issue("fatal", code, message, Where(server)))

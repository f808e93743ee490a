"""doctor: is this set-up going to work, and what to do about it.

Each check stands alone: what fails is one line of the report, and the others go on. Imports of other rooms stand inside
functions, so that a missing package is told and not met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fhir_adapter.jobs.doctor.checks import Check, DoctorReport, Matter, Notes, Status
from fhir_adapter.jobs.doctor.configuration import Configuration, look_at_configuration, read_configuration
from fhir_adapter.jobs.doctor.machine import look_at_packages, look_at_python
from fhir_adapter.jobs.doctor.server import look_at_server, utc_now
from fhir_adapter.jobs.doctor.service import look_at_service
from fhir_adapter.jobs.doctor.state import look_at_state
from fhir_adapter.jobs.doctor.trial import look_at_trial

__all__ = [
    "Check",
    "Configuration",
    "DoctorOptions",
    "DoctorReport",
    "Matter",
    "Status",
    "examine",
    "read_configuration",
]


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What is to be looked at; what is not named is skipped."""

    trial: str | None = None
    server: str | None = None
    source: Path | None = None
    state: str | None = None


def examine(
    configuration: Configuration, options: DoctorOptions, now: Callable[[], datetime] = utc_now
) -> DoctorReport:
    """Look at everything from the ground up: machine, configuration, trial, state, server, service. Writes nothing."""
    notes = Notes()
    look_at_python(notes)
    look_at_packages(notes)
    look_at_configuration(notes, configuration)
    trial = look_at_trial(notes, options.trial, options.source)
    look_at_state(notes, options.state, trial.folder.id if trial.folder else None)
    look_at_server(notes, configuration.settings, options.server, trial, now)
    look_at_service(notes, configuration.settings)
    return DoctorReport(tuple(notes.checks))

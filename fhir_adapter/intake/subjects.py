"""Whose results are wanted: the trial's subjects, how the hospital knows each, and between which days.

A result belongs to a subject only through the hospital's Patient with exactly the stated identifier; never by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo
from fractions import Fraction

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.mappers import Names
from fhir_adapter.mappers.r4.read_observation import effective_of
from fhir_adapter.sources import Reading
from fhir_adapter.trial import Entity, Moment, MomentError, Subject, calendar_day, first_dose, injections
from fhir_adapter.trial_folder import HospitalSettings, TrialFolder


@dataclass(frozen=True, slots=True)
class PullSubject:
    """A subject as the hospital can find it.

    `patient` is the value of the hospital's identifier, empty when the records do not have it. `first_day` and
    `last_day` are calendar days in the site's zone; None when there was no dose to count from.
    """

    subject: str
    patient: str
    zone: tzinfo
    first_day: date | None
    last_day: date | None
    death: Moment | None = None

    def in_window(self, resource: Mapping[str, object]) -> bool:
        """True when the result was collected, or may have been, on one of the days.

        Raises `MomentError` when its time cannot be read.
        """
        effective = effective_of(resource)
        if effective is None or self.first_day is None or self.last_day is None:
            return False
        low, high = effective.bounds(self.zone)
        start, end = _day(self.first_day, self.zone), _day(self.last_day + timedelta(days=1), self.zone)
        return low < end and (high > start or low == high == start)

    def may_be_in_window(self, resource: Mapping[str, object]) -> bool:
        """As `in_window`, but true where its time cannot be read: a person should hear of it."""
        try:
            return effective_of(resource) is None or self.in_window(resource)
        except MomentError:
            return True


def hospital_of(folder: TrialFolder) -> HospitalSettings:
    """How the trial finds results at the hospital; raises `Misconfigured` when its folder does not say."""
    if folder.hospital is None:
        message = "trial.yaml has no `hospital`; it says how the hospital's Patients are found and which days to read"
        raise Misconfigured(message, Issue("error", "no-hospital", message, Where(str(folder.path / "trial.yaml"))))
    return folder.hospital


def trial_subjects(reading: Reading, folder: TrialFolder) -> list[PullSubject]:
    """Every subject of the trial's records, in their order."""
    hospital, names = hospital_of(folder), Names(folder)
    entities = _by_subject(reading)
    return [
        _pull_subject(one, entities[one.subject], folder, hospital, names)
        for one in reading.entities
        if isinstance(one, Subject)
    ]


def _pull_subject(
    one: Subject, mine: Sequence[Entity], folder: TrialFolder, hospital: HospitalSettings, names: Names
) -> PullSubject:
    settings = folder.sites.get(one.site)
    zone = settings.zone if settings and settings.zone else UTC
    own = hospital.patient_field == "subject"
    patient = names.value(*one.key) if own else one.hospital_patient_id
    first = first_dose(one, injections(mine, zone))
    reference = first.day if first else None
    if reference is None:
        return PullSubject(one.subject, patient, zone, None, None, one.death)
    begin, end = (calendar_day(day, reference) for day in (hospital.first_day, hospital.last_day))
    return PullSubject(one.subject, patient, zone, begin, end, one.death)


def _by_subject(reading: Reading) -> dict[str, list[Entity]]:
    found: dict[str, list[Entity]] = {}
    for one in reading.entities:
        found.setdefault(one.subject, []).append(one)
    return found


def _day(day: date, zone: tzinfo) -> Fraction:
    return Moment(day.isoformat(), day.isoformat(), "day").bounds(zone)[0]

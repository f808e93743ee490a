"""What stands on the page: everything already computed and read, nothing formatted yet."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from fhir_adapter.issues import Issue
from fhir_adapter.scores import SubjectScores
from fhir_adapter.trial import Dose, Moment, Result, ScoreRules, Subject, study_day
from fhir_adapter.trial_folder import Decision


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A value that the site typed and the hospital's result of the same collection, where they differ.

    `typed` and `hospital` are values with their comparator; `unit` is the unit of both. `window` names the visit at
    which the result counts, or is blank.
    """

    test: str
    effective: Moment | None
    typed: str
    hospital: str
    unit: str
    window: str = ""


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """One subject with a score: what was computed, what happened, what differs, what is not known.

    `immunosuppression` says who stated it and when. `steroids` are courses in mg of prednisolone equivalent a day, both
    days included; overlapping courses add up. `missing` names windows with items whose value could change the score.
    `zone` is the site's: days are counted and times shown there.
    """

    subject: Subject
    scores: SubjectScores
    diagnosis: str = ""
    immunosuppression: str = ""
    doses: tuple[Dose, ...] = ()
    temperatures: tuple[Result, ...] = ()
    steroids: tuple[tuple[date, date, Decimal], ...] = ()
    rescue: tuple[tuple[date, str], ...] = ()
    transfusions: tuple[tuple[date, str], ...] = ()
    adverse_events: tuple[tuple[date | None, str], ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    _: KW_ONLY
    zone: tzinfo = UTC

    @property
    def name(self) -> str:
        """The trial's own number of the subject; no other name is shown."""
        return self.subject.subject

    @property
    def treated(self) -> bool:
        """True when at least one dose was given."""
        return any(dose.given for dose in self.doses)

    @property
    def day_one(self) -> date | None:
        """The calendar day of the first dose given."""
        days = [day for dose in self.doses if dose.given and (day := self.day_of(dose.start))]
        first = self.subject.first_dose
        return min(days, default=self.day_of(first) if first else None)

    def local(self, moment: Moment) -> datetime | None:
        """The time at the site; None when only a date is known."""
        if moment.precision != "time":
            return None
        start = moment.bounds(self.zone)[0]
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(start))).astimezone(self.zone)

    def day_of(self, moment: Moment) -> date | None:
        """The calendar day at the site; None when only month or year are known."""
        local = self.local(moment)
        return local.date() if local else moment.day

    def study_day(self, day: date | None) -> int | None:
        """The study day of a calendar day; None before anything was given."""
        return study_day(day, self.day_one) if day and self.day_one else None


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report of a trial at a data cut.

    `labels` are the security labels of the data: HTEST says that the data are made up. `review` holds what the rules
    could not decide (subject, kind, why); `provenance` what the page rests on (what, value): files with their sha256,
    server, number of the pull, version of the program; `not_scored` the subjects without a score (subject, why).
    """

    trial: str
    title: str
    registry_id: str
    labels: tuple[str, ...]
    study_status: str
    data_as_of: str | None
    complete: bool
    why_incomplete: tuple[Issue, ...]
    rules: ScoreRules
    subjects: tuple[SubjectPage, ...]
    decisions: tuple[Decision, ...] = ()
    issues: tuple[Issue, ...] = ()
    review: tuple[tuple[str, str, str], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    not_scored: tuple[tuple[str, str], ...] = ()

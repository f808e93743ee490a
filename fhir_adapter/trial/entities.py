"""What a trial is, in the words of CDISC and ICH: subjects, visits, doses, measurements, findings, adverse events.

Every entity knows its business key (what makes it the same thing in tomorrow's export) and its origin (where a person
finds it). Texts are kept as recorded; codes and units are given a FHIR meaning later, by the trial's own maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from typing import Literal

from fhir_adapter.trial.moments import Moment


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entity was read: the source's name in the trial folder, the file, the row."""

    source: str
    file: str
    row: int


NOWHERE = Origin("", "", 0)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit as recorded; `recorded` is the whole text of the cell."""

    value: Decimal
    unit: str
    recorded: str
    comparator: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about the study (SDTM trial summary): text, and code with its dictionary where given."""

    text: str
    code: str = ""
    dictionary: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """A planned arm: the stable key, and the description that people read."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Site:
    """A place that enrols subjects."""

    name: str
    title: str
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One inclusion or exclusion criterion of the newest protocol version, text verbatim."""

    name: str
    text: str
    exclusion: bool


STUDY_FIELDS = (
    *("title", "description", "registry_id", "phase", "purpose", "category", "focus", "condition", "keyword"),
    *("country", "start", "end", "sponsor", "objective_primary", "objective_secondary", "outcome_primary"),
    *("outcome_secondary", "planned_size", "age_minimum", "age_maximum"),
)
"""What a study may be said to be, beside its arms, criteria and sites."""


@dataclass(frozen=True, slots=True)
class Study:
    """The study as its registry entry and protocol describe it; `facts` by the field they fill."""

    identifier: str
    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    arms: tuple[Arm, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    sites: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """A milestone or the end of a subject's treatment or participation."""

    subject: str
    decoded: str
    term: str
    category: str
    subcategory: str
    at: Moment | None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One person in the trial, known by the trial's own number."""

    subject: str
    site: str
    key: tuple[str, ...]
    origin: Origin = NOWHERE
    screening_number: str = ""
    sex: str = ""
    race: str = ""
    ethnicity: str = ""
    birth: Moment | None = None
    death: Moment | None = None
    died: bool | None = None
    consent: Moment | None = None
    reference_start: Moment | None = None
    first_dose: Moment | None = None
    participation_end: Moment | None = None
    planned_arm: str = ""
    actual_arm: str = ""
    site_country: str = ""
    hospital_patient_id: str = ""
    """How the hospital knows this person, as recorded: for finding results there, never sent with ours."""
    dispositions: tuple[Disposition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit that took place; `unplanned` says why when the protocol did not plan it."""

    subject: str
    site: str
    number: str
    key: tuple[str, ...]
    origin: Origin = NOWHERE
    name: str = ""
    start: Moment | None = None
    end: Moment | None = None
    unplanned: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """An administration as collected, or a planned one that was missed (`given` false)."""

    subject: str
    site: str
    key: tuple[str, ...]
    treatment: str
    given: bool
    start: Moment
    origin: Origin = NOWHERE
    end: Moment | None = None
    amount: Quantity | None = None
    strength: Quantity | None = None
    form: str = ""
    lot: str = ""
    route: str = ""
    frequency: str = ""
    device: str = ""
    reason_missed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A constant-dosing interval of the protocol treatment, only reconciled with the doses as collected."""

    subject: str
    key: tuple[str, ...]
    treatment: str
    amount: Quantity
    start: Moment
    end: Moment | None = None
    frequency: str = ""
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Measurement:
    """A laboratory result or vital sign, value and unit as recorded.

    `value` is the text of a number; `word` stands instead of it where the laboratory answered in words. `panel` holds
    the parts of a result that is one observation with components (a blood pressure).
    """

    test: str
    value: str | None
    unit: str | None
    comparator: str | None = None
    effective: Moment | None = None
    _: KW_ONLY
    subject: str = ""
    site: str = ""
    key: tuple[str, ...] = ()
    origin: Origin = NOWHERE
    recorded: str = ""
    word: str | None = None
    name: str = ""
    category: str = ""
    group: str = ""
    visit: str = ""
    position: str = ""
    location: str = ""
    indicator: str = ""
    not_done: bool = False
    low: Quantity | None = None
    high: Quantity | None = None
    standard: Quantity | None = None
    panel: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An examination or a finding about an event: what was looked at, and what was found, as words.

    `stated_by` and `stated_on` say who answered, and when, where the answer is a person's judgement.
    """

    subject: str
    site: str
    key: tuple[str, ...]
    test: str
    name: str
    item: str
    result: str
    origin: Origin = NOWHERE
    group: str = ""
    location: str = ""
    about: str = ""
    visit: str = ""
    effective: Moment | None = None
    method: str = ""
    not_done: bool = False
    stated_by: str = ""
    stated_on: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """An adverse event as reported, with the dictionary's terms where the export has them."""

    subject: str
    site: str
    key: tuple[str, ...]
    term: str
    number: str = ""
    origin: Origin = NOWHERE
    start: Moment | None = None
    end: Moment | None = None
    severity: str = ""
    serious: bool | None = None
    serious_criteria: tuple[str, ...] = ()
    action: str = ""
    causality: str = ""
    outcome: str = ""
    dictionary_terms: tuple[tuple[str, str], ...] = ()


EligibilityStatus = Literal["met", "not-met", "unknown", "manual"]
"""How a criterion reads for a subject; `manual`: only a person can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityAnswer:
    """What the site answered to one eligibility criterion for one subject."""

    subject: str
    site: str
    key: tuple[str, ...]
    criterion: str
    answer: EligibilityStatus
    origin: Origin = NOWHERE
    at: Moment | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication:
    """A concomitant medication: what a subject took beside the protocol treatment."""

    subject: str
    site: str
    key: tuple[str, ...]
    treatment: str
    origin: Origin = NOWHERE
    category: str = ""
    dose: Quantity | None = None
    route: str = ""
    frequency: str = ""
    start: Moment | None = None
    end: Moment | None = None
    indication: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfusion:
    """A blood product given: it falsifies the counts that are measured after it."""

    subject: str
    site: str
    key: tuple[str, ...]
    product: str
    origin: Origin = NOWHERE
    amount: Quantity | None = None
    start: Moment | None = None
    end: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A disease or an event before the trial; `ongoing` is None when nobody said."""

    subject: str
    site: str
    key: tuple[str, ...]
    term: str
    origin: Origin = NOWHERE
    category: str = ""
    start: Moment | None = None
    end: Moment | None = None
    ongoing: bool | None = None


Entity = (
    Subject
    | Visit
    | Dose
    | Measurement
    | Finding
    | AdverseEvent
    | EligibilityAnswer
    | Medication
    | Transfusion
    | History
)

"""How a hospital's Condition (R4) becomes a finding that counts: present while it is active, absent once refuted.

It has no value: what it says lies in two statuses, and for how long it says so in onset and abatement. What is not
certain is an issue with its reason, never a guess; a diagnosis that the score does not ask for is passed over.
https://hl7.org/fhir/R4/condition.html (con-4, con-5; both statuses are modifiers)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction

from fhir_adapter.issues import Issue, Severity, Where
from fhir_adapter.mappers.r4.read_observation import (
    EARLIEST_ZONE,
    SKEW,
    ReadObservation,
    codings_of,
    folder_flags,
    says_marrow,
    why_refused,
    words_of,
)
from fhir_adapter.terminology import HSCORE_ITEM, TABLES_ONLY, CodeMatch, SiteCodes, match_codes
from fhir_adapter.trial import Moment, MomentError, Result, read_moment

METHOD = "condition"
"""The method of what a Condition says: no examination, but somebody's diagnosis."""

_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_UNSURE = ("unconfirmed", "provisional", "differential", "entered-in-error")
_ACTIVE = ("active", "recurrence", "relapse")
_OVER = ("inactive", "remission", "resolved")
_RETURNED = _ACTIVE[1:]
_ONSETS = ("onsetAge", "onsetPeriod", "onsetRange", "onsetString")
_IMMUNOSUPPRESSION = "known_immunosuppression"

_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Dates:
    """What a Condition says of its time; `other_onset` when it began at a time that is no date."""

    onset: Moment | None = None
    other_onset: bool = False
    recorded: Moment | None = None
    changed: Moment | None = None
    abated: Moment | None = None
    abatement: bool = False

    @property
    def begins(self) -> Moment | None:
        """From when on it is certain: its onset, or the day on which somebody recorded it."""
        return self.onset or self.recorded

    @property
    def heard(self) -> Moment | None:
        """The latest moment of which the record itself speaks."""
        known = [one for one in (self.onset, self.recorded, self.changed) if one is not None]
        return max(known, key=lambda one: one.bounds()[0], default=None)


def dates_of(resource: _Json) -> Dates:
    """The dates of a Condition; raises `MomentError` for one that is none, or a time without offset."""
    onset, abatement = _object(resource.get("onsetPeriod")), _object(resource.get("abatementPeriod"))
    return Dates(
        onset=_moment(resource.get("onsetDateTime") or onset.get("start")),
        other_onset=any(name in resource for name in _ONSETS),
        recorded=_moment(resource.get("recordedDate")),
        changed=_moment(_object(resource.get("meta")).get("lastUpdated")),
        # While it abates it is there no more for certain.
        abated=_moment(resource.get("abatementDateTime") or abatement.get("start")),
        abatement=any(name.startswith("abatement") for name in resource),
    )


def verification_of(resource: _Json) -> str:
    """The one code of its verification status; empty when there is none, or more than one."""
    return _one_code(resource.get("verificationStatus"), _VERIFICATION)


@dataclass
class _Reading:
    """One Condition being read."""

    resource: _Json
    name: str
    as_of: Moment | None
    latest: Fraction
    issues: list[Issue] = field(default_factory=list)

    def issue(self, code: str, message: str, expression: str = "", severity: Severity = "error") -> None:
        """Note why it cannot be used."""
        self.issues.append(Issue(severity, code, message, Where(resource=self.name, expression=expression or None)))


def read_condition(
    resource: _Json,
    subject: str,
    *,
    sha256: str | None = None,
    site: SiteCodes = TABLES_ONLY,
    as_of: Moment | None = None,
    now: datetime | None = None,
) -> ReadObservation:
    """Read what a Condition says of a finding of the score: one result, or an issue that says why there is none.

    An active one is known to be so until `as_of`, when the hospital's record was read; left out, until the last moment
    of which the record itself speaks. A code that the score does not ask for is no issue: a list of diagnoses has many.
    """
    match = match_codes(codings_of(resource.get("code")), site)
    if match.kind == "unknown":
        return ReadObservation()
    identity = resource.get("id")
    name = f"Condition/{identity if isinstance(identity, str) else ''}"
    reading = _Reading(resource, name, as_of, Fraction(int(((now or datetime.now(UTC)) + SKEW).timestamp())))
    verification = _counted(reading, match)
    dates = _dates(reading) if verification else None
    if dates is None:
        return ReadObservation((), tuple(reading.issues))
    shared = Result(
        subject=subject,
        name=match.name,
        source="hospital",
        value="present" if verification == "confirmed" else "absent",
        present=verification == "confirmed",
        reference=name,
        version=_text(_object(resource.get("meta")).get("versionId")) or None,
        sha256=sha256,
        status=verification,
        method=METHOD,
        body_site=next(filter(None, map(words_of, _objects(resource.get("bodySite")))), ""),
        code=match.code,
        flags=folder_flags(match),
    )
    read = _present(reading, shared, dates) if shared.present else _absent(shared, dates)
    return ReadObservation((read,) if read is not None else (), tuple(reading.issues))


def _counted(reading: _Reading, match: CodeMatch) -> str:
    """`confirmed` or `refuted` when it may count, else empty, with the reason."""
    resource = reading.resource
    if match.kind == "rejected":
        reading.issue("rejected-code", why_refused(match), "code", "information")
    elif match.kind == "analyte":
        reading.issue("rejected-code", "a condition is no measurement: its code asks for a number", "code")
    elif resource.get("modifierExtension") or resource.get("implicitRules"):
        message = "it carries a modifier that this program does not know, which may turn its meaning round; not used"
        reading.issue("modifier-extension", message, "modifierExtension")
    elif match.needs_marrow and not says_marrow(_objects(resource.get("bodySite"))):
        message = "haemophagocytosis counts only with bone marrow as its body site"
        reading.issue("not-marrow", message, "bodySite", "information")
    else:
        return _verified(reading, match)
    return ""


def _verified(reading: _Reading, match: CodeMatch) -> str:
    stated = verification_of(reading.resource)
    ours = (HSCORE_ITEM, match.code) in codings_of(reading.resource.get("code"))
    if stated == "refuted" and match.name == _IMMUNOSUPPRESSION and not ours:
        message = "it excludes one cause of immunosuppression, which is not to say that there is none"
        reading.issue("finding-not-read", message, "code", "information")
        return ""
    if stated in ("confirmed", "refuted"):
        return stated
    known = stated in _UNSURE
    shown = f"its verification status is {stated}" if known else "it does not say whether it is confirmed"
    message = f"{shown}; counted are confirmed (present) and refuted (absent)"
    reading.issue("result-status", message, "verificationStatus", "information" if known else "error")
    return ""


def _dates(reading: _Reading) -> Dates | None:
    try:
        dates = dates_of(reading.resource)
    except MomentError as error:
        reading.issue("result-time", f"when it began, ended or was recorded cannot be read: {error}", "onset")
        return None
    if dates.begins is None:
        reading.issue("result-time", "it says neither on which day it began nor when it was recorded", "onset")
        return None
    if any(one and one.bounds(EARLIEST_ZONE)[0] > reading.latest for one in (dates.onset, dates.recorded)):
        reading.issue("future-dated", "it began or was recorded in the future, by more than 5 minutes", "onset")
        return None
    return dates


def _present(reading: _Reading, shared: Result, dates: Dates) -> Result | None:
    """Present from its beginning to its end, or to when it was last known to be active."""
    clinical = _one_code(reading.resource.get("clinicalStatus"), _CLINICAL)
    until = _until(reading, clinical, dates)
    start = dates.begins
    if until is None or start is None:
        return None
    if until.bounds()[1] < start.bounds()[0]:
        message = "it ended before it is known to have begun; not used"
        reading.issue("result-time", message, "abatement", "information")
        return None
    end = "to" if clinical in _OVER else "known to be active until"
    flags = [f"{clinical}: from {start.iso} {end} {until.iso}"]
    if dates.onset is None and dates.other_onset:
        flags.append("its onset is no date; it counts from when it was recorded")
    if clinical in _RETURNED:
        flags.append("it came back: it may have been absent in between")
    return replace(shared, effective=start, until=until, issued=dates.recorded, flags=(*shared.flags, *flags))


def _until(reading: _Reading, clinical: str, dates: Dates) -> Moment | None:
    """The last moment at which it is known to be active; None, with the reason, when there is none."""
    if clinical in _ACTIVE and dates.abatement:
        reading.issue("finding-contradicts-itself", f"it is {clinical} and has ended (con-4)", "abatement")
    elif clinical in _ACTIVE:
        known = [one for one in (reading.as_of or dates.heard, dates.begins) if one is not None]
        return max(known, key=lambda one: one.bounds()[0])
    elif clinical in _OVER and dates.abated is None:
        message = f"it is {clinical}, and does not say on which day it ended: nobody knows when it was active"
        reading.issue("result-time", message, "abatement", "information")
    elif clinical in _OVER:
        return dates.abated
    else:
        message = "it does not say whether it is active; known are active, recurrence, relapse and their ends"
        reading.issue("result-status", message, "clinicalStatus")
    return None


def _absent(shared: Result, dates: Dates) -> Result:
    """Absent when the suspicion was recorded: nothing says for how long before and after."""
    return replace(
        shared, effective=dates.recorded or dates.onset, flags=(*shared.flags, "a suspicion that was refuted")
    )


def _one_code(concept: object, system: str) -> str:
    codes = {code for stated, code in codings_of(concept) if stated == system}
    return codes.pop() if len(codes) == 1 else ""


def _moment(stated: object) -> Moment | None:
    if stated is None:
        return None
    if not isinstance(stated, str):
        raise MomentError("not an ISO 8601 date or time such as 2016-03-01 or 2016-03-01T08:10:00+08:00")
    return read_moment(stated)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterable[_Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

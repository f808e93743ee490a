"""What a received resource says that counts, whatever its type: an Observation, those inside it, or a Condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from fhir_adapter.mappers.r4.read_condition import dates_of, read_condition, verification_of
from fhir_adapter.mappers.r4.read_observation import (
    RETRACTED_STATUSES,
    ReadObservation,
    codings_of,
    effective_of,
    may_be_used,
    read_observation,
)
from fhir_adapter.terminology import TABLES_ONLY, SiteCodes, finding_codes
from fhir_adapter.trial import Moment

RESULT_TYPES = ("Observation", "Condition")
"""The types of resources that results are read from."""

_DIAGNOSES = frozenset(finding_codes())
_SHARED = ("subject", "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued", "meta", "specimen")
"""What a member inside a panel takes from it when it does not say it itself."""

_Json = Mapping[str, object]


def read_result(
    resource: _Json,
    subject: str,
    *,
    sha256: str | None = None,
    unit_when_missing: Mapping[str, str] | None = None,
    site: SiteCodes = TABLES_ONLY,
    as_of: Moment | None = None,
    now: datetime | None = None,
) -> ReadObservation:
    """Read every result of a resource; one of another type than `RESULT_TYPES` has none.

    `as_of` is the moment at which the hospital's record was read; the rest is as for `read_observation`.
    """
    if resource.get("resourceType") == "Condition":
        return read_condition(resource, subject, sha256=sha256, site=site, as_of=as_of, now=now)
    if resource.get("resourceType") != "Observation":
        return ReadObservation()
    read = [
        read_observation(one, subject, sha256=sha256, unit_when_missing=unit_when_missing, site=site, now=now)
        for one in (resource, *members_of(resource))
    ]
    results = tuple(result for one in read for result in one.results)
    return ReadObservation(results, tuple(issue for one in read for issue in one.issues))


def may_hold_results(resource: _Json) -> bool:
    """True for any Observation, and for a Condition with a code that the score asks for."""
    if resource.get("resourceType") == "Condition":
        return not _DIAGNOSES.isdisjoint(codings_of(resource.get("code")))
    return resource.get("resourceType") == "Observation"


def members_of(resource: _Json) -> Iterator[_Json]:
    """The Observations inside a panel that it names as its members; members outside are resources of their own.

    What lies inside does not stand without the panel: of one that is not to be used, none is.
    """
    contained, members = resource.get("contained"), resource.get("hasMember")
    if not isinstance(contained, list) or not isinstance(members, list) or not may_be_used(resource):
        return
    named = {one.get("reference") for one in members if isinstance(one, dict)}
    for one in contained:
        if isinstance(one, dict) and one.get("resourceType") == "Observation" and f"#{one.get('id')}" in named:
            times = [name for name in one if name.startswith("effective")]
            shared = [name for name in _SHARED if not (times and name.startswith("effective"))]
            taken = {name: resource[name] for name in shared if name in resource}
            yield {**taken, **one, "id": resource.get("id")}


def is_retracted(resource: _Json) -> bool:
    """True when the laboratory takes back what it said, or says that it will never come."""
    if resource.get("resourceType") == "Condition":
        return verification_of(resource) == "entered-in-error"
    return resource.get("status") in RETRACTED_STATUSES


def begins_at(resource: _Json) -> Moment | None:
    """When it was collected, or when the condition began; raises `MomentError` for what is no date."""
    return dates_of(resource).begins if resource.get("resourceType") == "Condition" else effective_of(resource)

"""The corridor: from the raw bodies in the store to the results that count, the same every time.

Nothing derived is kept: codes and units that are understood better tomorrow reach yesterday's results too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from fhir_adapter import fhirjson
from fhir_adapter.intake.order import order_of, sent_order_of
from fhir_adapter.intake.panels import without_panel_code
from fhir_adapter.issues import Issue, Where
from fhir_adapter.mappers.r4.read_observation import codings_of
from fhir_adapter.mappers.r4.read_result import begins_at, read_result
from fhir_adapter.store import FILE, Received, ResultStore, Store
from fhir_adapter.terminology import SiteCodes
from fhir_adapter.trial import Moment, MomentError, Result, ResultSource, read_moment
from fhir_adapter.trial_folder import TrialFolder

Resource = Mapping[str, object]
_Identifier = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Terms:
    """How the results of a trial are read: its folder's units and codes, the latest moment, when each was read last."""

    units: Mapping[str, str]
    site: SiteCodes
    own: str
    now: datetime | None
    read_at: Mapping[tuple[str, str], Moment]
    """By place and subject, of servers: a file says what is there, and not that it still is."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A result with what tells it from its copies."""

    result: Result
    identifiers: frozenset[_Identifier]
    order: tuple[Fraction, int, str]

    @property
    def rank(self) -> tuple[bool, tuple[Fraction, int, str], str]:
        """Of copies the highest counts: one with a value, issued last, changed last."""
        return not self.result.not_done, self.order, self.result.reference


def results_of(
    store: Store, folder: TrialFolder, subjects: Collection[str] | None = None, *, now: datetime | None = None
) -> tuple[list[Result], list[tuple[str, Issue]]]:
    """Every result that stands at the hospital now; whose others do not count, and why. Of all subjects or of these."""
    found: list[Result] = []
    issues: list[tuple[str, Issue]] = []
    by_subject: dict[str, list[Received]] = defaultdict(list)
    received_of = ResultStore(store, folder.id)
    for one in received_of.current():
        if subjects is None or one.subject in subjects:
            by_subject[one.subject].append(one)
    hospital, own = folder.hospital, folder.identifier("observation").system
    units, site = (hospital.unit_when_missing, hospital.codes) if hospital else ({}, SiteCodes())
    terms = _Terms(units, site, own, now, _read_at(received_of))
    for subject, received in by_subject.items():
        results, said = _results(_newest(received), terms)
        found += results
        issues += [(subject, issue) for issue in said]
    return found, issues


def _read_at(results: ResultStore) -> dict[tuple[str, str], Moment]:
    """When each server was last asked for the whole window of each subject: what stood there then, stood there."""
    pulls = [one for one in results.pulls() if one.place != FILE and one.started]
    return {(one.place, subject): read_moment(one.started) for one in pulls for subject in one.subjects}


def _newest(received: Iterable[Received]) -> list[tuple[Received, Resource]]:
    """Each resource once: the same may have come from a server and in a file.

    Ids are a place's own: Observation/1 of two servers may be two results.
    """
    found: dict[str, list[tuple[Received, Resource]]] = defaultdict(list)
    for one in received:
        resource: Resource = fhirjson.loads(one.body)
        standing = found[one.name]
        place = next((at for at, (_, known) in enumerate(standing) if _is_same(resource, known)), None)
        if place is None:
            standing.append((one, resource))
        elif not order_of(resource).is_older_elsewhere(order_of(standing[place][1])):
            standing[place] = (one, resource)
    return [one for standing in found.values() for one in standing]


def _is_same(one: Resource, other: Resource) -> bool:
    """True when both say the same was measured at the same time; called for one id at two places."""
    codes, others = (set(codings_of(each.get("code"))) for each in (one, other))
    return (bool(codes & others) or one.get("code") == other.get("code")) and _collected(one) == _collected(other)


def _collected(resource: Resource) -> object:
    try:
        effective = begins_at(resource)
    except MomentError as error:
        return str(error)
    return effective.bounds() if effective else None


def _results(received: Sequence[tuple[Received, Resource]], terms: _Terms) -> tuple[list[Result], list[Issue]]:
    found: list[_Read] = []
    issues: list[Issue] = []
    names = {one.name for one, _ in received}
    for one, resource in received:
        read = read_result(
            resource,
            one.subject,
            sha256=one.sha256.hex(),
            unit_when_missing=terms.units,
            site=terms.site,
            as_of=terms.read_at.get((one.place, one.subject)),
            now=terms.now,
        )
        issues += without_panel_code(read.issues, resource, names, terms.site)
        identifiers = _identifiers(resource)
        # A server that we push to also holds what the site typed: our own copies are no second opinion.
        source: ResultSource = "typed" if any(system == terms.own for system, _ in identifiers) else "hospital"
        results = (replace(result, source=source) for result in read.results)
        found += [_Read(result, identifiers, sent_order_of(resource)) for result in results]
    kept, resent = _without_resent(found)
    return _flag_twins(kept), [*issues, *resent]


def _identifiers(resource: Resource) -> frozenset[_Identifier]:
    stated = resource.get("identifier")
    return frozenset(
        (str(one.get("system")), one["value"])
        for one in (stated if isinstance(stated, list) else ())
        if isinstance(one, dict) and isinstance(one.get("value"), str)
    )


def _without_resent(read: Sequence[_Read]) -> tuple[list[_Read], list[Issue]]:
    """Leave out what a laboratory sent again under another id.

    An identifier alone is not enough: many laboratories number the sample, and all its results carry that number.
    """
    kept: list[_Read] = []
    issues: list[Issue] = []
    for group in _same_sample(read).values():
        standing: list[_Read] = []
        for one in sorted(group, key=lambda each: each.rank, reverse=True):
            first = next((other for other in standing if _is_resent(one, other)), None)
            if first is None:
                standing.append(one)
            else:
                message = f"sent again under another id; {first.result.reference} counts"
                issues.append(Issue("information", "resent", message, Where(resource=one.result.reference)))
        kept += standing
    order = {id(one.result): place for place, one in enumerate(read)}
    return sorted(kept, key=lambda one: order[id(one.result)]), list(dict.fromkeys(issues))


def _same_sample(read: Iterable[_Read]) -> dict[tuple[str, object], list[_Read]]:
    groups: dict[tuple[str, object], list[_Read]] = defaultdict(list)
    for one in read:
        effective = one.result.effective
        groups[one.result.name, effective.bounds() if effective else None].append(one)
    return groups


def _is_resent(one: _Read, other: _Read) -> bool:
    """An identifier may be the order's: two named specimens are two results, which may contradict each other."""
    same_resource = one.result.sha256 == other.result.sha256
    specimens = {each.result.specimen for each in (one, other) if each.result.specimen}
    return bool(one.identifiers & other.identifiers) and not same_resource and len(specimens) < len((one, other))


def _flag_twins(read: Sequence[_Read]) -> list[Result]:
    """Without a business identifier nobody knows whether the same value at the same time is one result or two."""
    found: list[Result] = []
    first: dict[tuple[object, ...], str] = {}
    for one in read:
        result = one.result
        at = result.effective.bounds() if result.effective else None
        key = (result.name, at, result.until is None, result.interval, result.present)
        earlier = first.setdefault(key, result.reference)
        if earlier != result.reference and not result.not_done:
            result = replace(result, flags=(*result.flags, f"same value and time as {earlier}: sent twice?"))
        found.append(result)
    return found

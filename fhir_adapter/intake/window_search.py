"""The door that asks a FHIR server: each subject's whole window again, by patient, codes and dates.

Conditions are asked for by patient and codes alone: one that began long ago may last into the window. A server that has
no such search, or does not allow it to us, is read without them, which is said.

Corrections, late results and disappearances come with it, from servers without `_lastUpdated` too. What comes back is
checked again here: a server may drop a parameter and answer everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, token
from fhir_adapter.intake.subjects import PullSubject
from fhir_adapter.issues import AdapterError, Issue, Rejected, Severity, Where
from fhir_adapter.mappers.r4.read_condition import dates_of
from fhir_adapter.mappers.r4.read_observation import codings_of, parts_of
from fhir_adapter.store import Received
from fhir_adapter.terminology import TABLES_ONLY, SiteCodes, finding_codes, search_codes
from fhir_adapter.trial import Moment, MomentError

CODES_PER_SEARCH = 100
RESOURCES_PER_PAGE = 200

Resource = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: codes of results, by which search parameter, and codes of Conditions where a server has them.

    `conditions` is empty when none are searched.
    """

    results: frozenset[tuple[str, str]]
    conditions: frozenset[tuple[str, str]]
    code: str = "code"

    def asks_for(self, resource: Resource) -> bool:
        """True when it has one of the codes."""
        if is_condition(resource):
            return not self.conditions.isdisjoint(codings_of(resource.get("code")))
        return any(not self.results.isdisjoint(codings_of(part.get("code"))) for part in parts_of(resource))


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """What a server answered for one subject; `why` says what kept its window from being read whole."""

    subject: PullSubject
    search: Search
    patient: str | None = None
    found: tuple[Received, ...] = ()
    why: tuple[Issue, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def complete(self) -> bool:
        """True when nothing of the window can be missing."""
        return not self.why

    def covers(self, body: bytes) -> bool:
        """True when this search would have found a body that was received earlier."""
        resource = fhirjson.loads(body)
        return self.search.asks_for(resource) and _in_window(self.subject, resource)


def search_of(capabilities: Mapping[str, object], site: SiteCodes = TABLES_ONLY) -> Search:
    """What can be asked of a server that says this of itself; `site` is what the trial's folder adds to the codes."""
    conditions = finding_codes(site) if {"patient", "code"} <= _declared(capabilities, "Condition") else ()
    return Search(frozenset(search_codes(site)), frozenset(conditions), code_parameter(capabilities))


def about_conditions(search: Search, server: str) -> tuple[Issue, ...]:
    """Said once of a server without a search for Conditions: organs and marrow then come from examinations alone."""
    if search.conditions:
        return ()
    message = "the server declares no search for Conditions by patient and code; none are read from it"
    return (Issue("information", "conditions-not-searched", message, Where(server)),)


def search_window(server: FhirServer, system: str, subject: PullSubject, search: Search) -> WindowAnswer:
    """Find the subject's Patient by exact identifier, then all results of its window; never raises for one subject."""
    try:
        patient = _find_patient(server, system, subject)
        found = _find_results(server, subject, patient, search)
    except Rejected as error:
        return WindowAnswer(subject, search, why=error.issues)
    except AdapterError as error:
        why = (replace(issue, message=f"{subject.subject}: {issue.message}") for issue in error.issues)
        return WindowAnswer(subject, search, why=tuple(why))
    return found


def code_parameter(capabilities: Mapping[str, object]) -> str:
    """`combo-code` where the server has it: it finds a code in components too; else `code`."""
    return "combo-code" if "combo-code" in _declared(capabilities, "Observation") else "code"


def check_patient(patient: Resource, subject: str) -> None:
    """Raise `Rejected` for a Patient that was merged into another, or is not in use."""
    links = patient.get("link")
    replaced = any(
        isinstance(link, dict) and link.get("type") == "replaced-by"
        for link in (links if isinstance(links, list) else ())
    )
    if replaced or patient.get("active") is False:
        message = (
            f"{subject}: the hospital merged this Patient into another or took it out of use; nothing is read until "
            "a person has found out whose results these are"
        )
        raise _rejected("patient-merged", message, f"Patient/{patient.get('id')}")


def has_identifier(resource: Resource, system: str, value: str) -> bool:
    """True when it carries exactly this identifier: a search may match less strictly."""
    identifiers = resource.get("identifier")
    return any(
        isinstance(one, dict) and (one.get("system"), one.get("value")) == (system, value)
        for one in (identifiers if isinstance(identifiers, list) else ())
    )


def received_of(resource: Resource, subject: str, body: bytes | None = None) -> Received:
    """A resource as it is stored; `body` is its text where it came alone."""
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    name = _name_of(resource)
    text = fhirjson.dumps(resource) if body is None else body
    return Received(name, subject, text, version if isinstance(version, str) else None)


def _find_patient(server: FhirServer, system: str, subject: PullSubject) -> str:
    if not subject.patient:
        message = f"{subject.subject}: the records do not say under which identifier the hospital knows this subject"
        raise _rejected("patient-not-found", message)
    found = server.search("Patient", [("identifier", token(system, subject.patient))])
    exact = [one for one in found.resources if has_identifier(one, system, subject.patient)]
    if not exact:
        message = f"{subject.subject}: no Patient on the server has the identifier that the records state"
        raise _rejected("patient-not-found", message)
    if len(exact) > 1:
        message = f"{subject.subject}: {len(exact)} Patients on the server have this identifier; a person must decide"
        raise _rejected("patient-ambiguous", message, f"Patient/{exact[0].get('id')}")
    check_patient(exact[0], subject.subject)
    return f"Patient/{exact[0].get('id')}"


def _find_results(server: FhirServer, subject: PullSubject, patient: str, search: Search) -> WindowAnswer:
    kept: dict[str, Received] = {}
    issues: list[Issue] = []
    why: list[Issue] = []
    answers = [
        server.search("Observation", _parameters(subject, patient, search.code, codes))
        for codes in _code_lists(search.results)
    ]
    try:
        answers += [server.search("Condition", _about(patient, codes)) for codes in _code_lists(search.conditions)]
    except AdapterError as error:
        if not all(map(_is_refusal, error.issues)):
            raise
        issues.append(_not_allowed(server))
        search = replace(search, conditions=frozenset())  # what was received of them stays as it is
    for found in answers:
        issues += found.issues
        for resource in found.resources:
            wanted = search.asks_for(resource) and _in_window(subject, resource)
            if wanted and _is_under_another_base(resource, patient, server.base):
                why.append(_foreign_base(subject, resource))
            elif not _is_of(resource, patient, server.base):
                message = f"{subject.subject}: the server answered with a result of somebody else; it is not kept"
                issues.append(_issue("warning", "foreign-result", message, _name_of(resource)))
            elif wanted:
                received = received_of(resource, subject.subject)
                kept[received.name] = received
    return WindowAnswer(subject, search, patient, tuple(kept.values()), tuple(why[:1]), tuple(dict.fromkeys(issues)))


def _parameters(subject: PullSubject, patient: str, code: str, codes: str) -> list[tuple[str, str]]:
    # A date without offset is a day in the server's zone, and results may have no time: ask for a day more on either
    # side, and look at each result's own time afterwards.
    assert subject.first_day is not None
    assert subject.last_day is not None
    return [
        ("patient", patient),
        (code, codes),
        ("date", f"ge{subject.first_day - timedelta(days=1)}"),
        ("date", f"le{subject.last_day + timedelta(days=1)}"),
        ("_count", str(RESOURCES_PER_PAGE)),
    ]


def _about(patient: str, codes: str) -> list[tuple[str, str]]:
    return [("patient", patient), ("code", codes), ("_count", str(RESOURCES_PER_PAGE))]


def _is_refusal(issue: Issue) -> bool:
    """True for an answer that will be the same tomorrow; a token that is missing or expired (401) is none."""
    return issue.code == "server-rejected" or (issue.code == "not-authorised" and "answered 403" in issue.message)


def _not_allowed(server: FhirServer) -> Issue:
    message = (
        "the server declares a search for Conditions and does not allow it to us; none are read from it: see what the "
        "token may read"
    )
    return Issue("warning", "conditions-not-searched", message, Where(server.settings.name or server.base))


def _code_lists(codes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """These codes, in lists that a server can bear."""
    tokens = [token(system, code) for system, code in sorted(codes)]
    for start in range(0, len(tokens), CODES_PER_SEARCH):
        yield ",".join(tokens[start : start + CODES_PER_SEARCH])


def _is_of(resource: Resource, patient: str, base: str) -> bool:
    return _subject_of(resource) in (patient, f"{base}/{patient}")


def _is_under_another_base(resource: Resource, patient: str, base: str) -> bool:
    """True for the found Patient's id under an address other than the server's: behind a proxy it is the same one."""
    return _subject_of(resource).endswith(f"/{patient}") and not _is_of(resource, patient, base)


def _subject_of(resource: Resource) -> str:
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return reference.partition("/_history/")[0] if isinstance(reference, str) else ""


def _foreign_base(subject: PullSubject, resource: Resource) -> Issue:
    message = (
        f"{subject.subject}: results refer to this Patient's id under another base URL than the one that was asked, so "
        "nobody knows whether they are this subject's; nothing of the subject was changed"
    )
    return _issue("error", "foreign-base", message, _name_of(resource))


def _name_of(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _in_window(subject: PullSubject, resource: Resource) -> bool:
    try:
        return may_last_into(subject, resource) if is_condition(resource) else subject.in_window(resource)
    except MomentError:  # kept, so that a person hears why it cannot be used
        return True


def is_condition(resource: Resource) -> bool:
    """True for what lasts, instead of having been collected."""
    return resource.get("resourceType") == "Condition"


def may_last_into(subject: PullSubject, resource: Resource) -> bool:
    """True when a Condition may have been there on one of the subject's days, or its dates cannot be read."""
    if subject.first_day is None or subject.last_day is None:
        return False
    try:
        dates = dates_of(resource)
    except MomentError:
        return True
    begins, ends = (one.bounds(subject.zone) if one else None for one in (dates.onset, dates.abated))
    first, after = _midnight(subject, subject.first_day), _midnight(subject, subject.last_day, 1)
    over = ends is not None and ends[0] < first and ends[1] <= first
    return not (over or (begins is not None and begins[0] >= after))


def _midnight(subject: PullSubject, day: date, later: int = 0) -> Fraction:
    stated = (day + timedelta(days=later)).isoformat()
    return Moment(stated, stated, "day").bounds(subject.zone)[0]


def _declared(capabilities: Mapping[str, object], kind: str) -> set[object]:
    found: set[object] = set()
    for rest in _objects(capabilities.get("rest")):
        for resource in _objects(rest.get("resource")):
            if resource.get("type") == kind:
                found.update(one.get("name") for one in _objects(resource.get("searchParam")))
    return found


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _issue(severity: Severity, code: str, message: str, resource: str | None = None) -> Issue:
    return Issue(severity, code, message, Where(resource=resource))


def _rejected(code: str, message: str, resource: str | None = None) -> Rejected:
    return Rejected(message, Issue("error", code, message, Where(resource=resource)))

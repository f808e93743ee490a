"""The door that asks a FHIR server: each subject's whole window again, by patient, codes and dates.

Corrections, late results and disappearances come with it, from servers without `_lastUpdated` too. What comes back is
checked again here: a server may drop a parameter and answer everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from fhir_adapter import fhirjson
from fhir_adapter.client import FhirServer, token
from fhir_adapter.intake.subjects import PullSubject
from fhir_adapter.issues import AdapterError, Issue, Rejected, Severity, Where
from fhir_adapter.mappers.r4.read_observation import codings_of, parts_of
from fhir_adapter.store import Received
from fhir_adapter.terminology import search_codes
from fhir_adapter.trial import MomentError

CODES_PER_SEARCH = 100
RESOURCES_PER_PAGE = 200

Resource = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """What a server answered for one subject; `why` says what kept its window from being read whole."""

    subject: PullSubject
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
        return _is_searched(resource) and _in_window(self.subject, resource)


def search_window(server: FhirServer, system: str, subject: PullSubject, code: str) -> WindowAnswer:
    """Find the subject's Patient by exact identifier, then all results of its window; never raises for one subject.

    `code` is the search parameter for codes, as `code_parameter` gives it.
    """
    try:
        patient = _find_patient(server, system, subject)
        found = _find_results(server, subject, patient, code)
    except Rejected as error:
        return WindowAnswer(subject, why=error.issues)
    except AdapterError as error:
        why = (replace(issue, message=f"{subject.subject}: {issue.message}") for issue in error.issues)
        return WindowAnswer(subject, why=tuple(why))
    return found


def code_parameter(capabilities: Mapping[str, object]) -> str:
    """`combo-code` where the server has it: it finds a code in components too; else `code`."""
    return "combo-code" if "combo-code" in _declared(capabilities) else "code"


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
    name = f"{resource.get('resourceType')}/{resource.get('id')}"
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


def _find_results(server: FhirServer, subject: PullSubject, patient: str, code: str) -> WindowAnswer:
    kept: dict[str, Received] = {}
    issues: list[Issue] = []
    why: list[Issue] = []
    for codes in _code_lists():
        found = server.search("Observation", _parameters(subject, patient, code, codes))
        issues += found.issues
        for resource in found.resources:
            wanted = _is_searched(resource) and _in_window(subject, resource)
            if wanted and _is_under_another_base(resource, patient, server.base):
                why.append(_foreign_base(subject, resource))
            elif not _is_of(resource, patient, server.base):
                message = f"{subject.subject}: the server answered with a result of somebody else; it is not kept"
                issues.append(_issue("warning", "foreign-result", message, f"Observation/{resource.get('id')}"))
            elif wanted:
                received = received_of(resource, subject.subject)
                kept[received.name] = received
    return WindowAnswer(subject, patient, tuple(kept.values()), tuple(why[:1]), tuple(dict.fromkeys(issues)))


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


def _code_lists() -> Iterator[str]:
    """All codes that mean a result, in lists that a server can bear."""
    tokens = [token(system, code) for system, code in search_codes()]
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
    return _issue("error", "foreign-base", message, f"Observation/{resource.get('id')}")


def _is_searched(resource: Resource) -> bool:
    wanted = _wanted()
    return any(coding in wanted for part in parts_of(resource) for coding in codings_of(part.get("code")))


@cache
def _wanted() -> frozenset[tuple[str, str]]:
    return frozenset(search_codes())


def _in_window(subject: PullSubject, resource: Resource) -> bool:
    try:
        return subject.in_window(resource)
    except MomentError:  # kept, so that a person hears why it cannot be used
        return True


def _declared(capabilities: Mapping[str, object]) -> set[object]:
    found: set[object] = set()
    for rest in _objects(capabilities.get("rest")):
        for resource in _objects(rest.get("resource")):
            if resource.get("type") == "Observation":
                found.update(one.get("name") for one in _objects(resource.get("searchParam")))
    return found


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _issue(severity: Severity, code: str, message: str, resource: str | None = None) -> Issue:
    return Issue(severity, code, message, Where(resource=resource))


def _rejected(code: str, message: str, resource: str | None = None) -> Rejected:
    return Rejected(message, Issue("error", code, message, Where(resource=resource)))

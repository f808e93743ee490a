"""Whether this FHIR server will do what the trial needs: let us in, speak our FHIR, declare what we ask of it.

Three or four harmless requests; nothing of a subject is sent or asked for. Servers declare less than they can, so a
missing declaration is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fhir_adapter.issues import AdapterError
from fhir_adapter.jobs.doctor.capability import look_at_pull, look_at_push, look_at_transaction
from fhir_adapter.jobs.doctor.checks import Notes, said, what_to_do
from fhir_adapter.jobs.doctor.configuration import readable_token
from fhir_adapter.jobs.doctor.proxy import look_at_proxy

if TYPE_CHECKING:
    from fhir_adapter.client import FhirServer, ServerSettings
    from fhir_adapter.jobs.doctor.trial import TrialLook
    from fhir_adapter.settings import Settings
    from fhir_adapter.trial_folder import TrialFolder

LONGEST_WAIT_SECONDS = 20.0
SKEW_TO_MENTION = 60
SKEW_TO_REFUSE = 300

_NOBODY = ("https://w3id.org/fhir-adapter/doctor", "nobody")
"""An identifier that no Patient has."""
_AFTER_ANSWER = ("server-fhir-version", "server-token", "server-transaction", "server-push", "server-pull")


@dataclass(frozen=True, slots=True)
class _Server:
    """The server to look at, and which jobs the trial has for it."""

    settings: ServerSettings
    trial: TrialLook

    @property
    def about(self) -> str:
        """The server's name; a bare URL is told once, by the check of its address."""
        return "" if self.settings.name == self.settings.base else self.settings.name

    def about_a(self, job: str) -> str:
        """The server's name, and which of two jobs is meant."""
        return f"{self.about}, {job}" if self.about else job

    @property
    def written(self) -> bool:
        return self.settings.role != "read"

    @property
    def read(self) -> bool:
        return self.settings.role != "write" and (self.trial.folder is None or self.trial.folder.hospital is not None)


def look_at_server(
    notes: Notes, settings: Settings | None, named: str | None, trial: TrialLook, now: Callable[[], datetime]
) -> None:
    """Everything about one server."""
    if not named:
        notes.skipped("server", "none is named", "name one with --server to have it looked at")
        return
    found: ServerSettings | None = None
    with notes.border("server"):
        found = _settings_of(notes, settings, named)
    if found is None:
        return
    one = _Server(replace(found, attempts=1, timeout_seconds=min(found.timeout_seconds, LONGEST_WAIT_SECONDS)), trial)
    _look_at_address(notes, one)
    _look_at_interlock(notes, one)
    if _asks_environment(one.settings) and not look_at_proxy(notes, one.about):
        return
    with notes.border("server-reachable", one.about):
        _ask(notes, one, now)


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


def _settings_of(notes: Notes, settings: Settings | None, named: str) -> ServerSettings | None:
    from fhir_adapter.settings import Settings as Empty  # noqa: PLC0415 - a package that it needs may be missing

    if settings is None and not named.startswith(("http://", "https://")):
        notes.skipped("server", "the configuration that names it cannot be read", "mend the configuration first")
        return None
    known = settings if settings is not None else Empty()
    if named in known.servers and not readable_token(known.server_token(named)):
        notes.skipped("server", "its token cannot be read", "mend what the check `token` says first", named)
        return None
    return known.server(named)


def _look_at_address(notes: Notes, one: _Server) -> None:
    from fhir_adapter.client import loopback_server  # noqa: PLC0415 - a package that it needs may be missing

    plain = urlsplit(one.settings.base).scheme == "http" and not loopback_server(one.settings.base).test
    kind = "a test server" if one.settings.test else "not marked as a test server"
    found = f"{one.settings.base}, role {one.settings.role}, kind {one.settings.kind}, {kind}"
    if plain:
        do = "use its https address: results and the token travel readable"
        notes.warned("server", f"{found}; without TLS", do, one.about)
    else:
        notes.passed("server", found, one.about)


def _asks_environment(settings: ServerSettings) -> bool:
    """The environment's proxy is for servers elsewhere that state none of their own."""
    from fhir_adapter.client import loopback_server  # noqa: PLC0415 - a package that it needs may be missing

    return settings.proxy is None and not loopback_server(settings.base).test


def _look_at_interlock(notes: Notes, one: _Server) -> None:
    from fhir_adapter.jobs.interlock import may_pull, may_push  # noqa: PLC0415 - a package may be missing

    folder = one.trial.folder
    if folder is None:
        notes.skipped("server-interlock", "which data go there is not known", "name a trial with --trial", one.about)
        return
    asked: list[tuple[str, Callable[[TrialFolder, ServerSettings], None]]] = []
    asked += [("push", may_push)] if one.written else []
    asked += [("pull", may_pull)] if one.read else []
    for what, may in asked:
        with notes.border("server-interlock", one.about_a(what)):
            may(folder, one.settings)
            notes.passed("server-interlock", f"a {what} of {folder.id} is allowed", one.about_a(what))


def _ask(notes: Notes, one: _Server, now: Callable[[], datetime]) -> None:
    from fhir_adapter.client import FhirServer  # noqa: PLC0415 - a package that it needs may be missing

    with FhirServer(one.settings) as server:
        capabilities = _capabilities(notes, one, server)
        _look_at_clock(notes, server, one.about, now())
        if capabilities is None:
            told = {check.id for check in notes.checks}
            for name in _AFTER_ANSWER:
                if name not in told:
                    notes.skipped(name, "there is no CapabilityStatement to look at", "", one.about)
            return
        notes.passed("server-reachable", "answers with a CapabilityStatement", one.about)
        _look_at_version(notes, server, one.about)
        _look_at_access(notes, one, server)
    _look_at_capabilities(notes, one, capabilities)


def _capabilities(notes: Notes, one: _Server, server: FhirServer) -> Mapping[str, object] | None:
    try:
        return server.capabilities()
    except AdapterError as error:
        name = "server-token" if _refuses_us(error) else "server-reachable"
        notes.failed(name, said(error), what_to_do(error), "surroundings", one.about)
        return None


def _look_at_clock(notes: Notes, server: FhirServer, about: str, now: datetime) -> None:
    """Tokens and time marks assume that both clocks agree."""
    if server.date is None:
        notes.skipped("server-clock", "no answer told the server's time", "compare both clocks yourself", about)
        return
    skew = round((now - server.date).total_seconds())
    found = f"our clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the server's"
    do = "set the clock of this machine by NTP; if it is right, tell the server's operator"
    if abs(skew) > SKEW_TO_REFUSE:
        notes.failed("server-clock", f"{found}; tokens will be refused", do, "surroundings", about)
    elif abs(skew) > SKEW_TO_MENTION:
        notes.warned("server-clock", found, do, about)
    else:
        notes.passed("server-clock", f"both clocks agree to {abs(skew)} s", about)


def _look_at_version(notes: Notes, server: FhirServer, about: str) -> None:
    from fhir_adapter.jobs.interlock import capabilities_of  # noqa: PLC0415 - a package may be missing

    with notes.border("server-fhir-version", about):
        version = capabilities_of(server).get("fhirVersion")
        notes.passed("server-fhir-version", f"FHIR {version}", about)


def _look_at_access(notes: Notes, one: _Server, server: FhirServer) -> None:
    """Ask for what nobody has: /metadata is open to all, so only a search tells whether the token is taken."""
    token = "the token is taken" if one.settings.token is not None else "lets us read without a token"
    try:
        issues = _search_nobody(one, server)
    except AdapterError as error:
        notes.failed("server-token", said(error), what_to_do(error), "surroundings", one.about)
        return
    if issues:
        do = "ask the server's operator; results of somebody else are refused in any case"
        notes.warned("server-token", f"{token}; but {issues}", do, one.about)
    else:
        notes.passed("server-token", token, one.about)


def _search_nobody(one: _Server, server: FhirServer) -> str:
    """The search with which a pull begins, or a push; what the server said about it."""
    from fhir_adapter.client import token  # noqa: PLC0415 - a package that it needs may be missing

    if not one.read:
        server.read_many("ResearchStudy", ["fhir-adapter-doctor"])
        return ""
    found = server.search("Patient", [("identifier", token(*_NOBODY))])
    return "; ".join(issue.message for issue in found.issues)


def _look_at_capabilities(notes: Notes, one: _Server, capabilities: Mapping[str, object]) -> None:
    if one.written:
        look_at_transaction(notes, capabilities, one.about)
        look_at_push(notes, capabilities, one.trial.types, one.about)
    else:
        found = "its role is read: nothing is written there"
        notes.skipped("server-transaction", found, "", one.about)
        notes.skipped("server-push", found, "", one.about)
    if one.read:
        look_at_pull(notes, capabilities, one.about)
    else:
        notes.skipped("server-pull", "nothing is pulled from there: its role, or the trial, says so", "", one.about)


def _refuses_us(error: AdapterError) -> bool:
    return any(issue.code == "not-authorised" for issue in error.issues)

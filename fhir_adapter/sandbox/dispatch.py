"""Which interaction a call is: the table that the server runs on and that its CapabilityStatement is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fhir_adapter.sandbox import interactions, searchset
from fhir_adapter.sandbox.calls import Answer, Call, refuse_conditional
from fhir_adapter.sandbox.capability import capability_statement
from fhir_adapter.sandbox.quirks import Behaviour
from fhir_adapter.sandbox.storage import Session, Store
from fhir_adapter.sandbox.transactions import run_bundle
from fhir_adapter.serving.outcome import FhirError, Problem

Perform = Callable[["Sandbox", Call, Session], Answer]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One row: where it is called, its FHIR code, what it does, and whether it writes."""

    level: str
    method: str
    code: str
    perform: Perform
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One server: its store, how it behaves, and the pages it keeps."""

    store: Store
    behaviour: Behaviour
    pages: searchset.Pages

    def answer(self, call: Call) -> Answer:
        """Do what a call asks; raises `FhirError` where it is refused. What it wrote is on the disk on return."""
        if call.address.level == "system" and call.method == "POST":
            return run_bundle(call, self.store, self.perform)
        interaction = interaction_of(call)
        if not interaction.writes:
            with self.store.reading() as session:
                return interaction.perform(self, call, session)
        interactions.check_write(call)
        with self.store.writing() as session:
            return interaction.perform(self, call, session)

    def perform(self, call: Call, session: Session) -> Answer:
        """Do what an entry of a Bundle asks, within the session of the Bundle."""
        return interaction_of(call).perform(self, call, session)


def interaction_of(call: Call) -> Interaction:
    """The row for a call; raises `FhirError` 405 with the methods that would be right where there is none."""
    method = "GET" if call.method == "HEAD" else call.method
    found = _BY_PLACE.get((call.address.level, method))
    if found is not None:
        return found
    refuse_conditional(call)
    allowed = ", ".join(sorted({row.method for row in INTERACTIONS if row.level == call.address.level}))
    message = f"{method[:16]} is not built here; built: {allowed}"
    raise FhirError(405, [Problem("not-supported", message)], {"Allow": allowed})


def _bundle(sandbox: Sandbox, call: Call, _session: Session) -> Answer:
    return run_bundle(call, sandbox.store, sandbox.perform)


def _metadata(sandbox: Sandbox, call: Call, _session: Session) -> Answer:
    codes = tuple((row.level, row.code) for row in INTERACTIONS)
    return Answer(200, capability_statement(call.base, sandbox.behaviour, codes))


def _search(sandbox: Sandbox, call: Call, session: Session) -> Answer:
    return searchset.search(call, session, sandbox.pages)


def _history(sandbox: Sandbox, call: Call, session: Session) -> Answer:
    return searchset.history(call, session, sandbox.pages)


def _plain(perform: Callable[[Call, Session], Answer]) -> Perform:
    return lambda _sandbox, call, session: perform(call, session)


INTERACTIONS = (
    Interaction("system", "POST", "transaction", _bundle),
    Interaction("system", "POST", "batch", _bundle),
    Interaction("_history", "GET", "history-system", _history),
    Interaction("metadata", "GET", "capabilities", _metadata),
    Interaction("type", "POST", "create", _plain(interactions.create), writes=True),
    Interaction("type", "GET", "search-type", _search),
    Interaction("type_search", "POST", "search-type", _search),
    Interaction("type_history", "GET", "history-type", _history),
    Interaction("instance", "GET", "read", _plain(interactions.read)),
    Interaction("instance", "PUT", "update", _plain(interactions.update), writes=True),
    Interaction("instance", "DELETE", "delete", _plain(interactions.delete), writes=True),
    Interaction("instance_history", "GET", "history-instance", _history),
    Interaction("version", "GET", "vread", _plain(interactions.vread)),
)
_BY_PLACE = {(row.level, row.method): row for row in INTERACTIONS}

"""What we know: which resources were sent where, what was about to be sent, and what was received from where."""

from fhir_adapter.store.database import Store, open_store
from fhir_adapter.store.ledger import EDITED, Intent, IntentEntry, Ledger, Sent
from fhir_adapter.store.results import FILE, Pull, Received, Recorded, ResultStore
from fhir_adapter.store.watching import StateVersion, StateWatcher

__all__ = [
    "EDITED",
    "FILE",
    "Intent",
    "IntentEntry",
    "Ledger",
    "Pull",
    "Received",
    "Recorded",
    "ResultStore",
    "Sent",
    "StateVersion",
    "StateWatcher",
    "Store",
    "open_store",
]

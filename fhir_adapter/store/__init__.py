"""What we know: which resources were sent where, and what was about to be sent when the program was stopped."""

from fhir_adapter.store.database import Store, open_store
from fhir_adapter.store.ledger import EDITED, Intent, IntentEntry, Ledger, Sent

__all__ = ["EDITED", "Intent", "IntentEntry", "Ledger", "Sent", "Store", "open_store"]

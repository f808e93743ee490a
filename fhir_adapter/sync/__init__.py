"""Bring a server in line with the trial: plan what would change, then change exactly that."""

from fhir_adapter.sync.apply import Applied, apply_plan
from fhir_adapter.sync.plan import ACTIONS, Action, Item, SyncPlan, make_plan
from fhir_adapter.sync.recover import existing, recover

__all__ = ["ACTIONS", "Action", "Applied", "Item", "SyncPlan", "apply_plan", "existing", "make_plan", "recover"]

"""Bring a server in line with the trial: plan what would change, then change exactly that."""

from fhir_adapter.sync.apply import Applied, apply_plan
from fhir_adapter.sync.content import content_digest
from fhir_adapter.sync.plan import ACTIONS, Action, Item, SyncPlan, make_plan
from fhir_adapter.sync.plan_scores import Draft, make_score_plan
from fhir_adapter.sync.recover import existing, recover

__all__ = [
    "ACTIONS",
    "Action",
    "Applied",
    "Draft",
    "Item",
    "SyncPlan",
    "apply_plan",
    "content_digest",
    "existing",
    "make_plan",
    "make_score_plan",
    "recover",
]

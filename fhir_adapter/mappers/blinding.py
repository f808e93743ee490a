"""What a masked trial shows: everything but arm, drug name, strength and lot."""

from __future__ import annotations

from dataclasses import replace

from fhir_adapter.trial import Dose, Entity, Subject

MASKED = "MASKED STUDY TREATMENT"


def masked(entity: Entity) -> Entity:
    """The entity without anything that tells the arm."""
    if isinstance(entity, Dose):
        return replace(entity, treatment=MASKED, strength=None, lot="", device="")
    if isinstance(entity, Subject):
        return replace(entity, planned_arm="", actual_arm="")
    return entity

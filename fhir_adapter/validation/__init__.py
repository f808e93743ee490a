"""What is wrong with this resource: against FHIR R4 itself (`check_structure`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhir_adapter.issues import Issue

__all__ = ["check_structure"]


def check_structure(resource: object) -> list[Issue]:
    """Every defect of one resource (a JSON value with `Decimal` numbers) against the R4 core definitions.

    An empty list means that none was found, or that its type is not among those in `r4_elements.json`. No profile and
    no terminology beyond small required value sets is looked at. Never raises on a JSON value.
    """
    from fhir_adapter.validation import structure  # noqa: PLC0415 - who only imports this room pays for no compiler

    return structure.check_structure(resource)

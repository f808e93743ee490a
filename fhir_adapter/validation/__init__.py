"""What is wrong with this resource: against R4 and profiles (`Validator`), or R4 alone (`check_structure`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhir_adapter.issues import Issue
    from fhir_adapter.validation.validator import Validator

__all__ = ["Validator", "check", "check_structure", "checked_types", "resource_types"]


def __getattr__(name: str) -> object:
    """`Validator`, imported when it is asked for: who only wants the names of types pays for no compiler."""
    if name == "Validator":
        from fhir_adapter.validation.validator import Validator  # noqa: PLC0415

        return Validator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def check(resource: object, profiles: Sequence[str] = ()) -> list[Issue]:
    """As `Validator.check`, with R4 core and this project's profiles alone; the validator is made at the first call."""
    return _validator().check(resource, profiles)


@cache
def _validator() -> Validator:
    from fhir_adapter.validation.validator import Validator  # noqa: PLC0415

    return Validator()


def check_structure(resource: object) -> list[Issue]:
    """Every defect of one resource (a JSON value with `Decimal` numbers) against the R4 core definitions.

    An empty list means that none was found, or that its type is not among those in `r4_elements.json`. No profile and
    no terminology beyond small required value sets is looked at. Never raises on a JSON value.
    """
    from fhir_adapter.validation import structure  # noqa: PLC0415 - who only imports this room pays for no compiler

    return structure.check_structure(resource)


@cache
def resource_types() -> frozenset[str]:
    """The names of all resource types of FHIR R4."""
    from fhir_adapter.validation.r4_table import read_table  # noqa: PLC0415

    return read_table().resource_types


@cache
def checked_types() -> frozenset[str]:
    """The names of the resource types whose structure is known here; of others only the name is."""
    from fhir_adapter.validation.r4_table import read_table  # noqa: PLC0415

    return frozenset(name for name, spec in read_table().types.items() if spec.is_resource)

"""What is asked of every value of some datatypes beyond their elements: codings, references, attachments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fhir_adapter.validation.attachments import check_attachment
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import TypeRef
from fhir_adapter.validation.reference_targets import reference_check

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine


def type_rules(engine: Engine, ref: TypeRef) -> Iterator[Check]:
    """The further checks of one element of this type."""
    coding = engine.coding_checks.get(ref.code)
    if coding is not None:
        yield coding
    if ref.code == "Reference":
        yield reference_check(engine, ref)
    elif ref.code == "Attachment":
        yield check_attachment

"""A typed view of what we emit, and a second opinion on it: the models of `fhir.resources`.

Never the wire format: these models write 1.50 as 1.5. R4B (4.3) models are the nearest that exist to 4.0.1, and equal
for the resources we emit. Importing them costs most of a second, so nothing else imports this module at its top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir.resources.R4B import get_fhir_model_class

from fhir_adapter import fhirjson

if TYPE_CHECKING:
    from fhir.resources.R4B.resource import Resource as TypedResource


def typed(resource: dict[str, object]) -> TypedResource:
    """The resource as a `fhir.resources` R4B model; raises `pydantic.ValidationError` when it is refused there."""
    model: type[TypedResource] = get_fhir_model_class(str(resource["resourceType"]))
    return model.model_validate_json(fhirjson.dumps(resource))

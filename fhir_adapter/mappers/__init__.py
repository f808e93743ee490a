"""How trial entities become FHIR R4 resources."""

from fhir_adapter.mappers.context import Context, Resource
from fhir_adapter.mappers.names import Names
from fhir_adapter.mappers.r4.provenance import map_provenance
from fhir_adapter.mappers.trial import Mapped, Mapping, Unmapped, context_of, map_trial

__all__ = [
    "Context",
    "Mapped",
    "Mapping",
    "Names",
    "Resource",
    "Unmapped",
    "context_of",
    "map_provenance",
    "map_trial",
]

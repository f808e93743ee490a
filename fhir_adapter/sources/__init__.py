"""How an export becomes trial entities."""

from fhir_adapter.sources.read import read_trial
from fhir_adapter.sources.reading import ColumnUse, Reading, RowCount, SetAside

__all__ = ["ColumnUse", "Reading", "RowCount", "SetAside", "read_trial"]

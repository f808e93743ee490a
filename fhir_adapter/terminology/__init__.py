"""Which code and unit is which analyte or finding of the score; tables that a data manager can read."""

from fhir_adapter.terminology.codes import CodeMatch, match_codes, present_of, search_codes
from fhir_adapter.terminology.number_text import numbers_in_text
from fhir_adapter.terminology.quantities import Normalised, normalise
from fhir_adapter.terminology.tables import HSCORE_ITEM, Analyte, analytes

__all__ = [
    "HSCORE_ITEM",
    "Analyte",
    "CodeMatch",
    "Normalised",
    "analytes",
    "match_codes",
    "normalise",
    "numbers_in_text",
    "present_of",
    "search_codes",
]

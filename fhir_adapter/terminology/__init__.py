"""Which code and unit is which analyte or finding of the score; tables that a data manager can read."""

from fhir_adapter.terminology.codes import CodeMatch, finding_codes, match_codes, present_of, search_codes
from fhir_adapter.terminology.number_text import numbers_in_text
from fhir_adapter.terminology.quantities import UNIT_DOUBT_FLAG, Normalised, normalise
from fhir_adapter.terminology.site_codes import LOCAL_CODE_FLAG, TABLES_ONLY, SiteCodes, why_not
from fhir_adapter.terminology.tables import HSCORE_ITEM, Analyte, analytes

__all__ = [
    "HSCORE_ITEM",
    "LOCAL_CODE_FLAG",
    "TABLES_ONLY",
    "UNIT_DOUBT_FLAG",
    "Analyte",
    "CodeMatch",
    "Normalised",
    "SiteCodes",
    "analytes",
    "finding_codes",
    "match_codes",
    "normalise",
    "numbers_in_text",
    "present_of",
    "search_codes",
    "why_not",
]

"""Which functions FHIRPath has: one module for each chapter of the specification (http://hl7.org/fhirpath/#functions)."""

from __future__ import annotations

from fhir_adapter.fhirpath.functions import (
    combining,
    conversion,
    existence,
    fhir,
    filtering,
    maths,
    strings,
    subsetting,
    temporals,
    tree_navigation,
    utility,
)
from fhir_adapter.fhirpath.functions.registry import FUNCTIONS, Function, Run

__all__ = [
    "FUNCTIONS",
    "Function",
    "Run",
    "combining",
    "conversion",
    "existence",
    "fhir",
    "filtering",
    "maths",
    "strings",
    "subsetting",
    "temporals",
    "tree_navigation",
    "utility",
]

"""Exact arithmetic on UCUM units, in fractions; no analytes here."""

from fhir_adapter.units.ucum import Unit, UnitError, convert, parse_unit, product

__all__ = ["Unit", "UnitError", "convert", "parse_unit", "product"]

"""Clinical trial data to a hospital's FHIR server, laboratory results back, and the HScore with evidence."""

__version__ = "0.1.0"

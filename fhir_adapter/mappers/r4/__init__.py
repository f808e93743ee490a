"""How trial entities become FHIR R4 (4.0.1) resources: one file per resource type."""

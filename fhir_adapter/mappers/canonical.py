"""The canonical addresses that never differ by site or trial: our profiles, and the code systems that FHIR names."""

from __future__ import annotations

from fhir_adapter import terminology

BASE = "https://w3id.org/fhir-adapter"
PROFILE = f"{BASE}/StructureDefinition/"
SOURCE_VALUE = f"{PROFILE}source-value"
DERIVED_DOSE = f"{PROFILE}derived-dose"
REGISTRY_STATUS = f"{PROFILE}registry-status"
HSCORE_ITEM = terminology.HSCORE_ITEM
"""The items of the HScore that are findings, and the score itself: hepatomegaly, splenomegaly, hscore, ..."""
ADAPTER_DEVICE = f"{BASE}/device"

UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
CORE = "http://hl7.org/fhir/StructureDefinition/"
CROSS_VERSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
NCI_THESAURUS = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
ISO_3166 = "urn:iso:std:iso:3166"

SECURITY_LABELS = {
    "HTEST": f"{TERMINOLOGY}v3-ActReason",
    "ANONYED": f"{TERMINOLOGY}v3-ObservationValue",
    "PSEUDED": f"{TERMINOLOGY}v3-ObservationValue",
}
"""Which code system each security label of a trial belongs to."""

VITAL_SIGN_PROFILES = {
    "85354-9": "bp",
    "8310-5": "bodytemp",
    "8867-4": "heartrate",
    "9279-1": "resprate",
    "2708-6": "oxygensat",
    "29463-7": "bodyweight",
    "8302-2": "bodyheight",
    "9843-4": "headcircum",
    "39156-5": "bmi",
}
"""The core vital-signs profile that R4 demands for a LOINC code (https://hl7.org/fhir/R4/observation-vitalsigns.html)."""

"""What a trial's folder says, with file and line for everything that is wrong in it."""

from fhir_adapter.trial_folder.codes import Code, Codes, DoseUnit, Panel, Test
from fhir_adapter.trial_folder.folder import (
    Decision,
    IdentifierSystem,
    RowFilter,
    SiteSettings,
    SourceSettings,
    StudyStatus,
    TrialFolder,
    read_trial_folder,
)
from fhir_adapter.trial_folder.places import known_trials, mappings_folder, trial_path
from fhir_adapter.trial_folder.read_codes import LOINC
from fhir_adapter.trial_folder.score_settings import ExpectedDose, HospitalSettings
from fhir_adapter.trial_folder.yaml_file import Document, read_yaml

__all__ = [
    "LOINC",
    "Code",
    "Codes",
    "Decision",
    "Document",
    "DoseUnit",
    "ExpectedDose",
    "HospitalSettings",
    "IdentifierSystem",
    "Panel",
    "RowFilter",
    "SiteSettings",
    "SourceSettings",
    "StudyStatus",
    "Test",
    "TrialFolder",
    "known_trials",
    "mappings_folder",
    "read_trial_folder",
    "read_yaml",
    "trial_path",
]

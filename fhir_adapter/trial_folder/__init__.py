"""What a trial's folder says, with file and line for everything that is wrong in it."""

from fhir_adapter.trial_folder.codes import Code, Codes, Panel, Test
from fhir_adapter.trial_folder.folder import (
    LOINC,
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
from fhir_adapter.trial_folder.yaml_file import Document, read_yaml

__all__ = [
    "LOINC",
    "Code",
    "Codes",
    "Decision",
    "Document",
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

"""How results come in: doors (a search of each window, a file) into one corridor of normalising and review."""

from fhir_adapter.intake.file import FileAnswer, read_file
from fhir_adapter.intake.normalise import results_of
from fhir_adapter.intake.order import order_of
from fhir_adapter.intake.resources import FileResources, resources_among, resources_in
from fhir_adapter.intake.review import ReviewItem, review, typed_otherwise
from fhir_adapter.intake.subjects import PullSubject, hospital_of, trial_subjects
from fhir_adapter.intake.window_search import WindowAnswer, code_parameter, search_window

__all__ = [
    "FileAnswer",
    "FileResources",
    "PullSubject",
    "ReviewItem",
    "WindowAnswer",
    "code_parameter",
    "hospital_of",
    "order_of",
    "read_file",
    "resources_among",
    "resources_in",
    "results_of",
    "review",
    "search_window",
    "trial_subjects",
    "typed_otherwise",
]

"""What a person looks at: a trial's scores as one self-contained HTML page with inline SVG; no network, no script."""

from fhir_adapter.report.page import Discrepancy, Page, SubjectPage
from fhir_adapter.report.render import render

__all__ = ["Discrepancy", "Page", "SubjectPage", "render"]

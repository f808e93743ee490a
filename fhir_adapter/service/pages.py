"""What a person sees in a browser: a front page, and the trial's report, drawn again when the data changed."""

from __future__ import annotations

from html import escape

from fhir_adapter.jobs.report import ReportOptions, page_of
from fhir_adapter.report import render
from fhir_adapter.service.trial_data import Snapshot

PAGE_HEADERS = {
    # The pages hold styles and pictures of their own, no script, and fetch nothing.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}
_FRONT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fhir-adapter</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  dt { font-weight: 600; margin-top: 1rem } dd { margin: 0 }
  a { color: LinkText }
</style>
</head>
<body>
<main>
<h1>fhir-adapter</h1>
<p>SERVED</p>
<dl>
<dt><a href="report">Report</a></dt>
<dd>every subject of the trial on one page, with the evidence of each point</dd>
<dt><a href="fhir/metadata">FHIR base</a></dt>
<dd><code>$hscore</code> of a Patient or of Observations, <code>$validate</code></dd>
<dt><a href="openapi.json">OpenAPI</a></dt><dd>the description for programs</dd>
<dt><a href="health/ready">Readiness</a>, <a href="metrics">figures</a></dt><dd>for those who watch it</dd>
</dl>
<p>Nothing here pulls, pushes or changes anything.</p>
</main>
</body>
</html>
"""


def front_page(trial: str | None) -> str:
    """What this service serves, and where to go."""
    served = f"It serves the trial {trial}." if trial is not None else "It serves no trial: it scores what is sent."
    return _FRONT.replace("SERVED", escape(served))


def report_page(snapshot: Snapshot) -> bytes:
    """The report of everything known; kept as long as the data are the same. Raises `Misconfigured` without a rule."""
    kept = snapshot.answers.kept.get(report_page)
    if kept is None:
        kept = render(page_of(snapshot.folder, snapshot.known, ReportOptions())).encode()
        snapshot.answers.keep(report_page, kept)
    return kept

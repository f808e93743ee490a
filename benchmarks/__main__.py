"""`make bench`: run every benchmark, print a table, write `benchmarks/results/latest.json`.

Only the ratios count; absolute figures are for orientation on this machine at this moment.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

from benchmarks.fhirpath import measure_fhirpath
from benchmarks.mapping import measure_mapping
from benchmarks.pushing import measure_push
from benchmarks.scores import measure_scores
from benchmarks.service import measure_service
from benchmarks.timing import Figure
from benchmarks.validation import measure_validation

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print, write."""
    figures = [
        *(*measure_mapping(), *measure_push(), *measure_scores(), *measure_service(), *measure_fhirpath()),
        *measure_validation(),
    ]
    _print(figures)
    RESULTS.mkdir(exist_ok=True)
    report = {"python": platform.python_version(), "figures": [figure.to_dict() for figure in figures]}
    (RESULTS / "latest.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _print(figures: list[Figure]) -> None:
    head = ("what", "ours", "anchor", "anchor is", "ratio (median of pairs)")
    rows = [head, *(figure.row() for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


main()

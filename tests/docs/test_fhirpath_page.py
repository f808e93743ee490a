"""The examples of docs/reference/fhirpath.md give what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "fhirpath.md"


def test_the_examples_of_the_page_are_right() -> None:
    """Each one is run, and there are some."""
    results = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert (results.failed, results.attempted > 5) == (0, True)

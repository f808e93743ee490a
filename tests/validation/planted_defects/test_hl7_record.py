"""Whether the record of HL7's engine belongs to the corpus, and the page counts it right."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from fhir_adapter.issues import Issue, Where
from tests.validation.planted_defects.ask_hl7 import RECORD, place, said, told, verdict_on
from tests.validation.planted_defects.loading import Case, Expected, read_cases

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "planted-defects.md"
CASES, CONTROLS = read_cases("cases.ndjson"), read_cases("controls.ndjson")
LINES = [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]
CASE = Case("a", "Observation", "Observation", (), (), "made up", "fixed", Expected("error", "Observation.a", "fixed"))
CONTROL = Case("b", "Observation", "Observation", (), (), "made up")


def verdict(case: Case, *answer: tuple[str, str], base: tuple[tuple[str, str], ...] = ()) -> str | None:
    """On a case, by what was said of it and of its base."""
    return verdict_on(case, frozenset((*answer, *base)), frozenset(base))


def test_a_place_is_named_without_what_the_engine_adds() -> None:
    """The url of an extension stands in its index already."""
    assert place("Observation.extension[0][url='https://example.org']") == "Observation.extension[0]"


def test_what_ends_the_reading_is_an_error() -> None:
    """`fatal` is one."""
    issues = [Issue("fatal", "made-up", "made up", Where(expression="Observation"))]

    assert said(issues) == {("error", "Observation")}


def test_a_finding_with_its_severity_at_its_place_is_no_difference() -> None:
    """Whatever else is said."""
    assert verdict(CASE, ("error", "Observation.a"), ("error", "Observation.b")) is None


def test_a_finding_elsewhere_or_milder_is_a_difference() -> None:
    """What is said of the base as well does not count."""
    assert verdict(CASE, ("error", "Observation.b")) == "elsewhere"
    assert verdict(CASE, ("warning", "Observation.a")) == "other-severity"
    assert verdict(CASE, ("warning", "Observation.c")) == "not-found"
    assert verdict(CASE, base=(("error", "Observation.b"),)) == "not-found"


def test_a_control_may_have_warnings() -> None:
    """And no error."""
    assert verdict(CONTROL, ("warning", "Observation")) is None
    assert verdict(CONTROL, ("error", "Observation")) == "error-at-control"


def test_the_record_tells_errors_and_warnings() -> None:
    """In one order."""
    answer = frozenset({("warning", "b"), ("information", "c"), ("error", "a")})

    assert told(answer) == ["error a", "warning b"]


def test_every_line_of_the_record_is_of_a_case_that_there_is() -> None:
    """Each once."""
    ids = [line["id"] for line in LINES]

    assert set(ids) <= {case.id for case in [*CASES, *CONTROLS]}
    assert len(ids) == len(set(ids))


def test_the_page_counts_right() -> None:
    """Both validators, and how large the corpus is."""
    text = PAGE.read_text(encoding="utf-8")
    counts = Counter(line["verdict"] for line in LINES)
    differing = counts["elsewhere"] + counts["other-severity"] + counts["not-found"]

    assert f"has {len(CASES)} resources" in text
    assert f"and {len(CONTROLS)}\ncontrols" in text
    assert f"| {len(CASES)} | {len(CASES) - differing} |" in text
    assert f"another place | 0 | {counts['elsewhere']} |" in text
    assert f"another severity | 0 | {counts['other-severity']} |" in text
    assert f"| not found | 0 | {counts['not-found']} |" in text
    assert f"without error | {len(CONTROLS)} | {len(CONTROLS) - counts['error-at-control']} |" in text

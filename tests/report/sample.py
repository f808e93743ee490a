"""A made-up page for the tests: six subjects and one screen failure, with everything that a page can show."""

from __future__ import annotations

from dataclasses import replace

from fhir_adapter.issues import Issue, Where
from fhir_adapter.report import Page
from fhir_adapter.trial_folder import Decision
from tests.report.made_up import RULES, SUBJECTS, measured, subject_page
from tests.report.reading import words_of

__all__ = ["RULES", "SUBJECTS", "first_with", "measured", "only", "page", "section", "subject_page"]


def page(*, made_up: bool = True, complete: bool = True) -> Page:
    """The whole page."""
    why = (Issue("warning", "page-lost", "the search of S03 stopped after page 1", Where(resource="Observation")),)
    return Page(
        trial="nct02569463",
        title="Low-dose interleukin-2 in macrophage activation syndrome (巨噬细胞活化综合征)",
        registry_id="NCT02569463",
        labels=("HTEST",) if made_up else (),
        study_status="unknown; the registry's last update is from 2016",
        data_as_of="2016-05-02T10:00:00+08:00 (pull 2)",
        complete=complete,
        why_incomplete=() if complete else why,
        rules=RULES,
        subjects=tuple(map(subject_page, SUBJECTS)),
        decisions=(
            Decision(
                "eligible temperature", "axillary, not corrected", "decision", "ward charts", "the team", "2026-11-25"
            ),
            Decision("dose", "100万IU = 1,000,000 IU", "assumption", "protocol, section 5", "the team", "2026-11-25"),
        ),
        issues=(
            Issue("error", "unit-unknown", "S02: unit 'g%' of haemoglobin is in no alias table", Where("lb.csv", 41)),
            Issue("information", "no-first-dose", "S07: no first dose, so no visit can be placed"),
        ),
        review=(
            ("S01", "differs from the typed value", "platelets on 2016-03-30: typed 282, hospital 228"),
            ("S04", "haemolysed, clotted or lipaemic note", "note 标本溶血 on AST of 2016-03-08"),
        ),
        provenance=(
            ("program", "fhir-adapter 0.1.0"),
            ("server", "sandbox on this machine"),
            ("pull", "2, complete"),
            ("data/lb.csv", "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ),
        not_scored=(("S07", "screen failure: body weight 81 kg, above 80 kg"),),
    )


def only(*names: str) -> Page:
    """The sample page with some of its subjects."""
    return replace(page(), subjects=tuple(subject_page(one) for one in SUBJECTS if one.name in names))


def first_with(**changes: object) -> Page:
    """The sample page with only S01, changed."""
    subject = subject_page(SUBJECTS[0])
    return replace(page(), subjects=(replace(subject, **changes),))  # type: ignore[arg-type]


def section(shown: Page, heading: str) -> str:
    """What follows a heading of the first subject, up to the next one."""
    return words_of(shown).split(heading, 1)[1][:1500]

"""What the report says, in words and numbers; how it looks is in test_in_chromium.py."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from fhir_adapter.issues import Issue, Where
from fhir_adapter.report import Discrepancy, render
from fhir_adapter.scores import ItemScore
from fhir_adapter.trial import ScoreRules
from tests.report.reading import words_of
from tests.report.sample import RULES, SUBJECTS, measured, only, page, section, subject_page

ATTACK = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def text() -> str:
    """Everything that the sample page says, blanks made single."""
    return words_of(page())


def test_rendering_twice_gives_the_same_bytes() -> None:
    """Bad input 133: no clock, no random names."""
    assert render(page()).encode() == render(page()).encode()


def test_another_process_with_another_hash_seed_renders_the_same_bytes() -> None:
    """Bad input 133: no order of a set shows."""
    script = (
        "import sys; from tests.report.sample import page; from fhir_adapter.report import render; "
        "sys.stdout.buffer.write(render(page()).encode())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """The page stands alone: no address, no script, no handler, and a policy that forbids the rest."""
    source = render(page())
    assert re.findall(r"https?://|//[a-z]|url\(|@import|<script|<link|<img|<iframe|\son\w+=", source) == []
    assert "default-src 'none'" in source


def test_names_units_and_notes_are_escaped() -> None:
    """Bad input 21 and 117: whatever stands in a name, a unit, a note or a message is text."""
    subject = subject_page(SUBJECTS[0])
    value = replace(measured("S01", "ferritin", "1", "2016-03-01T06:30"), unit=ATTACK, flags=(ATTACK,), method=ATTACK)
    window = subject.scores.windows[0]
    item = ItemScore(
        "ferritin", 0, 0, "measured", (replace(window.score.items[0].evidence[0], result=value),), (ATTACK,)
    )
    score = replace(window.score, items=(*window.score.items[:4], item, *window.score.items[5:]))
    change = replace(subject.scores.change, notes=(ATTACK,)) if subject.scores.change else None
    shown = replace(
        page(complete=False),
        title=ATTACK,
        why_incomplete=(Issue("error", "x", ATTACK, Where(file=ATTACK)),),
        issues=(Issue("error", ATTACK, ATTACK),),
        review=((ATTACK, ATTACK, ATTACK),),
        provenance=((ATTACK, ATTACK),),
        not_scored=((ATTACK, ATTACK),),
        subjects=(
            replace(
                subject,
                subject=replace(subject.subject, subject=ATTACK),
                scores=replace(subject.scores, windows=(replace(window, window=ATTACK, score=score),), change=change),
                diagnosis=ATTACK,
                immunosuppression=ATTACK,
                rescue=((date(2016, 3, 5), ATTACK),),
                adverse_events=((None, ATTACK),),
                discrepancies=(Discrepancy(ATTACK, None, ATTACK, ATTACK, ATTACK, ATTACK),),
                missing=((ATTACK, ATTACK),),
            ),
        ),
        rules=replace(RULES, windows=(replace(RULES.windows[0], name=ATTACK),), change_from=ATTACK),
    )
    source = render(shown)
    assert "<script" not in source
    assert "<img" not in source
    assert "49" not in section(shown, "Made-up data")[:400]
    assert unescape(source).count(ATTACK) > 20


def test_made_up_data_say_so_first() -> None:
    """The label HTEST makes the banner."""
    assert words_of(page()).strip().split("Skip to the summary")[1].strip().startswith("Made-up data.")
    assert "Made-up data" not in words_of(page(made_up=False))


def test_banner_names_trial_registry_status_and_data_cut(text: str) -> None:
    """What a reader needs before the first number."""
    assert "NCT02569463" in text
    assert "unknown; the registry's last update is from 2016" in text
    assert "Data as of 2016-05-02T10:00:00+08:00 (pull 2), complete." in text


def test_incomplete_data_say_why() -> None:
    """An incomplete pull is named with its reason, and wherever the data cut is named."""
    said = words_of(page(complete=False))
    assert "Why the data are incomplete" in said
    assert "the search of S03 stopped after page 1 (Observation)" in said
    assert "(pull 2), incomplete." in said
    assert ", complete." not in said


def test_without_a_pull_the_data_cut_says_so() -> None:
    """Typed values alone have no data cut of the hospital."""
    assert "No pull yet: typed values only." in words_of(replace(page(), data_as_of=None))


def test_caution_stands_before_the_scores(text: str) -> None:
    """HScore as an endpoint is the protocol's choice."""
    caution = "not to measure activity or response; using it as the endpoint is the protocol's choice."
    assert text.index(caution) < text.index("Change of the HScore")


@pytest.mark.parametrize(
    "words",
    [
        "Primary, marrow left out at both visits Lower in 5 of 6, not improved (died) in 1 of 6.",
        "All nine items Lower in 4 of 6, direction undetermined in 1 of 6, not improved (died) in 1 of 6.",
        "Primary, without subjects who had rescue Lower in 4 of 5, not improved (died) in 1 of 5.",
        "S01 302 62-97 -205 lower -240 to -205 lower",
        "S02 213 105-140 -108 lower -108 to -73 lower",
        "S03 209-244 54-240 -155 to -4 lower -190 to +31 direction undetermined 13 of 14 planned doses given",
        "S04 321 203 -83 lower -118 lower rescue: etoposide on D16; 8 of 14 planned doses given",
        "S05 286 no score not improved (died) not improved (died)",
        "S06 113-132 0-35 -132 to -113 lower -132 to -78 lower",
        "S07: screen failure: body weight 81 kg, above 80 kg",
    ],
)
def test_summary_has_k_of_n_and_a_line_for_each_subject(text: str, words: str) -> None:
    """Ranges at both visits, the primary change and the full one, directions in words, notes."""
    assert words in text


def test_subjects_without_a_dose_are_not_counted() -> None:
    """Of n: those with at least one injection."""
    shown = only("S01", "S02")
    untreated = replace(shown.subjects[1], doses=())
    assert "Lower in 1 of 1." in words_of(replace(shown, subjects=(shown.subjects[0], untreated)))


def test_no_word_of_diagnosis_response_or_advice(text: str) -> None:
    """What a screen never says."""
    forbidden = (
        r"MAS (?:confirmed|excluded)|remission|\bmet\b|not met|should be tested|p-value|p =|\bmean\b|average|median"
    )
    assert re.findall(forbidden, text, re.IGNORECASE) == []


def test_decisions_review_provenance_and_issues_are_listed(text: str) -> None:
    """What the page rests on, and what a person must still look at."""
    assert "dose 100万IU = 1,000,000 IU assumption protocol, section 5 the team 2026-11-25" in text
    assert "For review 2" in text
    assert "S04 haemolysed, clotted or lipaemic note" in text
    assert "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" in text
    assert "unit 'g%' of haemoglobin is in no alias table lb.csv:41" in text
    assert "temperature highest of the 3 days that end on the day of the blood count" in text


def test_a_page_without_subjects_says_so() -> None:
    """Nothing scored is a page, not an error."""
    empty = replace(page(), subjects=(), decisions=(), issues=(), review=(), provenance=(), not_scored=())
    said = words_of(empty)
    assert "No subject has a score." in said
    assert "Nobody was treated." in said


def test_windows_without_anchor_read_in_words() -> None:
    """A trial that takes the worst of a window says so."""
    first = replace(RULES.windows[0], blood=replace(RULES.windows[0].blood, choice="worst"), temperature_days=None)
    rules: ScoreRules = replace(RULES, windows=(first, *RULES.windows[1:]))
    said = words_of(replace(only("S01"), rules=rules))
    assert "blood worst of D-3 to D1; temperature worst of D-3 to D1; organs latest of D-7 to D1" in said

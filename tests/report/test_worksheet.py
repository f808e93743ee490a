"""The sheet to print: what nobody has recorded, with boxes to tick, and what is recorded already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.worksheet import write_worksheet
from fhir_adapter.report.worksheet import FORMS, Sheet, Worksheet, render_worksheet, sheet_of, unit_words
from fhir_adapter.scores import PARTS, HScore, hscore
from fhir_adapter.scores.choose import choose
from fhir_adapter.scores.hscore import total
from fhir_adapter.terminology import normalise
from fhir_adapter.trial import Result
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from tests.scores.made_up import BASELINE, COURSE, MONTH_1, count, found, measured
from tests.scores.new_onset import results

ATTACK = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>{{ 7 * 7 }}"
CHROMIUM = Path("/usr/bin/chromium")


def at_month_1(*known: Result) -> HScore:
    """The score of month 1 by these results."""
    return total(choose(known, MONTH_1, COURSE))


def sheet(*known: Result) -> Sheet:
    """The sheet of month 1."""
    return sheet_of("S03", at_month_1(*known), MONTH_1, COURSE)


def page(*sheets: Sheet, labels: tuple[str, ...] = ("HTEST",)) -> Worksheet:
    """Sheets of the seed trial."""
    return Worksheet(
        "nct02569463", "IL-2 in MAS (巨噬细胞活化综合征)", labels, sheets, "Data as of 2016-05-02, complete."
    )


def titles(shown: Sheet) -> list[str]:
    """What is asked."""
    return [question.title for question in shown.questions]


def test_it_asks_for_what_nobody_recorded() -> None:
    """S03 at month 1: temperature, organs, triglycerides and marrow; nothing that the hospital measured."""
    marrow = "Haemophagocytosis on marrow aspirate"
    assert titles(sheet(*results())) == ["Temperature", "Liver", "Spleen", "Triglycerides", marrow]


def test_a_line_says_of_which_days_an_answer_counts() -> None:
    """Study days, and the dates that they are for this subject."""
    asked = {question.title: question.when for question in sheet(*results()).questions}
    assert asked["Liver"] == ("D22-33", "2016-03-22 to 2016-04-02")
    assert asked["Temperature"] == ("D28-30", "2016-03-28 to 2016-03-30")


def test_before_treatment_the_first_injection_is_the_limit() -> None:
    """What comes after it on day 1 is no baseline."""
    asked = sheet_of("", hscore([]), BASELINE, None).questions
    assert asked[2].when == ("D-7 to D1, before injection 1",)


def test_what_is_recorded_as_not_done_is_not_asked_again() -> None:
    """Somebody wrote that the marrow was not examined: that is known."""
    shown = sheet(*results(), found("marrow_hemophagocytosis", None, "2016-03-29"))
    assert "Haemophagocytosis on marrow aspirate" not in titles(shown)
    assert ("not done", "2016-03-29 (D29)") in [(one.value, one.when) for one in shown.known]


def test_a_part_that_cannot_change_the_points_is_not_asked() -> None:
    """Two lineages that are not low: the third cannot add points."""
    two = [one for one in count("2016-03-30T06:30", "12", "8", "200") if one.name != "platelets"]
    assert "Platelets" not in titles(sheet(*two))


def test_a_missing_lineage_is_asked_alone() -> None:
    """Two low lineages: the third decides between 24 and 34 points."""
    two = [one for one in count("2016-03-30T06:30", "8", "2", "200") if one.name != "platelets"]
    assert [title for title in titles(sheet(*two)) if title in ("Haemoglobin", "Platelets")] == ["Platelets"]


def test_a_reading_without_its_site_is_asked_for_the_site() -> None:
    """Axillary, oral, ear, rectal: only the ward knows."""
    shown = sheet(measured("temperature", "37.9", "2016-03-29T18:00", unit="Cel"))
    assert "Site of the temperature 37.9 °C of 2016-03-29 18:00 (D29)" in titles(shown)


def test_a_reading_with_its_site_is_complete() -> None:
    """Nothing more is asked of it."""
    shown = sheet(measured("temperature", "37.9", "2016-03-29T18:00", body_site="axillary"))
    assert not [title for title in titles(shown) if "emperature" in title]


def test_a_statement_without_a_name_is_asked_for_it() -> None:
    """Immunosuppression is a person's judgement, with name and date."""
    shown = sheet(found("known_immunosuppression", True, "2016-02-25"))
    assert "Who stated the known underlying immunosuppression (yes), and when" in titles(shown)


def test_a_statement_with_name_and_date_is_complete() -> None:
    """Nobody is asked twice."""
    assert not [title for title in titles(sheet(*results())) if "immunosuppression" in title]


def test_a_statement_without_a_date_is_asked_for_it() -> None:
    """And shown as undated."""
    shown = sheet(found("known_immunosuppression", False, None, flags=("stated by Dr. A",)))
    assert "Who stated the known underlying immunosuppression (no), and when" in titles(shown)
    assert [(one.value, one.when) for one in shown.known] == [("no", "undated")]


def test_what_is_known_stands_beside_with_date_and_source() -> None:
    """Values as received, at the site's time."""
    known = {one.what: one for one in sheet(*results()).known if not one.remark}
    ferritin = known["Ferritin"]
    assert (ferritin.value, ferritin.when, ferritin.source) == ("2140 ng/mL", "2016-03-30 06:30 (D30)", "hospital")


def test_a_result_of_another_day_is_shown_with_why_it_does_not_count() -> None:
    """The visit of day 36 need not be written down again."""
    outside = {one.what: (one.when, one.remark) for one in sheet(*results()).known if one.remark}
    assert outside["Triglycerides"] == ("2016-04-05 09:15 (D36)", "outside D26 to D33")


def test_of_many_values_only_some_are_listed() -> None:
    """Contradictory reports of one time fill no page."""
    many = [
        measured("ferritin", str(900 + number), "2016-03-30T06:30", unit="ng/mL", specimen=f"s{number}")
        for number in range(6)
    ]
    assert [one.value for one in sheet(*many).known if one.what == "Ferritin"][-1] == "and 2 more"


def test_a_new_subject_is_asked_everything() -> None:
    """A blank sheet: every part, no dates, lines for the subject and the first dose."""
    blank = sheet_of("", hscore([]), BASELINE, None)
    assert len(blank.questions) == sum(map(len, PARTS.values()))
    html = render_worksheet(page(blank))
    assert html.count("New subject, baseline") == 2
    assert "First dose" in html


def test_every_part_of_the_score_has_a_form() -> None:
    """Nothing of the score goes unasked."""
    assert set(FORMS) == {part for parts in PARTS.values() for part in parts}


@pytest.mark.parametrize(("part", "unit"), [(part, unit) for part, form in FORMS.items() for unit in form.units])
def test_every_unit_to_tick_is_read_by_the_program(part: str, unit: str) -> None:
    """As its code, and as it stands on the paper; whatever the number."""
    value = {"Cel": "37", "[degF]": "100"}.get(unit, "15")
    assert normalise(part, value, unit).interval == normalise(part, value, "", unit_words(unit)).interval


def test_no_points_and_no_advice_stand_on_the_sheet() -> None:
    """Nobody fills it in towards a number, and nothing is to be tested for its sake."""
    body = render_worksheet(page(sheet(*results()))).partition("<body")[2]
    assert "not a recommendation to test" in body
    assert re.findall(r"\bpoints?\b|of 337|54-240|\b169\b", body) == []


def test_made_up_data_is_labelled_on_every_sheet() -> None:
    """Also at the foot of every printed page."""
    html = render_worksheet(page(sheet(*results()), sheet(*results())))
    assert html.count("Made-up data. Nobody described on this page exists.") == 3


def test_real_data_has_no_such_label() -> None:
    """PSEUDED is no made-up data."""
    assert "Made-up" not in render_worksheet(page(sheet(), labels=("PSEUDED",)))


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """The page stands alone, with a policy that forbids the rest."""
    source = render_worksheet(page(sheet(*results())))
    assert re.findall(r"https?://|//[a-z]|url\(|@import|<script|<link|<img|<iframe|<input|\son\w+=", source) == []
    assert "default-src 'none'" in source


def test_what_a_source_says_is_text() -> None:
    """Bad input 21 and 117: names, units, values, methods, labels and titles are escaped."""
    value = replace(
        measured("ferritin", "1", "2016-03-30T06:30", unit=ATTACK, method=ATTACK, body_site=ATTACK), value=ATTACK
    )
    shown = replace(sheet(value), subject=ATTACK, visit=ATTACK, remark=ATTACK)
    html = render_worksheet(replace(page(shown), trial=ATTACK, title=ATTACK, mark=ATTACK))
    assert re.findall(r"<script|<img|onerror=alert\(2\)>(?!\{)", html.replace("&lt;", "")) == []
    assert "{{ 7 * 7 }}" in html


def test_rendering_twice_gives_the_same_bytes() -> None:
    """No clock, no random names."""
    assert render_worksheet(page(sheet(*results()))) == render_worksheet(page(sheet(*results())))


@pytest.fixture(scope="module")
def folder() -> TrialFolder:
    """The seed trial."""
    return read_trial_folder(trial_path("nct02569463"))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds nothing: the sites' own records alone."""
    return tmp_path_factory.mktemp("state") / "state.sqlite"


def test_the_job_writes_the_sheets_of_a_subject(folder: TrialFolder, state: Path, tmp_path: Path) -> None:
    """Every visit with something open, each on its own sheet."""
    html = write_worksheet(folder, state, tmp_path / "new" / "sheet.html", "S03").read_text(encoding="utf-8")
    assert re.findall(r'<h1 id="sheet-\d">(.*?)</h1>', html)[-1] == "S03, month 1"
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["sheet.html"]


def test_one_visit_may_be_asked_for(folder: TrialFolder, state: Path, tmp_path: Path) -> None:
    """Also one of which everything is recorded: the sheet says so."""
    html = write_worksheet(folder, state, tmp_path / "sheet.html", "S02", "baseline").read_text(encoding="utf-8")
    assert re.findall(r"<h1 .*?>(.*?)</h1>", html) == ["S02, baseline"]
    assert "Nothing is open at this visit." in html


def test_nothing_is_asked_of_a_visit_after_a_death(folder: TrialFolder, state: Path, tmp_path: Path) -> None:
    """S05 died on day 19."""
    html = write_worksheet(folder, state, tmp_path / "sheet.html", "S05", "month-1").read_text(encoding="utf-8")
    assert "The subject died before this visit." in html
    assert "<table" not in html


def test_without_a_dose_the_visits_have_no_dates(folder: TrialFolder, state: Path, tmp_path: Path) -> None:
    """The screen failure."""
    html = write_worksheet(folder, state, tmp_path / "sheet.html", "S07", "baseline").read_text(encoding="utf-8")
    assert "No first dose is recorded" in html
    assert "D-7 to D1, before injection 1" in html


def test_a_blank_sheet_needs_no_records(folder: TrialFolder, tmp_path: Path) -> None:
    """Neither store nor data: a new subject, all visits of the trial."""
    html = write_worksheet(folder, tmp_path / "none.sqlite", tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert html.count("<h1 ") == 6
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize(
    ("subject", "window", "code"), [("S99", None, "unknown-subject"), ("S03", "all", "unknown-window")]
)
def test_what_the_trial_does_not_have_is_refused(
    folder: TrialFolder, state: Path, tmp_path: Path, subject: str, window: str | None, code: str
) -> None:
    """A subject that is not in it, a visit that is none; nothing is written."""
    with pytest.raises(Misconfigured) as refused:
        write_worksheet(folder, state, tmp_path / "sheet.html", subject, window)
    assert [issue.code for issue in refused.value.issues] == [code]
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(folder: TrialFolder, state: Path, tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured) as refused:
        write_worksheet(folder, state, tmp_path / "file" / "sheet.html")
    assert [issue.code for issue in refused.value.issues] == ["unwritable"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests of this file."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM))
        yield opened
        opened.close()


@pytest.fixture
def printed(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A sheet of month 1 and a blank one, in a browser without a network."""
    path = tmp_path / "sheet.html"
    path.write_text(render_worksheet(page(sheet(*results()), sheet_of("", hscore([]), BASELINE, None))))
    context = browser.new_context(viewport={"width": 688, "height": 1000}, offline=True)
    opened = context.new_page()
    opened.goto(path.as_uri())
    yield opened
    context.close()


def test_each_sheet_fits_one_page_of_a4(printed: Any) -> None:
    """Two sheets, two pages."""
    pdf: bytes = printed.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2


@pytest.mark.parametrize("width", [360, 1280])
def test_the_sheet_never_scrolls_sideways(printed: Any, width: int) -> None:
    """On a phone the lines stand below each other, and what is known scrolls in its own box."""
    printed.set_viewport_size({"width": width, "height": 740})
    assert printed.evaluate("document.documentElement.scrollWidth") == width


def test_no_accessibility_violation(printed: Any) -> None:
    """Axe finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    assert [one["id"] for one in axe.Axe().run(printed).response["violations"]] == []

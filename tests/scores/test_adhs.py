"""Scores as a long table for statisticians: what each column says, and that no cell says more than is known."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fhir_adapter.scores import SubjectScores, score_everything, score_subject
from fhir_adapter.scores.adhs import (
    COLUMNS,
    PARAMETERS,
    Background,
    IntercurrentEvent,
    Row,
    SourceRecord,
    adhs_csv,
    adhs_rows,
    count_guarded,
    guarded,
)
from fhir_adapter.trial import read_moment
from tests.scores.made_up import COURSE, RULES, ZONE
from tests.scores.new_onset import results, scored
from tests.stories.commands import unmeasured

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "adhs.md"
STARTED = Background(reference_start=date(2016, 2, 29), first_dose=date(2016, 3, 1), zone=ZONE)


def table(
    scores: SubjectScores | None = None, background: Background = STARTED, **more: object
) -> Mapping[tuple[str, str], Row]:
    """The rows by visit and parameter."""
    rows = adhs_rows([scores or scored()], rules=RULES, backgrounds={"S03": background}, **more)  # type: ignore[arg-type]
    return {(row["AVISIT"], row["PARAMCD"]): row for row in rows}


def test_every_row_has_every_column_in_order() -> None:
    """A table, whatever is known."""
    assert {tuple(row) for row in table().values()} == {tuple(column.name for column in COLUMNS)}


def test_one_row_a_subject_visit_and_parameter() -> None:
    """No visit has a parameter twice."""
    rows = list(adhs_rows([scored()], rules=RULES))
    assert len({(row["USUBJID"], row["AVISIT"], row["PARAMCD"]) for row in rows}) == len(rows)


def test_codes_fit_eight_characters_and_labels_forty() -> None:
    """The lengths of SAS transport files."""
    assert max(len(parameter.code) for parameter in PARAMETERS) <= 8
    assert max(len(column.name) for column in COLUMNS) <= 8
    assert max(len(column.label) for column in COLUMNS) <= 40


def test_bounds_are_never_a_reference_range() -> None:
    """ANRLO and ANRHI would say that 54 to 240 is normal."""
    assert not {"ANRLO", "ANRHI"} & {column.name for column in COLUMNS}


def test_a_range_has_no_analysis_value_and_two_rows_of_bounds() -> None:
    """54-240: AVAL is empty, and HSLOW and HSHIGH say it."""
    rows = table()
    shown = [(rows["month-1", code]["AVAL"], rows["month-1", code]["AVALC"]) for code in ("HSCORE", "HSLOW", "HSHIGH")]
    assert shown == [("", "54 to 240"), ("54", "54"), ("240", "240")]


def test_a_bound_that_counts_what_is_not_known_says_so() -> None:
    """Best and worst case where an item is open; a known item's bounds are the item itself."""
    rows = table()
    assert (rows["month-1", "HSLOW"]["DTYPE"], rows["month-1", "HSHIGH"]["DTYPE"]) == ("BC", "WC")
    assert (rows["month-1", "HSFERL"]["DTYPE"], rows["month-1", "HSCORE"]["DTYPE"]) == ("", "")


def test_items_have_points_bounds_and_their_state() -> None:
    """Ferritin is known at month 1, temperature is not."""
    rows = table()
    ferritin, temperature = rows["month-1", "HSFER"], rows["month-1", "HSTEMP"]
    assert (ferritin["AVAL"], ferritin["ITEMSTAT"]) == ("35", "measured")
    assert (temperature["AVAL"], temperature["ITEMSTAT"]) == ("", "unknown")
    assert (rows["month-1", "HSTEMPL"]["AVAL"], rows["month-1", "HSTEMPH"]["AVAL"]) == ("0", "49")


def test_a_difference_stands_only_between_two_numbers() -> None:
    """Ferritin fell from 50 to 35; the score at month 1 is a range, and so is the baseline."""
    rows = table()
    assert (rows["month-1", "HSFER"]["BASE"], rows["month-1", "HSFER"]["CHG"]) == ("50", "-15")
    assert (rows["month-1", "HSCORE"]["BASE"], rows["month-1", "HSCORE"]["CHG"]) == ("", "")


def test_the_difference_of_two_bounds_is_not_told_as_a_change() -> None:
    """HSLOW has its baseline value and no CHG: 54 - 209 is no bound of the change."""
    low = table()["month-1", "HSLOW"]
    assert (low["AVAL"], low["BASE"], low["CHG"]) == ("54", "209", "")


def test_the_baseline_has_no_change() -> None:
    """CHG is a matter of the visits after it."""
    row = table()["baseline", "HSNM"]
    assert (row["AVAL"], row["BASE"], row["CHG"], row["ABLFL"]) == ("209", "209", "", "Y")


def test_the_change_is_a_parameter_of_the_visit_it_goes_to() -> None:
    """In full, without marrow, on common items, and its direction."""
    rows = table()
    codes = ("HSCHGLO", "HSCHGHI", "HSNMCLO", "HSNMCHI", "HSCOMLO", "HSCOMHI")
    assert [rows["month-1", code]["AVAL"] for code in codes] == ["-190", "31", "-155", "-4", "-39", "-39"]
    assert rows["month-1", "HSDIR"]["AVALC"] == "undetermined"


def test_who_died_keeps_a_row_with_the_direction() -> None:
    """No value, never dropped, and the intercurrent event is flagged."""
    early = [one for one in results() if one.effective and one.effective.iso < "2016-03-02"]
    scores = score_subject("S03", early, RULES, COURSE, death=read_moment("2016-03-19"))
    background = replace(STARTED, events=(IntercurrentEvent("death", date(2016, 3, 19)),))
    row = table(scores, background)["month-1", "HSDIR"]
    assert (row["AVAL"], row["AVALC"]) == ("", "not improved (died)")
    assert (row["ANL01FL"], row["ICEFL"], row["ICETERM"]) == ("Y", "Y", "death")


def test_study_days_are_counted_from_the_reference_start() -> None:
    """RFSTDTC was the day before the first dose here; there is no day 0."""
    rows = table()
    assert (rows["baseline", "HSCORE"]["ADT"], rows["baseline", "HSCORE"]["ADY"]) == ("2016-03-01", "2")
    assert (rows["baseline", "HSIMM"]["ADT"], rows["baseline", "HSIMM"]["ADY"]) == ("2016-02-25", "-4")


def test_without_a_reference_start_there_is_no_study_day() -> None:
    """The first dose is not taken in its place."""
    assert table(background=replace(STARTED, reference_start=None))["baseline", "HSCORE"]["ADY"] == ""


def test_the_two_visits_of_the_change_are_flagged_for_analysis() -> None:
    """And only the first is the baseline."""
    rows = table()
    assert [(rows[visit, "HSLOW"]["ABLFL"], rows[visit, "HSLOW"]["ANL01FL"]) for visit in ("baseline", "month-1")] == [
        ("Y", "Y"),
        ("", "Y"),
    ]


def test_a_sensitivity_analysis_is_never_flagged() -> None:
    """The worst of the window stands beside the score, labelled."""
    row = table()["month-1", "HSWOVHI"]
    assert (row["PARCAT1"], row["ANL01FL"]) == ("SENSITIVITY", "")


@pytest.mark.parametrize(("cutoff", "flag"), [(54, "Y"), (55, ""), (240, ""), (241, "N")])
def test_the_criterion_is_evaluated_only_when_it_is_decided(cutoff: int, flag: str) -> None:
    """54-240: at or above 54 for certain, below 241 for certain, undetermined between."""
    scores = score_subject("S03", results(), replace(RULES, cutoff=cutoff), COURSE)
    row = table(scores)["month-1", "HSCORE"]
    assert (row["CRIT1"], row["CRIT1FL"]) == (f"HScore >= {cutoff}", flag)


def test_one_record_of_the_site_is_named_by_domain_and_sequence() -> None:
    """The AST of the baseline was typed; a hospital's result is in no SDTM dataset."""
    background = replace(STARTED, records={"lb.csv row 7": SourceRecord("LB", "31")})
    rows = table(background=background)
    ast, ferritin = rows["baseline", "HSAST"], rows["baseline", "HSFER"]
    assert (ast["SRCDOM"], ast["SRCSEQ"], ast["SRCREF"]) == ("LB", "31", "lb.csv row 7")
    assert (ferritin["SRCDOM"], ferritin["SRCSEQ"]) == ("", "")
    assert ferritin["SRCREF"] == "Observation/ferritin-2016-03-01T06:30"


def test_several_records_are_named_by_their_references_alone() -> None:
    """Three lineages: no single domain and sequence says where the points come from."""
    row = table(background=replace(STARTED, records={"x": SourceRecord("LB", "1")}))["baseline", "HSCYT"]
    assert (row["SRCSEQ"], row["SRCREF"].count("; ")) == ("", 2)


def test_rescue_flags_the_visits_from_its_day_on() -> None:
    """Etoposide on day 16: month 1 is flagged, the baseline is not; twice given it is named once."""
    event = IntercurrentEvent("rescue: etoposide", date(2016, 3, 16))
    rows = table(background=replace(STARTED, events=(event, replace(event, day=date(2016, 3, 18)))))
    assert rows["baseline", "HSLOW"]["ICEFL"] == ""
    assert (rows["month-1", "HSLOW"]["ICEFL"], rows["month-1", "HSLOW"]["ICETERM"]) == ("Y", "rescue: etoposide")


def test_an_event_without_a_day_flags_the_visit_of_the_change() -> None:
    """Doses that were not given, or a rescue of which only the month is known."""
    rows = table(background=replace(STARTED, events=(IntercurrentEvent("8 of 14 planned doses given"),)))
    assert [rows[visit, "HSLOW"]["ICEFL"] for visit in ("baseline", "month-1")] == ["", "Y"]


def test_labels_study_and_data_cut_stand_in_every_row() -> None:
    """Made-up data says so wherever a row goes."""
    rows = table(study="NCT02569463", labels=("HTEST",))
    assert {(row["STUDYID"], row["SECLABEL"], row["DCUTDTC"]) for row in rows.values()} == {
        ("NCT02569463", "HTEST", "2016-05-02")
    }


def test_a_score_without_a_trial_has_no_baseline() -> None:
    """From `score --input`: one visit `all`, nothing of a trial's rule."""
    whole = SubjectScores("Patient/1", (score_everything("Patient/1", results(), 169),))
    row = next(adhs_rows([whole]))
    assert (row["AVISIT"], row["AVISITN"], row["ABLFL"], row["ANL01FL"], row["BASE"]) == ("all", "", "", "", "")
    assert (row["PARAMCD"], row["AVAL"]) == ("HSCORE", "")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a"]
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    """Whatever stands in a subject number or a reference."""
    assert guarded(text) == f"'{text}"


def test_a_negative_number_of_ours_is_a_number() -> None:
    """A change of -190 stays one, as number and as text."""
    shown = list(csv.DictReader(io.StringIO(adhs_csv(table().values()), newline="")))
    low = next(row for row in shown if row["PARAMCD"] == "HSCHGLO")
    assert (low["AVAL"], low["AVALC"]) == ("-190", "-190")


def test_changed_cells_are_counted() -> None:
    """So that a command can say how many."""
    rows = [*adhs_rows([replace(scored(), subject="=S03")], rules=RULES)]
    assert count_guarded(rows) == len(rows)


def test_the_file_is_csv_of_rfc_4180() -> None:
    """CRLF, doubled quotes, a header, no byte order mark; read back it is the same."""
    rows = [*adhs_rows([replace(scored(), subject='S"0,3\n监护人')], rules=RULES)]
    text = adhs_csv(rows)
    assert text.split("\r\n", 1)[0] == ",".join(column.name for column in COLUMNS)
    assert '"S""0,3\n监护人"' in text
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == rows


def test_every_column_and_parameter_is_documented() -> None:
    """The reference page shows the two tables of the code, row by row and in order."""
    columns = "\n".join(
        f"| `{one.name}` | {one.label} | {one.type} | {one.derivation} | {one.source} |" for one in COLUMNS
    )
    parameters = "\n".join(f"| `{one.code}` | {one.words} | {one.category} |" for one in PARAMETERS)
    page = PAGE.read_text(encoding="utf-8")
    assert columns in page
    assert parameters in page


def test_a_notebook_scores_without_fhir_http_sql_or_yaml() -> None:
    """`hscore`, its table and its words load nothing that talks to anything."""
    program = (
        "import sys, fhir_adapter.scores, fhir_adapter.scores.adhs, fhir_adapter.scores.explain;"
        "fhir_adapter.scores.hscore([fhir_adapter.scores.Measurement('ferritin', '24560', 'ug/L')]);"
        "heavy = {'fhir', 'httpx', 'httpx2', 'requests', 'sqlalchemy', 'sqlite3', 'fastapi', 'starlette', 'yaml',"
        " 'ruamel', 'jinja2', 'typer', 'rich', 'pydantic', 'uvicorn'};"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", program]
    # Measured, the process would load what the measuring needs.
    answer = subprocess.run(
        command, cwd=ROOT, env=unmeasured(dict(os.environ)), capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"

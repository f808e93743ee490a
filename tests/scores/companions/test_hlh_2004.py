"""HLH-2004: every edge, every unit, every way in which a criterion is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_adapter.scores.companions import HLH_2004, hlh_2004, in_words
from tests.scores.companions.made_up import chosen, hlh, hlh_verdict, received, stated

LOW = (received("hemoglobin", "5 g/dL"), received("platelets", "10 10*9/L"))
"""Two lineages that are low beyond doubt."""


@pytest.mark.parametrize(
    ("item", "result", "verdict"),
    [
        ("fever", "temperature 38.5 Cel", "met"),
        ("fever", "temperature 38.4 Cel", "not met"),
        ("fever", "temperature 38.49 Cel", "not met"),
        ("fever", "temperature 101.3 [degF]", "met"),
        ("fever", "temperature 101.2 [degF]", "not met"),
        ("fever", "temperature 311.65 K", "met"),
        ("fever", "temperature 311.64 K", "not met"),
        ("ferritin", "ferritin 500 ng/mL", "met"),
        ("ferritin", "ferritin 499 ng/mL", "not met"),
        ("ferritin", "ferritin 499.99 ug/L", "not met"),
        ("ferritin", "ferritin 0.5 mg/L", "met"),
        ("ferritin", "ferritin 1123 pmol/L", "not met"),
        ("ferritin", "ferritin 1124 pmol/L", "met"),
        ("triglycerides_fibrinogen", "triglycerides 3.0 mmol/L", "met"),
        ("triglycerides_fibrinogen", "fibrinogen 1.5 g/L", "met"),
        ("triglycerides_fibrinogen", "fibrinogen 1.50 g/L", "met"),
        ("triglycerides_fibrinogen", "fibrinogen 150 mg/dL", "met"),
        ("triglycerides_fibrinogen", "fibrinogen 4.41 umol/L", "met"),
    ],
)
def test_a_criterion_changes_at_its_printed_limit(item: str, result: str, verdict: str) -> None:
    """One unit in the last place decides, in every unit, without rounding."""
    name, text = result.split(maxsplit=1)
    assert hlh_verdict(item, received(name, text)) == verdict


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("hemoglobin 8.9 g/dL", "met"),
        ("hemoglobin 9.0 g/dL", "not met"),
        ("hemoglobin 89 g/L", "met"),
        ("hemoglobin 89.9 g/L", "met"),
        ("hemoglobin 90 g/L", "not met"),
        ("hemoglobin 5.58 mmol/L", "met"),
        ("hemoglobin 5.59 mmol/L", "not met"),
        ("neutrophils 0.9 10*9/L", "met"),
        ("neutrophils 0.99 10*9/L", "met"),
        ("neutrophils 1.0 10*9/L", "not met"),
        ("neutrophils 999 /uL", "met"),
        ("neutrophils 1000 /uL", "not met"),
    ],
)
def test_a_second_lineage_changes_at_its_printed_limit(result: str, verdict: str) -> None:
    """Platelets are low and the third lineage is not: the one in question decides whether it is two of three."""
    name, text = result.split(maxsplit=1)
    others = {"hemoglobin": received("hemoglobin", "14 g/dL"), "neutrophils": received("neutrophils", "4 10*9/L")}
    lineages = {**others, name: received(name, text), "platelets": received("platelets", "10 10*9/L")}
    assert hlh_verdict("cytopenias", *lineages.values()) == verdict


@pytest.mark.parametrize(
    ("platelets", "verdict"),
    [("99 10*9/L", "met"), ("99.9 10*9/L", "met"), ("100 10*9/L", "not met"), ("99999 /uL", "met")],
)
def test_platelets_change_below_100(platelets: str, verdict: str) -> None:
    """Neither 110 of the HScore nor 181 of the 2016 criteria."""
    lineages = [received("hemoglobin", "5 g/dL"), received("neutrophils", "4 10*9/L")]
    assert hlh_verdict("cytopenias", *lineages, received("platelets", platelets)) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("3.0 mmol/L", "met"),
        ("2.99 mmol/L", "not met"),
        ("2.999 mmol/L", "not met"),
        ("2992 umol/L", "not met"),
        ("3000 umol/L", "met"),
        ("265 mg/dL", "met"),
        ("264 mg/dL", "not met"),
        ("264.9 mg/dL", "not met"),
        ("2.65 g/L", "met"),
        ("2.64 g/L", "not met"),
    ],
)
def test_triglycerides_are_compared_in_the_unit_received(text: str, verdict: str) -> None:
    """265 mg/dL is 2.992 mmol/L: it fulfils the limit printed in mg/dL, and 2.992 mmol/L does not fulfil its own."""
    results = [received("triglycerides", text), received("fibrinogen", "3 g/L")]
    assert hlh_verdict("triglycerides_fibrinogen", *results) == verdict


def test_the_unit_is_that_of_the_number_and_not_the_sites_word_for_it() -> None:
    """A site's own word for mg/dL is in no table of units: the factor that was used says which it was."""
    result = replace(received("triglycerides", "265 mg/dL"), unit="毫克每分升")
    odd = hlh(result)
    assert odd.item("triglycerides_fibrinogen").verdict == "met"
    assert ">= 265 mg/dL" in odd.item("triglycerides_fibrinogen").why


def test_a_result_without_its_number_is_in_the_unit_as_written() -> None:
    """A program that keeps the interval alone says the unit; without it, it is the canonical one."""
    bare = replace(received("triglycerides", "265 mg/dL"), value="")
    assert hlh_verdict("triglycerides_fibrinogen", bare, received("fibrinogen", "3 g/L")) == "met"
    unitless = replace(bare, unit="")
    assert hlh_verdict("triglycerides_fibrinogen", unitless, received("fibrinogen", "3 g/L")) == "not met"


@pytest.mark.parametrize(
    ("triglycerides", "fibrinogen", "verdict"),
    [
        ("1.0 mmol/L", "1.0 g/L", "met"),
        ("4.0 mmol/L", "3.0 g/L", "met"),
        ("4.0 mmol/L", None, "met"),
        (None, "1.0 g/L", "met"),
        ("1.0 mmol/L", None, "undetermined"),
        (None, "3.0 g/L", "undetermined"),
        ("1.0 mmol/L", "3.0 g/L", "not met"),
    ],
)
def test_triglycerides_and_fibrinogen_are_one_criterion(
    triglycerides: str | None, fibrinogen: str | None, verdict: str
) -> None:
    """Either is enough; it is not met only when both are known not to be."""
    given = {"triglycerides": triglycerides, "fibrinogen": fibrinogen}
    results = [received(name, text) for name, text in given.items() if text is not None]
    assert hlh_verdict("triglycerides_fibrinogen", *results) == verdict


@pytest.mark.parametrize(
    ("item", "result", "verdict"),
    [
        ("ferritin", "ferritin > 1500 ng/mL", "met"),
        ("ferritin", "ferritin >= 500 ng/mL", "met"),
        ("ferritin", "ferritin > 400 ng/mL", "undetermined"),
        ("ferritin", "ferritin < 500 ng/mL", "not met"),
        ("ferritin", "ferritin <= 500 ng/mL", "undetermined"),
        ("triglycerides_fibrinogen", "fibrinogen < 0.5 g/L", "met"),
        ("triglycerides_fibrinogen", "fibrinogen < 2 g/L", "undetermined"),
        ("triglycerides_fibrinogen", "triglycerides >= 265 mg/dL", "met"),
        ("triglycerides_fibrinogen", "triglycerides >= 2.9 mmol/L", "undetermined"),
    ],
)
def test_a_capped_result_decides_only_when_all_of_it_lies_on_one_side(item: str, result: str, verdict: str) -> None:
    """The sign is never dropped: a limit inside the half-line leaves the criterion open."""
    name, text = result.split(maxsplit=1)
    assert hlh_verdict(item, received(name, text)) == verdict


def test_why_a_criterion_is_open_is_said() -> None:
    """Not known, capped or contradictory: three different things to do about it."""
    capped = hlh(received("ferritin", "> 400 ng/mL"))
    assert capped.item("ferritin").why == "ferritin: capped, on either side of the limit (>= 500 ug/L)"
    assert capped.item("fever").why == "temperature: not known (>= 38.5 Cel)"
    two = [received("ferritin", "400 ng/mL"), received("ferritin", "600 ng/mL")]
    contradictory = hlh_2004.evaluate(chosen(*two, conflicting=True)).item("ferritin")
    assert (contradictory.verdict, contradictory.state) == ("undetermined", "conflicting")
    assert contradictory.why == "ferritin: contradictory (>= 500 ug/L)"


@pytest.mark.parametrize(
    ("stated_sites", "verdict"),
    [
        ({"marrow": True}, "met"),
        ({"marrow": False}, "not met"),
        ({"spleen": True}, "met"),
        ({"node": True}, "met"),
        ({"spleen": False}, "undetermined"),
        ({"marrow": False, "node": True}, "met"),
        ({"marrow": False, "spleen": False}, "not met"),
        ({}, "undetermined"),
    ],
)
def test_spleen_and_node_count_only_where_stated(stated_sites: dict[str, bool], verdict: str) -> None:
    """The marrow is looked for; a spleen or node that nobody examined leaves nothing open."""
    results = [stated(f"{site}_hemophagocytosis", present) for site, present in stated_sites.items()]
    assert hlh_verdict("hemophagocytosis", *results) == verdict


@pytest.mark.parametrize("item", ["splenomegaly", "nk_activity", "soluble_cd25"])
def test_a_stated_finding_answers_its_criterion(item: str) -> None:
    """Present, absent, or nobody said."""
    verdicts = [hlh_verdict(item, stated(item, present)) for present in (True, False)]
    assert [*verdicts, hlh_verdict(item)] == ["met", "not met", "undetermined"]


FIVE = (
    received("temperature", "39 Cel"),
    stated("splenomegaly", True),
    *LOW,
    received("ferritin", "9000 ng/mL"),
    received("fibrinogen", "1.0 g/L"),
)


def test_five_are_enough_whatever_the_others_say() -> None:
    """What is not known beside five that are met changes nothing."""
    whole = hlh(*FIVE)
    assert (whole.low, whole.high, whole.needed, whole.status) == (5, 8, 5, "met")


def test_four_and_an_open_one_are_undetermined() -> None:
    """Nobody looked at the ferritin."""
    whole = hlh(*(one for one in FIVE if one.name != "ferritin"))
    assert (whole.low, whole.high, whole.status) == (4, 8, "undetermined")


def test_it_is_not_met_only_when_five_cannot_be_any_more() -> None:
    """Four known not to be met: four of eight remain."""
    absent = [
        stated(name, False) for name in ("splenomegaly", "nk_activity", "soluble_cd25", "marrow_hemophagocytosis")
    ]
    assert hlh(*absent[:3]).status == "undetermined"
    whole = hlh(*absent)
    assert (whole.low, whole.high, whole.status) == (0, 4, "not met")


def test_a_molecular_diagnosis_is_another_way_in() -> None:
    """Stated present it is enough; stated absent or not stated, the count decides."""
    nothing = [
        stated(name, False) for name in ("splenomegaly", "nk_activity", "soluble_cd25", "marrow_hemophagocytosis")
    ]
    assert hlh(*nothing, stated("molecular_diagnosis", True)).status == "met"
    assert hlh(*nothing, stated("molecular_diagnosis", False)).status == "not met"
    assert hlh(*nothing).apart is None


def test_the_other_way_in_is_told_beside_the_count() -> None:
    """The count stays what it is."""
    whole = hlh(stated("molecular_diagnosis", True))
    assert in_words(whole) == "undetermined at 5; molecular diagnosis, the other way in: fulfilled"
    assert (whole.low, whole.high) == (0, 8)


def test_statements_that_contradict_each_other_leave_the_other_way_open() -> None:
    """Four criteria are known not to be met, and the molecular statements disagree."""
    both = [stated("molecular_diagnosis", present) for present in (True, False)]
    four = [stated(name, False) for name in ("splenomegaly", "nk_activity", "soluble_cd25", "marrow_hemophagocytosis")]
    choices = {**chosen(*four), **chosen(*both, conflicting=True)}
    assert hlh_2004.evaluate(choices).status == "undetermined"


def test_fever_is_a_setting() -> None:
    """Copies print 38.3: the setting is named in the reason."""
    warm = chosen(received("temperature", "38.4 Cel"))
    assert hlh_2004.evaluate(warm, "38.3").item("fever").why == "temperature: yes (>= 38.3 Cel)"
    assert hlh_2004.evaluate(warm).item("fever").verdict == "not met"


def test_fasting_is_said_when_it_is_not_stated() -> None:
    """The table asks for fasting triglycerides; the value counts, and the reader is told."""
    item = "triglycerides_fibrinogen"
    assert "fasting" in hlh(received("triglycerides", "3.4 mmol/L")).item(item).notes[0]
    assert hlh(received("triglycerides", "3.4 mmol/L", method="fasting")).item(item).notes == ()


def test_without_a_known_treatment_the_reader_is_told() -> None:
    """A file of results says nothing of interleukin-2."""
    item = hlh_2004.evaluate({}, treatment_known=False).item("soluble_cd25")
    assert item.notes == ("treatment unknown: under interleukin-2 it could not be interpreted",)


def test_the_table_has_eight_criteria_and_a_limit_for_every_measured_part() -> None:
    """A part without a limit would never be fulfilled by a number."""
    findings = {"splenomegaly", "marrow_hemophagocytosis", "nk_activity", "soluble_cd25"}
    measured = {part for row in HLH_2004.rows for part in row.parts} - findings
    assert len(HLH_2004.rows) == 8
    assert measured == set(HLH_2004.limits_with("38.5"))
